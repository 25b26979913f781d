"""The sweeps' story of flush-events: a store after its first export, with a change of every kind."""

from tests.harness import Shop
from tests.jobs.flushing import change
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story

KEEPER, RENAMED, MOVER, OPT_OUT, DELETED, SIGN_UP, BACK = (
    f"{name}@example.com" for name in ("keeper", "renamed", "mover", "opt.out", "deleted", "sign.up", "back")
)
MOVED = "moved@example.com"


def prepare_flush(shop: Shop) -> None:
    """Everybody is exported, and every event so far is dealt with; then people change their minds and their names."""
    kibo = shop.box.kibo
    for address in (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT, KEEPER, RENAMED, MOVER, OPT_OUT, DELETED):
        kibo.add_account(emailAddress=address, firstName="Pat", lastName="Doe", acceptsMarketing=True)
    for address in (LATE_OPT_IN, BACK):
        kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=False)
    shop.export()
    shop.flush()
    shop.later(minutes=30)
    for address in (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT, RENAMED):
        change(shop, address, lastName="Newname")
    change(shop, MOVER, emailAddress=MOVED)
    change(shop, OPT_OUT, acceptsMarketing=False)
    change(shop, BACK, acceptsMarketing=True)
    for account_id in kibo.find_by_email(DELETED):
        kibo.delete_account(account_id)
    kibo.add_account(emailAddress=SIGN_UP, firstName="New", acceptsMarketing=True)


def run_flush(shop: Shop) -> object:
    """One flush."""
    return shop.flush()


def check_flush(shop: Shop) -> None:
    """The list is what an undisturbed run would have made of it, and nobody who said no is on it."""
    members = shop.members()
    expected = {KEEPER, RENAMED, MOVER, MOVED, SIGN_UP, BACK}
    may_be = {UNSUBSCRIBER, LEAVER, LATE_OPT_IN, LATE_OPT_OUT}
    assert expected <= members, "somebody who consents is missing"
    assert members <= expected | may_be, "somebody who said no is on the list"
    for address in may_be:
        says_yes = any(one["acceptsMarketing"] for one in _accounts(shop, address))
        contact = shop.box.cc.contact(address)
        is_unsubscribed = bool(contact) and contact["email_address"]["permission_to_send"] == "unsubscribed"  # type: ignore[index]
        if address in members:
            assert says_yes, address
            assert not is_unsubscribed, address
        elif address != LEAVER:
            assert not says_yes or is_unsubscribed, address
    assert (shop.box.cc.contact(RENAMED) or {})["last_name"] == "Newname"
    assert not shop.box.cc.forbidden_calls


def _accounts(shop: Shop, address: str) -> list[dict[str, object]]:
    return [shop.box.kibo.account(account_id) for account_id in shop.box.kibo.find_by_email(address)]


FLUSH = Story("flush-events", prepare_flush, run_flush, check_flush, customers=0, words=("flush-events",))
