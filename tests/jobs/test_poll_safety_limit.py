"""The safety limit of poll-unsubscribes: too much at once waits until a person lets it through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.errors import OutOfTime, SafetyLimitError
from tests.harness import LIST, Shop
from tests.jobs.polling import PAT, accepts, join, puts, settled, small_shop, suppressed
from tests.jobs.test_export import seed_contact

TIGHT = "\nmax_opt_outs = 3\n"
CROWD = [f"person{number}@example.com" for number in range(8)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with small_shop(tmp_path, TIGHT, customers=0) as made:
        yield made


def unsubscribe(shop: Shop, *addresses: str) -> None:
    for address in addresses:
        shop.box.cc.unsubscribe(address)


def test_too_many_are_not_written_and_not_mailed(shop: Shop) -> None:
    """Exit 10 with the number and the option; every opt-out is recorded, and an export leaves them out."""
    accounts = join(shop, *CROWD)
    settled(shop)
    unsubscribe(shop, *CROWD[:4])
    with pytest.raises(SafetyLimitError) as caught:
        shop.poll()
    assert caught.value.exit_code == 10
    assert "4 customers" in caught.value.what
    assert "--accept 4" in caught.value.fix
    assert "looks like a mistake" in caught.value.why
    assert not puts(shop)
    assert all(accepts(shop, one) for one in accounts)
    assert [suppressed(shop, one) for one in CROWD[:4]] == [{"unsubscribed"}] * 4
    for account_id in accounts:
        shop.box.kibo.update_account(account_id, lastName="Changed")
    assert shop.export().counts["suppressed"] == 4


def test_a_person_lets_exactly_so_many_through(shop: Shop) -> None:
    """`--accept N` writes up to N, oldest first, and the rest stays held until it is little enough."""
    accounts = join(shop, *CROWD)
    settled(shop)
    unsubscribe(shop, *CROWD[:6])
    with pytest.raises(SafetyLimitError):
        shop.poll()
    with pytest.raises(SafetyLimitError, match="4 customers") as caught:
        shop.poll(accept=2)
    assert "written already: 2 people" in caught.value.why
    assert sum(accepts(shop, one) is False for one in accounts) == 2
    run = shop.poll(accept=4)
    assert run.counts["unsubscribed"] == 4
    assert [accepts(shop, one) for one in accounts] == [False] * 6 + [True] * 2


def test_a_held_poll_does_not_look_again(shop: Shop) -> None:
    """While it waits for a person, each run costs two calls, not a search for each of them."""
    join(shop, *CROWD)
    settled(shop)
    unsubscribe(shop, *CROWD[:4])
    for _ in range(2):
        before = len(shop.requests())
        with pytest.raises(SafetyLimitError):
            shop.poll()
        shop.later(minutes=30)
    assert len(shop.requests()) - before == 2


def test_what_needs_no_write_is_not_held(shop: Shop) -> None:
    """Opt-outs of people who are no customers, or say no already, are settled whatever their number."""
    join(shop, PAT)
    join(shop, *CROWD[:4], acceptsMarketing=False)
    settled(shop)
    for address in CROWD:
        shop.box.cc.add_contact(seed_contact(address))
    unsubscribe(shop, *CROWD)
    run = shop.poll()
    assert (run.status, run.counts["unchanged"], run.counts["not_a_customer"]) == ("COMPLETE", 4, 4)


def test_the_first_poll_of_an_account_in_use_says_what_it_meets(shop: Shop) -> None:
    """Years of unsubscribes are no mishap: the message says so, and the dry run shows them."""
    for address in CROWD:
        shop.box.cc.add_contact(seed_contact(address))
    unsubscribe(shop, *CROWD)
    accounts = join(shop, *CROWD)
    with pytest.raises(SafetyLimitError, match="8 customers") as caught:
        shop.poll()
    assert "years of opt-outs" in caught.value.why
    plan, _ = shop.plan_poll()
    assert (plan.by_kind["unsubscribed"], plan.held, plan.accounts) == (8, 8, 0)
    assert shop.poll(accept=8).counts["unsubscribed"] == 8
    assert not any(accepts(shop, one) for one in accounts)


def test_no_brake_at_all(tmp_path: Path) -> None:
    """`max_opt_outs = 0` lets everything through."""
    with small_shop(tmp_path, "\nmax_opt_outs = 0\n", customers=0) as shop:
        accounts = join(shop, *CROWD, *(f"other{number}@example.com" for number in range(12)))
        settled(shop)
        for address in shop.members():
            shop.box.cc.leave_list(address, LIST)
        assert shop.poll(is_full=True).counts["departed"] == 20
        assert not any(accepts(shop, one) for one in accounts)


def test_a_fifth_of_the_list_at_once_is_too_much(tmp_path: Path) -> None:
    """Far below max_opt_outs, and still a mishap until a person has looked."""
    with small_shop(tmp_path, customers=0) as shop:
        people = [f"person{number}@example.com" for number in range(50)]
        accounts = join(shop, *people)
        settled(shop)
        unsubscribe(shop, *people[:11])
        with pytest.raises(SafetyLimitError, match="11 customers"):
            shop.poll()
        assert all(accepts(shop, one) for one in accounts)


def test_an_emptied_list_opts_nobody_out(tmp_path: Path) -> None:
    """If staff empties the list, no one is opted out in the store; after it is restored, all is as before."""
    with small_shop(tmp_path, customers=0) as shop:
        accounts = join(shop, *CROWD)
        settled(shop)
        for address in CROWD:
            shop.box.cc.leave_list(address, LIST, source="Account")
        looks = len(shop.requests("GET", "/v3/contacts/"))
        for _ in range(2):
            with pytest.raises(SafetyLimitError, match="8 customers"):
                shop.poll(is_full=True)
        assert len(shop.requests("GET", "/v3/contacts/")) == looks  # nobody is looked at before a person has decided
        assert all(accepts(shop, one) for one in accounts)
        assert shop.export().counts["suppressed"] == 8
        for address in CROWD:
            shop.box.cc.join_list(address, LIST, source="Account")
        shop.poll(is_full=True)
        assert all(accepts(shop, one) for one in accounts)
        assert [suppressed(shop, one) for one in CROWD] == [set()] * 8
        shop.export()
        assert shop.members() == set(CROWD)


def test_an_emptied_list_that_was_meant(tmp_path: Path) -> None:
    """Let through, each contact is looked at first: the deleted ones have not left."""
    with small_shop(tmp_path, customers=0) as shop:
        accounts = join(shop, *CROWD)
        settled(shop)
        for address in CROWD[:6]:
            shop.box.cc.leave_list(address, LIST)
        for address in CROWD[6:]:
            shop.box.cc.delete_contact(address)
        with pytest.raises(SafetyLimitError, match="8 customers"):
            shop.poll(is_full=True)
        run = shop.poll(accept=8)
        assert run.counts["departed"] == 6
        assert [accepts(shop, one) for one in accounts] == [False] * 6 + [True] * 2
        assert [suppressed(shop, one) for one in CROWD[6:]] == [set()] * 2


def test_what_was_let_through_goes_on_in_the_next_run(shop: Shop) -> None:
    """A run that has used its time keeps what the person let through and it did not get to."""
    accounts = join(shop, *CROWD)
    settled(shop)
    unsubscribe(shop, *CROWD[:7])
    with pytest.raises(SafetyLimitError):
        shop.poll()

    def run_out() -> None:
        raise OutOfTime("The run has used up its time.")

    written = 0

    def count(label: str) -> None:
        nonlocal written
        written += label.startswith("before PUT")
        if written == 3:
            shop.clock.check = run_out  # type: ignore[method-assign]

    shop.on_boundary = count
    with pytest.raises(OutOfTime):
        shop.poll(accept=6)
    del shop.clock.check
    shop.on_boundary = lambda _: None
    assert sum(accepts(shop, one) is False for one in accounts) == 3
    with pytest.raises(SafetyLimitError, match="1 customer "):
        shop.poll()
    assert sum(accepts(shop, one) is False for one in accounts) == 6
