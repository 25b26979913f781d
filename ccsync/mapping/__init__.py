"""From a Kibo customer to a Constant Contact contact: pure functions, no I/O, no clock."""

from ccsync.mapping.addresses import Rejection, check_address, person_key_text
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.contact import (
    MappedContact,
    email_only,
    filled_parts,
    fingerprint,
    missing_parts,
    needed_parts,
    to_contact,
)
from ccsync.mapping.fields import SOURCES, Source
from ccsync.mapping.targets import TARGETS, Note, Target

__all__ = [
    "SOURCES",
    "TARGETS",
    "MappedContact",
    "Note",
    "Rejection",
    "Source",
    "Target",
    "check_address",
    "email_only",
    "filled_parts",
    "fingerprint",
    "mapping_problems",
    "missing_parts",
    "needed_parts",
    "person_key_text",
    "to_contact",
]
