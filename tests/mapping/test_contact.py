"""A customer becomes one row of an import: what is sent, cut, left out; what makes two rows equal."""

from typing import Any

import pytest

from ccsync.errors import ConfigError
from ccsync.mapping.addresses import Rejection
from ccsync.mapping.contact import fingerprint, to_contact
from ccsync.mapping.fields import SOURCES
from ccsync.mapping.targets import TARGETS, Note
from tests.mapping.accounts import DEFAULT, EVERYTHING, PAT, customer, mapped


def with_contact(**changes: Any) -> dict[str, Any]:
    return {"contacts": [PAT["contacts"][0] | changes]}


def test_an_ordinary_customer_is_mapped_as_configured() -> None:
    """Every target gets its value, the address first, and nothing empty is in the row."""
    contact = mapped(EVERYTHING)
    assert contact.notes == ()
    assert contact.email == "Pat@Example.com"
    assert next(iter(contact.row)) == "email"
    assert contact.row == {
        "email": "Pat@Example.com",
        "first_name": "Pat",
        "last_name": "Doe",
        "company_name": "Acme",
        "home_phone": "555-0100",
        "work_phone": "555-0101",
        "home_street": "1 Main St, Apt. 2",
        "home_city": "Austin",
        "home_state": "TX",
        "home_zip": "78701",
        "home_country": "US",
        "job_title": "Baker",
        "birthday_month": 5,
        "birthday_day": 1,
        "anniversary": "2024-03-01",
        "cf:tier": "gold",
        "cf:segments": "NEW, VIP",
        "cf:orders": "3",
        "cf:amount": "199.5",
        "cf:kibo_id": "1001",
        "cf:guest": "false",
    }


def test_the_address_is_sent_trimmed_in_its_own_case() -> None:
    """White space around an address goes; upper case stays."""
    assert mapped({}, email=" Pat@Example.com\n").row == {"email": "Pat@Example.com"}


@pytest.mark.parametrize(
    ("email", "code"),
    [(None, "no-address"), ("pat@", "bad-address"), (f"p@{'d' * 60}.{'d' * 60}.com", "long-address")],
)
def test_a_customer_without_a_usable_address_is_rejected(email: str | None, code: str) -> None:
    """No row is made for an address that can't be sent."""
    rejection = to_contact(customer(email), DEFAULT)
    assert isinstance(rejection, Rejection)
    assert rejection.code == code


def test_a_guest_gets_no_name_from_a_contact() -> None:
    """The chosen contact may be a gift's receiver: its name is not the account's."""
    assert "first_name" not in mapped(DEFAULT, firstName=None).row


@pytest.mark.parametrize(
    ("target", "limit"),
    [("first_name", 50), ("last_name", 50), ("job_title", 50), ("company_name", 50), ("cf:x", 255)],
)
def test_a_text_that_is_too_long_is_cut_and_noted(target: str, limit: int) -> None:
    """The cut is at the vendor's limit in characters, and a text of just that length is left alone."""
    contact = mapped({target: "firstName"}, firstName="é" * 300)
    assert contact.row[target] == "é" * limit
    assert contact.notes == (Note(target, f"cut from 300 to {limit} characters"),)
    assert str(contact.notes[0]) == f"{target} cut from 300 to {limit} characters"
    assert mapped({target: "firstName"}, firstName="é" * limit).notes == ()


def test_a_phone_is_never_cut() -> None:
    """25 characters pass, extensions and letters with them; a longer number is left out with a note."""
    numbers = {"home": "1-800-FLOWERS ext. 12", "work": "5" * 25, "mobile": "5" * 26}
    contact = mapped({"phones": "phoneNumbers"}, **with_contact(phoneNumbers=numbers))
    assert contact.row == {
        "email": "Pat@Example.com",
        "home_phone": "1-800-FLOWERS ext. 12",
        "work_phone": "5" * 25,
    }
    assert [note.field for note in contact.notes] == ["mobile_phone"]


