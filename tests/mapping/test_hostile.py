"""Hostile data: every kind of value in every place of an account."""

import json
from typing import Any

import pytest

from ccsync.mapping.contact import fingerprint
from tests.mapping.accounts import EVERYTHING, PAT, mapped

HOSTILE_TEXT = [
    "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\rb", "a\nb", "\u202egnp.exe", "\u200b", "a" + "\u0301" * 1000,
    "x" * 10_000, '=HYPERLINK("http://x")', "+1", "'; DROP TABLE x;--", "%s%n{}", "\ud800", "\udfff\ud800",
    "\x00", "\u200d" * 100, "\U0001f468\u200d" * 40, "\ufeff", "\uffff", "مرحبا", "山田太郎" * 100,
]  # fmt: skip
HOSTILE_SHAPE: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**5000, "", " ", "text", [], [None], [[]], [{}], {},
    {"a": {}}, ["text"], [1, 2], {"types": None}, [{"types": "x", "address": None, "phoneNumbers": []}],
    [{"types": [None, 1, {"name": 1, "isPrimary": True}], "address": "x", "phoneNumbers": "y"}] * 2,
    [{"fullyQualifiedName": 5, "values": 7}, {"fullyQualifiedName": "tenant~tier", "values": {"a": 1}}],
    [{"address": {"address1": [], "cityOrTown": {}, "countryCode": 7}, "phoneNumbers": {"home": {}}}],
    [{"phoneNumbers": {"home": True, "work": 5550100, "mobile": [1]}}],
    [{"code": {}}, {"code": 5}, 3], {"amount": {}}, {"totalOrderAmount": [], "orderCount": {}},
]  # fmt: skip


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = [*HOSTILE_TEXT, *HOSTILE_SHAPE, nested(100_000)]


@pytest.mark.parametrize("value", HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_nothing_in_an_account_can_break_its_mapping(value: object) -> None:
    """Whatever stands in any field, the row can be encoded, is within the limits and holds nothing empty."""
    raw = dict.fromkeys(PAT, value)
    deep = {
        "contacts": [{"phoneNumbers": {"home": value}, "address": {"address1": value, "cityOrTown": value}}],
        "attributes": [{"fullyQualifiedName": "tenant~tier", "values": [value]}],
        "segments": [{"code": value}],
        "commerceSummary": {"orderCount": value, "totalOrderAmount": {"amount": value}},
    }
    for changes in ({}, raw, deep, *({key: value} for key in PAT)):
        contact = mapped(EVERYTHING, **changes)
        assert json.dumps(contact.row, ensure_ascii=False, allow_nan=False).encode()
        assert len(fingerprint(contact.row)) == 16
        for field, sent in contact.row.items():
            assert sent != ""
            limit = 255 if field.startswith(("cf:", "home_street")) else 25 if "phone" in field else 50
            assert isinstance(sent, int) or len(sent) <= limit
        assert all(str(note).isprintable() and len(str(note)) < 110 for note in contact.notes)
