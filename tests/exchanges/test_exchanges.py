"""Every job, every command and every switch of the sandbox is recorded; `tests.conftest` checks each exchange."""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from ccsync.cli.app import cli
from ccsync.sandbox.settings import CHOICES, ROW_SECTIONS, SandboxSettings
from ccsync.sandbox.wire import Reply, Request
from tests.exchanges.check import mismatches
from tests.exchanges.description import Exchange, find, operations
from tests.exchanges.watch import DRIVEN, WATCH
from tests.inside import InsideShop

USUAL = SandboxSettings(customers=25, seed=3)
CHANGES = """
[mapping]
first_name = "firstName"
last_name = "lastName"
phones = "phoneNumbers"
address = "address"
"cf:loyalty_tier" = "attributes.tenant~loyalty-tier"
"""
NEW, LEAVER, OUT = "new@example.com", "leaver@example.com", "out@example.com"
COMMANDS: dict[str, tuple[str, ...]] = {
    "login": ("login", "--yes", "--campaigns", "--no-browser"),
    "configure": ("configure", "--from-email", "info@example.com", "--reply-to", "info@example.com", "--map",
                  "cf:Shop Number=id", "--create-fields", "--welcome-email"),
    "export": ("export", "--yes"),
    "flush-events": ("flush-events",),
    "poll-unsubscribes": ("poll-unsubscribes", "--full"),
    "events": ("events", "--refresh"),
    "reconcile": ("reconcile", "--fix", "--yes"),
    "campaign": ("campaign", "News", "--subject", "Hello", "--text", __file__),
    "status": ("status", "--live"),
    "doctor": ("doctor",),
    "why": ("why", NEW),
    "logs": ("logs",),
    "consent": ("consent", OUT),
    "forget": ("forget", NEW, "--yes"),
}  # fmt: skip
"""What calls a vendor, by command."""
SILENT = {"completion", "init", "backup", "report", "help"}


def switches() -> Iterator[tuple[str, object]]:
    """Every value of every switch that is not the usual one; without a login there is nothing to record."""
    for one in fields(SandboxSettings):
        if one.name in CHOICES:
            yield from ((one.name, value) for value in CHOICES[one.name] if value != one.default)
        elif isinstance(one.default, bool) and one.name not in ("hostile", "device_gives_refresh_token"):
            yield one.name, not one.default
    yield from (("rows_carry", ROW_SECTIONS - {part}) for part in sorted(ROW_SECTIONS))
    yield "plan_contact_limit", 20
    yield "put_loses", frozenset({"taxId"})


def play(shop: InsideShop) -> None:
    """A day: people come, change, leave and opt out, and every command runs."""
    kibo, cc = shop.box.kibo, shop.box.cc
    for address in (LEAVER, OUT):
        kibo.add_account(emailAddress=address, firstName="Ann", acceptsMarketing=True)
    for words in (COMMANDS["login"], COMMANDS["configure"], COMMANDS["export"]):
        _run(shop, words)
    shop.later(minutes=30)
    kibo.add_account(emailAddress=NEW, firstName="New", acceptsMarketing=True)
    kibo.update_account(kibo.find_by_email(OUT)[0], lastName="Newname")
    for address in shop.members():
        if address == LEAVER:
            cc.leave_list(LEAVER, "Web shop customers", "Contact")
        elif address == OUT:
            cc.unsubscribe(OUT)
    for words in (COMMANDS["flush-events"], COMMANDS["poll-unsubscribes"]):
        _run(shop, words)
        shop.later(minutes=30)
    for words in list(COMMANDS.values())[5:]:
        _run(shop, words)


def _run(shop: InsideShop, words: tuple[str, ...]) -> None:
    done = shop.ccsync(*words)
    assert done.returncode not in (1, 2), (words, done.stderr)