def test_an_address_keeps_all_its_lines() -> None:
    """Four lines are joined into one of 255 characters at most; a country without states has none."""
    lines = {f"address{n}": f"line {n}" for n in (1, 2, 3, 4)}
    row = mapped({"address": "address"}, **with_contact(address=lines | {"countryCode": "SG"})).row
    assert row == {
        "email": "Pat@Example.com",
        "home_street": "line 1, line 2, line 3, line 4",
        "home_country": "SG",
    }
    long = mapped({"address": "address"}, **with_contact(address={"address1": "x" * 200, "address2": "y" * 200}))
    assert len(str(long.row["home_street"])) == 255
    assert str(long.notes[0]) == "home_street cut from 402 to 255 characters"


@pytest.mark.parametrize(
    ("values", "sent", "is_noted"),
    [
        (["1990-05-01T00:00:00Z"], (5, 1), False),
        (["05/01/1990"], (5, 1), False),
        (["2000-02-29"], (2, 29), False),
        (["1990-02-30"], None, True),
        (["soon"], None, True),
        (["1990-05-01", "1991-06-02"], None, True),
        ([19900501], (5, 1), False),
        ([{}], None, True),
        ([], None, False),
        (["0001-01-01T00:00:00Z"], None, False),
    ],
)
def test_a_birthday_has_both_parts_or_neither(
    values: list[object], sent: tuple[int, int] | None, is_noted: bool
) -> None:
    """Month and day go as integers; what is no date is left out with a note, .NET's "no date" without."""
    attributes = [{"fullyQualifiedName": "tenant~birthday", "values": values}]
    contact = mapped({"birthday": "attributes.tenant~birthday"}, attributes=attributes)
    rest = {key: value for key, value in contact.row.items() if key != "email"}
    assert rest == ({"birthday_month": sent[0], "birthday_day": sent[1]} if sent else {})
    assert [note.field for note in contact.notes] == (["birthday"] if is_noted else [])


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "O'Brien", "%s", "{}", "$(id)", "-1", "@x"])
def test_a_strange_name_is_sent_exactly(name: str) -> None:
    """What is text to us stays as the person wrote it."""
    contact = mapped({"first_name": "firstName"}, firstName=name)
    assert contact.row["first_name"] == name
    assert contact.notes == ()


def test_what_was_taken_out_of_a_text_is_noted() -> None:
    """Removed characters are said with the field's name and without the value."""
    contact = mapped({"first_name": "firstName"}, firstName="P\x00at\u202e")
    assert contact.row["first_name"] == "Pat"
    assert [note.field for note in contact.notes] == ["first_name"]


def test_notes_hold_no_values() -> None:
    """Notes go to logs, so nothing of the person is in them."""
    contact = mapped(EVERYTHING, firstName="canary" * 20, companyOrOrganization=["canary"], segments="canary")
    assert len(contact.notes) == 3
    assert "canary" not in " ".join(map(str, contact.notes))


def test_a_fingerprint_depends_on_the_row_alone() -> None:
    """Equal rows in any order have one fingerprint, pinned: a new one would send everybody again."""
    row: dict[str, str | int] = {"email": "a@b.c", "first_name": "Zoë", "birthday_month": 5}
    assert fingerprint(row) == fingerprint(dict(reversed(row.items())))
    assert fingerprint(row) != fingerprint(row | {"birthday_month": "5"})
    assert fingerprint(row) != fingerprint(row | {"first_name": "Zoe"})
    assert fingerprint(row).hex() == "598187fdf557c2371eaa90e9c0cf0d4e"


def test_the_order_of_segments_and_attributes_changes_no_fingerprint() -> None:
    """Kibo promises no order, and a shuffled answer must not be sent as a change."""
    shuffled = {"segments": PAT["segments"][::-1], "attributes": PAT["attributes"][::-1]}
    assert fingerprint(mapped(EVERYTHING, **shuffled).row) == fingerprint(mapped(EVERYTHING).row)


def test_a_wrong_mapping_is_a_config_error() -> None:
    """A mapping nobody checked is refused by name, not half applied."""
    with pytest.raises(ConfigError) as refusal:
        to_contact(customer(), {"first_name": "fistName", "phone": "phoneNumbers"})
    assert len(refusal.value.problems) == 2


def test_every_target_and_source_can_be_mapped() -> None:
    """No pair the tables allow is without its code."""
    for target in TARGETS.values():
        for source in SOURCES.values():
            if target.kind in source.kinds:
                pair = {target.name.replace("<name>", "x"): source.name.replace("<name>", "tenant~tier")}
                assert mapped(pair, customerSinceDate="2024-03-01").row["email"]
