"""poll-unsubscribes: what people decide at Constant Contact reaches the store.

An order that keeps promises: opt-outs are recorded, with what Kibo has to be told, before anything is written; what
is written is noted before; a bookmark moves when all was recorded. A run that dies anywhere is continued.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from ccsync.clocks import OurTime
from ccsync.errors import BrakeError, CcsyncError, Interrupted, OutOfTime, TemporaryError
from ccsync.from_constant_contact import departures, opt_outs
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.state.log import runs
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED
from ccsync.state.write_backs import RESUBSCRIBED
from ccsync.to_kibo.write_back import Teller, Told

log = logging.getLogger(__name__)

DAILY = timedelta(hours=23, minutes=45)
"""Once a day, though cron may come a few minutes earlier than yesterday."""
HAS_TOLD = "store_was_told_of_opt_outs"
ACCEPTED = "accepted_opt_outs"
"""How many of those whom a person let through a run that stopped half-way had not got to."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a poll: `accept` is how many changes a person lets through the brake."""

    is_dry_run: bool = False
    is_full: bool = False
    accept: int = 0


@dataclass(slots=True)
class Plan:
    """What a dry run found that a real run would do."""

    by_kind: Counter[str] = field(default_factory=Counter)
    """People of whom an account would be written."""
    accounts: int = 0
    held: int = 0
    calls: int = 0
    kibo_calls: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a poll ended: a dry run's plan, and how much Kibo did not take that it had not refused before."""

    plan: Plan | None = None
    news: int = 0


def run(context: Context, request: Request) -> Outcome:
    """Run a poll; `context.counts`, `context.remarks` and `context.notices` tell what was done.

    Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
    """
    with context.gate.for_opt_outs():
        trouble = _listen(context, request)
        teller = Teller(context)
        if request.is_dry_run:
            plan = _plan(context, teller, request)
        else:
            told = _tell(context, teller, request)
    _remark(context, teller)
    if request.is_dry_run:
        _raise_any(trouble, teller.trouble)
        return Outcome(plan)
    context.counts["rejected"] = runs.count_rejected(context.store, context.run_id)
    if told.brake.held:
        raise braked(context, told.brake.held, told.brake.may_go)
    properties.put(context.store, HAS_TOLD, "yes")
    _raise_any(trouble, teller.trouble)
    return Outcome(news=told.news)


def _tell(context: Context, teller: Teller, request: Request) -> Told:
    """Tell Kibo. What a person has let through, and this run has no time for, is let through in the next one, too."""
    accept = max(request.accept, int(properties.get(context.store, ACCEPTED) or 0))
    properties.forget(context.store, ACCEPTED)
    try:
        return teller.tell(accept)
    except TemporaryError:
        if accept > teller.told:
            properties.put(context.store, ACCEPTED, str(accept - teller.told))
        raise


def braked(context: Context, held: int, done: int) -> BrakeError:
    """What to say when the brake holds people back."""
    if properties.get(context.store, HAS_TOLD) is None:
        why = "the store was never told before, and an account in use has years of opt-outs: many are to be expected."
    else:
        why = "so many at once look like a mishap (a list emptied, a bulk unsubscribe) rather than their own wish."
    return BrakeError(
        f"The consent of {held:,} customers is to be changed in the store at once; the brake holds them back.",
        f"{why} ccsync sends none of them anything meanwhile{f'; {done:,} others were told' if done else ''}.",
        f"Look at them: ccsync poll-unsubscribes --dry-run. If it is right: ccsync poll-unsubscribes --accept {held}",
    )


def _listen(context: Context, request: Request) -> CcsyncError | None:
    """Record what happened at Constant Contact. What goes wrong there keeps nobody from being told who is recorded."""
    at = clocks.our_time(context)
    is_first = clocks.bookmark(context, opt_outs.STREAM) is None
    steps: list[tuple[bool, Callable[[Context], None]]] = [
        (not is_first, opt_outs.pull_recent),
        (request.is_full or _is_due(clocks.bookmark(context, opt_outs.FULL_STREAM), at), opt_outs.pull_all),
        (request.is_full or _is_due(departures.compared_at(context), at), departures.compare),
    ]
    trouble: CcsyncError | None = None
    for is_wanted, step in steps:
        if not is_wanted:
            continue
        try:
            step(context)
        except (Interrupted, OutOfTime):
            raise
        except CcsyncError as error:
            log.warning("%s %s", error.what, error.why)
            trouble = trouble or error
    return trouble


def _is_due(last_at: OurTime | None, at: OurTime) -> bool:
    return last_at is None or last_at <= at - DAILY


def _raise_any(*troubles: CcsyncError | None) -> None:
    for trouble in troubles:
        if trouble is not None:
            raise trouble


def _plan(context: Context, teller: Teller, request: Request) -> Plan:
    teller.look(request.accept)
    wanted = teller.wanted()
    plan = Plan(held=teller.braked(wanted, request.accept).held)
    plan.by_kind.update(row.kind for row in wanted)
    plan.accounts = sum(teller.targets(row) for row in wanted)
    plan.calls = context.constant_contact.transport.calls
    plan.kibo_calls = context.kibo.transport.calls + 2 * plan.accounts
    return plan


_REMARKS = {
    "resubscribed_by_others": "{} people are subscribed again at Constant Contact, not by their own act as far as it"
    " shows; they stay opted out.",
    "resubscribed_not_told": "{} people came back to Constant Contact by their own act; the store is not told"
    " ([sync] resubscribes = false).",
    "left_alone": "{} people came back to Constant Contact whose opt-out in the store was their own; it stays.",
    "back_on_list": "{} people who had left the list are on it again; they stay opted out until they opt in in the"
    " store.",
    "opted_out": "{} customers turned out to have opted out in the store.",
}
"""What is only listed, by its count."""


def _remark(context: Context, teller: Teller) -> None:
    counts = context.counts
    counts["read"] = sum(
        counts[key] for key in (UNSUBSCRIBED, DEPARTED, RESUBSCRIBED, "unchanged", "not_a_customer", "failed")
    )
    context.remarks += [text.format(f"{counts[key]:,}") for key, text in _REMARKS.items() if counts[key]]
    by = teller.departed_by
    if by:
        context.remarks.append(
            f"Of those who left the list {by['Contact']:,} did so by their own act, {by['Account']:,} were taken off by"
            f" the account's staff; of {by['']:,} Constant Contact does not show it."
        )
