"""What a job says when it has ended: the run as JSON, or a sentence to whoever watches; under cron nothing."""

from ccsync.cli.commands.reporting.logs import run_to_json
from ccsync.cli.terminal import screen
from ccsync.cli.wiring import App
from ccsync.run.context import Context
from ccsync.state.log.runs import Run


def report(app: App, run: Run, context: Context, done: str, *, as_json: bool, news: str = "") -> None:
    """Tell how a run ended. `done` says what it did; `news`, if any, what was newly refused of its `errors`."""
    if as_json:
        screen.print_json(run_to_json(run))
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.print_line(f"{done}. {_cost(run, context)}")
        for remark in context.remarks:
            screen.print_line(screen.clean(remark))
    if news and not app.is_quiet:
        screen.say(f"{run.errors:,} {news}: ccsync logs {run.id} --errors")


def _cost(run: Run, context: Context) -> str:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
    calls, kibo_calls = context.constant_contact.transport.calls, context.kibo.transport.calls
    return f"{screen.duration(seconds)}, {calls:,} calls to Constant Contact, {kibo_calls:,} to Kibo."
