"""Each seeded bug still has its place in the code; `python -m tests.seeded_bugs` shows that each is caught."""

import pytest

from tests.seeded_bugs import BUGS, ROOT, SeededBug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_has_its_place(bug: SeededBug) -> None:
    """The text that it replaces stands in its module once, and the tests that catch it exist."""
    assert bug.applies(ROOT)
    for word in bug.caught_by:
        assert not word.endswith(".py") or (ROOT / word).is_file()
