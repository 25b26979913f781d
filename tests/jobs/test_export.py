"""The export on the sandbox: everyone who opted in, and no one else, ends up on the list, mapped as configured."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccsync.errors import RefusedError, SafetyLimitError
from ccsync.kibo.customers import to_customer
from ccsync.mapping.addresses import Rejection, person_key_text
from ccsync.mapping.contact import to_contact
from ccsync.sandbox.population.people import SeedContact
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import ledger, people
from ccsync.state.views import summary
from tests.harness import Shop, imported_rows

THEN = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SandboxSettings(customers=60, seed=3)) as made:
        yield made


def seed_contact(address: str, permission: str = "implicit", **changes: object) -> SeedContact:
    values: dict[str, object] = {
        "address": address, "first_name": "Their", "last_name": "Name", "permission_to_send": permission,
        "opt_in_source": "Account", "opt_in_at": THEN, "opt_out_source": None, "opt_out_at": None,
        "create_source": "Account", "created_at": THEN, "updated_at": THEN, "deleted_at": None, "lists": (),
        "custom_fields": {},
    }  # fmt: skip
    return SeedContact(**{**values, **changes})  # type: ignore[arg-type]


def expected_members(shop: Shop) -> set[str]:
    """Who has to be on the list, worked out from the two vendors' own data."""
    expected = set()
    for account in shop.customers():
        customer = to_customer(account)
        assert customer is not None
        if customer.accepts_marketing is not True or customer.email is None or customer.account_type == "B2B":
            continue
        if isinstance(to_contact(customer, shop.config.mapping), Rejection):
            continue
        contact = shop.box.cc.contact(customer.email)
        if contact and contact["email_address"]["permission_to_send"] == "unsubscribed":
            continue
        expected.add(customer.email.lower())
    return expected


def test_everybody_who_opted_in_and_nobody_else_is_on_the_list(shop: Shop) -> None:
    """The members are exactly the well-addressed, opted-in, not unsubscribed customers."""
    expected = expected_members(shop)
    run = shop.export()
    assert shop.members() == expected
    assert len(expected) > 20
    assert (run.status, run.total_contacts) == ("COMPLETE", len(expected))
    assert run.counts["read"] == sum(
        run.counts.get(key, 0) for key in ("added", "updated", "unchanged", "suppressed", "rejected", "skipped")
    )
    assert not shop.box.cc.forbidden_calls


def test_the_second_export_sends_nothing(shop: Shop) -> None:
    """What did not change is not sent again, and the run says so."""
    first = shop.export()
    before = len(shop.requests("POST"))
    second = shop.export()
    assert shop.requests("POST")[before:] == []
    assert second.counts["unchanged"] == first.counts["added"]
    assert not second.counts.get("added")
    assert not second.counts.get("updated")
    assert not shop.news


def test_one_change_is_one_row(shop: Shop) -> None:
    """A changed customer alone is sent again."""
    shop.export()
    address = sorted(shop.members())[0]
    account_id = shop.box.kibo.find_by_email(address)[0]
    for sibling in shop.box.kibo.find_by_email(address):
        shop.box.kibo.update_account(sibling, firstName="Renamed")
    before = len(imported_rows(shop))
    run = shop.export()
    rows = imported_rows(shop)[before:]
    known_before = shop.box.cc.contact(address)
    assert known_before is not None
    assert [str(row["email"]).lower() for row in rows] in ([address], [])
    assert run.counts.get("updated", 0) == len(rows)
    assert account_id


def test_a_mapped_contact_arrives_as_configured(shop: Shop) -> None:
    """Names and address of a new contact are the customer's."""
    account_id = shop.box.kibo.add_account(
        emailAddress="Pat.New@example.com", firstName="Pat", lastName="Doe", acceptsMarketing=True
    )
    shop.export()
    contact = shop.box.cc.contact("pat.new@example.com")
    assert contact is not None
    assert (contact["first_name"], contact["last_name"]) == ("Pat", "Doe")
    assert contact["email_address"]["permission_to_send"] == "implicit"
    assert account_id


