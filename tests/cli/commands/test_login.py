"""`ccsync login` and `login --check`: what they say of the account, of what is missing, and of the login's age."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ccsync.cli.setup.rights import PRIVILEGES
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, create_store, tokens
from ccsync.state.tokens import SavedToken
from tests.harness import Shop
from tests.inside import InsideShop
from tests.live import LiveShop
from tests.sweeps.test_crash import Crash
from tests.terminal import END_OF_INPUT, INTERRUPT, on_terminal

SETTINGS = SandboxSettings(customers=5)
LOGINS = ["login", "--yes"]
CHECK = ["login", "--check"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


def saved(shop: Shop) -> SavedToken | None:
    store = shop.open()
    try:
        return tokens.get(store, CONSTANT_CONTACT)
    finally:
        store.close()


def checked(shop: InsideShop) -> tuple[int, dict[str, dict[str, object]]]:
    """The code and the document of `login --check --json`."""
    done = shop.ccsync(*CHECK, "--json")
    return done.returncode, json.loads(done.stdout)


# what a login tells


def test_a_login_shows_whose_account_it_is(tmp_path: Path) -> None:
    """Organisation and contact e-mail; the state file is made, and nothing is asked with --yes."""
    with InsideShop(tmp_path, SETTINGS, logs_in=False) as shop:
        done = shop.ccsync(*LOGINS)
        assert done.returncode == 0
        assert 'logged in to "Sandbox Outfitters" (info@example.com)' in done.stdout
        assert done.stderr.startswith("New state file ")
        assert shop.ccsync("export", "--yes").returncode == 0


@pytest.mark.parametrize("key", [INTERRUPT, END_OF_INPUT])
def test_stopped_at_the_first_question(tmp_path: Path, key: str) -> None:
    """Whichever key: nothing was asked for, and what is said of the saved login is true, though it is revoked."""
    with LiveShop(tmp_path, SETTINGS) as shop:
        shop.box.cc.revoke()
        before = saved(shop)
        seen = shop.on_terminal("login", script=[("Log in again? [y/N]", key)])
        assert seen.code == 130
        shown = " ".join(seen.screen.split())
        assert "A login to Constant Contact is saved: " in shown
        assert "Stopped; the login that was saved before is unchanged." in shown
        assert saved(shop) == before
        assert not shop.requests("POST", "/token")[1:]


@pytest.mark.parametrize("key", ["y", "n", INTERRUPT, END_OF_INPUT])
def test_a_login_is_renewed_at_a_terminal(tmp_path: Path, key: str) -> None:
    """It asks whether to log in again, then whether the account is right; if not, the saved login stays."""
    with LiveShop(tmp_path, replace(SETTINGS, device_interval_seconds=1)) as shop:
        shop.box.cc.approve_automatically = True
        before = saved(shop)
        seen = shop.on_terminal("login", script=[("Log in again? [y/N]", "y"), ("right account? [y/N]", key)])
        assert seen.code == {"y": 0, "n": 11}.get(key, 130), seen.screen
        assert "renewed today" in seen.screen
        assert (saved(shop) == before) is (key != "y")
        if key in (INTERRUPT, END_OF_INPUT):
            assert "Stopped; the login that was saved before is unchanged." in " ".join(seen.screen.split())


def test_a_new_state_file_says_what_is_lost(shop: InsideShop) -> None:
    """With a list configured already, the login says that nothing is lost that the vendors still know."""
    shop.config.state.path.unlink()
    done = shop.ccsync(*LOGINS)
    assert done.returncode == 0
    assert "The next export first reads all" in done.stderr


def test_the_log_of_a_file_that_is_gone_is_not_played_into_a_new_one(shop: InsideShop) -> None:
    """A -wal that was left behind belongs to nothing; taken for the new file's it would damage it."""
    store = shop.open()
    store.run("INSERT INTO meta VALUES ('left', 'behind')")
    log = shop.config.state.path.with_name("ccsync.db-wal")
    left_behind = log.read_bytes()
    assert left_behind
    store.close()
    shop.config.state.path.unlink()
    log.write_bytes(left_behind)
    create_store(shop.config.state.path).close()
    store = shop.open()
    assert store.one("PRAGMA integrity_check") == ("ok",)
    assert store.one("SELECT value FROM meta WHERE key = 'left'") is None
    store.close()


