"""Welcome e-mails: new customers who made their account themselves are created one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Shop, imported_rows
from tests.jobs.flushing import KIM, add, change, new_shop, stock
from tests.jobs.test_export import seed_contact

NEW = "new@example.com"
WELCOME = "welcome_email = true\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with new_shop(tmp_path, WELCOME) as made:
        stock(made)
        yield made


def test_the_export_greets_nobody(shop: Shop) -> None:
    """The first export goes by import, which sends no welcome e-mail."""
    assert shop.box.cc.welcomed == []


def test_a_new_customer_is_greeted(shop: Shop) -> None:
    """Created singly with the source Contact, with all mapped data, on the list; the second run does nothing."""
    add(shop, NEW, lastName="Doe")
    run = shop.flush()
    assert shop.box.cc.welcomed == [NEW]
    contact = shop.box.cc.contact(NEW) or {}
    assert (contact["create_source"], contact["last_name"]) == ("Contact", "Doe")
    assert NEW in shop.members()
    assert run.counts["added"] == 1
    shop.later(minutes=30)
    assert not any(shop.flush().counts.values())


def test_somebody_who_opts_in_later_is_greeted(shop: Shop) -> None:
    """An account that changes to yes is as new to Constant Contact as one just made."""
    change(shop, KIM, acceptsMarketing=True)
    shop.flush()
    assert shop.box.cc.welcomed == [KIM]


def test_whom_staff_made_is_not_greeted(shop: Shop) -> None:
    """An account that an admin made is no sign-up of the person's own; a guest made no account at all."""
    add(shop, NEW, auditInfo={"createBy": "admin-user"})
    add(shop, "guest@example.com", isAnonymous=True)
    shop.flush()
    assert shop.box.cc.welcomed == []
    assert {NEW, "guest@example.com"} <= shop.members()


def test_whom_constant_contact_knows_is_not_greeted(shop: Shop) -> None:
    """Another source's contact is not new there: it joins the list by import, with its data left alone."""
    shop.box.cc.add_contact(seed_contact(NEW))
    add(shop, NEW, lastName="Changed")
    shop.flush()
    assert shop.box.cc.welcomed == []
    assert NEW in shop.members()
    assert (shop.box.cc.contact(NEW) or {}).get("last_name") != "Changed"


def test_an_address_that_appears_meanwhile_goes_the_ordinary_way(shop: Shop) -> None:
    """A single create answered with 409 is no failure: the person exists after all."""
    add(shop, NEW)

    def sign_up_elsewhere() -> None:
        shop.box.cc.add_contact(seed_contact(NEW))

    shop.box.faults.before(sign_up_elsewhere, method="POST", path="/v3/contacts$")
    run = shop.flush()
    assert NEW in shop.members()
    assert run.counts["added"] == 1
    assert shop.box.cc.welcomed == []


def test_a_contact_made_in_the_same_moment_keeps_its_data(shop: Shop) -> None:
    """Somebody signs up in the store and by a form at once: the refused create shows that the contact is not ours."""
    add(shop, NEW)

    def sign_up_elsewhere() -> None:
        if shop.box.cc.contact(NEW) is None:
            now = shop.clock.now()
            shop.box.cc.add_contact(seed_contact(NEW, created_at=now, updated_at=now))

    shop.box.faults.before(sign_up_elsewhere, method="POST", path="/v3/contacts$")
    for _ in range(2):
        shop.flush()
        shop.box.kibo.update_account(shop.box.kibo.find_by_email(NEW)[0], lastName="Changed")
    assert NEW in shop.members()
    assert (shop.box.cc.contact(NEW) or {})["last_name"] == "Name"


@pytest.mark.parametrize("kind", ["reset-before", "reset-after"])
def test_a_lost_answer_neither_loses_nor_doubles(shop: Shop, kind: str) -> None:
    """Whether the create took effect is looked up; the person ends on the list once."""
    add(shop, NEW)
    shop.box.faults.add(kind, method="POST", path="/v3/contacts$")
    run = shop.flush()
    assert NEW in shop.members()
    assert run.counts["added"] == 1
    assert len([one for one in imported_rows(shop) if one["email"] == NEW]) == (kind == "reset-before")


def test_a_refused_contact_stops_nobody(shop: Shop) -> None:
    """Constant Contact takes one and not the other: the other goes by import, without a welcome e-mail."""
    both = {NEW, "second@example.com"}
    for address in both:
        add(shop, address)
    shop.box.faults.add("status", method="POST", path="/v3/contacts$", status=400, body="[]")
    run = shop.flush()
    assert (shop.rejected(run), both - shop.members()) == ([], set())
    assert len(both & set(shop.box.cc.welcomed)) == 1


def test_the_rest_goes_by_import_when_calls_are_scarce(tmp_path: Path) -> None:
    """More than a third of what is left today is not spent on welcome e-mails; the log says so."""
    limits = "\n[limits]\nrequests_per_day = 90\nreserve_per_day = 10\n"
    with new_shop(tmp_path, WELCOME + limits) as shop:
        stock(shop)
        for number in range(30):
            add(shop, f"p{number}@example.com")
        shop.flush()
        assert 0 < len(shop.box.cc.welcomed) < 30
        assert "by import" in " ".join(shop.remarks)
        assert len(shop.members()) == 32


def test_custom_fields_are_sent_by_their_ids(tmp_path: Path) -> None:
    """A single write names a custom field by its id; the value arrives as by import."""
    mapping = '\n[mapping]\nfirst_name = "firstName"\n"cf:kibo_id" = "id"\n'
    with new_shop(tmp_path, WELCOME + mapping) as shop:
        stock(shop)
        account_id = add(shop, NEW)
        shop.flush()
        contact = shop.box.cc.contact(NEW) or {}
        assert [one["value"] for one in contact["custom_fields"]] == [str(account_id)]
