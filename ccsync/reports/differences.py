"""Compares the people of both systems. Differences that can be fixed are queued after a person's yes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from ccsync.consent.decisions import as_last_seen, blocking_suppression, stand_of
from ccsync.consent.drift import (
    DRIFT,
    Difference,
    Kind,
    Listed,
    NotListed,
    Repair,
    Written,
    judge_listed,
    judge_not_listed,
)
from ccsync.from_constant_contact import departures, returns
from ccsync.run.context import Context
from ccsync.state import batches, contacts, ledger, parked, suppressions
from ccsync.state.outbox import queue, removals, tasks, write_backs
from ccsync.state.suppressions import BY_UNKNOWN_ACT, DEPARTED, FORGOTTEN, OWN, UNSUBSCRIBED, Suppression
from ccsync.state.views import comparison
from ccsync.state.views.comparison import AtKibo, Finding
from ccsync.to_kibo import newer_opt_in

_CHUNK = 500


def compare(context: Context, flushed_at: datetime | None) -> None:
    """Write the differences into `state.comparison`. Changes after `flushed_at` are not processed yet."""
    for stream in (
        _not_listed(context, flushed_at),
        _listed(context, flushed_at),
        _unusable(context),
        _several(context),
    ):
        while part := list(islice(stream, _CHUNK)):
            comparison.add(context.store, part)
            context.show("comparing")


def _not_listed(context: Context, flushed_at: datetime | None) -> Iterator[Finding]:
    store = context.store
    target = as_last_seen(context.list_id, overwrite_existing=context.config.sync.overwrite_existing)
    for person, email in comparison.iter_not_listed(store):
        accounts = [one for one in comparison.accounts_of(store, person) if one.opts_in and not one.why_not]
        known = contacts.known(store, person, context.list_id)
        difference = judge_not_listed(
            NotListed(
                holding=(holding := _holding(context, person)),
                write_back=Written.DONE if holding is None else _write_back_state(context, person, holding, accounts),
                refused=parked.is_refused(store, _newest(accounts).account_id, context.now()),
                queued=_queued(context, [one.account_id for one in accounts]),
                is_under_way=batches.holds(store, person),
                has_just_changed=_has_just_changed(accounts, flushed_at),
                stand=stand_of(known, target),
            )
        )
        yield _finding(difference, person, email, [one.account_id for one in accounts])


def _listed(context: Context, flushed_at: datetime | None) -> Iterator[Finding]:
    store = context.store
    for person, email in comparison.iter_doubtful_members(store, context.list_id):
        accounts = comparison.accounts_of(store, person)
        linked = comparison.linked_accounts(store, person)
        known = contacts.known(store, person, context.list_id)
        on_list = known if known and known.is_on(context.list_id) and not _has_left(context, person) else None
        everybody = [*dict.fromkeys([*(one.account_id for one in accounts), *linked])]
        difference = judge_listed(
            Listed(
                holding=_holding(context, person),
                opts_in=any(one.opts_in for one in accounts),
                is_known=on_list is not None,
                is_own=on_list is not None and (on_list.is_ours or bool(on_list.sent and on_list.sent.fingerprint)),
                is_leaving=removals.is_asked(store, person, context.list_id),
                is_queued=_queued(context, everybody) not in (None, tasks.FAILED),
                has_just_changed=_has_just_changed(accounts, flushed_at),
                says_no=any(one.opts_in is False and not one.why_not for one in accounts),
                elsewhere=bool(comparison.opted_in_among(store, linked))
                or comparison.is_opted_out_elsewhere(store, person),
                is_renamed=comparison.was_sent_as_another(store, person, context.list_id),
            )
        )
        if difference is not None:
            yield _finding(difference, person, email, everybody)


def _unusable(context: Context) -> Iterator[Finding]:
    """Accounts that opt in and cannot be sent as they are."""
    for one in comparison.iter_unusable(context.store):
        yield _finding(Difference(Kind.REJECTED, one.why_not), one.person or b"", one.email, [one.account_id])


def _several(context: Context) -> Iterator[Finding]:
    for person, email in comparison.iter_several(context.store):
        accounts = [one.account_id for one in comparison.accounts_of(context.store, person) if one.opts_in]
        yield _finding(Difference(Kind.SEVERAL_ACCOUNTS, f"{len(accounts)} accounts"), person, email, accounts)


def _has_left(context: Context, person: bytes) -> bool:
    """Did a person leave whom ccsync had added? If they are on the list again, somebody else added them."""
    return any(
        one.kind == DEPARTED and one.list_id == context.list_id for one in suppressions.of_person(context.store, person)
    )


def _holding(context: Context, person: bytes) -> Suppression | None:
    """What keeps a person from being sent; that they asked to be forgotten comes first here."""
    holding = suppressions.of_person(context.store, person)
    forgotten = [one for one in holding if one.kind == FORGOTTEN]
    return forgotten[0] if forgotten else blocking_suppression(holding, context.list_id)


def _write_back_state(context: Context, person: bytes, holding: Suppression, accounts: Iterable[AtKibo]) -> Written:
    if holding.kind == DEPARTED and not context.config.sync.list_departures:
        return Written.UNWANTED
    if holding.source in (OWN, *BY_UNKNOWN_ACT):
        return Written.OWN if holding.source == OWN else Written.HELD
    if holding.kind == UNSUBSCRIBED and returns.is_lost(context, holding):
        return Written.LOST
    same = (holding.kind, holding.list_id)
    rows = [one for one in write_backs.of_person(context.store, person) if (one.kind, one.list_id) == same]
    waiting = [one for one in rows if one.done_at is None]
    if waiting:
        return Written.STUCK if any(one.attempts or one.is_wanted for one in waiting) else Written.NEXT
    is_newer = all(newer_opt_in.is_newer(context, holding, one.account_id) for one in accounts)
    return Written.DONE if rows or is_newer or ledger.has_been_answered(context.store, person) else Written.NEVER


def _newest(accounts: Sequence[AtKibo]) -> AtKibo:
    """The account whose data the contact gets; the same choice as among the staged."""
    return max(accounts, key=lambda one: (one.updated_at or datetime.min.replace(tzinfo=UTC), one.account_id))


def _queued(context: Context, account_ids: Iterable[int]) -> str | None:
    """How these accounts stand in the queue: the first one that is in it."""
    waiting = (queue.queued(context.store, one) for one in account_ids)
    return next((one.status for one in waiting if one is not None), None)


def _has_just_changed(accounts: Iterable[AtKibo], flushed_at: datetime | None) -> bool:
    return flushed_at is not None and any(one.updated_at and one.updated_at > flushed_at for one in accounts)


def _finding(difference: Difference, person: bytes, email: str | None, account_ids: Iterable[int]) -> Finding:
    return Finding(
        difference.kind.value, person, email or None, tuple(account_ids), difference.reason, difference.repair.value
    )


def plan(context: Context) -> Mapping[Repair, int]:
    """How many findings each repair would fix."""
    found = {Repair(repair): number for repair, number in comparison.count_by_repair(context.store).items()}
    return {repair: found[repair] for repair in Repair if repair in found and repair is not Repair.NONE}


def repair(context: Context) -> int:
    """Queue what can be put right; how many findings that is. Nothing is written at a vendor here."""
    findings = comparison.iter_findings(context.store, [kind.value for kind in DRIFT])
    done = 0
    while part := list(islice(findings, _CHUNK)):
        with context.store.transaction():
            done += sum(_repair(context, one) for one in part)
    return done


def _repair(context: Context, one: Finding) -> bool:
    store, at = context.store, context.now()
    if one.repair == Repair.READ.value and one.account_ids:
        queue.enqueue(store, one.account_ids, at)
        return True
    if one.repair == Repair.REMOVE.value:
        account_id = one.account_ids[0] if one.account_ids else 0
        return removals.ask(store, [one.person], account_id, one.email, removals.OPTED_OUT, at) > 0
    if one.repair == Repair.WRITE_BACK.value:
        holding = _holding(context, one.person)
        if holding is not None:
            write_backs.enqueue(store, one.person, holding.kind, at, list_id=holding.list_id)
        return holding is not None
    if one.repair == Repair.COMPARE.value:
        departures.compare_soon(context)
        return True
    return False
