"""`ccsync configure` on a terminal: it asks, explains what is wrong, creates on a yes, and writes at the very end."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.cli.test_hostile_store import check_screen
from tests.harness import LIST
from tests.live import LiveShop
from tests.terminal import END_OF_INPUT, INTERRUPT, Session

SETTINGS = SandboxSettings(customers=20, seed=7)
Script = Sequence[tuple[str, str]]

# The six questions, each answered by Enter.
LIST_KEPT = [("List (", "")]
ADDRESSES_KEPT = [("From (", ""), ("ReplyTo (", "")]
MODES_KEPT = [("Action", ""), ("e-mail?", "")]
MAPPING_KEPT = [("Change", "")]
END = [("Turn them on?", ""), ("Save?", "yes")]


def kept(
    list_: Script = LIST_KEPT, addresses: Script = ADDRESSES_KEPT, modes: Script = MODES_KEPT,
    mapping: Script = MAPPING_KEPT, end: Script = END,
) -> list[tuple[str, str]]:  # fmt: skip
    """A whole conversation with some answers of its own."""
    return [*list_, *addresses, *modes, *mapping, *end]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SETTINGS) as made:
        yield made


def settings_of(shop: LiveShop) -> dict[str, dict[str, object]]:
    return tomllib.loads(shop.config_path.read_text())


def ask(shop: LiveShop, script: Script, columns: int = 80) -> Session:
    """The conversation; every screen is whole."""
    seen = shop.on_terminal("configure", script=script, columns=columns)
    check_screen(re.sub(r"(?:Error|Why|Fix): .*", "", seen.screen), columns)
    assert "Traceback" not in seen.screen
    return seen


def words(screen: str) -> str:
    """What the screen says, whatever the line ends."""
    return " ".join(screen.split())


@pytest.mark.parametrize("columns", [60, 80])
def test_the_whole_conversation(shop: LiveShop, columns: int) -> None:
    """A new list, addresses, modes, a changed and a new field, all on whole screens; then the cron lines."""
    shop.config_path.write_text(shop.config_path.read_text().replace("[sync]", "[sync]  # mine"))
    script = kept(
        [("List (", "VIP"), ("Create", "yes")],
        [("From (", "2"), ("ReplyTo (", "1")],
        [("Action", "2"), ("welcome e-mail?", "yes")],
        [
            ("Change", "lastname=lastName"), ("Change", "last_name=lastname"), ("Change", "-phone"),
            ("Change", "-phones"), ("Change", "cf:Shop number=id"), ("Create", "yes"), ("Change", "?"),
            ("Change", ""),
        ],
        [("Turn them on?", "no"), ("Save?", "y")],
    )  # fmt: skip
    seen = ask(shop, script, columns)
    assert seen.code == 0, seen.screen
    said = words(seen.screen)
    for expected in (
        'Created the contact list "VIP"; it is empty.',
        "new@example.com cannot be used.",
        "Did you mean last_name?",
        "Did you mean lastName?",
        "Nothing is mapped to phone. Did you mean phones?",
        "imports call it Shop_number.",
        f'Members of "{LIST}" stay there',
        "An export is due",
        "Shoppers > Welcome",
        "cannot undo that",
        "The cron jobs are disabled; ccsync export still works",
    ):
        assert expected in said, expected
    now = settings_of(shop)
    assert now["sync"] == now["sync"] | {
        "list_name": "VIP",
        "from_email": "News@example.com",
        "reply_to_email": "info@example.com",
        "opt_out": "unsubscribe",
        "welcome_email": True,
        "enabled": False,
    }
    assert list(now["mapping"]) == ["first_name", "last_name", "company_name", "address", "cf:Shop_number"]
    assert "[sync]  # mine" in shop.config_path.read_text()


def test_enter_keeps_everything(shop: LiveShop) -> None:
    """Where all is right, Enter after Enter changes nothing but what was missing; the second time nothing at all."""
    assert ask(shop, kept()).code == 0
    first = shop.config_path.read_text()
    assert settings_of(shop)["sync"]["reply_to_email"] == "info@example.com"
    seen = ask(shop, kept(end=END[:1]))
    assert seen.code == 0
    assert "Save?" not in seen.screen
    assert shop.config_path.read_text() == first


def test_the_table_shows_a_customer_as_the_export_would_send_it(shop: LiveShop) -> None:
    """The values of one opted-in customer, cleaned; whole addresses stay off the screen."""
    shop.box.kibo.update_account(1007, firstName="\x1b[2JEvil\u202e", acceptsMarketing=True)
    script = kept(mapping=[("Change", "job_title=emailAddress"), ("Change", "-job_title"), ("Change", "")])
    seen = shop.on_terminal("configure", script=script, columns=120)
    assert seen.code == 0
    table = seen.screen[seen.screen.index("5/6") :]
    number = int(table.partition("Customer ")[2].split()[0])
    account = shop.box.kibo.account(number)
    assert account["acceptsMarketing"] is True
    assert f" {account['lastName']}" in table
    assert "<address>" in table
    assert str(account["emailAddress"]) not in seen.screen


def test_lists_are_chosen_by_number_part_and_case(shop: LiveShop) -> None:
    """A part that several have shows those with their numbers; another case of letters is asked about."""
    for name in ("Shop Nord", "Shop Süd", "Other"):
        shop.box.cc.add_list(name)
    script = kept([("List (", "shop"), ("List (", "shop SÜD"), ('"Shop Süd"?', "yes")])
    seen = ask(shop, script)
    assert seen.code == 0, seen.screen
    assert settings_of(shop)["sync"]["list_name"] == "Shop Süd"
    number = sorted(["Shop Nord", "Shop Süd", "Other", LIST, *_other_lists(shop)], key=str.casefold).index("Other") + 1
    assert ask(shop, kept([("List", str(number))])).code == 0
    assert settings_of(shop)["sync"]["list_name"] == "Other"


def _other_lists(shop: LiveShop) -> list[str]:
    ours = {"Shop Nord", "Shop Süd", "Other", LIST}
    return [one.name for one in shop.box.cc.lists._all.values() if one.name not in ours]


def test_a_list_is_made_under_the_beginning_of_another_s_name(shop: LiveShop) -> None:
    """+NAME makes a list where the name alone would mean others; only a yes does."""
    seen = ask(
        shop,
        kept(
            [
                ("List (", "+Web shop"),
                ("Create", "n"),
                ("List (", "+Web shop"),
                ("Create", "yes"),
            ]
        ),
    )
    assert seen.code == 0
    assert settings_of(shop)["sync"]["list_name"] == "Web shop"
    assert len(shop.requests("POST", "/contact_lists")) == 1


@pytest.mark.parametrize("name", ["\U0001f389" * 300, "a\u202eb", LIST.upper() + "!"])
def test_odd_names_are_asked_again(shop: LiveShop, name: str) -> None:
    """What cannot be a list's name is said with the reason, and the question comes again."""
    shop.box.cc.add_list(LIST + "!")
    seen = shop.on_terminal("configure", script=kept([("List (", "+" + name), ("List (", "")]))
    assert seen.code == 0, seen.screen
    assert "Choose another name." in words(seen.screen) or "Use that one" in seen.screen
    assert not shop.requests("POST", "/contact_lists")


