"""One well-filled account and the mappings that read all of it."""

from datetime import UTC, datetime
from typing import Any

from ccsync.mapping.contact import MappedContact, to_contact
from ccsync.models import Customer

DEFAULT = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company_name": "companyOrOrganization",
    "phones": "phoneNumbers",
    "address": "address",
}
EVERYTHING = DEFAULT | {
    "job_title": "attributes.tenant~job",
    "birthday": "attributes.tenant~birthday",
    "anniversary": "customerSinceDate",
    "cf:tier": "attributes.tenant~tier",
    "cf:segments": "segments",
    "cf:orders": "commerceSummary.orderCount",
    "cf:amount": "commerceSummary.totalOrderAmount",
    "cf:kibo_id": "id",
    "cf:guest": "isAnonymous",
}
PAT: dict[str, Any] = {
    "id": 1001,
    "firstName": "Pat",
    "lastName": "Doe",
    "companyOrOrganization": "Acme",
    "isAnonymous": False,
    "customerSinceDate": "2024-03-01T00:00:00Z",
    "commerceSummary": {"totalOrderAmount": {"currencyCode": "USD", "amount": 199.5}, "orderCount": 3},
    "contacts": [
        {
            "firstName": "Granny",
            "phoneNumbers": {"home": "555-0100", "mobile": None, "work": "555-0101"},
            "address": {
                "address1": "1 Main St",
                "address2": "Apt. 2",
                "address3": None,
                "address4": "",
                "cityOrTown": "Austin",
                "stateOrProvince": "TX",
                "postalOrZipCode": "78701",
                "countryCode": "US",
            },
            "types": [{"name": "Billing", "isPrimary": True}],
        }
    ],
    "attributes": [
        {"fullyQualifiedName": "tenant~birthday", "values": ["1990-05-01"]},
        {"fullyQualifiedName": "tenant~tier", "values": ["gold"]},
        {"fullyQualifiedName": "tenant~job", "values": ["Baker"]},
    ],
    "segments": [{"id": 5, "code": "VIP"}, {"id": 6, "code": "NEW"}],
}


def customer(email: str | None = "Pat@Example.com", **changes: Any) -> Customer:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Customer(1001, email, True, "B2C", at, at, PAT | changes)


def mapped(mapping: dict[str, str], **changes: Any) -> MappedContact:
    contact = to_contact(customer(**changes), mapping)
    assert isinstance(contact, MappedContact)
    return contact
