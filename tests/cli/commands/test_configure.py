"""`ccsync configure` with options: all is checked against the accounts before anything is created or written."""

import json
import re
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.canaries import leaks_in
from tests.harness import LIST
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=20, seed=7)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SETTINGS) as made:
        yield made


def settings_of(shop: LiveShop) -> dict[str, dict[str, object]]:
    return tomllib.loads(shop.config_path.read_text())


def refused(shop: LiveShop, code: int, *words: str, options: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """The options end with this code and these words; config file, lists and custom fields are as before."""
    before = shop.config_path.read_bytes(), _made(shop)
    done = shop.ccsync("configure", *options)
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert (shop.config_path.read_bytes(), _made(shop)) == before
    assert "Traceback" not in done.stderr
    assert not leaks_in(done.stderr, set())
    return done


def _made(shop: LiveShop) -> tuple[int, int]:
    records = shop.box.requests.records
    created = [one for one in records if one.method == "POST" and one.status == 201]
    return len(created), len(shop.box.cc.custom_fields.ids)


# the list


def test_a_list_is_bound_by_its_id_and_changing_it_says_what_stays(shop: LiveShop) -> None:
    """The old list's members stay, an export is due, automations are to be paused; comments in the file survive."""
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]  # mine\n# by hand"))
    made = shop.box.cc.add_list("VIP")
    done = shop.ccsync("configure", "--list", "VIP")
    assert done.returncode == 0, done.stderr
    assert f'Members of "{LIST}" stay there' in done.stdout
    assert "An export is due" in done.stdout
    assert "pause any automation" in done.stdout
    sync = settings_of(shop)["sync"]
    assert (sync["list_id"], sync["list_name"]) == (made, "VIP")
    assert "[sync]  # mine\n# by hand" in shop.config_path.read_text()


def test_a_list_that_is_not_there_is_answered_with_the_nearest(shop: LiveShop) -> None:
    """Exit 4, the nearest name, and how to create it."""
    options = ("--list", "Web shop custommers")
    refused(shop, 4, f'similar: "{LIST}"', "--create-list", options=options)


def test_a_created_list_is_empty_and_found_the_second_time(shop: LiveShop) -> None:
    """`--create-list` twice makes one list."""
    for expected in ("it is empty", "The contact list is"):
        done = shop.ccsync("configure", "--list", "  New ones ", "--create-list")
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
    assert len(shop.requests("POST", "/contact_lists")) == 1
    assert settings_of(shop)["sync"]["list_name"] == "New ones"
    assert shop.box.cc.members("New ones") == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\U0001f389" * 300, "300 characters where Constant Contact takes 255"),
        ("x" * 256, "256 characters where Constant Contact takes 255"),
        ("Shop\x1b[2J", "control or invisible character"),
        ("Shop\nVIP", "control or invisible character"),
        ("Shop\u202eVIP", "control or invisible character"),
        ("   ", "it is empty"),
        (LIST.upper(), "differs only in capital letters"),
    ],
    ids=["emoji", "long", "escape", "line", "bidi", "blank", "capitals"],
)
def test_no_list_is_made_under_an_odd_name(shop: LiveShop, name: str, why: str) -> None:
    """Exit 4 with the reason, and nothing that could drive the terminal; no call creates anything."""
    done = refused(shop, 4, why, options=("--list", name, "--create-list"))
    assert "\x1b" not in done.stderr


def test_255_characters_are_a_name(shop: LiveShop) -> None:
    """The longest name that the vendor takes is taken."""
    assert shop.ccsync("configure", "--list", "ä" * 255, "--create-list").returncode == 0


def test_lists_whose_names_differ_in_case_are_told_apart(shop: LiveShop) -> None:
    """The exact name wins."""
    lower = shop.box.cc.add_list("vip")
    shop.box.cc.add_list("VIP")
    assert shop.ccsync("configure", "--list", "vip").returncode == 0
    assert settings_of(shop)["sync"]["list_id"] == lower


