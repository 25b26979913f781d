"""Gathers the customers an export is about: all who opted in, one address, or those set aside before."""

from collections.abc import Sequence
from datetime import datetime

from ccsync.errors import ConfigError
from ccsync.jobs.intake import Intake, parts_to_read_singly, read_singly
from ccsync.jobs.reading import Sweep, iter_changed_since
from ccsync.jobs.work import Work
from ccsync.mapping import check_address, needed_parts, person_key_text
from ccsync.models import Customer
from ccsync.state import set_aside, staging

MOST_SWEEPS = 3


def gather_everybody(work: Work, started_at: datetime) -> int:
    """Take in every customer who opts in; return how many Kibo counts and did not show (0: all is well).

    `started_at` is Kibo's clock at the start of the run.
    """
    intake = Intake(work)
    lacking: frozenset[str] | None = None if needed_parts(work.config.mapping) else frozenset()
    missing = 0
    for _ in range(MOST_SWEEPS):
        sweep = Sweep(work.kibo)
        for page in sweep:
            if lacking is None and page.customers:
                lacking = parts_to_read_singly(work, page.customers)
            _take(work, intake, page.customers, bool(lacking))
            work.counts["unreadable"] += page.unreadable
            have = staging.have_read(work.store)
            work.show("customers", min(have, page.total), page.total)
        is_caught_up = _catch_up(work, intake, started_at, bool(lacking))
        missing = sweep.total - staging.have_read(work.store) - work.counts["unreadable"]
        if missing <= 0 and (is_caught_up or not sweep.has_moved_right):
            return 0
        work.counts["unreadable"] = 0
    return max(missing, 0)


def _take(work: Work, intake: Intake, customers: Sequence[Customer], singly: bool) -> None:
    intake.take(read_singly(work.kibo, customers) if singly else customers)


def _catch_up(work: Work, intake: Intake, started_at: datetime, singly: bool) -> bool:
    """Take in who changed while we read: opt-ins that came in behind us, opt-outs that were read before."""
    pages = iter_changed_since(work.kibo, started_at)
    if pages is None:
        return False
    for page in pages:
        _take(work, intake, page, singly)
    return True


def gather_address(work: Work, address: str) -> None:
    """Take in the accounts with this address, in any case of letters. Raises `ConfigError` for an unusable one."""
    rejection = check_address(address)
    if rejection is not None:
        raise ConfigError("The address given to --only is not usable.", rejection.reason, "Check its spelling.")
    wanted = person_key_text(address)
    page = work.kibo.get_customers(start=0, filter=f"emailAddress eq {address.strip()}")
    found = [one for one in page.customers if one.email and person_key_text(one.email) == wanted]
    whole = read_singly(work.kibo, found)
    Intake(work).take(whole)
    if not whole:
        work.remarks.append("Kibo has no customer with this address.")
    elif not any(one.accepts_marketing for one in whole):
        work.remarks.append("The customer does not opt in (acceptsMarketing is not true); nobody is added.")


def gather_set_aside(work: Work) -> None:
    """Take in the records that were rejected before, as they are now."""
    intake = Intake(work)
    account_ids = set_aside.account_ids(work.store)
    for number, account_id in enumerate(account_ids, start=1):
        customer = work.kibo.get_customer(account_id)
        if customer is None or customer.accepts_marketing is False:
            set_aside.release(work.store, account_id)
        if customer is not None:
            intake.take([customer])
        work.show("rejected customers", number, len(account_ids))
    if not account_ids:
        work.remarks.append("No record is set aside; there is nothing to retry.")
