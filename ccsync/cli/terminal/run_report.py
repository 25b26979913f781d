"""Prints the result of a job: JSON, or a sentence on a terminal, or nothing under cron."""

from ccsync.cli import logging_setup
from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.run_json import run_to_json
from ccsync.run.context import Context
from ccsync.state.log import runs
from ccsync.state.log.runs import Run
from ccsync.words import counted


def news_of(context: Context, noun: str, fate: str) -> str:
    """The line that cron mails about rejected records: how many, and the most common reason."""
    number = runs.count_rejected(context.store, context.run_id)
    reason, times = runs.commonest_reason(context.store, context.run_id)
    what = f"1 {noun} was {fate}" if number == 1 else f"{number:,} {noun}s were {fate}"
    often = "" if times == number else f", most often ({times:,})" if times > 1 else ", the first of them"
    reason = screen.clean(logging_setup.redact(reason)).rstrip(".")
    return f"{what}{often}: {reason}. ccsync logs {context.run_id} --errors"


def report(app: App, run: Run, context: Context, done: str, *, as_json: bool, news: str = "") -> None:
    """Print how a run ended. `done` says what it did; `news` says what was newly rejected, if anything."""
    if as_json:
        screen.print_json(run_to_json(run))
    elif screen.wants_summary(app.verbosity, app.is_quiet):
        screen.print_line(f"{done}. {_cost(run, context)}")
        for remark in context.remarks:
            screen.print_line(screen.clean(remark))
    if news and not app.is_quiet:
        screen.say(news)


def _cost(run: Run, context: Context) -> str:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
    calls, kibo_calls = context.constant_contact.transport.calls, context.kibo.transport.calls
    return f"{screen.duration(seconds)}, {counted(calls, 'call')} to Constant Contact, {kibo_calls:,} to Kibo."
