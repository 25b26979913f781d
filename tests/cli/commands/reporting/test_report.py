"""`ccsync report`: a valid page without personal data that loads nothing and is written completely or not at all."""

import sys
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from ccsync.sandbox.settings import SandboxSettings
from tests.browser import browser
from tests.canaries import leaks_in
from tests.inside import InsideShop

SETTINGS = SandboxSettings(customers=120, seed=7, hostile=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InsideShop]:
    """A shop with some days behind it: people came, unsubscribed, left, and opted out in bulk."""
    with InsideShop(tmp_path_factory.mktemp("shop"), SETTINGS) as made:
        assert made.ccsync("export", "--yes").returncode in (0, 3)
        for day in range(3):
            made.box.kibo.add_account(emailAddress=f"new{day}@example.com", acceptsMarketing=True)
            made.box.cc.unsubscribe(sorted(made.box.cc.members(made.list_id))[day])
            made.later(days=1)
            made.ccsync("flush-events")
            made.ccsync("poll-unsubscribes")
        for account in made.customers():
            if account.get("acceptsMarketing") is True:
                made.box.kibo.opt_out(int(str(account["id"])))
        made.later(hours=1)
        assert made.ccsync("flush-events").returncode == 10
        yield made


@pytest.fixture(scope="module")
def chrome() -> Iterator[WebDriver]:
    opened = browser()
    yield opened
    opened.quit()


def page_of(shop: InsideShop, *more: str) -> str:
    done = shop.ccsync("report", "--output", "-", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(page: str) -> html5lib.treebuilders.base.Node:
    """The page as a browser reads it; any error in it fails the test."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def text_of(page: str) -> str:
    return " ".join("".join(parsed(page).find("body").itertext()).split())


def test_the_page_is_valid_and_loads_nothing(shop: InsideShop) -> None:
    """Strictly valid; no script, no link, no picture from elsewhere; each drawing has a text instead."""
    tree = parsed(page_of(shop))
    assert [one.tag for one in tree.iter() if one.tag in ("script", "link", "img", "iframe", "object", "a")] == []
    assert not [one.attrib for one in tree.iter() if {"src", "href", "onload"} & one.attrib.keys()]
    policy = next(one for one in tree.iter("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy.get("content")
    drawings = list(tree.iter("{http://www.w3.org/2000/svg}svg")) or list(tree.iter("svg"))
    assert len(drawings) >= 4
    headings = [int(one.tag[1]) for one in tree.iter() if one.tag in ("h1", "h2", "h3")]
    assert (headings[0], headings.count(1)) == (1, 1)
    ids = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    named = [one.get("aria-labelledby") for one in tree.iter() if one.get("aria-labelledby")]
    assert set(named) <= set(ids)


def test_the_page_names_nobody(shop: InsideShop) -> None:
    """No address, no secret, and no first or last name of any customer."""
    page = page_of(shop, "--days", "365")
    assert leaks_in(page, set()) == []
    words = set(text_of(page).split())
    names = {str(one.get(key)) for one in shop.customers() for key in ("firstName", "lastName") if one.get(key)}
    assert {name for name in names if name.isalpha() and len(name) > 3} & words == set()


def test_the_page_says_what_happened(shop: InsideShop) -> None:
    """Members, who joined and left, rejected records, calls, the safety limit, and what needs a person."""
    text = text_of(page_of(shop))
    members = len(shop.members())
    assert f"The list has {members:,} people" in text
    assert "3 people left" in text
    assert "Safety limit" in text
    assert "Changes in the store" in text
    assert "It stopped nothing" not in text
    assert "the safety limit stopped it" in text
    assert "allows 10,000 requests a day" in text


def test_an_empty_state_has_a_page(tmp_path: Path) -> None:
    """Before the first run the page is valid and says that there is nothing to show."""
    with InsideShop(tmp_path, SETTINGS) as shop:
        page = page_of(shop)
        text = text_of(page)
    assert "Nothing has run yet." in text
    assert "There is nothing to show for this period yet." in text


@pytest.mark.parametrize("days", ["1", "7", "31", "365", "3650"])
def test_any_period_is_a_valid_page(shop: InsideShop, days: str) -> None:
    """From one day to ten years."""
    parsed(page_of(shop, "--days", days))


@pytest.mark.parametrize("width", [360, 390, 1280])
@pytest.mark.parametrize("days", ["7", "90", "3650"])
def test_nothing_is_wider_than_the_screen(shop: InsideShop, chrome: WebDriver, days: str, width: int) -> None:
    """On a phone, too, the page and each of its tables fit without scrolling sideways."""
    path = shop.folder / f"report{days}.html"
    path.write_text(page_of(shop, "--days", days))
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    chrome.get(path.as_uri())
    assert chrome.execute_script("return window.innerWidth") == width
    boxes = "[document.documentElement, ...document.querySelectorAll('.scroll')]"
    wide = f"return {boxes}.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent.slice(0, 300))"
    assert chrome.execute_script(wide) == []


def test_a_hostile_list_name_is_only_text(shop: InsideShop) -> None:
    """What staff call the list cannot become part of the page."""
    before = shop.config_path.read_text()
    shop.edit('list_name = "Web shop customers"', "list_name = '<script>alert(1)</script>\"&'")
    try:
        tree = parsed(page_of(shop))
    finally:
        shop.config_path.write_text(before)
    assert tree.find("body/header/h1").text == '<script>alert(1)</script>"&'
    assert tree.find(".//script") is None


def test_it_is_written_whole_or_not_at_all(shop: InsideShop) -> None:
    """A file that others may read; a full disk is exit 6, a folder that is not there exit 2; nothing half made."""
    path = shop.folder / "page.html"
    done = shop.ccsync("report", "--output", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    parsed(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o644
    full = shop.ccsync("report", "--output", "/dev/full")
    assert full.returncode == 6
    assert "Make room on the disk" in full.stderr
    missing = shop.ccsync("report", "--output", str(shop.folder / "no" / "page.html"))
    assert missing.returncode == 2
    assert "--output FILE" in missing.stderr
    assert [one.name for one in shop.folder.iterdir() if one.name.startswith(".page")] == []
    assert Path("/dev/full").is_char_device()


def test_without_the_extra_it_says_how_to_install_it(shop: InsideShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """jinja2 is an extra: without it the command names the line that installs it (exit 2)."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = shop.ccsync("report", "--output", "-")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("-m pip install jinja2"), "no index has a package of ccsync's own"
