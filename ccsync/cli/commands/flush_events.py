"""`ccsync flush-events`: sends what customers changed in the store to Constant Contact; cron runs it."""

import click

from ccsync.cli.command_line import App
from ccsync.cli.cron.job import RUN_SECONDS, is_switched_off, load, patience, say_notices, wait_option
from ccsync.cli.terminal import screen, tables
from ccsync.cli.terminal.run_json import run_to_json
from ccsync.cli.terminal.run_report import news_of, report
from ccsync.cli.wiring import active_list, working
from ccsync.errors import SOME_REJECTED
from ccsync.jobs import flush_events as job
from ccsync.reports.flush_plan import Plan
from ccsync.run.context import Context
from ccsync.run.job_names import FLUSH_EVENTS
from ccsync.run.life_cycle import carry_out, try_out
from ccsync.state import parked
from ccsync.state.log import runs
from ccsync.state.log.runs import Run
from ccsync.words import counted, people


@click.command("flush-events")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be done for each account, and why.")
@click.option(
    "--accept", metavar="N", type=click.IntRange(min=0), default=0, help="Allow N removals past the safety limit."
)
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def flush_events(app: App, dry_run: bool, accept: int, wait_seconds: float | None, as_json: bool) -> int:
    """Send what changed in the store.

    Reads Kibo's events and sends opt-ins, opt-outs, new names and addresses, and deletions. Run it from cron every 30
    minutes. It reads opt-outs at Constant Contact first and never sends people who unsubscribed. Before the first
    export it adds nobody. A run ends within 25 minutes; the next one continues.

    \b
    Example:  ccsync flush-events
              ccsync flush-events --dry-run
              ccsync flush-events --accept 620
    """
    config = load(app, FLUSH_EVENTS) if not dry_run else app.load()
    list_id = active_list(config)
    if not dry_run and is_switched_off(app, config, FLUSH_EVENTS):
        return 0
    app.clock.limit(RUN_SECONDS)
    patient = patience(app, wait_seconds)
    with working(app, config, FLUSH_EVENTS, list_id, shows_progress=not as_json, wait_seconds=patient) as context:
        flush = job.Flush(context, accept)
        try:
            if dry_run:
                run, plan = try_out(context, FLUSH_EVENTS, flush.run)
            else:
                carry_out(context, FLUSH_EVENTS, flush.run)
                run, plan = runs.get(context.store, context.run_id), None
        finally:
            if not dry_run:
                say_notices(app, context)
        has_news = not dry_run and parked.news_of(context.store, context.run_id) > 0
        news = news_of(context, "record", "rejected") if has_news else ""
    if plan is not None:
        _show_plan(run, plan, context, as_json)
    elif run is not None:
        report(app, run, context, _summary(run), as_json=as_json, news=news)
    return SOME_REJECTED if news else 0


def _show_plan(run: Run | None, plan: Plan, context: Context, as_json: bool) -> None:
    if as_json and run is not None:
        accounts = [{"account_id": one.account_id, "act": one.act, "reason": one.reason} for one in plan.accounts]
        screen.print_json({**run_to_json(run), "id": None, "plan": {"accounts": accounts, "held": plan.held}})
        return
    screen.print_line("Dry run, nothing was changed.")
    for text in (*context.remarks, *context.notices.values()):
        screen.print_line(screen.clean(text))
    if not plan.accounts:
        screen.print_line("No customer has changed.")
        return
    tables.print_table(
        ("Account", "Would be", "Reason"), [(one.account_id, one.act, one.reason) for one in plan.accounts]
    )
    if plan.held:
        screen.print_line(
            f"The safety limit would keep {people(plan.held)} on the list; --accept N removes up to N of them."
        )


_SHOWN = ("added", "updated", "removed", "unsubscribed", "forgotten", "unchanged", "suppressed", "departed", "rejected")


def _summary(run: Run) -> str:
    counts = run.counts
    events = sum(counts.get(f"events_{kind}", 0) for kind in ("created", "updated", "deleted"))
    done = ", ".join(f"{counts[key]:,} {key}" for key in (*_SHOWN, "failed") if counts.get(key))
    return (
        f"{counted(counts.get('read', 0), 'changed customer')} ({counted(events, 'event')}): {done or 'nothing to do'}"
    )
