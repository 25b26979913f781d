"""The Constant Contact client: account, lists, contacts, imports, in the vendor's own words."""

from ccsync.constant_contact.client import ConstantContact
from ccsync.constant_contact.consent_guard import check_consent

__all__ = ["ConstantContact", "check_consent"]
