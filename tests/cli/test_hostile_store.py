"""A store full of odd data: every screen stays whole, every record is sent or has its reason, JSON is exact."""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from wcwidth import wcswidth

from ccsync.cli.terminal.screen import wrapped
from ccsync.sandbox.population.hostile import HOSTILE_KINDS, LONE_SURROGATES, hostile_address
from ccsync.sandbox.population.people import FIRST_ID, ODD_KINDS
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply
from tests.harness import FAST, imported_rows
from tests.live import LiveShop

SETTINGS = SandboxSettings(customers=100, seed=7, hostile=True)
MAPPING = """
[mapping]
first_name = "firstName"
last_name = "lastName"
company_name = "companyOrOrganization"
phones = "phoneNumbers"
address = "address"
birthday = "attributes.tenant~birthday"
job_title = "attributes.tenant~loyalty-tier"
anniversary = "attributes.tenant~birthday"
"cf:segments" = "segments"
"cf:order_count" = "commerceSummary.orderCount"
"cf:last_order" = "commerceSummary.lastOrderDate"
"cf:kibo_id" = "commerceSummary.totalOrderAmount"
"""
OURS = re.compile(r"\r\x1b\[K")
"""The progress line's own sequence: back to the left, erase."""
COLORS = re.compile(r"\x1b\[(?:0|3[123])m")
"""What colors a status word."""
COLORS = re.compile(r"\x1b\[(?:0|3[123])m")
"""What colors a status word."""
STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = {"\u200c", "\u200d"}
"""Joiners stay between letters and between the parts of an emoji."""

# What an operator is told of each address that cannot be sent: the fault, by its kind.
UNUSABLE = {
    "quoted_address": "has a blank inside",
    "comment_address": "has a blank inside",
    "named_address": "has a blank inside",
    "two_addresses": "has a blank inside: remove it, or keep one address of several",
    "unicode_idn": "xn-- form",
    "inner_space": "has a blank inside",
    "inner_no_break_space": "has a blank inside",
    "two_trailing_dots": "ends with a dot",
    "escape_address": "control or invisible character",
    "bidi_address": "control or invisible character",
    "nul_address": "control or invisible character",
    "line_break_address": "control or invisible character",
    "wide_address": "outside ASCII before the @",
    "emoji_address": "control or invisible character",
    "emoji_address_300": "characters where Constant Contact takes 80",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[LiveShop]:
    with LiveShop(tmp_path, SETTINGS, FAST + MAPPING) as made:
        yield made


def account_id_of(kind: str) -> int:
    return FIRST_ID + 2 * len(ODD_KINDS) + HOSTILE_KINDS.index(kind)


def width(text: str) -> int:
    """The columns a terminal needs, an emoji of several characters counted once."""
    return wcswidth(text)


def check_screen(screen: str, columns: int) -> None:
    """Nothing steers the terminal but line ends and the progress line, and no line needs more than its columns.

    A word that is wider by itself, as a path is, may hang over: broken it could not be copied.
    """
    for line in re.split(r"\r*\n", COLORS.sub("", OURS.sub("\n", screen))):
        steering = {one for one in line if unicodedata.category(one) in STEERING} - JOINERS
        assert not steering, f"{steering} in {line!r}"
        if width(line) > columns:
            assert any(width(word) > columns - 20 for word in line.split()), f"{width(line)} columns: {line}"


def check_books(counts: dict[str, int]) -> None:
    """Everybody who was read is in exactly one other count."""
    ends = ("added", "updated", "unchanged", "suppressed", "departed", "rejected", "skipped")
    assert counts["read"] == sum(counts.get(end, 0) for end in ends), counts


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_screen_is_harmless(shop: LiveShop, columns: int) -> None:
    """Dry run, export with its progress, log, run, rejected records, settings: exit 0 or 3, whole screens."""
    shop.box.faults.add("delay", vendor="kibo_tenant", nth=3, times=2, seconds=0.3)
    for words, code in (
        (["export", "--dry-run"], 0),
        (["export", "--yes"], 3),
        (["logs"], 0),
        (["logs", "1"], 0),
        (["logs", "1", "--errors"], 0),
        (["configure", "--show"], 0),
    ):
        seen = shop.on_terminal(*words, columns=columns)
        assert seen.code == code, seen.screen
        assert "Traceback" not in seen.screen
        check_screen(seen.screen, columns)
        assert ("\r\x1b[K" in seen.screen) == (words[0] == "export")


def test_every_rejected_record_is_one_row_with_its_account(shop: LiveShop) -> None:
    """Line breaks in an address make no second row, and its escapes show as text."""
    shop.ccsync("export", "--yes")
    rejected = json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)
    seen = shop.on_terminal("logs", "1", "--errors", columns=1_000)
    rows = [line.split()[0] for line in seen.screen.splitlines()[2:]]
    assert rows == [str(one["account_id"]) for one in rejected]
    for shown in ("\\x1b[2J\\x1b]52;c;ZXZpbA==\\x07", "\\u202emoc", "\\x00@", "\\x0d\\x0aBcc:"):
        assert shown in seen.screen


