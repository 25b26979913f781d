"""Which contacts a bulk job is about: exactly one source, minus exclusions.

https://developer.constantcontact.com/api_guide/remove_list_membership.html,
https://developer.constantcontact.com/api_guide/add_tagging_activity.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ccsync.sandbox.constant_contact.contacts.selection import Selection
from ccsync.sandbox.constant_contact.contacts.store import Store, StoredContact
from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.validation import check_properties, read_uuids

MOST_CONTACTS = 500
MOST_GROUPS = 50
LISTS_TARGET, TAGS_TARGET = "list_ids", "tag_ids"
_NOT_SIMULATED = ("engagement_level", "segment_id", "new_subscriber")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Job:
    """The contacts of a job, and the lists or tags to add or remove."""

    contact_ids: tuple[str, ...]
    list_ids: tuple[str, ...]
    tag_ids: tuple[str, ...]
    is_all_active: bool
    excluded: frozenset[str]
    targets: tuple[str, ...]


def read_job(body: dict[str, object], sources: tuple[str, ...], target: str) -> Job:
    """Check a body whose `source` is one of `sources`. Raises `Refused`."""
    check_properties(body, ("source", target, "exclude"), ("source", target))
    source, exclude = body["source"], body.get("exclude", {})
    if not isinstance(source, dict) or not isinstance(exclude, dict):
        raise invalid("source and exclude must be objects.")
    check_properties(source, sources, ())
    check_properties(exclude, ("contact_ids",), ())
    given = [name for name in source if name != "all_active_contacts" or source[name] is not False]
    if len(given) != 1:
        raise invalid("source must have exactly one property.")
    if given[0] in _NOT_SIMULATED:
        raise invalid(f"The sandbox does not simulate {given[0]}.")
    if given[0] == "all_active_contacts" and source[given[0]] is not True:
        raise invalid("all_active_contacts must be true or false.")
    if exclude and given[0] not in ("all_active_contacts", "list_ids"):
        raise invalid("exclude is only applicable to all_active_contacts and list_ids.")
    return Job(
        read_uuids(source["contact_ids"], "contact_ids", MOST_CONTACTS) if "contact_ids" in given else (),
        read_uuids(source["list_ids"], "source.list_ids", MOST_GROUPS) if "list_ids" in given else (),
        read_uuids(source["tag_ids"], "source.tag_ids", MOST_GROUPS) if "tag_ids" in given else (),
        "all_active_contacts" in given,
        frozenset(read_uuids(exclude["contact_ids"], "exclude.contact_ids", MOST_CONTACTS) if exclude else ()),
        read_uuids(body[target], target, MOST_GROUPS),
    )


def chosen(store: Store, job: Job, groups: tuple[int, ...]) -> Iterator[StoredContact]:
    """The contacts of a job's source; `groups` are the lists or tags that it names, where it names some."""
    if job.contact_ids:
        yield from store.by_ids(job.contact_ids).values()
        return
    selection = Selection(
        lists=None if job.is_all_active else groups, statuses=("active",) if job.is_all_active else None
    )
    after = 0
    while page := store.page(selection, after, _AT_ONCE):
        yield from (one for one in page if one.contact_id not in job.excluded)
        after = page[-1].seq
