"""`ccsync logs`: the runs, one run, its rejected records, and all records that are rejected now."""

from collections.abc import Callable, Iterator
from datetime import datetime

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, streaming, tables
from ccsync.cli.terminal.run_json import rejected_to_json, run_to_json
from ccsync.cli.terminal.since import as_time
from ccsync.state import parked
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord, Run
from ccsync.state.parked import ParkedRecord

DIRECTIONS = {"to": "To Constant Contact", "from": "From Constant Contact"}
STATUSES = ("RUNNING", "COMPLETE", "FAILED", "INTERRUPTED")


@click.command()
@click.argument("run_id", metavar="[ID]", required=False, type=int)
@click.option("--errors", is_flag=True, help="List the records that were rejected in run ID, and why.")
@click.option("--rejected", is_flag=True, help="List all records that are rejected now, with their run.")
@click.option("--direction", type=click.Choice(list(DIRECTIONS)), help="Only runs to or from Constant Contact.")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only runs in this status.")
@click.option("--since", metavar="TIME", callback=as_time, help="Only runs since then: a date, a time, or 3d, 2h.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="At most N runs.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, safe to open in a spreadsheet.")
@tables.wide
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def logs(
    app: App,
    run_id: int | None,
    errors: bool,
    rejected: bool,
    direction: str | None,
    status: str | None,
    since: datetime | None,
    limit: int,
    is_wide: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List runs, or show one of them.

    \b
    Example:  ccsync logs
              ccsync logs 12 --errors
              ccsync logs --rejected
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json do not go together.")
    if rejected and (errors or run_id is not None):
        raise click.UsageError("--rejected is about all runs: it goes with no ID and not with --errors.")
    if errors and run_id is None:
        raise click.UsageError("--errors needs the ID of a run: ccsync logs ID --errors")
    with app.reading(app.load(only_reads=True)) as store:
        if rejected:
            _show_parked(parked.iter_records(store), as_csv, as_json, is_wide=is_wide)
            return
        if run_id is None:
            found = runs.latest(store, direction=direction, status=status, since=since, limit=limit)
            _show_runs(found, as_csv, as_json, screen.table_time(app.clock.now(), is_wide=is_wide), is_wide=is_wide)
            return
        run = runs.get(store, run_id)
        if run is None:
            raise click.UsageError(f"there is no run {run_id}; `ccsync logs` lists them.")
        if errors:
            _show_rejected(runs.rejected(store, run_id), as_csv, as_json, is_wide=is_wide)
        elif as_csv:
            _print_csv([run])
        else:
            _show_run(run, as_json)


_RUNS = ("id", "job", "direction", "status", "started_at", "finished_at", "total_contacts", "errors", "message")


def _print_csv(found: list[Run]) -> None:
    streaming.print_csv(_RUNS, ([run_to_json(run)[name] for name in _RUNS] for run in found))


def _show_runs(
    found: list[Run], as_csv: bool, as_json: bool, time: Callable[[datetime | None], str], *, is_wide: bool
) -> None:
    if as_json:
        screen.print_json([run_to_json(run) for run in found])
        return
    if as_csv:
        _print_csv(found)
        return
    if not found:
        screen.say("No run yet. Start with: ccsync export --dry-run")
        return
    headers = ["ID", "Job", "Status", "Started", "Duration", "Total Contacts", "Errors"]
    rows = [
        [run.id, run.job, run.status, time(run.started_at), _duration(run), run.total_contacts, run.errors]
        for run in found
    ]
    if is_wide:
        headers.insert(2, "Direction")
        for row, run in zip(rows, found, strict=True):
            row.insert(2, DIRECTIONS.get(run.direction, run.direction))
    tables.print_table(headers, rows, is_wide=is_wide, spare=("Total Contacts", "Duration"))


def _duration(run: Run) -> str:
    return screen.duration((run.finished_at - run.started_at).total_seconds()) if run.finished_at else ""


def _show_run(run: Run, as_json: bool) -> None:
    if as_json:
        screen.print_json(run_to_json(run))
        return
    facts: dict[str, object] = {
        "ID": run.id,
        "Job": run.job,
        "Direction": DIRECTIONS.get(run.direction, run.direction),
        "Status": run.status,
        "Started": screen.local_time(run.started_at),
        "Finished": screen.local_time(run.finished_at),
        "Duration": _duration(run),
        "Total Contacts": run.total_contacts,
        "Errors": run.errors,
    }
    facts.update({name.replace("_", " "): number for name, number in run.counts.items() if number})
    if run.message:
        facts["Message"] = run.message
    tables.print_facts(facts)
    if run.errors:
        screen.say(f"To list the rejected records: ccsync logs {run.id} --errors")


_REJECTED = ("account_id", "email", "reason", "code", "at")


def _show_rejected(records: list[RejectedRecord], as_csv: bool, as_json: bool, *, is_wide: bool) -> None:
    if as_json:
        screen.print_json([rejected_to_json(record) for record in records])
        return
    if as_csv:
        streaming.print_csv(_REJECTED, ([rejected_to_json(record)[name] for name in _REJECTED] for record in records))
        return
    if not records:
        screen.say("No record was rejected in this run.")
        return
    headers = ("Account", "Code", "E-mail", "Reason")
    rows = [(one.account_id, one.code, one.email or "", one.reason) for one in records]
    tables.print_table(headers, rows, is_wide=is_wide, spare=("Code",))


def _parked_to_json(record: ParkedRecord) -> dict[str, object]:
    return {**rejected_to_json(record), "run_id": record.run_id}


def _show_parked(records: Iterator[ParkedRecord], as_csv: bool, as_json: bool, *, is_wide: bool) -> None:
    if as_json:
        streaming.print_json_array(map(_parked_to_json, records))
        return
    if as_csv:
        columns = (*_REJECTED, "run_id")
        streaming.print_csv(columns, ([_parked_to_json(one)[name] for name in columns] for one in records))
        return
    found = list(records)
    if not found:
        screen.say("No record is rejected now.")
        return
    headers = ("Account", "Run", "E-mail", "Reason")
    rows = [(one.account_id, one.run_id, one.email or "", one.reason) for one in found]
    tables.print_table(headers, rows, is_wide=is_wide)
