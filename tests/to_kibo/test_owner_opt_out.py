"""An owner's no that looks just like ccsync's own: Kibo's audit log tells them apart before a return is written."""

from pathlib import Path

import pytest

from tests.harness import Crash, Shop
from tests.jobs.polling import PAT, accepts, join, settled, small_shop

LOG = "/AuditLog/Entries"


def returned(shop: Shop, *own: bool) -> tuple[int, int]:
    """Constant Contact has opted Pat out in the store; Pat then says this there, and comes back between two looks.

    Returns the account, and how many audit logs the run that saw it has read.
    """
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    for says in own:
        shop.later(minutes=10)
        shop.box.kibo.update_account(pat, acceptsMarketing=says)
    shop.later(minutes=10)
    shop.box.cc.resubscribe(PAT)
    run = shop.poll(is_full=True)
    assert run.status == "COMPLETE"
    assert run.counts.get("left_alone", 0) + run.counts.get("resubscribed", 0) == 1
    return pat, len(shop.requests("GET", LOG))


@pytest.mark.parametrize(
    ("answer", "becomes"), [("shown", False), ("refuse", True), ("missing", True), ("empty", True)]
)
def test_a_yes_and_a_no_between_two_looks(tmp_path: Path, answer: str, becomes: bool) -> None:
    """Where the audit log shows them, the no is the owner's: it stays, and a later return does not ask again.

    Where it shows nothing, the account is as ccsync had set it.
    """
    with small_shop(tmp_path, audit_log=answer) as shop:
        pat, asked = returned(shop, True, False)
        assert (accepts(shop, pat), asked) == (becomes, 1)
        if not becomes:
            shop.box.cc.unsubscribe(PAT)
            shop.poll()
            shop.later(minutes=10)
            shop.box.cc.resubscribe(PAT)
            shop.poll(is_full=True)
            assert (accepts(shop, pat), len(shop.requests("GET", LOG))) == (False, 1)


def test_who_said_nothing_is_opted_in_again(shop: Shop) -> None:
    """An account that nobody has changed since costs no call."""
    pat, asked = returned(shop)
    assert (accepts(shop, pat), asked) == (True, 0)


def test_an_edit_is_no_opt_out(shop: Shop) -> None:
    """Another name moves the update date, and the audit log shows that it was no change of consent."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    shop.poll()
    shop.later(minutes=10)
    shop.box.kibo.update_account(pat, lastName="Roe")
    shop.box.cc.resubscribe(PAT)
    shop.poll(is_full=True)
    assert accepts(shop, pat) is True


@pytest.mark.parametrize("status", [429, 500])
def test_an_audit_log_that_fails_stops_nothing(shop: Shop, status: int) -> None:
    """The return is written as if the log showed nothing, and the run ends well."""
    shop.box.faults.add("status", path=f".*{LOG}", status=status, times=9)
    pat, _ = returned(shop, True, False)
    assert accepts(shop, pat) is True


def test_a_no_after_a_run_that_died_before_its_write_is_the_owners(shop: Shop) -> None:
    """ccsync had set out to write one, which was never sent: the no that is seen later is not taken for it."""
    (pat,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)

    def die() -> None:
        raise Crash

    shop.box.faults.before(die, method="PUT", path=f".*/accounts/{pat}.*", nth=1)
    with pytest.raises(Crash):
        shop.poll()
    shop.box.faults.clear()
    shop.later(minutes=10)
    shop.box.kibo.opt_out(pat)
    shop.later(minutes=10)
    shop.box.cc.resubscribe(PAT)
    shop.flush()
    shop.poll(is_full=True)
    assert accepts(shop, pat) is False
