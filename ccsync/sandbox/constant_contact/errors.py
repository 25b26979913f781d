"""The error bodies of the Constant Contact API.

400, 404, 409 and 415 carry an array, 401, 403 and 429 an object:
https://developer.constantcontact.com/api_guide/glossary_responses.html
"""

from ccsync.sandbox.wire import Reply


class Refused(Exception):
    """A refused request, with the vendor's answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def invalid(*messages: str) -> Refused:
    """400: one entry for each problem."""
    return _array(400, "contacts.api.validation.error", *messages)


def not_found(message: str = "The requested resource was not found.") -> Refused:
    """404."""
    return _array(404, "contacts.api.not_found", message)


def conflict(message: str) -> Refused:
    """409: the name or the address is taken."""
    return _array(409, "contacts.api.conflict", message)


def refused(status: int, key: str, message: str) -> Refused:
    """Any other refusal in the API's own shape."""
    return _array(status, key, message)


def unsupported_media_type() -> Refused:
    """415: a body that is not `application/json`."""
    return _array(415, "contacts.api.unsupported_media_type", "Content-Type must be application/json.")


def unauthorized() -> Refused:
    """401, with the headers seen in https://github.com/solspace/craft-freeform/issues/272."""
    headers = {
        "x-amzn-ErrorType": "UnauthorizedException",
        "WWW-Authenticate": "Bearer realm=api.cc.email",
    }
    reply = Reply.json(401, {"error_key": "unauthorized", "error_message": "Unauthorized"})
    return Refused(Reply(reply.status, reply.body, headers=headers))


def access_denied(message: str) -> Refused:
    """403: https://developer.constantcontact.com/api_guide/account_get_privileges.html."""
    return _object(403, "access_denied", message)


def throttled() -> Refused:
    """429 for a second: body as in https://github.com/solspace/craft-freeform/issues/616, no Retry-After."""
    return _object(429, "throttled", "Too Many Requests")


def quota_exceeded() -> Refused:
    """429 until midnight UTC: https://developer.constantcontact.com/api_guide/rate_limits.html."""
    return _object(429, "quota_exceeded", "Limit Exceeded")


def queue_full() -> Refused:
    """429 of its own kind: 1,000 bulk jobs are waiting."""
    message = "Too many requests. You exceeded 1,000 queued activities for this user account."
    return _object(429, "activities.queue_full", message)


def _array(status: int, key: str, *messages: str) -> Refused:
    return Refused(Reply.json(status, [{"error_key": key, "error_message": text} for text in messages]))


def _object(status: int, key: str, message: str) -> Refused:
    return Refused(Reply.json(status, {"error_key": key, "error_message": message}))
