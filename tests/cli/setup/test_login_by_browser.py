"""`ccsync login` by redirect: in a real browser, and by a pasted address on a server."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from ccsync.sandbox.settings import SandboxSettings
from tests.browser import browser
from tests.cli.setup.test_callback import free_port
from tests.live import LiveShop
from tests.visitor import visit

SETTINGS = SandboxSettings(customers=3)
FLOWS = ["pkce", "code"]


@contextmanager
def fresh_shop(folder: Path, flow: str, redirect_uri: str | None = None) -> Iterator[LiveShop]:
    """A shop where nobody is logged in yet."""
    uri = redirect_uri or f"http://localhost:{free_port()}/callback"
    with LiveShop(folder, replace(SETTINGS, app_flow=flow, redirect_uri=uri), logs_in=False) as shop:
        yield shop


def started(shop: LiveShop, *words: str) -> tuple[subprocess.Popen[str], str, list[str]]:
    """A login under way: the process, the address it printed, and what it printed before."""
    process = shop.start("login", "--cc-only", *words)
    assert process.stdout is not None
    lines = []
    while not (line := process.stdout.readline()).strip().startswith("http"):
        assert line, process.communicate()
        lines.append(line)
    return process, line.strip(), lines


def test_the_whole_way_in_a_real_browser(tmp_path: Path) -> None:
    """Sign-in page, Allow Access?, back to the listener, a page that says how it ended; then the login works."""
    with fresh_shop(tmp_path, "pkce") as shop:
        chrome = browser()
        try:
            process, url, _ = started(shop, "--yes")
            chrome.get(url)
            chrome.find_element(By.NAME, "username").send_keys("owner@example.com")
            chrome.find_element(By.NAME, "password").send_keys("anything")
            chrome.find_element(By.ID, "signin").click()
            WebDriverWait(chrome, 20).until(lambda one: one.find_elements(By.ID, "allow"))
            chrome.find_element(By.ID, "allow").click()
            WebDriverWait(chrome, 20).until(lambda one: "approved ccsync" in one.page_source)
            assert "code=" not in chrome.page_source
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert "logged in to" in out
        finally:
            chrome.quit()
        assert shop.ccsync("login", "--check", "--cc-only").returncode == 0


@pytest.mark.parametrize("flow", FLOWS)
def test_both_flows(tmp_path: Path, flow: str) -> None:
    """An approval logs in, tokens are kept 0600, and they can be renewed."""
    with fresh_shop(tmp_path, flow) as shop:
        process, url, _ = started(shop, "--yes")
        page = requests.get(visit(url), timeout=30)
        assert "approved ccsync" in page.text
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert (tmp_path / "ccsync.db").stat().st_mode & 0o077 == 0
        assert "logged in to" in out
        shop.box.cc.revoke(refresh=False)
        assert shop.ccsync("login", "--check", "--cc-only").returncode == 0


def test_a_denial(tmp_path: Path) -> None:
    """Deny ends the login (exit 5), and the page in the browser says so."""
    with fresh_shop(tmp_path, "pkce") as shop:
        process, url, _ = started(shop, "--yes")
        assert "denied" in requests.get(visit(url, "deny"), timeout=30).text
        _, err = process.communicate(timeout=60)
        assert process.returncode == 5
        assert "denied" in err


def test_a_code_that_is_not_taken(tmp_path: Path) -> None:
    """When the vendor refuses the code, terminal and browser both say that the login failed (exit 5)."""
    with fresh_shop(tmp_path, "pkce") as shop:
        process, url, _ = started(shop, "--yes")
        shop.box.faults.add("status", vendor="cc_auth", path=".*/token", status=400, body='{"error": "invalid_grant"}')
        assert "did not take the code" in requests.get(visit(url), timeout=30).text
        _, err = process.communicate(timeout=60)
        assert process.returncode == 5
        assert "did not take the code" in err


@pytest.mark.parametrize("interrupt", [True, False])
def test_stopped_while_it_waits(tmp_path: Path, interrupt: bool) -> None:
    """Ctrl-C (130) and SIGTERM (143) end the wait at once, and the port is closed."""
    with fresh_shop(tmp_path, "pkce") as shop:
        process, _, _ = started(shop, "--yes")
        time.sleep(0.2)
        process.send_signal(2 if interrupt else 15)
        _, err = process.communicate(timeout=20)
        assert process.returncode == (130 if interrupt else 143)
        assert "Traceback" not in err
        with pytest.raises(requests.ConnectionError):
            requests.get(shop.box.settings.redirect_uri, timeout=5)


def test_pasting_the_address(tmp_path: Path) -> None:
    """With --no-browser no port is opened: a wrong paste is explained, the right one logs in."""
    with fresh_shop(tmp_path, "code", "https://localhost") as shop:

        def wrong(_: str) -> str:
            return "just-the-code"

        def right(screen: str) -> str:
            found = re.search(r"http://\S+/authorize\S+", screen)
            assert found, screen
            return visit(found[0])

        seen = shop.on_terminal(
            "login",
            "--cc-only",
            "--no-browser",
            "--yes",
            columns=400,
            answers={"Address: ": wrong, "not the right address": right},
        )
        assert seen.code == 0, seen.screen
        assert "copy all of the browser's address line" in seen.screen
        assert "logged in to" in seen.screen


def test_pasting_needs_a_terminal(tmp_path: Path) -> None:
    """Without a terminal nobody can paste: usage error (exit 2), nothing is asked."""
    with fresh_shop(tmp_path, "code", "https://localhost") as shop:
        done = shop.ccsync("login", "--cc-only", "--yes")
        assert done.returncode == 2
        assert "from a terminal" in done.stderr


def test_the_port_is_taken(tmp_path: Path) -> None:
    """A taken port is said with the way out (exit 4)."""
    with fresh_shop(tmp_path, "pkce") as shop:
        first, _, _ = started(shop, "--yes")
        try:
            (tmp_path / "other").mkdir()
            config = tmp_path / "other" / "ccsync.toml"
            config.write_text(shop.config_path.read_text())
            config.chmod(0o600)
            done = shop.ccsync("--config", str(config), "login", "--cc-only", "--yes")
            assert done.returncode == 4
            assert "--no-browser" in done.stderr
        finally:
            first.terminate()
            first.communicate(timeout=20)


def test_an_app_of_another_flow(tmp_path: Path) -> None:
    """A config that asks for the device flow of a PKCE app is told what to change (exit 4)."""
    with fresh_shop(tmp_path, "pkce") as shop:
        shop.config_path.write_text(shop.config_path.read_text().replace('flow = "pkce"', 'flow = "device"'))
        done = shop.ccsync("login", "--cc-only", "--yes")
        assert done.returncode == 4
        assert "Device Flow" in done.stderr


def test_a_user_without_an_account(tmp_path: Path) -> None:
    """A browser signed in as a user without account data is recognised, and nothing is saved (exit 5)."""
    with fresh_shop(tmp_path, "pkce") as shop:
        process, url, _ = started(shop, "--yes")
        shop.box.faults.add("wrong-body", vendor="cc_api", path=".*/account/summary", body="{}")
        requests.get(visit(url), timeout=30)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 5
        assert "account's owner" in err
        assert shop.ccsync("login", "--check", "--cc-only").returncode == 5
