"""`ccsync status`: the state of everything on one screen, and what to do."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import click

from ccsync.cli.command_line import App
from ccsync.cli.logging_setup import redact
from ccsync.cli.owner import ACCOUNT, ORGANIZATION
from ccsync.cli.terminal import error_lines, named_config, screen, tables
from ccsync.cli.terminal.since import as_span
from ccsync.cli.wiring import clients
from ccsync.config.schema import Config
from ccsync.errors import CcsyncError
from ccsync.reports.attention import Alert, alerts_of
from ccsync.reports.live import Seen, look
from ccsync.reports.status import JobStanding, Status, gather, stale_jobs
from ccsync.state import properties
from ccsync.state.outbox.tasks import FAILED
from ccsync.words import counted, days_ago, people

FOUND = 1
MOST_SECONDS = 60
"""If a vendor asks for a longer wait, give up."""


def _some_time(context: click.Context, option: click.Parameter, text: str | None) -> timedelta | None:
    span = as_span(context, option, text)
    if span == timedelta(0):
        raise click.BadParameter("must be more than 0; use 90m, 2h or 1d.")
    return span


@click.command()
@click.option(
    "--stale-after",
    metavar="SPAN",
    callback=_some_time,
    help="Exit 1 when a cron job has not succeeded for SPAN (90m, 2h, 1d); for monitoring.",
)
@click.option("--check", "checks", is_flag=True, help="Print one line for monitors; exit 1 if there is a problem.")
@click.option("--live", is_flag=True, help="Also ask both vendors: login, list, number of members.")
@tables.wide
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(app: App, checks: bool, stale_after: timedelta | None, live: bool, is_wide: bool, as_json: bool) -> int:
    """Show jobs, queue and problems.

    Asks neither vendor without --live, and never disturbs a running job.

    \b
    Example:  ccsync status
              ccsync status --live
              ccsync status --stale-after 2h
              ccsync status --check
    """
    if checks and as_json:
        raise click.UsageError("--check and --json do not go together.")
    try:
        config = app.load(only_reads=not live)
        with app.reading(config) as store:
            seen = _look_at_vendors(app, config) if live else None
            found = gather(store, config, app.clock.now())
            organization = properties.get(store, ORGANIZATION) or ""
    except CcsyncError as error:
        if checks:  # a monitor shows what is on stdout, and nothing else
            screen.print_line(_line("UNKNOWN", error_lines.what_and_why(error)))
        raise
    wanted = [*alerts_of(found), *(seen.troubles if seen else ())]
    stale = stale_jobs(found, stale_after) if stale_after is not None else []
    if checks:
        alarms = [*(need.what for need in wanted), *(_of_stale(one) for one in stale)]
        screen.print_line(_in_one_line(found, alarms))
        return FOUND if alarms else 0
    if as_json:
        screen.print_json(_to_json(found, organization, seen, wanted, stale))
    elif not (app.is_quiet and stale_after is not None):  # a monitor wants to see problems only
        _show(found, organization, seen, wanted, is_wide=is_wide)
    for one in stale:
        screen.say(_of_stale(one))
    return FOUND if stale else 0


def _look_at_vendors(app: App, config: Config) -> Seen:
    """Ask both vendors without disturbing a running job: the lock is taken only while the login is renewed.

    A failed call becomes a problem in the result.
    """
    app.clock.limit(MOST_SECONDS)
    with app.checking(config) as store:
        tools = clients(config, store, app.clock, renewing=lambda: app.lock(config, "status --live"))
        return look(tools.kibo, tools.constant_contact, config.sync.list_id, properties.get(store, ACCOUNT))


def _in_one_line(found: Status, alarms: list[str]) -> str:
    """One line in the format of monitoring plugins: the state, then numbers for graphs.

    https://nagios-plugins.org/doc/guidelines.html#PLUGOUTPUT
    """
    first = f"{alarms[0].rstrip('.')}" if alarms else "nothing needs a person"
    more = f" (and {len(alarms) - 1} more: ccsync status)" if len(alarms) > 1 else ""
    numbers = {
        "queue": sum(found.queue.values()),
        "rejected": found.rejected,
        "write_backs": found.write_backs,
        "tags": sum(found.tags.values()),
        "calls": found.calls.used,
    }
    graph = " ".join(f"{name}={number}" for name, number in numbers.items())
    return f"{_line('WARNING' if alarms else 'OK', f'{first}{more}')} | {graph}"


def _line(state: str, text: str) -> str:
    text = text.replace("|", "/")  # a vertical bar starts the numbers
    return f"CCSYNC {state} - {redact(screen.clean(text))}"


def _of_stale(one: JobStanding) -> str:
    since = f"since {screen.local_time(one.last_success_at)}" if one.last_success_at else "yet"
    return f"Stale: {one.job} has not succeeded {since}."


def _show(found: Status, organization: str, seen: Seen | None, wanted: list[Alert], *, is_wide: bool) -> None:
    tables.print_facts(_facts(found, organization) | (_of_seen(seen) if seen else {}), is_wide=is_wide)
    screen.print_line()
    headers = ("Job", "Last Success", "Last Result", "Next Run")
    time = screen.table_time(found.at, is_wide=is_wide)
    tables.print_table(headers, [_cells(found, one, time) for one in found.jobs], is_wide=is_wide)
    screen.print_line()
    screen.print_line("To do:" if wanted else "Nothing needs your attention.")
    for number, need in enumerate(wanted, start=1):
        tables.print_facts({f"{number}.": need.what, "": need.fix}, is_wide=is_wide)


def _facts(found: Status, organization: str) -> dict[str, object]:
    minutes = found.interval // timedelta(minutes=1)
    return {
        "Sync": f"enabled, every {counted(minutes, 'minute')}"
        if found.is_enabled
        else "disabled: the cron jobs do nothing",
        "List": _of_list(found),
        "Queue": _of_queue(found),
        "Suppressed": people(found.suppressed_people) + _in_kinds(found),
        "Calls today": _of_calls(found),
        "": f"resets at {screen.local_time(found.calls.resets_at)}; Kibo: {counted(found.kibo_calls, 'call')}",
        "Login": _of_login(found, organization),
        "State file": f"{found.state_path} ({_bytes(found.state_bytes)})",
    }


def _of_list(found: Status) -> str:
    if found.list_id is None:
        return "none chosen yet"
    name = f'"{found.list_name}"' if found.list_name else found.list_id
    return f"{name}: {people(found.placed)} added by ccsync" + ("" if found.is_exported else "; an export is due")


def _of_queue(found: Status) -> str:
    text = _counted(found.queue)
    text += f"; {people(found.leaving)} waiting to be removed from the list" if found.leaving else ""
    text += f"; {counted(found.write_backs, 'opt-out')} waiting to be written to Kibo" if found.write_backs else ""
    former = counted(found.former_departures, "departure")
    text += f"; {former} from a list that is not configured any more" if found.former_departures else ""
    failed, waiting = found.tags.get(FAILED, 0), sum(found.tags.values())
    text += f"; the tags of {counted(waiting, 'contact')} waiting to be changed" if waiting else ""
    return text + (f" ({failed:,} failed)" if failed else "")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _in_kinds(found: Status) -> str:
    return f": {_counted(found.suppressed)}" if found.suppressed_people else ""


def _of_calls(found: Status) -> str:
    calls = found.calls
    text = f"{calls.used:,} of {calls.per_day:,} used, {calls.left:,} left"
    text += f" ({min(calls.reserve, calls.left):,} reserved for opt-outs)" if calls.left else ""
    return text + ("; Constant Contact says none are left" if calls.closed_until else "")


def _of_login(found: Status, organization: str) -> str:
    if found.login_renewed_at is None:
        return "none yet"
    name = f'"{organization}", ' if organization else ""
    ago = days_ago((found.at - found.login_renewed_at).days)
    if found.is_login_refused:
        return f"{name}refused when it was used last; renewed {ago}"
    return f"{name}renewed {ago}; expires {found.login_lapses_at:%Y-%m-%d} if unused"


def _bytes(number: int) -> str:
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1_000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1_000
    return f"{size:,.1f} GB"


def _of_seen(seen: Seen) -> dict[str, object]:
    facts: dict[str, object] = {}
    if seen.account is not None:
        facts["Login works"] = f'"{seen.account.organization_name}" ({seen.account.contact_email})'
    if seen.contact_list is not None:
        members = seen.contact_list.membership_count
        count = "members unknown" if members is None else f"{counted(members, 'member')} now"
        facts["List is there"] = f'"{seen.contact_list.name}", {count}'
    elif seen.list_exists is False:
        facts["List is there"] = "no"
    if seen.tenant is not None:
        opted_in = "" if seen.opted_in is None else f", {counted(seen.opted_in, 'customer')} opted in"
        facts["Kibo works"] = f'"{seen.tenant}"{opted_in}'
    return facts


def _cells(found: Status, one: JobStanding, time: Callable[[datetime | None], str]) -> tuple[object, ...]:
    last = "never run" if one.last is None else one.last.status
    if one.last is not None and one.last.errors:
        last += f", {one.last.errors:,} rejected"
    upcoming = time(one.next_run_at) if found.is_enabled else ""
    return (one.job, time(one.last_success_at) or "never", last, upcoming)


def _to_json(
    found: Status, organization: str, seen: Seen | None, wanted: list[Alert], stale: list[JobStanding]
) -> dict[str, object]:
    calls = found.calls
    return {
        "at": screen.utc_time(found.at),
        "enabled": found.is_enabled,
        "interval_minutes": found.interval // timedelta(minutes=1),
        "list": {
            "id": found.list_id,
            "name": found.list_name,
            "is_exported": found.is_exported,
            "placed": found.placed,
            "leaving": found.leaving,
        },
        "jobs": [_job_to_json(one) for one in found.jobs],
        "queue": dict(found.queue),
        "tags": {"waiting": sum(found.tags.values()), "failed": found.tags.get(FAILED, 0)},
        "untold": {
            "waiting": found.write_backs,
            "failing": len(found.refused),
            "former_lists": found.former_departures,
        },
        "suppressed": {
            "people": found.suppressed_people,
            **{kind.replace("-", "_"): number for kind, number in found.suppressed.items()},
        },
        "calls": {
            "used": calls.used,
            "left": calls.left,
            "per_day": calls.per_day,
            "reserve": calls.reserve,
            "resets_at": screen.utc_time(calls.resets_at),
            "is_spent": calls.closed_until is not None,
            "kibo_used": found.kibo_calls,
        },
        "login": {
            "organization": organization or None,
            "renewed_at": screen.utc_time(found.login_renewed_at),
            "lapses_at": screen.utc_time(found.login_lapses_at),
            "is_refused": found.is_login_refused,
        },
        "state_file": {"path": str(found.state_path), "bytes": found.state_bytes},
        "live": None if seen is None else _seen_to_json(seen),
        "needs": [{"what": need.what, "fix": named_config.repeat(need.fix)} for need in wanted],
        "stale": [one.job for one in stale],
    }


def _job_to_json(one: JobStanding) -> dict[str, object]:
    last = one.last
    return {
        "job": one.job,
        "last_success_at": screen.utc_time(one.last_success_at),
        "last_run": None if last is None else last.id,
        "last_status": None if last is None else last.status,
        "last_started_at": None if last is None else screen.utc_time(last.started_at),
        "last_message": None if last is None else last.message,
        "failures": one.failures,
        "next_run_at": screen.utc_time(one.next_run_at),
    }


def _seen_to_json(seen: Seen) -> dict[str, object]:
    found = seen.contact_list
    return {
        "login_works": seen.account is not None,
        "list_exists": seen.list_exists,
        "list_name": found.name if found else None,
        "members": found.membership_count if found else None,
        "kibo_works": seen.tenant is not None and seen.opted_in is not None,
        "opted_in": seen.opted_in,
    }
