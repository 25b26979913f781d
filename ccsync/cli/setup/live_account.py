"""What a configuration needs of the live accounts: a list, confirmed addresses, custom fields, a customer to show.

It reads from the accounts and creates what is missing; it does not change settings.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from ccsync.cli.setup import list_names
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import ConfigError, RefusedError
from ccsync.from_kibo.pages import FILTER
from ccsync.kibo.client import Kibo
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.contact import MappedContact, to_contact
from ccsync.mapping.fields import ATTRIBUTE_PREFIX, attributes_by_name
from ccsync.mapping.targets import CUSTOM_FIELD_PREFIX
from ccsync.models import AccountEmail, ContactList, Customer, CustomField
from ccsync.state import Store
from ccsync.words import counted

MOST_LISTS = 1_000
MOST_FIELDS = 100
SAMPLES = 20
"""How many customers to look through for one to show."""
_TEXT_TYPES = frozenset({"string", "text_area", ""})


# lists


def find_list(name: str, lists: Sequence[ContactList]) -> ContactList:
    """The list with exactly this name. Raises `ConfigError` with the nearest names if there is none."""
    found = list_names.named(name.strip(), lists)
    if found is not None:
        return found
    near = list_names.nearest(name, [one.name for one in lists])
    raise ConfigError(
        f'Constant Contact has no list named "{name}"; nothing was changed.',
        f"similar: {_quoted(near)}." if near else f"it has {counted(len(lists), 'list')} with other names.",
        "Correct the name, or add --create-list.",
    )


def check_new_list(name: str, lists: Sequence[ContactList]) -> None:
    """Raise `ConfigError` when no list may be created under this name."""
    if problem := list_names.problem_of(name):
        raise ConfigError("No list can have this name; nothing was changed.", problem, "Choose another name.")
    likes = [one.name for one in lists if one.name.strip().casefold() == name.strip().casefold()]
    if likes:
        raise ConfigError(
            f'The list "{name}" was not created.',
            f"there is {_quoted(likes)} already, which differs only in capital letters.",
            f"Use that one: ccsync configure --list {shlex.quote(likes[0])}",
        )
    if len(lists) >= MOST_LISTS:
        raise RefusedError(
            f'The list "{name}" was not created.',
            f"the account has {len(lists):,} lists, and Constant Contact takes {MOST_LISTS:,}.",
            "Delete a list there, or choose one that exists.",
        )


def create_list(client: ConstantContact, store: Store, name: str) -> ContactList:
    """Create an empty list; the name has been checked."""
    with _refusals("create a contact list", "contacts:lists:write"):
        made = client.create_list(name.strip())
    list_names.add(store, made)
    return made


def read_lists(client: ConstantContact, store: Store, at: datetime) -> tuple[ContactList, ...]:
    """Read every list; they are also saved for suggestions."""
    with _refusals("see the contact lists", "contacts:lists:read"):
        return list_names.refresh(store, client, at).lists


# addresses


def account_emails(client: ConstantContact) -> list[AccountEmail]:
    """The account's own addresses, the confirmed ones first."""
    with _refusals("see the account's addresses", "account:read"):
        return sorted(client.get_account_emails(), key=lambda one: not one.is_confirmed)


def find_confirmed(address: str, key: str, emails: Sequence[AccountEmail]) -> str:
    """The address as the account spells it. Raises `ConfigError` if it is not confirmed for sending."""
    known = next((one for one in emails if one.address.casefold() == address.strip().casefold()), None)
    if known is not None and known.is_confirmed:
        return known.address
    good = sum(one.is_confirmed for one in emails)
    raise ConfigError(
        f"The address given for {key} cannot send; nothing was changed.",
        UNCONFIRMED if known else "it is not an address of the account.",
        f"{CONFIRM} Or choose one of the account's {good} confirmed addresses.",
    )


UNCONFIRMED = "Constant Contact has not confirmed it: it sent a link to that address, which nobody has opened yet."
CONFIRM = "Confirm it in Constant Contact (My Account > Settings > Verified emails)."


# custom fields


def custom_fields(client: ConstantContact) -> list[CustomField]:
    """Every custom field of the account."""
    with _refusals("see the custom fields", "contacts:read"):
        return list(client.iter_custom_fields())


def missing_fields(mapping: Mapping[str, str], fields: Iterable[CustomField]) -> list[str]:
    """The names of mapped custom fields that the account does not have."""
    names = {one.name for one in fields}
    mapped = (key.removeprefix(CUSTOM_FIELD_PREFIX).strip() for key in mapping if key.startswith(CUSTOM_FIELD_PREFIX))
    return [name for name in mapped if name and name not in names]


