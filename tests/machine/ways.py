"""How the vendors go in a history, and what is configured."""

from ccsync.sandbox.settings import CUSTOMER_TOPICS, ROW_SECTIONS, SEGMENT_TOPICS
from tests.machine import tagging

WAYS: tuple[tuple[dict[str, object], str], ...] = (
    ({}, ""),
    ({"confirmed_opt_in": True}, "welcome_email = true\n"),
    ({"unsubscribed_keep_lists": True, "list_change_trace": "both"}, ""),
    ({"export_holds_deleted": True, "status_default": "active"}, ""),
    ({"update_date_filter": "refuse", "resubscribe_keeps_opt_out_date": False}, ""),
    ({}, 'opt_out = "unsubscribe"\n'),
    ({"rename_moves_updated_at": True, "import_updates_unsubscribed": False}, "overwrite_existing = true\n"),
    ({}, tagging.CONFIG),
    (
        {"part_edits_make_events": False, "event_topics": CUSTOMER_TOPICS | SEGMENT_TOPICS},
        'opt_out = "unsubscribe"\n' + tagging.CONFIG,
    ),
    (
        {"rows_carry": ROW_SECTIONS - {"segments"}, "confirmed_opt_in": True},
        "welcome_email = true\n" + tagging.CONFIG,
    ),
)
"""How the vendors go, where their descriptions leave it open, and what is configured."""


def has_tags(way: int) -> bool:
    """Are segments mapped to tags?"""
    return tagging.CONFIG in WAYS[way % len(WAYS)][1]
