"""Histories after which `reconcile` once named a drift that was none, or that nothing mended.

See `test_regressions`.
"""

import pytest

from tests.machine.histories import play

pytestmark = pytest.mark.undescribed  # as in `test_histories`

CONFIRMED_OPT_IN = 1


def test_who_waits_for_confirmation_is_no_drift() -> None:
    """reconcile says of a contact that waits for its person's confirmation that it waits, not that it is missing."""
    play(CONFIRMED_OPT_IN, [("sign_up", 0, 1), ("run", 3), ("move", 0, 0, 4)])


def test_who_left_and_rejoined_is_no_drift() -> None:
    """Somebody who left and put themselves on the list again was not put there by ccsync, whatever the store says."""
    play(
        0,
        [
            *(("sign_up", where, 2) for where in (0, 1, 2, 0)),
            ("sign_up", 0, 0),
            ("run", 3),
            ("decide", 0, 0),
            ("leave", 0, 0),
            ("run", 2),
            ("run", 0),
            ("rejoin", 0, 0),
        ],
    )


def test_who_is_held_since_an_older_file_was_put_back_is_no_drift() -> None:
    """That is nobody's opt-out: reconcile does not call it one, and no repair writes it to the store."""
    first = [("sign_up", where, 2) for where in (0, 1, 2, 4)]
    play(
        5,
        [
            *first,
            ("run", 3),
            ("unsubscribe", 428, 0),
            ("leave", 695, 0),
            ("keep_copy",),
            ("refuse_everything", 0, 1),
            ("run", 2),
            ("unsubscribe", 129, 1),
            ("put_back",),
        ],
    )


def test_who_is_held_says_no_in_the_store_and_rejoins_is_no_drift() -> None:
    """What had put them on the list is over: they came back another way, and stay."""
    first = [("sign_up", 0, 0), ("sign_up", 0, 1), ("sign_up", 0, 0), ("change_segment", 4, 0), ("run", 3)]
    held = [("leave", 0, 0), ("time_passes", 0), ("wrong_clock", 2, 2, 1)]
    with_tags = 8
    play(with_tags, [*first, *held, ("decide", 73, 0), ("rejoin", 0, 0)])


def test_a_contact_that_moved_to_an_address_whose_own_was_erased_is_no_drift() -> None:
    """The account there opts out: the contact that ccsync had put there is gone, and this one came by its own move."""
    first = [("sign_up", where, how) for where, how in ((0, 1), (0, 0), (0, 0), (3, 1))]
    before = [("run", 3), ("rename", 0, 0, 0), ("delete_contact", 159, 1), ("delete_account", 229), ("settle", 0)]
    play(0, [*first, *before, ("rename", 0, 0, 3), ("decide", 875, 0)])


def test_a_member_who_moved_to_an_address_whose_own_contact_was_erased_is_no_drift() -> None:
    """Its account says no. Staff had put the contact on the list, which ccsync had taken off or never knew."""
    first = [("sign_up", where, how) for where, how in ((0, 1), (0, 0), (3, 1), (0, 2))]
    before = [("run", 3), ("delete_contact", 159, 1), ("delete_account", 0), ("decide", 437, 0), ("settle", 0)]
    play(0, [*first, *before, ("decide", 763, 0), ("rejoin", 0, 0), ("rename", 0, 0, 3)])
    first = [("sign_up", where, how) for where, how in ((0, 1), (0, 0), (0, 0), (3, 1), (4, 2))]
    before = [("run", 3), ("rename", 766, 2, 0), ("delete_contact", 0, 0), ("delete_account", 229), ("settle", 0)]
    after = [("rejoin", 0, 0), ("come_from_elsewhere", 5, 0), ("delete_contact", 0, 0), ("rename", 0, 0, 3)]
    play(0, [*first, *before, ("decide", 763, 0), *after])


def test_who_comes_back_while_their_account_has_moved_on_is_no_drift() -> None:
    """ccsync had written that they left to the account, which has another address now: its no is not the person's."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (1, 2), (2, 2), (3, 1), (4, 1))]
    before = [("run", 3), ("confirm", 0), ("refuse_contact", 0, 0, 0), ("run", 0), ("hand_over", 423, 0)]
    written = [("leave", 504, 0), ("redact", 0, 0, 0), ("fail", 0, 0, 0), ("fail", 1, 12, 5)]
    play(0, [*first, *before, *written, ("move", 987, 0, 0), ("rejoin", 0, 0)])


def test_a_deleted_contact_whose_person_s_earlier_one_came_back_under_another_address_is_sent_anew() -> None:
    """It was looked for under that other address, where it is not."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (0, 0), (2, 2), (3, 2))]
    before = [("run", 3), ("edit", 0), ("sign_up", 0, 0), ("race", 0, 0, 0, 671, 0, 0)]
    moved = [("unsubscribe", 0, 0), ("rename", 0, 2, 0), ("race", 0, 0, 0, 106, 0, 0), ("come_back", 0, 0)]
    play(0, [*first, *before, *moved, ("settle", 0), ("delete_contact", 565, 0)])
