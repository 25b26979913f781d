"""The table of decisions: one row for each case that can meet a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ccsync.consent.decisions import (
    Act,
    Returned,
    Target,
    decide,
    gets_a_welcome,
    is_own_return,
    return_between_looks,
)
from ccsync.consent.kibo_consent import Seen, lifted_by_opt_in, what_is_seen
from ccsync.consent.safety_limit import has_left_too_many, let_through
from ccsync.models import Contact, KnownContact, Sent
from ccsync.state.suppressions import DEPARTED, OPTED_OUT, RESTORED, UNSUBSCRIBED, Suppression

LIST, OTHER_LIST = "list-1", "list-2"
PERSON, NEW, OLD, ALONE = b"p" * 16, b"new", b"old", b"alone"
DAY = datetime(2026, 5, 1, tzinfo=UTC)


def known(*, is_ours: bool = True, list_id: str | None = LIST, fingerprint: bytes | None = OLD) -> KnownContact:
    sent = None if list_id is None else Sent(list_id, fingerprint, DAY, None)
    return KnownContact(is_ours, "contact-1", "implicit", list_id, DAY, sent=sent)


def seen(at: datetime, *, is_ours: bool = False, was_sent: bool = False, **sighting: object) -> KnownContact:
    """A contact as a sighting at that time showed it."""
    sent = Sent(LIST, NEW, DAY - timedelta(days=9), None) if was_sent else None
    return replace(KnownContact(is_ours, "contact-1", "implicit", None, at, sent=sent), **sighting)  # type: ignore[arg-type]


ADOPTED = known(fingerprint=None)


def suppressed(kind: str, list_id: str = "") -> Suppression:
    return Suppression(PERSON, kind, list_id, "contact-1", DAY, "Contact")


@pytest.mark.parametrize(
    ("case", "contact", "suppressions", "overwrite", "refused", "act", "is_email_only"),
    [
        ("never seen", None, [], False, None, Act.ADD, False),
        ("prepared, never confirmed", known(list_id=None, fingerprint=None), [], False, None, Act.ADD, False),
        ("on another list so far", known(list_id=OTHER_LIST), [], False, None, Act.ADD, False),
        ("sent, nothing changed", known(fingerprint=NEW), [], False, None, Act.UNCHANGED, False),
        ("sent, a field changed", known(), [], False, None, Act.UPDATE, False),
        ("another source's, not on the list", known(is_ours=False, list_id=None, fingerprint=None), [], False, None,
         Act.ADD, True),
        ("another source's, found on the list", seen(DAY, member_of=LIST), [], False, None,
         Act.UNCHANGED, True),
        ("another source's, seen there last week", seen(DAY - timedelta(days=7), member_of=LIST), [], False, None,
         Act.ADD, True),
        ("waits to confirm", seen(DAY, is_ours=True, permission="pending_confirmation"), [], False, None,
         Act.UNCHANGED, True),
        ("moved to another address", seen(DAY, was_sent=True, is_ours=True, moved_to=b"q"), [], False, None,
         Act.UNCHANGED, True),
        ("sent, and seen off the list since", seen(DAY, was_sent=True, is_ours=True), [], False, None,
         Act.DEPARTED, False),
        ("sent, and taken off by ccsync", replace(known(fingerprint=NEW), sent=Sent(LIST, NEW, DAY, DAY)), [], False,
         None, Act.ADD, False),
        ("another source's, on the list before", known(is_ours=False, fingerprint=None), [], False, None,
         Act.UNCHANGED, True),
        ("another source's, added before", known(is_ours=False, fingerprint=ALONE), [], False, None,
         Act.UNCHANGED, True),
        ("another source's, to be overwritten", known(is_ours=False, list_id=None, fingerprint=None), [], True, None,
         Act.ADD, False),
        ("on the list before ccsync, adopted", ADOPTED, [], False, None, Act.UPDATE, False),
        ("adopted, refused, not changed", ADOPTED, [], False, NEW, Act.PARKED, False),
        ("adopted, then left", ADOPTED, [suppressed(DEPARTED, LIST)], False, None, Act.SUPPRESS, False),
        ("unsubscribed", None, [suppressed(UNSUBSCRIBED)], False, None, Act.SUPPRESS, False),
        ("unsubscribed, was sent", known(), [suppressed(UNSUBSCRIBED)], False, None, Act.SUPPRESS, False),
        ("unsubscribed, overwriting", known(is_ours=False), [suppressed(UNSUBSCRIBED)], True, None,
         Act.SUPPRESS, False),
        ("left this list", known(), [suppressed(DEPARTED, LIST)], False, None, Act.SUPPRESS, False),
        ("left another list", known(list_id=OTHER_LIST), [suppressed(DEPARTED, OTHER_LIST)], False, None,
         Act.ADD, False),
        ("opted out in the store", known(), [suppressed(OPTED_OUT)], False, None, Act.SUPPRESS, False),
        ("refused, not changed", None, [], False, NEW, Act.PARKED, False),
        ("refused, changed since", None, [], False, OLD, Act.ADD, False),
        ("refused and unsubscribed", None, [suppressed(UNSUBSCRIBED)], False, NEW, Act.SUPPRESS, False),
        ("an unknown kind of suppression", None, [suppressed("who knows")], False, None, Act.SUPPRESS, False),
    ],
)  # fmt: skip
def test_what_is_done_about_a_person(
    case: str,
    contact: KnownContact | None,
    suppressions: list[Suppression],
    overwrite: bool,
    refused: bytes | None,
    act: Act,
    is_email_only: bool,
) -> None:
    """Consent first, then what was refused, then what changed; other sources' data is left alone."""
    decision = decide(
        contact,
        suppressions,
        Target(LIST, overwrite, DAY - timedelta(minutes=10), DAY + timedelta(minutes=10)),
        fingerprint=NEW,
        email_only_fingerprint=ALONE,
        refused_fingerprint=refused,
    )
    assert (decision.act, decision.is_email_only) == (act, is_email_only), case
    assert decision.reason


