"""Gathers the customers an export is about: all who opted in, one address, or those set aside before."""

from collections.abc import Sequence
from datetime import datetime

from ccsync.errors import ConfigError
from ccsync.jobs.intake import Intake, parts_to_read_singly, read_singly
from ccsync.jobs.reading import FILTER, Sweep, read_changed_since
from ccsync.jobs.work import Work
from ccsync.kibo import Kibo
from ccsync.mapping import check_address, needed_parts, person_key_text
from ccsync.models import Customer
from ccsync.state import erasure, set_aside, staging

MOST_SWEEPS = 3


class _Gathering:
    """One gathering of everybody; what it found out about the vendor's ways holds until its end."""

    def __init__(self, work: Work, started_at: datetime) -> None:
        self._work = work
        self._started_at = started_at
        self._intake = Intake(work)
        self._has_hidden_guests = False
        self._reads_singly: bool | None = None if needed_parts(work.config.mapping) else False

    def run(self) -> int:
        """Sweep until nobody can be missing; return how many Kibo counts and did not show."""
        work = self._work
        groups = listings(work.kibo)
        missing = 0
        for _ in range(MOST_SWEEPS):
            work.counts["unreadable"] = 0
            sweeps = [self._sweep(is_anonymous) for is_anonymous in groups]
            caught_up = [self._catch_up(is_anonymous) for is_anonymous in groups]
            total = sum(sweep.total for sweep in sweeps if sweep is sweeps[0] or self._has_hidden_guests)
            missing = total - staging.have_read(work.store) - work.counts["unreadable"]
            if missing <= 0 and (all(caught_up) or not any(sweep.has_moved_right for sweep in sweeps)):
                return 0
        return max(missing, 0)

    def _sweep(self, is_anonymous: bool | None) -> Sweep:
        work, sweep = self._work, Sweep(self._work.kibo, is_anonymous)
        before = staging.have_read(work.store)
        for page in sweep:
            if self._reads_singly is None and page.customers:
                self._reads_singly = bool(parts_to_read_singly(work, page.customers))
            self._take(page.customers)
            work.counts["unreadable"] += page.unreadable
            work.show("customers", min(staging.have_read(work.store), page.total), page.total)
        if is_anonymous and staging.have_read(work.store) > before:
            self._has_hidden_guests = True
        return sweep

    def _catch_up(self, is_anonymous: bool | None) -> bool:
        """Take in who changed while we read: opt-ins that came in behind us, opt-outs that were read before."""
        changed = read_changed_since(self._work.kibo, self._started_at, is_anonymous)
        for page in changed.pages if changed else ():
            self._take(page)
        return changed is not None

    def _take(self, customers: Sequence[Customer]) -> None:
        self._intake.take(read_singly(self._work.kibo, customers) if self._reads_singly else customers)


def gather_everybody(work: Work, started_at: datetime) -> int:
    """Take in every customer who opts in; return how many Kibo counts and did not show (0: all is well).

    `started_at` is Kibo's clock at the start of the run.
    """
    return _Gathering(work, started_at).run()


def listings(kibo: Kibo) -> tuple[bool | None, ...]:
    """The listings that together show everybody: the usual one, and guests by themselves where it hides them.

    Whether `isAnonymous` left out means both is not documented; the totals tell.
    """
    everybody, named, guests = (
        kibo.get_customers(start=0, size=1, filter=FILTER, is_anonymous=is_anonymous).total
        for is_anonymous in (None, False, True)
    )
    # Totals that do not add up (people come and go meanwhile) are no proof: then guests are read, too.
    return (None,) if everybody == named + guests else (None, True)


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
    elif erasure.forgotten_among(work.store, [work.person_of()(wanted)]):
        work.remarks.append("This person asked to be forgotten and has not opted in again since; nobody is added.")
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
