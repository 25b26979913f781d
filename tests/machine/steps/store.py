"""What people and staff do in the store."""

from tests.machine.steps.registry import ANY, pick, step
from tests.machine.world import FIELDS, POOL, World

PLACEHOLDERS = ("", "redacted", "redacted@example.invalid")


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
