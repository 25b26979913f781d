"""Where mapped data is: whatever the list's rows carry, contacts are whole and the dry run's cost is true."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from ccsync.errors import OutOfTime
from ccsync.from_kibo import events
from ccsync.reports import export_plan
from ccsync.reports.export_plan import Plan
from ccsync.sandbox.settings import ROW_SECTIONS, SandboxSettings
from ccsync.state import properties
from ccsync.state.log.runs import Run
from tests.harness import Shop, imported_rows
from tests.jobs.test_export import expected_members

USUAL = SandboxSettings(customers=60, seed=5)
MAPPING = """
[mapping]
first_name = "firstName"
last_name = "lastName"
phones = "phoneNumbers"
address = "address"
birthday = "attributes.tenant~birthday"
"cf:loyalty_tier" = "attributes.tenant~loyalty-tier"
"cf:segments" = "segments"
"cf:order_count" = "commerceSummary.orderCount"
"""
FEW_CALLS = 2
"""How far the calls to Kibo may be from what was announced: a token that runs out."""
FEW_POLLS = 4
"""How far those to Constant Contact may be: nobody knows beforehand how often an import has to be looked at."""
A_MINUTE_FOR_IMPORTS = 1.1
HOSTS = ("home", "tenant", "both")
SUBSETS = [frozenset(some) for size in range(5) for some in combinations(sorted(ROW_SECTIONS), size)]
USUAL_WAYS = {2 * place + place % 2 for place in (0, 1, 2, 3, 4, len(SUBSETS) - 1)}


def names(parts: frozenset[str]) -> str:
    return "+".join(sorted(parts)) or "nothing"


def calls(shop: Shop) -> tuple[int, int]:
    """The calls made so far: to Kibo, to Constant Contact's API."""
    made = shop.box.requests.calls
    return made.get("kibo_home", 0) + made.get("kibo_tenant", 0), made.get("cc_api", 0)


def announced_and_done(shop: Shop) -> tuple[Plan, dict[str, int], Run]:
    """A dry run, then the export it was about; their costs are compared here."""
    plan, counts = shop.dry_run()
    before, began_at = calls(shop), shop.clock.now()
    run = shop.export()
    kibo_calls, cc_calls = (after - earlier for after, earlier in zip(calls(shop), before, strict=True))
    assert abs(plan.kibo_calls - kibo_calls) <= FEW_CALLS, (plan.kibo_calls, kibo_calls)
    assert abs(plan.calls - cc_calls) <= FEW_POLLS, (plan.calls, cc_calls)
    minutes = (shop.clock.now() - began_at).total_seconds() / 60
    assert 0 <= plan.minutes - minutes <= A_MINUTE_FOR_IMPORTS, (plan.minutes, minutes)
    return plan, counts, run


def check_contacts(shop: Shop) -> None:
    """Everybody who had no contact before has what the store has of them, part by part."""
    wholes = {"contacts": 0, "attributes": 0, "segments": 0, "commerceSummary": 0}
    names_of_fields = {field_id: name for name, field_id in shop.box.cc.custom_fields.ids.items()}
    for row in imported_rows(shop):
        contact = shop.box.cc.contact(str(row["email"]))
        accounts = [shop.box.kibo.account(one) for one in shop.box.kibo.find_by_email(str(row["email"]))]
        opted_in = [one for one in accounts if one["acceptsMarketing"]]
        account: dict[str, Any] = max(opted_in, key=lambda one: (one["auditInfo"]["updateDate"], one["id"]))  # type: ignore[index]
        assert contact is not None
        if contact["first_name"] == "Known":
            continue
        fields = {names_of_fields[one["custom_field_id"]]: one["value"] for one in contact.get("custom_fields", ())}
        attributes = {one["fullyQualifiedName"]: one["values"][0] for one in account["attributes"]}
        assert fields["loyalty_tier"] == attributes["tenant~loyalty-tier"]
        _, month, day = attributes["tenant~birthday"].split("-")
        assert (contact["birthday_month"], contact["birthday_day"]) == (int(month), int(day))
        assert fields["order_count"] == str(account["commerceSummary"]["orderCount"])
        assert fields.get("segments", "") == ", ".join(one["code"] for one in account["segments"])
        streets = [one["street"] for one in contact.get("street_addresses", ())]
        lines = [one["address"]["address1"] for one in account["contacts"]]
        assert any(streets[0].startswith(line) for line in lines) if lines else not streets
        wholes["contacts"] += bool(streets)
        wholes["segments"] += "segments" in fields
        wholes["attributes"] += 1
        wholes["commerceSummary"] += 1
    assert min(wholes.values()) > 2, wholes


