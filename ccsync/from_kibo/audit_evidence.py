"""Looks up in Kibo's audit log who changed the consent that a row of the ledger is about, as evidence of it.

Nothing is decided by this evidence. So it comes after everything else that a run does, takes a minute at most, waits
for nobody, and never makes a run fail; the next run continues where it stopped.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from ccsync.errors import CcsyncError, Interrupted, RefusedError, VendorUnreachable
from ccsync.kibo.audit_log import ConsentEntry
from ccsync.kibo.events import PAGE_SIZE
from ccsync.models import Customer
from ccsync.run import control, quirks
from ccsync.run.context import Context
from ccsync.state import ledger
from ccsync.state.database.times import to_text
from ccsync.state.ledger import ConsentChange, LedgerRow

log = logging.getLogger(__name__)

MOST_ROWS = 50
MOST_SECONDS = 60.0
"""Another job may be waiting for the lock, and the opt-outs it brings come first."""
SPARE_SECONDS = 300.0
"""A run with less time than this left leaves the audit log alone."""
LOOKED_BACK = timedelta(days=7)
"""How long before the update that ccsync saw the change may have been made; events are not older, either."""
SLACK = timedelta(minutes=1)
"""The entry and the account may have been dated one after the other."""
LONGEST = 80
REFUSED = "refused"


def add(context: Context) -> None:
    """Add what the audit log shows to the latest changes in the ledger."""
    try:
        if quirks.recall(context, quirks.AUDIT_LOG) != REFUSED:
            _add(context)
    except Interrupted:
        raise
    except CcsyncError as error:
        log.info("no evidence from the audit log: %s %s", error.what, error.why)


def _add(context: Context) -> None:
    ends_at = context.clock.monotonic() + MOST_SECONDS
    left = context.clock.seconds_left()
    if left is not None and left < SPARE_SECONDS:
        return
    rows = ledger.not_looked_up(context.store, context.now() - LOOKED_BACK, MOST_ROWS)
    known: dict[tuple[object, ...], dict[str, str]] = {}
    for row in rows:
        if context.clock.monotonic() > ends_at:
            return
        # An opt-out has a row for each address of its account.
        act = (row.change.account_id, row.change.change, row.change.happened_at)
        if act not in known:
            found = _look_up(context, row)
            if found is None:
                quirks.note(context, quirks.AUDIT_LOG, REFUSED)
                log.info("Kibo does not show its audit log to this application; asked again in a week")
                return
            known[act] = found
        ledger.add_evidence(context.store, row, known[act])
    if len(rows) < MOST_ROWS:
        ledger.note_looked_up(context.store)


def _look_up(context: Context, row: LedgerRow) -> dict[str, str] | None:
    """What the audit log of the row's account shows of the change; `None` when this application may not read it."""
    account_id = row.change.account_id or 0
    try:
        entries = _entries(context, account_id)
        if entries is None:
            # No right to read it, a token that has expired, or no such account? Reading the account tells.
            if context.kibo.get_customer(account_id) is None:
                return {}
            entries = _entries(context, account_id)
        if entries is None:
            return None
        entry = entry_of(row.change, entries, ledger.previous_change(context.store, row))
        return {} if entry is None else _evidence_of(entry, context.kibo.get_customer(account_id))
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_kibo(context, error)
        return {}


def _entries(context: Context, account_id: int) -> list[ConsentEntry] | None:
    """The entries at both ends of the log: no description says whether the newest is its first or its last."""
    page = context.kibo.get_audit_log(account_id)
    if page is None:
        return None
    rest = context.kibo.get_audit_log(account_id, page.total - PAGE_SIZE) if page.total > PAGE_SIZE else None
    return [*page.entries, *(rest.entries if rest is not None else ())]


def entry_of(change: ConsentChange, entries: Iterable[ConsentEntry], previous: datetime | None) -> ConsentEntry | None:
    """The entry that shows this change: the last one before ccsync saw it, if that is what it shows.

    `previous` is when the account's consent had changed before. An older entry is about another change, even when it
    looks alike: a store may log only some of them. Where Kibo gave no date it is our clock that counts: if that is
    behind Kibo's, there is no evidence.
    """
    seen = change.happened_at or change.seen_at
    since = max(seen - LOOKED_BACK, previous or seen - LOOKED_BACK)
    last = max((one for one in entries if since < one.at <= seen + SLACK), key=lambda one: one.at, default=None)
    fits = last is not None and last.became is (change.change == "opted-in") and last.was is not last.became
    return last if fits else None


def _evidence_of(entry: ConsentEntry, account: Customer | None) -> dict[str, str]:
    shown = {
        "changed_at": to_text(entry.at),
        "changed_by": who(entry.user, account),
        "application": (entry.application or "")[:LONGEST],
        "audit_entry": str(entry.entry_id),
    }
    return {name: text for name, text in shown.items() if text}


def who(user: str | None, account: Customer | None) -> str:
    """The customer, or another user as Kibo shows them; of an address only as much as tells colleagues apart.

    The entry's number leads to the whole of it in Kibo.
    """
    name = " ".join((user or "").split())
    raw = account.raw if account is not None else {}
    own = {str(raw.get(one) or "").strip().lower() for one in ("userId", "userName", "emailAddress")}
    if name and name.lower() in own:
        return "the customer"
    mailbox, at, host = name.rpartition("@")
    return (f"{mailbox[:1]}…@{host}" if at else name)[:LONGEST]