@pytest.mark.parametrize("privilege", sorted(set(PRIVILEGES) - {"account:read"}))
def test_a_missing_privilege_is_named_with_what_it_breaks(shop: InsideShop, privilege: str) -> None:
    """The login is saved with a warning; --check says the same, and exits 5."""
    shop.box.cc.account.privileges.discard(privilege)
    done = shop.ccsync(*LOGINS, "--campaigns")
    assert done.returncode == 0
    assert f"Warning: the user lacks the privilege {privilege}, needed for " in done.stderr
    code, found = checked(shop)
    assert code == 5
    assert found["constant_contact"]["missing_privileges"] == [privilege]
    assert privilege in str(found["constant_contact"]["error"])


@pytest.mark.parametrize(
    ("scope", "saves"), [("account_read offline_access", True), ("contact_data offline_access", False)]
)
def test_a_missing_scope_is_named_with_what_it_breaks(shop: InsideShop, scope: str, saves: bool) -> None:
    """Without contact_data no job works, which is said; without account_read nothing is saved (exit 5)."""
    shop.box.faults.add(
        "wrong-body",
        vendor="cc_auth",
        path=".*/token",
        body=json.dumps({**shop.box.cc.sign_in(scope), "scope": scope}),
    )
    before = saved(shop)
    done = shop.ccsync("login", "--cc-only", "--yes")
    (missing,) = {"account_read", "contact_data"} - set(scope.split())
    assert f"the login lacks the scope {missing}, needed for " in done.stderr
    assert done.returncode == (0 if saves else 5)
    assert (saved(shop) != before) is saves
    if saves:
        code, found = checked(shop)
        assert (code, found["constant_contact"]["missing_scopes"]) == (5, ["contact_data"])


def no_account_id(shop: InsideShop) -> None:
    shop.box.cc.account.encoded_account_id = ""


def no_privileges(shop: InsideShop) -> None:
    shop.box.cc.account.privileges.clear()


def no_right_to_the_account(shop: InsideShop) -> None:
    body = '[{"error_key": "account.api.access_denied"}]'
    shop.box.faults.add("status", vendor="cc_api", path=".*/account/summary", status=403, body=body)


def refused_at_once(shop: InsideShop) -> None:
    shop.box.faults.add("status", vendor="cc_api", nth=None, status=401, body='{"error_key": "unauthorized"}')


@pytest.mark.parametrize("user", [no_account_id, no_privileges, no_right_to_the_account, refused_at_once])
def test_a_user_without_the_account_s_data_is_recognised(shop: InsideShop, user: object) -> None:
    """A portal user, a campaign manager: the person is told to sign in as the owner, and nothing is saved (exit 5)."""
    before = saved(shop)
    assert callable(user)
    user(shop)
    done = shop.ccsync("login", "--cc-only", "--yes")
    assert done.returncode == 5
    assert "nothing was saved" in done.stderr
    assert "Fix:   Sign out in the browser, sign in there as the account's owner, then: ccsync login" in done.stderr
    assert saved(shop) == before


