"""`ccsync consent`: shows the consent ledger: what a person agreed to, and when."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, streaming, tables
from ccsync.cli.terminal.since import as_time
from ccsync.state import Store, ledger, people
from ccsync.state.ledger import ConsentChange, LedgerRow

HEADERS = ("Row", "Seen", "Happened", "Address", "Change", "Source", "Account", "Contact", "Run", "Evidence")
NARROW = ("Seen", "Change", "Source", "Address")
"""The columns without --wide. The address comes last because the last column wraps."""
COLUMNS = (
    "row", "seen_at", "happened_at", "address", "person", "change", "source", "account_id", "contact_id", "run_id",
    "evidence",
)  # fmt: skip
ROWS_OF_A_TABLE = 500
LONGEST_USER = 16
"""Of a user who is shown beside the source: the address needs the room."""


@click.command()
@click.argument("address", required=False)
@click.option("--since", metavar="TIME", callback=as_time, help="Only rows written since: 2026-11-01, 2h, 3d.")
@tables.wide
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, safe to open in a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def consent(app: App, address: str | None, since: datetime | None, is_wide: bool, as_csv: bool, as_json: bool) -> None:
    """Show a person's consent changes.

    Each change of a person's consent that ccsync saw or made, with its evidence. ccsync never changes these rows;
    only `ccsync forget` erases them.

    \b
    Example:  ccsync consent pat@example.com
              ccsync consent --since 2026-11-01 --csv > consent.csv
    """
    if address is None and since is None:
        raise click.UsageError("give an ADDRESS, or --since TIME, or both.")
    if as_csv and as_json:
        raise click.UsageError("--csv and --json do not go together.")
    if address is not None and not address.strip():
        raise click.UsageError("ADDRESS is empty.")
    with app.reading(app.load(only_reads=True)) as store:
        person = None if address is None else people.person_key(store)(address)
        rows = ledger.iter_ledger(store, person, since)
        if as_json:
            streaming.print_json_array(map(row_to_json, rows))
        elif as_csv:
            facts = map(row_to_json, rows)
            streaming.print_csv(COLUMNS, ([_csv_value(one[name]) for name in COLUMNS] for one in facts))
        else:
            # Of one person, every row has the address that was asked for.
            spare = ("Source",) if address is None else ("Source", "Address")
            _print_tables(rows, app.clock.now(), is_wide=is_wide, spare=spare)
        if not app.is_quiet:
            _explain_silence(store, person, since)


def row_to_json(row: LedgerRow) -> dict[str, object]:
    """A row as JSON; `person` is the same in all rows of one address."""
    change = row.change
    return {
        "row": row.number,
        "address": change.email,
        "person": change.person.hex(),
        "account_id": change.account_id,
        "contact_id": change.contact_id,
        "change": change.change,
        "source": change.source,
        "happened_at": screen.utc_time(change.happened_at),
        "seen_at": screen.utc_time(change.seen_at),
        "run_id": row.run_id,
        "evidence": dict(change.evidence),
    }


def _csv_value(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict) else value


def _print_tables(rows: Iterator[LedgerRow], now: datetime, *, is_wide: bool, spare: tuple[str, ...]) -> None:
    """Print a long ledger as several tables, each with its own column widths."""
    time = screen.table_time(now, is_wide=is_wide)
    while part := list(islice(rows, ROWS_OF_A_TABLE)):
        found = [dict(zip(HEADERS, _cells(row, time), strict=True)) for row in part]
        shown = HEADERS if is_wide else NARROW
        tables.print_table(shown, [[row[name] for name in shown] for row in found], is_wide=is_wide, spare=spare)


def _cells(row: LedgerRow, time: Callable[[datetime | None], str]) -> tuple[object, ...]:
    change = row.change
    return (
        row.number,
        time(change.seen_at),
        time(change.happened_at),
        change.email or "",
        change.change,
        _source(change),
        change.account_id or "",
        change.contact_id or "",
        row.run_id or "",
        ", ".join(f"{name} {value}" for name, value in change.evidence.items() if value is not None),
    )


def _source(change: ConsentChange) -> str:
    """Where the change was seen and, if the store shows it, by whom; the evidence has a long user id in full."""
    who = change.evidence.get("changed_by") or ""
    who = who if len(who) <= LONGEST_USER else f"{who[:8]}…"
    return f"{change.source}: {who}" if who else change.source


def _explain_silence(store: Store, person: bytes | None, since: datetime | None) -> None:
    """Say so when there is nothing to show."""
    if next(ledger.iter_ledger(store, person, since), None) is not None:
        return
    whose = "about this address" if person is not None else "at all"
    when = f" since {screen.local_time(since)}" if since else ""
    screen.say(f"The consent ledger has no row {whose}{when}.")
