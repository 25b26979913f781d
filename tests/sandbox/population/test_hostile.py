"""The hostile people: one of every kind, the same for the same seed, and never a real person's address."""

import json
import re
from datetime import UTC, datetime

import pytest

from ccsync.sandbox.kibo.accounts import Accounts
from ccsync.sandbox.population.hostile import DATES, HOSTILE_KINDS, MANY_CONTACTS
from ccsync.sandbox.population.people import FIRST_ID, ODD_KINDS, Population

FIRST = 2 * len(ODD_KINDS) + len(HOSTILE_KINDS)
"""So many accounts hold one of each kind."""


def accounts_of(people: Population) -> Accounts:
    return Accounts(people, lambda: datetime(2026, 10, 1, tzinfo=UTC))


def the(kind: str, seed: int = 1) -> dict[str, object]:
    """The first account of this kind."""
    people = Population(FIRST, seed, hostile=True)
    index = next(index for index in range(FIRST) if people.kind(index) == kind)
    return accounts_of(people).get(FIRST_ID + index)


def test_every_kind_is_among_the_first() -> None:
    """A store of a hundred has one of each, opted in, beside the ordinary and the odd ones."""
    people = Population(FIRST, 1, hostile=True)
    assert {people.kind(index) for index in range(FIRST)} == {"ordinary", *ODD_KINDS, *HOSTILE_KINDS}
    assert all(people.accepts_marketing(index) for index in range(FIRST) if people.kind(index) in HOSTILE_KINDS)
    assert FIRST <= 100


def test_a_few_percent_are_hostile_later() -> None:
    """Every kind comes again in a large store, four in a hundred together."""
    people = Population(50_000, 1, hostile=True)
    kinds = [kind for index in range(FIRST, 50_000) if (kind := people.kind(index)) in HOSTILE_KINDS]
    assert set(kinds) == set(HOSTILE_KINDS)
    assert 0.03 < len(kinds) / 50_000 < 0.05


def test_the_same_seed_makes_the_same_accounts() -> None:
    """A hostile account follows from seed and index alone."""
    one, again = (accounts_of(Population(FIRST, 3, hostile=True)) for _ in range(2))
    assert [one.get(account_id) for account_id in one.ids()] == [again.get(account_id) for account_id in again.ids()]


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_nobody_else_changes(seed: int) -> None:
    """Without `hostile` there is no hostile account; with it the others are who they were."""
    plain, hostile = Population(2_000, seed), Population(2_000, seed, hostile=True)
    ordinary, odd = accounts_of(plain), accounts_of(hostile)
    assert not {plain.kind(index) for index in range(2_000)} & set(HOSTILE_KINDS)
    for index in range(2_000):
        if hostile.kind(index) not in HOSTILE_KINDS and hostile.kind(index) not in ("sibling", "sibling_no"):
            assert ordinary.get(FIRST_ID + index) == odd.get(FIRST_ID + index)
            assert plain.accepts_marketing(index) == hostile.accepts_marketing(index)


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_every_account_is_valid_json(seed: int) -> None:
    """What a reply carries can be encoded, and reads as it was."""
    accounts = accounts_of(Population(FIRST, seed, hostile=True))
    for account_id in accounts.ids():
        account = accounts.get(account_id)
        assert json.loads(json.dumps(account, ensure_ascii=False, allow_nan=False).encode()) == account
        assert account["emailAddress"] == accounts.address(account_id)


def test_everybody_lives_at_example() -> None:
    """No address could be a real person's, and each person has another one."""
    people = Population(20_000, 1, hostile=True)
    addresses = [(people.address(index) or "") for index in range(20_000) if people.kind(index) in HOSTILE_KINDS]
    assert len({address.lower() for address in addresses}) == len(addresses)
    for address in addresses:
        hosts = re.findall(r"@[^@\w]*([\w.-]+)", address.split("Bcc")[0].lower())
        assert hosts or "\u202e" in address or "Bcc" in address
        assert all(host.rstrip(".").endswith(("example.com", "example.org")) for host in hosts if "." in host)
        assert re.search(r"example\.(com|org)[^\w]*\Z", address, re.IGNORECASE)


def test_an_account_is_found_by_its_hostile_address() -> None:
    """The look-up by address knows the hostile ones, too."""
    accounts = accounts_of(Population(FIRST, 1, hostile=True))
    for account_id in accounts.ids()[2 * len(ODD_KINDS) :]:
        address = accounts.address(account_id) or ""
        if address == address.strip():
            assert account_id in accounts.find_by_email(address)


@pytest.mark.parametrize(
    ("kind", "number"),
    [("hundreds_of_contacts", MANY_CONTACTS), ("no_contact", 0), ("two_primaries", 2), ("phone_letters", 1)],
)
def test_contacts(kind: str, number: int) -> None:
    """Several hundred contacts, none, two primaries."""
    contacts = the(kind)["contacts"]
    assert isinstance(contacts, list)
    assert len(contacts) == number
    primaries = [one for one in contacts if {"name": "Billing", "isPrimary": True} in one["types"]]
    assert len(primaries) == {"two_primaries": 2, "hundreds_of_contacts": 1}.get(kind, 0)
    assert len({one["id"] for one in contacts}) == number


def test_dates_come_in_every_form() -> None:
    """The hostile accounts of a small store show every form of a date between them."""
    accounts = accounts_of(Population(FIRST, 1, hostile=True))
    shown = []
    for account_id in accounts.ids()[2 * len(ODD_KINDS) :]:
        attributes = accounts.get(account_id)["attributes"]
        assert isinstance(attributes, list)
        shown += [one["values"][0] for one in attributes if one["fullyQualifiedName"] == "tenant~birthday"]
    assert set(map(repr, shown)) == set(map(repr, DATES))
