"""What cron mails, code by code: a passing trouble at its third time, a lasting one once a day, its end once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.cli.cron.mail import Memory, takes_error
from ccsync.errors import CcsyncError, ConfigError, LockedError, RefusedError, VendorUnreachable
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock
from ccsync.state.database.times import to_text
from tests.canaries import leaks_in
from tests.inside import InsideShop

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOBS = pytest.mark.parametrize("job", ["flush-events", "poll-unsubscribes", "reconcile"])
PAT = "pat.doe@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SandboxSettings(customers=3, seed=7)) as made:
        made.box.kibo.add_account(emailAddress=PAT, firstName="Pat", acceptsMarketing=True)
        made.ccsync("export", "--yes")
        yield made


def mails(shop: InsideShop, job: str, times: int, *words: str, minutes: int = 30) -> list[tuple[int, str]]:
    """So many runs, half an hour apart or as said: each one's code and what cron would mail."""
    found = []
    for _ in range(times):
        done = shop.ccsync(job, *words)
        assert not leaks_in(done.stdout + done.stderr, set())
        found.append((done.returncode, done.stdout + done.stderr))
        shop.later(minutes=minutes)
    return found


@pytest.mark.parametrize(
    ("errors", "reported"),
    [
        ([VendorUnreachable("down")] * 4, [False, False, True, False]),
        ([LockedError("held"), VendorUnreachable("down"), LockedError("held"), LockedError("held")], "nnyn"),
        ([ConfigError("wrong")] * 3, "ynn"),
        ([ConfigError("3 wrong"), ConfigError("4 wrong"), RefusedError("no"), ConfigError("5 wrong")], "ynyn"),
        ([VendorUnreachable("down"), VendorUnreachable("down"), ConfigError("wrong"), VendorUnreachable("x")], "nnyn"),
        ([CcsyncError("bug")] * 2, "yy"),
    ],
)
def test_what_is_reported(errors: list[CcsyncError], reported: str | list[bool]) -> None:
    """Passing troubles at the third in a row, of whatever kind; lasting ones once a day; a bug each time."""
    memory = Memory()
    found = [takes_error(memory, error, NOON + timedelta(minutes=n)) for n, error in enumerate(errors)]
    assert found == [one in (True, "y") for one in reported]


def test_each_day_anew() -> None:
    """What stays wrong is reported on each day once."""
    memory, error = Memory(), RefusedError("no")
    days = [NOON + timedelta(minutes=30 * number) for number in range(48 * 3)]
    assert sum(takes_error(memory, error, at) for at in days) == len({at.astimezone().date() for at in days})


def test_jobs_that_meet_the_same_trouble_report_it_once(shop: InsideShop) -> None:
    """The first mails it and says when it is over; another job speaks up when it is alone with it."""
    login_gone(shop)
    assert mails(shop, "flush-events", 1)[0][1].startswith("Error: Nobody has logged in")
    assert mails(shop, "poll-unsubscribes", 2) == [(5, ""), (5, "")]
    login = Memory(reported={"passing": to_text(NOON)}, what="down")
    assert not takes_error(Memory(passing=2), VendorUnreachable("down"), NOON, [login])
    assert takes_error(Memory(passing=2), VendorUnreachable("up"), NOON, [login]), "another vendor"
    assert takes_error(Memory(passing=2), VendorUnreachable("down"), NOON, [Memory()]), "it works again there"
    assert takes_error(Memory(passing=2), VendorUnreachable("down"), NOON + timedelta(days=1), [login])


@JOBS
def test_a_passing_outage(shop: InsideShop, job: str) -> None:
    """Silent twice, mailed at the third run, then silent for the rest of the day; recovery is one line, once."""
    shop.box.faults.add("status", vendor="kibo_home", nth=None, status=503)
    shop.box.faults.add("status", vendor="kibo_tenant", nth=None, status=503)
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=503)
    found = mails(shop, job, 5)
    assert [code for code, _ in found] == [8] * 5
    assert [bool(text) for _, text in found] == [False, False, True, False, False]
    assert "could not be reached" in found[2][1]
    shop.box.faults.clear()
    (code, over), (_, after) = mails(shop, job, 2)
    assert code == 0
    assert over.startswith(f"{job} works again. Reported before: ")
    assert over.count("\n") == 1
    assert after == ""


