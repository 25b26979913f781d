"""A run's row in the log, from RUNNING to how it ended."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from ccsync.errors import CcsyncError, Interrupted
from ccsync.jobs.work import Work
from ccsync.state import events, history, runs, scratch_store, troubles, untold
from ccsync.state.runs import Run
from ccsync.state.troubles import Trouble

log = logging.getLogger(__name__)

T = TypeVar("T")


def carry_out(work: Work, job: str, direction: str, body: Callable[[], T]) -> T:
    """Run `body` as one run of `job`. Whatever it raises is written into the log and raised on.

    The caller holds the writers' lock. A process that dies leaves RUNNING behind, which readers and the next
    run recognise as INTERRUPTED.
    """
    work.run_id = runs.start(work.store, job, direction, work.now())
    try:
        result = body()
    except Interrupted as error:
        _finish(work, "INTERRUPTED", error.what)
        raise
    except CcsyncError as error:
        _finish(work, "FAILED", f"{error.what} {error.why}".strip())
        _note_trouble(work, job, error)
        raise
    except Exception as error:
        log.exception("run %s of %s", work.run_id, job)
        unforeseen = f"unforeseen: {type(error).__name__}"
        _finish(work, "FAILED", unforeseen)
        _note_trouble(work, job, CcsyncError(unforeseen))
        raise
    runs.finish(work.store, work.run_id, "COMPLETE", work.now(), work.counts, " ".join(work.remarks))
    before = work.now() - timedelta(days=work.config.state.keep_days)
    for prune in (runs.prune, history.prune, events.prune, untold.prune):
        prune(work.store, before)
    return result


def try_out(work: Work, job: str, direction: str, body: Callable[[], T]) -> tuple[Run | None, T]:
    """Run `body` as a dry run: on a copy of the state file, which is thrown away; its row of the log is never kept.

    Calls are counted in the real file, and a renewed token is kept there.
    """
    scratch = scratch_store()
    try:
        work.store.copy_to(scratch)
        work.store, work.is_dry_run = scratch, True
        work.run_id = runs.start(scratch, job, direction, work.now())
        result = body()
        runs.finish(scratch, work.run_id, "COMPLETE", work.now(), work.counts, " ".join(work.remarks))
        return runs.get(scratch, work.run_id), result
    finally:
        scratch.close()


def _finish(work: Work, status: str, message: str) -> None:
    """Close the row of a run that ended badly; that this fails too must not hide why."""
    try:
        runs.finish(work.store, work.run_id, status, work.now(), work.counts, message)
    except Exception:
        log.exception("the row of run %s could not be closed", work.run_id)


def _note_trouble(work: Work, job: str, error: CcsyncError) -> None:
    """Keep what mends it, for `status`."""
    try:
        troubles.note(work.store, job, Trouble(work.run_id, error.exit_code, error.what, error.fix))
    except Exception:
        log.exception("the trouble of run %s could not be kept", work.run_id)
