"""Is an account's yes newer than its person's opt-out at Constant Contact? Two clocks dated them."""

from datetime import UTC, datetime

from ccsync.clocks import ContactTime, KiboTime
from ccsync.consent.decisions import LOOK_SLACK, end_of
from ccsync.consent.write_back import is_newer_opt_in
from ccsync.run import clocks
from ccsync.run.context import Context
from ccsync.state import accounts, ledger, properties, suppressions
from ccsync.state.database.times import from_text
from ccsync.state.outbox.write_backs import WriteBack
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED, Suppression


def has_opted_in_since(context: Context, row: WriteBack, account_id: int) -> bool:
    """Has this account opted in surely after the change that is to be written back?"""
    held = suppressions.of_person(context.store, row.person)
    found = next((one for one in held if (one.kind, one.list_id) == (row.kind, row.list_id)), None)
    return found is not None and is_newer(context, found, account_id)


def is_newer(context: Context, opt_out: Suppression, account_id: int) -> bool:
    """Has this account opted in surely after the opt-out, as far as ccsync has seen?"""
    account = accounts.known(context.store, [account_id]).get(account_id)
    shown = _latest(context, opt_out)
    if account is None or not account.accepts_marketing or account.since is None or shown is None:
        return False
    at = clocks.latest_at_kibo(context, ContactTime(shown))
    return is_newer_opt_in(KiboTime(account.since), at, _first_export_at(context))


def _latest(context: Context, opt_out: Suppression) -> datetime | None:
    """The latest that an opt-out can have been, by Constant Contact's clock; one without a date was before it was seen.

    Of a departure: when the person was still there.
    """
    if opt_out.kind == DEPARTED:
        return None if opt_out.last_on_list_at is None else end_of(opt_out.last_on_list_at)
    if opt_out.since is not None:
        return end_of(opt_out.since)
    noted = [one.seen_at for one in ledger.of_person(context.store, opt_out.person) if one.change == UNSUBSCRIBED]
    return clocks.vendor_now(context) - (context.now() - noted[-1]) + LOOK_SLACK if noted else None


def _first_export_at(context: Context) -> KiboTime | None:
    at = from_text(properties.get(context.store, properties.FIRST_EXPORT))
    if at is None and properties.get(context.store, properties.EXPORTED_LIST) is not None:
        at = datetime.min.replace(tzinfo=UTC)  # before this was kept
    return None if at is None else KiboTime(at)
