"""The steps of a history. Each takes numbers, by which it picks whom it is about among those who are there: a step
that finds nobody does nothing, so that any part of a history is a history.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness import LIST, Crash
from tests.machine.tagging import CODES, NAMES, STAFFS
from tests.machine.world import FIELDS, JOBS, OTHER_LIST, POOL, World

Step = tuple[Any, ...]
"""A name and numbers."""
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "reset-before"},
    {"kind": "reset-after"},
    {"kind": "truncated"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "times": 50},
    {"kind": "wrong-body", "body": "null"},
    {"kind": "status", "status": 429, "body": '{"error_key": "quota_exceeded"}'},
)
ANY = 1_000
SOURCES = ("Contact", "Contact", "Account")
PLACEHOLDERS = ("", "redacted", "redacted@example.invalid")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step: its axis, how often it comes, the ranges of its numbers, and what it does."""

    axis: str
    weight: int
    ranges: tuple[int, ...]
    act: Callable[..., None]


KINDS: dict[str, Kind] = {}


def step(axis: str, weight: int, *ranges: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a step; its name is the step's."""

    def register(act: Callable[..., None]) -> Callable[..., None]:
        KINDS[act.__name__] = Kind(axis, weight, ranges, act)
        return act

    return register


def draw(chance: random.Random, axes: tuple[str, ...], number: int) -> list[Step]:
    """So many steps by chance."""
    names = [name for name, kind in KINDS.items() if kind.axis in axes]
    drawn = chance.choices(names, [KINDS[name].weight for name in names], k=number)
    return [(name, *(chance.randrange(most) for most in KINDS[name].ranges)) for name in drawn]


def play_step(world: World, one: Step) -> None:
    """Do it."""
    KINDS[one[0]].act(world, *one[1:])


def pick(among: list[Any], number: int) -> Any:
    """One of them, `None` where there is none."""
    return among[number % len(among)] if among else None


# people in the store


@step("people", 8, len(POOL), 3)
def sign_up(world: World, where: int, how: int) -> None:
    """Somebody makes an account, perhaps on an address that others have."""
    if len(world.kibo.find_by_email(POOL[where])) < 3:
        world.sign_up(POOL[where], how > 0)


@step("people", 14, ANY, 2)
def decide(world: World, who: int, accepts: int) -> None:
    """Somebody ticks or unticks the box."""
    account_id = pick(world.accounts(), who)
    if account_id is not None and world.kibo.account(account_id)["acceptsMarketing"] is not bool(accepts):
        world.tick()
        world.kibo.update_account(account_id, acceptsMarketing=bool(accepts))


@step("people", 5, ANY)
def edit(world: World, who: int) -> None:
    """Somebody has another name."""
    account_id = pick(world.accounts(), who)
    if account_id is not None:
        world.tick()
        world.edits[account_id] = f"Name{world.shop.clock.monotonic():.0f}"
        world.kibo.update_account(account_id, lastName=world.edits[account_id])


@step("identities", 6, ANY, 3, len(POOL))
def move(world: World, who: int, how: int, where: int) -> None:
    """An account has another address: a new one, or one that may be somebody's."""
    account_id = pick(world.accounts(), who)
    if account_id is not None:
        world.tick()
        world.kibo.change_address(account_id, POOL[where] if how == 0 else world.fresh_address())


@step("identities", 3, ANY, ANY)
def hand_over(world: World, giver: int, taker: int) -> None:
    """One account moves away, and another takes its address."""
    accounts = [one for one in world.accounts() if world.kibo.account(one)["emailAddress"]]
    first, second = pick(accounts, giver), pick(accounts, taker)
    if first is not None and first != second:
        world.tick()
        world.kibo.hand_over_address(first, second, world.fresh_address())


@step("people", 3, ANY)
def delete_account(world: World, who: int) -> None:
    """Somebody deletes an account."""
    account_id = pick(world.accounts(), who)
    if account_id is not None:
        world.tick()
        world.edits.pop(account_id, None)
        world.kibo.delete_account(account_id)


@step("identities", 2, ANY, len(PLACEHOLDERS), 3)
def redact(world: World, who: int, placeholder: int, accepts: int) -> None:
    """Staff erases a person and leaves the account."""
    account_id = pick(world.accounts(), who)
    if account_id is not None:
        world.tick()
        world.edits.pop(account_id, None)
        world.kibo.redact_account(account_id, PLACEHOLDERS[placeholder], accepts=(None, True, False)[accepts])


@step("identities", 2, len(POOL), 2)
def sign_up_business(world: World, where: int, accepts: int) -> None:
    """Staff makes a business account."""
    world.tick()
    world.business.add(world.kibo.add_b2b_account(POOL[where], acceptsMarketing=bool(accepts), **FIELDS))


# people and staff at Constant Contact


def _contact(world: World, who: int, suits: Callable[[dict[str, Any]], bool]) -> str | None:
    found = pick([home for home, one in world.contacts().items() if suits(one)], who)
    if found is not None:
        world.tick()
    return found


def _is_out(one: dict[str, Any]) -> bool:
    return bool(one["email_address"].get("permission_to_send") == "unsubscribed")


def _lives(one: dict[str, Any]) -> bool:
    return one.get("deleted_at") is None


@step("people", 8, ANY, len(SOURCES))
def unsubscribe(world: World, who: int, source: int) -> None:
    """Somebody opts out of everything."""
    home = _contact(world, who, lambda one: _lives(one) and not _is_out(one))
    if home is not None:
        world.cc.unsubscribe(home, SOURCES[source])


@step("people", 6, ANY, len(SOURCES))
def come_back(world: World, who: int, source: int) -> None:
    """Somebody who opted out opts in again."""
    home = _contact(world, who, lambda one: _lives(one) and _is_out(one))
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
    home = _contact(
        world,
        who,
        lambda one: _lives(one) and not _is_out(one) and one["email_address"]["address"].lower() not in members,
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
    home = _contact(world, who, _lives)
    if home is not None:
        if for_good:
            world.erased.add(str(world.contacts()[home]["contact_id"]))
        world.cc.delete_contact(home, for_good=bool(for_good))
        world.outsiders.discard(home)


@step("identities", 5, ANY, 3, len(POOL))
def rename(world: World, who: int, how: int, where: int) -> None:
    """A contact has another address: a new one, or one that an account may have."""
    home = _contact(world, who, _lives)
    new = POOL[where] if how == 0 else world.fresh_address()
    if home is not None and world.cc.contact(new) is None:
        world.cc.rename(home, new)
        if home in world.outsiders:
            world.outsiders.add(new)


@step("identities", 3, ANY)
def confirm(world: World, who: int) -> None:
    """Somebody follows the link of the confirmation mail."""
    home = _contact(world, who, lambda one: _lives(one) and not _is_out(one))
    if home is not None and _waits(world, home):
        world.cc.confirm(home)


@step("people", 3, len(POOL), 5)
def come_from_elsewhere(world: World, where: int, how: int) -> None:
    """A contact comes by another way: to the list, to another one, opted out, or waiting for confirmation."""
    if world.cc.contact(POOL[where]) is None:
        lists = ((OTHER_LIST,), (LIST,), (OTHER_LIST, LIST), (OTHER_LIST,), ())[how]
        world.add_outsider(POOL[where], lists, ("implicit", "implicit", "explicit", "unsubscribed", "implicit")[how])


# segments and tags


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
    home = _contact(world, who, _lives)
    if home is not None:
        world.cc.tag(home, HAND[which])


@step("tags", 10, ANY, ANY)
def untag_by_hand(world: World, who: int, which: int) -> None:
    """Staff take a tag off somebody."""
    home = _contact(world, who, lambda one: _lives(one) and bool(one["taggings"]))
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


# jobs, and what goes wrong with them


@step("jobs", 18, len(JOBS))
def run(world: World, job: int) -> None:
    """One run."""
    world.run(JOBS[job])


@step("crashes", 8, len(JOBS), 70)
def die(world: World, job: int, boundary: int) -> None:
    """The process dies at a call or a commit."""
    passed = 0

    def strike(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == boundary + 1:
            raise Crash

    world.shop.on_boundary = strike
    try:
        world.run(JOBS[job])
    finally:
        world.shop.on_boundary = lambda _: None


@step("faults", 6, len(JOBS), 20, len(FAULTS))
def fail(world: World, job: int, nth: int, fault: int) -> None:
    """A call fails."""
    world.box.faults.add(nth=nth + 1, **FAULTS[fault])
    world.run(JOBS[job])
    world.box.faults.clear()


RACES = (
    *("decide", "unsubscribe", "come_back", "leave", "rejoin", "move", "rename", "delete_contact", "delete_account"),
    *("change_segment", "untag_by_hand"),
)


@step("crashes", 6, len(JOBS), 25, len(RACES), ANY, ANY, len(POOL))
def race(world: World, job: int, nth: int, what: int, *numbers: int) -> None:
    """The world changes just before a call."""
    kind = KINDS[RACES[what]]
    given = [number % most for number, most in zip(numbers, kind.ranges, strict=False)]
    world.box.faults.before(lambda: kind.act(world, *given), nth=nth + 1)
    world.run(JOBS[job])
    world.box.faults.clear()


@step("jobs", 4, 4)
def time_passes(world: World, how_long: int) -> None:
    """Nothing happens for an hour, a day, five days, nine days."""
    world.shop.later(hours=(1, 30, 120, 216)[how_long])


@step("jobs", 5, 2)
def settle(world: World, exports: int) -> None:
    """Everything is well, and two clean cycles pass."""
    world.settle(exports=bool(exports))
