"""Segments in the store, and what staff do to tags at Constant Contact."""

from tests.machine.steps.contacts import contact_where, lives
from tests.machine.steps.registry import ANY, pick, step
from tests.machine.tagging import CODES, NAMES, STAFFS
from tests.machine.world import World


@step("tags", 36, ANY, len(CODES))
def change_segment(world: World, who: int, which: int) -> None:
    """An account comes into a segment, or leaves it."""
    account_id = pick(world.accounts(), who)
    if account_id is not None:
        world.tick()
        world.tags.toggle(account_id, CODES[which])


HAND = (STAFFS, STAFFS, STAFFS, NAMES["VIP"])


@step("tags", 4, ANY, len(HAND))
def tag_by_hand(world: World, who: int, which: int) -> None:
    """Staff give somebody a tag."""
    home = contact_where(world, who, lives)
    if home is not None:
        world.cc.tag(home, HAND[which])


@step("tags", 10, ANY, ANY)
def untag_by_hand(world: World, who: int, which: int) -> None:
    """Staff take a tag off somebody."""
    home = contact_where(world, who, lambda one: lives(one) and bool(one["taggings"]))
    if home is not None:
        world.cc.untag(home, pick(sorted(world.cc.tags_of(home)), which))


@step("tags", 4, len(CODES))
def delete_tag(world: World, which: int) -> None:
    """Staff delete a tag that ccsync sets."""
    if world.cc.tags.named(NAMES[CODES[which]]) is not None:
        world.tick()
        world.cc.tags.delete(NAMES[CODES[which]])


@step("tags", 3)
def make_tags_again(world: World) -> None:
    """Somebody has deleted tags made again."""
    world.tick()
    world.tags.make_again()