def test_hostile_words_of_the_vendors_are_harmless(tmp_path: Path) -> None:
    """Escapes in names and addresses of the vendors' answers show as text on a terminal, and can be kept."""
    evil = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202e\ud800"
    with InsideShop(
        tmp_path, SandboxSettings(customers=1, device_interval_seconds=1), logs_in=False, has_wire=True
    ) as shop:
        summary = {"encoded_account_id": "x", "organization_name": f"Org{evil}", "contact_email": "info@example.com"}
        shop.box.faults.add("wrong-body", vendor="cc_api", path=".*/account/summary", body=json.dumps(summary))
        device = {"device_code": "d", "user_code": f"C{evil}", "verification_uri": f"https://x.example.com/{evil}",
                  "verification_uri_complete": f"https://y.example.com/{evil}", "interval": 1}  # fmt: skip
        shop.box.faults.add("wrong-body", vendor="cc_auth", path=".*/device/authorize", body=json.dumps(device))
        shop.box.faults.add("wrong-body", vendor="cc_auth", path=".*/token", body=json.dumps(shop.box.cc.sign_in()))
        seen = on_terminal(shop.config_path, "login", "--cc-only", columns=200, answers={"right account?": "yes"})
        assert seen.code == 0, seen.screen
        assert seen.screen.count("\\x1b[2J\\x1b]52;c;ZXZpbA==\\x07\\u202e\\ud800") == 5
        assert not set(seen.screen) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize("domain", ["", "a b", "evil.example/@x", "[::1", "x:99999", "\ud800.example.com", "-x", 7])
def test_a_tenant_s_host_that_is_none(shop: InsideShop, domain: object) -> None:
    """What Kibo names as host goes into requests: anything else than a host is refused (exit 8)."""
    body = json.dumps({"id": 12345, "name": "Shop", "domain": domain})
    shop.box.faults.add("wrong-body", vendor="kibo_home", path="/api/platform/tenants", body=body)
    done = shop.ccsync("login", "--kibo-only")
    assert done.returncode == 8
    assert "which host serves tenant 12345" in done.stderr


# login --check


def test_a_check_changes_nothing_and_asks_nothing(shop: InsideShop) -> None:
    """Without a terminal it says what works; no login, no setting, no file is other than before."""
    before = saved(shop), shop.config_path.read_bytes(), sorted(one.name for one in tmp_files(shop))
    asked = len(shop.box.requests.records)
    done = shop.ccsync(*CHECK)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "Kibo: works, tenant 12345 (Sandbox Shop)"
    assert done.stdout.splitlines()[1] == 'Constant Contact: works, "Sandbox Outfitters" (info@example.com)'
    assert done.stdout.splitlines()[2].startswith("    login renewed today; expires ")
    asked_for_tokens = "/authtickets/oauth"
    new = [one for one in list(shop.box.requests.records)[asked:] if asked_for_tokens not in one.path]
    assert not any(one.is_mutating for one in new)
    assert (saved(shop), shop.config_path.read_bytes(), sorted(one.name for one in tmp_files(shop))) == before


def tmp_files(shop: InsideShop) -> list[Path]:
    return [one for one in shop.folder.iterdir() if one.suffix not in (".db-wal", ".db-shm")]


def test_a_check_tells_the_age_from_before_it_renewed(shop: InsideShop) -> None:
    """A login of 40 days is renewed by the check, which says both; the next check sees it a day later."""
    shop.later(days=40)
    line = shop.ccsync(*CHECK).stdout.splitlines()[2]
    assert "login renewed just now, after 40 days" in line
    assert "expires 2027-07-01 if unused (180 days left)" in line
    shop.later(hours=23)
    _, found = checked(shop)
    assert found["constant_contact"]["idle_days"] == 0
    shop.later(days=1, minutes=-90)
    code, found = checked(shop)
    assert (code, found["works"]) == (0, True)


def test_a_check_is_one_document_for_programs(shop: InsideShop) -> None:
    """--json: what works, whose account, the times in UTC, and the error of what does not; the last line on stderr."""
    code, found = checked(shop)
    assert code == 0
    contact = found["constant_contact"]
    assert contact["renewed_at"] == str(contact["renewed_at"]).replace("+00:00", "Z")
    assert contact["organization_name"] == "Sandbox Outfitters"
    assert found["kibo"]["tenant_id"] == 12345
    shop.box.cc.revoke()
    done = shop.ccsync(*CHECK, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["works"], found["kibo"]["works"]) == (5, False, True)
    assert found["constant_contact"]["works"] is False
    last = json.loads(done.stderr.splitlines()[-1])["error"]
    assert last == found["constant_contact"]["error"]
    assert last["fix"].startswith("ccsync login")


def test_json_is_for_checks(shop: InsideShop) -> None:
    """A login talks to a person: --json without --check is a usage error."""
    assert shop.ccsync("login", "--json").returncode == 2