def something_happens(shop: Shop) -> None:
    """A day later: an attribute, a segment, a contact and an order have changed, one is gone, one is new."""
    shop.later(days=1)
    ours = [row for row in imported_rows(shop) if "first_name" in row]
    ids = [shop.box.kibo.find_by_email(str(row["email"]))[-1] for row in ours[:6]]
    change = shop.box.kibo.update_account
    change(ids[0], attributes=[{"fullyQualifiedName": "tenant~loyalty-tier", "values": ["platinum"]}])
    change(ids[1], segments=[{"id": 6, "code": "NEW"}])
    change(ids[2], contacts=[{"address": {"address1": "1 New St"}, "types": []}])
    change(ids[3], commerceSummary={"orderCount": 77})
    change(ids[4], acceptsMarketing=False)
    shop.box.kibo.add_account(emailAddress="new@example.com", firstName="New", acceptsMarketing=True)


def find_out_the_event_host(shop: Shop) -> None:
    """No event_url is set: ccsync finds the host itself."""
    text = shop.config_path.read_text()
    shop.config_path.write_text("".join(line + "\n" for line in text.splitlines() if not line.startswith("event_url")))


def pulled(shop: Shop) -> tuple[int, bool]:
    """How many events a pull finds, and whether the tenant's host gave them."""
    store = shop.open()
    tools = shop._clients(store)
    found = events.pull(shop._context(store, tools)).new
    at_tenant = properties.get(store, events.AT_TENANT) == "yes"
    shop._close(store, tools)
    return found, at_tenant


@pytest.mark.parametrize(
    ("carried", "shows_guests", "host"),
    [
        # Without --deep: nothing, each section alone, and all of them; with guests and without them in turn.
        pytest.param(*way, HOSTS[number % 3], marks=() if number in USUAL_WAYS else pytest.mark.deep)
        for number, way in enumerate(product(SUBSETS, (True, False)))
    ],
    ids=lambda one: names(one) if isinstance(one, frozenset) else str(one),
)
def test_every_combination(carried: frozenset[str], shows_guests: bool, host: str, tmp_path: Path) -> None:
    """Dry run, export, changes, dry run, export: costs as announced, contacts whole, events found on their host.

    Every set of parts with and without guests; the host, which only events have to do with, in turn.
    """
    settings = replace(USUAL, rows_carry=carried, guests_by_default=shows_guests, event_host=host)
    with Shop(tmp_path, settings, MAPPING) as shop:
        find_out_the_event_host(shop)
        expected = expected_members(shop)
        plan, counts, run = announced_and_done(shop)
        assert shop.members() == expected
        assert known(counts) == known(run.counts)
        assert bool(plan.single_reads) == (carried != ROW_SECTIONS)
        assert not plan.is_estimate
        check_contacts(shop)
        something_happens(shop)
        sent = len(imported_rows(shop))
        plan, counts, run = announced_and_done(shop)
        assert known(counts) == known(run.counts)
        assert (run.counts["added"], run.counts["updated"]) == (1, 4)
        assert len(imported_rows(shop)) == sent + 5
        assert pulled(shop) == (0, host == "tenant"), "an export takes the events in"


