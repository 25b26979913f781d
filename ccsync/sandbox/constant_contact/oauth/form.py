"""The forms and refusals of the authorization server (RFC 6749)."""

from urllib.parse import parse_qsl

from ccsync.sandbox.wire import Reply, Request


class OAuthError(Exception):
    """A refusal in the shape of RFC 6749."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.reply = Reply.json(status, {"error": error, "error_description": description})


def read_form(request: Request, required: tuple[str, ...]) -> dict[str, str]:
    """The form of a request. Raises `OAuthError` if it is no form, or repeats or lacks a parameter.

    "The authorization server MUST ignore unrecognized request parameters" (RFC 6749, section 3.2).
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Accept and/or Content-Type headers do not match supported values.")
    try:
        pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True)
    except ValueError:
        raise OAuthError("invalid_request", "The request body is not a valid form.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is repeated.")
    for name in required:
        if not form.get(name):
            raise OAuthError("invalid_request", f"The request is missing the '{name}' parameter.")
    return form
