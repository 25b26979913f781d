"""An account that opts in after its person's opt-out at Constant Contact is left alone; in doubt nobody mails it."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.clocks import KiboTime
from ccsync.consent.write_back import is_newer_opt_in
from ccsync.state import people
from ccsync.state.log import history
from tests.harness import Shop
from tests.identity.stories import FIRST, outcome, run_job, run_jobs, suppressed
from tests.jobs.polling import LEE, PAT, accepts, join, puts, settled
from tests.jobs.test_export import seed_contact

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def at(days: float | None) -> KiboTime | None:
    return None if days is None else KiboTime(DAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("case", "yes", "opt_out", "first_export", "is_newer"),
    [
        ("after the opt-out", 2, 1, 0, True),
        ("before it", 1, 2, 0, False),
        ("at the same time", 1, 1, 0, False),
        ("in the store at the first export, whatever came first", 2, 1, 3, False),
        ("no export has finished yet", 2, 1, None, False),
        ("a yes without a date", None, 1, 0, False),
        ("an opt-out without a date", 2, None, 0, False),
    ],
)
def test_which_yes_is_newer(
    case: str, yes: float | None, opt_out: float | None, first_export: float | None, is_newer: bool
) -> None:
    """Only what is surely newer, and was not there at the first export."""
    assert is_newer_opt_in(at(yes), at(opt_out), at(first_export)) is is_newer, case


def say_no(shop: Shop, how: str) -> None:
    if how == "unsubscribe":
        shop.box.cc.unsubscribe(PAT)
    else:
        shop.box.cc.leave_list(PAT, shop.list_id)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("how", ["unsubscribe", "leave"])
def test_a_twin_who_signs_up_before_the_opt_out_is_noticed(shop: Shop, how: str, first: str) -> None:
    """Whichever job comes first: the older account is opted out, the newer one is not, and nobody is mailed."""
    (pat,) = join(shop, PAT)
    settled(shop)
    say_no(shop, how)
    shop.later(minutes=5)
    (twin,) = join(shop, PAT)
    run_jobs(shop, first)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags, len(puts(shop))) == (False, [False, True], 1)
    assert suppressed(shop, PAT) == {"unsubscribed" if how == "unsubscribe" else "departed"}


@pytest.mark.parametrize("how", ["unsubscribe", "leave"])
def test_a_twin_who_signed_up_before_the_opt_out(shop: Shop, how: str) -> None:
    """A comparison has seen the person on the list since: the opt-out is the newer word, for both accounts."""
    (pat,) = join(shop, PAT)
    settled(shop)
    (twin,) = join(shop, PAT)
    shop.later(minutes=10)
    run_job(shop, "full poll")
    say_no(shop, how)
    _, flags = outcome(shop, pat, twin)
    assert flags == [False, False]


def test_a_twin_who_signed_up_after_the_opt_out_while_an_import_hangs(shop: Shop) -> None:
    """A comparison looks for nobody whom an import under way has brought: it tells nothing of when they left."""
    settled(shop)
    (pat,) = join(shop, PAT)
    shop.box.cc.jobs.add("import", seconds=3_600.0, takes_effect=True)
    shop.flush()
    shop.later(minutes=10)
    say_no(shop, "leave")
    shop.later(minutes=10)
    (twin,) = join(shop, PAT)
    run_job(shop, "full poll")
    shop.later(hours=1)
    members, flags = outcome(shop, pat, twin)
    assert (PAT in members, flags) == (False, [False, True])


@pytest.mark.parametrize("first", FIRST)
def test_an_account_made_after_an_undated_opt_out_was_seen(shop: Shop, first: str) -> None:
    """Constant Contact dates not every opt-out, but it was before ccsync saw it: the account's yes is newer."""
    join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT, is_dated=False)
    run_jobs(shop, first)
    shop.later(minutes=10)
    (twin,) = join(shop, PAT)
    members, flags = outcome(shop, twin)
    assert (PAT in members, flags, suppressed(shop, PAT)) == (False, [True], {"unsubscribed"})


