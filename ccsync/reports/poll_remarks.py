"""The sentences of a poll's message: what it only lists, and whose act it was that people left the list."""

from ccsync.consent.write_back import OWN_ACT
from ccsync.run.context import Context
from ccsync.state.outbox import write_backs
from ccsync.state.outbox.write_backs import RESUBSCRIBED
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED
from ccsync.to_kibo.acceptance import Writing
from ccsync.words import people

_REMARKS = {
    "resubscribed_by_others": "{} subscribed again at Constant Contact, but not visibly by their own act;"
    " they stay opted out.",
    "resubscribed_not_told": "{} re-subscribed at Constant Contact themselves; this is not written to the store"
    " ([sync] resubscribes = false).",
    "left_alone": "{} re-subscribed at Constant Contact but had opted out in the store; they stay opted out.",
    "back_on_list": "{} left the list before and came back to it; they stay opted out until they opt in in the store.",
    "opted_out": "{} had opted out in the store.",
}
"""What is only listed, by its count."""


def remark(context: Context, writing: Writing) -> None:
    """Account for everybody, and say what was only listed."""
    counts = context.counts
    counts["read"] = sum(
        counts[key] for key in (UNSUBSCRIBED, DEPARTED, RESUBSCRIBED, "unchanged", "not_a_customer", "failed")
    )
    context.remarks += [text.format(people(counts[key])) for key, text in _REMARKS.items() if counts[key]]
    if missed := write_backs.count_missed(context.store):
        context.remarks.append(
            f"{people(missed)} will be written to the store once a look at their contacts shows that they did not"
            " subscribe again; each run looks at some of them."
        )
    by = writing.writer.outcomes.departed_by
    if by[OWN_ACT]:
        context.remarks.append(f"{people(by[OWN_ACT])} left the list by their own act.")
    if by[""]:
        context.remarks.append(
            f"{people(by[''])} left the list; Constant Contact does not show whether they did so themselves."
        )