def test_a_deleted_list_is_not_found(shop: LiveShop) -> None:
    """Its name may be used again, and that is another list."""
    gone = shop.box.cc.add_list("VIP")
    shop.box.cc.delete_list(gone)
    refused(shop, 4, 'no list named "VIP"', options=("--list", "VIP"))
    assert shop.ccsync("configure", "--list", "VIP", "--create-list").returncode == 0
    assert settings_of(shop)["sync"]["list_id"] != gone


def test_a_thousand_lists(shop: LiveShop) -> None:
    """The last one is found over all pages; one more is refused without a try (exit 9)."""
    for number in range(1_000 - len(shop.box.cc.lists._all)):
        shop.box.cc.add_list(f"List {number}")
    assert shop.ccsync("configure", "--list", "List 990").returncode == 0
    before = len(shop.requests("POST", "/contact_lists"))
    refused(shop, 9, "1,000 lists", "choose one that exists", options=("--list", "One more", "--create-list"))
    assert len(shop.requests("POST", "/contact_lists")) == before


def test_a_name_that_is_taken_meanwhile(shop: LiveShop) -> None:
    """A 409 without a list to be found is a refusal (exit 9) that says what may hold the name."""
    shop.box.faults.add("status", vendor="cc_api", path="/v3/contact_lists$", method="POST", status=409, body="[]")
    refused(shop, 9, "409", "a list that was deleted", options=("--list", "VIP", "--create-list"))


# From and ReplyTo


def test_addresses_are_taken_in_the_account_s_spelling(shop: LiveShop) -> None:
    """Any case of letters finds a confirmed address."""
    assert (
        shop.ccsync("configure", "--from-email", "INFO@example.com", "--reply-to", "news@example.com").returncode == 0
    )
    sync = settings_of(shop)["sync"]
    assert (sync["from_email"], sync["reply_to_email"]) == ("info@example.com", "News@example.com")


@pytest.mark.parametrize(("option", "key"), [("--from-email", "from_email"), ("--reply-to", "reply_to_email")])
@pytest.mark.parametrize(
    ("address", "why"),
    [("new@example.com", "has not confirmed it"), ("stranger@example.com", "not an address of the account")],
)
def test_an_address_that_cannot_send(shop: LiveShop, option: str, key: str, address: str, why: str) -> None:
    """Exit 4, why, and what to do; the address itself is not repeated."""
    refused(shop, 4, key, why, "3 confirmed addresses", options=(option, address))


# the mapping


def test_a_missing_custom_field_needs_a_word(shop: LiveShop) -> None:
    """Without --create-fields it is an error (exit 4) that names the option; with it the vendor's name is mapped."""
    options = ("--map", "cf:Shop number=id")
    refused(shop, 4, "no custom field named Shop number", "--create-fields", options=options)
    done = shop.ccsync("configure", *options, "--create-fields")
    assert done.returncode == 0, done.stderr
    assert "imports call it Shop_number" in done.stdout
    mapping = settings_of(shop)["mapping"]
    assert mapping["cf:Shop_number"] == "id"
    assert mapping["first_name"] == "firstName"
    body = next(json.loads(one.body) for one in shop.box.requests.records if one.path.endswith("custom_fields")
                and one.method == "POST")  # fmt: skip
    assert body == {"label": "Shop number", "type": "string"}


def test_the_vendor_s_spelling_of_a_new_field_is_read_back(tmp_path: Path) -> None:
    """Some names come back in lower case: what is written is what imports will need, and they reach the contact."""
    with LiveShop(tmp_path, replace(SETTINGS, custom_field_names="lower")) as shop:
        done = shop.ccsync("configure", "--map", "cf:Shop Number=id", "--create-fields")
        assert "imports call it shop_number" in done.stdout
        assert "cf:shop_number" in settings_of(shop)["mapping"]
        assert shop.ccsync("export", "--yes").returncode in (0, 3)
        shop.ccsync("configure", "--map", "cf:Shop Number=externalId")
        assert settings_of(shop)["mapping"]["cf:shop_number"] == "externalId"