def test_both_halves_are_tried(shop: InsideShop) -> None:
    """A Kibo that refuses the app does not hide what is wrong at Constant Contact; each has its three lines."""
    shop.box.cc.revoke()
    shop.edit(shop.box.settings.kibo_client_secret, "wrong-secret")
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'kibo'")
    store.close()
    done = shop.ccsync(*CHECK)
    assert done.returncode == 5
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == [
        "Kibo: does not work",
        "Constant Contact: does not work",
    ]
    assert done.stderr.count("Error: ") == done.stderr.count("Fix: ") == 2


def test_a_vendor_that_is_down_is_not_a_login_that_does_not_work(shop: InsideShop) -> None:
    """Exit 8 and "could not be tried"; a login that does not work weighs more (exit 5)."""
    shop.box.faults.add("status", vendor="kibo_home", nth=None, status=503)
    done = shop.ccsync(*CHECK)
    assert done.returncode == 8
    assert "Kibo: could not be tried" in done.stdout
    assert "Constant Contact: works" in done.stdout
    shop.box.cc.revoke()
    assert shop.ccsync(*CHECK).returncode == 5


def test_nobody_has_logged_in_yet(shop: InsideShop) -> None:
    """A state file without a login: exit 5, and the command to run."""
    shop.config.state.path.unlink()
    create_store(shop.config.state.path).close()
    code, found = checked(shop)
    assert code == 5
    assert "Nobody has logged in" in str(found["constant_contact"]["error"])


def test_a_check_works_beside_a_job(shop: InsideShop) -> None:
    """While a run holds the lock, the saved login is tried without renewal; if it needs one, the check exits 7."""
    with Lock(shop.config.state.path, "export", "2026-11-23T12:00:00.000Z"):
        assert shop.ccsync(*CHECK).returncode == 0
        shop.expire_token()
        before = saved(shop)
        done = shop.ccsync(*CHECK)
        assert done.returncode == 7
        assert "`ccsync export` since 2026-11-23 12:00:00 +00:00" in done.stderr
        assert saved(shop) == before
    assert shop.ccsync(*CHECK).returncode == 0


def test_another_account_s_login(shop: InsideShop) -> None:
    """If the saved login belongs to another account than before, the check says so (exit 5)."""
    shop.box.cc.account.encoded_account_id = "another"
    done = shop.ccsync(*CHECK)
    assert done.returncode == 5
    assert "belongs to another account" in done.stderr


# the login's age: fault T6


@pytest.mark.parametrize(("days", "warns"), [(149, False), (150, True), (179, True)])
@pytest.mark.parametrize("command", [["export", "--yes"], ["configure", "--disable"]], ids=["export", "configure"])
def test_a_login_that_lies_unused_is_warned_of(shop: InsideShop, days: int, warns: bool, command: list[str]) -> None:
    """At 150 days one line warns and the command does its work; cron mails it once."""
    shop.later(days=days)
    shop.box.kibo.delete_account(shop.box.kibo.account_ids()[0])
    done = shop.ccsync(*command)
    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if line.startswith("Warning")]
    assert len(told) == warns
    if warns:
        assert f"was last renewed {days} days ago" in told[0]
        assert "on 2027-05-22" in told[0]
        assert "ccsync login --check" in told[0]
    assert "Warning" not in shop.ccsync(*command).stderr


def test_a_login_that_has_lapsed(shop: InsideShop) -> None:
    """After 180 days the run says since when it was unused and what to do (exit 5); a new login fixes it."""
    shop.later(days=181)
    done = shop.ccsync("export", "--yes")
    assert done.returncode == 5
    assert (
        "last renewed 2026-11-23 12:00:05 +00:00 (181 days ago); a login expires after 180 days without use"
        in done.stderr
    )
    assert shop.ccsync(*LOGINS).returncode == 0
    assert shop.ccsync("export", "--yes").returncode == 0


