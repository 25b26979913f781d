"""The table of decisions: one row for each case that can meet a person."""

from datetime import UTC, datetime, timedelta

import pytest

from ccsync.jobs.decisions import Act, Target, decide, has_left_too_many, is_own_return, lifted_by_opt_in
from ccsync.models import Contact
from ccsync.state.people import DEPARTED, OPTED_OUT, UNSUBSCRIBED, KnownContact, Suppression

LIST, OTHER_LIST = "list-1", "list-2"
PERSON, NEW, OLD, ALONE = b"p" * 16, b"new", b"old", b"alone"
DAY = datetime(2026, 5, 1, tzinfo=UTC)


def known(*, is_ours: bool = True, list_id: str | None = LIST, fingerprint: bytes | None = OLD) -> KnownContact:
    return KnownContact(is_ours, list_id, fingerprint, "contact-1", list_id)


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
        ("another source's, added before", known(is_ours=False, fingerprint=ALONE), [], False, None,
         Act.UNCHANGED, True),
        ("another source's, to be overwritten", known(is_ours=False, list_id=None, fingerprint=None), [], True, None,
         Act.ADD, False),
        ("on the list before ccsync, adopted", ADOPTED, [], False, None, Act.UPDATE, False),
        ("adopted, refused, not changed", ADOPTED, [], False, NEW, Act.SET_ASIDE, False),
        ("adopted, then left", ADOPTED, [suppressed(DEPARTED, LIST)], False, None, Act.SUPPRESS, False),
        ("unsubscribed", None, [suppressed(UNSUBSCRIBED)], False, None, Act.SUPPRESS, False),
        ("unsubscribed, was sent", known(), [suppressed(UNSUBSCRIBED)], False, None, Act.SUPPRESS, False),
        ("unsubscribed, overwriting", known(is_ours=False), [suppressed(UNSUBSCRIBED)], True, None,
         Act.SUPPRESS, False),
        ("left this list", known(), [suppressed(DEPARTED, LIST)], False, None, Act.SUPPRESS, False),
        ("left another list", known(list_id=OTHER_LIST), [suppressed(DEPARTED, OTHER_LIST)], False, None,
         Act.ADD, False),
        ("opted out in the store", known(), [suppressed(OPTED_OUT)], False, None, Act.SUPPRESS, False),
        ("refused, not changed", None, [], False, NEW, Act.SET_ASIDE, False),
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
        Target(LIST, overwrite),
        fingerprint=NEW,
        email_only_fingerprint=ALONE,
        refused_fingerprint=refused,
    )
    assert (decision.act, decision.is_email_only) == (act, is_email_only), case
    assert decision.reason


@pytest.mark.parametrize(
    ("case", "kinds", "was", "created_at", "lifted"),
    [
        ("observed no, then yes", [DEPARTED, OPTED_OUT], False, None, [DEPARTED, OPTED_OUT]),
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


def contact(**changes: object) -> Contact:
    values: dict[str, object] = {
        "contact_id": "1", "email": "pat@example.com", "permission_to_send": "explicit",
        "opt_in_date": DAY + timedelta(days=2), "opt_in_source": "Contact", "opt_out_date": None,
        "opt_out_source": None, "create_source": None, "update_source": None, "created_at": None, "updated_at": None,
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
        ("deleted", {"deleted_at": DAY}, False),
    ],
)
def test_who_has_come_back_by_their_own_act(case: str, changes: dict[str, object], is_return: bool) -> None:
    """Staff's or an import's re-subscribe lifts nothing."""
    assert is_own_return(contact(**changes), DAY) is is_return, case


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
