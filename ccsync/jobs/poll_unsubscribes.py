"""poll-unsubscribes: what people decide at Constant Contact reaches the store.

The order keeps promises: opt-outs and the tasks that follow are recorded before anything is written; each write is
noted before it is made; a bookmark moves once everything is recorded. The next run continues one that died.
"""

from dataclasses import dataclass

from ccsync.from_constant_contact import list_record, opt_outs, restored
from ccsync.reports import poll_plan, poll_remarks
from ccsync.reports.poll_plan import Plan
from ccsync.run.context import Context
from ccsync.run.troubles import Troubles
from ccsync.state.log import runs
from ccsync.to_constant_contact import absences
from ccsync.to_kibo.acceptance import Writing


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a poll: `accept` is how many changes a person lets through the safety limit."""

    is_dry_run: bool = False
    is_full: bool = False
    accept: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a poll ended: a dry run's plan, and how much Kibo did not take that it had not refused before."""

    plan: Plan | None = None
    news: int = 0


def run(context: Context, request: Request) -> Outcome:
    """Run a poll; `context.counts`, `context.remarks` and `context.notices` tell what was done.

    Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
    """
    # A failure in one step must not keep recorded opt-outs from being written to the store.
    troubles = Troubles()
    with context.gate.for_opt_outs():
        troubles.keep(lambda: restored.recognize(context))
        troubles.keep(lambda: opt_outs.pull(context, is_full=request.is_full))
        record = troubles.keep(lambda: list_record.read(context))
        writing = Writing(context, request.accept)
        troubles.keep(writing.write)
        troubles.keep(lambda: absences.compare(context, record, is_full=request.is_full))
        troubles.keep(writing.write)
        plan = poll_plan.plan(context, writing)
    poll_remarks.remark(context, writing)
    context.counts["rejected"] = runs.count_rejected(context.store, context.run_id)
    writing.finish()
    troubles.raise_first(writing.writer.trouble)
    return Outcome(plan, writing.writer.outcomes.news)
