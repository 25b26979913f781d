"""What needs attention, each item with the command that fixes it: pure decisions on the current state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ccsync.errors import CcsyncError, Declined, LoginNeeded, NotAgreed, SafetyLimitError, TemporaryError
from ccsync.reports.status import WEEK, JobStanding, Status
from ccsync.run.job_names import CRON_JOBS, FLUSH_EVENTS, RECONCILE
from ccsync.run.vendor_names import LAPSES_AFTER, OLD_AFTER
from ccsync.words import counted, people

STAYS_SO = 3
"""A cron job that failed for a passing reason is reported only after so many failures in a row."""
SILENCE = timedelta(hours=2)
WATCHED = (*CRON_JOBS, RECONCILE)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing for a person to do: the problem, and the command or action that fixes it."""

    what: str
    fix: str


def alerts_of(status: Status) -> list[Alert]:
    """Everything that needs attention, the most basic first: fixing it may fix the rest."""
    return [*_of_login(status), *_of_list(status), *_of_jobs(status), *_of_records(status)]


def _of_login(status: Status) -> Iterator[Alert]:
    if not status.knows_tenant:
        yield Alert("Nobody has logged in to Kibo yet: the store's host is unknown.", "ccsync login --kibo-only")
    if status.login_renewed_at is None:
        yield Alert("Nobody has logged in to Constant Contact yet.", "ccsync login --cc-only")
        return
    age = status.at - status.login_renewed_at
    if age >= LAPSES_AFTER:
        yield Alert(f"The Constant Contact login was unused for {age.days} days and has expired.", "ccsync login")
    elif age >= OLD_AFTER:
        left = (LAPSES_AFTER - age).days
        yield Alert(
            f"The Constant Contact login was unused for {age.days} days; it expires in {counted(left, 'day')}.",
            "ccsync login --check (any run that calls Constant Contact renews it)",
        )


def _of_list(status: Status) -> Iterator[Alert]:
    if status.list_id is None:
        yield Alert("No contact list is chosen yet.", "ccsync configure --list NAME")
    elif not status.is_exported:
        yield Alert(
            "An export is due; until it has finished, no change in the store is sent.",
            "ccsync export --dry-run, then ccsync export",
        )


def _of_jobs(status: Status) -> Iterator[Alert]:
    for one in status.jobs:
        if one.last is not None and one.last.status == "INTERRUPTED" and one.job not in WATCHED:
            yield Alert(f"The last {one.job} was interrupted; run it again to continue.", f"ccsync {one.job}")
    yield from _of_failures(status)
    if status.is_enabled and status.is_exported:
        yield from _of_silence(status, [one for one in status.jobs if one.job in WATCHED and is_silent(status, one)])


def _of_failures(status: Status) -> Iterator[Alert]:
    """What stops several jobs is one thing to do. The next reconcile comes in a week, so it is run by hand."""
    failed = dict[tuple[str, str], list[str]]()
    for one in status.jobs:
        trouble, run = one.trouble, one.last
        if run is None or not _needs_a_person(status, one):
            continue
        is_limit = trouble is not None and trouble.code == SafetyLimitError.exit_code
        often = f" {one.failures} times in a row" if one.failures > 1 else ""
        what, fix = (trouble.what, trouble.fix) if trouble else (run.message, "")
        how = f"{one.job} {'was stopped' if is_limit else 'failed'}{often}"
        failed.setdefault((what, fix or f"ccsync logs {run.id}"), []).append(how)
    for (what, fix), some in failed.items():
        is_weekly = any(one.startswith(RECONCILE) for one in some) and RECONCILE not in fix
        yield Alert(f"{' and '.join(some)}: {what}", f"{fix}, then ccsync {RECONCILE}" if is_weekly else fix)


def _needs_a_person(status: Status, one: JobStanding) -> bool:
    """Has the job failed, and for a reason that does not pass by itself?"""
    if one.last is None or one.last.status != "FAILED":
        return False
    code = one.trouble.code if one.trouble else CcsyncError.exit_code
    passes = one.job in WATCHED and code == TemporaryError.exit_code and one.failures < STAYS_SO
    # Somebody has logged in since; whether that was enough, the next run tells.
    renewed_at = status.login_renewed_at
    is_over = code == LoginNeeded.exit_code and renewed_at is not None and renewed_at > one.last.started_at
    return not passes and not is_over and code not in (NotAgreed.exit_code, Declined.exit_code)


def is_silent(status: Status, one: JobStanding) -> bool:
    """Has the job not run for so long that cron is probably not starting it?"""
    if one.last is None:
        return one.job in CRON_JOBS  # reconcile runs only once a week and may not have been due yet
    most = 2 * WEEK if one.job == RECONCILE else max(SILENCE, 4 * status.interval)
    return one.last.status != "RUNNING" and abs(status.at - one.last.started_at) > most


def _of_silence(status: Status, silent: Sequence[JobStanding]) -> Iterator[Alert]:
    if silent:
        how = " and ".join(f"{one.job} {_since_when(status, one)}" for one in silent)
        lines = "its line" if len(silent) == 1 else "their lines"
        yield Alert(f"{how}, though the sync is enabled.", f"crontab -e (ccsync init --print-crontab prints {lines})")


def _since_when(status: Status, one: JobStanding) -> str:
    return "has never run" if one.last is None else "has not run for " + _span(abs(status.at - one.last.started_at))


def _span(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    return counted(hours, "hour") if hours < 48 else counted(hours // 24, "day")


def _of_records(status: Status) -> Iterator[Alert]:
    failed = status.given_up
    if failed:
        yield Alert(
            f"{counted(failed, 'account')} failed for good and {_are(failed)} not retried until something changes.",
            "ccsync events --failed, then ccsync events retry --all",
        )
    if status.rejected:
        yield Alert(
            f"{counted(status.rejected, 'account')} {_are(status.rejected)} left out because a record was rejected.",
            f"ccsync logs --rejected, then correct {'it' if status.rejected == 1 else 'them'} in Kibo",
        )
    stuck = sum(attempts >= STAYS_SO for attempts in status.refused)
    if stuck:
        yield Alert(
            f"The choice of {people(stuck)} at Constant Contact could not be written to Kibo;"
            " it is retried, less and less often.",
            "ccsync logs --direction from, then ccsync logs ID --errors",
        )
    stuck = sum(attempts >= STAYS_SO for attempts in status.not_taken_off)
    if stuck:
        yield Alert(
            f"Constant Contact did not remove {people(stuck)} from the list who opted out in the store;"
            " it is retried, less and less often.",
            "ccsync flush-events -v --log-file FILE names their accounts; or remove them by hand",
        )
    flush = next((one for one in status.jobs if one.job == FLUSH_EVENTS), None)
    if flush is not None and flush.last_success_at is not None and not status.has_seen_events:
        yield Alert(
            "No event has ever come from Kibo, so ccsync does not notice changes in the store.",
            "In Dev Center, have the application subscribe to customeraccount.created, .updated and .deleted",
        )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
