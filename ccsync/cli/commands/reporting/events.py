"""`ccsync events`: the queue of what changed in the store; and `ccsync events retry`."""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, tables
from ccsync.cli.wiring import working
from ccsync.config.schema import Config
from ccsync.errors import VendorUnreachable
from ccsync.from_kibo.events import pull
from ccsync.reports.status import next_run_at
from ccsync.run.job_names import FLUSH_EVENTS
from ccsync.state import Store
from ccsync.state import events as events_seen
from ccsync.state.events import QueuedEvent
from ccsync.state.log import runs
from ccsync.state.outbox import queue
from ccsync.words import counted

SHOWN = 100
"""How many rows the table shows without --limit; JSON shows all."""
MOST_NAMED = 10
_ACCOUNT_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)


@click.group(invoke_without_command=True, subcommand_metavar="[retry …]")
@click.option("--refresh", is_flag=True, help="Pull the newest events from Kibo first.")
@click.option("--failed", is_flag=True, help="Only events that failed for good.")
@click.option("--all", "wants_done", is_flag=True, help="Also the events that are done, until they are pruned.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help=f"At most N rows.  [table: {SHOWN}]")
@tables.wide
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def events(
    context: click.Context,
    refresh: bool,
    failed: bool,
    wants_done: bool,
    limit: int | None,
    is_wide: bool,
    as_json: bool,
) -> None:
    """Show the queue of store changes.

    One row per account, newest first. --wide shows each event with its id.

    \b
    Example:  ccsync events
              ccsync events --refresh
              ccsync events --failed
              ccsync events retry --all
    """
    if context.invoked_subcommand is not None:
        if refresh or failed or wants_done or limit is not None or is_wide or as_json:
            raise click.UsageError("options of retry come after it: ccsync events retry --all")
        return
    if failed and wants_done:
        raise click.UsageError("--failed and --all do not go together.")
    app: App = context.obj
    config = app.load(only_reads=not refresh)
    trouble = _pull(app, config, as_json) if refresh else None
    if as_json:
        _show_json(app, config, wants_done=wants_done, only_failed=failed, limit=limit)
    else:
        _show(app, config, wants_done=wants_done, only_failed=failed, limit=limit, is_wide=is_wide)
    if trouble is not None:
        raise trouble


def _pull(app: App, config: Config, as_json: bool) -> VendorUnreachable | None:
    """Pull Kibo's events into the queue. Returns the problem if Kibo's pages did not end."""
    list_id = config.sync.list_id or ""  # pulling needs no list
    with working(app, config, "events --refresh", list_id, shows_progress=not as_json) as context:
        pulled = pull(context)
    if screen.wants_summary(app.verbosity, app.is_quiet):
        screen.say(f"Pulled {counted(pulled.new, 'new event')}.")
    return pulled.trouble


def _of_next_run(config: Config, upcoming: datetime | None, now: datetime) -> str:
    """When the queue will be processed next, or why it will not."""
    if not config.sync.enabled:
        return "none; the sync is disabled (ccsync configure --enable)"
    if upcoming is None:
        return "unknown; flush-events has not run yet"
    is_late = now - upcoming > config.sync.interval
    return screen.local_time(upcoming) + ("; overdue, so cron does not start it" if is_late else "")


def _show_json(app: App, config: Config, *, wants_done: bool, only_failed: bool, limit: int | None) -> None:
    most = -1 if limit is None else limit
    with ExitStack() as stack:
        with app.reading(config) as store, store.snapshot():
            upcoming = screen.utc_time(_next_run(store, config))
            found = events_seen.iter_view(store, wants_done=wants_done, only_failed=only_failed, limit=most)
            document = screen.long_json("events", map(_to_json, found), next_run_at=upcoming)
            print_it = stack.enter_context(document)
        print_it()


def _show(app: App, config: Config, *, wants_done: bool, only_failed: bool, limit: int | None, is_wide: bool) -> None:
    most = SHOWN if limit is None else limit
    view = events_seen.view if is_wide else events_seen.by_account
    with app.reading(config) as store, store.snapshot():
        upcoming = _next_run(store, config)
        found = view(store, wants_done=wants_done, only_failed=only_failed, limit=most + 1)
    tables.print_facts({"Next run": _of_next_run(config, upcoming, app.clock.now())})
    if not found:
        screen.say("No event has failed." if only_failed else "The queue is empty.")
        return
    screen.print_line()
    headers = ["Object Id", "Topic", "Created", "Status", "Attempts", "Last Error"]
    time = screen.table_time(app.clock.now(), is_wide=is_wide)
    rows = [_cells(one, time, is_wide=is_wide) for one in found[:most]]
    if is_wide:
        headers.insert(0, "Event")
        rows = [(one.event_id or "-", *row) for one, row in zip(found, rows, strict=False)]
    tables.print_table(headers, rows, is_wide=is_wide, spare=("Attempts",))
    if len(found) > most:
        screen.say(f"Showing the newest {most:,}; --limit N shows more.")


def _next_run(store: Store, config: Config) -> datetime | None:
    return next_run_at(runs.last_of(store, FLUSH_EVENTS), config)


def _cells(one: QueuedEvent, time: Callable[[datetime | None], str], *, is_wide: bool) -> tuple[object, ...]:
    topic = one.topic or "-"
    if not is_wide:  # each begins with "customeraccount." and a cell may have several
        topic = ", ".join(sorted(each.rpartition(".")[2] for each in topic.split(",")))
    return (one.account_id, topic, time(one.created_at), one.status, one.attempts, one.last_error)


def _to_json(one: QueuedEvent) -> dict[str, object]:
    """An event as the contract has it; an account queued by an export or a sweep has neither id nor topic."""
    return {
        "id": one.event_id,
        "object_id": one.account_id,
        "topic": one.topic,
        "created_at": screen.utc_time(one.created_at),
        "status": one.status,
        "attempts": one.attempts,
        "last_error": one.last_error,
    }


@events.command()
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "wants_all", is_flag=True, help="All events that failed or wait for a retry.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def retry(app: App, event_ids: tuple[str, ...], wants_all: bool, as_json: bool) -> None:
    """Make failed and retrying events due now.

    An ID is an event's id, or the Object Id of the table. The next flush-events reads the accounts, and each has all
    its attempts again.

    \b
    Example:  ccsync events retry 6f1c0a54e1c94b5ea3f8c04a8a4f0b4d
              ccsync events retry --all
    """
    if wants_all == bool(event_ids):
        raise click.UsageError("give IDs, or --all; `ccsync events --failed` lists them.")
    with app.writing(app.load(only_reads=True), "events retry") as store:
        accounts = None if wants_all else _accounts_of(store, event_ids)
        at = app.clock.now()
        retried = queue.retry(store, at, accounts)
        due = queue.count_due(store, at)
    if as_json:
        screen.print_json({"retried": retried, "due": due})
        return
    idle = "" if retried else " (pending and done events are not retried)"
    screen.print_line(f"{counted(retried, 'account')} made due{idle}; flush-events has {due:,} to read now.")


def _accounts_of(store: Store, event_ids: Sequence[str]) -> list[int]:
    """The accounts with these event ids or Object Ids, without duplicates. Kibo shows ids with and without dashes."""
    accounts, unknown = dict[int, None](), list[str]()
    for one in event_ids:
        found = events_seen.account_of(store, one.strip().lower().replace("-", ""))
        found = events_seen.account_of(store, one) if found is None else found
        if found is None and _ACCOUNT_ID.fullmatch(one) and queue.queued(store, int(one)) is not None:
            found = int(one)
        if found is None:
            unknown.append(one)
        else:
            accounts[found] = None
    if unknown:
        named = ", ".join(screen.clean(one) for one in unknown[:MOST_NAMED])
        rest = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
        raise click.UsageError(
            f"there is no event {named}{rest}; nothing was changed. `ccsync events --all` lists them."
        )
    return list(accounts)
