"""What a difference is: the table of kinds, reasons and repairs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ccsync.consent.decisions import Stand
from ccsync.consent.drift import (
    DRIFT,
    MEANING,
    Kind,
    Listed,
    NotListed,
    Repair,
    Written,
    judge_listed,
    judge_not_listed,
)
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, OPTED_OUT, UNSUBSCRIBED, Suppression

ON = datetime(2026, 11, 3, tzinfo=UTC)
NOBODY = NotListed(None, Written.DONE, False, None, False, False, Stand.OFF)
MEMBER = Listed(None, False, False, False, False, False, False, False, False, False)


def held(kind: str) -> Suppression:
    return Suppression(b"p", kind, "", None, ON, None)


@pytest.mark.parametrize(
    ("changes", "kind", "repair"),
    [
        ({}, Kind.MISSING, Repair.READ),
        ({"has_just_changed": True}, Kind.WAITING, Repair.NONE),
        ({"queued": "pending"}, Kind.WAITING, Repair.NONE),
        ({"queued": "retrying", "stand": Stand.ON}, Kind.WAITING, Repair.NONE),
        ({"queued": "failed"}, Kind.REJECTED, Repair.NONE),
        ({"is_under_way": True}, Kind.WAITING, Repair.NONE),
        ({"refused": True}, Kind.REJECTED, Repair.NONE),
        ({"stand": Stand.ON}, Kind.LEFT, Repair.COMPARE),
        ({"stand": Stand.FOUND_BEFORE}, Kind.LEFT, Repair.COMPARE),
        ({"stand": Stand.GONE}, Kind.LEFT, Repair.COMPARE),
        ({"stand": Stand.ON, "has_just_changed": True}, Kind.LEFT, Repair.COMPARE),
        ({"stand": Stand.MOVED}, Kind.RENAMED, Repair.NONE),
        ({"stand": Stand.VANISHED, "queued": "pending"}, Kind.RENAMED, Repair.NONE),
        ({"stand": Stand.WAITING}, Kind.WAITING, Repair.NONE),
        ({"stand": Stand.MOVED, "holding": held(OPTED_OUT)}, Kind.SUPPRESSED, Repair.NONE),
        ({"holding": held(OPTED_OUT)}, Kind.SUPPRESSED, Repair.NONE),
        ({"holding": held(FORGOTTEN), "write_back": Written.NEVER}, Kind.SUPPRESSED, Repair.NONE),
        ({"holding": held(UNSUBSCRIBED), "write_back": Written.NEVER}, Kind.NOT_WRITTEN_BACK, Repair.WRITE_BACK),
        ({"holding": held(UNSUBSCRIBED), "write_back": Written.STUCK}, Kind.NOT_WRITTEN_BACK, Repair.NONE),
        ({"holding": held(UNSUBSCRIBED), "write_back": Written.NEXT}, Kind.WAITING, Repair.NONE),
        ({"holding": held(UNSUBSCRIBED), "write_back": Written.DONE}, Kind.SUPPRESSED, Repair.NONE),
        ({"holding": held(DEPARTED), "write_back": Written.UNWANTED}, Kind.SUPPRESSED, Repair.NONE),
        (
            {"holding": held(DEPARTED), "write_back": Written.NEVER, "refused": True},
            Kind.NOT_WRITTEN_BACK,
            Repair.WRITE_BACK,
        ),
    ],
)
def test_who_opts_in_and_is_not_on_the_list(changes: dict[str, object], kind: Kind, repair: Repair) -> None:
    """An opt-out explains it first, then a refusal, the queue, a departure; nobody suppressed is read to be sent."""
    difference = judge_not_listed(replace(NOBODY, **changes))  # type: ignore[arg-type]
    assert (difference.kind, difference.repair) == (kind, repair)
    assert difference.reason


@pytest.mark.parametrize(
    ("changes", "kind", "repair"),
    [
        ({}, Kind.UNKNOWN_TO_KIBO, Repair.NONE),
        ({"says_no": True}, Kind.LISTED_SAYS_NO, Repair.NONE),
        ({"is_renamed": True}, Kind.RENAMED, Repair.NONE),
        ({"is_known": True, "is_own": True}, Kind.NOT_REMOVED, Repair.READ),
        ({"is_known": True, "says_no": True}, Kind.LISTED_SAYS_NO, Repair.NONE),
        ({"is_known": True, "holding": held(OPTED_OUT)}, Kind.NOT_REMOVED, Repair.REMOVE),
        ({"is_known": True, "is_renamed": True, "holding": held(OPTED_OUT)}, Kind.RENAMED, Repair.NONE),
        ({"is_known": True, "is_own": True, "says_no": True}, Kind.NOT_REMOVED, Repair.READ),
        ({"is_known": True, "is_own": True, "says_no": True, "has_just_changed": True}, Kind.WAITING, Repair.NONE),
        ({"is_known": True, "is_own": True, "is_queued": True}, Kind.WAITING, Repair.NONE),
        ({"is_known": True, "is_own": True, "is_leaving": True, "holding": held(OPTED_OUT)}, Kind.WAITING, Repair.NONE),
        ({"is_known": True, "is_own": True, "elsewhere": True}, Kind.OLD_ADDRESS, Repair.NONE),
        ({"is_known": True, "elsewhere": True, "says_no": True}, Kind.OLD_ADDRESS, Repair.NONE),
        ({"is_known": True, "is_own": True, "elsewhere": True, "says_no": True}, Kind.NOT_REMOVED, Repair.READ),
        (
            {"is_known": True, "is_own": True, "opts_in": True, "holding": held(OPTED_OUT)},
            Kind.NOT_REMOVED,
            Repair.REMOVE,
        ),
        ({"holding": held(OPTED_OUT), "says_no": True}, Kind.LISTED_SAYS_NO, Repair.NONE),
        ({"opts_in": True, "holding": held(DEPARTED)}, Kind.BACK_ON_LIST, Repair.NONE),
        ({"opts_in": True, "holding": held(FORGOTTEN)}, Kind.FORGOTTEN_LISTED, Repair.NONE),
        ({"opts_in": True}, None, Repair.NONE),
        ({"opts_in": True, "holding": held(OPTED_OUT)}, None, Repair.NONE),
    ],
)
def test_who_is_on_the_list_without_an_opt_in(changes: dict[str, object], kind: Kind | None, repair: Repair) -> None:
    """Only whom ccsync put there is ever taken off; who came by another way is told."""
    difference = judge_listed(replace(MEMBER, **changes))  # type: ignore[arg-type]
    assert (difference and difference.kind) == kind
    assert difference is None or difference.repair is repair


def test_every_kind_is_explained() -> None:
    """Each kind has its meaning, drift comes first, and what is no drift is never repaired."""
    assert MEANING.keys() == set(Kind)
    assert tuple(Kind)[: len(DRIFT)] == DRIFT
