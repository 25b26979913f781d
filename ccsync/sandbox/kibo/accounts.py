"""Kibo's customer accounts: made from the population on demand; changed ones are kept, in order."""

import pickle
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ccsync.sandbox.population.hostile import HOSTILE_KINDS, make_hostile
from ccsync.sandbox.population.people import CITIES, FIRST_ID, Population
from ccsync.sandbox.wire import Clock

Account = dict[str, object]


def fields_of_an_account() -> frozenset[str]:
    """Every property that an account has."""
    return frozenset(_blank(0, ""))


def iso(at: datetime) -> str:
    """A time as Kibo writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Accounts:
    """The store's accounts, by id. Ids are in order of creation, so that sorting by createDate is sorting by id."""

    def __init__(self, population: Population, clock: Clock) -> None:
        self._population = population
        self._clock = clock
        self._changed: dict[int, Account] = {}
        self._deleted: set[int] = set()
        self._next_id = FIRST_ID + population.size
        accepts = population.accepts_marketing
        self._opted_in = array("q", (FIRST_ID + i for i in range(population.size) if accepts(i)))
        self.version = 0
        """Counts the changes. What was found at one version holds until the next."""

    def ids(self) -> Sequence[int]:
        """Every account, oldest first."""
        if not self._deleted:
            return range(FIRST_ID, self._next_id)
        return [one for one in range(FIRST_ID, self._next_id) if one not in self._deleted]

    def opted_in(self) -> Sequence[int]:
        """The accounts with acceptsMarketing true, oldest first; kept up to date."""
        return self._opted_in

    def changed_ids(self) -> list[int]:
        """The accounts that were created or changed since the sandbox started."""
        return sorted(self._changed)

    def has(self, account_id: int) -> bool:
        """Whether the account exists."""
        return FIRST_ID <= account_id < self._next_id and account_id not in self._deleted

    def accepts_marketing(self, account_id: int) -> bool:
        """Does the account accept marketing?"""
        place = bisect_left(self._opted_in, account_id)
        return place < len(self._opted_in) and self._opted_in[place] == account_id

    def created_at(self, account_id: int) -> datetime:
        """When the account was created, as precisely as it is shown."""
        if account_id in self._changed:
            audit = self._changed[account_id]["auditInfo"]
            return datetime.fromisoformat(str(audit["createDate"] if isinstance(audit, dict) else audit))
        made = self._population.created_at(account_id - FIRST_ID)
        return made.replace(microsecond=made.microsecond // 1000 * 1000)

    def is_guest(self, account_id: int) -> bool:
        """Is the account anonymous?"""
        if account_id in self._changed:
            return self._changed[account_id]["isAnonymous"] is True
        return self._population.is_guest(account_id - FIRST_ID)

    def address(self, account_id: int) -> str | None:
        """The account's address, without making the whole account."""
        if account_id in self._changed:
            value = self._changed[account_id]["emailAddress"]
            return value if isinstance(value, str) else None
        return self._population.address(account_id - FIRST_ID)

    def get(self, account_id: int) -> Account:
        """A copy of one whole account. Raises `KeyError` if there is none."""
        if not self.has(account_id):
            raise KeyError(account_id)
        changed = self._changed.get(account_id)
        return _copy(changed) if changed is not None else self._made(account_id)

    def find_by_email(self, address: str) -> list[int]:
        """The accounts with this address, in any case of letters."""
        wanted = address.strip().lower()
        candidates: Iterable[int] = self.ids()
        if wanted:
            made = (FIRST_ID + index for index in self._population.likely_indexes(wanted))
            candidates = sorted(self._changed.keys() | {one for one in made if self.has(one)})
        return [one for one in candidates if (self.address(one) or "").lower() == wanted]

    def add(self, fields: Account) -> int:
        """Add an account; what `fields` leaves out has an ordinary default."""
        account_id, self._next_id = self._next_id, self._next_id + 1
        now = iso(self._clock())
        account = _blank(account_id, now) | fields | {"id": account_id}
        self._put(account_id, account)
        return account_id

    def update(self, account_id: int, fields: Account) -> Account:
        """Change an account, and move its update date."""
        account = self.get(account_id) | fields
        audit = account["auditInfo"]
        account["auditInfo"] = (audit if isinstance(audit, dict) else {}) | {"updateDate": iso(self._clock())}
        self._put(account_id, account)
        return _copy(account)

    def delete(self, account_id: int) -> None:
        """Delete the account."""
        if not self.has(account_id):
            raise KeyError(account_id)
        self.version += 1
        self._deleted.add(account_id)
        self._changed.pop(account_id, None)
        self._keep_order(account_id, False)

    def _put(self, account_id: int, account: Account) -> None:
        self.version += 1
        self._changed[account_id] = account
        self._keep_order(account_id, account["acceptsMarketing"] is True)

    def _keep_order(self, account_id: int, opts_in: bool) -> None:
        place, is_there = bisect_left(self._opted_in, account_id), self.accepts_marketing(account_id)
        if opts_in and not is_there:
            insort(self._opted_in, account_id)
        elif is_there and not opts_in:
            del self._opted_in[place]

    def _made(self, account_id: int) -> Account:
        people, index = self._population, account_id - FIRST_ID
        kind, number = people.kind(index), people.number(index, 7)
        first, last = people.names(index)
        created, address, is_guest = people.created_at(index), people.address(index), people.is_guest(index)
        account = _blank(account_id, iso(created)) | {
            "emailAddress": address,
            "userName": None if is_guest else address,
            "firstName": first,
            "lastName": last,
            "companyOrOrganization": f"Works {index % 97} Ltd" if number % 4 == 0 else None,
            "acceptsMarketing": people.accepts_marketing(index),
            "isAnonymous": is_guest,
            "accountType": "B2B" if kind == "b2b" else "B2C",
            "customerSinceDate": iso(created),
            "contacts": list(_contacts(account_id, kind, number, first, last, address)),
        }
        account["attributes"] = [
            _attribute("tenant~loyalty-tier", 11, ["gold", "silver", "bronze"][number % 3]),
            _attribute("tenant~birthday", 12, f"19{60 + number % 40}-{1 + number % 12:02d}-{1 + number % 28:02d}"),
        ]
        account["segments"] = [{"id": 5, "code": "VIP", "name": "VIP", "description": ""}] if number % 9 == 0 else []
        orders = number % 7
        account["commerceSummary"] = {
            "totalOrderAmount": {"currencyCode": "USD", "amount": orders * 19.5},
            "orderCount": orders,
            "lastOrderDate": iso(created + timedelta(days=9)) if orders else None,
            "wishlistCount": 0,
            "visitsCount": number % 30,
        }
        account["auditInfo"] = _audit(iso(created), iso(created + timedelta(days=number % 30)))
        if kind in HOSTILE_KINDS:
            make_hostile(account, kind, index)
        return account


def _blank(account_id: int, created: str) -> Account:
    return {
        "id": account_id,
        "customerSet": "Default",
        "accountType": "B2C",
        "emailAddress": None,
        "userName": None,
        "firstName": None,
        "lastName": None,
        "companyOrOrganization": None,
        "localeCode": "en-US",
        "userId": f"{account_id:032x}",
        "externalId": None,
        "acceptsMarketing": False,
        "isActive": True,
        "isAnonymous": False,
        "isLocked": False,
        "hasExternalPassword": False,
        "taxExempt": False,
        "taxId": None,
        "migrationRequired": False,
        "customerSinceDate": created,
        "commerceSummary": {
            "totalOrderAmount": {"currencyCode": "USD", "amount": 0.0},
            "orderCount": 0,
            "lastOrderDate": None,
            "wishlistCount": 0,
            "visitsCount": 0,
        },
        "contacts": [],
        "attributes": [],
        "segments": [],
        "notes": [],
        "auditInfo": _audit(created, created),
    }


def _audit(created: str, updated: str) -> Account:
    return {"createDate": created, "updateDate": updated, "createBy": "shopper", "updateBy": "shopper"}


def _attribute(name: str, definition: int, value: str) -> Account:
    return {"fullyQualifiedName": name, "attributeDefinitionId": definition, "values": [value]}


def _contacts(account_id: int, kind: str, number: int, first: str, last: str, address: str | None) -> Iterator[Account]:
    """No contact for one in six, one for most, several for some, with primary Billing and Shipping."""
    if kind == "ordinary" and number % 6 == 0:
        return
    for place in range(3 if kind == "several" else 1):
        city, state, code = CITIES[(number + place) % len(CITIES)]
        types = [{"name": "Billing", "isPrimary": place == 1 or kind != "several"}]
        if place != 1:
            types.append({"name": "Shipping", "isPrimary": place == 0})
        yield {
            "id": account_id * 10 + place,
            "accountId": account_id,
            "email": address,
            "firstName": first,
            "middleNameOrInitial": None,
            "lastNameOrSurname": last,
            "companyOrOrganization": None,
            "label": None,
            "faxNumber": None,
            "phoneNumbers": {
                "home": f"512-555-{(number + place) % 10_000:04d}",
                "mobile": f"512-555-{(number + 17) % 10_000:04d}" if number % 2 else None,
                "work": None,
            },
            "address": {
                "address1": f"{1 + number % 900} Main St",
                "address2": "Apt 4" if number % 5 == 0 else None,
                "address3": None,
                "address4": None,
                "cityOrTown": city,
                "stateOrProvince": state,
                "postalOrZipCode": code,
                "countryCode": "US",
                "addressType": "Residential",
                "isValidated": False,
            },
            "types": types,
        }


def _copy(account: Account) -> Account:
    """An account that shares nothing with this one; `deepcopy` takes eight times as long."""
    copied: Account = pickle.loads(pickle.dumps(account))  # noqa: S301 - our own
    return copied