def test_a_field_is_found_by_its_label(shop: LiveShop) -> None:
    """People see labels; the config file gets the name."""
    assert shop.ccsync("configure", "--map", "cf:loyalty TIER=attributes.tenant~loyalty-tier").returncode == 0
    assert "cf:loyalty_tier" in settings_of(shop)["mapping"]


@pytest.mark.parametrize(
    ("pair", "hint"),
    [
        ("lastname=lastName", "Did you mean last_name?"),
        ("last_name=lastname", "Did you mean lastName?"),
        ("cf:loyalty_teir=id", "Did you mean cf:loyalty_tier?"),
        ("phones=firstName", 'Did you mean phones = "phoneNumbers"?'),
        ("email=emailAddress", "always the account's emailAddress"),
    ],
)
def test_an_unknown_field_is_answered_with_the_nearest(shop: LiveShop, pair: str, hint: str) -> None:
    """Either side of a mapping; exit 4."""
    refused(shop, 4, hint, options=("--map", pair))


def test_an_attribute_is_compared_with_a_customer_s(shop: LiveShop) -> None:
    """It may still be right: it is set, and the nearest name is suggested. It is set without Kibo, too."""
    done = shop.ccsync("configure", "--map", "job_title=attributes.tenant~loyalty-teir")
    assert done.returncode == 0
    assert "has no attribute tenant~loyalty-teir. Did you mean tenant~loyalty-tier?" in done.stderr
    shop.box.faults.add("status", vendor="kibo_tenant", status=403, nth=None)
    done = shop.ccsync("configure", "--map", "job_title=attributes.tenant~birthday")
    assert done.returncode == 0
    assert "Kibo shows no example customer" in done.stderr
    assert settings_of(shop)["mapping"]["job_title"] == "attributes.tenant~birthday"


def test_all_is_checked_before_anything_is_created(shop: LiveShop) -> None:
    """A wrong address at the end keeps the list and the field at the beginning from being made."""
    options = ("--list", "VIP", "--create-list", "--map", "cf:hat=id", "--create-fields")
    refused(shop, 4, "cannot send", options=(*options, "--from-email", "new@example.com"))
    refused(shop, 4, "no such field", options=(*options, "--map", "job_title=titel"))


def test_what_was_created_is_told_when_the_rest_fails(shop: LiveShop) -> None:
    """A field is made, then the list is refused: the error says what is there now, and the file is as before."""
    shop.box.faults.add("status", vendor="cc_api", path="/v3/contact_lists$", method="POST", status=403, body="[]")
    before = shop.config_path.read_bytes()
    done = shop.ccsync("configure", "--list", "VIP", "--create-list", "--map", "cf:hat=id", "--create-fields")
    assert done.returncode == 9
    assert 'Already created in Constant Contact: the custom field "hat".' in done.stderr
    assert shop.config_path.read_bytes() == before


def test_a_hundred_custom_fields(shop: LiveShop) -> None:
    """The limit is reported before any call (exit 9); a field with exactly this label is found on any page."""
    for number in range(100 - len(shop.box.cc.custom_fields.ids)):
        shop.box.cc.custom_fields.add(f"Field {number}")
    refused(shop, 9, "100 custom fields", options=("--map", "cf:hat=id", "--create-fields"))
    assert shop.ccsync("configure", "--map", "cf:Field 90=id", "--create-fields").returncode == 0


def test_a_field_that_appeared_meanwhile_is_taken(shop: LiveShop) -> None:
    """A lost answer makes the second try a 409: the field is looked up."""
    shop.box.faults.add("reset-after", vendor="cc_api", path=".*custom_fields$", method="POST")
    done = shop.ccsync("configure", "--map", "cf:hat=id", "--create-fields")
    assert done.returncode == 0, done.stderr
    assert settings_of(shop)["mapping"]["cf:hat"] == "id"


