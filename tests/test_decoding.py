"""JSON decoded by the faster library has the values, and the refusals, of the standard one."""

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ccsync import decoding
from ccsync.decoding import decode, decode_item, decode_page
from ccsync.kibo.customers import customer_of
from ccsync.models import Customer

PIECES = (
    *(b"1.0", b"1e3", b"-0", b"-0.0", b"0.1", b"5e-324", b"1e400", b"18446744073709551616", b"9" * 400),
    *(b"null", b"true", b'""', b'"\\ud800"', b'"\\u00e9 \\ud83d\\ude00"', '"Zoë 名"'.encode(), b"[" * 400 + b"]" * 400),
    *(b'{"a": 1, "a": 2}', b"[ 1 , 2 ]", b'"\xed\xa0\x80"'),
)
REFUSED = (
    *(b"NaN", b"-Infinity", b"01", b"1.", b".5", b"+1", b"tru", b"'x'", b"[1,]", b'{"a":1,}', b"{a:1}", b"1/**/"),
    *(b'"\\q"', b'"\x01"', b'"\n"', b'"\xff"', b'"\\u12"', b"[" * 100_000, b'{"a":' * 5_000, b""),
)


@pytest.fixture(params=["with the library", "without it"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whether the faster library is installed."""
    if request.param == "without it":
        monkeypatch.setitem(sys.modules, "msgspec", None)
    decoding._library.cache_clear()
    yield
    monkeypatch.undo()
    decoding._library.cache_clear()


def page_of(piece: bytes, rows: int = 400) -> bytes:
    """A long page; the piece is in its last row."""
    items = [b'{"id": %d, "notes": "%s"}' % (number, b"x" * 60) for number in range(1, rows)]
    items.append(b'{"id": %d, "notes": %s}' % (rows, piece))
    return b'{"totalCount": %d, "items": [%s]}' % (rows, b",".join(items))


def whole(page: object) -> object:
    """The page with all its items decoded."""
    assert isinstance(page, dict)
    return {**page, "items": [decode_item(one) if isinstance(one, bytes) else one for one in page["items"]]}


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
@pytest.mark.parametrize("rows", [1, 400], ids=["short", "long"])
@pytest.mark.usefixtures("library")
def test_the_values_are_those_of_the_standard_library(piece: bytes, rows: int) -> None:
    """Numbers, texts and shapes are the same, digit for digit, whoever decodes and however long the page is."""
    page = page_of(piece, rows)
    expected = json.loads(page)

    assert repr(decode(page)) == repr(expected)
    assert repr(whole(decode_page(page))) == repr(expected)


@pytest.mark.parametrize("piece", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("rows", [1, 400], ids=["short", "long"])
@pytest.mark.usefixtures("library")
def test_what_is_not_json_is_refused(piece: bytes, rows: int) -> None:
    """A page with one damaged row is refused as a whole, before anything of it is used."""
    for way in (decode, decode_page):
        with pytest.raises((ValueError, RecursionError)):
            way(page_of(piece, rows))


@pytest.mark.parametrize("depth", [300, 700, 790, 810, 900, 940, 960, 980, 1_000])
@pytest.mark.usefixtures("library")
def test_an_item_that_was_taken_can_be_read_from_anywhere(depth: int) -> None:
    """However deep an item is nested: either the page is refused, or the item is decoded, from a deep stack, too."""
    try:
        page = decode_page(page_of(b"[" * depth + b"]" * depth))
    except RecursionError:
        return

    def deep(levels: int) -> object:
        return deep(levels - 1) if levels else whole(page)

    assert deep(40)


@pytest.mark.usefixtures("library")
def test_a_number_of_too_many_digits_is_infinite_in_an_item() -> None:
    """Python reads no whole number of 5,000 digits: in a row it counts like any other that is too large."""
    text = b'{"id": 1, "n": %s}' % (b"9" * 5_000)

    assert decode_item(text) == {"id": 1, "n": float("inf")}


@pytest.mark.parametrize(
    "page", [b"[]", b"5", b"null", b'{"items": {}}', b'{"items": null}', b'{"items": [null, 5, "x", []]}']
)
@pytest.mark.usefixtures("library")
def test_a_page_of_another_shape_stays_as_it_is(page: bytes) -> None:
    """A page that has no list of items, or other things in it, is decoded like any JSON."""
    long = page + b" " * decoding._LONG

    found = decode_page(long)

    assert (whole(found) if isinstance(found, dict) and isinstance(found.get("items"), list) else found) == json.loads(
        page
    )


@pytest.mark.usefixtures("library")
def test_a_customer_is_the_same_by_the_head_of_the_row_and_by_all_of_it() -> None:
    """Whatever a row holds, the customer made of its text is the one made of the decoded row."""
    chance = random.Random(3)
    for _ in range(2_000):
        record = drawn(chance)
        by_record, by_text = customer_of(record), customer_of(json.dumps(record).encode())

        assert facts_of(by_text) == facts_of(by_record)


def facts_of(customer: Customer | None) -> tuple[object, ...] | None:
    if customer is None:
        return None
    one = customer
    facts = (one.account_id, one.email, one.accepts_marketing, one.account_type, one.created_at, one.updated_at)
    return (*facts, one.is_own_sign_up, repr(one.raw))


def drawn(chance: random.Random) -> object:
    """A row of a list with values of all kinds in all places."""
    values: list[Any] = [
        None,
        True,
        False,
        0,
        7,
        2**63,
        2**70,
        1.0,
        "",
        "pat@example.com",
        " Pat ",
        "2024-05-01T10:00:00Z",
    ]
    values += ["\ud800", "admin", "B2B", [], {}, [1], {"createDate": 5}]
    names = ("emailAddress", "firstName", "lastName", "acceptsMarketing", "accountType", "isAnonymous", "auditInfo")
    record: dict[str, Any] = {"id": chance.choice([1, 5, *values]), "more": chance.choice(values)}
    record |= {name: chance.choice(values) for name in names if chance.random() < 0.8}
    if chance.random() < 0.6:
        audit = ("createDate", "updateDate", "createBy")
        record["auditInfo"] = {name: chance.choice(values) for name in audit if chance.random() < 0.8}
    return record if chance.random() < 0.95 else chance.choice(values)
