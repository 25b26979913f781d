"""Coming from the Kibo app: the members whom it had put on the list become ccsync's own, or stay as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state.outbox import removals
from tests.harness import LIST, Crash, Shop, imported_rows
from tests.jobs.test_export import THEN, dump, seed_contact

STAYED, ELSEWHERE, SAYS_NO, GONE, NO_CUSTOMER = (
    f"{name}@example.com" for name in ("stayed", "elsewhere", "says-no", "gone", "no-customer")
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A small store, and a list that the Kibo app has filled in ten years."""
    with Shop(tmp_path, SandboxSettings(customers=0)) as made:
        made.box.kibo.add_account(emailAddress=STAYED.upper(), firstName="Sam", acceptsMarketing=True)
        made.box.kibo.add_account(emailAddress=ELSEWHERE, firstName="Eli", acceptsMarketing=True)
        made.box.kibo.add_account(emailAddress=SAYS_NO, firstName="Nia", acceptsMarketing=False)
        made.box.kibo.add_account(emailAddress=GONE, firstName="Gus", acceptsMarketing=True)
        made.box.cc.add_contact(seed_contact(STAYED, lists=(LIST,), create_source="Contact", opt_in_source="Contact"))
        made.box.cc.add_contact(seed_contact(ELSEWHERE, lists=("Newsletter",)))
        made.box.cc.add_contact(seed_contact(SAYS_NO, lists=(LIST,)))
        made.box.cc.add_contact(seed_contact(NO_CUSTOMER, lists=(LIST,)))
        gone = seed_contact(GONE, "unsubscribed", lists=(LIST,), opt_out_source="Contact", opt_out_at=THEN)
        made.box.cc.add_contact(gone)
        yield made


def first_name(shop: Shop, address: str) -> object:
    contact = shop.box.cc.contact(address)
    assert contact is not None
    return contact.get("first_name")


def rename(shop: Shop, address: str, name: str) -> None:
    shop.later(days=1)
    shop.box.kibo.update_account(shop.box.kibo.find_by_email(address)[0], firstName=name)


def test_adopted_members_are_updated_from_now_on(shop: Shop) -> None:
    """A member who opts in gets the store's data, now and with every change; nobody else on the list is touched."""
    run = shop.export(adopts_list=True)
    assert first_name(shop, STAYED) == "Sam"
    assert (run.counts["added"], run.counts["updated"], run.counts["suppressed"]) == (1, 1, 1)
    assert first_name(shop, ELSEWHERE) == first_name(shop, SAYS_NO) == first_name(shop, NO_CUSTOMER) == "Their"
    assert shop.members() == {STAYED, ELSEWHERE, SAYS_NO, NO_CUSTOMER}
    assert GONE not in {row["email"] for row in imported_rows(shop)}
    assert "Adopted 3 members added to the list by others" in run.message
    assert "2 members of the list are not customers who opted in; they were left alone" in run.message
    rename(shop, STAYED, "Samuel")
    rename(shop, ELSEWHERE, "Elias")
    shop.export()
    assert first_name(shop, STAYED) == "Samuel"
    assert first_name(shop, ELSEWHERE) == "Their"
    rename(shop, SAYS_NO, "Nina")
    shop.box.kibo.update_account(shop.box.kibo.find_by_email(SAYS_NO)[0], acceptsMarketing=True)
    shop.export()
    assert first_name(shop, SAYS_NO) == "Nina"


def test_without_it_they_only_stay_on_the_list(shop: Shop) -> None:
    """Their data stays what it was, whatever changes in the store; adopting them later brings it in."""
    shop.export()
    assert [row["email"] for row in imported_rows(shop)] == [ELSEWHERE]
    rename(shop, STAYED, "Samuel")
    before = len(imported_rows(shop))
    shop.export()
    assert first_name(shop, STAYED) == "Their"
    assert len(imported_rows(shop)) == before
    assert STAYED in shop.members()
    run = shop.export(adopts_list=True)
    assert first_name(shop, STAYED) == "Samuel"
    assert run.counts["updated"] == 1
    assert first_name(shop, ELSEWHERE) == "Their"


def test_adopting_twice_changes_nothing(shop: Shop) -> None:
    """The second time nothing is sent, and nobody is named as new."""
    shop.export(adopts_list=True)
    before = len(imported_rows(shop))
    shop.later(days=1)
    run = shop.export(adopts_list=True)
    assert len(imported_rows(shop)) == before
    assert run.counts["unchanged"] == 2  # ELSEWHERE, too, whom the first run put on the list by the address alone
    assert "own now" not in run.message


def test_the_dry_run_shows_it(shop: Shop) -> None:
    """It tells how many would be adopted and what would be done, at what cost, and leaves no trace."""
    before = dump(shop)
    plan, counts = shop.dry_run(adopts_list=True)
    assert dump(shop) == before
    assert plan.suppressed_reasons == {"unsubscribed at Constant Contact": 1}
    run = shop.export(adopts_list=True)
    assert {key: counts.get(key, 0) for key in run.counts} == run.counts
    _, counts = shop.dry_run(adopts_list=True)
    assert not counts.get("updated")


def test_who_leaves_before_the_adopted_were_sent_is_not_put_back(shop: Shop) -> None:
    """The run died after it had adopted the list: the next one looks who is still on it."""

    def dies(label: str) -> None:
        if label.startswith("before") and "contacts_json_import" in label:
            raise Crash(label)

    shop.on_boundary = dies
    with pytest.raises(Crash):
        shop.export(adopts_list=True)
    shop.on_boundary = lambda _: None
    shop.box.cc.leave_list(STAYED, shop.list_id)
    shop.later(hours=2)
    run = shop.export()
    assert STAYED not in shop.members()
    assert run.counts["departed"] == 1


def test_a_member_who_is_not_adopted_and_opts_out_is_to_be_taken_off(shop: Shop) -> None:
    """Whoever put them there: who says no in the store is asked to be removed from the list."""
    shop.export()
    shop.later(days=1)
    shop.box.kibo.update_account(shop.box.kibo.find_by_email(STAYED)[0], acceptsMarketing=False)
    shop.export(only=STAYED)
    store = shop.open()
    waiting = [one.email for one in removals.waiting(store, shop.list_id, shop.clock.now())]
    store.close()
    assert waiting == [STAYED.upper()]
