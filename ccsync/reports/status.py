"""Gathers the current state from the state file without any call: jobs, queue, calls, login."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ccsync.config.schema import Config
from ccsync.from_kibo.events import EVER_SEEN
from ccsync.run import access
from ccsync.run.job_names import CRON_JOBS, EXPORT, RECONCILE
from ccsync.run.vendor_names import CONSTANT_CONTACT, KIBO, LAPSES_AFTER
from ccsync.state import Store, contacts, events, properties, tokens
from ccsync.state.log import calls, last_errors, runs
from ccsync.state.log.last_errors import Trouble
from ccsync.state.log.runs import Run
from ccsync.state.outbox import removals, tasks, write_backs
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED
from ccsync.state.views import summary

JOBS = (EXPORT, *CRON_JOBS, RECONCILE)
WEEK = timedelta(days=7)
"""How often cron runs `reconcile`."""
KINDS = (UNSUBSCRIBED, DEPARTED, OPTED_OUT, FORGOTTEN)


@dataclass(frozen=True, slots=True)
class JobStanding:
    """One job: its latest run, when it last did its work, how often it has failed since, and why it did."""

    job: str
    last: Run | None
    last_success_at: datetime | None
    next_run_at: datetime | None
    failures: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class CallsToday:
    """Calls to Constant Contact on this UTC day. `closed_until`: the vendor says that they are spent."""

    used: int
    per_day: int
    reserve: int
    resets_at: datetime
    closed_until: datetime | None = None

    @property
    def left(self) -> int:
        """How many more there may be, the reserve for opt-outs included."""
        return 0 if self.closed_until else max(0, self.per_day - self.used)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of everything at `at`. `placed` is how many people ccsync has put on the list.

    `write_backs` is how many opt-outs and returns wait to be written to Kibo, `refused` the attempts of each that
    failed; `not_taken_off` the same for removals from the list. `former_departures` is how many departures of a list
    that is not configured any more wait until it is again. `tags` counts tagging tasks by status. `given_up` is how
    many accounts in the queue failed for good without being `rejected`.
    """

    at: datetime
    is_enabled: bool
    interval: timedelta
    list_id: str | None
    list_name: str | None
    is_exported: bool
    placed: int
    jobs: tuple[JobStanding, ...]
    queue: Mapping[str, int]
    leaving: int
    write_backs: int
    former_departures: int
    tags: Mapping[str, int]
    refused: tuple[int, ...]
    not_taken_off: tuple[int, ...]
    suppressed: Mapping[str, int]
    suppressed_people: int
    rejected: int
    given_up: int
    calls: CallsToday
    kibo_calls: int
    login_renewed_at: datetime | None
    is_login_refused: bool
    knows_tenant: bool
    has_seen_events: bool
    state_path: Path
    state_bytes: int

    @property
    def login_lapses_at(self) -> datetime | None:
        """When the login expires if it is not used."""
        return self.login_renewed_at + LAPSES_AFTER if self.login_renewed_at else None


def gather(store: Store, config: Config, now: datetime) -> Status:
    """Read everything as of one moment."""
    list_id = config.sync.list_id
    with store.snapshot():
        saved = tokens.get(store, CONSTANT_CONTACT)
        counted = tasks.count_by_status(store, tasks.READ)
        kinds = summary.suppressed_by_kind(store, list_id or "")
        return Status(
            at=now,
            is_enabled=config.sync.enabled,
            interval=config.sync.interval,
            list_id=list_id,
            list_name=config.sync.list_name,
            is_exported=properties.has_exported(store, list_id),
            placed=contacts.count_on_list(store, list_id) if list_id else 0,
            jobs=tuple(_standing(store, config, job) for job in JOBS),
            queue={status: counted.get(status, 0) for status in (tasks.PENDING, tasks.RETRYING, tasks.FAILED)},
            leaving=removals.count(store, list_id) if list_id else 0,
            write_backs=write_backs.count_waiting(store, list_id),
            former_departures=sum(write_backs.of_former_lists(store, list_id).values()),
            tags=tasks.count_by_status(store, tasks.TAG),
            refused=tuple(one.attempts for one in write_backs.failing(store)),
            not_taken_off=removals.failed_attempts(store, list_id) if list_id else (),
            suppressed={kind: kinds.get(kind, 0) for kind in KINDS},
            suppressed_people=summary.count_suppressed(store, list_id or ""),
            rejected=summary.count_rejected(store),
            given_up=summary.count_given_up(store),
            calls=_calls(store, config, now),
            kibo_calls=calls.calls_on(store, KIBO, now),
            login_renewed_at=saved.obtained_at if saved else None,
            is_login_refused=access.is_login_refused(store),
            knows_tenant=(config.kibo.tenant_url or properties.get(store, properties.TENANT_URL)) is not None,
            has_seen_events=properties.get(store, EVER_SEEN) is not None or events.have_ever_come(store),
            state_path=store.path,
            state_bytes=_size(store.path),
        )


def _standing(store: Store, config: Config, job: str) -> JobStanding:
    last = runs.last_of(store, job)
    return JobStanding(
        job,
        last,
        runs.last_success_of(store, job),
        _next_of(job, last, config),
        runs.failures_of(store, job),
        last_errors.of_run(store, job, last.id) if last else None,
    )


def _next_of(job: str, last: Run | None, config: Config) -> datetime | None:
    if job == RECONCILE:
        return last.started_at + WEEK if last else None
    return next_run_at(last, config) if job in CRON_JOBS else None


def next_run_at(last: Run | None, config: Config) -> datetime | None:
    """When cron should start a job next: one interval after its last start."""
    return last.started_at + config.sync.interval if last else None


def _calls(store: Store, config: Config, now: datetime) -> CallsToday:
    limits = config.limits
    return CallsToday(
        calls.calls_on(store, CONSTANT_CONTACT, now),
        limits.requests_per_day,
        limits.reserve_per_day,
        calls.next_midnight(now),
        calls.closed_until(store, CONSTANT_CONTACT, now),
    )


def _size(path: Path) -> int:
    """Bytes of the state file, with what is not yet in its main file."""
    parts = (path, path.with_name(path.name + "-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def stale_jobs(status: Status, most: timedelta) -> list[JobStanding]:
    """The cron jobs that have not succeeded for that span, or never; none while the sync is disabled.

    A success dated in the future was noted by a wrong clock and proves nothing.
    """
    if not status.is_enabled:
        return []
    return [
        one
        for one in status.jobs
        if one.job in CRON_JOBS and (one.last_success_at is None or abs(status.at - one.last_success_at) > most)
    ]
