"""A5: every two jobs in either order, between every two acts: where all comes to rest does not depend on the order."""

import tempfile
from collections.abc import Callable, Iterable
from itertools import combinations, cycle, product
from pathlib import Path

import pytest

from tests.harness import Shop
from tests.identity.stories import JOBS, run_job
from tests.jobs.polling import LEE, PAT, accepts, join, small_shop

NEW = "pat.new@example.org"
Act = Callable[[Shop, int], object]
ACTS: dict[str, Act] = {
    "opt-out": lambda shop, pat: shop.box.kibo.opt_out(pat),
    "opt-in": lambda shop, pat: shop.box.kibo.opt_in(pat),
    "edit": lambda shop, pat: shop.box.kibo.update_account(pat, lastName="Edited"),
    "twin": lambda shop, pat: join(shop, PAT),
    "unsubscribe": lambda shop, pat: _at_constant_contact(shop, shop.box.cc.unsubscribe),
    "leave": lambda shop, pat: _at_constant_contact(shop, lambda home: shop.box.cc.leave_list(home, shop.list_id)),
    "delete": lambda shop, pat: _at_constant_contact(shop, shop.box.cc.delete_contact),
    "rename": lambda shop, pat: _at_constant_contact(shop, lambda home: shop.box.cc.rename(home, NEW)),
}
PAIRS = [(one, two) for one, two in product(ACTS, ACTS) if one != two]
QUICK = 8
"""Without --deep every eighth pair of acts is played, with one pair of jobs."""


def _at_constant_contact(shop: Shop, act: Callable[[str], object]) -> None:
    """Somebody acts on the contact, if there is one that lives."""
    for home in (PAT, NEW):
        contact = shop.box.cc.contact(home)
        if contact is not None and contact.get("deleted_at") is None:
            act(home)
            return


def end_of(acts: tuple[str, str], jobs: tuple[str, str]) -> tuple[set[str], list[object]]:
    """The members, and what the accounts say, when all has come to rest."""
    with tempfile.TemporaryDirectory() as folder, small_shop(Path(folder), customers=0) as shop:
        pat, _ = join(shop, PAT, LEE)
        shop.export()
        shop.flush()
        shop.poll()
        shop.later(minutes=30)
        ACTS[acts[0]](shop, pat)
        for job in (*jobs, *jobs):  # cron goes on: what one job has queued is done before the next act
            run_job(shop, job)
        shop.later(minutes=15)
        ACTS[acts[1]](shop, pat)
        for _ in range(2):
            shop.later(hours=13)
            for job in ("flush", "full poll", "flush"):
                run_job(shop, job)
        return shop.members(), [accepts(shop, one) for one in sorted(shop.box.kibo.account_ids())]


def differing(cases: Iterable[tuple[tuple[str, str], tuple[str, str]]]) -> list[str]:
    """The acts and jobs whose order makes a difference."""
    found = []
    for acts, (one, two) in cases:
        ends = end_of(acts, (one, two)), end_of(acts, (two, one))
        if ends[0] != ends[1]:
            found.append(f"{' then '.join(acts)}: {one} and {two} in this order {ends[0]}, else {ends[1]}")
    return found


def test_the_order_of_two_jobs_makes_no_difference() -> None:
    """Of flush and poll, which cron starts ten minutes apart, either may be first."""
    assert not differing((acts, ("flush", "poll")) for acts in PAIRS[::QUICK])


@pytest.mark.deep
@pytest.mark.parametrize("first", ACTS)
def test_the_order_of_any_two_jobs_makes_no_difference(first: str) -> None:
    """All acts after one; the pairs of jobs that read consent take turns with them."""
    turns = zip(PAIRS, cycle(combinations(JOBS, 2)), strict=False)
    assert not differing((acts, jobs) for acts, jobs in turns if acts[0] == first)
