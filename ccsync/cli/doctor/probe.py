"""`ccsync doctor --probe`: finds out by reading what the vendors' descriptions leave open.

It changes nothing at a vendor. No result says anything about a person or the account, so it can be pasted anywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import CcsyncError, Interrupted, RefusedError
from ccsync.from_kibo import audit_evidence
from ccsync.from_kibo.events import QUERIES, filter_since, is_unfiltered
from ccsync.from_kibo.pages import UPDATE_DATES
from ccsync.kibo.client import Kibo
from ccsync.kibo.events import PAGE_SIZE, EventPage
from ccsync.models import Contact
from ccsync.run import quirks
from ccsync.shapes import query_time
from ccsync.state import Store

LOOKED_BACK = timedelta(days=1)
MOST_COMPARED = 5
SECTIONS = ("contacts", "attributes", "segments", "commerceSummary")
UNKNOWN = "nothing there to tell by"
_AUDIT_LOG = "Kibo: the audit log of an account"
_EVENTS, _ACCOUNTS = "Kibo: events asked for ", "Kibo: accounts filtered by "


@dataclass(frozen=True, slots=True)
class Probe:
    """The tools of a probe. `at` is now; `store` remembers what runs go by."""

    kibo: Kibo
    constant_contact: ConstantContact
    store: Store
    at: datetime

    def now(self) -> datetime:
        """The time of the probe."""
        return self.at


def probed(probe: Probe) -> Iterator[tuple[str, str]]:
    """Yield each fact with its result; where there is none, the result says why."""
    probes: Mapping[str, Callable[[Probe], str]] = {
        "Kibo: events at event_url": lambda one: _host(one, is_at_tenant=False),
        "Kibo: events at the tenant's host": lambda one: _host(one, is_at_tenant=True),
        **{_EVENTS + name: _query(name) for name in QUERIES},
        "Kibo: oldest event": _oldest_event,
        **{_ACCOUNTS + name: _update_date(name) for name in UPDATE_DATES},
        "Kibo: accounts sorted by id": _sorted_by_id,
        "Kibo: guests in the usual list": _guests,
        "Kibo: 201 accounts asked for": _large_page,
        "Kibo: accounts beyond the 10,000th": _deep_page,
        "Kibo: a row of the list lacks": _lacking,
        _AUDIT_LOG: _audit_log,
        "Constant Contact: opt-out found at its own date": _bound,
        "Constant Contact: lists after an unsubscribe": _lists_after_opt_out,
        "Constant Contact: names of custom fields": _field_names,
    }
    found = dict[str, str]()
    for name, find_out in probes.items():
        found[name] = _found(find_out, probe)
        yield name, found[name]
    _remember(probe, found)


def _found(find_out: Callable[[Probe], str], probe: Probe) -> str:
    try:
        return find_out(probe)
    except Interrupted:
        raise
    except RefusedError as error:
        return f"refused ({error.status})"
    except CcsyncError as error:
        return f"not found out ({type(error).__name__})"


def _remember(probe: Probe, found: Mapping[str, str]) -> None:
    """Remember what the next runs can rely on."""
    for name in QUERIES:
        if found[_EVENTS + name] == "taken":
            quirks.note(probe, quirks.EVENT_QUERY, name)
            break
    if found[_AUDIT_LOG].startswith((audit_evidence.REFUSED, "show")):
        quirks.note(probe, quirks.AUDIT_LOG, found[_AUDIT_LOG])
    for name in UPDATE_DATES:
        if found[_ACCOUNTS + name] == "taken":
            quirks.note(probe, quirks.UPDATE_DATE, name)
            break


def _host(probe: Probe, *, is_at_tenant: bool) -> str:
    page = probe.kibo.get_events(start=0, is_at_tenant=is_at_tenant)
    return "not served" if page is None else "served"


def _query(name: str) -> Callable[[Probe], str]:
    def find_out(probe: Probe) -> str:
        is_filtered, sort = QUERIES[name]
        since = probe.at - LOOKED_BACK
        page = _events(probe, filter_since(since) if is_filtered else None, sort)
        if page is None:
            return "no host serves events"
        if is_filtered and is_unfiltered(page, since):
            return "taken, and the filter ignored"
        return "taken" if page.rows else f"taken, {UNKNOWN}"

    return find_out


def _events(probe: Probe, filter: str | None = None, sort: str | None = None, start: int = 0) -> EventPage | None:
    """A page of events from whichever host serves them."""
    pages = (probe.kibo.get_events(start=start, filter=filter, sort=sort, is_at_tenant=one) for one in (False, True))
    return next((page for page in pages if page is not None), None)


def _oldest_event(probe: Probe) -> str:
    page = _events(probe)
    if page is None or page.oldest is None:
        return UNKNOWN
    last = _events(probe, start=max(page.total - PAGE_SIZE, 0)) if page.total > page.rows else None
    oldest = min(page.oldest, last.oldest) if last and last.oldest else page.oldest
    return f"{(probe.at - oldest).days} days"


def _update_date(name: str) -> Callable[[Probe], str]:
    def find_out(probe: Probe) -> str:
        everybody = probe.kibo.get_customers(start=0, size=1).total
        bound = f"{name} ge {query_time(probe.at - LOOKED_BACK)}"
        page = probe.kibo.get_customers(start=0, filter=bound)
        old = [one for one in page.customers if one.updated_at and one.updated_at < probe.at - 2 * LOOKED_BACK]
        if old:
            return "taken, and ignored"
        return "taken" if page.total < everybody else f"taken, {UNKNOWN}"

    return find_out


def _sorted_by_id(probe: Probe) -> str:
    ids = [one.account_id for one in probe.kibo.get_customers(start=0, sort="id desc").customers]
    return "taken" if ids == sorted(ids, reverse=True) else "taken, and ignored"


def _guests(probe: Probe) -> str:
    usual, named, guests = (
        probe.kibo.get_customers(start=0, size=1, is_anonymous=one).total for one in (None, False, True)
    )
    if not guests:
        return UNKNOWN
    return "yes" if usual == named + guests else "no"


def _large_page(probe: Probe) -> str:
    rows = len(probe.kibo.get_customers(start=0, size=PAGE_SIZE + 1).customers)
    return f"taken, cut to {PAGE_SIZE}" if rows == PAGE_SIZE else "taken" if rows > PAGE_SIZE else UNKNOWN


def _deep_page(probe: Probe) -> str:
    page = probe.kibo.get_customers(start=10_000, size=1)
    return UNKNOWN if page.total <= 10_000 else "shown" if page.customers else "hidden"


def _lacking(probe: Probe) -> str:
    rows = probe.kibo.get_customers(start=0).customers
    filled, lacking = set[str](), set[str]()
    for row in rows[:MOST_COMPARED]:
        single = probe.kibo.get_customer(row.account_id)
        has = {part for part in SECTIONS if single is not None and single.raw.get(part)}
        lacking |= {part for part in has if not row.raw.get(part)}
        filled |= has
    if lacking:
        quirks.note(probe, quirks.LACKING_SECTIONS, " ".join(sorted(lacking)))
    unknown = ", ".join(sorted(set(SECTIONS) - filled))
    return (", ".join(sorted(lacking)) or "nothing") + (f" (cannot tell: {unknown})" if unknown else "")


def _audit_log(probe: Probe) -> str:
    """Look at the customers that changed last: they are most likely to have entries."""
    rows = sorted(probe.kibo.get_customers(start=0).customers, key=lambda one: one.updated_at or probe.at)
    total = 0
    for row in rows[-MOST_COMPARED:]:
        page = probe.kibo.get_audit_log(row.account_id)
        if page is None:
            return audit_evidence.REFUSED if probe.kibo.get_customer(row.account_id) is not None else UNKNOWN
        if page.entries:
            return "shows changes of consent"
        total += page.total
    return "shown" if total else f"shown, {UNKNOWN}"


def _opt_outs(probe: Probe) -> list[Contact]:
    pages = probe.constant_contact.iter_contact_pages(status="unsubscribed", include="list_memberships")
    return next(pages, [])


def _bound(probe: Probe) -> str:
    dated = [one for one in _opt_outs(probe) if one.opt_out_date and not one.opt_out_date.microsecond]
    if not dated:
        return UNKNOWN
    latest = max(dated, key=lambda one: one.opt_out_date or probe.at)
    after = query_time(latest.opt_out_date or probe.at)
    found = next(probe.constant_contact.iter_contact_pages(optout_after=after), [])
    return "yes" if any(one.contact_id == latest.contact_id for one in found) else "no"


def _lists_after_opt_out(probe: Probe) -> str:
    opt_outs = _opt_outs(probe)
    return UNKNOWN if not opt_outs else "some" if any(one.list_ids for one in opt_outs) else "none"


def _field_names(probe: Probe) -> str:
    pairs = [(one.label, one.name) for one in probe.constant_contact.iter_custom_fields()]
    mixed = [(label, name) for label, name in pairs if label != label.lower()]
    if not mixed:
        return UNKNOWN
    lowered = {name == name.lower() for _, name in mixed}
    return "both ways" if len(lowered) == 2 else "in lower case" if lowered == {True} else "as in the label"