def test_many_lists_are_shown_in_part(shop: LiveShop) -> None:
    """Twenty lines and how many more; a part of a name finds any. A number counts only where it was shown."""
    for number in range(300):
        shop.box.cc.add_list(f"List {number:03}")
    seen = ask(shop, kept([("List (", "t 29"), ("List (", "301")]))
    assert seen.code == 0, seen.screen
    assert "more; type part of a name to find them." in words(seen.screen)
    assert settings_of(shop)["sync"]["list_name"] == "List 299"
    assert ask(shop, kept([("List (", "150"), ('"List 150"?', "y")], end=END)).code == 0
    assert settings_of(shop)["sync"]["list_name"] == "List 150"


def test_a_deleted_list_has_to_be_replaced(shop: LiveShop) -> None:
    """It is named, and Enter is no answer."""
    shop.box.cc.add_list("VIP")
    shop.box.cc.delete_list(shop.list_id)
    seen = ask(shop, kept([("List:", ""), ("List:", "VIP")]))
    assert seen.code == 0
    assert f'"{LIST}" no longer exists' in words(seen.screen)
    assert "A list is required." in seen.screen
    assert settings_of(shop)["sync"]["list_name"] == "VIP"


def test_a_list_deleted_since_its_name_was_remembered(shop: LiveShop) -> None:
    """The remembered name is not believed: the list is looked up, and the question comes again."""
    made = shop.box.cc.add_list("VIP")
    assert shop.ccsync("configure", "--list", LIST).returncode == 0  # remembers the names
    shop.box.cc.delete_list(made)
    seen = ask(shop, kept([("List (", "VIP"), ("List (", "")]))
    assert seen.code == 0
    assert '"VIP" was just deleted.' in seen.screen
    assert settings_of(shop)["sync"]["list_name"] == LIST