def test_nothing_is_lost(shop: LiveShop) -> None:
    """The counts of dry run and export are the same and add up; a second export sends nothing."""
    plan = json.loads(shop.ccsync("export", "--dry-run", "--json").stdout)
    first = json.loads(shop.ccsync("export", "--yes", "--json").stdout)
    assert {key: number for key, number in plan["counts"].items() if key != "opted_out"} == first["counts"]
    check_books(first["counts"])
    assert first["counts"]["read"] == shop.box.kibo.opted_in_count()
    assert first["counts"]["rejected"] == first["errors"]
    sent = len(imported_rows(shop))
    assert sent == first["counts"]["added"] + first["counts"].get("updated", 0)
    done = shop.ccsync("export", "--json")
    second = json.loads(done.stdout)
    assert done.returncode == 0
    check_books(second["counts"])
    assert second["counts"]["unchanged"] == sent
    assert len(imported_rows(shop)) == sent


def test_each_reason_names_the_field_and_what_would_mend_it(shop: LiveShop) -> None:
    """Each unusable address is rejected for its fault and no other hostile account is; no reason repeats the data."""
    shop.ccsync("export", "--yes")
    rejected = json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)
    reasons = {one["account_id"]: one["reason"] for one in rejected}
    for kind in HOSTILE_KINDS:
        reason = reasons.get(account_id_of(kind), "")
        assert bool(reason) == (kind in UNUSABLE), f"{kind}: {reason}"
        assert UNUSABLE.get(kind, "") in reason, f"{kind}: {reason}"
    for one in rejected:
        assert re.match(r"emailAddress (is|has|ends)\b", one["reason"])
        assert re.search(r": \w+ .*\.$", one["reason"]), one["reason"]
        assert one["reason"].isascii()
        assert one["reason"].isprintable()
        assert one["code"] in ("no-address", "bad-address", "long-address")


def test_json_is_exact(shop: LiveShop) -> None:
    """A program reads each address as the store has it, from ASCII."""
    shop.ccsync("export", "--yes")
    done = shop.ccsync("logs", "1", "--errors", "--json")
    assert done.stdout.isascii()
    shown = {one["account_id"]: one["email"] for one in json.loads(done.stdout)}
    for kind in UNUSABLE:
        account = shop.box.kibo.account(account_id_of(kind))
        assert shown[account["id"]] == account["emailAddress"]
    assert hostile_address("line_break_address", "x1@example.com", 1) == "x1\r\nBcc:x@example.com"
    for words in (["logs"], ["logs", "1"], ["configure", "--show"], ["export", "--dry-run"]):
        assert json.loads(shop.ccsync(*words, "--json").stdout)
    on_a_narrow_screen = shop.on_terminal("logs", "1", "--errors", "--json", columns=40)
    assert json.loads(on_a_narrow_screen.screen) == json.loads(done.stdout)


def test_the_log_file_is_harmless(shop: LiveShop) -> None:
    """At its most talkative it has no control character but the line end, one entry a line, and no name or address."""
    log = shop.folder / "ccsync.log"
    assert shop.ccsync("-vv", "--log-file", str(log), "export", "--yes").returncode == 3
    text = log.read_text(encoding="utf-8")
    assert "job_title left out in part" in text
    assert {one for one in text if unicodedata.category(one) in STEERING} == {"\n"}
    assert all(re.match(r"\d{4}-\d\d-\d\d", line) for line in text.splitlines())
    for word in ("gnp.exe", "HYPERLINK", "Clipboard", "Bcc", "Raffles"):
        assert word not in text


@pytest.mark.parametrize("room", [10, 20, 33])
@pytest.mark.parametrize("text", ["one  two three", "漢字カタカナ" * 9, "a \U0001f389" * 20, "x" * 80 + " end", ""])
def test_wrapping_counts_columns(text: str, room: int) -> None:
    """No line is wider than its room, nothing is lost, and words stay whole when they must."""
    lines = wrapped(text, room)
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert " ".join(wrapped(text, room, breaks_words=False)).split() == text.split()


