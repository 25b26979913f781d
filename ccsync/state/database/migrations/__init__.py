"""Every migration of the state file, in order. The format that one makes is its number; none is ever changed."""

from ccsync.state.database.migrations.facts_and_tasks import FOURTH
from ccsync.state.database.migrations.later import (
    EIGHTH,
    ELEVENTH,
    FIFTH,
    FOURTEENTH,
    NINTH,
    SEVENTH,
    SIXTH,
    TENTH,
    THIRTEENTH,
    TWELFTH,
)
from ccsync.state.database.migrations.tables import FIRST, SECOND, THIRD

MIGRATIONS = (
    *(FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH),
    *(EIGHTH, NINTH, TENTH, ELEVENTH, TWELFTH, THIRTEENTH, FOURTEENTH),
)