@pytest.mark.parametrize("how", ["unsubscribe", "leave"])
def test_the_same_account_opts_in_again_before_the_opt_out_is_noticed(shop: Shop, how: str) -> None:
    """What a run has seen it say no and yes in between is newer; it is off the list, and says yes in the store."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    shop.box.kibo.opt_in(pat)
    run_job(shop, "flush")
    assert PAT in shop.members()
    shop.box.kibo.opt_out(pat)
    run_job(shop, "flush")
    if how == "leave":
        shop.box.cc.join_list(PAT, shop.list_id)
    say_no(shop, how)
    shop.later(minutes=5)
    shop.box.kibo.opt_in(pat)
    _, flags = outcome(shop, pat, lee)
    assert flags == [True, True]


def test_what_the_first_export_meets_is_not_newer(shop: Shop) -> None:
    """A historic unsubscribe wins over any yes that the store holds then, and reaches the account."""
    long_ago = shop.clock.now() - timedelta(days=400)
    shop.box.cc.add_contact(
        seed_contact(PAT, "unsubscribed", opt_out_source="Contact", opt_out_at=long_ago, created_at=long_ago)
    )
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.poll()
    assert (accepts(shop, pat), PAT in shop.members()) == (False, False)
    shop.later(minutes=30)
    (later,) = join(shop, PAT)
    members, flags = outcome(shop, pat, later)
    assert (PAT in members, flags) == (False, [False, True])


def test_an_older_yes_is_not_newer_because_kibos_clock_is_ahead(shop: Shop) -> None:
    """What two vendors dated is compared as one moment by both clocks."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.clocks["kibo"].set_ahead(3_600.0)
    (twin,) = join(shop, PAT)
    shop.later(minutes=10)
    shop.box.cc.unsubscribe(PAT)
    shop.later(minutes=10)
    shop.poll()
    assert (accepts(shop, pat), accepts(shop, twin)) == (False, False)


def test_where_constant_contacts_clock_is_ahead_the_opt_out_is_written(shop: Shop) -> None:
    """Its headers alone may be wrong, and its dates right: in doubt, which yes is newer is not known."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.clocks["cc"].set_ahead(3_600.0)
    shop.box.cc.unsubscribe(PAT)
    shop.later(minutes=10)
    (twin,) = join(shop, PAT)
    shop.later(minutes=10)
    shop.poll()
    assert (accepts(shop, pat), accepts(shop, twin)) == (False, False)


def test_why_and_the_log_say_that_it_was_left_alone(shop: Shop) -> None:
    """The account, and why it was neither mailed nor opted out."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.leave_list(PAT, shop.list_id)
    shop.later(minutes=5)
    (twin,) = join(shop, PAT)
    run_job(shop, "full poll")
    assert (accepts(shop, pat), accepts(shop, twin)) == (False, True)
    store = shop.open()
    steps = history.of_person(store, people.person_key(store)(PAT))
    store.close()
    (step,) = [one for one in steps if one.account_id == twin and one.act == "left alone"]
    assert (
        step.reason == "left the list; the account has opted in in the store since; not mailed, and not opted out there"
    )


@pytest.mark.parametrize("first", FIRST)
def test_a_newer_yes_of_a_business_account_is_left_alone(shop: Shop, first: str) -> None:
    """It adds nobody to the list, and its consent is its owner's all the same."""
    (pat,) = join(shop, PAT)
    business = shop.box.kibo.add_b2b_account(PAT, acceptsMarketing=True)
    settled(shop)
    shop.box.kibo.update_account(business, acceptsMarketing=False)
    run_job(shop, "flush")
    shop.box.cc.unsubscribe(PAT)
    shop.later(minutes=10)
    shop.box.kibo.update_account(business, acceptsMarketing=True)
    run_jobs(shop, first)
    assert (accepts(shop, pat), accepts(shop, business)) == (False, True)


@pytest.mark.parametrize("kind", ["shopper", "business"])
def test_the_yes_of_an_account_whose_no_was_never_seen_counts_from_when_it_was_made(kind: str, shop: Shop) -> None:
    """It may have said yes ever since: the opt-out is written to it, as the guide says."""
    shop.box.cc.add_contact(seed_contact(PAT))
    if kind == "business":
        account = shop.box.kibo.add_b2b_account(PAT, acceptsMarketing=False)
    else:
        account = shop.box.kibo.add_account(emailAddress=PAT, acceptsMarketing=False)
    shop.later(days=1)  # the export asks for accounts that opt in, and for what changes meanwhile
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.later(minutes=5)
    shop.box.kibo.update_account(account, acceptsMarketing=True)
    shop.later(minutes=5)
    run_jobs(shop, "flush")
    assert (PAT in shop.members(), accepts(shop, account)) == (False, False)
