"""A state file belongs to one Kibo tenant and one Constant Contact account: with others it is not even looked into."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.cli.owner import ACCOUNT, TENANT
from ccsync.oauth import App
from ccsync.oauth.tokens import to_tokens
from ccsync.run.access import save_login
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import properties, tokens
from tests.cli.faults import check_error
from tests.inside import InsideShop

SETTINGS = SandboxSettings(customers=6, seed=3)
COMMANDS = {
    "login": ["login", "--yes"],
    "kibo only": ["login", "--kibo-only"],
    "cc only": ["login", "--cc-only", "--yes"],
    "check": ["login", "--check"],
    "configure": ["configure", "--list", "Web shop customers"],
    "export": ["export", "--yes"],
    "export dry": ["export", "--dry-run"],
    "flush": ["flush-events"],
    "poll": ["poll-unsubscribes"],
    "reconcile": ["reconcile"],
    "forget": ["forget", "pat@example.com", "--yes"],
    "events": ["events"],
    "refresh": ["events", "--refresh"],
    "logs": ["logs"],
    "status": ["status"],
    "live": ["status", "--live"],
    "why": ["why", "pat@example.com"],
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[InsideShop]:
    with InsideShop(tmp_path, SETTINGS) as made:
        yield made


def fact(shop: InsideShop, key: str) -> str | None:
    store = shop.open()
    try:
        return properties.get(store, key)
    finally:
        store.close()


def set_fact(shop: InsideShop, key: str, value: str | None) -> None:
    store = shop.open()
    properties.forget(store, key)
    if value is not None:
        properties.put(store, key, value)
    store.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_another_tenant_s_config_is_refused(shop: InsideShop, name: str) -> None:
    """Every command ends with 4 and the way out, before any call and any write."""
    second = shop.folder / "second.toml"
    second.write_text(shop.config_path.read_text().replace("tenant_id = 12345", "tenant_id = 678"))
    second.chmod(0o600)
    before, calls = shop.config.state.path.read_bytes(), len(shop.box.requests.records)
    done = shop.ccsync(*COMMANDS[name], config=second)
    check_error(done, {4}, "Kibo tenant 12345", "Kibo tenant 678", 'path = "second-678.db"', "share ccsync.db")
    assert len(shop.box.requests.records) == calls
    assert shop.config.state.path.read_bytes() == before


def test_a_state_file_of_its_own_is_the_way_out(tmp_path: Path) -> None:
    """The second shop's config in the same folder works once it has a path of its own, as the message says."""
    first, other = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    other.mkdir()
    with InsideShop(first, SETTINGS), InsideShop(other, SandboxSettings(tenant_id=678), logs_in=False) as second:
        config = first / "second.toml"
        config.write_text(second.config_path.read_text())
        config.chmod(0o600)
        check_error(second.ccsync("login", "--yes", config=config), {4}, "second-678.db")
        config.write_text(config.read_text() + '[state]\npath = "second-678.db"\n')
        assert second.ccsync("login", "--yes", config=config).returncode == 0
        assert second.ccsync("login", "--check", config=config).returncode == 0


@pytest.mark.parametrize("words", [["login", "--yes"], ["login", "--cc-only", "--yes"]])
def test_a_login_to_another_account_is_refused(shop: InsideShop, words: list[str]) -> None:
    """Exit 4 with the way out, also with --yes; the old login and what is remembered stay as they were."""
    store = shop.open()
    before = tokens.get(store, CONSTANT_CONTACT)
    store.close()
    own = fact(shop, ACCOUNT)
    shop.box.cc.account.encoded_account_id = "another"
    check_error(shop.ccsync(*words), {4}, "the Constant Contact account", "[state]")
    store = shop.open()
    assert tokens.get(store, CONSTANT_CONTACT) == before
    store.close()
    assert fact(shop, ACCOUNT) == own


def test_the_first_login_writes_both_owners(tmp_path: Path) -> None:
    """The tenant and the account are in the state file once the login has ended."""
    with InsideShop(tmp_path, SETTINGS, logs_in=False) as shop:
        assert shop.ccsync("login", "--yes").returncode == 0
        assert fact(shop, TENANT) == "12345"
        assert fact(shop, ACCOUNT) == shop.box.cc.account.encoded_account_id


