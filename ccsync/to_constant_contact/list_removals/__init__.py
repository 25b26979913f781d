"""Takes people off the list who opted out in the store, or whose account is gone.

What is to be done is a task (`state.outbox.removals`) from the decision until Constant Contact has done it. A contact
that cannot be removed does not hold up the others: it is retried by the common policy.
"""

from ccsync.to_constant_contact.list_removals.removing import Removals, is_unsubscribed, over_the_limit, plan

__all__ = ["Removals", "is_unsubscribed", "over_the_limit", "plan"]
