"""`ccsync reconcile`: do both systems agree? Cron runs it once a week; `--fix` queues what can be put right."""

from collections.abc import Iterator, Mapping
from itertools import islice

import click

from ccsync.cli.command_line import App
from ccsync.cli.cron.job import load, patience
from ccsync.cli.terminal import screen, streaming, tables
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.terminal.run_json import run_to_json
from ccsync.cli.wiring import active_list, working
from ccsync.consent.drift import DRIFT, MEANING, WORDS, Kind, Repair
from ccsync.errors import Declined, NotAgreed
from ccsync.jobs import reconcile as job
from ccsync.jobs.reconcile import Report
from ccsync.reports import differences
from ccsync.run.context import Context
from ccsync.run.job_names import RECONCILE
from ccsync.run.life_cycle import carry_out
from ccsync.state import properties
from ccsync.state.log import runs
from ccsync.state.views import comparison
from ccsync.state.views.comparison import Finding
from ccsync.words import counted

DRIFTED = 3
EXPORT_IS_DUE = (
    "Nothing was compared: no export to this list has finished yet. ccsync export --dry-run, then ccsync export"
)
SHOWN = 50
"""How many rows the table shows; CSV and JSON have all of them."""
COLUMNS = ("kind", "is_drift", "address", "account_ids", "reason", "repair")


@click.command()
@click.option("--fix", is_flag=True, help="Show what can be put right, and queue it for the jobs after a yes.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@tables.wide
@click.option("--csv", "as_csv", is_flag=True, help="Print every finding as CSV, safe to open in a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="Print the run and every finding as JSON.")
@click.pass_obj
def reconcile(app: App, fix: bool, yes: bool, is_wide: bool, as_csv: bool, as_json: bool) -> int:
    """Compare the store and the list.

    Also compares the state file. Changes nothing at either vendor. Exit code 3 means drift: a difference that ccsync
    should have prevented. A difference with a reason (suppressed, rejected, added to the list by somebody else) is
    information only.

    \b
    Example:  ccsync reconcile
              ccsync reconcile --csv > findings.csv
              ccsync reconcile --fix
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json do not go together.")
    if yes and not fix:
        raise click.UsageError("--yes goes with --fix.")
    if fix and not yes and not screen.may_ask():
        raise NotAgreed("--fix needs a confirmation; nothing was done.", "", "ccsync reconcile --fix --yes")
    config = load(app, RECONCILE) if not fix else app.load()
    list_id = active_list(config)
    is_shown, patient = not (as_json or as_csv), patience(app, None)
    with working(app, config, RECONCILE, list_id, shows_progress=is_shown, wait_seconds=patient) as context:
        if not (as_csv or as_json or fix or properties.has_exported(context.store, list_id)):
            if not app.is_quiet:
                screen.say(EXPORT_IS_DUE)
            return 0
        report = carry_out(context, RECONCILE, lambda: job.run(context))
        if as_csv:
            streaming.print_csv(COLUMNS, (tuple(_csv_cells(one)) for one in _findings(context)))
        elif as_json:
            _print_json(context, report)
        elif screen.wants_summary(app.verbosity, app.is_quiet):
            _print_report(context, report, is_wide=is_wide)
        elif report.drift and not app.is_quiet:
            screen.say(_in_one_line(report))
        repaired = _fix(app, context, yes) if fix else 0
    return DRIFTED if report.drift > repaired else 0


def finding_to_json(one: Finding) -> dict[str, object]:
    """A finding as JSON."""
    return {
        "kind": one.kind,
        "is_drift": Kind(one.kind) in DRIFT,
        "address": one.email,
        "account_ids": list(one.account_ids),
        "reason": one.reason,
        "repair": one.repair or None,
    }


def _csv_cells(one: Finding) -> Iterator[object]:
    yield from (one.kind, str(Kind(one.kind) in DRIFT).lower(), one.email)
    yield from (" ".join(map(str, one.account_ids)), one.reason, one.repair)


def _findings(context: Context, kinds: tuple[Kind, ...] = tuple(Kind)) -> Iterator[Finding]:
    return comparison.iter_findings(context.store, [kind.value for kind in kinds])


def _print_json(context: Context, report: Report) -> None:
    run = runs.get(context.store, context.run_id)
    facts = {
        **(run_to_json(run) if run else {}),
        "drift": report.drift,
        "accounts": report.accounts,
        "members": report.members,
        "kinds": {kind.value: report.counts.get(kind, 0) for kind in Kind},
    }
    with screen.long_json("findings", map(finding_to_json, _findings(context)), **facts) as print_it:
        print_it()


def _print_report(context: Context, report: Report, *, is_wide: bool) -> None:
    screen.print_line(
        f"Compared {counted(report.accounts, 'account')} in the store with {counted(report.members, 'member')} of the"
        f" list: {counted(context.constant_contact.transport.calls, 'call')} to Constant Contact,"
        f" {context.kibo.transport.calls:,} to Kibo."
    )
    found = [kind for kind in Kind if report.counts.get(kind)]
    if found:
        rows = [
            (kind.value, "yes" if kind in DRIFT else "", f"{report.counts[kind]:,}", MEANING[kind]) for kind in found
        ]
        tables.print_table(("Kind", "Drift", "People", "Meaning"), rows, is_wide=is_wide)
    if not report.drift:
        screen.print_line("No drift: both systems and the state file agree.")
        return
    screen.print_line()
    drift = list(islice(_findings(context, DRIFT), SHOWN))
    tables.print_table(
        ("Kind", "Address", "Accounts", "Reason"),
        [(one.kind, one.email or "", ", ".join(map(str, one.account_ids)), one.reason) for one in drift],
        is_wide=is_wide,
    )
    if report.drift > len(drift):
        screen.print_line(f"... and {report.drift - len(drift):,} more: ccsync reconcile --csv")
    if any(differences.plan(context)):
        screen.print_line("To fix what can be fixed: ccsync reconcile --fix")


def _in_one_line(report: Report) -> str:
    """The drift for cron's mail: a count for each kind, no addresses."""
    kinds = ", ".join(f"{report.counts[kind]:,} {kind.value}" for kind in DRIFT if report.counts.get(kind))
    people = "1 person is" if report.drift == 1 else f"{report.drift:,} people are"
    return f"The store and the list have drifted apart: {people} concerned ({kinds}). ccsync reconcile"


def _fix(app: App, context: Context, yes: bool) -> int:
    """Show the plan and, after a yes, carry it out. Returns how many findings were queued."""
    plan = differences.plan(context)
    if not plan:
        if not app.is_quiet:
            screen.say("Nothing to fix.")
        return 0
    if not yes:
        screen.say(f"To be queued: {_queued_words(plan)}.")
        screen.say("Nobody is re-subscribed, nobody suppressed is added, and the safety limit applies.")
        if not Talk(app.clock.check).confirm("Queue it?"):
            raise Declined("Cancelled. Nothing was queued.", "", "ccsync reconcile --fix")
    done = differences.repair(context)
    if not app.is_quiet:
        screen.say(f"Queued: {_queued_words(plan)}. The next runs of the jobs do it.")
    return done


def _queued_words(plan: Mapping[Repair, int]) -> str:
    return ", ".join(f"{number:,} {WORDS[repair]}" for repair, number in plan.items())
