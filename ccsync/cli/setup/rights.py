"""The rights that a Constant Contact login needs, and what each is for."""

from collections.abc import Collection

from ccsync.oauth import CAMPAIGN_SCOPE
from ccsync.oauth import SCOPES as USUAL_SCOPES

SCOPES = {
    "account_read": "showing the account, checking From and Reply-To addresses",
    "contact_data": "reading, importing and removing contacts: no job works without it",
    CAMPAIGN_SCOPE: "draft campaigns, and naming the automations that start on the list",
}
"""Of the app; `offline_access` shows in the refresh token itself."""
PRIVILEGES = {
    "contacts:read": "reading contacts and opt-outs",
    "contacts:write": "importing contacts and removing them from the list",
    "contacts:lists:read": "finding the contact list",
    "contacts:lists:write": "creating a contact list",
    "account:read": "showing the account, checking From and Reply-To addresses",
    "campaign:write": "draft campaigns",
    "customer-journey:read": "naming the automations that start on the list",
}
"""Of the user who approves: https://developer.constantcontact.com/api_guide/user_privileges.html."""


_FOR_CAMPAIGNS = ("campaign:write", "customer-journey:read")


def missing_scopes(scope: str, asked: str = USUAL_SCOPES) -> list[str]:
    """The scopes of those `asked` for that a login of this `scope` lacks."""
    return [name for name in SCOPES if name in asked.split() and name not in scope.split()]


def missing_privileges(privileges: Collection[str], asked: str = USUAL_SCOPES) -> list[str]:
    """The privileges that a user with these lacks, for a login that has `asked` for these scopes."""
    spared = () if CAMPAIGN_SCOPE in asked.split() else _FOR_CAMPAIGNS
    return [name for name in PRIVILEGES if name not in privileges and name not in spared]


def shortfalls(scopes: Collection[str], privileges: Collection[str]) -> list[str]:
    """A sentence for each missing scope or privilege that says what it is needed for."""
    return [
        *(f"the login lacks the scope {name}, needed for {SCOPES[name]}" for name in scopes),
        *(f"the user lacks the privilege {name}, needed for {PRIVILEGES[name]}" for name in privileges),
    ]
