"""From a Kibo customer to a Constant Contact contact: pure functions, no I/O, no clock."""

from ccsync.mapping.addresses import Rejection, check_address, person_key_text
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.contact import (
    MappedContact,
    email_only,
    filled_sections,
    fingerprint,
    missing_sections,
    needed_sections,
    to_contact,
)
from ccsync.mapping.fields import SOURCES, Source, attributes_by_name
from ccsync.mapping.targets import ANY_CUSTOM_FIELD, TARGETS, Note, Target

__all__ = [
    "ANY_CUSTOM_FIELD",
    "SOURCES",
    "TARGETS",
    "MappedContact",
    "Note",
    "Rejection",
    "Source",
    "Target",
    "attributes_by_name",
    "check_address",
    "email_only",
    "filled_sections",
    "fingerprint",
    "mapping_problems",
    "missing_sections",
    "needed_sections",
    "person_key_text",
    "to_contact",
]
