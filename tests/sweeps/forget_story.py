"""Forgetting a person, disturbed anywhere: the next try finishes, and nobody else is touched."""

from tests.harness import Shop
from tests.jobs.forgetting import forget, rows_about, suppressions_of, traces
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story

OLD = "late.opt.out.before@example.org"


def prepare_forget(shop: Shop) -> None:
    """An export has put everybody on the list; the person has two accounts, and an old address on the list."""
    for address in (UNSUBSCRIBER, LEAVER):
        shop.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
    shop.box.kibo.add_account(emailAddress=LATE_OPT_IN, acceptsMarketing=False)
    account_id = shop.box.kibo.add_account(emailAddress=OLD, firstName="Pat", acceptsMarketing=True)
    shop.export()
    shop.box.kibo.update_account(account_id, emailAddress=LATE_OPT_OUT)
    shop.box.kibo.add_account(emailAddress=LATE_OPT_OUT.upper(), acceptsMarketing=True)
    shop.export()
    assert {OLD, LATE_OPT_OUT} <= shop.members()


def run_forget(shop: Shop) -> object:
    """One try to forget the person."""
    return forget(shop, LATE_OPT_OUT)


def check_forget(shop: Shop) -> None:
    """Off the list with both addresses, in no file, and suppressed; the others are where they were."""
    assert not {OLD, LATE_OPT_OUT} & shop.members()
    assert len(shop.members()) >= 6
    for address in (OLD, LATE_OPT_OUT):
        assert rows_about(shop, address).keys() == {"suppressions"}
        assert "forgotten" in suppressions_of(shop, address)
    assert traces(shop, OLD, LATE_OPT_OUT) == []
    assert not shop.box.cc.forbidden_calls


FORGET = Story(
    "forget",
    prepare_forget,
    run_forget,
    check_forget,
    words=("-q", "forget", LATE_OPT_OUT, "--yes"),
    least_boundaries=40,
    least_deaths=9,
    least_requests=7,
)
