"""The export: every customer who opted in, and nobody else, ends up on the contact list."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ccsync.clocks import KiboTime
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import opt_outs, restored
from ccsync.from_constant_contact.activities import be_patient
from ccsync.from_kibo import audit_evidence, events
from ccsync.from_kibo.full_sweep import (
    Gathered,
    Listings,
    begin_listings,
    begin_sweep,
    gather_address,
    gather_everybody,
    gather_parked,
    incomplete,
    listings,
)
from ccsync.models import ContactList
from ccsync.reports import first_export
from ccsync.reports.export_plan import Plan, make_plan
from ccsync.reports.first_export import FirstExport
from ccsync.run import clocks
from ccsync.run.clocks import Moment
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state import batches, properties, staging
from ccsync.state.database.times import to_text
from ccsync.state.log import runs
from ccsync.state.outbox import queue
from ccsync.to_constant_contact import additions, known_contacts, list_removals, tags
from ccsync.to_constant_contact.batches import adopt_lost
from ccsync.to_constant_contact.imports import Imports
from ccsync.to_constant_contact.list_check import ListCheck
from ccsync.to_constant_contact.list_removals import Removals
from ccsync.words import counted

SHOWN_REASONS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an export.

    `agree` is called before a first export and raises when the person says no. `agree_to_departures` is called
    with (gone, looked for) when suspiciously many have left the list; true takes them for departures.
    """

    is_dry_run: bool = False
    only: str | None = None
    is_retry: bool = False
    adopts_list: bool = False
    agree: Callable[[FirstExport], None] = lambda _: None
    agree_to_departures: Callable[[int, int], bool] = lambda _gone, _looked_for: False

    @property
    def is_whole(self) -> bool:
        return self.only is None and not self.is_retry


def run(context: Context, request: Request) -> Plan | None:
    """Run an export; `context.counts` and `context.remarks` tell what was done. A dry run returns its plan.

    Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
    """
    be_patient(context)
    began_at = context.clock.monotonic()
    exported = properties.get(context.store, properties.EXPORTED_LIST)
    is_first = request.is_whole and exported != context.list_id
    begun_at = None
    if request.is_whole:
        begin_listings(context.kibo)
    if request.is_whole and not is_first:
        begun_at = events.begin(context)
    contact_list = require_list(context)
    customers = listings(context.kibo) if is_first else None
    if customers is not None:
        _agree(context, request, contact_list, customers[None])
    started_at = clocks.kibo_time(context)
    if is_first:
        begin_sweep(context.kibo)
    restored.recognize(context)
    _pull_opt_outs(context, request)
    if request.is_whole and exported is not None:
        _pull_events(context, begun_at)
    removals = Removals(context, 0)
    if not request.is_dry_run:
        removals.look_at_earlier()  # before anybody's yes is read that ended one
    gathered = _gather(context, request, started_at.at, customers)
    if not request.is_dry_run:
        # Check what an earlier run left running before making any decision.
        with context.gate.for_opt_outs():
            Imports(context).look()
    check = _list_check(context, request)
    if not gathered.calls_spared:
        check.renew()
    if is_first:
        first_export.remark_on_members(context, contact_list)
    if request.is_dry_run:
        return _plan(context, request, gathered, is_first=is_first, began_at=began_at)
    if request.is_whole:
        removals.remove_due()
    additions.send_staged(context, check, is_retry=request.is_retry)
    tags.wanted.note(context)
    if not gathered.missing:
        _finish_queue(context, is_whole=request.is_whole)
    _close(context)
    if gathered.missing:
        raise incomplete(gathered.missing, "ccsync export sends what is missing")
    if request.is_whole:
        _note_exported(context, started_at)
    tags.tagging.carry_out(context)
    audit_evidence.add(context)
    removals.raise_held()
    _raise_unfinished(context)
    return None


def _note_exported(context: Context, started_at: KiboTime) -> None:
    """An export to the list has finished; events are read from its start on, if none were before."""
    with context.store.transaction():
        if properties.get(context.store, properties.EXPORTED_LIST) is None:
            properties.put(context.store, properties.FIRST_EXPORT, to_text(clocks.kibo_at_most(context).at))
        properties.put(context.store, properties.EXPORTED_LIST, context.list_id)
        if events.is_too_old(context):
            clocks.advance(context, events.STREAM, started_at)


