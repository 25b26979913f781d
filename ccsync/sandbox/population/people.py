"""The seeded people: who is a customer, with what data, and whom Constant Contact knew before.

Everything about a person follows from (seed, index), so a million people need no memory: rows are made on demand.
All addresses are at example.com or example.org.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ccsync.sandbox.population.hostile import HOSTILE_KINDS, hostile_address

FIRST_ID = 1_001
FIRST_DAY = datetime(2019, 1, 7, 8, 0, tzinfo=UTC)
LAST_DAY = datetime(2026, 6, 30, tzinfo=UTC)
"""No account of the population was created or changed later; later dates are changes since the start."""

FIRST_NAMES = (
    "Ada", "Ben", "Carla", "Dmitri", "Elif", "Farid", "Grete", "Hugo", "Ines", "Jonas", "Kaya", "Lena", "Mara",
    "Nils", "Olga", "Paul", "Quinn", "Rosa", "Samir", "Tove", "Uma", "Vera", "Wim", "Xenia", "Yara", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Brandt", "Cruz", "Dahl", "Evans", "Fuchs", "Garcia", "Holm", "Ivanova", "Jung", "Klein", "Lopez",
    "Moreau", "Novak", "Okafor", "Petit", "Quist", "Rossi", "Silva", "Tanaka", "Ueda", "Vogel", "Weiss", "Young",
    "O'Brien", "Smith-Jones",
)  # fmt: skip
CITIES = (("Austin", "TX", "78701"), ("Portland", "OR", "97201"), ("Boston", "MA", "02108"), ("Reno", "NV", "89501"))

ODD_KINDS = (
    "several", "sibling", "sibling_no", "guest", "guest_without_address", "no_at", "double_dot", "inner_blank",
    "trailing_dot", "empty_address", "sixty", "ninety", "long_name", "cyrillic", "han", "arabic", "emoji", "b2b",
)  # fmt: skip
"""One of each is among the first accounts of every population; after that, three in a hundred are odd."""
_HOSTILE = frozenset(HOSTILE_KINDS)
_NO_ADDRESS = {"guest_without_address", "empty_address"}
_NATIVE_NAMES = {
    "cyrillic": ("Анна", "Кузнецова"),
    "han": ("小明", "王"),
    "arabic": ("ليلى", "حداد"),
    "emoji": ("Mia 🎉", "Sun ☀️"),
}


@dataclass(frozen=True, slots=True)
class SeedContact:
    """A contact that Constant Contact had before; `lists` are names."""

    address: str
    first_name: str
    last_name: str
    permission_to_send: str
    opt_in_source: str
    opt_in_at: datetime
    opt_out_source: str | None
    opt_out_at: datetime | None
    create_source: str
    created_at: datetime
    updated_at: datetime
    deleted_at: date | None
    lists: tuple[str, ...]
    custom_fields: Mapping[str, str] = field(default_factory=dict)


class Population:
    """`size` customers of seed `seed`, by index from 0; account ids count from 1001 in order of creation.

    A `hostile` population has other people in some places; the rest are who they would be without them.
    """

    def __init__(self, size: int, seed: int, opted_in_percent: int = 60, hostile: bool = False) -> None:
        self.size = size
        self._hostile = hostile
        self._opted_in_percent = opted_in_percent
        self._seed = seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        span = (LAST_DAY - FIRST_DAY - timedelta(days=40)).total_seconds()
        self._seconds_apart = span / max(size, 1)

    def number(self, index: int, salt: int = 0) -> int:
        """A well-mixed number that belongs to this person (splitmix64)."""
        value = (self._seed + index * 0xBF58476D1CE4E5B9 + salt * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return value ^ (value >> 31)

    def kind(self, index: int) -> str:
        """What is odd about this person, or "ordinary"."""
        if index < 2 * len(ODD_KINDS):
            return ODD_KINDS[index // 2] if index % 2 else "ordinary"
        if self._hostile and (hostile := self._hostile_kind(index)):
            return hostile
        number = self.number(index)
        return ODD_KINDS[number // 100 % len(ODD_KINDS)] if number % 100 < 3 else "ordinary"

    def _hostile_kind(self, index: int) -> str:
        place, number = index - 2 * len(ODD_KINDS), self.number(index, 8)
        if place < len(HOSTILE_KINDS):
            return HOSTILE_KINDS[place]
        return HOSTILE_KINDS[number // 100 % len(HOSTILE_KINDS)] if number % 100 < 4 else ""

    def accepts_marketing(self, index: int) -> bool:
        """Six in ten opt in, unless the settings say otherwise. Odd ones nearly always do: so their oddity matters.

        Hostile ones always do: there may be no other of their kind.
        """
        kind = self.kind(index)
        if kind in _HOSTILE:
            return True
        if kind == "sibling_no":
            return False
        return self.number(index, 1) % 100 < (self._opted_in_percent if kind == "ordinary" else 90)

    def is_guest(self, index: int) -> bool:
        """Whether the account is anonymous: made by an order without registration."""
        return self.kind(index) in ("guest", "guest_without_address")

    def created_at(self, index: int) -> datetime:
        """Later ids were created later."""
        return FIRST_DAY + timedelta(seconds=round(index * self._seconds_apart, 3))

    def address(self, index: int) -> str | None:
        """The account's address as it was typed."""
        kind = self.kind(index)
        plain = self._plain_address(index)
        local, _, domain = plain.partition("@")
        if kind in _HOSTILE:
            return hostile_address(kind, plain, index)
        if kind in ("sibling", "sibling_no"):
            return self._plain_address(index - 1).upper()
        made = {
            "no_at": local + ".example.com",
            "double_dot": f"{local}..x@{domain}",
            "inner_blank": f"{local} x@{domain}",
            "trailing_dot": plain + ".",
            "sixty": (local + "x" * 60)[: 60 - len("@example.com")] + "@example.com",
            "ninety": (local + "x" * 60)[:60] + "@" + "y" * 17 + ".example.com",
        }
        if kind in _NO_ADDRESS:
            return None if kind == "guest_without_address" else ""
        return made.get(kind, plain)

    def likely_indexes(self, address: str) -> Iterator[int]:
        """Who may have this address: it holds the index of its person, or of a sibling's elder."""
        for digits in re.findall(r"[0-9]{1,12}", address):
            yield from (index for index in (int(digits), int(digits) + 1) if index < self.size)

    def _plain_address(self, index: int) -> str:
        first, last = self._names(index)
        plain = f"{first}.{last}".lower().replace("'", "").replace("-", "")
        return f"{plain}{index}@example.{'com' if self.number(index, 2) % 3 else 'org'}"

    def _names(self, index: int) -> tuple[str, str]:
        return (
            FIRST_NAMES[self.number(index, 3) % len(FIRST_NAMES)],
            LAST_NAMES[self.number(index, 4) % len(LAST_NAMES)],
        )

    def names(self, index: int) -> tuple[str, str]:
        """First and last name as the account has them; a hostile one's are put in with the rest of it."""
        kind = self.kind(index)
        if kind == "long_name":
            return "Maximiliane " * 25, "von und zu " * 27
        first, last = _NATIVE_NAMES.get(kind, self._names(index))
        return first, last

    # Constant Contact

    def iter_contacts(self) -> Iterator[SeedContact]:
        """Contacts of other sources: some customers under another name, some who unsubscribed, some strangers."""
        for index in range(self.size):
            if (self.number(index, 5) % 25 == 0 or index in (4, 10)) and self.kind(index) == "ordinary":
                yield self._contact_of(index)
        for number in range(3 + self.size // 100):
            yield _stranger(number, "explicit", None)
        yield _stranger(900_001, "unsubscribed", "Contact")
        yield _stranger(900_002, "temp_hold", None)
        yield _stranger(900_003, "implicit", None, deleted_at=date(2024, 7, 8))

    def _contact_of(self, index: int) -> SeedContact:
        number = self.number(index, 6)
        has_left = number % 3 == 0 or index == 4
        source = "Contact" if number % 2 else "Account"
        joined = FIRST_DAY + timedelta(days=number % 900)
        return SeedContact(
            address=self._plain_address(index),
            first_name="Known",
            last_name=f"Before{index}",
            permission_to_send="unsubscribed" if has_left else "implicit",
            opt_in_source="Account",
            opt_in_at=joined,
            opt_out_source=source if has_left else None,
            opt_out_at=joined + timedelta(days=200) if has_left else None,
            create_source="Account",
            created_at=joined,
            updated_at=joined,
            deleted_at=None,
            lists=() if has_left else ("Newsletter",),
        )


def former_contacts(number: int) -> Iterator[SeedContact]:
    """This many people who were never in the store and unsubscribed years ago."""
    return (_stranger(1_000_000 + one, "unsubscribed", "Contact") for one in range(number))


def _stranger(number: int, permission: str, opt_out_source: str | None, deleted_at: date | None = None) -> SeedContact:
    joined = FIRST_DAY + timedelta(days=number % 1_000)
    is_active = permission == "explicit"
    return SeedContact(
        address=f"reader{number}@example.org",
        first_name="Reader",
        last_name=str(number),
        permission_to_send=permission,
        opt_in_source="Contact",
        opt_in_at=joined,
        opt_out_source=opt_out_source,
        opt_out_at=joined + timedelta(days=90) if opt_out_source else None,
        create_source="Contact",
        created_at=joined,
        updated_at=joined,
        deleted_at=deleted_at,
        lists=("Newsletter",) if is_active else (),
    )
