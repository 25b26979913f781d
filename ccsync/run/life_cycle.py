"""A run's row in the log, from RUNNING to how it ended."""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import TypeVar

from ccsync.errors import CcsyncError, Declined, Interrupted, NotAgreed, SafetyLimitError
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.run.job_names import DIRECTIONS
from ccsync.state import events, scratch_store, wrong_clock
from ccsync.state.log import days, history, last_errors, runs
from ccsync.state.log.last_errors import Trouble
from ccsync.state.log.runs import Run
from ccsync.state.outbox import write_backs

log = logging.getLogger(__name__)

T = TypeVar("T")
_SENT = ("added", "updated", "removed", "unsubscribed")


def carry_out(context: Context, job: str, body: Callable[[], T]) -> T:
    """Run `body` as one run of `job`. Whatever it raises is written into the log and raised on.

    The caller holds the writers' lock. A process that dies leaves RUNNING behind, which readers and the next
    run recognise as INTERRUPTED.
    """
    context.run_id = runs.start(context.store, job, DIRECTIONS[job], context.now())
    try:
        result = body()
    except Interrupted as error:
        _finish(context, "INTERRUPTED", error.what)
        raise
    except (Declined, NotAgreed) as error:
        if any(context.counts.get(key) for key in _SENT):
            _finish(context, "INTERRUPTED", error.what)
        else:
            runs.drop(context.store, context.run_id)  # nothing was done, and nothing has failed
        raise
    except CcsyncError as error:
        _finish(context, "FAILED", error.sentence)
        _note_trouble(context, job, error)
        raise
    except Exception as error:
        log.exception("run %s of %s", context.run_id, job)
        unforeseen = f"unforeseen: {type(error).__name__}"
        _finish(context, "FAILED", unforeseen)
        _note_trouble(context, job, CcsyncError(unforeseen))
        raise
    runs.finish(context.store, context.run_id, "COMPLETE", context.now(), context.counts, " ".join(context.remarks))
    days.count(context.store)
    clocks.note_end(context)
    if clocks.do_agree(context):
        _tidy(context)
    return result


def _tidy(context: Context) -> None:
    """Prune old data and correct dates in the future, but only if our clock is known to be right."""
    now = context.now()
    wrong_clock.bring_back(context.store, now)
    before = now - timedelta(days=context.config.state.keep_days)
    for prune in (history.prune, runs.prune, events.prune, write_backs.prune):
        prune(context.store, before)


def try_out(context: Context, job: str, body: Callable[[], T]) -> tuple[Run | None, T]:
    """Run `body` as a dry run: on a copy of the state file, which is thrown away; its row of the log is never kept.

    Calls are counted in the real file, and a renewed token is kept there.
    """
    with closing(scratch_store()) as scratch:
        context.store.copy_to(scratch)
        context.store, context.is_dry_run = scratch, True
        context.run_id = runs.start(scratch, job, DIRECTIONS[job], context.now())
        result = body()
        runs.finish(scratch, context.run_id, "COMPLETE", context.now(), context.counts, " ".join(context.remarks))
        return runs.get(scratch, context.run_id), result


def _finish(context: Context, status: str, message: str) -> None:
    """Close the row of a failed run; a second failure here must not hide the first."""
    try:
        runs.finish(context.store, context.run_id, status, context.now(), context.counts, message)
        days.count(context.store)
        clocks.note_end(context)
    except Exception:
        log.exception("the row of run %s could not be closed", context.run_id)


def _note_trouble(context: Context, job: str, error: CcsyncError) -> None:
    """Save the fix, for `status`."""
    try:
        last_errors.note(context.store, job, Trouble(context.run_id, error.exit_code, error.what, error.fix))
        if isinstance(error, SafetyLimitError):
            days.note_limit(context.store, job, context.now())
    except Exception:
        log.exception("the trouble of run %s could not be kept", context.run_id)
