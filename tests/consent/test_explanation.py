"""Why somebody is on the list or not: every ground is a row, and the weightiest one is told."""

from datetime import UTC, datetime

import pytest

from ccsync.consent.explanation import Facts, Standing, judge
from ccsync.models import KnownContact, Sent
from ccsync.state.outbox.queue import Queued
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, UNSUBSCRIBED, Suppression
from ccsync.state.views.person_facts import AccountKnown

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ON_LIST = KnownContact(True, "contact", member_of="list", sent=Sent("list", b"print", DAY, None))
OFF_LIST = KnownContact(True, "contact")
FOREIGN = KnownContact(False, "contact")
MEMBER = KnownContact(False, "contact", member_of="list")
ELSEWHERE = KnownContact(True, "contact", sent=Sent("another", b"print", DAY, None))
YES = (AccountKnown(7, b"p", True, NOW),)
NO = (AccountKnown(7, b"p", False, NOW),)


def held(kind: str, list_id: str = "", since: datetime | None = DAY) -> tuple[Suppression, ...]:
    return (Suppression(b"p", kind, list_id, None, since, None),)


def queued(status: str, attempts: int = 0, error: str = "") -> tuple[Queued, ...]:
    return (Queued(7, status, attempts, NOW, error),)


LISTED, NOT, WAITING = Standing.LISTED, Standing.NOT_LISTED, Standing.WAITING
ROWS: dict[str, tuple[dict[str, object], Standing, str]] = {
    "unknown": ({"is_known": False}, Standing.UNKNOWN, "does not know this address. Either no account with it"),
    "unknown account": (
        {"is_known": False, "is_of_account": True},
        Standing.UNKNOWN,
        "does not know this account. Either it has not opted in",
    ),
    "unknown before the export": ({"is_known": False, "is_exported": False}, Standing.UNKNOWN, ": ccsync export"),
    "no list": ({"list_id": None, "contact": ON_LIST}, NOT, "no contact list is chosen"),
    # what keeps somebody away
    "unsubscribed": (
        {"suppressions": held(UNSUBSCRIBED), "accounts": NO},
        NOT,
        "unsubscribed at Constant Contact on 2026-11-20. Only the person's own sign-up",
    ),
    "unsubscribed, and the store says yes": (
        {"suppressions": held(UNSUBSCRIBED), "accounts": YES, "contact": ON_LIST},
        NOT,
        "Account 7 has opted in, but that does not count here.",
    ),
    "opted out": ({"suppressions": held(OPTED_OUT), "accounts": NO}, NOT, "opted out in the store on 2026-11-20. A"),
    "left": ({"suppressions": held(DEPARTED, "list"), "accounts": YES}, NOT, "left the list on 2026-11-20."),
    "left another list": (
        {"suppressions": held(DEPARTED, "another"), "accounts": YES, "contact": ON_LIST},
        LISTED,
        "On the list",
    ),
    "undated": ({"suppressions": held(UNSUBSCRIBED, since=None)}, NOT, "unsubscribed at Constant Contact. Only"),
    "unsubscribed weighs more than left": (
        {"suppressions": held(DEPARTED, "list") + held(UNSUBSCRIBED)},
        NOT,
        "unsubscribed at Constant Contact",
    ),
    "leaving": (
        {"leaving": "opted-out", "suppressions": held(OPTED_OUT), "contact": ON_LIST},
        Standing.LEAVING,
        'Still on the list "Shop": opted out in the store; the next flush-events removes',
    ),
    "leaving, deleted": ({"leaving": "deleted", "contact": ON_LIST}, Standing.LEAVING, "its account was deleted"),
    "leaving, held back": (
        {"leaving": "opted-out", "is_held_back": True, "contact": ON_LIST},
        Standing.LEAVING,
        "the safety limit stopped the removal. See: ccsync flush-events --dry-run",
    ),
    # on the list
    "listed": ({"contact": ON_LIST, "accounts": YES}, LISTED, 'On the list "Shop".'),
    "listed since": (
        {"contact": ON_LIST, "accounts": YES, "listed_since": DAY},
        LISTED,
        'On the list "Shop" since 2026-11-20.',
    ),
    "listed by an old address": (
        {"contact": ON_LIST, "moved": (7,)},
        LISTED,
        "Account 7 has a different address now; this one was left alone.",
    ),
    "listed, a change waits": (
        {"contact": ON_LIST, "accounts": YES, "queue": queued("pending")},
        LISTED,
        "A change of account 7 is waiting for the next flush-events.",
    ),
    "listed, a change failed": (
        {"contact": ON_LIST, "accounts": YES, "queue": queued("failed", 8, "Kibo: 500")},
        LISTED,
        "A change of account 7 failed for good after 8 attempts. Kibo: 500.",
    ),
    "listed, a change was rejected": (
        {"contact": ON_LIST, "accounts": YES, "queue": queued("failed", 1, "bad."), "rejection": "bad."},
        LISTED,
        'On the list "Shop". What changed since was rejected. bad.',
    ),
    "listed by somebody else": (
        {"contact": MEMBER, "accounts": YES},
        LISTED,
        "not added by ccsync as far as it knows.",
    ),
    "listed by somebody else, no opt-in": ({"contact": MEMBER}, LISTED, "no account with this address has opted in."),
    # on the way
    "importing": (
        {"contact": OFF_LIST, "importing": 4, "accounts": YES},
        Standing.JOINING,
        "the import of run 4 is under way",
    ),
    "before the export": (
        {"is_exported": False, "accounts": YES, "queue": queued("pending")},
        WAITING,
        "the first export has not finished",
    ),
    "before the export, not read": (
        {"is_exported": False, "queue": queued("pending")},
        WAITING,
        "the first export has not finished",
    ),
    "on another list before the export": (
        {"is_exported": False, "accounts": YES, "contact": ELSEWHERE},
        WAITING,
        "the first export has not finished",
    ),
    "pending": ({"queue": queued("pending")}, WAITING, "a change of account 7 is waiting for the next flush-events."),
    "pending, disabled": ({"queue": queued("pending"), "is_enabled": False}, WAITING, "and the sync is disabled."),
    "retrying": ({"queue": queued("retrying", 1, "Kibo: 500.")}, WAITING, "a retry after 1 attempt. Kibo: 500."),
    # not on it
    "rejected": (
        {"rejection": "emailAddress has no @: correct it in Kibo", "accounts": YES, "queue": queued("failed", 1, "x")},
        NOT,
        "the record was rejected. emailAddress has no @: correct it in Kibo.",
    ),
    "given up": ({"queue": queued("failed", 8), "accounts": YES}, NOT, "account 7 failed for good after 8 attempts."),
    "the worst of several": (
        {"queue": queued("pending") + queued("failed", 8) + queued("retrying", 2)},
        NOT,
        "failed for good after 8 attempts",
    ),
    "given up before the export": (
        {"queue": queued("failed", 8, "no"), "is_exported": False, "accounts": YES},
        NOT,
        "failed for good after 8 attempts. no.",
    ),
    "says no": ({"accounts": NO}, NOT, "account 7 has not opted in."),
    "says yes": ({"accounts": YES}, NOT, "business (B2B) accounts are skipped"),
    "moved": ({"moved": (7,), "contact": OFF_LIST}, NOT, "account 7 has a different address now."),
    "deleted": ({"is_deleted": True}, NOT, "the account was deleted in the store"),
    "another source's": ({"contact": FOREIGN}, NOT, "Constant Contact has the address from another source"),
    "read and no concern": ({"is_read": True}, NOT, "the account was read; it has not opted in"),
    "only history": ({}, NOT, "nothing was ever sent."),
}


@pytest.mark.parametrize(("known", "standing", "words"), ROWS.values(), ids=ROWS)
def test_verdict(known: dict[str, object], standing: Standing, words: str) -> None:
    """One ground decides, and the sentence names it with what would change it."""
    facts = Facts(**{"list_id": "list", "list_name": "Shop", **known})  # type: ignore[arg-type]
    found = judge(facts)
    assert found.standing is standing
    assert words in found.text
    assert found.text[0].isupper()


def test_a_list_without_a_name() -> None:
    """The config may have only its id."""
    assert judge(Facts("list", None, contact=ON_LIST)).text == "On the list."