def test_a_renamed_list_keeps_its_id_and_gets_its_name(shop: LiveShop) -> None:
    """The new name is shown and saved."""
    shop.box.cc.rename_list(LIST, "Renamed \x1b[31m")
    seen = ask(shop, kept())
    assert seen.code == 0
    assert f'The list "{LIST}" is called "Renamed \\x1b[31m" now.' in words(seen.screen)
    sync = settings_of(shop)["sync"]
    assert (sync["list_id"], sync["list_name"]) == (shop.list_id, "Renamed \x1b[31m")


def test_names_are_read_again_after_an_hour(shop: LiveShop) -> None:
    """Within the hour no call reads them; what is not among them is looked for before it is offered for creation."""
    assert ask(shop, kept()).code == 0
    reads = len(shop.requests("GET", "/contact_lists"))
    assert ask(shop, kept(end=END[:1])).code == 0
    looked_up = [one for one in shop.requests("GET", "/contact_lists")[reads:] if one.endswith("/contact_lists")]
    assert not looked_up
    shop.box.cc.add_list("Newer")
    assert ask(shop, kept([("List (", "Newer")])).code == 0
    assert settings_of(shop)["sync"]["list_name"] == "Newer"


def test_addresses_that_went_bad(shop: LiveShop) -> None:
    """Today's From that is not confirmed any more, and a ReplyTo that is gone, are said and not offered."""
    text = shop.config_path.read_text()
    new = '[sync]\nfrom_email = "new@example.com"\nreply_to_email = "gone@example.com"\n'
    shop.config_path.write_text(text.replace("[sync]\n", new))
    seen = ask(shop, kept())
    assert seen.code == 0
    said = words(seen.screen)
    assert "The From address is not confirmed." in said
    assert "The ReplyTo address is no longer one of the account's." in said
    sync = settings_of(shop)["sync"]
    assert (sync["from_email"], sync["reply_to_email"]) == ("info@example.com", "info@example.com")


def test_an_account_without_a_confirmed_address(shop: LiveShop) -> None:
    """How to confirm one is said, and the rest goes on."""
    for one in shop.box.cc.account.addresses:
        shop.box.cc.account.set_confirmed(one.address, False)
    seen = ask(shop, kept(addresses=[]))
    assert seen.code == 0
    assert "has no confirmed address" in words(seen.screen)
    assert "Verified emails" in words(seen.screen)


def test_a_user_who_may_not_see_everything(shop: LiveShop) -> None:
    """Addresses that are not shown are skipped; a list or field that may not be made is said, and asked again."""
    shop.box.cc.account.lack(["account:read", "contacts:lists:write", "contacts:write"])
    script = kept(
        [("List (", "VIP"), ("Create", "yes"), ("List (", "")],
        [],
        mapping=[("Change", "cf:hat=id"), ("Create", "yes"), ("Change", "")],
        end=END[:1],
    )
    seen = ask(shop, script)
    assert seen.code == 0, seen.screen
    for privilege in ("account:read", "contacts:lists:write", "contacts:write"):
        assert f"needs the privilege {privilege}" in words(seen.screen)


