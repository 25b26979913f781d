"""`ccsync export`: sends all opted-in customers to the list."""

from datetime import timedelta
from functools import partial

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, tables
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.terminal.run_json import rejected_to_json, run_to_json
from ccsync.cli.terminal.run_report import news_of, report
from ccsync.cli.wiring import active_list, working
from ccsync.errors import SOME_REJECTED, Declined, NotAgreed
from ccsync.jobs import export as job
from ccsync.mapping.addresses import check_address
from ccsync.reports.export_plan import Plan
from ccsync.reports.first_export import FirstExport, warning
from ccsync.run.context import Context
from ccsync.run.job_names import EXPORT
from ccsync.run.life_cycle import carry_out, try_out
from ccsync.state import parked
from ccsync.state.log import runs
from ccsync.state.log.runs import Run
from ccsync.words import counted, people


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would be done and what it would cost.")
@click.option("--yes", is_flag=True, help="Confirm the first export, and that people left the list.")
@click.option("--only", metavar="ADDRESS", help="Export one person, to try it.")
@click.option("--retry-failed", is_flag=True, help="Send only the records that were rejected before.")
@click.option("--adopt-list", is_flag=True, help="Treat the list's current members as ccsync's own and update them.")
@click.option("--no-progress", is_flag=True, help="Show no progress on the terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.pass_obj
def export(
    app: App,
    dry_run: bool,
    yes: bool,
    only: str | None,
    retry_failed: bool,
    adopt_list: bool,
    no_progress: bool,
    as_json: bool,
) -> int:
    """Send all opted-in customers.

    Adds every customer who opted in to the contact list, and nobody else. Reads opt-outs first; people who unsubscribed
    are not sent. A second export sends only what changed. Stop it at any time; the next one continues.

    \b
    Example:  ccsync export --dry-run
              ccsync export --only pat@example.com
              ccsync export
    """
    if sum((only is not None, retry_failed, adopt_list)) > 1:
        raise click.UsageError("--only, --retry-failed and --adopt-list do not go together.")
    rejection = check_address(only) if only is not None else None
    if rejection is not None:
        what = rejection.reason.partition(":")[0].replace("emailAddress", "the address")
        raise click.UsageError(f"--only: {what}.")
    config = app.load()
    list_id = active_list(config)
    request = job.Request(
        is_dry_run=dry_run,
        only=only,
        is_retry=retry_failed,
        adopts_list=adopt_list,
        agree=lambda first: _agree(app, first, yes),
        agree_to_departures=lambda gone, looked_for: _agree_to_departures(app, gone, looked_for, yes),
    )
    with working(app, config, EXPORT, list_id, shows_progress=not (no_progress or as_json)) as context:
        for transport in (context.kibo.transport, context.constant_contact.transport):
            transport.on_long_wait = partial(_say_wait, app)
        if dry_run:
            return _dry_run(context, request, as_json)
        carry_out(context, EXPORT, lambda: job.run(context, request))
        finished = runs.get(context.store, context.run_id)
        news = news_of(context, "record", "rejected") if parked.news_of(context.store, context.run_id) else ""
    if finished is not None:
        report(app, finished, context, _summary(finished), as_json=as_json, news=news)
    return SOME_REJECTED if news else 0


def _say_wait(app: App, vendor: str, seconds: float) -> None:
    """An export has no time limit, so tell the operator how long a wait will be, on the terminal and in the log."""
    if not app.is_quiet:
        ends = screen.local_time(app.clock.now() + timedelta(seconds=seconds))
        screen.say(f"{vendor} asks for a wait. The export continues at {ends}.")


def _agree(app: App, first: FirstExport, yes: bool) -> None:
    """A person has to approve the first export: an automation on the list might mail everyone."""
    if yes:
        return
    members = "" if first.members is None else f", which has {counted(first.members, 'member')} now"
    what = f'First export: about {counted(first.customers, "customer")} into the list "{first.list_name}"{members}.'
    why = warning(first.automations)
    if screen.may_ask():
        screen.say(f"{screen.clean(what)}\n{screen.clean(why)}\nThe import itself sends no welcome e-mail.")
        if Talk(app.clock.check).confirm("Go on?"):
            return
        raise Declined("Cancelled. Nothing was sent.", "", "ccsync export --dry-run")
    raise NotAgreed(
        "The first export to a list needs a confirmation; nothing was sent.",
        f"{what} {why}",
        "ccsync export --dry-run, then ccsync export --yes",
    )


def _agree_to_departures(app: App, gone: int, looked_for: int, yes: bool) -> bool:
    if yes or not screen.may_ask():
        return yes
    screen.say(f"{gone:,} of {people(looked_for)} to be updated are no longer on the list.")
    if Talk(app.clock.check).confirm("Did they leave it themselves? If so, they are not added again."):
        return True
    raise Declined("Cancelled. Nothing more was sent.", "", "Check the list in Constant Contact; then: ccsync export")


def _dry_run(context: Context, request: job.Request, as_json: bool) -> int:
    run, plan = try_out(context, EXPORT, lambda: job.run(context, request) or Plan())
    if as_json and run is not None:
        screen.print_json({**run_to_json(run), "id": None, "plan": _plan_to_json(plan)})
    else:
        _print_plan(context, plan)
    return 0


def _plan_to_json(plan: Plan) -> dict[str, object]:
    return {
        "imports": plan.imports,
        "bytes": plan.bytes,
        "calls": plan.calls,
        "kibo_calls": plan.kibo_calls,
        "minutes": plan.minutes,
        "quota_share": plan.quota_share,
        "is_first_export": plan.is_first_export,
        "single_reads": plan.single_reads,
        "is_estimate": plan.is_estimate,
        "held": plan.held,
        "suppressed_reasons": dict(plan.suppressed_reasons),
        "rejected": [rejected_to_json(record) for record in plan.rejected],
    }


_SHOWN_COUNTS = (
    *("read", "added", "updated", "unchanged"),
    *("removed", "unsubscribed", "suppressed", "departed", "rejected", "skipped"),
)


def _print_plan(context: Context, plan: Plan) -> None:
    screen.print_line(
        "Dry run, nothing was changed."
        + (" This would be the first export to this list." if plan.is_first_export else "")
    )
    rows = [
        (key, f"{context.counts[key]:,}") for key in _SHOWN_COUNTS if context.counts[key] or key in _SHOWN_COUNTS[:4]
    ]
    tables.print_table(
        ("Would be", "Contacts"), [("customers read" if key == "read" else key, number) for key, number in rows]
    )
    if plan.held:
        screen.print_line(f"The safety limit would keep {people(plan.held)} on the list: ccsync flush-events --dry-run")
    for reason, number in sorted(plan.suppressed_reasons.items()):
        screen.print_line(f"suppressed: {number:,} {screen.clean(reason)}")
    for record in plan.rejected:
        screen.print_line(f"rejected: account {record.account_id}: {screen.clean(record.reason)}")
    if context.counts["rejected"] > len(plan.rejected):
        screen.print_line(f"… and {context.counts['rejected'] - len(plan.rejected):,} more rejected.")
    for remark in context.remarks:
        screen.print_line(screen.clean(remark))
    if plan.single_reads:
        screen.print_line(
            "Kibo's list does not show all mapped fields: an export reads each customer singly."
            + (" Updated, unchanged and bytes are estimated from a sample." if plan.is_estimate else "")
        )
    limits = context.config.limits
    screen.print_line(
        f"Cost: {counted(plan.calls, 'call')} to Constant Contact ({plan.quota_share:.1%} of a day's"
        f" {limits.requests_per_day:,}), {plan.kibo_calls:,} to Kibo, about {_duration(plan.minutes)}."
    )
    screen.print_line(f"Imports: {plan.imports:,} ({plan.bytes:,} bytes).")


def _duration(minutes: float) -> str:
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}" if minutes < 120 else f"{minutes / 60:.1f} hours"


def _summary(run: Run) -> str:
    counts = run.counts
    left_out = [
        f"{counts[key]:,} {key}" for key in ("suppressed", "departed", "rejected", "skipped") if counts.get(key)
    ]
    sent = counts.get("added", 0) + counts.get("updated", 0)
    text = (
        f"Exported {counted(sent, 'contact')} ({counts.get('added', 0):,} new, {counts.get('updated', 0):,} updated), "
    )
    text += f"{counts.get('unchanged', 0):,} unchanged"
    text += "".join(f", {counts[key]:,} {key}" for key in ("removed", "unsubscribed") if counts.get(key))
    return text + (f", left out: {', '.join(left_out)}" if left_out else "")
