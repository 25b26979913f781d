"""What the vendors' descriptions leave open: the export does right whichever way it turns out to be."""

from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.harness import Shop
from tests.jobs.test_export import expected_members

USUAL = SandboxSettings(customers=60, seed=5)
WAYS: dict[str, dict[str, object]] = {
    "pages over 200 are capped": {"page_over_200": "cap"},
    "guests are hidden": {"guests_by_default": False},
    "rows carry nothing": {"rows_carry": frozenset()},
    "rows carry no contacts": {"rows_carry": frozenset({"attributes", "segments", "commerceSummary"})},
    "updateDate cannot be filtered": {"update_date_filter": "refuse"},
    "updateDate is ignored": {"update_date_filter": "ignore"},
    "refresh tokens live long": {"refresh_tokens": "long-lived"},
    "refresh tokens are not sent back": {"refresh_tokens": "long-lived-silent"},
    "status means active": {"status_default": "active"},
    "optout_after is exclusive": {"optout_after_is_inclusive": False},
    "the unsubscribed stay on lists": {"unsubscribed_keep_lists": True},
    "no header row is counted": {"items_total_counts_header": False},
    "deleted contacts stay deleted": {"import_revives_deleted": False},
    "imports leave the unsubscribed alone": {"import_updates_unsubscribed": False},
    "a resubscribe forgets the opt-out": {"resubscribe_keeps_opt_out_date": False},
    "imports take long": {"import_seconds": 300.0},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_list_is_right_whichever_way_the_vendor_goes(way: str, tmp_path: Path) -> None:
    """Everyone who opted in and no one else, with the mapped data; the second run sends nothing."""
    with Shop(tmp_path, replace(USUAL, **WAYS[way])) as shop:  # type: ignore[arg-type]
        expected = expected_members(shop)
        shop.export()
        assert shop.members() == expected
        posts = len(shop.requests("POST"))
        shop.expire_token()
        shop.later(hours=1)
        shop.export()
        new = shop.requests("POST")[posts:]
        assert not [one for one in new if "contacts_json_import" in one]
        assert shop.box.cc.throttled_count == 0
        streets = [c for a in shop.members() if (c := shop.box.cc.contact(a)) and c.get("street_addresses")]
        assert len(streets) > 5


@pytest.mark.parametrize("way", ["correctable", "drop", "lose"])
def test_a_long_address_that_is_not_taken_is_named(way: str, tmp_path: Path) -> None:
    """Where an import takes no address over 50 characters, each one is rejected by name; the rest is on the list."""
    with Shop(tmp_path, replace(USUAL, long_address_import=way)) as shop:
        expected = {address for address in expected_members(shop) if len(address) <= 50}
        run = shop.export()
        assert shop.members() == expected
        codes = {record.code for record in shop.rejected(run) if len(record.email or "") in range(51, 81)}
        assert codes == {"long-address"}


@pytest.mark.parametrize("way", ["ignore", "error", "fail"])
def test_an_unknown_custom_field(way: str, tmp_path: Path) -> None:
    """A custom field that staff deleted after it was mapped: the rows that have it are refused, and are named."""
    mapping = '\n[mapping]\nfirst_name = "firstName"\n"cf:nowhere" = "id"\n'
    with Shop(tmp_path, replace(USUAL, unknown_custom_field=way), mapping) as shop:
        expected = expected_members(shop)
        if way == "ignore":
            shop.export()
            assert shop.members() == expected
        else:
            run = shop.export()
            assert run.errors > 10
            code = {"error": "not-imported", "fail": "refused"}[way]
            assert {record.code for record in shop.rejected(run)} >= {code}
