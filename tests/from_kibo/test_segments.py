"""Segments as data: the codes of a customer's segments are a field like any other."""

from pathlib import Path

import pytest

from tests.harness import imported_rows
from tests.jobs.polling import PAT, join, small_shop

MAPPING = '\n[mapping]\nfirst_name = "firstName"\n"cf:segments" = "segments"\n'


def segment(code: str, number: int) -> dict[str, object]:
    return {"id": number, "code": code, "name": code.title(), "description": ""}


@pytest.mark.parametrize("job", ["flush", "export"])
def test_a_change_of_segment_is_a_change_of_the_contact(job: str, tmp_path: Path) -> None:
    """In either job a new segment sends the row again with all codes; their order is no change."""
    with small_shop(tmp_path, MAPPING) as shop:
        (pat,) = join(shop, PAT, segments=[segment("VIP", 5)])
        shop.export()
        shop.flush()
        assert [one["cf:segments"] for one in imported_rows(shop) if one["email"] == PAT] == ["VIP"]
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=[segment("VIP", 5), segment("NORTH", 7)])
        getattr(shop, job)()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=[segment("NORTH", 7), segment("VIP", 5)])
        getattr(shop, job)()
        assert [one["cf:segments"] for one in imported_rows(shop) if one["email"] == PAT] == ["VIP", "NORTH, VIP"]
