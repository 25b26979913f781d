"""Remembered list names: good for suggestions within the hour, and never believed when they cannot be understood."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from ccsync.cli.setup import list_names
from ccsync.constant_contact.client import ConstantContact
from ccsync.models import ContactList
from ccsync.state import Store, create_store, properties

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


class Account:
    """Has lists, and nothing else."""

    def __init__(self, *names: str) -> None:
        self._lists = [ContactList(f"id of {name}", name, None, None) for name in names]

    def iter_lists(self) -> Iterator[ContactList]:
        yield from self._lists


def remember(store: Store, *names: str) -> None:
    """The account's names are read."""
    list_names.refresh(store, cast(ConstantContact, Account(*names)), NOW)


def names(lists: Sequence[ContactList]) -> list[str]:
    return [one.name for one in lists]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = create_store(tmp_path / "ccsync.db")
    yield made
    made.close()


def test_names_are_kept_in_order_whatever_their_case(store: Store) -> None:
    """What was read is what is remembered, less names that nobody could type."""
    remember(store, "zoo", "Äpfel", "apple", "  ", "Zoo", "\x1b[2J")
    known = list_names.remembered(store)
    assert known is not None
    assert names(known.lists) == ["\x1b[2J", "apple", "Zoo", "zoo", "Äpfel"]
    assert known.lists[1].list_id == "id of apple"


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [
        (timedelta(), True),
        (timedelta(minutes=59, seconds=59), True),
        (timedelta(hours=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_they_are_fresh_for_an_hour(store: Store, age: timedelta, is_fresh: bool) -> None:
    """A time that is still to come is a clock that was wrong: not fresh."""
    remember(store, "one")
    known = list_names.remembered(store)
    assert known is not None
    assert known.are_fresh(NOW + age) is is_fresh


@pytest.mark.parametrize(
    "kept",
    [
        "", "null", "[]", "{}", "7", "not JSON", '{"at": 1, "lists": []}', '{"at": "2026-10-01", "lists": [["a"]]}',
        '{"at": "soon", "lists": []}', '{"at": "2026-10-01T12:00:00Z", "lists": [["a", 5]]}',
        '{"at": "2026-10-01T12:00:00Z", "lists": [["", "x"]]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_forgotten(store: Store, kept: str) -> None:
    """Another version's record, or a damaged one, is as none."""
    properties.put(store, "list_names", kept)
    assert list_names.remembered(store) is None


def test_a_new_list_joins_the_others(store: Store) -> None:
    """Without others there is nothing to join; the age of what is remembered stays."""
    made = ContactList("id", "made", None, None)
    list_names.add(store, made)
    assert list_names.remembered(store) is None
    remember(store, "zoo")
    list_names.add(store, made)
    list_names.add(store, made)
    known = list_names.remembered(store)
    assert known is not None
    assert names(known.lists) == ["made", "zoo"]
    assert known.at == NOW


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("VIP", ["VIP"]),
        ("vip", ["vip"]),
        ("Vip", ["VIP", "vip"]),
        ("news", ["News", "Newsletter"]),
        ("News", ["News"]),
        ("letter", ["Newsletter"]),
        ("padded", ["  padded "]),
        ("nobody", []),
    ],
)
def test_what_was_typed_is_matched(typed: str, found: list[str]) -> None:
    """Just this name, else in any case of letters, else names with it inside."""
    lists = [ContactList(name, name, None, None) for name in ("VIP", "vip", "News", "Newsletter", "  padded ")]
    if typed == "news":
        lists = [one for one in lists if one.name != "News"] + [ContactList("n", "Newspaper", None, None)]
        found = ["Newsletter", "Newspaper"]
    assert names(list_names.matching(typed, lists)) == found


def test_the_nearest_names_come_first() -> None:
    """A slip and another case of letters are found, what is far is not offered."""
    assert list_names.nearest("web shop custommers", ["Web shop customers", "Other"]) == ["Web shop customers"]
    assert list_names.nearest("xyz", ["Web shop customers"]) == []


@pytest.mark.parametrize("name", ["Shop", "x" * 255, "Müller & Söhne", "می‌خواهم", "\U0001f469\u200d\U0001f680", "客户"])
def test_names_of_people_s_languages_are_names(name: str) -> None:
    """Letters, joiners and emoji are nobody's attack."""
    assert list_names.problem_of(name) == ""
