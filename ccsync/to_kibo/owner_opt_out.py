"""Has an account's owner opted out again since ccsync did? Kibo's audit log tells, where the application may read it.

A yes and a no between two looks leave the account just as ccsync had set it.
"""

import logging

from ccsync.errors import CcsyncError, Interrupted
from ccsync.from_kibo.audit_evidence import REFUSED, SLACK
from ccsync.models import Customer
from ccsync.run import quirks
from ccsync.run.context import Context
from ccsync.state.kibo_writes import KiboWrite

log = logging.getLogger(__name__)


def has_opted_out_again(context: Context, account: Customer, write: KiboWrite | None) -> bool:
    """Is the no that the account shows its owner's own, though ccsync had `write` a no before?

    Asked with one call, and only where the account was changed since. Where Kibo does not tell, it counts as ccsync's.
    """
    if write is None or write.updated_at is None or account.updated_at is None:
        return False
    # Where the answer was lost, ccsync's write may not have been done, and the no that was seen since be the owner's.
    own = min(write.updated_at, write.set_out_at + SLACK)
    if account.updated_at <= own or quirks.recall(context, quirks.AUDIT_LOG) == REFUSED:
        return False
    try:
        page = context.kibo.get_audit_log(account.account_id)
    except Interrupted:
        raise
    except CcsyncError as error:
        log.info("the audit log does not tell whose no it is: %s %s", error.what, error.why)
        return False
    # A yes after ccsync's no was followed by another no. A store may log only some changes: a no so long after
    # ccsync's own is no entry about that.
    return page is not None and any(one.at > own and (one.became or one.at > own + SLACK) for one in page.entries)