def test_an_outage_that_passes_unreported_ends_unreported(shop: InsideShop) -> None:
    """If a problem was never mailed, its end is not mailed either, and the next one counts from zero."""
    for _ in range(2):
        shop.box.faults.add("status", vendor="kibo_home", nth=None, status=503)
        shop.box.faults.add("status", vendor="cc_api", nth=None, status=503)
        assert [text for _, text in mails(shop, "flush-events", 2)] == ["", ""]
        shop.box.faults.clear()
        assert mails(shop, "flush-events", 1) == [(0, "")]


@JOBS
def test_a_lock_is_waited_for(shop: InsideShop, job: str) -> None:
    """Two minutes without a terminal; then exit 7, silent until the third in a row."""
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        shop.clock.slept.clear()
        found = mails(shop, job, 3)
        assert sum(shop.clock.slept) == pytest.approx(3 * 120)
    assert [(code, bool(text)) for code, text in found] == [(7, False), (7, False), (7, True)]
    assert mails(shop, job, 1)[0][1].startswith(f"{job} works again.")


@pytest.mark.parametrize("job", ["flush-events", "poll-unsubscribes"])
@pytest.mark.parametrize(("span", "seconds"), [("0s", 0), ("90s", 90), ("5m", 300)])
def test_how_long_a_lock_is_waited_for(shop: InsideShop, job: str, span: str, seconds: int) -> None:
    """--wait says it; 0s is not at all."""
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        shop.clock.slept.clear()
        assert shop.ccsync(job, "--wait", span).returncode == 7
        assert sum(shop.clock.slept) == pytest.approx(seconds)
    assert shop.ccsync(job, "--wait", "soon").returncode == 2


