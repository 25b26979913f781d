"""`ccsync doctor`: a line for each thing that can be wrong, its fix, and the code of the gravest."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccsync.cli.doctor.findings import GRAVEST_FIRST, gravest
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from tests.canaries import leaks_in
from tests.inside import InsideShop, SkewedClock

CHECKS = [
    "config", "permissions", "secrets", "state file", "disk", "lock", "cron", "Kibo login", "Kibo customers",
    "Kibo events", "Constant Contact login", "rights", "contact list", "custom fields", "tags",
    "automations", "clock",
]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=3, seed=7)) as made:
        made.ccsync("login", "--cc-only", "--yes", "--campaigns")
        made.ccsync("export", "--yes")
        made.box.kibo.add_account(emailAddress="kim@example.com", acceptsMarketing=True)
        made.ccsync("flush-events")
        made.ccsync("poll-unsubscribes")
        yield made


def examined(shop: InsideShop, **options: dict[str, str]) -> tuple[int, dict[str, dict[str, object]]]:
    """The exit code and each check's finding."""
    done = shop.ccsync("doctor", "--json", **options)  # type: ignore[arg-type]
    assert done.stderr == ""
    assert not leaks_in(done.stdout, set())
    document = json.loads(done.stdout)
    assert document["ok"] is (done.returncode == 0)
    assert document["code"] == done.returncode
    found = {one["check"]: one for one in document["checks"]}
    assert list(found) == CHECKS
    return done.returncode, found


def test_all_is_well(shop: InsideShop) -> None:
    """Exit 0, every check a line that begins with ok; nothing is changed at a vendor."""
    code, found = examined(shop)
    assert (code, {one["status"] for one in found.values()}) == (0, {"ok"}), found
    done = shop.ccsync("doctor")
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == CHECKS
    assert all(line.split("  ", 1)[1].strip().startswith("ok, ") for line in lines)
    assert shop.ccsync("-q", "doctor").stdout == ""


def test_it_only_looks(shop: InsideShop) -> None:
    """No call of it writes, but for the new token that it asks Kibo for; it works while a job runs."""
    before = len(shop.requests())
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        code, found = examined(shop)
    assert code == 0
    assert "ccsync export" in str(found["lock"]["what"])
    asked = shop.requests()[before:]
    assert {one for one in asked if not one.startswith("GET ")} == {"POST /api/platform/applications/authtickets/oauth"}


def typo(shop: InsideShop) -> None:
    shop.edit("[sync]\n", "[sync]\nintervall_minutes = 3\n")


def open_to_others(shop: InsideShop) -> None:
    shop.config.state.path.chmod(0o644)


def no_secret(shop: InsideShop) -> None:
    text = shop.config_path.read_text().splitlines()
    shop.config_path.write_text("\n".join(line for line in text if not line.startswith("client_secret")))


def no_state(shop: InsideShop) -> None:
    shop.config.state.path.unlink()


def no_folder(shop: InsideShop) -> None:
    shop.config_path.write_text(shop.config_path.read_text() + '\n[state]\npath = "nowhere/ccsync.db"\n')


def damaged(shop: InsideShop) -> None:
    path = shop.config.state.path
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xa5" * (4096 * 3)
    path.write_bytes(data)


def cron_asleep(shop: InsideShop) -> None:
    shop.later(hours=5)


def wrong_secret(shop: InsideShop) -> None:
    shop.edit(shop.box.settings.kibo_client_secret, "wrong-secret")


def logged_out(shop: InsideShop) -> None:
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'constant_contact'")
    store.close()


def kibo_down(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="kibo_tenant", nth=None, status=503)


def no_event(shop: InsideShop) -> None:
    store = shop.open()
    store.run("DELETE FROM meta WHERE key = 'events_ever_seen'")
    store.run("DELETE FROM events")
    store.close()


def no_privilege(shop: InsideShop) -> None:
    shop.box.cc.account.privileges -= {"contacts:write"}


def list_gone(shop: InsideShop) -> None:
    shop.box.cc.delete_list(shop.list_id)


def field_gone(shop: InsideShop) -> None:
    shop.edit("[sync]", '[mapping]\n"cf:shoe_size" = "id"\n[sync]')


def clock_ahead(shop: InsideShop) -> None:
    shop.own_clock = SkewedClock(shop.clock, 1_800.0)


