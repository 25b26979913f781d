"""`ccsync consent`: the ledger as an auditor gets it, on a terminal, as CSV and as JSON."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.cli.terminal.streaming import csv_cell
from ccsync.sandbox.kibo.audit import STAFF
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, ledger
from ccsync.state.ledger import ConsentChange
from tests.cli.test_hostile_store import account_id_of, check_screen
from tests.cli.test_operator import check_error
from tests.live import LiveShop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveShop]:
    settings = SandboxSettings(customers=100, seed=7, hostile=True)
    with LiveShop(tmp_path_factory.mktemp("shop"), settings) as made:
        assert made.ccsync("export", "--yes").returncode == 3
        yield made


def unsubscribed(shop: LiveShop) -> str:
    store = shop.open()
    row = store.one("SELECT email FROM consent WHERE change = 'unsubscribed' AND account_id IS NULL")
    store.close()
    assert row
    return str(row[0])


def rows(shop: LiveShop, *words: str) -> list[dict[str, object]]:
    done = shop.ccsync("consent", *words, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_a_person_s_rows_tell_who_what_when_and_how_we_know(shop: LiveShop) -> None:
    """An unsubscribe has its address, the vendor's date and fields, when it was seen and by which run."""
    address = unsubscribed(shop)
    (row,) = (one for one in rows(shop, f"  {address.upper()} ") if one["change"] == "unsubscribed")
    contact = shop.box.cc.contact(address)
    assert contact is not None
    assert row["address"] == address
    assert (row["source"], row["run_id"], row["contact_id"]) == ("constant_contact", 1, contact["contact_id"])
    assert str(row["happened_at"])[:10] == contact["email_address"]["opt_out_date"][:10]
    assert str(row["seen_at"]) > str(row["happened_at"])
    evidence = row["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["permission_to_send"] == "unsubscribed"
    assert evidence["opt_out_source"] == contact["email_address"]["opt_out_source"]


@pytest.mark.parametrize(("actor", "who"), [("person", "kibo: the customer"), ("staff", f"kibo: {STAFF[:8]}…")])
def test_who_changed_consent_in_the_store(tmp_path: Path, actor: str, who: str) -> None:
    """Where the store's audit log shows it, the table says by whom; JSON has the whole entry."""
    with LiveShop(tmp_path, SandboxSettings(customers=1)) as one:
        pat = one.box.kibo.add_account(emailAddress="pat@example.com", acceptsMarketing=True)
        one.ccsync("export", "--yes")
        one.box.kibo.update_account(pat, actor=actor, acceptsMarketing=False)
        one.ccsync("flush-events")
        assert who in one.ccsync("consent", "pat@example.com").stdout
        evidence = rows(one, "pat@example.com")[-1]["evidence"]
        assert isinstance(evidence, dict)
        assert evidence.keys() == {"acceptsMarketing", "changed_at", "changed_by", "application", "audit_entry"}


def test_everybody_since_a_time(shop: LiveShop) -> None:
    """`--since` shows every row of everybody, `person` tells whose; together with an address it narrows."""
    everything = rows(shop, "--since", "1h")
    store = shop.open()
    assert len(everything) == store.number("SELECT count(*) FROM consent") > 50
    store.close()
    assert [one["row"] for one in everything] == sorted(int(str(one["row"])) for one in everything)
    address = unsubscribed(shop)
    assert rows(shop, address, "--since", "1h") == rows(shop, address)
    assert len({one["person"] for one in rows(shop, address)}) == 1


def test_csv_opens_harmlessly_in_a_spreadsheet(shop: LiveShop) -> None:
    """The same rows as JSON, one line each, UTF-8 in any locale, and no cell that a spreadsheet would compute."""
    store = shop.open()
    change = ConsentChange(b"j" * 16, "jürgen@example.com", "unsubscribed", "constant_contact", None, shop.clock.now())
    with store.transaction():
        ledger.append(store, 1, [change])
    store.close()
    command = [sys.executable, "-m", "ccsync", "--config", str(shop.config_path), "consent", "--since", "1h", "--csv"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(shop.folder), "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", check=True)
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    exact = rows(shop, "--since", "1h")
    assert [int(one["row"]) for one in found] == [one["row"] for one in exact]
    assert len(done.stdout.splitlines()) == len(exact) + 1
    for cell in (cell for one in found for cell in one.values()):
        assert not cell.startswith(tuple("=+-@\t\r"))
    assert json.loads(found[0]["evidence"]) == exact[0]["evidence"]
    assert not done.stdout.isascii()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    """What a spreadsheet would compute begins with an apostrophe; other text and nothing stay what they are."""
    assert csv_cell(text).startswith("'")
    assert "\t" not in csv_cell(text)
    assert "\r" not in csv_cell(text)
    assert csv_cell("a=1") == "a=1"
    assert csv_cell(None) == ""
    assert csv_cell(17) == "17"


def test_an_address_that_looks_like_a_formula(shop: LiveShop) -> None:
    """A customer cannot reach the auditor's spreadsheet, and JSON has the address as it is."""
    shop.box.kibo.add_account(emailAddress="=1+1@example.com", acceptsMarketing=True)
    shop.ccsync("export")
    assert "'=1+1@example.com" in shop.ccsync("consent", "=1+1@example.com", "--csv").stdout
    assert rows(shop, "=1+1@example.com")[0]["address"] == "=1+1@example.com"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_screen_is_harmless(shop: LiveShop, columns: int) -> None:
    """Hostile addresses cannot drive the terminal, in a table or as CSV."""
    for words in (["--since", "1h"], ["--since", "1h", "--csv"]):
        seen = shop.on_terminal("consent", *words, columns=columns)
        assert seen.code == 0
        if "--csv" not in words:
            check_screen(seen.screen, columns)
        assert "\x1b" not in seen.screen
    account = shop.box.kibo.account(account_id_of("escape_address"))
    assert "\x1b" in str(account["emailAddress"])


@pytest.mark.parametrize(("words", "narrow"), [([], "Address"), (["--since", "1h"], "Source")])
def test_a_narrow_screen_leaves_out_what_is_known(shop: LiveShop, words: list[str], narrow: str) -> None:
    """The address that was asked for, before whose word it was; of many people, the address is needed most."""
    for columns in (60, 200):
        seen = shop.on_terminal("consent", *(words or [unsubscribed(shop)]), columns=columns)
        header = seen.screen.splitlines()[0].split()
        assert (narrow in header) == (columns == 200)
        assert len(set(header) & {"Address", "Source"}) == (1 if columns == 60 else 2)


def test_nothing_is_an_answer(shop: LiveShop) -> None:
    """An address without rows: an empty document, the sentence on stderr, exit 0."""
    for words, expected in (([], ""), (["--json"], "[]\n"), (["--csv"], None)):
        done = shop.ccsync("consent", "nobody@example.com", *words)
        assert done.returncode == 0
        assert "no row about this address" in done.stderr
        assert "@" not in done.stderr
        assert done.stdout == expected if expected is not None else len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "ADDRESS, or --since"),
        (["a@example.com", "--csv", "--json"], "do not go together"),
        (["--since", "soon"], "is not a time"),
        (["--since", "2999-01-01"], "future"),
        (["--since"], "--since"),
        ([" "], "empty"),
        (["--until", "3d"], "--until"),
    ],
)
def test_wrong_words(shop: LiveShop, words: list[str], text: str) -> None:
    """Usage (exit 2), and the message names what was wrong."""
    done = shop.ccsync("consent", *words)
    assert done.returncode == 2
    assert text in done.stderr


