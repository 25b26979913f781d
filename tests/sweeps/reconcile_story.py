"""Reconciling with its repair, disturbed anywhere: only the jobs change anything, and in the end nothing differs."""

from datetime import timedelta

from ccsync.state import people
from ccsync.state.database.times import to_text
from tests.harness import Shop
from tests.jobs.reconciling import cycle, reconcile
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story

LOST, GONE = "lost@example.com", "gone@example.com"


def prepare_reconcile(shop: Shop) -> None:
    """Both systems agree, but for one person who was lost, one whose deletion and one whose opt-out no event told."""
    for address in (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT, LOST, GONE):
        shop.box.kibo.add_account(emailAddress=address, firstName="Pat", acceptsMarketing=True)
    shop.box.kibo.add_account(emailAddress=LATE_OPT_IN, acceptsMarketing=False)
    cycle(shop)
    shop.box.cc.leave_list(LOST, shop.list_id)
    store = shop.open()
    person = people.person_key(store)(LOST)
    store.run("DELETE FROM sent WHERE person = ?", person)
    # Events were read a moment later: else these accounts count as changed since the last flush.
    store.run("UPDATE bookmarks SET at = ? WHERE stream = 'events'", to_text(shop.clock.now() + timedelta(seconds=5)))
    store.close()
    for account_id in shop.box.kibo.find_by_email(GONE):
        shop.box.kibo.delete_account(account_id)


def run_reconcile(shop: Shop) -> object:
    """One run with its repair."""
    members, writes = shop.members(), len(shop.requests("P"))
    found = reconcile(shop, fixes=True)
    assert shop.members() ^ members <= {UNSUBSCRIBER, LEAVER}
    written = [one for one in shop.requests("P")[writes:] if "contact_exports" not in one and "oauth" not in one]
    assert not written
    return found


def check_reconcile(shop: Shop) -> None:
    """The jobs carry out what was queued; then there is no drift."""
    assert LOST not in shop.members()
    assert GONE in shop.members()
    for _ in range(2):
        shop.flush()
        shop.poll(accept=1_000, is_full=True)
    assert LOST in shop.members()
    assert GONE not in shop.members()
    report, found, _ = reconcile(shop)
    assert report.drift == 0, found
    assert not shop.box.cc.forbidden_calls


RECONCILE = Story(
    "reconcile",
    prepare_reconcile,
    run_reconcile,
    check_reconcile,
    words=("-q", "reconcile", "--fix", "--yes"),
    least_boundaries=30,
    least_deaths=8,
    least_requests=8,
)