@pytest.mark.parametrize(
    ("case", "kinds", "was", "created_at", "lifted"),
    [
        ("observed no, then yes, without a date", [DEPARTED, OPTED_OUT], False, None, [DEPARTED, OPTED_OUT]),
        ("an unsubscribe is never lifted", [UNSUBSCRIBED], False, DAY + timedelta(days=1), []),
        ("still yes is no change", [DEPARTED, OPTED_OUT], True, DAY + timedelta(days=1), []),
        ("an older sibling seen for the first time", [OPTED_OUT], None, DAY - timedelta(days=1), []),
        ("an account made after the opt-out", [OPTED_OUT], None, DAY + timedelta(days=1), [OPTED_OUT]),
        ("an account of unknown age", [OPTED_OUT], None, None, []),
    ],
)
def test_what_an_opt_in_at_the_store_outweighs(
    case: str, kinds: list[str], was: bool | None, created_at: datetime | None, lifted: list[str]
) -> None:
    """Only an observed change, or an account made since, is newer than an opt-out."""
    holding = [suppressed(kind) for kind in kinds]
    assert lifted_by_opt_in(holding, was_opted_in=was, created_at=created_at) == lifted, case


@pytest.mark.parametrize(("hours", "is_lifted"), [(None, False), (-1, False), (0, False), (1, True)])
def test_after_a_restore_only_a_later_date_proves_an_opt_in(hours: int | None, is_lifted: bool) -> None:
    """Whoever was off the list then may have left it at any time before that was seen."""
    held = Suppression(PERSON, DEPARTED, LIST, "contact-1", DAY, RESTORED)
    at = None if hours is None else DAY + timedelta(hours=hours)
    assert bool(lifted_by_opt_in([held], was_opted_in=False, created_at=None, updated_at=at)) is is_lifted


@pytest.mark.parametrize(
    ("case", "hours", "is_lifted"),
    [("later than the opt-out", 1, True), ("at the same moment", 0, False), ("before it", -1, False)],
)
def test_of_two_accounts_the_newer_word_counts(case: str, hours: int, is_lifted: bool) -> None:
    """Accounts are not read in the order in which they changed: an opt-in lifts only what is older."""
    lifted = lifted_by_opt_in(
        [suppressed(OPTED_OUT)], was_opted_in=False, created_at=None, updated_at=DAY + timedelta(hours=hours)
    )
    assert bool(lifted) is is_lifted, case


@pytest.mark.parametrize(
    ("case", "was", "is_now", "found"),
    [
        ("a new account that says yes", None, True, Seen.OPT_IN),
        ("a new account that says no", None, False, Seen.NOTHING_NEW),
        ("no, and then yes", False, True, Seen.OPT_IN),
        ("yes, and then no", True, False, Seen.OPT_OUT),
        ("still yes", True, True, Seen.NOTHING_NEW),
        ("still no", False, False, Seen.NOTHING_NEW),
    ],
)
def test_what_an_account_shows(case: str, was: bool | None, is_now: bool, found: Seen) -> None:
    """Only a change from yes to no is an opt-out."""
    assert what_is_seen(was=was, is_now=is_now) is found, case


@pytest.mark.parametrize(
    ("case", "contact", "is_own_sign_up", "is_welcomed"),
    [
        ("new, their own sign-up", None, True, True),
        ("made by staff, or a guest", None, False, False),
        ("known from another source", known(is_ours=False), True, False),
        ("sent before", known(), True, False),
        ("a try that died", known(list_id=None, fingerprint=None), True, False),
    ],
)
def test_who_is_welcomed(case: str, contact: KnownContact | None, is_own_sign_up: bool, is_welcomed: bool) -> None:
    """A welcome e-mail goes to people new to Constant Contact who made the account themselves, and at most once."""
    assert gets_a_welcome(contact, is_own_sign_up=is_own_sign_up) is is_welcomed, case