def test_without_kibo_the_mapping_is_asked_for_all_the_same(shop: LiveShop) -> None:
    """The example is missing, with the reason; nobody opted in is one, too."""
    shop.box.faults.add("status", vendor="kibo_tenant", status=403, nth=None)
    seen = ask(shop, kept())
    assert seen.code == 0
    assert "Kibo shows no example customer right now." in words(seen.screen)
    shop.box.faults.clear()
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, acceptsMarketing=False)
    seen = ask(shop, kept(end=END[:1]))
    assert seen.code == 0
    assert "No customer has opted in yet" in seen.screen


def test_a_mapping_that_went_wrong_has_to_be_mended(shop: LiveShop) -> None:
    """A field that is not there any more is offered for creation; Enter does not keep what cannot work."""
    with shop.config_path.open("a") as file:
        file.write('\n[mapping]\nfirst_name = "firstName"\n"cf:hat" = "id"\njob_title = "titel"\n')
    mapping = [("Create", "no"), ("Change:", ""), ("Change:", "-cf:hat"),
               ("Change:", "job_title=attributes.titel"), ("Change:", "job_title=localeCode"),
               ("Change (", "")]  # fmt: skip
    seen = ask(shop, kept(mapping=mapping))
    assert seen.code == 0, seen.screen
    assert "Did you mean attributes.tenant~titel?" in words(seen.screen)
    assert settings_of(shop)["mapping"] == {"first_name": "firstName", "job_title": "localeCode"}


def test_an_attribute_that_the_customer_lacks_is_answered_with_the_nearest(shop: LiveShop) -> None:
    """It may be right all the same, so it is taken."""
    mapping = [("Change", "job_title=attributes.tenant~loyalty-teir"), ("Change", "")]
    seen = ask(shop, kept(mapping=mapping))
    assert "Did you mean tenant~loyalty-tier?" in words(seen.screen)
    assert settings_of(shop)["mapping"]["job_title"] == "attributes.tenant~loyalty-teir"


def test_a_full_account_takes_no_more_fields(shop: LiveShop) -> None:
    """The limit is said, and the question comes again."""
    for number in range(100 - len(shop.box.cc.custom_fields.ids)):
        shop.box.cc.custom_fields.add(f"Field {number}")
    seen = ask(shop, kept(mapping=[("Change", "cf:hat=id"), ("Change", "")]))
    assert seen.code == 0
    assert "the account has 100 custom fields" in words(seen.screen)


@pytest.mark.parametrize(("key", "what"), [(INTERRUPT, "Stopped by Ctrl-C"), (END_OF_INPUT, "The input ended")])
@pytest.mark.parametrize("question", ["List (", "From (", "Action", "e-mail?", "Change", "Save?"])
def test_stopped_at_any_question_nothing_is_written(shop: LiveShop, key: str, what: str, question: str) -> None:
    """Ctrl-C and the end of the input end it (exit 130); the file is as before."""
    before = shop.config_path.read_bytes()
    script: list[tuple[str, str]] = []
    for one in kept():
        if one[0] == question:
            break
        script.append(one)
    seen = ask(shop, [*script, (question, key)])
    assert seen.code == 130
    assert f"{what}; nothing was changed in ccsync.toml." in words(seen.screen)
    assert "ccsync configure begins again." in seen.screen
    assert "Already created in Constant Contact:" not in words(seen.screen)
    assert shop.config_path.read_bytes() == before


@pytest.mark.parametrize("key", [INTERRUPT, END_OF_INPUT])
def test_what_was_created_before_it_was_stopped_is_told(shop: LiveShop, key: str) -> None:
    """The list and the field stay in Constant Contact; the next time they are found."""
    before = shop.config_path.read_bytes()
    script = kept(
        [("List (", "VIP"), ("Create", "yes")],
        mapping=[("Change", "cf:hat=id"), ("Create", "yes"), ("Change", key)],
        end=[],
    )
    seen = ask(shop, script)
    assert seen.code == 130
    assert 'Already created in Constant Contact: the list "VIP" and the custom field "hat".' in words(seen.screen)
    assert shop.config_path.read_bytes() == before
    assert ask(shop, kept([("List (", "VIP")], mapping=[("Change", "cf:hat=id"), ("Change", "")])).code == 0
    assert len(shop.requests("POST", "/contact_lists")) == 1


