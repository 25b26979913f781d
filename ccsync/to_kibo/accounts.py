"""Finds every Kibo account with a person's address, in any case of letters: one by one or by a sweep."""

import logging
from collections.abc import Iterator, Sequence

from ccsync.errors import CcsyncError, RefusedError, SafetyLimitError, VendorUnreachable
from ccsync.from_kibo.pages import Sweep, count_by_group
from ccsync.kibo.customers import address_filter
from ccsync.kibo.events import PAGE_SIZE
from ccsync.models import Customer
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import accounts as known
from ccsync.state import ledger
from ccsync.state.views import swept

log = logging.getLogger(__name__)

MOST_PAGES = 50
"""No person has ten thousand accounts: a listing that long did not apply the filter."""


class Finder:
    """Finds accounts for one run; what it learned of Kibo's ways holds until its end."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._groups: tuple[bool | None, ...] = ()
        self._total = self._waiting = 0
        self._has_swept = False

    def begin(self, waiting: int) -> None:
        """Announce how many people will be looked up, in parts: one sweep serves all if that is cheaper."""
        self._waiting, self._has_swept = waiting, False

    def find(self, wanted: Sequence[bytes]) -> Iterator[tuple[bytes, list[Customer] | CcsyncError]]:
        """Each of these people with their accounts (less what only mapping reads), or with why Kibo did not tell.

        Raises `SafetyLimitError` when the store is suddenly empty: then nobody would be found, wrongly.
        """
        if not wanted:
            return
        self._learn_ways()
        if not self._has_swept and max(len(wanted), self._waiting) * len(self._groups) > self._pages_of_store():
            self._sweep()
        if self._has_swept:
            yield from ((one, self._with_known(one, self._swept(one))) for one in wanted)
            return
        for number, one in enumerate(self._context.kibo.searches_ahead(wanted, self._searches), start=1):
            try:
                accounts = self._with_known(one, self._search(one))
            except (RefusedError, VendorUnreachable) as error:
                control.blame_record_at_kibo(self._context, error)
                yield one, error
            else:
                yield one, accounts
            self._context.show("customers", number, len(wanted))

    def _learn_ways(self) -> None:
        """How many accounts there are, and whether a listing hides guests; that is not documented, the totals tell."""
        if self._groups:
            return
        everybody, named, guests = count_by_group(self._context.kibo)
        if everybody + guests == 0 and known.count(self._context.store):
            raise SafetyLimitError(
                "Kibo shows no customers, and there were some before; nothing was written.",
                "this looks like a mistake (the wrong tenant, a changed application).",
                "Check [kibo] tenant_id and the app in Kibo's Dev Center, then run again.",
            )
        self._groups = (None,) if everybody == named + guests else (None, True)
        self._total = max(everybody, named + guests)

    def _pages_of_store(self) -> int:
        return self._total // (PAGE_SIZE - 1) + 1

    def _sweep(self) -> None:
        swept.begin(self._context.store)
        for is_anonymous in self._groups:
            seen = 0
            for page in Sweep(self._context, is_anonymous, filter=None):
                seen += len(page.customers)
                owned = [(person, one) for one in page.customers if (person := self._context.whose(one)) is not None]
                swept.note(self._context.store, owned)
                self._context.show("customers", min(seen, page.total), page.total)
        self._has_swept = True

    def _swept(self, person: bytes) -> dict[int, Customer]:
        return {one.account_id: one for one in swept.of_person(self._context.store, person)}

    def _search(self, person: bytes) -> dict[int, Customer]:
        """Ask Kibo for the address as each vendor has spelled it, and in lower case.

        Whether its filter minds the case of letters is not documented; what it shows is compared here.
        """
        found: dict[int, Customer] = {}
        for text, is_anonymous in self._searches(person):
            for customer in self._matches(text, is_anonymous):
                if self._context.whose(customer) == person:
                    found[customer.account_id] = customer
        return found

    def _searches(self, person: bytes) -> list[tuple[str, bool | None]]:
        spellings = ledger.addresses_of(self._context.store, person)
        both = dict.fromkeys([*spellings, *(one.lower() for one in spellings)])
        return [(address_filter(one), guests) for one in both for guests in self._groups]

    def _matches(self, text: str, is_anonymous: bool | None) -> Iterator[Customer]:
        start = 0
        for _ in range(MOST_PAGES):
            page = self._context.kibo.get_customers(start=start, filter=text, is_anonymous=is_anonymous)
            yield from page.customers
            rows = len(page.customers) + page.unreadable
            start += rows
            if rows == 0 or start >= page.total:
                return
        log.warning("Kibo answers the search for one address with too many accounts")

    def _with_known(self, person: bytes, found: dict[int, Customer]) -> list[Customer]:
        """The accounts found, and those that ccsync knows of and the listing did not show."""
        for account_id in known.of_person(self._context.store, person):
            if account_id not in found:
                customer = self._context.kibo.get_customer(account_id)
                if customer is not None and self._context.whose(customer) == person:
                    found[account_id] = customer
        return [found[account_id] for account_id in sorted(found)]
