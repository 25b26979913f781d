"""The vendors, as the state file and the ledger of calls name them, and how long a login lasts."""

from datetime import timedelta

KIBO = "kibo"
CONSTANT_CONTACT = "constant_contact"
SIGN_IN = "constant_contact_sign_in"
"""Constant Contact's sign-in host: one call a second, outside the daily quota."""

OLD_AFTER = timedelta(days=150)
"""A login that was not used for so long is warned about."""
LAPSES_AFTER = timedelta(days=180)
"""A refresh token dies after so long without use.
https://community.constantcontact.com/t5/API-Developer-Support/Refresh-token-expiry/td-p/402882"""
