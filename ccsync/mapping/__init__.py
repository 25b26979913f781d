"""From a Kibo customer to a Constant Contact contact: pure functions, no I/O, no clock."""

from ccsync.mapping.addresses import Rejection, check_address, person_key_text
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.contact import (
    MappedContact,
    filled_sections,
    fingerprint,
    missing_sections,
    needed_sections,
    to_contact,
)
from ccsync.mapping.fields import SOURCES, attributes_by_name
from ccsync.mapping.targets import ANY_CUSTOM_FIELD, TARGETS

__all__ = [
    "ANY_CUSTOM_FIELD",
    "SOURCES",
    "TARGETS",
    "MappedContact",
    "Rejection",
    "attributes_by_name",
    "check_address",
    "filled_sections",
    "fingerprint",
    "mapping_problems",
    "missing_sections",
    "needed_sections",
    "person_key_text",
    "to_contact",
]
