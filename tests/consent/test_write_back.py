"""The tables of decisions about telling Kibo: one row for each case that can meet a person, an account, a run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ccsync.consent.safety_limit import Allowance, allowance
from ccsync.consent.write_back import (
    AccountAct,
    Found,
    Seen,
    judge_account,
    judge_missing,
    judge_sighting,
    outdated,
    whose_act,
)
from ccsync.models import Contact, Customer
from ccsync.state.kibo_writes import KiboWrite
from ccsync.state.outbox.write_backs import RESUBSCRIBED
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, OWN, UNSUBSCRIBED, Suppression

LIST, OTHER_LIST = "list-1", "list-2"
DAY = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def suppressed(kind: str, list_id: str = "") -> Suppression:
    return Suppression(b"p" * 16, kind, list_id, "contact-1", DAY, "Contact")


def written(accepts: bool, *, is_done: bool = True) -> KiboWrite:
    return KiboWrite(1001, b"p" * 16, accepts, UNSUBSCRIBED, DAY if is_done else None, DAY if is_done else None, DAY)


def contact(**changes: object) -> Contact:
    values: dict[str, object] = {
        "contact_id": "1", "email": "pat@example.com", "permission_to_send": "implicit", "opt_in_date": None,
        "opt_in_source": None, "opt_out_date": None, "opt_out_source": None,
        "update_source": None, "created_at": None, "updated_at": None, "deleted_at": None, "list_ids": frozenset(),
    }  # fmt: skip
    return Contact(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "kind", "list_id", "holding", "holds"),
    [
        ("unsubscribed", UNSUBSCRIBED, "", [suppressed(UNSUBSCRIBED)], True),
        ("unsubscribed and back", UNSUBSCRIBED, "", [], False),
        ("unsubscribed and back, gone from the list", UNSUBSCRIBED, "", [suppressed(DEPARTED, LIST)], False),
        ("left the list", DEPARTED, LIST, [suppressed(DEPARTED, LIST)], True),
        ("left the list, opted in again in the store", DEPARTED, LIST, [], False),
        ("left a list, and another one since", DEPARTED, LIST, [suppressed(DEPARTED, OTHER_LIST)], False),
        ("left a list that is no longer active", DEPARTED, OTHER_LIST, [suppressed(DEPARTED, OTHER_LIST)], True),
        ("left the list, then unsubscribed", DEPARTED, LIST, [suppressed(DEPARTED, LIST), suppressed(UNSUBSCRIBED)],
         True),
        ("came back", RESUBSCRIBED, "", [], True),
        ("came back, unsubscribed again", RESUBSCRIBED, "", [suppressed(UNSUBSCRIBED)], False),
        ("came back, and said no in the store", RESUBSCRIBED, "", [suppressed(OPTED_OUT)], False),
        ("came back, and left the list", RESUBSCRIBED, "", [suppressed(DEPARTED, LIST)], False),
    ],
)  # fmt: skip
def test_what_still_holds_when_kibo_is_to_be_told(
    case: str, kind: str, list_id: str, holding: list[Suppression], holds: bool
) -> None:
    """Only what still keeps the person from being mailed is told, and a return only when nothing speaks against it."""
    assert (outdated(kind, list_id, holding) is None) is holds, case


@pytest.mark.parametrize(
    ("case", "opted_in", "holds"),
    [
        ("and had opted in before", -1, True),
        ("and had opted in since", 1, False),
        ("and had opted in, nobody knows when", None, True),
    ],
)
def test_an_unsubscribe_before_one_that_ccsync_has_set_itself(case: str, opted_in: int | None, holds: bool) -> None:
    """One that was undone in between is not carried to the store by what was set for somebody's no there."""
    shown = None if opted_in is None else DAY + opted_in * HOUR
    own = replace(suppressed(UNSUBSCRIBED), since=DAY + 2 * HOUR, source=OWN, opt_in_shown=shown)
    assert (outdated(UNSUBSCRIBED, "", [own], DAY) is None) is holds, case
    assert outdated(UNSUBSCRIBED, "", [replace(own, source="Contact")], DAY) is None


@pytest.mark.parametrize(
    ("case", "kind", "accepts", "account_type", "write", "act"),
    [
        ("yes, and unsubscribed", UNSUBSCRIBED, True, "B2C", None, AccountAct.WRITE),
        ("yes, and left the list", DEPARTED, True, "B2C", None, AccountAct.WRITE),
        ("no already", UNSUBSCRIBED, False, "B2C", None, AccountAct.ALREADY),
        ("yes again after our no", UNSUBSCRIBED, True, "B2C", written(False), AccountAct.WRITE),
        ("neither", UNSUBSCRIBED, None, "B2C", None, AccountAct.UNKNOWN),
        ("a B2B account without a word of its own", UNSUBSCRIBED, None, "B2B", None, AccountAct.SKIPPED),
        ("a B2B account that says yes", UNSUBSCRIBED, True, "B2B", None, AccountAct.WRITE),
        ("back, and our no", RESUBSCRIBED, False, "B2C", written(False), AccountAct.WRITE),
        ("back, and their own no", RESUBSCRIBED, False, "B2C", None, AccountAct.LEFT_ALONE),
        ("back, our yes was taken back since", RESUBSCRIBED, False, "B2C", written(True), AccountAct.LEFT_ALONE),
        ("back, our yes never arrived", RESUBSCRIBED, False, "B2C", written(True, is_done=False), AccountAct.WRITE),
        ("back, and yes already", RESUBSCRIBED, True, "B2C", written(False), AccountAct.ALREADY),
        ("back, and neither", RESUBSCRIBED, None, None, written(False), AccountAct.UNKNOWN),
    ],
)
def test_what_is_done_about_an_account(
    case: str, kind: str, accepts: bool | None, account_type: str | None, write: KiboWrite | None, act: AccountAct
) -> None:
    """An opt-out goes over any yes; a return only over a no that ccsync has written itself."""
    account = Customer(1, "pat@example.com", accepts, account_type, None, None, {})
    assert judge_account(kind, account, write) is act, case