def test_a_reader_warns_at_a_terminal_only(shop: InsideShop) -> None:
    """`logs` warns on a terminal and changes nothing; programs that read it get no warning."""
    store = shop.open()
    then = (shop.clock.now() - timedelta(days=3_650)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    store.run("UPDATE tokens SET obtained_at = ? WHERE vendor = ?", then, CONSTANT_CONTACT)
    store.close()
    assert shop.ccsync("logs").stderr == "No run yet. Start with: ccsync export --dry-run\n"
    seen = on_terminal(shop.config_path, "logs", columns=400)
    assert seen.code == 0
    assert "without use, which was 2017-05-" in seen.screen


# a renewal that goes wrong: faults T1 to T3


@pytest.mark.parametrize(("kind", "code"), [("rotating", 5), ("long-lived", 3), ("long-lived-silent", 3)])
def test_the_answer_of_a_renewal_is_lost(tmp_path: Path, kind: str, code: int) -> None:
    """A rotating token is used up by it: one more try, then the command to run; a long-lived one goes on."""
    with InsideShop(tmp_path, SandboxSettings(customers=20, seed=7, refresh_tokens=kind)) as shop:
        shop.expire_token()
        before = saved(shop)
        asked = len(shop.requests("POST", "/token"))
        shop.box.faults.add("reset-after", vendor="cc_auth", path=".*/token")
        done = shop.ccsync("export", "--yes")
        assert done.returncode == code, done.stderr
        assert len(shop.requests("POST", "/token")) == asked + 2
        if code == 5:
            assert "invalid_grant" in done.stderr
            assert "ccsync login" in done.stderr
            assert saved(shop) == before


@pytest.mark.parametrize("kind", ["rotating", "long-lived"])
def test_a_death_at_any_step_of_a_renewal(tmp_path: Path, kind: str) -> None:
    """Afterwards the old login or the new one is saved, whole; only the rotated one's lost answer costs a login."""
    number, codes = 0, set[int]()
    while True:
        number += 1
        (folder := tmp_path / str(number)).mkdir()
        with InsideShop(folder, SandboxSettings(customers=3, refresh_tokens=kind)) as shop:
            shop.expire_token()
            before = saved(shop)
            labels: list[str] = []

            def die(label: str, labels: list[str] = labels, number: int = number) -> None:
                labels.append(label)
                if len(labels) == number:
                    raise Crash

            shop.on_boundary = die
            try:
                shop.export()
                died = False
            except Crash:
                died = True
            shop.on_boundary = lambda _: None
            after = saved(shop)
            assert before is not None
            assert after is not None
            assert after.refresh_token
            if kind == "long-lived":
                assert after.refresh_token == before.refresh_token
            codes.add(shop.ccsync("login", "--check").returncode)
            assert codes <= ({0, 5} if kind == "rotating" else {0})
        if not died or any("/v3/" in label for label in labels):
            break
    assert number > 5


@pytest.mark.parametrize("seconds", ["86400", 0, -5, 10**12, None, True, "soon"])
def test_a_senseless_lifetime_of_a_token(shop: InsideShop, seconds: object) -> None:
    """Text is read as a number, nonsense is an hour; the login works on."""
    shop.expire_token()
    answer = {**shop.box.cc.sign_in(), "expires_in": seconds}
    shop.box.faults.add("wrong-body", vendor="cc_auth", path=".*/token", body=json.dumps(answer))
    assert shop.ccsync(*CHECK).returncode == 0
    now = saved(shop)
    assert now is not None
    lifetime = (now.expires_at - now.obtained_at).total_seconds()
    assert lifetime == (86_400 if seconds == "86400" else 3_600)


def test_a_token_that_lasts_a_minute(shop: InsideShop) -> None:
    """It is used for half of it: a run does not renew it for every call."""
    shop.expire_token()
    asked = len(shop.requests("POST", "/token"))
    for _ in range(5):
        answer = {**shop.box.cc.sign_in(), "expires_in": 60}
        shop.box.faults.add("wrong-body", vendor="cc_auth", path=".*/token", body=json.dumps(answer))
    assert shop.ccsync("export", "--yes").returncode == 0
    assert len(shop.requests("POST", "/token")) == asked + 1


@pytest.mark.parametrize("value", ["with blank", "new\nline", "\ud800", "ümlaut", "", 7, None])
def test_a_token_that_no_request_can_carry(shop: InsideShop, value: object) -> None:
    """It is no token: the vendor's answer is at fault (exit 8), and the old login stays."""
    shop.expire_token()
    before = saved(shop)
    shop.box.faults.add(
        "wrong-body", vendor="cc_auth", path=".*/token", nth=None, body=json.dumps({"access_token": value})
    )
    done = shop.ccsync("export", "--yes")
    assert done.returncode == 8
    assert "has no token" in done.stderr
    assert saved(shop) == before


WRONG_SECRETS = {
    "wrong": ('client_secret = "wrong"', "refused the application's credentials"),
    "missing": ("", "There is no secret for Kibo"),
}


@pytest.mark.parametrize("words", [["login", "--kibo-only"], ["login", "--check"]])
@pytest.mark.parametrize("kind", WRONG_SECRETS)
def test_a_secret_that_is_wrong_is_told_though_an_old_token_lasts(
    shop: InsideShop, words: list[str], kind: str
) -> None:
    """A login and its check always ask Kibo for a new token, so a wrong secret is found."""
    assert shop.ccsync("login", "--kibo-only").returncode == 0
    replacement, told = WRONG_SECRETS[kind]
    shop.edit(f'client_secret = "{shop.box.settings.kibo_client_secret}"', replacement)
    done = shop.ccsync(*words)
    assert done.returncode == (5 if kind == "wrong" and "--check" in words else 4)
    assert told in done.stderr


@pytest.mark.parametrize("words", [["login", "--kibo-only"], ["login", "--check"]])
def test_a_login_asks_kibo_for_a_new_token(shop: InsideShop, words: list[str]) -> None:
    """Each time, and once: the token is kept for the jobs."""
    before = len(shop.requests("POST", "authtickets"))
    for number in (1, 2):
        assert shop.ccsync(*words).returncode == 0
        assert len(shop.requests("POST", "authtickets")) == before + number


def test_whoever_is_logged_in_is_asked_whether_to_log_in_again(tmp_path: Path) -> None:
    """As whom is said; a no is exit 11, keeps the login and asks the vendor for nothing; --yes does not ask."""
    with LiveShop(tmp_path, SETTINGS) as shop:
        before = len(shop.requests("POST", "/device/authorize"))
        seen = shop.on_terminal("login", "--cc-only", answers={"Log in again?": "n"})
        assert seen.code == 11
        assert "A login to Constant Contact is saved: " in seen.screen
        assert "The login stays as it is." in seen.screen
        assert len(shop.requests("POST", "/device/authorize")) == before
        shop.box.cc.approve_automatically = True
        assert shop.ccsync("login", "--cc-only", "--yes").returncode == 0


def test_waiting_is_shown_and_ctrl_c_says_what_is_true(tmp_path: Path) -> None:
    """It shows how long it waits for the approval; after Ctrl-C it says that nothing was saved."""
    with LiveShop(tmp_path, SETTINGS, logs_in=False, waits=True) as shop:
        seen = shop.on_terminal("login", "--cc-only", interrupt_at="Waiting for your approval")
        assert seen.code == 130
        assert re.search(r"Waiting for your approval, \d+m", seen.screen)
        assert "only the user who created it" in seen.screen
        assert "Stopped; no login was saved." in seen.screen
        assert "Run it again to continue" not in seen.screen


def test_a_wrong_account_is_declined(tmp_path: Path) -> None:
    """The new login is not saved, whatever the reason was (exit 11)."""
    with LiveShop(tmp_path, SETTINGS, logs_in=False) as shop:
        shop.box.cc.approve_automatically = True
        seen = shop.on_terminal("login", "--cc-only", answers={"right account?": "n"})
        assert seen.code == 11
        assert "Cancelled. The new login was not saved." in seen.screen
        assert shop.ccsync("logs").returncode == 0
        assert shop.ccsync("login", "--check", "--cc-only").returncode == 5
