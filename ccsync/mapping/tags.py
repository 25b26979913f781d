"""Which tags a customer's segments stand for: pure, from `[tags]` and the account's JSON."""

from collections.abc import Mapping

from ccsync.mapping.fields import scalar
from ccsync.models import JsonObject

EVERY = "*"
"""As a key: every segment that has no key of its own. In its value: the segment's name."""
MOST_LETTERS = 255
"""TagPost of https://developer.constantcontact.com/api_reference/index.html."""
SEGMENTS = "segments"


def tags_of(account: JsonObject, tags: Mapping[str, str]) -> list[str] | None:
    """The names of the tags that the account is to have, sorted; `None` where its segments are not shown."""
    segments = account.get(SEGMENTS)
    if not isinstance(segments, list) or not tags:
        return None
    names = {_tag_of(one, tags) for one in segments if isinstance(one, dict)}
    return sorted(name for name in names if name and len(name) <= MOST_LETTERS and name.isprintable())


def _tag_of(segment: JsonObject, tags: Mapping[str, str]) -> str:
    code = scalar(segment.get("code"))[0].strip()
    if not code:
        return ""
    if code in tags and code != EVERY:
        return tags[code].strip()
    name = scalar(segment.get("name"))[0].strip() or code
    return tags.get(EVERY, "").replace(EVERY, name).strip()
