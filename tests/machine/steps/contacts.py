"""What people and staff do at Constant Contact."""

from collections.abc import Callable
from typing import Any

from tests.harness import LIST
from tests.machine.steps.registry import ANY, pick, step
from tests.machine.world import OTHER_LIST, POOL, World

SOURCES = ("Contact", "Contact", "Account")


def contact_where(world: World, who: int, suits: Callable[[dict[str, Any]], bool]) -> str | None:
    found = pick([home for home, one in world.contacts().items() if suits(one)], who)
    if found is not None:
        world.tick()
    return found


def is_out(one: dict[str, Any]) -> bool:
    return bool(one["email_address"].get("permission_to_send") == "unsubscribed")


def lives(one: dict[str, Any]) -> bool:
    return one.get("deleted_at") is None


@step("people", 8, ANY, len(SOURCES))
def unsubscribe(world: World, who: int, source: int) -> None:
    """Somebody opts out of everything."""
    home = contact_where(world, who, lambda one: lives(one) and not is_out(one))
    if home is not None:
        world.cc.unsubscribe(home, SOURCES[source])


@step("people", 6, ANY, len(SOURCES))
def come_back(world: World, who: int, source: int) -> None:
    """Somebody who opted out opts in again."""
    home = contact_where(world, who, lambda one: lives(one) and is_out(one))
    if home is not None:
        world.cc.resubscribe(home, SOURCES[source])


@step("people", 8, ANY, len(SOURCES))
def leave(world: World, who: int, source: int) -> None:
    """Somebody leaves only the list."""
    members = sorted(world.shop.members())
    home = pick(members, who)
    if home is not None:
        world.tick()
        world.cc.leave_list(home, LIST, SOURCES[source])


@step("identities", 4, ANY, len(SOURCES))
def rejoin(world: World, who: int, source: int) -> None:
    """Somebody is put on the list at Constant Contact."""
    members = world.shop.members()
    home = contact_where(
        world,
        who,
        lambda one: lives(one) and not is_out(one) and one["email_address"]["address"].lower() not in members,
    )
    if home is not None and not _waits(world, home):
        world.cc.join_list(home, LIST, SOURCES[source])
        world.outsiders.add(home)


def _waits(world: World, home: str) -> bool:
    contact: Any = world.cc.contact(home)
    return bool(contact["email_address"]["permission_to_send"] == "pending_confirmation")


@step("identities", 3, ANY, 2)
def delete_contact(world: World, who: int, for_good: int) -> None:
    """Staff deletes a contact; or the vendor forgets it for good."""
    home = contact_where(world, who, lives)
    if home is not None:
        if for_good:
            world.erased.add(str(world.contacts()[home]["contact_id"]))
        world.cc.delete_contact(home, for_good=bool(for_good))
        world.outsiders.discard(home)


@step("identities", 5, ANY, 3, len(POOL))
def rename(world: World, who: int, how: int, where: int) -> None:
    """A contact has another address: a new one, or one that an account may have."""
    home = contact_where(world, who, lives)
    new = POOL[where] if how == 0 else world.fresh_address()
    if home is not None and world.cc.contact(new) is None:
        world.cc.rename(home, new)
        if home in world.outsiders:
            world.outsiders.add(new)


@step("identities", 3, ANY)
def confirm(world: World, who: int) -> None:
    """Somebody follows the link of the confirmation mail."""
    home = contact_where(world, who, lambda one: lives(one) and not is_out(one))
    if home is not None and _waits(world, home):
        world.cc.confirm(home)


@step("people", 3, len(POOL), 5)
def come_from_elsewhere(world: World, where: int, how: int) -> None:
    """A contact comes by another way: to the list, to another one, opted out, or waiting for confirmation."""
    if world.cc.contact(POOL[where]) is None:
        lists = ((OTHER_LIST,), (LIST,), (OTHER_LIST, LIST), (OTHER_LIST,), ())[how]
        world.add_outsider(POOL[where], lists, ("implicit", "implicit", "explicit", "unsubscribed", "implicit")[how])
