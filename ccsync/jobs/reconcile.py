"""reconcile: both systems and the state file side by side. It only reads; `comparing` finds what differs."""

import csv
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ccsync.constant_contact.client import PAGE_SIZE as LIST_PAGE
from ccsync.errors import RefusedError
from ccsync.jobs import comparing, membership, opt_outs
from ccsync.jobs.discrepancies import DRIFT, Kind
from ccsync.jobs.gathering import listings
from ccsync.jobs.known_contacts import is_member
from ccsync.jobs.reading import Sweep, read_changed_since
from ccsync.jobs.sending import list_is_gone
from ccsync.jobs.work import Work
from ccsync.kibo.events import PAGE_SIZE
from ccsync.mapping import check_address, person_key_text
from ccsync.models import ContactList, Customer
from ccsync.state import comparison, meta
from ccsync.state.comparison import AtKibo

log = logging.getLogger(__name__)

JOB = "reconcile"
DIRECTION = "from"
NOT_OPTED_IN = "acceptsMarketing eq false"
LEAST_SHARE = 0.99
"""An export of the list that holds less of it was cut off on the way."""
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Report:
    """How the systems compare: how much was read, and how many findings of each kind."""

    accounts: int
    members: int
    counts: Mapping[Kind, int]

    @property
    def drift(self) -> int:
        return sum(self.counts.get(kind, 0) for kind in DRIFT)


def run(work: Work) -> Report:
    """Compare; `state.comparison` has the findings until the state file is closed.

    Opt-outs that the full pass meets are recorded, as every job does; nothing else is written, at no vendor.
    Raises what `ccsync.errors` lists.
    """
    contact_list = work.constant_contact.get_list(work.list_id)
    if contact_list is None:
        raise list_is_gone(work)
    comparison.begin(work.store)
    flushed_at = meta.bookmark(work.store, "events")
    opt_outs.pull_all(work)
    started_at = work.kibo.transport.server_time(work.now())
    _read_opted_in(work)
    _read_members(work, contact_list)
    _read_others(work)
    _read_changes(work, started_at)
    comparing.compare(work, flushed_at)
    counts = {Kind(kind): number for kind, number in comparison.count_by_kind(work.store).items()}
    report = Report(comparison.count_accounts(work.store), comparison.count_members(work.store), counts)
    work.counts["read"], work.counts["members"] = report.accounts, report.members
    work.counts["drift"] = report.drift
    return report


# Kibo


def _read_opted_in(work: Work) -> None:
    for is_anonymous in listings(work.kibo):
        sweep = Sweep(work.kibo, is_anonymous)
        for page in sweep:
            _note(work, page.customers)
            work.show("customers", min(comparison.count_accounts(work.store), page.total), page.total)


def _read_changes(work: Work, started_at: datetime) -> None:
    """Who changed while we read is known as they are now, where Kibo can tell."""
    for is_anonymous in (None, True):
        changed = read_changed_since(work.kibo, started_at, is_anonymous)
        for page in changed.pages if changed else ():
            _note(work, page)


def _read_others(work: Work) -> None:
    """The accounts of members who do not opt in: each is asked for, or all who say no are read, whichever is fewer."""
    wanted = comparison.count_listed_without_account(work.store)
    if not wanted:
        return
    try:
        says_no = work.kibo.get_customers(start=0, size=1, filter=NOT_OPTED_IN).total
    except RefusedError as error:
        if error.status != 400:
            raise
        says_no = wanted * PAGE_SIZE
    if says_no // PAGE_SIZE + 1 < wanted:
        for page in Sweep(work.kibo, filter=NOT_OPTED_IN):
            _note(work, page.customers)
            work.show("customers who say no", comparison.count_accounts(work.store))
        return
    for number, (_, email) in enumerate(comparison.iter_listed_without_account(work.store), start=1):
        if check_address(email) is None:
            _note(work, work.kibo.get_customers(start=0, filter=f"emailAddress eq {email}").customers)
        work.show("members who do not opt in", number, wanted)


def _note(work: Work, customers: Iterable[Customer]) -> None:
    comparison.note_accounts(work.store, [_at_kibo(work, one) for one in customers])


def _at_kibo(work: Work, one: Customer) -> AtKibo:
    why_not, rejection = "", check_address(one.email)
    if (one.account_type or "").upper() == "B2B":
        why_not = "a B2B account: consent sits on its users"
    elif one.email is None:
        why_not = "it has no address"
    elif rejection is not None:
        why_not = rejection.reason
    person = None if one.email is None else work.person_of()(person_key_text(one.email))
    at = one.updated_at or one.created_at
    return AtKibo(one.account_id, person, one.email, one.accepts_marketing, one.created_at, at, why_not)


# the list


def _read_members(work: Work, contact_list: ContactList) -> None:
    """Read all members by whatever costs fewest calls: pages, or one export of the list."""
    pages = (contact_list.membership_count or 0) // LIST_PAGE + 1
    if pages > membership.CALLS_OF_EXPORT and _read_export(work, contact_list):
        return
    comparison.forget_members(work.store)
    person_of = work.person_of()
    for page in work.constant_contact.iter_contact_pages(lists=work.list_id, include="list_memberships"):
        members = [one.email for one in page if one.email and is_member(one, work.list_id)]
        comparison.note_members(work.store, [(person_of(person_key_text(one)), one) for one in members])
        work.show("members of the list", comparison.count_members(work.store), contact_list.membership_count)


def _read_export(work: Work, contact_list: ContactList) -> bool:
    person_of = work.person_of()
    with membership.exported(work, lambda: work.constant_contact.export_list(work.list_id)) as rows:
        try:
            addresses = (row.email for row in rows or ())
            for part in _parts(addresses):
                comparison.note_members(work.store, [(person_of(person_key_text(one)), one) for one in part])
                work.show("members of the list", comparison.count_members(work.store), contact_list.membership_count)
        except csv.Error:
            log.warning("the export of the list is damaged; the list is read page by page")
            return False
    return comparison.count_members(work.store) >= (contact_list.membership_count or 0) * LEAST_SHARE


def _parts(addresses: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(addresses, _CHUNK)):
        yield part
