"""What needs a person: every ground is a row, with the command that mends it."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.reports.attention import alerts_of
from ccsync.reports.status import CallsToday, JobStanding, Status, stale_jobs
from ccsync.state.log.last_errors import Trouble
from ccsync.state.log.runs import Run

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_run(job: str, status: str = "COMPLETE", minutes_ago: int = 10, run_id: int = 7) -> Run:
    started = NOW - timedelta(minutes=minutes_ago)
    return Run(run_id, job, "to", status, started, started, 0, 0, {}, "what happened")


def a_job(job: str, status: str = "COMPLETE", minutes_ago: int = 10, failures: int = 0, code: int = 0) -> JobStanding:
    trouble = Trouble(7, code, "It went wrong.", "do this") if code else None
    return JobStanding(
        job, a_run(job, status, minutes_ago), NOW - timedelta(minutes=minutes_ago), None, failures, trouble
    )


HEALTHY = (a_job("export"), a_job("flush-events"), a_job("poll-unsubscribes"))


def a_status(**changes: object) -> Status:
    """A sync that needs nobody."""
    well = Status(
        at=NOW,
        is_enabled=True,
        interval=timedelta(minutes=30),
        list_id="list",
        list_name="Web shop customers",
        is_exported=True,
        placed=10,
        jobs=HEALTHY,
        queue={"pending": 3, "retrying": 1, "failed": 0},
        leaving=0,
        write_backs=0,
        former_departures=0,
        tags={},
        refused=(),
        not_taken_off=(),
        suppressed={},
        suppressed_people=0,
        rejected=0,
        given_up=0,
        calls=CallsToday(0, 10_000, 500, NOW),
        kibo_calls=0,
        login_renewed_at=NOW - timedelta(days=1),
        is_login_refused=False,
        knows_tenant=True,
        has_seen_events=True,
        state_path=Path("ccsync.db"),
        state_bytes=0,
    )
    return dataclasses.replace(well, **changes)  # type: ignore[arg-type]


def with_job(job: JobStanding) -> tuple[JobStanding, ...]:
    return tuple(job if one.job == job.job else one for one in HEALTHY)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


NEVER = JobStanding("flush-events", None, None, None)
ROWS = {
    "well": ({}, []),
    "no tenant": ({"knows_tenant": False}, [("Nobody has logged in to Kibo yet", "ccsync login --kibo-only")]),
    "no login": ({"login_renewed_at": None}, [("Nobody has logged in", "ccsync login")]),
    "a login of 149 days": ({"login_renewed_at": days_ago(149.9)}, []),
    "a login of 150 days": ({"login_renewed_at": days_ago(150)}, [("it expires in 30 days", "ccsync login --check")]),
    "a login of 180 days": ({"login_renewed_at": days_ago(180)}, [("has expired", "ccsync login")]),
    "no list": ({"list_id": None, "is_exported": False}, [("No contact list", "ccsync configure --list")]),
    "no export": ({"is_exported": False}, [("An export is due", "ccsync export --dry-run")]),
    "one failed": ({"given_up": 1}, [("1 account failed for good", "ccsync events retry --all")]),
    "many failed": ({"given_up": 1_200}, [("1,200 accounts failed for good", "ccsync events --failed")]),
    "rejected": ({"rejected": 2}, [("2 accounts are left out", "ccsync logs --rejected")]),
    "Kibo refused twice": ({"write_backs": 2, "refused": (1, 2)}, []),
    "Kibo keeps refusing": (
        {"write_backs": 3, "refused": (1, 3, 9)},
        [("choice of 2 people at Constant Contact could not be written", "ccsync logs --direction from")],
    ),
    "a contact stays on the list once": ({"leaving": 1, "not_taken_off": (1,)}, []),
    "contacts stay on the list": (
        {"leaving": 2, "not_taken_off": (8, 1, 4)},
        [("did not remove 2 people from the list", "ccsync flush-events -v --log-file")],
    ),
    "no event": ({"has_seen_events": False}, [("No event has ever come", "Dev Center")]),
    "no event, no flush": ({"has_seen_events": False, "jobs": (a_job("export"),)}, []),
    "export failed": ({"jobs": with_job(a_job("export", "FAILED", code=8))}, [("export failed: It went", "do this")]),
    "export unexplained": (
        {"jobs": with_job(a_job("export", "FAILED"))},
        [("export failed: what happened", "ccsync logs 7")],
    ),
    "export not agreed to": ({"jobs": with_job(a_job("export", "FAILED", code=2))}, []),
    "export interrupted": ({"jobs": with_job(a_job("export", "INTERRUPTED"))}, [("was interrupted", "ccsync export")]),
    "flush interrupted": ({"jobs": with_job(a_job("flush-events", "INTERRUPTED"))}, []),
    "flush running": ({"jobs": with_job(a_job("flush-events", "RUNNING"))}, []),
    "vendor down once": ({"jobs": with_job(a_job("flush-events", "FAILED", failures=2, code=8))}, []),
    "vendor stays down": (
        {"jobs": with_job(a_job("flush-events", "FAILED", failures=3, code=8))},
        [("flush-events failed 3 times in a row", "do this")],
    ),
    "login refused": (
        {"jobs": with_job(a_job("flush-events", "FAILED", failures=1, code=5))},
        [("flush-events failed: It went", "do this")],
    ),
    "one trouble of two jobs": (
        {
            "jobs": (
                a_job("flush-events", "FAILED", failures=3, code=8),
                a_job("poll-unsubscribes", "FAILED", failures=4, code=8),
                a_job("export", "FAILED", failures=1, code=10),
            )
        },
        [
            (
                "flush-events failed 3 times in a row and poll-unsubscribes failed 4 times in a row and export was"
                " stopped: It went wrong.",
                "do this",
            )
        ],
    ),
    "two troubles of two jobs": (
        {"jobs": (a_job("flush-events", "FAILED", failures=3, code=8), a_job("export", "FAILED"))},
        [("flush-events failed 3 times in a row: It", "do this"), ("export failed: what happened", "ccsync logs 7")],
    ),
    "cron stopped altogether": (
        {"jobs": (NEVER, a_job("poll-unsubscribes", minutes_ago=200))},
        [("flush-events has never run and poll-unsubscribes has not run for 3 hours, though", "crontab -e")],
    ),
    "login refused, new login": (
        {
            "jobs": with_job(a_job("flush-events", "FAILED", failures=1, code=5)),
            "login_renewed_at": NOW - timedelta(minutes=5),
        },
        [],
    ),
    "one reason, reconcile too": (
        {"jobs": (a_job("poll-unsubscribes", "FAILED", code=9), a_job("reconcile", "FAILED", code=9))},
        [("poll-unsubscribes failed and reconcile failed: It went", "do this, then ccsync reconcile")],
    ),
    "brake": (
        {"jobs": with_job(a_job("poll-unsubscribes", "FAILED", failures=1, code=10))},
        [("poll-unsubscribes was stopped: It went", "do this")],
    ),
    "cron never came": ({"jobs": with_job(NEVER)}, [("flush-events has never run", "crontab -e")]),
    "cron stopped": (
        {"jobs": with_job(a_job("flush-events", minutes_ago=200))},
        [("flush-events has not run for 3 hours", "crontab -e")],
    ),
    "cron stopped long ago": (
        {"jobs": with_job(a_job("flush-events", minutes_ago=60 * 24 * 4))},
        [("flush-events has not run for 4 days", "crontab -e")],
    ),
    "cron comes rarely": (
        {"jobs": with_job(a_job("flush-events", minutes_ago=200)), "interval": timedelta(minutes=60)},
        [],
    ),
    "cron stopped, disabled": ({"jobs": with_job(NEVER), "is_enabled": False}, []),
    "cron before the first export": (
        {"jobs": with_job(NEVER), "is_exported": False},
        [("An export is due", "ccsync export")],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), ROWS.values(), ids=ROWS)
def test_needs(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    """What is the matter is told with what mends it, and nothing else is."""
    found = alerts_of(a_status(**changes))
    assert len(found) == len(expected), found
    for one, (what, fix) in zip(found, expected, strict=True):
        assert what in one.what
        assert fix in one.fix


def test_the_most_basic_comes_first() -> None:
    """Who has to log in first is told so first."""
    found = alerts_of(a_status(login_renewed_at=None, list_id=None, is_exported=False, rejected=1, given_up=1))
    words = ("logged in", "list", "failed for good", "left out")
    assert all(word in one.what for word, one in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("minutes", "status", "is_enabled", "stale"),
    [
        (119, "COMPLETE", True, False),
        (121, "COMPLETE", True, True),
        (121, "COMPLETE", False, False),
        (None, "COMPLETE", True, True),
        (None, "COMPLETE", False, False),
        (-60 * 24 * 365, "COMPLETE", True, True),
    ],
)
def test_staleness(minutes: int | None, status: str, is_enabled: bool, stale: bool) -> None:
    """A cron job is stale when its last success is too old or never was, unless the sync is disabled."""
    at = None if minutes is None else NOW - timedelta(minutes=minutes)
    job = JobStanding("flush-events", a_run("flush-events", status, 5), at, None)
    found = stale_jobs(a_status(jobs=with_job(job), is_enabled=is_enabled), timedelta(hours=2))
    assert [one.job for one in found] == (["flush-events"] if stale else [])


def test_an_old_export_is_not_stale() -> None:
    """An export is a person's, or a night's: monitoring watches what cron runs every half hour."""
    assert stale_jobs(a_status(jobs=with_job(a_job("export", minutes_ago=10_000))), timedelta(hours=2)) == []


@pytest.mark.parametrize(("used", "closed", "left"), [(10, None, 90), (100, None, 0), (120, None, 0), (10, NOW, 0)])
def test_what_is_left_of_the_day(used: int, closed: datetime | None, left: int) -> None:
    """Never less than nothing, and nothing once the vendor says so."""
    assert CallsToday(used, 100, 5, NOW, closed).left == left
