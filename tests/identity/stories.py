"""What the stories about one person's identity share: the jobs by name, an end at which all must agree, and looks."""

import pytest

from ccsync.reports import why as report
from ccsync.reports.why import Story
from tests.harness import Shop
from tests.jobs.polling import accepts, suppressed
from tests.jobs.reconciling import reconcile

JOBS = ("flush", "poll", "full poll", "export")
FIRST = ("flush", "export", *(pytest.param(one, marks=pytest.mark.deep) for one in ("poll", "full poll")))
"""Whichever of them comes first, the outcome is the same."""


def run_job(shop: Shop, job: str) -> None:
    """Run one job, longer after what happened last than a sighting counts as fresh."""
    shop.later(minutes=15)
    if job == "flush":
        shop.flush()
    elif job == "export":
        shop.export()
    else:
        shop.poll(is_full=job == "full poll")


def run_jobs(shop: Shop, first: str) -> None:
    """Run every job, beginning with `first`."""
    start = JOBS.index(first)
    for job in (*JOBS[start:], *JOBS[:start]):
        run_job(shop, job)


def outcome(shop: Shop, *account_ids: int) -> tuple[set[str], list[object]]:
    """The list's members, and what these accounts say, once both systems have come to rest.

    A harmless edit of each account, another day of every job and a repair by reconcile change nothing any more.
    """
    for _ in range(2):
        for job in JOBS:
            run_job(shop, job)
    before = shop.members(), [accepts(shop, one) for one in account_ids]
    edit(shop, *account_ids)
    shop.later(hours=25)
    for job in JOBS:
        run_job(shop, job)
    report_of, kinds, _ = reconcile(shop, fixes=True)
    for job in JOBS:
        run_job(shop, job)
    assert (shop.members(), [accepts(shop, one) for one in account_ids]) == before, "it did not come to rest"
    assert report_of.drift == 0, kinds
    return before


def edit(shop: Shop, *account_ids: int) -> None:
    """A mapped field of each account that is still there is changed."""
    for one in account_ids:
        if one in shop.box.kibo.account_ids():
            shop.box.kibo.update_account(one, actor="staff", lastName=f"Edited{shop.clock.monotonic():.0f}")


def story_of(shop: Shop, asked: str | int) -> Story:
    """What `why` tells of an address or an account."""
    store = shop.open()
    try:
        return report.find(store, shop.config, str(asked))
    finally:
        store.close()


__all__ = ["FIRST", "JOBS", "accepts", "edit", "outcome", "run_job", "run_jobs", "story_of", "suppressed"]