def test_who_unsubscribed_is_not_sent(shop: Shop) -> None:
    """Not even their address leaves the store, and their opt-out is in the consent ledger."""
    shop.box.cc.add_contact(seed_contact("gone@example.com", "unsubscribed", opt_out_source="Contact", opt_out_at=THEN))
    shop.box.kibo.add_account(emailAddress="GONE@example.com", firstName="G", acceptsMarketing=True)
    run = shop.export()
    assert "gone@example.com" not in {str(row["email"]).lower() for row in imported_rows(shop)}
    assert "gone@example.com" not in shop.members()
    assert run.counts["suppressed"] >= 1
    store = shop.open()
    person = people.person_key(store)(person_key_text("gone@example.com"))
    changes = [(one.change, one.source) for one in ledger.of_person(store, person)]
    store.close()
    assert ("unsubscribed", "constant_contact") in changes


def test_other_sources_contacts_keep_their_data(shop: Shop) -> None:
    """A contact that was there before is added to the list by its address alone."""
    shop.box.cc.add_contact(seed_contact("theirs@example.com"))
    shop.box.kibo.add_account(emailAddress="theirs@example.com", firstName="Ours", acceptsMarketing=True)
    shop.export()
    contact = shop.box.cc.contact("theirs@example.com")
    assert contact is not None
    assert contact["first_name"] == "Their"
    assert "theirs@example.com" in shop.members()
    rows = [row for row in imported_rows(shop) if row["email"] == "theirs@example.com"]
    assert rows == [{"email": "theirs@example.com"}]


def test_siblings_are_one_contact_with_the_newest_data(shop: Shop) -> None:
    """Several accounts on one address, in any case of letters, give one row: the most recently updated one's."""
    shop.box.kibo.add_account(emailAddress="Twin@example.com", firstName="Older", acceptsMarketing=True)
    shop.later(minutes=5)
    shop.box.kibo.add_account(emailAddress="twin@EXAMPLE.com", firstName="Newer", acceptsMarketing=True)
    shop.export()
    rows = [row for row in imported_rows(shop) if str(row["email"]).lower() == "twin@example.com"]
    assert [row["first_name"] for row in rows] == ["Newer"]


def test_too_long_a_name_is_cut_and_an_address_never(shop: Shop) -> None:
    """A name of 300 characters arrives with 50; an address of 90 is rejected with its reason."""
    shop.box.kibo.add_account(emailAddress="long@example.com", firstName="x" * 300, acceptsMarketing=True)
    address = "a" * 60 + "@" + "b" * 17 + ".example.com"
    shop.box.kibo.add_account(emailAddress=address, firstName="L", acceptsMarketing=True)
    run = shop.export()
    contact = shop.box.cc.contact("long@example.com")
    assert contact is not None
    assert contact["first_name"] == "x" * 50
    rejected = {record.email: record for record in shop.rejected(run)}
    assert rejected[address].code == "long-address"
    assert run.counts["cut"] >= 1
    assert shop.news


def test_a_bad_record_is_reported_once_as_news(shop: Shop) -> None:
    """It is listed by every run, and is news only for the first."""
    shop.export()
    assert shop.news
    run = shop.export()
    assert run.errors > 0
    assert not shop.news


@pytest.mark.parametrize("how", [{"is_retry": True}, {"only": "mended@example.com"}, {}], ids=str)
def test_what_a_flush_rejected_has_not_failed_once_it_is_sent(shop: Shop, how: dict[str, object]) -> None:
    """Its place in the queue is cleared as well: `status` would call it failed for good until its event comes."""
    shop.export()
    account_id = shop.box.kibo.add_account(emailAddress="broken@@example.com", acceptsMarketing=True)
    shop.flush()
    shop.box.kibo.update_account(account_id, emailAddress="mended@example.com")
    shop.export(**how)
    assert "mended@example.com" in shop.members()
    store = shop.open()
    assert summary.count_given_up(store) == 0
    store.close()


