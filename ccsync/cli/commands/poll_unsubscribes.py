"""`ccsync poll-unsubscribes`: writes opt-outs, and people's own re-subscriptions, from Constant Contact to Kibo."""

import click

from ccsync.cli.command_line import App
from ccsync.cli.cron.job import RUN_SECONDS, is_switched_off, load, patience, say_notices, wait_option
from ccsync.cli.terminal import screen, tables
from ccsync.cli.terminal.run_json import run_to_json
from ccsync.cli.terminal.run_report import news_of, report
from ccsync.cli.wiring import active_list, working
from ccsync.errors import SOME_REJECTED
from ccsync.jobs import poll_unsubscribes as job
from ccsync.reports.poll_plan import Plan
from ccsync.run.context import Context
from ccsync.run.job_names import POLL_UNSUBSCRIBES
from ccsync.run.life_cycle import carry_out, try_out
from ccsync.state.log import runs
from ccsync.state.log.runs import Run
from ccsync.state.outbox.write_backs import KINDS
from ccsync.words import counted


@click.command("poll-unsubscribes")
@click.option("--full", is_flag=True, help="Read all opt-outs and the whole list, as it does once a day anyway.")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be done.")
@click.option(
    "--accept", metavar="N", type=click.IntRange(min=0), default=0, help="Allow up to N changes past the safety limit."
)
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def poll_unsubscribes(
    app: App, full: bool, dry_run: bool, accept: int, wait_seconds: float | None, as_json: bool
) -> int:
    """Write opt-outs back to the store.

    Opts out the customers who unsubscribed at Constant Contact or left the contact list there. People who re-subscribe
    there themselves are opted in again if Constant Contact had opted them out. Run it from cron every 30 minutes.

    \b
    Example:  ccsync poll-unsubscribes --dry-run
              ccsync poll-unsubscribes
    """
    config = load(app, POLL_UNSUBSCRIBES) if not dry_run else app.load()
    list_id = active_list(config)
    if not dry_run and is_switched_off(app, config, POLL_UNSUBSCRIBES):
        return 0
    app.clock.limit(RUN_SECONDS)
    request = job.Request(is_dry_run=dry_run, is_full=full, accept=accept)
    patient = patience(app, wait_seconds)
    with working(app, config, POLL_UNSUBSCRIBES, list_id, shows_progress=not as_json, wait_seconds=patient) as context:
        try:
            if dry_run:
                run, outcome = try_out(context, POLL_UNSUBSCRIBES, lambda: job.run(context, request))
            else:
                outcome = carry_out(context, POLL_UNSUBSCRIBES, lambda: job.run(context, request))
                run = runs.get(context.store, context.run_id)
        finally:
            if not dry_run:
                say_notices(app, context)
        news = news_of(context, "consent change", "not written to Kibo") if outcome.news else ""
    if outcome.plan is not None:
        _show_plan(run, outcome.plan, context, as_json)
    elif run is not None:
        report(app, run, context, _summary(run), as_json=as_json, news=news)
    return SOME_REJECTED if outcome.news else 0


def _show_plan(run: Run | None, plan: Plan, context: Context, as_json: bool) -> None:
    if as_json and run is not None:
        screen.print_json({**run_to_json(run), "id": None, "plan": _plan_to_json(plan)})
    else:
        _print_plan(context, plan)


def _plan_to_json(plan: Plan) -> dict[str, object]:
    return {
        **{kind: plan.by_kind[kind] for kind in KINDS},
        "accounts": plan.accounts,
        "held": plan.held,
        "calls": plan.calls,
        "kibo_calls": plan.kibo_calls,
    }


def _print_plan(context: Context, plan: Plan) -> None:
    screen.print_line("Dry run, nothing was changed.")
    counts = {**context.counts, **plan.by_kind}
    shown = ("unsubscribed", "departed", "resubscribed", "unchanged", "not_a_customer", "failed")
    rows = [(key.replace("_", " "), f"{counts.get(key, 0):,}") for key in shown if counts.get(key) or key in shown[:3]]
    tables.print_table(("Would be", "People"), rows)
    if plan.held:
        screen.print_line(
            f"The safety limit would stop {plan.held:,} of them ([sync] max_opt_outs ="
            f" {context.config.sync.max_opt_outs:,}, or a fifth of the list at once); --accept N writes up to N."
        )
    for remark in (*context.remarks, *context.notices.values()):
        screen.print_line(screen.clean(remark))
    screen.print_line(
        f"Accounts to be written: {plan.accounts:,}. Cost: {counted(plan.calls, 'call')} to Constant Contact,"
        f" {plan.kibo_calls:,} to Kibo."
    )


def _summary(run: Run) -> str:
    counts = run.counts
    if not any(counts.get(key) for key in ("unsubscribed", "departed", "resubscribed", "failed")):
        return "Nothing to do"
    out = counts.get("unsubscribed", 0) + counts.get("departed", 0)
    text = (
        f"Wrote to Kibo: {counted(out, 'opt-out')} ({counts.get('unsubscribed', 0):,} unsubscribed,"
        f" {counts.get('departed', 0):,} left the list), {counted(counts.get('resubscribed', 0), 'opt-in')};"
        f" {counts.get('unchanged', 0):,} unchanged, {counts.get('not_a_customer', 0):,} not a customer"
    )
    return text + (f", {counts['failed']:,} failed" if counts.get("failed") else "")