def test_a_field_of_another_type_is_told(shop: LiveShop) -> None:
    """Texts into a date field may cost the record."""
    shop.box.cc.custom_fields.add("Since", "date")
    done = shop.ccsync("configure", "--map", "cf:Since=firstName")
    assert 'The custom field "Since" is of the type date' in done.stdout


def test_the_last_line_of_the_mapping_stays(shop: LiveShop) -> None:
    """Taking all lines away would bring the built-in mapping back."""
    lines = ("first_name", "last_name", "company_name", "phones", "address")
    options = tuple(word for one in lines for word in ("--unmap", one))
    refused(shop, 4, "Nothing would be mapped", options=options)
    assert shop.ccsync("configure", *options[2:]).returncode == 0
    assert settings_of(shop)["mapping"] == {"first_name": "firstName"}


# the others


def test_modes_are_explained_where_they_bite(shop: LiveShop) -> None:
    """Welcome e-mail: Kibo's own and the automation; opt-out: no way back. Told when it changes, not again."""
    options = ("configure", "--welcome-email", "--opt-out", "unsubscribe", "--disable")
    first, second = shop.ccsync(*options), shop.ccsync(*options)
    for words in (
        "Enable Transactional Emails > Shoppers > Welcome",
        "automation",
        "cannot undo that",
        "export still works",
    ):
        assert words in first.stdout
        assert words not in second.stdout
    sync = settings_of(shop)["sync"]
    assert (sync["welcome_email"], sync["opt_out"], sync["enabled"]) == (True, "unsubscribe", False)


def test_modes_need_no_vendor(shop: LiveShop) -> None:
    """Switching the cron jobs off works when the network is gone."""
    before = len(shop.box.requests.records)
    assert shop.ccsync("configure", "--disable").returncode == 0
    assert len(shop.box.requests.records) == before


def test_the_cron_lines_come_with_the_first_list(shop: LiveShop) -> None:
    """With absolute paths, when a list is chosen for the first time; a later change does not print them again."""
    assert "For cron" not in shop.ccsync("configure", "--enable").stdout
    text = shop.config_path.read_text()
    shop.config_path.write_text(re.sub(r"(?m)^list_(id|name) = .*\n", "", text))
    lines = shop.ccsync("configure", "--list", LIST).stdout.splitlines()[-4:]
    assert lines[0] == "For cron (crontab -e):"
    command = rf"/\S+ -m ccsync --config {shop.config_path}"
    assert re.fullmatch(rf"12,42 \* \* \* \*  {command} flush-events", lines[1])
    assert re.fullmatch(rf"22,52 \* \* \* \*  {command} poll-unsubscribes", lines[2])
    assert re.fullmatch(rf"7 4 \* \* 1  {command} reconcile", lines[3])


def test_it_says_what_changed(shop: LiveShop) -> None:
    """Each changed setting with its old and its new value, on stderr; without a change it says so."""
    changed = shop.ccsync("configure", "--disable")
    assert re.search(r"^enabled +true +false$", changed.stderr, re.M)
    again = shop.ccsync("configure", "--disable")
    assert again.stderr == "Nothing changed.\n"


def test_show_is_for_people_and_programs(shop: LiveShop) -> None:
    """Every setting without a secret, and no call; it goes with no other option."""
    shown = json.loads(shop.ccsync("configure", "--show", "--json").stdout)
    assert shown["sync"]["list_name"] == LIST
    assert "client_secret" not in json.dumps(shown)
    with shop.config_path.open("a") as file:
        file.write('\n[monitor]\nping_url = "https://hc.example.com/ping/0f8fad5b"\n')
    shown_to_people = shop.ccsync("configure", "--show").stdout
    assert "list_name" in shown_to_people
    assert "https://hc.example.com/***" in shown_to_people, "whoever knows the rest can send pings"
    assert "0f8fad5b" not in shown_to_people + shop.ccsync("configure", "--show", "--json").stdout
    refused(shop, 2, "--show changes nothing", options=("--show", "--disable"))
    refused(shop, 2, "--json goes with --show", options=("--disable", "--json"))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "no terminal to ask on"),
        (("--create-list",), "--create-list needs --list"),
        (("--map", "last_name"), "CC=KIBO"),
        (("--map", "=lastName"), "CC=KIBO"),
        (("--unmap", "job_title"), "mapped are first_name"),
        (("--opt-out", "never"), "remove-from-list"),
    ],
)
def test_wrong_usage(shop: LiveShop, options: tuple[str, ...], word: str) -> None:
    """Exit 2 with what would be right; without a terminal nothing prompts."""
    refused(shop, 2, word, options=options)


