"""Gathers the customers an export is about: all who opted in, one address, or those parked before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ccsync.consent.decisions import Act
from ccsync.errors import OutOfTime, TemporaryError
from ccsync.from_kibo import new_owners
from ccsync.from_kibo.observations import observe
from ccsync.from_kibo.pages import (
    FILTER,
    Sweep,
    begin_changed_since,
    begin_counts,
    count_by_group,
    read_changed_since,
)
from ccsync.from_kibo.row_sections import RowSections, read_singly
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.from_kibo.staging import Intake
from ccsync.kibo.client import Kibo
from ccsync.kibo.customers import address_filter
from ccsync.mapping.addresses import person_key_text
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import accounts, erasure, parked, staging
from ccsync.state.outbox import queue
from ccsync.words import counted

Listings = Mapping[bool | None, int]
"""Listings by their `isAnonymous`, and how many customers each has."""
MOST_SWEEPS = 3
MOST_DOUBTFUL = 200
"""Updates that are looked at singly as long as it is in doubt whether the list carries all that is mapped."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a gathering found out: how many customers may have been missed while rows moved (0: all is well).

    `calls_spared` are those that it left out, and that an export makes to read customers one by one.
    """

    missing: int = 0
    calls_spared: int = 0


class _Gathering:
    """One gathering of everybody; what it found out about the vendor's ways holds until its end.

    One that `spares_single_reads` takes the list's rows for what they are, whatever they lack.
    """

    def __init__(self, context: Context, started_at: datetime, groups: Listings, *, spares_single_reads: bool) -> None:
        self._context = context
        self._started_at = started_at
        self._spares = spares_single_reads
        self._intake = Intake(context)
        self._sections = RowSections(context)
        self._groups = groups
        self._has_hidden_guests = False
        self._has_taken_rows = False
        self._begins_anew = False
        """The list turned out to lack what is mapped, after rows of it had been taken."""
        self._pages = self._total = 0
        self._surplus = 0

    def run(self) -> Gathered:
        """Sweep until no customer can be missing. If the same number stays missing, Kibo miscounts: say so."""
        before = missing = 0
        for _ in range(MOST_SWEEPS):
            before, (missing, is_sure) = missing, self._sweep_all()
            if self._begins_anew and not self._spares:
                self._begins_anew = False
                missing, is_sure = self._sweep_all()
            if is_sure and missing > 0 and missing == before:
                self._surplus, missing = self._surplus + missing, 0
            if missing <= 0 and is_sure:
                break
        if self._surplus and missing <= 0:
            self._context.remarks.append(
                f"Kibo counts {counted(self._surplus, 'customer')} more than it shows, again and again;"
                " those it showed were processed."
            )
        return Gathered(max(missing, 0), self._calls_spared())

    def _calls_spared(self) -> int:
        if not (self._spares and self._sections.lacking):
            return 0
        return staging.have_read(self._context.store) + (self._pages if self._begins_anew else 0)

    def _sweep_all(self) -> tuple[int, bool]:
        """Read everyone once. Returns how many are missing, and whether it is sure that none came in behind us."""
        context = self._context
        context.counts["unreadable"] = self._pages = 0
        sweeps = [self._sweep(is_anonymous) for is_anonymous in self._groups]
        caught_up = [self._catch_up(is_anonymous) for is_anonymous in self._groups]
        self._look_at_doubtful_updates()
        counted = [sweep for sweep in sweeps if sweep is sweeps[0] or self._has_hidden_guests]
        if not all(caught_up):
            for sweep in counted:
                sweep.count_again()
        self._surplus = sum(sweep.surplus for sweep in counted)
        total = sum(sweep.total for sweep in counted) - self._surplus
        missing = total - staging.have_read(context.store) - context.counts["unreadable"]
        return missing, all(caught_up) or not any(sweep.has_moved_right for sweep in sweeps)

    def _sweep(self, is_anonymous: bool | None) -> Sweep:
        context = self._context
        sweep = Sweep(context, is_anonymous, expected=self._groups[is_anonymous], on_last=self._begin_to_catch_up)
        before = staging.have_read(context.store)
        for page in sweep:
            self._pages, self._total = self._pages + 1, page.total
            context.show("customers", min(sweep.position, page.total), page.total)
            self._sections.probe(page.customers)
            self._check_time(page.total - sweep.position)
            self._act_on_what_lacks()
            self._take(page.customers)
            context.counts["unreadable"] += page.unreadable
        if is_anonymous and staging.have_read(context.store) > before:
            self._has_hidden_guests = True
        return sweep

    def _begin_to_catch_up(self) -> None:
        """The last page is under way; the look at what changed meanwhile goes out behind it."""
        if len(self._groups) == 1 and not self._sections.lacking:  # else there is much to read yet
            begin_changed_since(self._context, self._started_at)

    def _catch_up(self, is_anonymous: bool | None) -> bool:
        """Take in who changed while we read: opt-ins that came in behind us, opt-outs that were read before."""
        changed = read_changed_since(self._context, self._started_at, is_anonymous)
        for page in changed.pages if changed else ():
            self._take(page)
        return changed is not None

    def _take(self, customers: Sequence[Customer]) -> None:
        if self._sections.lacking and not self._spares:
            self._intake.take([one for one in customers if one.accepts_marketing is False], are_whole=False)
            self._intake.take(self._read_singly(customers), are_whole=True)
        else:
            self._intake.take(customers, are_whole=False, lack_sections=bool(self._sections.lacking))
            self._has_taken_rows |= bool(customers) and not self._sections.lacking

    def _read_singly(self, customers: Sequence[Customer]) -> list[Customer]:
        """The customers of a page who do not say no, read whole, unless they were read like this before."""
        dates = {one.account_id: one.updated_at or one.created_at for one in customers}
        as_is = staging.have_as_is(self._context.store, dates)
        wanted = [one for one in customers if one.accepts_marketing is not False and one.account_id not in as_is]
        done, whole = staging.have_read(self._context.store), list[Customer]()
        for customer in read_singly(self._context, wanted):
            whole.append(customer)
            self._context.show("customers", min(done + len(whole), self._total), self._total)
        return whole

    def _look_at_doubtful_updates(self) -> None:
        """A part that no row shows must not change what was sent: check singly whether it is really empty."""
        if not self._sections.in_doubt or self._sections.lacking:
            return
        due = iter_decisions(self._context, is_retry=False)
        changed = (one for one, decision in due if decision.act is Act.UPDATE and not decision.is_email_only)
        for whole in read_singly(self._context, list(islice(changed, MOST_DOUBTFUL))):
            self._sections.learn_from(whole)
            if self._sections.lacking:
                break
        self._act_on_what_lacks()

    def _check_time(self, customers: int) -> None:
        """A run that has to end may have time for pages, and none for each customer."""
        left = self._context.clock.seconds_left()
        needed = customers / self._context.config.limits.kibo_requests_per_second
        if self._sections.lacking and left is not None and needed > left:
            raise OutOfTime(
                f"Kibo's list does not show all mapped fields, and reading {counted(customers, 'customer')} one by one"
                " takes longer than this run may.",
                f"about {needed / 60:.0f} minutes of reading.",
                "ccsync export has no time limit, and events continue from there",
            )

    def _act_on_what_lacks(self) -> None:
        """Rows that were taken before the list proved to lack something are read again, one by one."""
        if self._sections.lacking and self._has_taken_rows:
            self._has_taken_rows, self._begins_anew = False, True
            if not self._spares:
                staging.clear(self._context.store)


def gather_everybody(
    context: Context, started_at: datetime, customers: Listings, *, spares_single_reads: bool = False
) -> Gathered:
    """Take in every customer who opts in. `started_at` is Kibo's clock at the start of the run.

    With `spares_single_reads` nobody is read one by one, though the list may lack what is mapped.
    """
    gathered = _Gathering(context, started_at, customers, spares_single_reads=spares_single_reads).run()
    for found in new_owners.find(context):
        observe(context, found, are_whole=False)
    _put_off_siblings(context)
    return gathered


def incomplete(missing: int, fix: str) -> TemporaryError:
    """The error for a gathering that may have missed customers; the caller raises it."""
    return TemporaryError(
        f"Kibo counts {counted(missing, 'customer')} more than it showed; those it showed were processed.",
        "its pages kept changing while they were read.",
        fix,
    )


def _put_off_siblings(context: Context) -> None:
    """An account that opted in when last seen is not shown: its opt-out may be newer than the yes of another account
    with its address. Of their person nothing is sent; the next flush reads them all.
    """
    for account_id, person in staging.hidden_siblings(context.store):
        with context.store.transaction():
            queue.enqueue(context.store, [account_id, *accounts.of_person(context.store, person)], context.now())
            staging.drop_person(context.store, person)


def begin_listings(kibo: Kibo) -> None:
    """Send the calls of `listings`, which takes the answers."""
    begin_counts(kibo, FILTER)


def begin_sweep(kibo: Kibo) -> None:
    """Send the first call of `gather_everybody`, after the time that it gets as the start; it takes the answer."""
    kibo.begin_customers(filter=FILTER)


def listings(kibo: Kibo) -> Listings:
    """The listings that together show everybody, and how many each has now: the usual one, and guests by themselves
    where it hides them.

    Whether `isAnonymous` left out means both is not documented; the totals tell.
    """
    everybody, named, guests = count_by_group(kibo, FILTER)
    # If the totals do not add up (customers come and go meanwhile), nothing is proven, and guests are read, too.
    return {None: everybody} if everybody == named + guests else {None: everybody, True: guests}


def gather_address(context: Context, address: str) -> None:
    """Take in the accounts with this address, in any case of letters; it is one that can be used."""
    wanted = person_key_text(address)
    page = context.kibo.get_customers(start=0, filter=address_filter(address))
    found = [one for one in page.customers if one.email and person_key_text(one.email) == wanted]
    whole = list(read_singly(context, found))
    Intake(context).take(whole, are_whole=True)
    if not whole:
        context.remarks.append("Kibo has no customer with this address.")
    elif erasure.forgotten_among(context.store, [context.person_of(wanted)]):
        context.remarks.append("This person asked to be forgotten and has not opted in since; nobody is added.")
    elif not any(one.accepts_marketing for one in whole):
        context.remarks.append("The customer has not opted in (acceptsMarketing is not true); nobody is added.")


def gather_parked(context: Context) -> None:
    """Take in the records that were rejected before, as they are now."""
    intake = Intake(context)
    account_ids = parked.account_ids(context.store)
    for number, account_id in enumerate(context.kibo.accounts_ahead(account_ids, int), start=1):
        customer = context.kibo.get_customer(account_id)
        if customer is None or customer.accepts_marketing is False:
            parked.release(context.store, account_id)
        if customer is not None:
            intake.take([customer], are_whole=True)
        context.show("rejected customers", number, len(account_ids))
    if not account_ids:
        context.remarks.append("No record was rejected; there is nothing to retry.")
