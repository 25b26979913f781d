"""No call that could re-subscribe a person leaves the client."""

import pytest

from ccsync.constant_contact.consent_guard import ForbiddenCall, check_consent
from ccsync.transport import Call

API = "https://api.cc.email/v3"


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", API + "/contacts/sign_up_form", json={"email_address": "pat@example.com"}),
        Call("POST", API + "/contacts/SIGN_UP_FORM"),
        Call("POST", API + "/contacts/sign%5Fup%5Fform"),
        Call("PUT", API + "/contacts/resubscribe/123"),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "explicit"}}),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "implicit"}}),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": None}}),
        Call("POST", API + "/contacts", json=[{"a": [{"Permission_To_Send": "explicit"}]}]),
    ],
)
def test_a_call_that_may_resubscribe_is_refused(call: Call) -> None:
    """sign_up_form, resubscribe, and any body that grants a permission are a bug, not a request."""
    with pytest.raises(ForbiddenCall):
        check_consent(call)


@pytest.mark.parametrize(
    "call",
    [
        Call("GET", API + "/contacts", params={"status": "all"}),
        Call("POST", API + "/activities/contacts_json_import", body=b"{}"),
        Call("PUT", API + "/contacts/1", json={"email_address": {"permission_to_send": "unsubscribed"}}),
        Call("POST", API + "/contact_lists", json={"name": "Web shop"}),
    ],
)
def test_other_calls_pass(call: Call) -> None:
    """Reading, importing and unsubscribing are what the client is for."""
    check_consent(call)
