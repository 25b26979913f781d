"""A shopper's account that becomes a business account, or has no address any more, is as good as deleted."""

import pytest

from ccsync.sandbox.kibo.actions import Actions
from tests.harness import Shop
from tests.identity.stories import FIRST, outcome, run_job, run_jobs
from tests.jobs.polling import LEE, PAT, join, settled
from tests.jobs.reconciling import reconcile

ENDS = ("business", "", "redacted")


def end(kibo: Actions, account_id: int, how: str, accepts: bool | None) -> None:
    """The account is made a business account, or redacted by such a placeholder."""
    if how == "business":
        kibo.update_account(account_id, actor="staff", accountType="B2B", acceptsMarketing=accepts)
    else:
        kibo.redact_account(account_id, how)
        kibo.update_account(account_id, actor="staff", acceptsMarketing=accepts)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("accepts", [True, False, pytest.param(None, marks=pytest.mark.undescribed)])
@pytest.mark.parametrize("how", ENDS)
def test_its_person_leaves_the_list(shop: Shop, how: str, accepts: bool | None, first: str) -> None:
    """Whatever the account says of marketing from then on, also if that is neither yes nor no."""
    pat, lee = join(shop, PAT, LEE)
    settled(shop)
    end(shop.box.kibo, pat, how, accepts)
    run_jobs(shop, first)
    members, flags = outcome(shop, lee)
    assert (members & {PAT, LEE}, flags) == ({LEE}, [True])
    shop.box.kibo.opt_out(pat)
    assert outcome(shop, lee) == (members, flags)


@pytest.mark.parametrize("how", ENDS)
def test_another_account_on_the_address_keeps_it(shop: Shop, how: str) -> None:
    """As after a deletion, the address belongs to whoever opts in with it."""
    pat, twin = join(shop, PAT, PAT)
    settled(shop)
    end(shop.box.kibo, pat, how, False)
    members, flags = outcome(shop, twin)
    assert (PAT in members, flags) == (True, [True])


def test_an_account_that_is_a_shopper_s_again(shop: Shop) -> None:
    """Its yes counts as on the first day."""
    (pat,) = join(shop, PAT)
    settled(shop)
    end(shop.box.kibo, pat, "business", True)
    run_job(shop, "flush")
    run_job(shop, "flush")
    assert PAT not in shop.members()
    shop.box.kibo.update_account(pat, actor="staff", accountType="B2C")
    assert outcome(shop, pat)[0] & {PAT} == {PAT}
    assert reconcile(shop)[0].drift == 0