# what may be missing


def test_without_config_state_or_login(shop: LiveShop) -> None:
    """Exit 4, 6 and 5, each with the way on."""
    shop.box.cc.revoke()
    refused(shop, 5, "ccsync login", options=("--list", LIST))
    state = shop.config.state.path
    state.rename(state.with_suffix(".kept"))
    refused(shop, 6, "no state file", "ccsync login", options=("--list", LIST))
    shop.config_path.rename(shop.config_path.with_suffix(".kept"))
    done = shop.ccsync("configure", "--list", LIST)
    assert done.returncode == 4
    assert "no config file" in done.stderr


def test_a_new_state_file_without_a_login(shop: LiveShop) -> None:
    """Kibo alone was logged in to: Constant Contact's half says so (exit 5)."""
    store = shop.open()
    store.run("DELETE FROM tokens WHERE vendor = 'constant_contact'")
    store.close()
    refused(shop, 5, "ccsync login", options=("--list", LIST))


def test_the_vendor_is_gone(shop: LiveShop) -> None:
    """Exit 8; nothing is created or written."""
    shop.box.faults.add("status", vendor="cc_api", status=503, nth=None)
    refused(shop, 8, "could not be reached", options=("--list", LIST))


@pytest.mark.parametrize(
    ("privilege", "options"),
    [
        ("contacts:lists:read", ("--list", LIST)),
        ("contacts:lists:write", ("--list", "VIP", "--create-list")),
        ("contacts:read", ("--map", "cf:kibo_id=id")),
        ("contacts:write", ("--map", "cf:hat=id", "--create-fields")),
        ("account:read", ("--from-email", "info@example.com")),
    ],
)
def test_a_user_without_a_privilege(shop: LiveShop, privilege: str, options: tuple[str, ...]) -> None:
    """Exit 9, with the missing privilege and who has it."""
    shop.box.cc.account.privileges.discard(privilege)
    refused(shop, 9, privilege, "account's owner", options=options)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('sync = {list_name = "x"}\n', ("--list", "VIP", "--create-list")),
        ('mapping = {first_name = "firstName"}\n', ("--map", "cf:hat=id", "--create-fields")),
    ],
)
def test_a_config_that_cannot_be_changed_safely(shop: LiveShop, text: str, options: tuple[str, ...]) -> None:
    """Inline tables: exit 4 before anything is created at the vendor, with what to set by hand."""
    without = re.sub(r"\[sync\][^\[]*", "", shop.config_path.read_text())
    shop.config_path.write_text(text + without)
    refused(shop, 4, "cannot change safely", "by hand", options=options)


def test_a_read_only_config(shop: LiveShop) -> None:
    """Exit 4 before anything is created at the vendor, with the chmod command that fixes it."""
    shop.config_path.chmod(0o400)
    refused(shop, 4, "read-only", f"chmod u+w {shop.config_path}", options=("--list", "VIP", "--create-list"))


def test_another_run_holds_the_lock(shop: LiveShop) -> None:
    """Exit 7, and no call."""
    is_running = threading.Event()
    shop.box.faults.before(is_running.set, vendor="cc_api")
    shop.box.faults.add("delay", vendor="cc_api", seconds=1.5)
    first = shop.start("export", "--yes")
    assert is_running.wait(30)
    done = shop.ccsync("configure", "--disable")
    first.communicate(timeout=60)
    assert done.returncode == 7
    assert "Another run holds the lock" in done.stderr
