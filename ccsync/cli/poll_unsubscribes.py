"""`ccsync poll-unsubscribes`: opt-outs, and people's own returns, from Constant Contact to Kibo."""

import sys

import click

from ccsync.cli import screen
from ccsync.cli.clock import now
from ccsync.cli.logs import run_to_json
from ccsync.cli.progress import ProgressLine
from ccsync.cli.wiring import App, Clients, active_list, clients
from ccsync.config import Config
from ccsync.jobs import poll_unsubscribes as job
from ccsync.jobs.running import carry_out
from ccsync.jobs.work import Work
from ccsync.state import Store, runs, scratch_store
from ccsync.state.runs import Run

MOST_SECONDS = 25 * 60
"""Cron starts the next run after half an hour."""
SOME_REJECTED = 3


@click.command("poll-unsubscribes")
@click.option("--full", is_flag=True, help="Read every opt-out and the whole list, as is done once a day anyway.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would be done.")
@click.option(
    "--accept", metavar="N", type=click.IntRange(min=0), default=0, help="Let up to N changes pass the brake."
)
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def poll_unsubscribes(app: App, full: bool, dry_run: bool, accept: int, as_json: bool) -> int:
    """Opt customers out in the store who unsubscribed at Constant Contact or left the contact list there.

    Whoever comes back to Constant Contact by their own act is opted in again, if it was Constant Contact that had
    opted them out. For cron, every 30 minutes.

    \b
    Example:  ccsync poll-unsubscribes --dry-run
              ccsync poll-unsubscribes
    """
    config = app.load()
    list_id = active_list(config)
    if not config.sync.enabled:
        return _say_disabled(app, as_json)
    request = job.Request(is_dry_run=dry_run, is_full=full, accept=accept)
    line = ProgressLine(not (app.is_quiet or as_json))
    if not sys.stderr.isatty():
        app.clock.limit(MOST_SECONDS)
    with app.writing(config, job.JOB) as store:
        tools = clients(config, store, app.clock)
        work = _work(config, store, tools, list_id, line, app)
        try:
            if dry_run:
                return _dry_run(work, request, as_json, line)
            outcome = carry_out(work, job.JOB, job.DIRECTION, lambda: job.run(work, request))
        finally:
            line.erase()
        finished = runs.get(store, work.run_id)
    if finished is not None:
        _report(app, finished, work, as_json, outcome.news)
    return SOME_REJECTED if outcome.news else 0


def _work(config: Config, store: Store, tools: Clients, list_id: str, line: ProgressLine, app: App) -> Work:
    return Work(
        store=store,
        kibo=tools.kibo,
        constant_contact=tools.constant_contact,
        gate=tools.gate,
        config=config,
        list_id=list_id,
        clock=app.clock,
        now=now,
        report=line,
    )


def _say_disabled(app: App, as_json: bool) -> int:
    text = "The sync is disabled ([sync] enabled = false); nothing was done. To switch it on: ccsync configure --enable"
    if as_json:
        screen.print_json({"id": None, "job": job.JOB, "direction": job.DIRECTION, "status": None, "message": text})
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.say(text)
    return 0


def _dry_run(work: Work, request: job.Request, as_json: bool, line: ProgressLine) -> int:
    """Run on a copy of the state file, which is thrown away; calls are counted in the real one."""
    started_at, scratch = now(), scratch_store()
    try:
        work.store.copy_to(scratch)
        work.store, work.is_dry_run = scratch, True
        work.run_id = runs.start(scratch, job.JOB, job.DIRECTION, started_at)
        plan = job.run(work, request).plan or job.Plan()
        runs.finish(scratch, work.run_id, "COMPLETE", now(), work.counts, " ".join(work.remarks))
        run = runs.get(scratch, work.run_id)
    finally:
        line.erase()
        scratch.close()
    if as_json and run is not None:
        screen.print_json({**run_to_json(run), "id": None, "plan": _plan_to_json(plan)})
    else:
        _print_plan(work, plan)
    return 0


def _plan_to_json(plan: job.Plan) -> dict[str, object]:
    return {
        **plan.by_kind,
        "accounts": plan.accounts,
        "held": plan.held,
        "calls": plan.calls,
        "kibo_calls": plan.kibo_calls,
    }


def _print_plan(work: Work, plan: job.Plan) -> None:
    screen.print_line("Dry run, nothing was changed.")
    counts = {**work.counts, **plan.by_kind}
    shown = ("unsubscribed", "departed", "resubscribed", "unchanged", "not_a_customer", "failed")
    rows = [(key.replace("_", " "), f"{counts.get(key, 0):,}") for key in shown if counts.get(key) or key in shown[:3]]
    screen.print_table(("Would be", "People"), rows)
    if plan.held:
        screen.print_line(
            f"The brake would hold {plan.held:,} of them back ([sync] max_opt_outs ="
            f" {work.config.sync.max_opt_outs:,}, or a fifth of the list at once): --accept N lets N of them pass."
        )
    for remark in (*work.remarks, *work.notices.values()):
        screen.print_line(screen.clean(remark))
    screen.print_line(
        f"Accounts to be written: {plan.accounts:,}. Cost: {plan.calls:,} calls to Constant Contact,"
        f" {plan.kibo_calls:,} to Kibo."
    )


def _report(app: App, run: Run, work: Work, as_json: bool, news: int) -> None:
    if as_json:
        screen.print_json(run_to_json(run))
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.print_line(_summary(run, work))
        for remark in work.remarks:
            screen.print_line(screen.clean(remark))
    if app.is_quiet:
        return
    for notice in work.notices.values():
        screen.say(screen.clean(notice))
    if news:
        screen.say(f"{run.errors:,} accounts were not written as they should be: ccsync logs {run.id} --errors")


def _summary(run: Run, work: Work) -> str:
    counts = run.counts
    out = counts.get("unsubscribed", 0) + counts.get("departed", 0)
    text = (
        f"Told the store: {out:,} opted out ({counts.get('unsubscribed', 0):,} unsubscribed,"
        f" {counts.get('departed', 0):,} left the list), {counts.get('resubscribed', 0):,} opted in again;"
        f" {counts.get('unchanged', 0):,} already so, {counts.get('not_a_customer', 0):,} not customers"
    )
    text += f", {counts['failed']:,} failed" if counts.get("failed") else ""
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
    text += f". {screen.duration(seconds)}, {work.constant_contact.transport.calls:,} calls to Constant Contact"
    return f"{text}, {work.kibo.transport.calls:,} to Kibo."
