"""Which parts of an account the mapped fields need, and which of them a list's rows lack."""

from typing import Any

import pytest

from ccsync.mapping.contact import missing_sections, needed_sections
from tests.mapping.accounts import DEFAULT, EVERYTHING, PAT, customer


@pytest.mark.parametrize(
    ("mapping", "parts"),
    [
        ({}, set()),
        ({"first_name": "firstName"}, set()),
        ({"phones": "phoneNumbers"}, {"contacts"}),
        ({"address": "address"}, {"contacts"}),
        ({"cf:x": "attributes.tenant~x"}, {"attributes"}),
        ({"cf:x": "nonsense"}, set()),
        (EVERYTHING, {"contacts", "attributes", "segments", "commerceSummary"}),
    ],
)
def test_the_needed_parts_are_those_that_mapped_fields_read(mapping: dict[str, str], parts: set[str]) -> None:
    """What nobody maps is not asked for."""
    assert needed_sections(mapping) == parts


ALL_PARTS = ("attributes", "commerceSummary", "contacts", "segments")
BARE_CONTACT = {"contacts": [{"id": 77}]}


@pytest.mark.parametrize(
    ("row_changes", "missing"),
    [
        ({}, set()),
        (dict.fromkeys(ALL_PARTS), set(ALL_PARTS)),
        ({"contacts": []}, {"contacts"}),
        (BARE_CONTACT, {"contacts"}),
        ({"attributes": [{"fullyQualifiedName": "tenant~tier", "values": None}]}, {"attributes"}),
        ({"segments": PAT["segments"][:1]}, {"segments"}),
        ({"commerceSummary": {"orderCount": 3}}, {"commerceSummary"}),
        ({"firstName": "Changed", "segments": [{"code": "A"}, {"code": "B"}]}, set()),
    ],
)
def test_a_part_that_list_rows_lack_is_found(row_changes: dict[str, Any], missing: set[str]) -> None:
    """Absent, null, trimmed or shortened counts as missing; a mere change between two reads does not."""
    assert missing_sections(customer(**row_changes), customer(), EVERYTHING) == missing


def test_a_part_nobody_maps_is_not_missed() -> None:
    """A row without attributes is whole when no attribute is mapped."""
    row = customer(attributes=None, segments=None, commerceSummary=None)
    assert missing_sections(row, customer(), DEFAULT) == set()


def test_an_account_with_nothing_to_compare_misses_nothing() -> None:
    """Where the single read has no part either, the row can't be said to lack it."""
    empty = customer(**dict.fromkeys(ALL_PARTS))
    assert missing_sections(empty, empty, EVERYTHING) == set()