def _pull_events(context: Context, begun_at: Moment | None) -> None:
    """An export reads who opts in; whoever says no since the last flush is named by events alone, and read by the next.

    Before the first export nobody is on the list.
    """
    with suppress(RefusedError):  # the next flush needs nothing but events, and reports it
        events.pull(context, begun_at, moves_bookmark=not events.is_too_old(context))


def _raise_unfinished(context: Context) -> None:
    """Say which imports have not ended within the time that an export waits."""
    if unfinished := batches.unfinished(context.store):
        contacts = counted(sum(one.rows for one in unfinished), "contact")
        raise VendorUnreachable(
            f"Constant Contact has not finished imports of {contacts} within half an hour; everything else is done.",
            "they are queued or still running there.",
            "Nothing is lost and nothing has to be sent again: the next run of any job checks them.",
        )


def _agree(context: Context, request: Request, contact_list: ContactList, customers: int) -> None:
    """Have a person agree to a first export to this list."""
    automations = first_export.find_automations(context.store, context.constant_contact, context.list_id)
    if request.is_dry_run:
        context.remarks.append(first_export.warning(automations))
    else:
        request.agree(FirstExport(contact_list.name, contact_list.membership_count, customers, automations))


def _list_check(context: Context, request: Request) -> ListCheck:
    return ListCheck(
        context,
        lambda gone, looked_for: request.is_dry_run or request.agree_to_departures(gone, looked_for),
        lambda _: "ccsync export --yes",
        is_retry=request.is_retry,
        pulls_opt_outs=request.only is None and not request.is_dry_run,
    )


def _plan(context: Context, request: Request, gathered: Gathered, *, is_first: bool, began_at: float) -> Plan:
    plan = make_plan(context, is_retry=request.is_retry, calls_spared=gathered.calls_spared, began_at=began_at)
    plan.is_first_export = is_first
    tags.wanted.count(context)
    if request.is_whole:
        going, held = list_removals.plan(context, 0)
        plan.held = len(held)
        context.counts.update(
            "unsubscribed" if list_removals.is_unsubscribed(context, one) else "removed" for one in going
        )
    _close(context)
    plan.rejected = runs.rejected(context.store, context.run_id, SHOWN_REASONS)
    return plan


def _pull_opt_outs(context: Context, request: Request) -> None:
    """Pull before push."""
    if not request.is_dry_run:
        adopt_lost(context)
    if request.only is None:
        context.show("opt-outs")
        opt_outs.pull_all(context)


def _gather(context: Context, request: Request, started_at: datetime, customers: Listings | None) -> Gathered:
    """Take in the customers, then find out whose contacts are there already."""
    staging.clear(context.store)
    gathered = Gathered()
    if request.only is not None:
        gather_address(context, request.only)
    elif request.is_retry:
        gather_parked(context)
    else:
        customers = customers or listings(context.kibo)
        gathered = gather_everybody(context, started_at, customers, spares_single_reads=request.is_dry_run)
    context.counts["read"] = staging.have_read(context.store)
    if request.is_whole:
        known_contacts.learn(context, context.list_id if request.adopts_list else None)
    else:
        known_contacts.learn_singly(context, [one.email for one in staging.iter_people(context.store)])
    return gathered


def _finish_queue(context: Context, *, is_whole: bool) -> None:
    """Accounts that were read need no event any more. Opted-in accounts that a whole export did not show are queued to
    be read.
    """
    queue.begin_reading(context.store)
    queue.mark_staged_read(context.store)
    queue.enqueue_under_way(context.store, context.now())
    queue.finish(context.store, context.now())
    if is_whole:
        queue.enqueue_vanished(context.store, context.now())


def _close(context: Context) -> None:
    """Erase what was staged, and count everybody who was read."""
    counts = context.counts
    counts["rejected"] = runs.count_rejected(context.store, context.run_id)
    handled = ("added", "updated", "unchanged", "suppressed", "departed", "rejected")
    # Accounts without an address, B2B accounts, and further accounts of a person already counted.
    counts["skipped"] = max(0, counts["read"] - sum(counts[key] for key in handled))
    if counts["adopted"]:
        context.remarks.append(
            f"{counted(counts['adopted'], 'contact')} of an interrupted run had arrived already; none was sent again."
        )
    if counts["opted_out"]:
        context.remarks.append(
            f"{counted(counts['opted_out'], 'customer')} opted out in the store meanwhile; none was sent."
        )
    staging.clear(context.store)
