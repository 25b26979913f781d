"""Opaque cursors: a next link is relative, and its cursor carries the first request's parameters.

https://community.constantcontact.com/t5/API-Developer-Support/v3-API-contacts-pagination/m-p/387715
"""

import base64
import binascii
from urllib.parse import parse_qsl, urlencode

from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.validation import Pairs


def next_links(path: str, pairs: Pairs, after: int) -> dict[str, object]:
    """The `_links` of a page that is not the last one; the next page begins behind `after`."""
    text = urlencode([*pairs, ("after", str(after))])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    return {"next": {"href": f"{path}?{urlencode({'cursor': cursor})}"}}


def open_cursor(pairs: Pairs) -> tuple[Pairs, int | None]:
    """The parameters in force, and where the page begins; `None`: at the beginning."""
    cursors = [value for name, value in pairs if name == "cursor"]
    if not cursors:
        return pairs, None
    if len(pairs) > 1:
        raise invalid("Query parameter 'cursor' cannot be combined with other parameters.")
    try:
        text = base64.b64decode(cursors[0], altchars=b"-_", validate=True).decode()
        *kept, (name, after) = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
        if name != "after" or not after.isdecimal() or len(after) > 15:
            raise ValueError(name)
        return tuple(kept), int(after)
    except (ValueError, binascii.Error):
        raise invalid("Query parameter 'cursor' is not valid.") from None