def test_no_state_file(tmp_path: Path) -> None:
    """Without a state file there is no ledger (exit 6)."""
    with LiveShop(tmp_path, SandboxSettings(customers=1), logs_in=False) as empty:
        check_error(empty.ccsync("consent", "--since", "1h"), 6, "no state file")


def test_it_reads_while_a_job_runs(shop: LiveShop) -> None:
    """No lock and no call: a reader works beside a writer."""
    before = len(shop.box.requests.records)
    with Lock(shop.config.state.path, "export", "2026-11-24T09:00:00.000Z"):
        assert rows(shop, "--since", "1h")
    assert len(shop.box.requests.records) == before


def test_head_may_go_away(shop: LiveShop) -> None:
    """`| head` ends it quietly."""
    process = shop.start("consent", "--since", "1h", "--csv")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def fill(path: Path, count: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO consent (person, email, account_id, change, source, seen_at, run_id, evidence)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT randomblob(16), 'person' || i || '@example.com', i, 'opted-in', 'kibo', '2026-11-24T08:00:00.000Z',"
        ' 1, \'{"acceptsMarketing": "true"}\' FROM n',
        (count,),
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_memory_does_not_grow(tmp_path: Path, form: str) -> None:
    """Twenty thousand rows stream through the memory that a hundred need, within a few megabytes."""
    with LiveShop(tmp_path, SandboxSettings(customers=1)) as shop:
        most = []
        for count in (100, 20_000):
            fill(shop.config.state.path, count)
            words = ["--config", str(shop.config_path), "consent", "--since", "2026-01-01", form]
            script = (
                "import resource, sys; from ccsync.cli.app import run; code = run(sys.argv[1:]);"
                "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True, cwd=shop.folder
            )
            assert len(done.stdout.splitlines()) >= count
            most.append(int(done.stderr.split()[-1]))
    unit = 1024 if sys.platform != "darwin" else 1
    assert (most[1] - most[0]) * unit < 5_000_000, most
