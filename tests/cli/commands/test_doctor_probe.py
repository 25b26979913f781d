"""`ccsync doctor --probe`: what the vendors leave open, found out without a change and without a word about anybody."""

import json
from pathlib import Path

import pytest

from ccsync.sandbox.settings import ROW_SECTIONS, SandboxSettings
from ccsync.state import Lock
from tests.canaries import leaks_in
from tests.inside import InsideShop

OUT = "out@example.com"


def probed(folder: Path, **settings: object) -> dict[str, str]:
    """What a probe of such vendors says, after a day in the shop."""
    with InsideShop(folder, SandboxSettings(customers=40, seed=7, **settings)) as shop:  # type: ignore[arg-type]
        shop.box.kibo.add_account(emailAddress=OUT, firstName="Ann", acceptsMarketing=True)
        shop.ccsync("export", "--yes")
        shop.box.cc.custom_fields.add("Shop Number", "string")
        shop.box.cc.unsubscribe(OUT)
        shop.later(days=3)
        new = shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
        shop.box.kibo.update_account(new, acceptsMarketing=False)
        shop.box.requests.records.clear()
        done = shop.ccsync("doctor", "--probe", "--json")
        assert not leaks_in(done.stdout, set())
        assert {one for one in shop.requests() if not one.startswith("GET ")} <= {
            "POST /api/platform/applications/authtickets/oauth", "POST /oauth2/default/v1/token"
        }  # fmt: skip
        found: dict[str, str] = json.loads(done.stdout)["probed"]
        assert not [fact for fact, value in found.items() if "not found out" in value]
        return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"Kibo: events at event_url": "served", "Kibo: events at the tenant's host": "not served",
              "Kibo: events asked for filtered-oldest-first": "taken", "Kibo: accounts filtered by updateDate": "taken",
              "Kibo: accounts filtered by auditInfo.updateDate": "refused (400)", "Kibo: oldest event": "3 days",
              "Kibo: guests in the usual list": "yes", "Kibo: 201 accounts asked for": "refused (400)",
              "Kibo: a row of the list lacks": "nothing", "Kibo: accounts sorted by id": "taken",
              "Kibo: accounts beyond the 10,000th": "nothing there to tell by",
              "Kibo: the audit log of an account": "shows changes of consent",
              "Constant Contact: opt-out found at its own date": "yes",
              "Constant Contact: lists after an unsubscribe": "none",
              "Constant Contact: names of custom fields": "both ways"}),
        ({"event_host": "tenant"}, {"Kibo: events at the tenant's host": "served"}),
        ({"event_filter": "refuse"}, {"Kibo: events asked for filtered-oldest-first": "refused (400)",
                                      "Kibo: events asked for newest-first": "taken"}),
        ({"event_filter": "ignore"}, {"Kibo: events asked for filtered": "taken, and the filter ignored"}),
        ({"update_date_name": "nested"}, {"Kibo: accounts filtered by updateDate": "refused (400)",
                                          "Kibo: accounts filtered by auditInfo.updateDate": "taken"}),
        ({"update_date_filter": "ignore"}, {"Kibo: accounts filtered by updateDate": "taken, and ignored"}),
        ({"sort_by_id": "ignore"}, {"Kibo: accounts sorted by id": "taken, and ignored"}),
        ({"sort_by_id": "refuse"}, {"Kibo: accounts sorted by id": "refused (400)"}),
        ({"guests_by_default": False}, {"Kibo: guests in the usual list": "no"}),
        ({"rows_carry": ROW_SECTIONS - {"contacts"}}, {"Kibo: a row of the list lacks": "contacts"}),
        ({"audit_log": "refuse"}, {"Kibo: the audit log of an account": "refused"}),
        ({"audit_log": "empty"}, {"Kibo: the audit log of an account": "shown, nothing there to tell by"}),
        ({"optout_after_is_inclusive": False}, {"Constant Contact: opt-out found at its own date": "no"}),
        ({"unsubscribed_keep_lists": True}, {"Constant Contact: lists after an unsubscribe": "some"}),
    ],
    ids=lambda one: " ".join(one),  # values may be sets, whose order differs between workers
)  # fmt: skip
def test_what_is_open_is_found_out(tmp_path: Path, settings: dict[str, object], expected: dict[str, str]) -> None:
    """The probe finds out each variant; it writes nothing at a vendor and shows no personal data."""
    found = probed(tmp_path, **settings)
    assert {fact: found[fact] for fact in expected} == expected


def test_the_runs_go_by_what_was_probed(tmp_path: Path) -> None:
    """The next flush asks in the way that was found, without a refused call."""
    with InsideShop(tmp_path, SandboxSettings(customers=4, event_filter="refuse", event_sort="refuse")) as shop:
        shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
        assert "\nConstant Contact: " in shop.ccsync("-q", "doctor", "--probe").stdout
        shop.box.requests.records.clear()
        shop.ccsync("flush-events")
        assert [one.status for one in shop.box.requests.records if one.path == "/api/event/pull"] == [200]


@pytest.mark.parametrize("answer", ["refuse", "shown"])
def test_a_refused_audit_log_is_not_asked_for(tmp_path: Path, answer: str) -> None:
    """What the probe found out of the audit log holds for the next runs."""
    with InsideShop(tmp_path, SandboxSettings(customers=2, audit_log=answer)) as shop:
        new = shop.box.kibo.add_account(emailAddress="new@example.com", acceptsMarketing=True)
        shop.ccsync("export", "--yes")
        shop.later(hours=1)
        shop.box.kibo.update_account(new, acceptsMarketing=False)
        shop.ccsync("doctor", "--probe")
        shop.box.requests.records.clear()
        shop.ccsync("flush-events")
        assert len(shop.requests("GET", "/AuditLog/")) == (answer == "shown")


def test_without_a_login_nothing_is_probed(tmp_path: Path) -> None:
    """It says why, and the checks have said how to fix it."""
    with InsideShop(tmp_path, SandboxSettings(customers=1)) as shop:
        shop.box.cc.revoke()
        done = shop.ccsync("doctor", "--probe")
        assert "nothing was probed" in done.stdout
        assert done.returncode == 5


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_while_a_job_runs_the_checks_are_made_and_nothing_is_probed(tmp_path: Path, options: list[str]) -> None:
    """A probe writes what it finds out, so it takes the lock: the run that has it is named, and the exit is 7."""
    with InsideShop(tmp_path, SandboxSettings(customers=1)) as shop:
        with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
            done = shop.ccsync("doctor", "--probe", *options)
        said = " ".join(done.stdout.split())
        assert "nothing was probed" in said
        assert "ccsync export" in said
        assert "Kibo customers" in said, "what only looks was done"
        assert done.returncode == 7
        assert shop.ccsync("doctor", "--probe").returncode == 0
