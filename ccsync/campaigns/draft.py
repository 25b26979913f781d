"""Creates a draft campaign to the list with the configured From, ReplyTo and list. Errors name what was half done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import AnswerLost, CcsyncError, RefusedError
from ccsync.models import Campaign, CampaignContent

MOST_NAME = 80
MOST_FROM_NAME = 100
MOST_PREHEADER = 200
MOST_HTML = 150_000
"""Characters, from EmailCampaignComplete of https://developer.constantcontact.com/api_reference/index.html."""
_LINK = "https://app.constantcontact.com/pages/campaigns/email-details/details/activity/"
"""Where Constant Contact's own pages show a campaign. Its API names no such link."""
_CLOCKS_APART = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a campaign, already checked."""

    name: str
    content: CampaignContent
    list_id: str


def link_of(campaign: Campaign) -> str:
    """The URL where a person can see the campaign."""
    return _LINK + campaign.activity_id


def create(client: ConstantContact, draft: Draft, now: datetime) -> Campaign:
    """Create the draft, then set its list: the vendor takes no list with the first call.

    Raises `RefusedError` where the name is taken, and what `ccsync.errors` lists.
    """
    campaign = _create(client, draft, now)
    try:
        shown = client.set_campaign_lists(campaign.activity_id, draft.content, [draft.list_id])
    except CcsyncError as error:
        error.what = f'The draft "{draft.name}" was created, but its list could not be set. {error.what}'
        error.fix = f"Choose the list in Constant Contact: {link_of(campaign)}"
        raise
    if draft.list_id not in shown:
        raise RefusedError(
            f'The draft "{draft.name}" was created, but without its list.',
            "Constant Contact's answer does not show the list.",
            f"Choose the list in Constant Contact: {link_of(campaign)}",
        )
    return campaign


def _create(client: ConstantContact, draft: Draft, now: datetime) -> Campaign:
    try:
        campaign = client.create_campaign(draft.name, draft.content)
    except AnswerLost as error:
        # It may or may not have been created, and a second one of the same name would be refused.
        found = client.find_campaign(draft.name, now - _CLOCKS_APART)
        if found is None:
            error.why = "Constant Contact shows no campaign of this name, so it was not created."
            error.fix = "Run it again."
            raise
        return found
    if campaign is None:
        raise RefusedError(
            f'A campaign named "{draft.name}" exists already; nothing was created.',
            "Constant Contact takes each name once; deleted campaigns keep theirs.",
            "Choose another NAME.",
        )
    return campaign
