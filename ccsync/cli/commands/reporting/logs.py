"""`ccsync logs`: the runs, one run, the records it could not use."""

import click

from ccsync.cli.terminal import screen
from ccsync.cli.wiring import App
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord, Run

DIRECTIONS = {"to": "To Constant Contact", "from": "From Constant Contact"}
STATUSES = ("RUNNING", "COMPLETE", "FAILED", "INTERRUPTED")


@click.command()
@click.argument("run_id", metavar="[ID]", required=False, type=int)
@click.option("--errors", is_flag=True, help="List the records that run ID could not use, and why.")
@click.option("--direction", type=click.Choice(list(DIRECTIONS)), help="Only runs to or from Constant Contact.")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only runs in this status.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="At most N runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def logs(
    app: App,
    run_id: int | None,
    errors: bool,
    direction: str | None,
    status: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the runs, newest first, or one run by its ID.

    \b
    Example:  ccsync logs
              ccsync logs 12 --errors
    """
    if errors and run_id is None:
        raise click.UsageError("--errors needs the ID of a run: ccsync logs ID --errors")
    with app.reading(app.load(only_reads=True)) as store:
        if run_id is None:
            _show_runs(runs.latest(store, direction=direction, status=status, limit=limit), as_json)
            return
        found = runs.get(store, run_id)
        if found is None:
            raise click.UsageError(f"there is no run {run_id}; `ccsync logs` lists them.")
        if errors:
            _show_rejected(runs.rejected(store, run_id), as_json)
        else:
            _show_run(found, as_json)


def run_to_json(run: Run) -> dict[str, object]:
    """A run as the contract has it."""
    return {
        "id": run.id,
        "job": run.job,
        "direction": run.direction,
        "status": run.status,
        "started_at": screen.utc_time(run.started_at),
        "finished_at": screen.utc_time(run.finished_at),
        "total_contacts": run.total_contacts,
        "errors": run.errors,
        "counts": {key: number for key, number in run.counts.items() if number},
        "message": run.message,
    }


def _show_runs(found: list[Run], as_json: bool) -> None:
    if as_json:
        screen.print_json([run_to_json(run) for run in found])
        return
    if not found:
        screen.say("No run yet. The first: ccsync export --dry-run, then ccsync export.")
        return
    headers = ("ID", "Job", "Direction", "Status", "Started", "Duration", "Total Contacts", "Errors")
    screen.print_table(headers, [_cells(run) for run in found])


def _cells(run: Run) -> tuple[object, ...]:
    return (
        run.id,
        run.job,
        DIRECTIONS.get(run.direction, run.direction),
        run.status,
        screen.local_time(run.started_at),
        _duration(run),
        run.total_contacts,
        run.errors,
    )


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
    screen.print_facts(facts)
    if run.errors:
        screen.say(f"ccsync logs {run.id} --errors lists the records that could not be used.")


def rejected_to_json(record: RejectedRecord) -> dict[str, object]:
    """A rejected record as the contract has it: the whole address, the operator needs it."""
    return {
        "account_id": record.account_id,
        "email": record.email,
        "reason": record.reason,
        "code": record.code,
        "at": screen.utc_time(record.at),
    }


def _show_rejected(records: list[RejectedRecord], as_json: bool) -> None:
    if as_json:
        screen.print_json([rejected_to_json(record) for record in records])
        return
    if not records:
        screen.say("This run could use every record.")
        return
    headers = ("Account", "E-mail", "Reason", "Code")
    screen.print_table(headers, [(one.account_id, one.email or "", one.reason, one.code) for one in records])
