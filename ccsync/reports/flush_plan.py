"""What a flush would do about each account, and why: the dry run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ccsync.consent.decisions import Act
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.run.context import Context
from ccsync.state import staging
from ccsync.state.log import runs
from ccsync.state.outbox import queue, removals
from ccsync.to_constant_contact import known_contacts, list_removals, welcome
from ccsync.to_constant_contact.list_check import find_departures, iter_departed

EXPORT_DUE = "waits: an export to this list is due"


@dataclass(frozen=True, slots=True)
class Planned:
    """One account: `act` as the counts name it."""

    account_id: int
    act: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a real run would do; `held` is how many removals the safety limit would hold back."""

    accounts: tuple[Planned, ...]
    held: int


def plan(context: Context, accept: int, failed: Mapping[int, str], *, is_exported: bool) -> Plan:
    """Work out what would be done with what was read; `failed` are accounts that could not be, and why.

    Nothing is written at either vendor.
    """
    going, held = list_removals.plan(context, accept)
    found = [_of_removal(context, one) for one in going]
    found += [Planned(one.account_id, "held", "safety limit: too many would leave the list at once") for one in held]
    if is_exported:
        found += _of_staged(context)
    else:
        found += [Planned(one.account_id, "waiting", EXPORT_DUE) for one in staging.iter_people(context.store)]
    found += [
        Planned(one.account_id or 0, "rejected", one.reason) for one in runs.rejected(context.store, context.run_id)
    ]
    found += [Planned(account_id, "failed", why) for account_id, why in failed.items()]
    listed = {one.account_id for one in found}
    rest = [account_id for account_id in queue.ids_read(context.store) if account_id not in listed]
    found += [Planned(account_id, "unchanged", "nothing in it concerns the list") for account_id in rest]
    context.counts["rejected"] = runs.count_rejected(context.store, context.run_id)
    for one in found:
        if one.act in ("added", "updated", "suppressed", "departed", "removed", "unsubscribed"):
            context.counts[one.act] += 1
    return Plan(tuple(sorted(found, key=lambda one: one.account_id)), len(held))


def _of_removal(context: Context, one: removals.Removal) -> Planned:
    act = "unsubscribed" if list_removals.is_unsubscribed(context, one) else "removed"
    return Planned(one.account_id, act, removals.REASONS[one.reason])


def _of_staged(context: Context) -> Iterator[Planned]:
    known_contacts.learn(context)
    has_gone = find_departures(context, is_retry=False)[0] > 0
    gone = {one.person for one in iter_departed(context, is_retry=False)} if has_gone else set[bytes]()
    welcomed = {one.person for one in welcome.new_people(context)[: welcome.may_create(context)]}
    for one, decision in iter_decisions(context, is_retry=False):
        if one.person in gone:
            yield Planned(one.account_id, "departed", "left the list; it is not put back")
        elif one.person in welcomed:
            yield Planned(one.account_id, decision.act.value, welcome.REASON)
        elif decision.act is Act.PARKED:
            yield Planned(one.account_id, "rejected", decision.reason)
        else:
            yield Planned(one.account_id, decision.act.value, decision.reason)