def test_a_no_at_the_end_writes_nothing(shop: LiveShop) -> None:
    """Exit 11, and the changes were shown before."""
    before = shop.config_path.read_bytes()
    seen = ask(shop, kept(modes=[("Action", "2"), ("welcome", "")], end=[END[0], ("Save?", "no")]))
    assert seen.code == 11
    assert "opt_out remove-from-list unsubscribe" in words(seen.screen)
    assert shop.config_path.read_bytes() == before


def test_what_cannot_be_written_is_told_before_the_first_question(shop: LiveShop) -> None:
    """A read-only file, or one in inline tables (exit 4)."""
    shop.config_path.chmod(0o400)
    seen = ask(shop, [])
    assert seen.code == 4
    assert "read-only" in seen.screen
    assert "1/6" not in seen.screen


def test_a_vendor_that_goes_away_meanwhile(shop: LiveShop) -> None:
    """The conversation ends with what happened (exit 8), and nothing is written."""
    before = shop.config_path.read_bytes()
    shop.box.faults.add("status", vendor="cc_api", path=".*custom_fields", status=503, nth=None)
    seen = ask(shop, kept(mapping=[], end=[]))
    assert seen.code == 8
    assert shop.config_path.read_bytes() == before


@pytest.mark.parametrize("environ", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "1"}])
def test_odd_terminals(shop: LiveShop, environ: dict[str, str]) -> None:
    """What cannot be shown or read there ends no conversation, and makes no list of mangled letters."""
    shop.box.cc.add_list("Клиенты 客户")
    script = kept([("List (", "+客户"), ("List (", "")] if "PYTHONIOENCODING" in environ else LIST_KEPT)
    seen = shop.on_terminal("configure", script=script, environ=environ)
    assert seen.code == 0, seen.screen
    assert not shop.requests("POST", "/contact_lists")


def test_wrong_answers_are_asked_again(shop: LiveShop) -> None:
    """A number out of range, a word for a yes, an invalid mapping, another encoding: none ends the conversation."""
    script = kept(
        [("List (", "77"), ("Create", ""), ("List (", "")],
        [("From (", "9"), ("From (", "-1"), ("From (", ""), ("ReplyTo (", "\u0663"), ("ReplyTo (", "")],
        [("Action", "x"), ("Action", ""), ("welcome", "perhaps"), ("welcome", "")],
        [("Change", "nonsense"), ("Change", "="), ("Change", "-"), ("Change", "\udcff=\x1b[2J"), ("Change", "")],
    )
    seen = shop.on_terminal("configure", script=[(q, a.replace("\udcff", "ÿ")) for q, a in script])
    assert seen.code == 0, seen.screen
    assert "Traceback" not in seen.screen


@pytest.mark.parametrize("columns", [60, 80])
def test_hostile_names_of_the_vendor_are_harmless(shop: LiveShop, columns: int) -> None:
    """Lists, fields, addresses and the shown customer attack the terminal in vain, in every prompt and table."""
    evil = "\x1b[2J\x1b]0;x\x07\u202e\x9b31m\r\nrow %s {0} \u200b"
    for name in (f"List {evil}", "\U0001f389" * 120, "客" * 200):
        shop.box.cc.add_list(name)
    shop.box.cc.rename_list(LIST, f"Today {evil}")
    shop.box.cc.custom_fields.add(f"Field {evil}")
    shop.box.cc.account.set_confirmed(f"info{evil}@example.org", False)
    for account_id in shop.box.kibo.account_ids():
        shop.box.kibo.update_account(account_id, firstName=evil, lastName="客" * 80)
    script = kept(
        [
            ("List (", "list"), ("mean", "no"), ("Create", "no"),
            ("List (", "+list x"), ("Create", "no"), ("List (", ""),
        ],
        mapping=[("Change", "?"), ("Change", "cf:field=id"), ("Create", "no"), ("Change", "")],
    )  # fmt: skip
    seen = ask(shop, script, columns)
    assert seen.code == 0, seen.screen
    assert "\\x1b[2J" in seen.screen
