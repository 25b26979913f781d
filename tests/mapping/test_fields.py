"""Reading values from an account's JSON, whatever its shape."""

from typing import Any

import pytest

from ccsync.mapping.fields import SOURCES, Account, attributes_by_name, chosen_contact, reader_of, scalar, source_of


def read(name: str, raw: dict[str, Any]) -> tuple[str, str]:
    return reader_of(name)(Account(raw, chosen_contact(raw), attributes_by_name(raw)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Pat", "Pat"), (None, ""), ("", ""), (True, "true"), (False, "false"), (0, "0"), (-3, "-3"),
        (3.0, "3"), (199.5, "199.5"), (0.1 + 0.2, "0.3"), (-0.0, "0"), (1e-7, "0.0000001"),
        (1e14, "100000000000000"), (6034930000000000001, "6034930000000000001"),
    ],
)  # fmt: skip
def test_one_value_is_rendered_as_people_write_it(value: object, text: str) -> None:
    """Whole floats lose their .0, rounding noise goes, booleans are true and false."""
    assert scalar(value) == (text, "")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1e300, pytest.param(10**5000, id="long"), {"a": 1}, ["a"]]
)
def test_what_is_no_value_is_left_out_with_the_reason(value: object) -> None:
    """NaN, numbers beyond telling, objects and lists become nothing, and a note."""
    text, trouble = scalar(value)
    assert text == ""
    assert trouble.startswith("left out")


@pytest.mark.parametrize(
    ("values", "text", "is_noted"),
    [
        (["gold"], "gold", False),
        (["a", "b"], "a, b", False),
        ([], "", False),
        (None, "", False),
        ([None, "", " ", "b"], "b", False),
        ([True, 2.0, "x"], "true, 2, x", False),
        ("bare", "bare", False),
        ([{"a": 1}], "", True),
        (["x", {"a": 1}], "x", True),
        ({"a": 1}, "", True),
        ([["nested"]], "", True),
    ],
)
def test_an_attribute_of_any_values(values: object, text: str, is_noted: bool) -> None:
    """Several values are joined, empty ones left out, objects left out with a note."""
    raw = {"attributes": [{"fullyQualifiedName": "tenant~Tier", "values": values}]}
    found, trouble = read("attributes.tenant~tier", raw)
    assert found == text
    assert bool(trouble) is is_noted


def test_an_attribute_is_found_whatever_its_case() -> None:
    """Attribute names are compared without case, and the first of two wins."""
    raw = {
        "attributes": [
            {"fullyQualifiedName": "Tenant~Loyalty-Tier", "values": ["gold"]},
            {"fullyQualifiedName": "tenant~loyalty-tier", "values": ["tin"]},
        ]
    }
    assert read("attributes.TENANT~loyalty-tier", raw) == ("gold", "")


def test_segments_are_sorted_codes() -> None:
    """The order Kibo returns segments in does not change what is sent."""
    raw = {"segments": [{"code": "VIP"}, {"code": "B"}, {"code": "VIP"}, {"code": None}, "x", {}]}
    assert read("segments", raw) == ("B, VIP", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("commerceSummary.orderCount", "3"),
        ("commerceSummary.totalOrderAmount", "199.5"),
        ("commerceSummary.lastOrderDate", "2026-04-02T09:00:00Z"),
        ("commerceSummary.wishlistCount", "0"),
        ("commerceSummary.visitsCount", ""),
    ],
)
def test_the_commerce_summary_is_read(name: str, text: str) -> None:
    """Counts, the amount without its currency, and dates as they are stored."""
    summary = {
        "totalOrderAmount": {"currencyCode": "USD", "amount": 199.5},
        "orderCount": 3,
        "lastOrderDate": "2026-04-02T09:00:00Z",
        "wishlistCount": 0,
    }
    assert read(name, {"commerceSummary": summary}) == (text, "")


BILLING, SHIPPING = {"name": "Billing", "isPrimary": True}, {"name": "Shipping", "isPrimary": True}
NOT_PRIMARY = {"name": "Billing", "isPrimary": False}


@pytest.mark.parametrize(
    ("types", "chosen"),
    [
        ([[], []], 0),
        ([[NOT_PRIMARY], [NOT_PRIMARY]], 0),
        ([[SHIPPING], [BILLING]], 1),
        ([[NOT_PRIMARY], [SHIPPING]], 1),
        ([[BILLING], [BILLING]], 0),
        ([None, "Billing", [SHIPPING]], 2),
        ([[None, "x", {"name": None, "isPrimary": True}], [{"name": "billing", "isPrimary": True}]], 1),
        ([[{"name": "Billing", "isPrimary": "true"}], [SHIPPING]], 1),
        ([[NOT_PRIMARY]] * 700 + [[SHIPPING]], 700),
    ],
)
def test_the_chosen_contact(types: list[object], chosen: int) -> None:
    """Primary Billing, else primary Shipping, else the first; of two primaries the first."""
    contacts = [{"id": number, "types": each} for number, each in enumerate(types)]
    assert chosen_contact({"contacts": contacts})["id"] == chosen


@pytest.mark.parametrize("contacts", [None, "x", 3, [], [None], ["x"], {}])
def test_no_contact_is_an_empty_one(contacts: object) -> None:
    """An account without contacts, or with something else there, has nothing to read."""
    assert chosen_contact({"contacts": contacts}) == {}


def test_sources_are_found_by_their_exact_names() -> None:
    """Attributes need a namespace and a name; every other name is exact."""
    assert source_of("firstName") is SOURCES["firstName"]
    assert source_of("attributes.tenant~x") is SOURCES["attributes.<name>"]
    for wrong in ("firstname", "attributes.", "attributes.tier", "attributes.~x", "attributes.tenant~", ""):
        assert source_of(wrong) is None