@pytest.mark.parametrize(
    "words", [["login", "--kibo-only"], ["flush-events"], ["poll-unsubscribes"], ["export", "--yes"]]
)
def test_a_state_file_of_0_2_gets_its_owner(shop: InsideShop, words: list[str]) -> None:
    """Where the tenant's host is the one it knows, the next login or run writes the tenant, and asks no second time."""
    set_fact(shop, TENANT, None)
    assert shop.ccsync(*words).returncode in (0, 3)
    assert fact(shop, TENANT) == "12345"
    asked = len(shop.requests("GET", "/platform/tenants/"))
    assert shop.ccsync("poll-unsubscribes").returncode == 0
    assert len(shop.requests("GET", "/platform/tenants/")) == asked


@pytest.mark.parametrize("words", [["login", "--kibo-only"], ["flush-events"], ["poll-unsubscribes"]])
def test_a_state_file_of_0_2_that_is_another_tenant_s_is_refused(shop: InsideShop, words: list[str]) -> None:
    """Where it knows another host, nothing is done with it (exit 4), and it gets no mark."""
    set_fact(shop, TENANT, None)
    set_fact(shop, properties.TENANT_URL, "https://t1.example.com")
    check_error(shop.ccsync(*words), {4}, "t1.example.com", "[state]")
    assert fact(shop, TENANT) is None
    assert shop.latest() == []


WRONG_APPS = {
    "key": ("device", SETTINGS.cc_client_id, "another-key"),
    "secret": ("code", SETTINGS.cc_client_secret, "another-secret"),
}


@pytest.mark.parametrize("kind", WRONG_APPS)
def test_a_token_of_another_app_is_not_used(tmp_path: Path, kind: str) -> None:
    """A wrong API key or secret of Constant Contact's is found at once, though the old token would last for a day:
    by the login's check, doctor and the jobs. The login outlives it, and a right one costs no call.
    """
    flow, right, wrong = WRONG_APPS[kind]
    with InsideShop(tmp_path, replace(SETTINGS, app_flow=flow), logs_in=False) as shop:
        assert shop.ccsync("login", "--kibo-only").returncode == 0
        store = shop.open()
        secret = SETTINGS.cc_client_secret if flow == "code" else None
        answer, app = to_tokens(shop.box.cc.sign_in()), App("", SETTINGS.cc_client_id, flow, secret)
        save_login(store, answer, app, shop.clock.now())
        store.close()
        set_fact(shop, ACCOUNT, shop.box.cc.account.encoded_account_id)
        asked = len(shop.requests("POST", "/token"))
        assert shop.ccsync("poll-unsubscribes").returncode == 0
        assert len(shop.requests("POST", "/token")) == asked
        shop.edit(right, wrong)
        for words, code in (
            (["login", "--check"], 5),
            (["doctor"], 4),
            (["poll-unsubscribes"], 4),
            (["flush-events", "-v"], 4),
        ):
            done = shop.ccsync(*words)
            assert (done.returncode, "does not take this app" in done.stdout + done.stderr) == (code, True)
        shop.edit(wrong, right)
        asked = len(shop.requests("POST", "/token"))
        assert shop.ccsync("login", "--check").returncode == 0
        assert len(shop.requests("POST", "/token")) == asked


def test_a_kibo_token_of_another_secret_is_not_used(shop: InsideShop) -> None:
    """A wrong shared secret is found by every job at once, though the old token would last for an hour; a right one
    costs no call.
    """
    asked = len(shop.requests("POST", "authtickets"))
    assert shop.ccsync("poll-unsubscribes").returncode == 0
    shop.ccsync("export", "--yes")
    assert len(shop.requests("POST", "authtickets")) <= asked + 1
    shop.edit(SETTINGS.kibo_client_secret, "another-secret")
    for words in (["export", "--yes"], ["flush-events", "-v"], ["reconcile", "-v"]):
        check_error(shop.ccsync(*words), {4}, "Kibo refused the application's credentials", "shared secret")
    shop.edit("another-secret", SETTINGS.kibo_client_secret)
    asked = len(shop.requests("POST", "authtickets"))
    assert shop.ccsync("export", "--yes").returncode == 0
    assert len(shop.requests("POST", "authtickets")) == asked


@pytest.mark.parametrize(("days", "said"), [(2, "after 1 day;"), (200, "; expired ")])
def test_the_age_of_a_login(shop: InsideShop, days: int, said: str) -> None:
    """One day is one, and a login that has expired has no days left."""
    shop.later(hours=days * 24 - 20)
    done = shop.ccsync("login", "--check")
    assert (said in done.stdout, "-" in done.stdout.split("unused")[-1]) == (True, False), done.stdout