def known(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts that both a dry run and an export have; an opt-out is observed once by each."""
    return {key: number for key, number in counts.items() if number and key != "cut"}


@pytest.mark.parametrize("host", HOSTS)
def test_events_are_found_on_whichever_host_serves_them(host: str, tmp_path: Path) -> None:
    """No host is set: one 404 tells, once, and what was found out is kept."""
    with Shop(tmp_path, replace(USUAL, event_host=host)) as shop:
        find_out_the_event_host(shop)
        something = shop.box.kibo.account_ids()[0]
        shop.box.kibo.update_account(something, firstName="Changed")
        assert pulled(shop) == (2, host == "tenant")
        shop.box.kibo.update_account(something, firstName="Again")
        before = len(shop.requests("GET", "/event/pull"))
        assert pulled(shop) == (2, host == "tenant")
        assert len(shop.requests("GET", "/event/pull")) == before + 1


BIG = SandboxSettings(customers=700, seed=5, opted_in_percent=100, rows_carry=frozenset())


def test_a_dry_run_stays_affordable(tmp_path: Path) -> None:
    """Where everybody would be read one by one it reads a sample, says so, and its cost is true all the same."""
    with Shop(tmp_path, BIG, MAPPING) as shop:
        plan, counts, run = announced_and_done(shop)
        assert plan.is_estimate
        assert plan.single_reads == run.counts["read"] > 600
        assert known(counts) == known(run.counts)  # all are new
        sent = sum(len(record.body) for record in shop.box.requests.records if record.path.endswith("json_import"))
        assert plan.bytes == pytest.approx(sent, rel=0.2)
        for account_id in shop.box.kibo.account_ids()[::3]:
            shop.box.kibo.update_account(account_id, commerceSummary={"orderCount": 99})
        shop.later(days=1)
        before = calls(shop)[0]
        plan, counts = shop.dry_run()
        assert calls(shop)[0] - before < 20 + export_plan.SAMPLE
        run = shop.export()
        exact = {"read", "added", "suppressed", "rejected", "skipped"}
        assert {key: counts.get(key, 0) for key in exact} == {key: run.counts.get(key, 0) for key in exact}
        both = ("updated", "unchanged")
        assert sum(counts[key] for key in both) == sum(run.counts[key] for key in both)
        assert counts["updated"] == pytest.approx(run.counts["updated"], rel=0.6)


@pytest.mark.parametrize("lack", ["absent", "null", "empty"])
def test_a_first_page_of_empty_accounts_proves_nothing(lack: str, tmp_path: Path) -> None:
    """Nobody on the first page has a contact: only a later page tells that rows carry none, and all are read again."""
    settings = replace(BIG, customers=500, rows_carry=ROW_SECTIONS - {"contacts"}, rows_lack=lack)
    with Shop(tmp_path, settings, MAPPING) as shop:
        for account_id in shop.box.kibo.account_ids()[:230]:
            shop.box.kibo.update_account(account_id, contacts=[])
        _, counts, run = announced_and_done(shop)
        assert known(counts) == known(run.counts)
        check_contacts(shop)
        singles = [one for one in shop.requests("GET", "/accounts/") if one.rpartition("/")[2].isdigit()]
        assert len(singles) < 700  # by dry run and export together: nobody is read singly twice


@pytest.mark.parametrize("lack", ["absent", "null", "empty"])
def test_a_part_that_rows_no_longer_carry_changes_no_fingerprint(lack: str, tmp_path: Path) -> None:
    """Only one customer has a segment; when rows stop to show it, nothing is sent and the field keeps its value."""
    settings = replace(USUAL, opted_in_percent=100, customers=450)
    mapping = '\n[mapping]\nfirst_name = "firstName"\n"cf:segments" = "segments"\n'
    with Shop(tmp_path, settings, mapping) as shop:
        ids = shop.box.kibo.account_ids()
        for account_id in ids:
            shop.box.kibo.update_account(account_id, segments=[])
        shop.box.kibo.add_account(emailAddress="vip@example.com", segments=[{"code": "VIP"}], acceptsMarketing=True)
        shop.export()
        sent = len(imported_rows(shop))
        shop.box.kibo._settings = replace(settings, rows_carry=ROW_SECTIONS - {"segments"}, rows_lack=lack)
        shop.later(days=1)
        run = shop.export()
        assert len(imported_rows(shop)) == sent
        assert not run.counts.get("updated")


def test_a_run_that_has_to_end_does_not_begin_to_read_everybody_singly(tmp_path: Path) -> None:
    """Where events may be missing, a cron job says what a person has to do, instead of beginning anew for ever."""
    with Shop(tmp_path, BIG, MAPPING) as shop:
        shop.export()
        shop.later(days=20)
        shop.clock.left = 60.0
        before = calls(shop)[0]
        with pytest.raises(OutOfTime, match="one by one"):
            shop.flush()
        assert calls(shop)[0] - before < 20


def test_a_dry_run_counts_a_change_that_no_row_shows(tmp_path: Path) -> None:
    """A row that is what it was proves nothing where it lacks what is mapped: the account is read by itself."""
    with Shop(tmp_path, replace(USUAL, rows_carry=ROW_SECTIONS - {"segments"}), MAPPING) as shop:
        announced_and_done(shop)
        sent = [str(row["email"]) for row in imported_rows(shop) if "first_name" in row]
        # Rows go out in the order of a key that every state file draws anew: the first of them may be anybody.
        accounts = [shop.box.kibo.find_by_email(address)[-1] for address in sorted(sent)]
        account_id = next(one for one in accounts if not shop.box.kibo.account(one)["segments"])
        shop.later(days=1)
        shop.box.kibo.update_account(account_id, segments=[{"id": 6, "code": "NEW"}])
        _, counts, run = announced_and_done(shop)
        assert counts["updated"] == run.counts["updated"] == 1
