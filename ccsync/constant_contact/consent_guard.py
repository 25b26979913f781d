"""No call that could re-subscribe a person or mail anybody leaves this package.

`POST /contacts/sign_up_form` sets `explicit` on existing contacts and revives deleted ones;
`PUT /contacts/resubscribe/{id}` mails the person; a permission other than `unsubscribed` in a body
would undo an opt-out (https://developer.constantcontact.com/api_reference/index.html).
Of campaigns a draft may be made and changed; schedules, test sends and resends mail people, and so may an automation.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from ccsync.transport.calls import Call

_FORBIDDEN = ("/sign_up_form", "/resubscribe")
_MAILING = re.compile("/(emails|automations|sms[^/]*|events?)(/|$)")
_DRAFTING = re.compile("POST .*/emails|PUT .*/emails/activities/[^/]+")


class ForbiddenCall(AssertionError):
    """A bug: the program was about to make a call that may re-subscribe or mail somebody."""


def check_consent(call: Call) -> None:
    """Raise `ForbiddenCall` unless `call` leaves every opt-out alone and mails nobody."""
    path = unquote(urlsplit(call.url).path).lower()
    if any(word in path for word in _FORBIDDEN):
        raise ForbiddenCall(f"{call.method} {path} may re-subscribe somebody")
    if call.method != "GET" and _MAILING.search(path) and not _DRAFTING.fullmatch(f"{call.method} {path}"):
        raise ForbiddenCall(f"{call.method} {path} may mail somebody")
    if _grants_permission(call.json):
        raise ForbiddenCall(f"the body of {call.method} {path} grants a permission to send")


def _grants_permission(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(
            (str(key).lower() == "permission_to_send" and item != "unsubscribed") or _grants_permission(item)
            for key, item in value.items()
        )
    if isinstance(value, (list, tuple)):
        return any(_grants_permission(item) for item in value)
    return False


def check_no_permission(body: object) -> None:
    """Raise `ForbiddenCall` when the body of a new contact names a permission at all."""
    if "permission_to_send" in str(body).lower():
        raise ForbiddenCall("the body of a new contact names a permission to send")
