"""What a Constant Contact login must be allowed to do, and what does not work without it."""

from collections.abc import Collection

SCOPES = {
    "account_read": "telling whose account it is, checking From and Reply-To addresses",
    "contact_data": "reading, importing and removing contacts: no job works without it",
}
"""Of the app; `offline_access` shows in the refresh token itself."""
PRIVILEGES = {
    "contacts:read": "reading contacts and opt-outs",
    "contacts:write": "importing contacts and taking them off the list",
    "contacts:lists:read": "finding the contact list",
    "contacts:lists:write": "creating a contact list",
    "account:read": "telling whose account it is, checking From and Reply-To addresses",
}
"""Of the user who approves: https://developer.constantcontact.com/api_guide/user_privileges.html."""


def missing_scopes(scope: str) -> list[str]:
    """The scopes that a login of this `scope` lacks."""
    return [name for name in SCOPES if name not in scope.split()]


def missing_privileges(privileges: Collection[str]) -> list[str]:
    """The privileges that a user with these lacks."""
    return [name for name in PRIVILEGES if name not in privileges]


def shortfalls(scopes: Collection[str], privileges: Collection[str]) -> list[str]:
    """A sentence for each missing scope and privilege: what it is needed for."""
    return [
        *(f"the login lacks the scope {name}, needed for {SCOPES[name]}" for name in scopes),
        *(f"the user lacks the privilege {name}, needed for {PRIVILEGES[name]}" for name in privileges),
    ]