def test_retry_failed_sends_only_what_was_mended(shop: Shop) -> None:
    """After the record was mended in the store, `--retry-failed` sends it alone."""
    account_id = shop.box.kibo.add_account(emailAddress="broken@@example.com", acceptsMarketing=True)
    shop.export()
    shop.box.kibo.update_account(account_id, emailAddress="mended@example.com")
    before = len(imported_rows(shop))
    run = shop.export(is_retry=True)
    assert [row["email"] for row in imported_rows(shop)[before:]] == ["mended@example.com"]
    assert run.counts["added"] == 1
    assert "mended@example.com" in shop.members()


def test_only_one_person(shop: Shop) -> None:
    """`--only` does one person, whatever the case of letters, and leaves the first export to come."""
    shop.box.kibo.add_account(emailAddress="Solo@example.com", firstName="Solo", acceptsMarketing=True)
    run = shop.export(only="solo@EXAMPLE.com")
    assert shop.members() == {"solo@example.com"}
    assert run.counts["added"] == 1
    asked = []
    shop.export(agree=asked.append)
    assert len(asked) == 1


def test_only_a_person_who_says_no(shop: Shop) -> None:
    """A customer who has not opted in is not added, and the run says why."""
    shop.box.kibo.add_account(emailAddress="no@example.com", acceptsMarketing=False)
    run = shop.export(only="no@example.com")
    assert shop.members() == set()
    assert "has not opted in" in run.message


def test_only_a_person_who_unsubscribed(shop: Shop) -> None:
    """`--only` is no way around an opt-out."""
    shop.box.cc.add_contact(seed_contact("gone@example.com", "unsubscribed", opt_out_source="Contact", opt_out_at=THEN))
    shop.box.kibo.add_account(emailAddress="gone@example.com", acceptsMarketing=True)
    run = shop.export(only="gone@example.com")
    assert shop.members() == set()
    assert run.counts["suppressed"] == 1


def test_who_left_the_list_is_not_put_back_by_a_change(shop: Shop) -> None:
    """Before people are updated their membership is read: people who left are not added again."""
    shop.box.kibo.add_account(emailAddress="leaver@example.com", firstName="A", acceptsMarketing=True)
    shop.export()
    shop.box.cc.leave_list("leaver@example.com", shop.list_id)
    shop.later(hours=2)
    shop.box.kibo.update_account(shop.box.kibo.find_by_email("leaver@example.com")[0], firstName="B")
    run = shop.export()
    assert "leaver@example.com" not in shop.members()
    assert run.counts["departed"] == 1


def test_a_list_that_was_emptied_stops_the_export(shop: Shop) -> None:
    """Everybody gone at once is a mishap until a person says otherwise: nothing is sent, nobody is suppressed."""
    shop.export()
    for address in list(shop.members()):
        shop.box.cc.leave_list(address, shop.list_id)
    shop.later(hours=2)
    for account in shop.customers():
        shop.box.kibo.update_account(int(str(account["id"])), firstName="Changed")
    shop.agrees = False
    before = len(imported_rows(shop))
    with pytest.raises(SafetyLimitError):
        shop.export()
    assert len(imported_rows(shop)) == before
    shop.agrees = True
    run = shop.export()
    assert run.counts["departed"] > 10


def test_a_renamed_list_keeps_working(shop: Shop) -> None:
    """The binding is to the id."""
    shop.box.cc.rename_list(shop.list_id, "Renamed by staff")
    assert shop.export().status == "COMPLETE"


def test_a_deleted_list_is_named_and_not_made_anew(shop: Shop) -> None:
    """The run stops before anything is sent, and names the list."""
    shop.box.cc.delete_list(shop.list_id)
    with pytest.raises(RefusedError, match="Web shop customers"):
        shop.export()
    assert not imported_rows(shop)
    assert shop.latest()[0].status == "FAILED"


