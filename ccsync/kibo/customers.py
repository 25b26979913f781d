"""Kibo's customer accounts as records: https://github.com/KiboSoftware/kibo-open-api-specs (`CustomerAccount`)."""

from typing import Any, TypedDict

from ccsync import shapes
from ccsync.decoding import decode_item
from ccsync.models import Customer, JsonObject


def address_filter(address: str) -> str:
    """The filter for the accounts with this address. Whether it minds the case of letters is not documented."""
    return f"emailAddress eq {address.strip()}"


class _Head(TypedDict, total=False):
    """What `to_customer` reads."""

    id: Any
    emailAddress: Any
    firstName: Any
    lastName: Any
    acceptsMarketing: Any
    accountType: Any
    isAnonymous: Any
    auditInfo: Any


def customer_of(item: object) -> Customer | None:
    """Make a `Customer` of an item of a list, decoded or not; `None` for one that is no account with an id."""
    text = item if isinstance(item, bytes) else None
    record = shapes.as_object(item if text is None else decode_item(text, _Head))
    return None if record is None else to_customer(record, text)


def to_customer(record: JsonObject, text: bytes | None = None) -> Customer | None:
    """Make a `Customer` of one account's JSON (`CustomerAccount`), or its head and the text of it all.

    `None` without an id.
    """
    account_id = shapes.integer(record, "id")
    if account_id is None or not 0 < account_id < 2**63:
        return None
    audit = shapes.as_object(record.get("auditInfo")) or {}
    address = _address(record)
    return Customer(
        account_id=account_id,
        email=address or None,
        accepts_marketing=shapes.boolean(record, "acceptsMarketing"),
        account_type=shapes.text(record, "accountType"),
        created_at=shapes.time(audit, "createDate"),
        updated_at=shapes.time(audit, "updateDate"),
        record=record if text is None else text,
        is_own_sign_up=_is_own_sign_up(record, audit, address),
    )


def _address(record: JsonObject) -> str:
    """The account's address, "" for none.

    The redaction API may put a placeholder into every field that named the person; what it writes is not
    documented. Nobody has the same text for an address, a first and a last name.
    """
    address = (shapes.text(record, "emailAddress") or "").strip()
    names = {(shapes.text(record, one) or "").strip().lower() for one in ("firstName", "lastName")}
    return "" if names == {address.lower()} else address


def _is_own_sign_up(record: JsonObject, audit: JsonObject, address: str) -> bool:
    """What `createBy` holds is not documented: an admin's name or another person's address points to staff."""
    by = (shapes.text(audit, "createBy") or "").lower()
    is_staffs = "admin" in by or ("@" in by and by != address.strip().lower())
    return not shapes.boolean(record, "isAnonymous") and not is_staffs
