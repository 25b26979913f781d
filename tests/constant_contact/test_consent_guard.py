"""No call that could re-subscribe a person or mail anybody leaves the client."""

import pytest

from ccsync.constant_contact.consent_guard import ForbiddenCall, check_consent
from ccsync.transport.calls import Call

API = "https://api.cc.email/v3"


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", API + "/contacts/sign_up_form", json={"email_address": "pat@example.com"}),
        Call("POST", API + "/contacts/SIGN_UP_FORM"),
        Call("POST", API + "/contacts/sign%5Fup%5Fform"),
        Call("PUT", API + "/contacts/resubscribe/123"),
        Call("POST", API + "/emails/activities/1/schedules", json={"scheduled_date": "0"}),
        Call("POST", API + "/emails/activities/1/SCHEDULES"),
        Call("POST", API + "/emails/activities/1/tests", json={"email_addresses": ["pat@example.com"]}),
        Call("POST", API + "/emails/activities/1/non_opener_resends"),
        Call("POST", API + "/emails/activities/1/abtest"),
        Call("PUT", API + "/automations/workflows/1", json={"state": "ACTIVE"}),
        Call("POST", API + "/automations/workflows"),
        Call("PATCH", API + "/emails/1"),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "explicit"}}),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "implicit"}}),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": None}}),
        Call("POST", API + "/contacts", json=[{"a": [{"Permission_To_Send": "explicit"}]}]),
    ],
)
def test_a_call_that_may_resubscribe_or_mail_is_refused(call: Call) -> None:
    """sign_up_form, resubscribe, a body that grants a permission, and what sends mail are a bug, not a request."""
    with pytest.raises(ForbiddenCall):
        check_consent(call)


@pytest.mark.parametrize(
    "call",
    [
        Call("GET", API + "/contacts", params={"status": "all"}),
        Call("POST", API + "/activities/contacts_json_import", body=b"{}"),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "unsubscribed"}}),
        Call("POST", API + "/contact_lists", json={"name": "Web shop"}),
        Call("POST", API + "/emails", json={"name": "News"}),
        Call("PUT", API + "/emails/activities/1", json={"contact_list_ids": ["1"]}),
        Call("GET", API + "/emails/activities/1/schedules"),
        Call("GET", API + "/automations/workflows"),
    ],
)
def test_other_calls_pass(call: Call) -> None:
    """Reading, importing, unsubscribing and drafting are what the client is for."""
    check_consent(call)