@pytest.mark.parametrize(
    ("prepare", "code", "check", "text", "fix"),
    [
        (typo, 4, "config", "did you mean 'interval_minutes'?", "Correct"),
        (open_to_others, 4, "permissions", "Others may read", "chmod 600"),
        (no_secret, 4, "secrets", "no secret for Kibo", "Set one"),
        (no_state, 6, "state file", "There is no state file", "ccsync login"),
        (no_folder, 6, "disk", "nowhere: No such file or directory", "Check the path"),
        (damaged, 6, "state file", "damaged", "ccsync backup"),
        (cron_asleep, 1, "cron", "has not started flush-events and poll-unsubscribes", "ccsync init --print-crontab"),
        (wrong_secret, 4, "Kibo login", "refused the application's credentials", "Dev Center"),
        (kibo_down, 8, "Kibo customers", "could not be reached", "Nothing is lost"),
        (no_event, 1, "Kibo events", "No event has ever come", "customeraccount.created"),
        (logged_out, 5, "Constant Contact login", "Nobody has logged in", "ccsync login"),
        (no_privilege, 5, "rights", "contacts:write", "ccsync login"),
        (list_gone, 9, "contact list", "no longer exists", "ccsync configure --list"),
        (field_gone, 4, "custom fields", "no custom field shoe_size", "--create-fields"),
        (clock_ahead, 1, "clock", "clock is 30m", "timedatectl"),
    ],
)
def test_what_is_wrong(
    shop: InsideShop, prepare: Callable[[InsideShop], None], code: int, check: str, text: str, fix: str
) -> None:
    """One line has the check, the problem and the fix; the exit code is that of the error a run would meet."""
    prepare(shop)
    found_code, found = examined(shop)
    assert found_code == code, found
    assert (found[check]["status"], found[check]["code"]) == ("wrong", code)
    assert text in str(found[check]["what"])
    assert fix in str(found[check]["fix"])
    (line,) = [one for one in shop.ccsync("-q", "doctor").stdout.splitlines() if one.startswith(check)]
    assert "WRONG: " in line
    assert "Fix: " in line


def test_a_disk_that_is_nearly_full(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before a write fails."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000_000))
    code, found = examined(shop)
    assert (code, found["disk"]["status"]) == (6, "wrong")
    assert "Only 50 MB are free" in str(found["disk"]["what"])


def test_one_fault_does_not_hide_another(shop: InsideShop) -> None:
    """What can still be looked at is; the gravest code wins, and what rests on the fault is not checked."""
    logged_out(shop)
    open_to_others(shop)
    code, found = examined(shop)
    assert code == 4
    assert found["permissions"]["status"] == found["Constant Contact login"]["status"] == "wrong"
    assert found["contact list"]["status"] == "skipped"
    assert found["Kibo customers"]["status"] == "ok"


def test_a_state_file_that_cannot_be_used(shop: InsideShop) -> None:
    """It is there: what could not be checked for it does not say that there is none. A question ends with its mark."""
    damaged(shop)
    _, found = examined(shop)
    assert found["lock"]["what"] == "the state file cannot be used"
    typo(shop)
    assert "did you mean 'interval_minutes'? Fix: " in shop.ccsync("-q", "doctor").stdout


def test_kibo_is_blamed_once(shop: InsideShop) -> None:
    """Whether customers can be read is not known without a login."""
    wrong_secret(shop)
    _, found = examined(shop)
    assert [name for name, one in found.items() if one["status"] == "wrong"] == ["Kibo login"]


def test_without_a_config_nothing_else_is_blamed(shop: InsideShop) -> None:
    """What was not tried is not said to fail: each check names the config. The fix is one sentence."""
    shop.config_path.unlink()
    code, found = examined(shop)
    assert code == 4
    assert found.pop("config")["status"] == "wrong"
    assert {str(one["what"]) for one in found.values()} == {"the config cannot be used"}
    assert "  " not in shop.ccsync("-q", "doctor").stdout.partition("Fix: ")[2].strip()


def test_this_machine_s_trouble_is_named(tmp_path: Path) -> None:
    """A dead proxy shows as the proxy, and the rest is still looked at."""
    with InsideShop(tmp_path, SandboxSettings(customers=1), has_wire=True) as shop:
        code, found = examined(shop, environ={"HTTP_PROXY": "http://127.0.0.1:1"})
    assert code == 8
    assert "The proxy 127.0.0.1:1 cannot be reached" in str(found["Kibo login"]["what"])


def test_the_gravest_code() -> None:
    """Each code has its place, and nothing wrong is 0."""
    assert gravest(set()) == gravest({0}) == 0
    assert gravest({0, 1, 8, 5}) == 5
    assert [gravest({one, 1}) for one in GRAVEST_FIRST] == list(GRAVEST_FIRST)
