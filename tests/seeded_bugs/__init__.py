"""The tests of the tests: bugs that would hurt people, each seeded into a copy of ccsync, each caught by a named test.

    python -m tests.seeded_bugs            runs them all; exits with 1 when one is not caught
    python -m tests.seeded_bugs NAME …     runs some

A bug is a text of one module and what stands there instead; `test_seeded_bugs` checks that each still fits.
"""

from tests.seeded_bugs import identity, known_again, operator, returns, runs
from tests.seeded_bugs.bug import ROOT, SeededBug

BUGS = runs.BUGS + identity.BUGS + operator.BUGS + known_again.BUGS + returns.BUGS

__all__ = ["BUGS", "ROOT", "SeededBug"]