def test_what_is_sent_is_clean_and_within_the_limits(shop: LiveShop) -> None:
    """No control, direction or broken character and no line break reaches Constant Contact; what is well stays."""
    shop.ccsync("export", "--yes")
    rows = {str(row["email"]).lower(): row for row in imported_rows(shop)}

    def sent(kind: str) -> dict[str, object]:
        address = str(shop.box.kibo.account(account_id_of(kind))["emailAddress"])
        return rows[address.strip().lower()]

    for row in rows.values():
        for field, value in row.items():
            if isinstance(value, str):
                assert value.strip()
                bad = {unicodedata.category(one) for one in value} & {"Cc", "Cs", "Zl", "Zp"}
                assert not bad, f"{field}: {value!r}"
                assert not set(value) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
                assert len(value) <= (
                    255 if field.startswith(("home_street", "cf:")) else 80 if field == "email" else 50
                )
    assert sent("percent")["first_name"] == "%s%n%x"
    assert sent("braces")["first_name"] == "{0}{name!r}"
    assert sent("quotes")["last_name"] == "O\\'Neil \\\\ \\n \\"
    assert sent("formula")["last_name"] == "@SUM(1+1)*cmd|' /C calc'!A0"
    assert sent("line_breaks")["first_name"] == "Two Lines"
    assert (sent("formula_tab")["first_name"], sent("formula_tab")["last_name"]) == ("=1+1", '"=1+1"')
    assert sent("segments_odd")["cf:segments"] == "[2J=1+1, 7, A, B"
    assert sent("summary_odd")["cf:order_count"] == "many[2J"
    assert "cf:kibo_id" not in sent("summary_odd")
    assert sent("nul")["first_name"] == "Null"
    assert "last_name" not in sent("nul")
    assert not {"first_name", "last_name"} & set(sent("only_blanks"))
    assert sent("emoji_300")["first_name"] == "\U0001f389" * 50
    assert sent("hundreds_of_contacts")["home_street"] == "400 Main St"
    assert sent("two_primaries")["home_street"] == "1 Main St"
    assert not {"home_street", "home_phone"} & (set(sent("no_contact")) | set(sent("null_contacts")))
    assert sent("phone_extensions")["home_phone"] == "512-555-0100 ext. 42"
    assert sent("phone_letters")["home_phone"] == "1-800-FLOWERS"
    assert set(sent("phone_too_long")) & {"home_phone", "work_phone", "mobile_phone"} == {"mobile_phone"}
    assert "home_state" not in sent("country_without_states")
    assert sent("country_without_states")["home_country"] == "SG"
    assert "job_title" not in set(sent("attribute_empty")) | set(sent("attribute_null")) | set(sent("attribute_blank"))
    assert str(sent("attribute_mixed")["job_title"]).startswith("gold, 3, 2.5, true")
    assert {row["birthday_month"] for row in rows.values() if "birthday_month" in row} <= set(range(1, 13))


@pytest.fixture
def halves_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON's escapes can carry half a character where UTF-8 cannot."""

    def as_json(cls: type[Reply], status: int, value: object, **headers: str) -> Reply:
        return cls(status, json.dumps(value).encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})

    monkeypatch.setattr(Reply, "json", classmethod(as_json))


@pytest.mark.usefixtures("halves_on_the_wire")
def test_lone_surrogates(shop: LiveShop) -> None:
    """Half a character in a name is left out, in an address it is the reason, and a question mark in the log."""
    named = shop.box.kibo.add_account(emailAddress="half@example.com", acceptsMarketing=True, **LONE_SURROGATES)
    addressed = shop.box.kibo.add_account(emailAddress="half\udfff@example.com", acceptsMarketing=True)
    seen = shop.on_terminal("export", "--yes")
    assert seen.code == 3
    check_screen(seen.screen, 80)
    rows = {str(row["email"]): row for row in imported_rows(shop)}
    assert rows["half@example.com"]["first_name"] == "Half"
    assert "last_name" not in rows["half@example.com"]
    rejected = {one["account_id"]: one for one in json.loads(shop.ccsync("logs", "1", "--errors", "--json").stdout)}
    assert named not in rejected
    assert "control or invisible character" in rejected[addressed]["reason"]
    seen = shop.on_terminal("logs", "1", "--errors", columns=200)
    check_screen(seen.screen, 200)
    assert "half?@example.com" in seen.screen
