"""The export: every customer who opted in, and nobody else, ends up on the contact list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ccsync.errors import BrakeError, TemporaryError
from ccsync.jobs import known_contacts, opt_outs
from ccsync.jobs.decisions import has_left_too_many
from ccsync.jobs.departures import find_departures, record_departures
from ccsync.jobs.due import iter_outgoing, iter_outgoing_long
from ccsync.jobs.gathering import Gathered, gather_address, gather_everybody, gather_set_aside
from ccsync.jobs.imports import Imports
from ccsync.jobs.planning import Plan, make_plan
from ccsync.jobs.reading import FILTER
from ccsync.jobs.sending import Sender, adopt_lost, list_is_gone
from ccsync.jobs.work import Work
from ccsync.models import ContactList
from ccsync.state import dealt, meta, runs, set_aside, staging
from ccsync.state import events as queue

JOB = "export"
DIRECTION = "to"
EXPORTED_LIST = "exported_list_id"
EVENTS = "events"
SHOWN_REASONS = 10


@dataclass(frozen=True, slots=True)
class FirstExport:
    """What a person has to agree to before the first export to a list."""

    list_name: str
    members: int | None
    customers: int


def _nobody_asks(_: FirstExport) -> None:
    return None


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
    agree: Callable[[FirstExport], None] = _nobody_asks
    agree_to_departures: Callable[[int, int], bool] = lambda _gone, _looked_for: False

    @property
    def is_whole(self) -> bool:
        return self.only is None and not self.is_retry


def run(work: Work, request: Request) -> Plan | None:
    """Run an export; `work.counts` and `work.remarks` tell what was done. A dry run returns its plan.

    Raises what `ccsync.errors` lists; what was done before is kept, and the next run continues.
    """
    began_at = work.clock.monotonic()
    contact_list = work.constant_contact.get_list(work.list_id)
    if contact_list is None:
        raise list_is_gone(work)
    is_first = request.is_whole and meta.get(work.store, EXPORTED_LIST) != work.list_id
    customers = work.kibo.get_customers(start=0, size=1, filter=FILTER).total
    if is_first and not request.is_dry_run:
        request.agree(FirstExport(contact_list.name, contact_list.membership_count, customers))
    started_at = work.kibo.transport.server_time(work.now())
    gathered = _gather(work, request, started_at)
    imports = Imports(work)
    if not request.is_dry_run:
        # What an earlier run left running is settled before anybody is decided on.
        imports.await_all()
    if not gathered.calls_spared:
        _check_departures(work, request)
    if is_first:
        _remark_on_members(work, contact_list)
    if request.is_dry_run:
        plan = make_plan(work, is_retry=request.is_retry, calls_spared=gathered.calls_spared, began_at=began_at)
        plan.is_first_export = is_first
        _close_books(work)
        plan.rejected = runs.rejected(work.store, work.run_id, SHOWN_REASONS)
        return plan
    if request.only is None:
        opt_outs.pull_recent(work)
    total = staging.people(work.store)
    Sender(work).send_all(iter_outgoing(work, is_retry=request.is_retry), total)
    imports.await_all()
    Sender(work).send_all(iter_outgoing_long(work, is_retry=request.is_retry), total)
    imports.await_all()
    if request.is_whole and not gathered.missing:
        _settle_queue(work)
    _close_books(work)
    if gathered.missing:
        raise TemporaryError(
            f"Kibo counts {gathered.missing:,} customers more than it showed; everybody it showed was dealt with.",
            "rows kept moving while they were read.",
            "ccsync export        (sends only what is missing)",
        )
    if request.is_whole:
        with work.store.transaction():
            meta.put(work.store, EXPORTED_LIST, work.list_id)
            meta.advance(work.store, EVENTS, started_at)
    return None


def _gather(work: Work, request: Request, started_at: datetime) -> Gathered:
    """Pull before push: opt-outs first, then the customers, then whose contacts are there already."""
    if not request.is_dry_run:
        adopt_lost(work)
    if request.only is None:
        work.show("opt-outs")
        opt_outs.pull_all(work)
    staging.clear(work.store)
    gathered = Gathered()
    if request.only is not None:
        gather_address(work, request.only)
    elif request.is_retry:
        gather_set_aside(work)
    else:
        gathered = gather_everybody(work, started_at, spares_single_reads=request.is_dry_run)
    work.counts["read"] = staging.have_read(work.store)
    if request.is_whole:
        known_contacts.learn(work, work.list_id if request.adopts_list else None)
    else:
        known_contacts.learn_singly(work, [one.row or "{}" for one in staging.iter_people(work.store)])
    return gathered


def _check_departures(work: Work, request: Request) -> None:
    gone, looked_for = find_departures(work, is_retry=request.is_retry, has_just_read=request.adopts_list)
    if (
        has_left_too_many(len(gone), looked_for)
        and not request.is_dry_run
        and not request.agree_to_departures(len(gone), looked_for)
    ):
        raise BrakeError(
            f"{len(gone):,} of {looked_for:,} people to be updated are no longer on the list; nothing was sent.",
            "so many at once look like a mishap (list emptied, wrong list) rather than their own wish.",
            "Look at the list in Constant Contact. If they did leave it: ccsync export --yes",
        )
    record_departures(work, gone)
    work.counts["departed"] += len(gone)


def _remark_on_members(work: Work, contact_list: ContactList) -> None:
    strangers = staging.listed_but_not_opted_in(work.store, contact_list.list_id)
    if strangers:
        work.counts["listed_not_opted_in"] = strangers
        work.remarks.append(f"{strangers:,} members of the list are not customers who opted in; they were left alone.")


def _settle_queue(work: Work) -> None:
    """Whoever was read here needs no event any more; whoever opted in before and was not shown is looked at next."""
    with work.store.transaction():
        dealt.begin(work.store)
        dealt.mark_staged(work.store)
        dealt.settle(work.store, work.now())
        queue.enqueue_vanished(work.store, work.now())


def _close_books(work: Work) -> None:
    """Erase what was staged, and account for everybody who was read."""
    counts = work.counts
    counts["rejected"] = runs.count_rejected(work.store, work.run_id)
    dealt_with = ("added", "updated", "unchanged", "suppressed", "departed", "rejected")
    # Accounts without an address, B2B accounts, and further accounts of a person already counted.
    counts["skipped"] = max(0, counts["read"] - sum(counts[key] for key in dealt_with))
    if counts["adopted"]:
        work.remarks.append(
            f"{counts['adopted']:,} contacts of an interrupted run had arrived; they were not sent again."
        )
    if counts["opted_out"]:
        work.remarks.append(
            f"{counts['opted_out']:,} customers opted out in the store meanwhile; none of them was sent."
        )
    staging.clear(work.store)


def has_news(work: Work) -> bool:
    """Did this run reject records that were not rejected before?"""
    return set_aside.news_of(work.store, work.run_id) > 0
