"""What a poll would write to the store: the dry run."""

from collections import Counter
from dataclasses import dataclass, field

from ccsync.run.context import Context
from ccsync.to_kibo.acceptance import Writing


@dataclass(slots=True)
class Plan:
    """What a real run would do."""

    by_kind: Counter[str] = field(default_factory=Counter)
    """Number of people for whom an account would be written, those included whom the safety limit holds back."""
    accounts: int = 0
    """Written by the next run: of those whom the limit lets through."""
    held: int = 0
    calls: int = 0
    kibo_calls: int = 0


def plan(context: Context, writing: Writing) -> Plan | None:
    """In a dry run, work out what would be written."""
    if not context.is_dry_run:
        return None
    writer = writing.writer
    found = Plan(writer.planned.copy(), writer.planned_accounts)
    for row in writer.wanted():
        found.by_kind[row.kind] += 1
        found.held += 1
    found.calls = context.constant_contact.transport.calls
    found.kibo_calls = context.kibo.transport.calls + 2 * found.accounts
    return found
