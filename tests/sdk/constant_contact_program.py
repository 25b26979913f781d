"""Drives a server with the vendor's own client for Python, unmodified: one process, every call, one line of JSON each.

Run by a Python of its own, which has `constant-contact-api-client` and nothing of ccsync:
`python constant_contact_program.py '{"host": …, "token": …, "list_id": …, "address": …}'`.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import constant_contact_api_client as sdk

LIST = {"name": "Made by the SDK", "favorite": False, "description": "of its own"}
PERSON = {
    "email_address": {"address": "sdk@example.com"},
    "first_name": "Ada",
    "create_source": "Contact",
    "phone_numbers": [{"phone_number": "512-555-0100", "kind": "home"}],
    "street_addresses": [{"kind": "home", "street": "1 Main St", "city": "Austin"}],
}
OUT = {
    "email_address": {
        "address": "sdk@example.com",
        "permission_to_send": "unsubscribed",
        "opt_out_reason": "asked for it",
    },
    "first_name": "Ada",
    "update_source": "Contact",
}
MAIL = {
    "format_type": 5,
    "from_name": "Shop",
    "from_email": "info@example.com",
    "reply_to_email": "info@example.com",
    "subject": "Hello",
    "html_content": "<html><body>[[trackingImage]]</body></html>",
}


class Story:
    """The calls, in an order in which each finds what it is about; what they made is kept by name."""

    def __init__(self, told: dict[str, str]) -> None:
        client = sdk.ApiClient(sdk.Configuration(host=told["host"], access_token=told["token"]))
        self.account, self.bulk = sdk.AccountServicesApi(client), sdk.BulkActivitiesApi(client)
        self.lists, self.fields = sdk.ContactListsApi(client), sdk.ContactsCustomFieldsApi(client)
        self.contacts, self.tags = sdk.ContactsApi(client), sdk.ContactTagsApi(client)
        self.emails = sdk.EmailCampaignsApi(client)
        self.list_id, self.address = told["list_id"], told["address"]
        self.kept: dict[str, Any] = {}

    def calls(self) -> dict[str, Callable[[], Any]]:
        """Each operation by its name in the description; what a call gives must not be empty."""
        return self._account() | self._lists() | self._contacts() | self._jobs() | self._tags() | self._campaigns()

    def _account(self) -> dict[str, Callable[[], Any]]:
        return {
            "GET /account/summary": lambda: self.account.get_account_details().encoded_account_id,
            "GET /account/emails": lambda: self.account.get_all_account_email_addresses()[0].email_address,
            "GET /account/user/privileges": lambda: self.account.get_user_privileges()[0].privilege_name,
        }

    def _lists(self) -> dict[str, Callable[[], Any]]:
        lists, fields, keep = self.lists, self.fields, self._keep
        new = sdk.UpdateListRequest(**LIST)
        changed = sdk.UpdateListRequest(**LIST | {"name": "Renamed by the SDK"})
        field = sdk.CreateCustomFieldsRequest(label="Made by the SDK", type="string")
        return {
            "POST /contact_lists": lambda: keep("list", lists.create_list(new).list_id),
            "GET /contact_lists": lambda: (
                lists.get_all_lists(limit=500, status="active", include_count=True).lists[0].name
            ),
            "GET /contact_lists/{list_id}": lambda: (
                lists.get_list(self.list_id, include_membership_count="active").membership_count
            ),
            "PUT /contact_lists/{list_id}": lambda: lists.update_list(self.kept["list"], changed).name,
            "POST /contact_custom_fields": lambda: keep("field", fields.create_custom_fields(field).custom_field_id),
            "GET /contact_custom_fields": lambda: fields.get_all_custom_fields(limit=100).custom_fields[0].name,
            "GET /contact_custom_fields/{custom_field_id}": lambda: fields.get_custom_field(self.kept["field"]).label,
        }

    def _contacts(self) -> dict[str, Callable[[], Any]]:
        contacts = self.contacts

        def create() -> Any:
            own = {"custom_fields": [{"custom_field_id": self.kept["field"], "value": "7"}]}
            body = sdk.CreateContactRequest.from_dict(PERSON | own | {"list_memberships": [self.list_id]})
            return self._keep("contact", contacts.create_contact(body).contact_id)

        def read() -> Any:
            everything = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes"
            found = contacts.get_contact_by_id(self.kept["contact"], include=everything)
            return found.custom_fields[0].value + found.phone_numbers[0].phone_number + found.street_addresses[0].city

        return {
            "POST /contacts": create,
            "GET /contacts": lambda: (
                contacts.get_all_contacts(
                    status="all", email=self.address, include="list_memberships", include_count=True, limit=500
                )
                .contacts[0]
                .contact_id
            ),
            "GET /contacts/counts": lambda: contacts.get_contact_counts().total,
            "GET /contacts/{contact_id}": read,
            "PUT /contacts/{contact_id}": lambda: (
                contacts.update_contact(
                    self.kept["contact"], sdk.UpdateContactRequest.from_dict(OUT)
                ).email_address.permission_to_send
            ),
            "DELETE /contacts/{contact_id}": lambda: str(
                contacts.delete_contact_with_http_info(self.kept["contact"]).status_code
            ),
        }

    def _jobs(self) -> dict[str, Callable[[], Any]]:
        bulk = self.bulk

        def begin_import() -> Any:
            rows = [{"email": "row@example.com", "first_name": "Bo", "home_street": "1 Main St"}]
            body = sdk.CreateImportJSONActivityRequest.from_dict({"import_data": rows, "list_ids": [self.list_id]})
            return self._keep("activity", bulk.create_import_json_activity(body).activity_id)

        def begin_export() -> Any:
            body = {"contact_ids": [self.kept["contact"]], "fields": ["email_address", "email_lists"]}
            made = bulk.create_export_activity(sdk.CreateExportActivityRequest.from_dict(body))
            return self._keep("export", made.activity_id)

        def read_file() -> Any:
            done = bulk.get_activity_by_id(self.kept["export"])
            return bulk.get_csv_export_file(str(done.links.results.href).rpartition("/")[2])

        def lists() -> dict[str, Any]:
            return {"source": {"contact_ids": [self.kept["contact"]]}, "list_ids": [self.list_id]}

        return {
            "POST /activities/contacts_json_import": begin_import,
            "GET /activities/{activity_id}": lambda: bulk.get_activity_by_id(self.kept["activity"]).state,
            "GET /activities": lambda: bulk.get_all_activities(limit=500).activities[0].activity_id,
            "POST /activities/contact_exports": begin_export,
            "GET /contact_exports/{file_export_id}": read_file,
            "POST /activities/add_list_memberships": lambda: (
                bulk.create_list_add_activity(sdk.CreateListAddActivityRequest.from_dict(lists())).activity_id
            ),
            "POST /activities/remove_list_memberships": lambda: (
                bulk.create_list_remove_activity(sdk.CreateListRemoveActivityRequest.from_dict(lists())).activity_id
            ),
        }

    def _tags(self) -> dict[str, Callable[[], Any]]:
        tags, bulk = self.tags, self.bulk

        def tagging() -> Any:
            body = {"source": {"contact_ids": [self.kept["contact"]]}, "tag_ids": [self.kept["tag"]]}
            return sdk.CreateTagRemoveActivityRequest.from_dict(body)

        return {
            "POST /contact_tags": lambda: self._keep(
                "tag", tags.post_tag(sdk.PostTagRequest(name="Big spender")).tag_id
            ),
            "GET /contact_tags": lambda: tags.get_all_tags(limit=500, include_count=True).tags[0].name,
            "GET /contact_tags/{tag_id}": lambda: tags.get_tag(self.kept["tag"], include_count=True).name,
            "PUT /contact_tags/{tag_id}": lambda: (
                tags.put_tag(self.kept["tag"], sdk.PutTagRequest(name="Spender")).name
            ),
            "POST /activities/contacts_taggings_add": lambda: (
                bulk.create_tag_add_contact_activity(tagging()).activity_id
            ),
            "POST /activities/contacts_taggings_remove": lambda: bulk.create_tag_remove_activity(tagging()).activity_id,
        }

    def _campaigns(self) -> dict[str, Callable[[], Any]]:
        emails = self.emails

        def create() -> Any:
            body = {"name": "SDK news", "email_campaign_activities": [MAIL]}
            made = emails.create_email_campaign(sdk.CreateEmailCampaignRequest.from_dict(body))
            self._keep("mail", made.campaign_activities[0].campaign_activity_id)
            return self._keep("campaign", made.campaign_id)

        def address_to_list() -> Any:
            draft = emails.get_email_campaign_activity(self.kept["mail"])
            draft.contact_list_ids = [self.list_id]
            return emails.update_email_campaign_activity(self.kept["mail"], draft).contact_list_ids[0]

        return {
            "POST /emails": create,
            "GET /emails": lambda: emails.get_all_email_campaigns(limit=500).campaigns[0].name,
            "GET /emails/{campaign_id}": lambda: emails.get_email_campaign_by_id(self.kept["campaign"]).name,
            "GET /emails/activities/{campaign_activity_id}": lambda: (
                emails.get_email_campaign_activity(self.kept["mail"]).subject
            ),
            "PUT /emails/activities/{campaign_activity_id}": address_to_list,
        }

    def _keep(self, name: str, value: Any) -> Any:
        self.kept[name] = value
        return value


def main() -> None:
    """Make every call; one that fails is shown with its reason. What deletes comes last."""
    calls = Story(json.loads(sys.argv[1])).calls()
    for name in sorted(calls, key=lambda one: one.startswith("DELETE")):
        try:
            print(json.dumps({"operation": name, "value": str(calls[name]())}))
        except Exception as error:
            print(json.dumps({"operation": name, "failure": f"{type(error).__name__}: {error}"[:1000]}))


if __name__ == "__main__":
    main()
