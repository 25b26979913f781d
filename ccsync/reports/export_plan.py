"""The plan of a dry run: what an export would do and cost."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from math import ceil

from ccsync.consent.decisions import Act
from ccsync.from_constant_contact import members
from ccsync.from_kibo.row_sections import read_singly
from ccsync.from_kibo.staged_decisions import iter_decisions
from ccsync.from_kibo.staging import Intake
from ccsync.run.context import Context
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.staging import Staged
from ccsync.to_constant_contact.batches import MOST_BYTES, MOST_ROWS, Batcher, Outgoing
from ccsync.to_constant_contact.outgoing import EMAIL_ALONE, iter_outgoing, iter_outgoing_long

SAMPLE = 100
"""So many of the new people, and of those who may have changed, are read one by one to judge the rest by."""


@dataclass(slots=True)
class Plan:
    """What a dry run found that a real run would do, and what that would cost.

    `single_reads` are the customers an export would read one by one, because the list lacks what is mapped. With
    `is_estimate` a sample of them was read; then updated, unchanged, bytes and imports are judged by it. `held` is how
    many removals the safety limit would hold back.
    """

    imports: int = 0
    bytes: int = 0
    calls: int = 0
    kibo_calls: int = 0
    minutes: float = 0.0
    quota_share: float = 0.0
    is_first_export: bool = False
    single_reads: int = 0
    is_estimate: bool = False
    held: int = 0
    suppressed_reasons: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRecord] = field(default_factory=list)


def make_plan(context: Context, *, is_retry: bool, calls_spared: int, began_at: float) -> Plan:
    """Decide about everybody staged, and add up what an export would cost.

    `calls_spared` are calls to Kibo that an export makes on top of those that were made; `began_at` is when the dry
    run began, by the run's clock: it has made every other reading call itself.
    """
    plan, limits = Plan(single_reads=calls_spared), context.config.limits
    seconds = context.clock.monotonic() - began_at
    plan.kibo_calls = context.kibo.transport.calls + calls_spared
    more_calls = 0
    if calls_spared:
        seconds_each = _estimate(context, plan)
        seconds += calls_spared * seconds_each
        more_calls = members.calls_for(context, context.counts["updated"])
    else:
        _count(context, plan, is_retry=is_retry)
    for _, decision in iter_decisions(context, is_retry=is_retry):
        if decision.act is Act.SUPPRESS:
            plan.suppressed_reasons[decision.reason.partition(" on ")[0]] += 1
    # The imports, the polls of them, the opt-outs once more, and contacts missing from the counters.
    more_calls += 2 * plan.imports + 8 if plan.imports else 0
    plan.calls = context.constant_contact.transport.calls + more_calls
    seconds += more_calls / limits.requests_per_second
    plan.minutes = round(seconds / 60 + (1 if plan.imports else 0), 1)
    plan.quota_share = round(plan.calls / limits.requests_per_day, 4)
    return plan


def _count(context: Context, plan: Plan, *, is_retry: bool) -> None:
    """Cut everybody's rows into batches, as an export does."""
    for stream in (iter_outgoing(context, is_retry=is_retry), iter_outgoing_long(context, is_retry=is_retry)):
        batcher = Batcher(stream, context.list_id)
        while batch := [(one.row.is_new, len(one.encoded) + 1) for one in batcher.take()]:
            added = sum(is_new for is_new, _ in batch)
            plan.imports += 1
            plan.bytes += sum(size for _, size in batch)
            context.counts["added"] += added
            context.counts["updated"] += len(batch) - added


def _estimate(context: Context, plan: Plan) -> float:
    """Judge everybody by a sample that is read one by one; return the seconds that one of its reads took."""
    sample = _Sample.of(context)
    seconds_each = sample.read(context)
    known, rest = _Rows(), _Rows()
    for one in chain(iter_outgoing(context, is_retry=False), iter_outgoing_long(context, is_retry=False)):
        person, is_whole = one.row.person, one.row.fields == EMAIL_ALONE
        (known if is_whole or person in sample.new or person in sample.on_list else rest).add(one)
    changed = known.updates - known.updates_by_address_alone
    updates = round(sample.rest_on_list * changed / max(1, len(sample.on_list)))
    context.counts["added"] += known.new + rest.new
    context.counts["updated"] += known.updates + updates
    context.counts["unchanged"] += rest.updates - updates
    plan.is_estimate = bool(rest.new or sample.rest_on_list)
    plan.bytes = known.bytes + round((rest.new + updates) * known.mean_bytes)
    rows = known.new + known.updates + rest.new + updates
    plan.imports = max(ceil(plan.bytes / MOST_BYTES), ceil(rows / MOST_ROWS)) + bool(known.long or rest.long)
    return seconds_each


@dataclass(slots=True)
class _Sample:
    """Some who would be new and some who are on the list, by person: at random, since that is a keyed hash.

    `rest_on_list` are the others on the list: whether they have changed is not known.
    """

    new: dict[bytes, Staged] = field(default_factory=dict)
    on_list: dict[bytes, Staged] = field(default_factory=dict)
    rest_on_list: int = 0

    @classmethod
    def of(cls, context: Context) -> "_Sample":
        sample = cls()
        for one, decision in iter_decisions(context, is_retry=False):
            if decision.is_email_only:
                continue
            if decision.act is Act.ADD and len(sample.new) < SAMPLE:
                sample.new[one.person] = one
            elif decision.act in (Act.UPDATE, Act.UNCHANGED):
                if len(sample.on_list) < SAMPLE:
                    sample.on_list[one.person] = one
                else:
                    sample.rest_on_list += 1
        return sample

    def read(self, context: Context) -> float:
        """Read them one by one; return the seconds that each took."""
        began_at, calls, cut = context.clock.monotonic(), context.kibo.transport.calls, context.counts["cut"]
        Intake(context).take(list(read_singly(context, [*self.new.values(), *self.on_list.values()])), are_whole=True)
        context.counts["cut"] = cut  # they were counted when their rows were taken in
        made, seconds = context.kibo.transport.calls - calls, context.clock.monotonic() - began_at
        return seconds / made if made else 1 / context.config.limits.kibo_requests_per_second


@dataclass(slots=True)
class _Rows:
    """Rows to send, added up."""

    new: int = 0
    updates: int = 0
    bytes: int = 0
    updates_by_address_alone: int = 0
    long: int = 0
    whole: int = 0
    whole_bytes: int = 0

    @property
    def mean_bytes(self) -> float:
        """Of a row with all that is mapped."""
        return self.whole_bytes / max(1, self.whole)

    def add(self, one: Outgoing) -> None:
        size = len(one.encoded) + 1
        self.new += one.row.is_new
        self.updates += not one.row.is_new
        self.bytes += size
        self.long += one.is_long
        if one.row.fields == EMAIL_ALONE:
            self.updates_by_address_alone += not one.row.is_new
        else:
            self.whole += 1
            self.whole_bytes += size
