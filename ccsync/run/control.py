"""Finds out whether the vendor or a single record caused a failed call, by making a call that must work.

Without it a vendor that is down for an hour would use up the attempts of every record, and a handful of bad records
would pass for a vendor that is down and stop everybody behind them.
"""

import logging

from ccsync.errors import CallFailure, RefusedError
from ccsync.run.contact_list import require_list
from ccsync.run.context import Context

log = logging.getLogger(__name__)

OF_RECORDS = frozenset({400, 404, 409, 410, 413, 414, 422})
"""The refusals that may be about one record. Any other (a right or a behaviour that is missing, a wrong host, a plan
that has ended) would meet the next record as well."""


def blame_record_at_kibo(context: Context, error: CallFailure) -> None:
    """Return when Kibo works, so that the record is to blame for `error`; raise what is wrong with Kibo otherwise."""
    _raise_if_everybodys(error)
    context.kibo.get_customers(start=0, size=1)
    log.info("Kibo works; one record does not: %s %s", error.what, error.why)


def blame_record_at_constant_contact(context: Context, error: CallFailure) -> None:
    """The same for Constant Contact: the list's own record must be readable."""
    _raise_if_everybodys(error)
    require_list(context)
    log.info("Constant Contact works; one record does not: %s %s", error.what, error.why)


def _raise_if_everybodys(error: CallFailure) -> None:
    if isinstance(error, RefusedError) and error.status not in OF_RECORDS:
        raise error
