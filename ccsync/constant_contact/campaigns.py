"""Draft campaigns and automations. Nothing here sends: see `consent_guard`. All of it takes the scope campaign_data."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ccsync import shapes
from ccsync.constant_contact.wire import Wire
from ccsync.errors import VendorUnreachable
from ccsync.models import Automation, Campaign, CampaignContent, JsonObject
from ccsync.transport.calls import Call

_CUSTOM_CODE = 5
_PRIMARY = "primary_email"


class Campaigns(Wire):
    """Creates drafts and reads automations."""

    def create_campaign(self, name: str, content: CampaignContent) -> Campaign | None:
        """Create a campaign in draft; `None` where the name is taken. Not repeated when the answer is lost.

        https://developer.constantcontact.com/api_guide/email_campaigns_create.html
        """
        activity = {"format_type": _CUSTOM_CODE, **_to_body(content), "html_content": content.html}
        body = {"name": name, "email_campaign_activities": [activity]}
        call = Call("POST", self._api_url + "/emails", json=body, is_repeatable=False, accepts=frozenset({409}))
        answer, value = self._json(call)
        if answer.status == 409:
            return None
        return _to_campaign(shapes.as_object(value) or {})

    def find_campaign(self, name: str, since: datetime) -> Campaign | None:
        """The campaign of exactly this name, if it was changed since then and is not deleted."""
        after = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for page in self._pages("/emails", {"limit": "500", "after_date": after}, "campaigns"):
            for record in page:
                campaign_id = shapes.text(record, "campaign_id")
                is_there = (shapes.text(record, "current_status") or "").casefold() != "removed"
                if campaign_id and is_there and record.get("name") == name:
                    return _to_campaign(self._object(f"/emails/{campaign_id}"))  # the listing shows no activities
        return None

    def set_campaign_lists(self, activity_id: str, content: CampaignContent, list_ids: Sequence[str]) -> frozenset[str]:
        """Set the lists that a draft goes to; returns the lists that the answer shows.

        A PUT overwrites what it leaves out, but for the HTML, which is a sub-resource.
        https://developer.constantcontact.com/api_guide/email_campaign_activity_update.html
        """
        body = {**_to_body(content), "contact_list_ids": list(list_ids)}
        _, value = self._json(Call("PUT", f"{self._api_url}/emails/activities/{activity_id}", json=body))
        shown = (shapes.as_object(value) or {}).get("contact_list_ids")
        return frozenset(str(one) for one in shown) if isinstance(shown, list) else frozenset()

    def automations_of_list(self, list_id: str) -> list[Automation]:
        """The automations that start when someone joins the list, in any state; one call for each automation.

        https://developer.constantcontact.com/api_reference/index.html, Automations. An automation whose trigger names
        no list starts with every one.
        """
        found = list[Automation]()
        summaries = self._object("/automations/workflows").get("flow_summaries")
        for summary in shapes.as_objects(summaries):
            if flow_id := shapes.word(summary, "id"):
                whole = self._object(f"/automations/workflows/{flow_id}")
                if _starts_on(whole, list_id):
                    state = shapes.text(whole, "status") or shapes.text(summary, "active_state") or "state unknown"
                    found.append(Automation(shapes.text(summary, "name") or flow_id, state))
        return found


def _starts_on(automation: JsonObject, list_id: str) -> bool:
    for name in ("active_definition", "draft_definition"):
        definition = shapes.as_object(automation.get(name)) or {}
        trigger = shapes.as_object((shapes.as_object(definition.get("trigger")) or {}).get("trigger_def")) or {}
        if trigger.get("action_name") != "list_join":
            continue
        parameters = shapes.as_objects(trigger.get("parameters"))
        lists = [one.get("parameter_value") for one in parameters if one.get("parameter_name") == "list_ids"]
        if not lists or any(isinstance(one, list) and list_id in one for one in lists):
            return True
    return False


def _to_body(content: CampaignContent) -> dict[str, object]:
    body: dict[str, object] = {
        "from_name": content.from_name,
        "from_email": content.from_email,
        "reply_to_email": content.reply_to_email,
        "subject": content.subject,
    }
    return body if content.preheader is None else {**body, "preheader": content.preheader}


def _to_campaign(record: JsonObject) -> Campaign:
    campaign_id = shapes.text(record, "campaign_id")
    activities = shapes.as_objects(record.get("campaign_activities"))
    primary = (shapes.text(one, "campaign_activity_id") for one in activities if one.get("role") == _PRIMARY)
    activity_id = next(primary, None)
    if campaign_id is None or activity_id is None:
        raise VendorUnreachable(
            "Constant Contact's answer about a campaign is none.",
            "it lacks the campaign's id or its primary activity's.",
            "Look in Constant Contact under Campaigns whether the draft is there.",
        )
    return Campaign(campaign_id, activity_id, shapes.text(record, "name") or "")
