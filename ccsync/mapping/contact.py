"""A customer becomes a contact: one row of a Constant Contact import, with what had to be cut or left out.

Whether the person may be mailed at all is decided elsewhere; nothing here looks at consent.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

from ccsync.errors import ConfigError
from ccsync.mapping.addresses import Rejection, check_address
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.fields import (
    Account,
    attributes_by_name,
    chosen_contact,
    reader_of,
    source_of,
)
from ccsync.mapping.targets import (
    Note,
    Row,
    Step,
    address_step,
    anniversary_step,
    birthday_step,
    phones_step,
    target_of,
    text_step,
)
from ccsync.models import Customer, JsonObject


@dataclass(frozen=True, slots=True)
class MappedContact:
    """A contact as an import takes it: `row` exactly as sent, "email" first, nothing empty in it."""

    email: str
    row: Mapping[str, str | int]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A mapping, worked out once for all customers."""

    steps: tuple[Step, ...]
    reads_contacts: bool
    reads_attributes: bool

    def account(self, raw: JsonObject) -> Account:
        return Account(
            raw,
            chosen_contact(raw) if self.reads_contacts else {},
            attributes_by_name(raw) if self.reads_attributes else {},
        )


def to_contact(customer: Customer, mapping: Mapping[str, str]) -> MappedContact | Rejection:
    """Map a customer, or say why none of it can be sent.

    Each field is read where the mapping says and nowhere else: a guest whose account has no firstName is sent
    without a first name, though the chosen contact may hold one. Kibo documents no such fallback, and the
    contact may be the receiver of a gift: no name is better than another person's.

    Raises `ConfigError` when the mapping is wrong; `mapping_problems` tells beforehand.
    """
    if rejection := check_address(customer.email):
        return rejection
    email = (customer.email or "").strip()
    row: Row = {"email": email}
    notes: list[Note] = []
    _fill(row, notes, customer.raw, mapping)
    return MappedContact(email, row, tuple(notes))


def needed_sections(mapping: Mapping[str, str]) -> frozenset[str]:
    """Return which of contacts, attributes, segments, commerceSummary the mapped fields are read from."""
    sources = map(source_of, mapping.values())
    return frozenset(source.section for source in sources if source and source.section)


def missing_sections(row: Customer, single: Customer, mapping: Mapping[str, str]) -> frozenset[str]:
    """Return the needed sections that a single read of an account has and its row in a list lacks.

    A section is lacking when it is absent (or null), holds fewer items in contacts or segments, or yields fewer
    mapped values. An account that has nothing in a section on either side proves nothing: compare a full one.
    """
    return frozenset(section for section in needed_sections(mapping) if _lacks(section, row.raw, single.raw, mapping))


def filled_sections(customer: Customer, mapping: Mapping[str, str]) -> frozenset[str]:
    """Return the needed sections from which this account gives at least one mapped value."""
    return frozenset(section for section in needed_sections(mapping) if _values_of(section, customer.raw, mapping))


def _lacks(section: str, row: JsonObject, single: JsonObject, mapping: Mapping[str, str]) -> bool:
    in_row, in_single = row.get(section), single.get(section)
    if in_single is None:
        return False
    if in_row is None:
        return True
    if section in {"contacts", "segments"} and _size(in_row) < _size(in_single):
        return True
    return bool(_values_of(section, single, mapping) - _values_of(section, row, mapping))


def _values_of(section: str, raw: JsonObject, mapping: Mapping[str, str]) -> Set[str]:
    """The properties of an import row that this account fills from this section."""
    of_section = {key: name for key, name in mapping.items() if (s := source_of(name)) and s.section == section}
    row: Row = {}
    _fill(row, [], raw, of_section)
    return row.keys()


def _size(items: object) -> int:
    return len(items) if isinstance(items, list) else 0


_encode: Callable[[object], str] = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fingerprint(row: Mapping[str, str | int]) -> bytes:
    """Return 16 bytes, equal for equal rows whatever their order, and the same in every version of Python."""
    return hashlib.blake2b(_encode(dict(row)).encode("ascii"), digest_size=16).digest()


def _fill(row: Row, notes: list[Note], raw: JsonObject, mapping: Mapping[str, str]) -> None:
    plan = _plan(tuple(mapping.items()))
    account = plan.account(raw)
    for step in plan.steps:
        step(account, row, notes)


@lru_cache(maxsize=32)
def _plan(items: tuple[tuple[str, str], ...]) -> _Plan:
    mapping = dict(items)
    if problems := mapping_problems(mapping, None):
        raise ConfigError(
            "The field mapping is wrong.", problems[0], "Correct [mapping] in the config file.", tuple(problems)
        )
    parts = needed_sections(mapping)
    steps = tuple(_step(key, name) for key, name in items)
    return _Plan(steps, "contacts" in parts, "attributes" in parts)


def _step(key: str, name: str) -> Step:
    if key == "phones":
        return phones_step
    if key == "address":
        return address_step
    read = reader_of(name)
    if key == "birthday":
        return birthday_step(read)
    if key == "anniversary":
        return anniversary_step(read)
    target = target_of(key)
    return text_step(key, target.limit if target else 0, read)