@pytest.mark.parametrize(
    ("case", "write", "was", "accepts", "updated_at", "seen"),
    [
        ("nothing of ours", None, True, False, DAY, Seen.NOTHING),
        ("our no, answered before the crash", written(False, is_done=False), True, False, DAY, Seen.OWN),
        ("our no, never sent", written(False, is_done=False), True, True, DAY, Seen.NOTHING),
        ("our no, noted already", written(False), False, False, DAY, Seen.NOTHING),
        ("a later yes of theirs", written(False), False, True, DAY + HOUR, Seen.THEIRS),
        ("a yes in the same moment", written(False), False, True, DAY, Seen.THEIRS),
        ("a yes without a date", written(False), False, True, None, Seen.THEIRS),
        ("an old yes from a listing that lags", written(False), False, True, DAY - HOUR, Seen.STALE),
        ("our yes, answered before the crash", written(True, is_done=False), False, True, DAY, Seen.OWN),
        ("a later no of theirs", written(True), True, False, DAY + HOUR, Seen.THEIRS),
        ("an old no from a listing that lags", written(True), True, False, DAY - HOUR, Seen.STALE),
        ("our no on an account that was never observed", written(False, is_done=False), None, False, DAY, Seen.OWN),
    ],
)
def test_whose_word_a_sighting_is(
    case: str, write: KiboWrite | None, was: bool | None, accepts: bool, updated_at: datetime | None, seen: Seen
) -> None:
    """What ccsync wrote is nobody's opt-in or opt-out, and what is older than that says nothing."""
    assert judge_sighting(write, was=was, accepts=accepts, updated_at=updated_at) is seen, case


@pytest.mark.parametrize(
    ("case", "wanted", "gone", "departed", "on_list", "most", "accept", "may_go"),
    [
        ("a few", 3, 3, 1, 100, 500, 0, 3),
        ("as many as allowed", 500, 0, 0, 0, 500, 0, 500),
        ("one more", 501, 0, 0, 0, 500, 0, 0),
        ("one more, accepted", 501, 0, 0, 0, 500, 501, 501),
        ("one more, accepted in part", 501, 0, 0, 0, 500, 20, 20),
        ("no safety limit", 9_000, 9_000, 9_000, 0, 0, 0, 9_000),
        ("a handful of a small list", 10, 10, 10, 5, 500, 0, 10),
        ("a fifth of the list", 20, 20, 0, 80, 500, 0, 20),
        ("more than a fifth of the list", 21, 21, 0, 79, 500, 0, 0),
        ("people who never were on the list", 40, 0, 0, 0, 500, 0, 40),
        ("the list is empty", 4, 4, 4, 0, 500, 0, 0),
        ("the only member has left", 1, 1, 1, 0, 500, 0, 1),
        ("both members unsubscribed", 2, 2, 0, 0, 500, 0, 2),
        ("accepting is not asking for more", 3, 0, 0, 100, 500, 1, 3),
    ],
)
def test_the_brake(
    case: str, wanted: int, gone: int, departed: int, on_list: int, most: int, accept: int, may_go: int
) -> None:
    """Too much at once waits for a person, who lets through exactly up to a number."""
    assert allowance(wanted, gone, departed, on_list, most, accept) == Allowance(may_go, wanted - may_go), case


@pytest.mark.parametrize(
    ("case", "found", "expected"),
    [
        ("no such contact any more", None, Found.DELETED),
        ("deleted", contact(deleted_at=DAY), Found.DELETED),
        ("deleted after an unsubscribe", contact(deleted_at=DAY, permission_to_send="unsubscribed"),
         Found.UNSUBSCRIBED),
        ("unsubscribed", contact(permission_to_send="unsubscribed"), Found.UNSUBSCRIBED),
        ("on other lists", contact(list_ids=frozenset({OTHER_LIST})), Found.DEPARTED),
        ("on no list, on hold", contact(permission_to_send="temp_hold"), Found.DEPARTED),
        ("waits to confirm", contact(permission_to_send="pending_confirmation"), Found.WAITING),
        ("on the list after all", contact(list_ids=frozenset({LIST, OTHER_LIST})), Found.MEMBER),
        ("without its lists", contact(list_ids=None), Found.UNCLEAR),
    ],
)  # fmt: skip
def test_what_somebody_missing_has_done(case: str, found: Contact | None, expected: Found) -> None:
    """A deleted contact has not left the list, and a listing may be older than the contact."""
    assert judge_missing(found, None, LIST) is expected, case


@pytest.mark.parametrize(
    ("case", "source", "shown"),
    [
        ("the contact's own", "Contact", "Contact"),
        ("the account's: staff, or an import since", "Account", None),
        ("nobody's", None, None),
    ],
)
def test_whose_act_a_departure_was(case: str, source: str | None, shown: str | None) -> None:
    """The source is that of the contact's last change: it never proves that staff took somebody off."""
    assert whose_act(contact(update_source=source)) == shown, case
