"""reconcile: both systems and the state file side by side. It only reads; `comparing` finds what differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ccsync.consent.drift import DRIFT, Kind
from ccsync.constant_contact.client import PAGE_SIZE as LIST_PAGE
from ccsync.errors import RefusedError
from ccsync.from_constant_contact import list_exports, members, opt_outs, restored
from ccsync.from_constant_contact.activities import be_patient
from ccsync.from_constant_contact.sightings import is_member
from ccsync.from_kibo import events
from ccsync.from_kibo.full_sweep import listings
from ccsync.from_kibo.pages import Sweep, read_changed_since
from ccsync.kibo.customers import address_filter
from ccsync.kibo.events import PAGE_SIZE
from ccsync.mapping.addresses import check_address
from ccsync.models import ContactList, Customer
from ccsync.reports import differences
from ccsync.run import clocks
from ccsync.run.contact_list import list_is_gone
from ccsync.run.context import Context
from ccsync.state.views import comparison
from ccsync.state.views.comparison import AtKibo
from ccsync.to_constant_contact import tags

NOT_OPTED_IN = "acceptsMarketing eq false"
LEAST_SHARE = 0.99
"""An export of the list that holds less of it was cut off on the way."""


@dataclass(frozen=True, slots=True)
class Report:
    """How the systems compare: how much was read, and how many findings of each kind."""

    accounts: int
    members: int
    counts: Mapping[Kind, int]

    @property
    def drift(self) -> int:
        return sum(self.counts.get(kind, 0) for kind in DRIFT)


def run(context: Context) -> Report:
    """Compare; `state.comparison` has the findings until the state file is closed.

    Opt-outs that the full pass meets are recorded, as every job does; nothing else is written, at no vendor.
    Raises what `ccsync.errors` lists.
    """
    contact_list = context.constant_contact.get_list(context.list_id)
    if contact_list is None:
        raise list_is_gone(context)
    be_patient(context)
    restored.recognize(context)
    comparison.begin(context.store)
    flushed_at = clocks.bookmark(context, events.STREAM)
    opt_outs.pull_all(context)
    started_at = context.kibo.transport.server_time(context.now())
    segments = tags.segments.Segments(context)
    _read_opted_in(context, segments)
    _read_members(context, contact_list)
    _read_accounts_of_members(context)
    _read_changes(context, started_at, segments)
    segments.end()
    differences.compare(context, flushed_at.at if flushed_at else None)
    tags.compared.compare(context)
    counts = {Kind(kind): number for kind, number in comparison.count_by_kind(context.store).items()}
    report = Report(comparison.count_accounts(context.store), comparison.count_members(context.store), counts)
    context.counts["read"], context.counts["members"] = report.accounts, report.members
    context.counts["drift"] = report.drift
    return report


# Kibo


def _read_opted_in(context: Context, segments: tags.segments.Segments) -> None:
    for is_anonymous, total in listings(context.kibo).items():
        sweep = Sweep(context, is_anonymous, expected=total)
        for page in sweep:
            _note(context, page.customers)
            segments.note(page.customers)
            context.show("customers", min(comparison.count_accounts(context.store), page.total), page.total)


def _read_changes(context: Context, started_at: datetime, segments: tags.segments.Segments) -> None:
    """Read again the accounts that changed meanwhile, if Kibo can list them."""
    for is_anonymous in (None, True):
        changed = read_changed_since(context, started_at, is_anonymous)
        for page in changed.pages if changed else ():
            _note(context, page)
            segments.note(page)


def _read_accounts_of_members(context: Context) -> None:
    """The accounts of members who do not opt in: each is asked for, or all who say no are read, whichever is fewer."""
    wanted = comparison.count_listed_without_account(context.store)
    if not wanted:
        return
    try:
        says_no = context.kibo.get_customers(start=0, size=1, filter=NOT_OPTED_IN).total
    except RefusedError as error:
        if error.status != 400:
            raise
        says_no = wanted * PAGE_SIZE
    if says_no // PAGE_SIZE + 1 < wanted:
        for page in Sweep(context, filter=NOT_OPTED_IN):
            _note(context, page.customers)
            context.show("customers who say no", comparison.count_accounts(context.store))
        return
    for number, (_, email) in enumerate(comparison.iter_listed_without_account(context.store), start=1):
        if check_address(email) is None:
            _note(context, context.kibo.get_customers(start=0, filter=address_filter(email)).customers)
        context.show("members who do not opt in", number, wanted)


def _note(context: Context, customers: Iterable[Customer]) -> None:
    comparison.note_accounts(context.store, [_at_kibo(context, one) for one in customers])


def _at_kibo(context: Context, one: Customer) -> AtKibo:
    why_not, rejection = "", check_address(one.email)
    if one.is_b2b:
        why_not = "a B2B account: consent sits on its users"
    elif one.email is None:
        why_not = "it has no address"
    elif rejection is not None:
        why_not = rejection.reason
    person = context.whose(one)
    at = one.updated_at or one.created_at
    return AtKibo(one.account_id, person, one.email, one.accepts_marketing, one.created_at, at, why_not)


# the list


def _read_members(context: Context, contact_list: ContactList) -> None:
    """Read all members by whatever costs fewest calls: pages, or one export of the list."""
    is_cheaper = (contact_list.membership_count or 0) // LIST_PAGE + 1 > members.CALLS_OF_EXPORT
    if is_cheaper and list_exports.read_export_of_list(context, contact_list, partial(_take, context), LEAST_SHARE):
        return
    comparison.forget_members(context.store)
    for page in context.constant_contact.iter_contact_pages(lists=context.list_id, include="list_memberships"):
        count = _take(context, [one.email for one in page if one.email and is_member(one, context.list_id)])
        context.show("members of the list", count, contact_list.membership_count)


def _take(context: Context, addresses: Iterable[str]) -> int:
    comparison.note_members(context.store, [(context.person_of(one), one) for one in addresses])
    return comparison.count_members(context.store)