def with_labels_as_names(mapping: Mapping[str, str], fields: Sequence[CustomField]) -> dict[str, str]:
    """The mapping with labels of custom fields replaced by their names."""
    names = {one.name for one in fields}
    by_label = {one.label.casefold(): one.name for one in fields}
    return {_named(key, names, by_label): source for key, source in mapping.items()}


def _named(key: str, names: set[str], by_label: Mapping[str, str]) -> str:
    name = key.removeprefix(CUSTOM_FIELD_PREFIX).strip()
    if not key.startswith(CUSTOM_FIELD_PREFIX) or name in names:
        return key
    return CUSTOM_FIELD_PREFIX + by_label.get(name.casefold(), name)


def odd_fields(mapping: Mapping[str, str], fields: Iterable[CustomField]) -> list[CustomField]:
    """Mapped custom fields that are not for texts: a value that does not fit may cost its row."""
    return [one for one in fields if CUSTOM_FIELD_PREFIX + one.name in mapping and one.type not in _TEXT_TYPES]


def check_room(names: Sequence[str], fields: Sequence[CustomField]) -> None:
    """Raise `RefusedError` if the account has no room for these custom fields."""
    if names and len(fields) + len(names) > MOST_FIELDS:
        raise RefusedError(
            f"The custom field {names[0]} was not created." if len(names) == 1 else "No custom field was created.",
            f"the account has {len(fields)} custom fields, and Constant Contact takes {MOST_FIELDS}.",
            "Delete one there that nobody uses, or map to one that exists.",
        )


def create_field(client: ConstantContact, name: str) -> CustomField:
    """Make a custom field for texts; its name may differ from the one asked for."""
    with _refusals("create a custom field", "contacts:write"):
        return client.create_custom_field(name)


def with_field(mapping: Mapping[str, str], name: str, made: CustomField) -> dict[str, str]:
    """The mapping with a new custom field under the name that it got."""
    key = CUSTOM_FIELD_PREFIX + name
    return {(CUSTOM_FIELD_PREFIX + made.name if one == key else one): source for one, source in mapping.items()}


# customers


def sample_customer(kibo: Kibo, mapping: Mapping[str, str]) -> Customer | None:
    """An opted-in customer with values for most of the mapping, fully read; `None` if there is none."""
    page = kibo.get_customers(start=0, size=SAMPLES, filter=FILTER)
    usable = [one for one in page.customers if one.accepts_marketing and _values(one, {}) is not None]
    if not usable:
        return None
    best = max(usable, key=lambda one: len(values_of(one, mapping)))
    return kibo.get_customer(best.account_id) or best


def values_of(customer: Customer, mapping: Mapping[str, str]) -> dict[str, str]:
    """What each line of the mapping sends of this customer; lines that send nothing are left out."""
    found = {}
    for target, source in mapping.items():
        values = [] if mapping_problems({target: source}, None) else _values(customer, {target: source})
        if values:
            found[target] = ", ".join(map(str, values))
    return found


def attribute_doubts(customer: Customer, mapping: Mapping[str, str]) -> list[str]:
    """Mapped attributes that a customer does not have, each with the nearest: maybe misspelt, maybe just empty here."""
    known = list(attributes_by_name(customer.raw))
    sources = [one for one in mapping.values() if one.startswith(ATTRIBUTE_PREFIX)]
    mapped = {one.removeprefix(ATTRIBUTE_PREFIX).lower() for one in sources}
    doubts = []
    for name in sorted(mapped - set(known)) if known else ():
        near = list_names.nearest(name, known, 1)
        meant = f" Did you mean {near[0]}?" if near else ""
        doubts.append(f"Kibo's customer {customer.account_id} has no attribute {name}.{meant}")
    return doubts


def _values(customer: Customer, mapping: Mapping[str, str]) -> list[str | int] | None:
    """`None` for a customer who cannot be sent at all."""
    contact = to_contact(customer, mapping)
    return list(contact.row.values())[1:] if isinstance(contact, MappedContact) else None


@contextmanager
def _refusals(doing: str, privilege: str) -> Iterator[None]:
    """A refusal, worded for what was being attempted."""
    try:
        yield
    except RefusedError as error:
        if error.status == 403:
            raise RefusedError(
                f"Constant Contact does not let this login {doing}.",
                f"it answered 403; that needs the privilege {privilege}, and an app that is active.",
                "Log in as the account's owner: ccsync login",
                status=403,
            ) from error
        if error.status == 400:
            raise RefusedError(
                f"Constant Contact did not {doing}.",
                f"{error.why.rstrip('.')}: the name may be invalid, or the account may be full.",
                "Try another name, or do it by hand in Constant Contact.",
                status=400,
            ) from error
        raise


def _quoted(names: Sequence[str]) -> str:
    return " or ".join(f'"{name}"' for name in names)