def test_who_came_back_by_their_own_act_is_sent_again(shop: Shop) -> None:
    """A person's own re-subscribe at Constant Contact lifts the suppression; staff's does not."""
    for name in ("own", "staff"):
        address = f"{name}@example.com"
        shop.box.cc.add_contact(seed_contact(address, "unsubscribed", opt_out_source="Contact", opt_out_at=THEN))
        shop.box.kibo.add_account(emailAddress=address, acceptsMarketing=True)
    shop.export()
    shop.later(days=1)
    shop.box.cc.resubscribe("own@example.com")
    run = shop.export()
    assert "own@example.com" in shop.members()
    assert "staff@example.com" not in shop.members()
    assert run.counts["added"] == 1


def test_consent_that_is_neither_yes_nor_no_adds_nobody(shop: Shop) -> None:
    """Only an explicit true adds; anything else is rejected and named."""
    customer = to_customer({"id": 5, "emailAddress": "maybe@example.com", "acceptsMarketing": "true"})
    assert customer is not None
    assert customer.accepts_marketing is None


def test_rows_that_move_while_they_are_paged(tmp_path: Path) -> None:
    """Opt-outs before us shift rows left, old accounts' opt-ins shift them right: nobody is skipped."""
    with Shop(tmp_path, SandboxSettings(customers=900, seed=4)) as shop:
        ids = shop.box.kibo.account_ids()
        opted_in = [one for one in ids if shop.box.kibo.account(one)["acceptsMarketing"]]
        others = [one for one in ids if not shop.box.kibo.account(one)["acceptsMarketing"]]
        pages = 0

        def move() -> None:
            nonlocal pages
            pages += 1
            if pages == 2:
                for account_id in opted_in[:5]:
                    shop.box.kibo.update_account(account_id, acceptsMarketing=False)
            if pages == 3:
                for account_id in others[:7]:
                    shop.box.kibo.update_account(account_id, acceptsMarketing=True)

        shop.box.faults.before(move, vendor="kibo_tenant", method="GET", path="/api/commerce/customer/accounts")
        shop.export()
        assert pages > 3
        assert shop.members() == expected_members(shop)


def test_the_dry_run_changes_nothing_and_is_true(shop: Shop) -> None:
    """It makes no changing call, leaves the state as it was, and tells what the real run then does."""
    shop.export(only=sorted(expected_members(shop))[0])
    shop.later(minutes=1)
    before, posts = dump(shop), len(shop.requests("POST"))
    plan, counts = shop.dry_run()
    assert dump(shop) == before
    assert shop.requests("POST")[posts:] == []
    run = shop.export()
    for key in ("read", "added", "updated", "unchanged", "suppressed", "rejected", "skipped"):
        assert counts.get(key, 0) == run.counts.get(key, 0), key
    imports = [one for one in shop.requests("POST")[posts:] if one.endswith("contacts_json_import")]
    assert plan.imports == len(imports)


def dump(shop: Shop) -> list[object]:
    """Everything the state file remembers, less the ledger of calls and the tokens."""
    store = shop.open()
    tables = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found: list[object] = [
        (table, store.rows(f"SELECT * FROM {table}")) for table in tables if table not in ("calls", "gates", "tokens")
    ]
    store.close()
    return found


def test_an_export_takes_off_the_list_who_is_due(shop: Shop) -> None:
    """What a flush could not take off goes before what is added, and the log counts it; a second one does nothing."""
    shop.export()
    account = next(one for one in shop.customers() if str(one["emailAddress"]).lower() in shop.members())
    address = str(account["emailAddress"]).lower()
    shop.later(minutes=30)
    shop.box.kibo.opt_out(int(str(account["id"])))
    shop.box.cc.refuse("removal", 400, record=address)
    shop.flush()
    assert address in shop.members()
    shop.box.cc.relent()
    shop.later(hours=2)
    shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
    run = shop.export()
    assert (run.counts["removed"], run.counts["added"]) == (1, 1)
    assert {address, "new@example.com"} & shop.members() == {"new@example.com"}
    bulk = [one.rpartition("/")[2] for one in shop.requests("POST", "/activities/")]
    assert bulk[-2:] == ["remove_list_memberships", "contacts_json_import"]
    assert shop.export().counts.get("removed", 0) == 0
