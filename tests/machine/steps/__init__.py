"""The steps of a history: what people and staff do in the store and at Constant Contact, runs, and troubles."""

# Importing a module registers its steps. A seed draws by the order in which they are registered.
from tests.machine.steps import store as store  # isort: skip
from tests.machine.steps import contacts as contacts  # isort: skip
from tests.machine.steps import tags as tags  # isort: skip
from tests.machine.steps import runs as runs  # isort: skip
from tests.machine.steps import troubles as troubles  # isort: skip
from tests.machine.steps.registry import KINDS, Step, draw, play_step

__all__ = ["KINDS", "Step", "draw", "play_step"]
