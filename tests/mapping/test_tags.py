"""Which tags segments stand for: pure, and harmless whatever the store holds."""

from collections.abc import Mapping

import pytest

from ccsync.mapping.tags import tags_of

VIP = {"VIP": "VIP customers"}
STAR = {"*": "Shop: *", **VIP}


def segment(code: object, name: object = None) -> dict[str, object]:
    return {"id": 1, "code": code, "name": name}


@pytest.mark.parametrize(
    ("segments", "tags", "expected"),
    [
        ([segment("VIP")], VIP, ["VIP customers"]),
        ([segment(" VIP ")], VIP, ["VIP customers"]),
        ([segment("vip")], VIP, []),
        (
            [segment("B", "Boats"), segment("VIP", "Very"), segment("A")],
            STAR,
            ["Shop: A", "Shop: Boats", "VIP customers"],
        ),
        ([segment("A"), segment("A")], STAR, ["Shop: A"]),
        ([segment("*")], STAR, ["Shop: *"]),
        ([segment(None), segment(""), segment({}), None, "x", segment(7)], STAR, ["Shop: 7"]),
        ([segment("A", "\x1b[2J"), segment("B", "x" * 256)], STAR, []),
        ([], VIP, []),
        (None, VIP, None),
        ("VIP", VIP, None),
        ([segment("VIP")], {}, None),
    ],
)
def test_tags_of_segments(segments: object, tags: Mapping[str, str], expected: list[str] | None) -> None:
    """By code; a star takes the rest by name. Without segments nothing is known, which is not the same as none."""
    assert tags_of({"segments": segments}, tags) == expected