@pytest.mark.parametrize(
    ("case", "wanted", "done", "on_list", "most", "accept", "let"),
    [
        ("few", 5, 0, 1_000, 500, 0, 5),
        ("a handful may be everybody", 10, 0, 10, 500, 0, 10),
        ("more than the setting", 501, 0, 100_000, 500, 0, 0),
        ("a fifth of the list", 11, 0, 50, 500, 0, 0),
        ("just a fifth", 11, 0, 55, 500, 0, 11),
        ("with what went before in this run", 300, 300, 100_000, 500, 0, 0),
        ("accepted", 600, 0, 100_000, 500, 600, 600),
        ("accepted in part", 600, 0, 100_000, 500, 200, 200),
        ("accepted, part of it done", 600, 150, 100_000, 500, 200, 50),
        ("no safety limit", 900, 0, 1_000, 0, 0, 900),
    ],
)
def test_how_many_the_brake_lets_through(
    case: str, wanted: int, done: int, on_list: int, most: int, accept: int, let: int
) -> None:
    """All, or none, or exactly as many as a person has accepted."""
    assert let_through(wanted, done, on_list, most, accept) == let, case


def contact(**changes: object) -> Contact:
    values: dict[str, object] = {
        "contact_id": "1", "email": "pat@example.com", "permission_to_send": "explicit",
        "opt_in_date": DAY + timedelta(days=2), "opt_in_source": "Contact", "opt_out_date": None,
        "opt_out_source": None, "update_source": None, "created_at": None, "updated_at": None,
        "deleted_at": None, "list_ids": None,
    }  # fmt: skip
    return Contact(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "changes", "is_return"),
    [
        ("their own act", {}, True),
        ("staff's act", {"opt_in_source": "Account"}, False),
        ("older than the opt-out", {"opt_in_date": DAY - timedelta(days=1)}, False),
        ("without a date", {"opt_in_date": None}, False),
        ("still unsubscribed", {"permission_to_send": "unsubscribed"}, False),
        ("not confirmed yet", {"permission_to_send": "pending_confirmation"}, False),
        ("a word we do not know", {"permission_to_send": "paused"}, False),
        ("deleted by staff since", {"deleted_at": DAY + timedelta(days=3)}, True),
    ],
)
def test_who_has_come_back_by_their_own_act(case: str, changes: dict[str, object], is_return: bool) -> None:
    """Staff's or an import's re-subscribe lifts nothing."""
    assert is_own_return(contact(**changes), DAY) is is_return, case


LATER, LATEST = DAY + timedelta(hours=1), DAY + timedelta(hours=6)
SENT = KnownContact(True, "1", member_of=LIST, sent=Sent(LIST, NEW, LATEST, None, took_seconds=6 * 3_600))


@pytest.mark.parametrize(
    ("case", "known", "opted_in_at", "expected"),
    [
        ("after all that was seen", SENT, LATEST + timedelta(minutes=2), Returned.YES),
        ("while the import hung", SENT, LATER, Returned.UNKNOWN),
        ("before it was sent", SENT, DAY - timedelta(minutes=2), Returned.NO),
        ("some time on that day", SENT, DAY.replace(hour=0), Returned.UNKNOWN),
        ("just after a look that shows no opt-in", replace(SENT, seen_at=LATEST), LATEST, Returned.UNKNOWN),
        ("the opt-in that a look has shown", replace(SENT, opt_ins_until=LATER), LATER, Returned.NO),
        ("a later one", replace(SENT, opt_ins_until=LATER), LATER + timedelta(seconds=1), Returned.YES),
        ("an earlier one", replace(SENT, opt_ins_until=LATEST), LATER, Returned.NO),
        ("a look at another contact", replace(SENT, contact_id="2", opt_ins_until=DAY), LATER, Returned.UNKNOWN),
        ("the same day as a look showed", replace(SENT, seen_at=LATER, opt_ins_until=DAY), DAY, Returned.UNKNOWN),
        ("taken off before", replace(SENT, sent=Sent(LIST, NEW, DAY, LATER)), LATEST, Returned.NO),
        ("of another list", replace(SENT, sent=Sent(OTHER_LIST, NEW, DAY, None)), LATEST, Returned.NO),
        ("never sent", None, LATEST, Returned.NO),
    ],
)
def test_who_has_come_back_since_they_were_on_the_list(
    case: str, known: KnownContact | None, opted_in_at: datetime, expected: Returned
) -> None:
    """What the records show tells; where only clocks do, what lies within their doubt is not known."""
    assert return_between_looks(contact(opt_in_date=opted_in_at), known, LIST) is expected, case


def test_staffs_re_subscribe_since_a_look_is_no_return() -> None:
    """Whoever is off the list then has left it."""
    found = return_between_looks(contact(opt_in_source="Account", opt_in_date=LATER), SENT, LIST)
    assert found is Returned.NO


def test_an_opt_out_without_a_date_is_never_outweighed_by_a_return() -> None:
    """In doubt nobody is mailed."""
    assert not is_own_return(contact(), None)


@pytest.mark.parametrize(
    ("gone", "checked", "is_too_many"),
    [(0, 0, False), (10, 10, False), (11, 11, True), (11, 55, False), (12, 55, True), (200, 1000, False)],
)
def test_the_brake(gone: int, checked: int, is_too_many: bool) -> None:
    """A handful may always leave; more than a fifth at once is a mishap until a person says otherwise."""
    assert has_left_too_many(gone, checked) is is_too_many