def test_every_command_is_recorded(tmp_path: Path) -> None:
    """A day of every command makes nearly every call that ccsync can make, and each fits."""
    with InsideShop(tmp_path, USUAL, CHANGES) as shop:
        play(shop)
        found = [find(one.vendor.partition("_")[0], one.method, one.path) for one in shop.box.requests.records]
        assert len({one.name for one in found if one}) >= 20, {one.name for one in found if one}
    assert cli.all().keys() == {*COMMANDS, *SILENT}


def _shown(value: object) -> str:
    # The order of a set differs between workers, and their names of a test must not.
    return "+".join(sorted(value)) if isinstance(value, frozenset) else str(value)[:40]


@pytest.mark.deep
@pytest.mark.parametrize(("name", "value"), list(switches()), ids=_shown)
def test_every_switch_is_recorded(tmp_path: Path, name: str, value: object) -> None:
    """Whatever the vendors do where their descriptions leave it open, what is said fits the descriptions."""
    settings = replace(USUAL, **{name: value})  # type: ignore[arg-type]
    with InsideShop(tmp_path, settings, CHANGES, logs_in=settings.app_flow == "device") as shop:
        if settings.app_flow == "device":
            play(shop)


def exchange(**changes: object) -> Exchange:
    """A look at one account, which fits."""
    usual: dict[str, object] = {
        "vendor": "kibo",
        "method": "GET",
        "path": "/api/commerce/customer/accounts/7",
        "query": (("responseFields", "id"),),
        "content_type": "",
        "body": b"",
        "status": 200,
        "answer_type": "application/json",
        "answer": b'{"id": 7, "emailAddress": null, "auditInfo": {"createDate": "2026-01-01T00:00:00.000Z"}}',
    }
    return Exchange(**usual | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"path": "/api/commerce/customers"}, "no description has this operation"),
        ({"path": "/api/commerce/customer/accounts/seven"}, "/accountId: seven is not int32"),
        ({"query": (("hat", "1"),)}, "?hat: is not declared"),
        ({"body": b"{}"}, "body: is not declared"),
        ({"method": "PUT", "query": (), "body": b"{}", "content_type": "text/csv"}, "text/csv is not declared"),
        ({"method": "PUT", "query": (), "body": b'{"id": "7"}', "content_type": "application/json"}, ".id:"),
        ({"method": "PUT", "query": (), "body": b'{"hat": 7}', "content_type": "application/json"}, "'hat'"),
        ({"status": 302}, "302 is not declared"),
        ({"status": 400, "answer": b'{"message": "no"}'}, "errorCode"),
        ({"answer": b"<html>"}, "is no JSON"),
        ({"answer": b'{"id": 7, "hat": 1}'}, "'hat'"),
        ({"answer": b'{"id": 7, "auditInfo": {"createDate": "yesterday"}}'}, ".auditInfo.createDate"),
        ({"answer": b'{"id": 7, "acceptsMarketing": null}'}, ".acceptsMarketing"),
    ],
)
def test_what_does_not_fit_is_found(changes: dict[str, object], expected: str) -> None:
    """A wrong path, parameter, body, status or answer is a mismatch, each with its place."""
    assert mismatches(exchange()) == []
    assert expected in " ".join(map(str, mismatches(exchange(**changes))))


def test_calls_of_no_client_are_found(tmp_path: Path) -> None:
    """ccsync may make no call that the vendors' own clients do not drive in tests/sdk."""
    described = {one.name for vendor in ("kibo", "cc") for one in operations(vendor)}
    assert described >= DRIVEN
    with InsideShop(tmp_path, USUAL) as shop:
        shop.ccsync("login", "--check")
        WATCH.look_at(_deletion(), _no_content(), is_real=True)
    assert any("no client in tests/sdk" in one for one in WATCH.take())


def _deletion() -> Request:
    path = "/v3/contact_lists/07936f78-662a-11eb-af0a-fa163e56c9b0"
    return Request("cc_api", "DELETE", path, (), {"user-agent": "ccsync/1"}, b"")


def _no_content() -> Reply:
    return Reply.json(202, {"activity_id": "07936f78-662a-11eb-af0a-fa163e56c9b0"})
