"""The sentences of a poll's message: what it only lists, and whose act it was that people left the list."""

from ccsync.consent.write_back import OWN_ACT
from ccsync.run.context import Context
from ccsync.state.outbox.write_backs import RESUBSCRIBED
from ccsync.state.suppressions import DEPARTED, UNSUBSCRIBED
from ccsync.to_kibo.acceptance import Writing

_REMARKS = {
    "resubscribed_by_others": "{} people are subscribed again at Constant Contact, not by their own act as far as it"
    " shows; they stay opted out.",
    "resubscribed_not_told": "{} people came back to Constant Contact by their own act; the store is not told"
    " ([sync] resubscribes = false).",
    "left_alone": "{} people came back to Constant Contact whose opt-out in the store was their own; it stays.",
    "back_on_list": "{} people who had left the list are on it again; they stay opted out until they opt in in the"
    " store.",
    "opted_out": "{} customers turned out to have opted out in the store.",
}
"""What is only listed, by its count."""


def remark(context: Context, writing: Writing) -> None:
    """Account for everybody, and say what was only listed."""
    counts = context.counts
    counts["read"] = sum(
        counts[key] for key in (UNSUBSCRIBED, DEPARTED, RESUBSCRIBED, "unchanged", "not_a_customer", "failed")
    )
    context.remarks += [text.format(f"{counts[key]:,}") for key, text in _REMARKS.items() if counts[key]]
    by = writing.writer.departed_by
    if by:
        context.remarks.append(
            f"Of those who left the list {by[OWN_ACT]:,} did so by their own act; of {by['']:,} Constant Contact does"
            " not show whose act it was."
        )