def test_a_lock_that_is_let_go_meanwhile(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When two jobs collide, both get done and nothing is mailed."""
    lock = Lock(shop.config.state.path, "poll-unsubscribes", "2026-11-23T12:00:00.000Z")
    lock.__enter__()
    sleep, naps = shop.own_clock.sleep, list[float]()

    def nap(seconds: float) -> None:
        sleep(seconds)
        naps.append(seconds)
        if len(naps) == 5:
            lock.__exit__(None, None, None)

    monkeypatch.setattr(shop.own_clock, "sleep", nap)
    done = shop.ccsync("flush-events")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def wrong_config(shop: InsideShop) -> None:
    shop.edit("tenant_id", "tennant_id")


def no_config(shop: InsideShop) -> None:
    shop.config_path.rename(shop.folder / "elsewhere.toml")


def login_gone(shop: InsideShop) -> None:
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'constant_contact'")
    store.close()


def state_gone(shop: InsideShop) -> None:
    shop.config.state.path.unlink()


def list_gone(shop: InsideShop) -> None:
    shop.box.kibo.add_account(emailAddress="kim@example.com", firstName="Kim", acceptsMarketing=True)
    shop.box.cc.delete_list(shop.list_id)


@JOBS
@pytest.mark.parametrize(
    ("prepare", "code"), [(wrong_config, 4), (no_config, 4), (login_gone, 5), (state_gone, 6), (list_gone, 9)]
)
def test_a_lasting_trouble(shop: InsideShop, job: str, prepare: object, code: int) -> None:
    """One message a day, whatever it is that is missing, the config and the state file included."""
    prepare(shop)  # type: ignore[operator]
    began = shop.clock.now()
    found = mails(shop, job, 8, minutes=240)
    assert {one for one, _ in found} == {code}
    days = {(began + timedelta(minutes=240 * number)).astimezone().date() for number in range(8)}
    assert sum(bool(text) for _, text in found) == len(days)
    assert found[0][1].startswith("Error: ")


def test_a_person_at_a_terminal_hears_each_time(shop: InsideShop) -> None:
    """Output that was asked for with -v or --json is not treated as mail."""
    list_gone(shop)
    for words in (["-v"], ["-v"], ["-v"]):
        assert "no longer exists" in shop.ccsync(*words, "flush-events").stderr
    assert '"code": 9' in shop.ccsync("flush-events", "--json").stderr


def test_a_bug_is_one_line(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time, since each is another one."""

    def fail(*_: object, **__: object) -> object:
        raise RuntimeError(PAT)

    monkeypatch.setattr("sqlite3.connect", fail)
    assert [(code, text.count("\n")) for code, text in mails(shop, "flush-events", 2)] == [(1, 1), (1, 1)]


@pytest.mark.parametrize("job", ["flush-events", "poll-unsubscribes"])
def test_a_mistyped_line_of_the_crontab_is_one_line(shop: InsideShop, job: str) -> None:
    """Exit 2 and what is wrong, without the lines about usage that a terminal gets."""
    ((code, text),) = mails(shop, job, 1, "--acept", "3")
    assert (code, text.count("\n")) == (2, 1)
    assert "--acept" in text


@pytest.mark.undescribed
def test_rejected_records_are_one_line_with_the_commonest_reason(shop: InsideShop) -> None:
    """How many, the most common reason, and where to see the rest; the same records are not mailed again later."""
    for number in range(3):
        shop.box.kibo.add_account(emailAddress=f"two@@{number}.example.com", acceptsMarketing=True)
    shop.box.kibo.add_account(emailAddress=PAT, firstName="P" * 9_000, acceptsMarketing=None)
    ((code, text), (later, nothing)) = mails(shop, "flush-events", 2)
    assert (code, text.count("\n")) == (3, 1)
    assert "records were rejected, most often (3): " in text
    assert "emailAddress has more than one @" in text
    assert text.rstrip().endswith("--errors")
    assert (later, nothing) == (0, "")


def test_one_rejected_record_has_its_reason(shop: InsideShop) -> None:
    """One is one: no plural and nothing about most."""
    shop.box.kibo.add_account(emailAddress="two@@example.com", acceptsMarketing=True)
    ((_, text),) = mails(shop, "flush-events", 1)
    assert text.startswith("1 record was rejected: ")


def test_reconcile_before_the_first_export_is_one_line(tmp_path: Path) -> None:
    """What is to be done, in place of everybody's address; no call is made for it."""
    with InsideShop(tmp_path, SandboxSettings(customers=60, seed=7)) as shop:
        before = len(shop.requests())
        ((code, text),) = mails(shop, "reconcile", 1)
        assert (code, text.count("\n")) == (0, 1)
        assert "ccsync export --dry-run" in text
        assert len(shop.requests()) == before
        assert '"findings"' in shop.ccsync("reconcile", "--json").stdout


def test_drift_is_one_line_without_addresses(shop: InsideShop) -> None:
    """How many people and what of them; the table is for whoever asks."""
    shop.box.cc.leave_list(PAT, shop.list_id)
    store = shop.open()
    store.run("DELETE FROM sent")
    store.run("UPDATE bookmarks SET at = '2030-01-01T00:00:00.000Z' WHERE stream = 'events'")
    store.close()
    ((code, text),) = mails(shop, "reconcile", 1)
    assert (code, text.count("\n")) == (3, 1)
    assert "drifted apart" in text
    assert "missing" in text


def test_where_nothing_can_be_remembered_each_run_reports(shop: InsideShop) -> None:
    """Rather one mail too many than one too few."""
    list_gone(shop)
    (shop.folder / ".local").write_text("in the way")
    blocked = {"TMPDIR": str(shop.folder / ".local")}
    for _ in range(2):
        assert "no longer exists" in shop.ccsync("flush-events", environ=blocked).stderr
