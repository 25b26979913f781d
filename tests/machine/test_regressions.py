"""Histories that broke a promise once, shrunk by the machine and kept. What a step does: `tests/machine/steps`."""

import pytest

from tests.machine.histories import play
from tests.machine.steps import Step

pytestmark = pytest.mark.undescribed  # as in `test_histories`


def test_a_deleted_contact_comes_back_in_any_order_of_jobs() -> None:
    """Staff's deletion is no person's act: who opts in is sent anew, also when the flush runs before the comparison."""
    play(0, [("sign_up", 0, 1), ("run", 3), ("delete_contact", 0, 0)])


def test_who_is_gone_a_second_time_is_noticed() -> None:
    """Somebody who was gone, was sent anew, and is gone again is missed by the comparison like anybody else."""
    play(
        0,
        [
            *(("sign_up", where, 2) for where in (0, 2, 3, 4)),
            ("run", 3),
            ("rename", 117, 2, 0),
            ("run", 2),
            ("run", 0),
            ("rename", 367, 0, 1),
        ],
    )


def test_nobody_is_sent_whose_contact_moved_said_no_and_was_erased() -> None:
    """What a contact said under its next address is erased with it: in doubt its old address is not sent."""
    first = [("sign_up", where, 2) for where in (0, 1, 2)]
    play(0, [*first, ("settle", 0), ("rename", 0, 2, 0), ("unsubscribe", 0, 0), ("delete_contact", 0, 1)])


def test_a_yes_after_a_contact_was_erased_unseen_is_sent() -> None:
    """It unsubscribed, had its address changed and was erased between two looks: nothing shows that any more."""
    acts = [("unsubscribe", 0, 0), ("rename", 0, 0, 4), ("delete_contact", 0, 1)]
    play(0, [("sign_up", 0, 1), ("settle", 0), *acts, ("settle", 0), ("sign_up", 0, 2)])


def test_a_return_from_an_opt_out_without_a_date_is_noticed() -> None:
    """Else an account made after the return is set to false."""
    play(0, [("come_from_elsewhere", 4, 3), ("run", 0), ("come_back", 0, 0), ("sign_up_business", 4, 1)])


def test_what_staff_undid_before_any_look_is_no_opt_out() -> None:
    """ccsync cannot know of it, and nobody can blame it for that: the machine counts acts that a run could see."""
    keeps_lists = 2
    play(keeps_lists, [("sign_up", 0, 2), ("settle", 0), ("unsubscribe", 0, 0), ("come_back", 0, 2)])


def test_an_opt_out_that_staff_undid_follows_the_contact_to_its_next_address() -> None:
    """Nobody is sent under it, though the contact shows another permission."""
    first = [("sign_up", where, how) for where, how in ((0, 0), (0, 2), (0, 0), (3, 1), (4, 1))]
    play(
        0,
        [
            *first,
            ("run", 3),
            ("unsubscribe", 247, 0),
            ("settle", 0),
            ("come_back", 0, 2),
            ("unsubscribe", 0, 0),
            ("sign_up", 0, 0),
            ("run", 0),
            ("rename", 58, 0, 5),
            ("sign_up", 5, 2),
        ],
    )


def test_a_return_before_the_store_took_the_opt_out() -> None:
    """A flush has recorded it, and the person came back before a poll wrote it."""
    play(
        0,
        [("sign_up", 0, 1), ("run", 3), ("unsubscribe", 0, 0), ("run", 0), ("come_back", 0, 0), ("run", 1)],
    )


def test_a_return_under_another_address_before_any_look() -> None:
    """Unsubscribed, renamed and back: that is no departure."""
    play(0, [("sign_up", 0, 1), ("run", 3), ("unsubscribe", 0, 0), ("rename", 0, 0, 5), ("come_back", 0, 0)])


def test_a_new_account_on_an_address_whose_contact_was_erased() -> None:
    """A yes that is newer than the look which missed the contact counts."""
    first = [("sign_up", where, how) for where, how in ((0, 1), (0, 0), (2, 1), (0, 0), (4, 1))]
    play(
        0,
        [*first, ("run", 3), ("hand_over", 644, 76), ("delete_contact", 986, 1), ("settle", 0), ("sign_up", 4, 1)],
    )


def test_events_are_pulled_also_where_some_have_expired() -> None:
    """After nine days everybody is compared, which shows who opts in. Events that are left name who says no."""
    play(
        0,
        [
            *(("sign_up", where, how) for where, how in ((0, 0), (0, 0), (0, 2), (3, 0), (4, 0))),
            ("run", 3),
            ("time_passes", 3),
            ("hand_over", 157, 0),
        ],
    )


def test_who_came_back_and_took_an_address_that_another_contact_had_left_has_not_left() -> None:
    """A contact that moved to an address is not the one that ccsync had put there, which has another one now."""
    first = [("sign_up", where, 1) for where in (0, 2, 4)]
    play(
        0,
        [
            *first,
            ("run", 3),
            ("rename", 551, 2, 0),
            ("unsubscribe", 737, 0),
            ("come_back", 0, 0),
            ("rename", 0, 0, 5),
            ("race", 3, 0, 6, 661, 0, 4),
            ("fail", 2, 14, 0),
        ],
    )


def test_an_opt_out_that_staff_undid_may_have_been_met_by_a_run_under_way() -> None:
    """Whether that run had looked before the act or after it, nobody can tell: either is right."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (1, 1), (2, 1), (3, 2), (4, 1))]
    play(
        0,
        [
            *first,
            ("run", 3),
            ("unsubscribe", 489, 0),
            ("unsubscribe", 246, 0),
            ("race", 3, 0, 1, 0, 0, 0),
            ("come_back", 0, 2),
            ("settle", 0),
            ("sign_up", 0, 1),
        ],
    )


def test_an_account_that_moves_between_read_and_write_is_put_back() -> None:
    """Kibo knows no versions, so that the last writer wins; ccsync reads right before it writes."""
    play(0, [("sign_up", 0, 1), ("run", 3), ("unsubscribe", 0, 0), ("race", 2, 8, 5, 0, 799, 0)])


def test_a_return_that_no_full_pass_has_seen_is_forgotten_with_its_contact() -> None:
    """A flush looks for opt-outs alone: the contact is erased before a poll has looked for returns (decision 8)."""
    first = [("sign_up", 0, 2), ("run", 3), ("unsubscribe", 0, 0), ("run", 0)]
    play(0, [*first, ("come_back", 0, 0), ("run", 0), ("delete_contact", 0, 1)])


def test_who_left_under_another_address_has_left_under_the_next_one() -> None:
    """An account that opts in on the address to which such a contact moves is not sent: in doubt nobody is mailed."""
    play(0, [("sign_up", 4, 1), ("run", 3), ("leave", 0, 0), ("sign_up", 0, 1), ("rename", 0, 0, 0), ("run", 2)])


def test_a_yes_may_be_as_new_as_the_last_change_of_its_account() -> None:
    """Somebody opts in, unsubscribes, and edits the account before any run: in doubt nobody's consent is touched."""
    before = [("sign_up", 0, 1), ("run", 3), ("leave", 0, 0), ("run", 2)]
    play(0, [*before, ("decide", 0, 1), ("unsubscribe", 0, 0), ("edit", 0)])


def test_an_opt_out_without_a_date_says_nothing_where_another_is_known() -> None:
    """A contact that comes unsubscribed to the former address of another one who unsubscribed is not told from it."""
    first = [("sign_up", where, how) for where, how in ((0, 0), (2, 2))]
    play(
        0,
        [
            *first,
            ("run", 3),
            ("rename", 0, 0, 0),
            ("unsubscribe", 0, 0),
            ("run", 2),
            ("decide", 1, 1),
            ("run", 0),
            ("come_from_elsewhere", 2, 3),
        ],
    )


def test_an_opt_out_that_was_erased_unseen_stops_no_import() -> None:
    """Also while that import is still on its way, so that the address has no other contact yet."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (1, 2), (2, 2), (0, 0), (4, 1))]
    play(
        0,
        [
            *first,
            ("settle", 0),
            ("unsubscribe", 979, 0),
            ("decide", 419, 0),
            ("delete_contact", 507, 1),
            ("run", 0),
            ("decide", 0, 0),
            ("decide", 994, 1),
            ("hang", 1, 0),
            ("wrong_clock", 0, 0, 0),
        ],
    )


def test_a_contact_is_tagged_by_its_id_whatever_its_next_address_was() -> None:
    """It moved, before any look, to an address that another contact had left and that is suppressed for that one."""
    without_segments_in_rows = 9
    play(
        without_segments_in_rows,
        [
            *(("sign_up", where, how) for where, how in ((0, 2), (1, 2), (3, 2), (4, 1))),
            ("settle", 0),
            ("delete_account", 0),
            ("unsubscribe", 0, 0),
            ("sign_up", 4, 1),
            ("unsubscribe", 67, 0),
            ("change_segment", 895, 0),
            ("rename", 734, 2, 0),
            ("rename", 15, 0, 3),
        ],
    )


def test_while_constant_contact_is_down_a_return_that_a_flush_could_not_see_is_unseen() -> None:
    """The opt-out that an earlier run has recorded goes to the store: only a full pass looks for returns."""
    first = [("sign_up", 0, 1), ("run", 3), ("unsubscribe", 0, 0), ("run", 0), ("come_back", 0, 0), ("run", 0)]
    play(0, [*first, ("refuse_everything", 3, 0), ("run", 2)])


def test_while_constant_contact_is_down_nobody_is_written_whom_a_full_pass_has_missed() -> None:
    """It could not look at their contact: they may be back. Then the day's calls are used up."""
    first = [("sign_up", 1, 1), ("run", 3), ("unsubscribe", 0, 0), ("run", 0), ("come_back", 0, 0)]
    play(0, [*first, ("refuse_contact", 193, 4, 0), ("run", 4), ("fail", 2, 0, 6)])


def test_a_return_just_after_a_look_that_is_dated_too_late() -> None:
    """Ten minutes later than it was: the opt-in that the look showed tells that the person came back after it."""
    first = [("sign_up", 0, 0), ("sign_up", 4, 2), ("run", 3)]
    play(0, [*first, ("wrong_clock", 2, 2, 0), ("unsubscribe", 0, 0), ("come_back", 0, 0)])


def test_a_return_while_an_import_hangs() -> None:
    """It puts the person on the list at once and ends a day later: when they came to be there is unknown, so nobody is
    mailed and the store keeps the yes.
    """
    first = [("sign_up", 0, 2), ("sign_up", 1, 1), ("run", 3), ("sign_up", 2, 2), ("hang", 0, 0), ("run", 0)]
    play(0, [*first, ("unsubscribe", 2, 0), ("come_back", 0, 0)])


def test_after_two_weeks_nobody_knows_who_says_no_on_an_address_that_changed_hands() -> None:
    """Events have expired, and the reading of everybody is of those who opt in."""
    first = [("sign_up", 1, 0), ("sign_up", 0, 2), ("sign_up", 3, 0), ("sign_up", 4, 0), ("run", 3)]
    play(0, [*first, ("hand_over", 929, 0), ("sign_up", 0, 0), ("time_passes", 3), ("time_passes", 2)])


def test_tags_of_a_contact_that_opted_out_and_was_deleted() -> None:
    """No listing of opt-outs shows a deleted contact: it may be tagged until a comparison of the list looks at it."""
    with_tags, first = 8, [("sign_up", 0, 1), ("change_segment", 0, 0), ("run", 3)]
    play(with_tags, [*first, ("unsubscribe", 0, 0), ("untag_by_hand", 0, 0), ("delete_contact", 0, 0)])


def test_an_opt_out_without_a_date_that_was_first_seen_by_a_wrong_clock() -> None:
    """It counts as old as that clock says, so that a yes seems newer: nobody is mailed, and the store keeps the yes."""
    first = [("sign_up", 2, 0), ("run", 3), ("decide", 0, 1), ("come_from_elsewhere", 2, 3)]
    play(0, [*first, ("wrong_clock", 0, 0, 6)])


def test_a_return_from_an_opt_out_without_a_date_that_was_last_seen_by_a_wrong_clock() -> None:
    """The opt-in that was shown beside the opt-out tells that the person came back after it."""
    first = [("sign_up", 3, 0), ("run", 3), ("come_from_elsewhere", 3, 3), ("decide", 0, 1), ("run", 0)]
    play(0, [*first, ("wrong_clock", 1, 0, 5), ("come_back", 0, 0)])


@pytest.mark.parametrize("deletes", [[], [("delete_contact", 773, 0)], [("run", 3), ("delete_contact", 773, 1)]])
def test_a_return_of_somebody_erased_is_seen_before_the_account_that_moves_to_the_address_is_written(
    deletes: list[Step],
) -> None:
    """What was known of the contact went with the person's account; the new one makes its address known again.

    Where the contact is gone for good by then, nothing is written.
    """
    first = [("sign_up", where, how) for where, how in ((0, 0), (0, 0), (2, 1), (3, 2), (4, 0))]
    before = [("run", 3), ("delete_account", 562), ("sign_up", 1, 2), ("unsubscribe", 0, 0), ("run", 4)]
    after = [("come_back", 0, 0), ("run", 0), *deletes]
    moved = [("sign_up_business", 4, 0), ("sign_up", 0, 0), ("delete_account", 0), ("move", 225, 0, 2)]
    play(0, [*first, *before, *after, *moved])


@pytest.mark.parametrize("boundary", range(44, 53))
def test_the_only_member_leaves_and_the_poll_that_sees_it_dies(boundary: int) -> None:
    """A look has noted that they are off the list, and nothing else: the next comparison concludes what follows."""
    play(0, [("sign_up", 0, 1), ("settle", 0), ("leave", 0, 0), ("die", 1, boundary)])


@pytest.mark.parametrize("boundary", [60, 64, 68])
def test_a_tag_that_staff_took_off_while_a_run_that_set_it_elsewhere_died(boundary: int) -> None:
    """reconcile comes before the next job: whoever may have the tag is not counted in place of who lost it."""
    first = [("sign_up", where, how) for where, how in ((0, 0), (0, 1), (2, 2), (0, 0), (4, 1))]
    segments = [("change_segment", who, which) for who, which in ((1, 0), (2, 1), (4, 0))]
    after = [("run", 3), ("untag_by_hand", 0, 0), ("run", 0), ("run", 0), ("change_segment", 277, 0)]
    without_segments_in_rows = 9
    play(without_segments_in_rows, [*first, *segments, *after, ("die", 0, boundary)])


@pytest.mark.parametrize("nth", range(11, 14))
def test_a_tag_is_taken_off_that_a_job_without_an_answer_may_have_set(nth: int) -> None:
    """It had not been set, and to take off what is not there harms nobody."""
    with_tags, first = 8, [("sign_up", 0, 1), ("run", 3), ("change_segment", 0, 2)]
    play(with_tags, [*first, ("fail", 3, nth, 4), ("change_segment", 0, 2), ("run", 3)])


def test_an_opt_out_of_a_contact_that_staff_delete_and_that_leaves_the_list_for_a_no_in_the_store() -> None:
    """No listing shows it, and nobody looks for who was taken off the list: another account there keeps its yes."""
    first = [*(("sign_up", where, 1) for where in range(4)), ("settle", 0), ("sign_up", 1, 1), ("decide", 1, 0)]
    play(0, [*first, ("unsubscribe", 1, 0), ("delete_contact", 1, 0)])


def test_an_opt_out_with_which_a_contact_came_and_that_staff_undid_may_have_been_met_by_a_run_that_died() -> None:
    """Then it stays an opt-out, like any other that only staff has undone."""
    play(0, [("sign_up", 0, 0), ("come_from_elsewhere", 0, 3), ("decide", 0, 1), ("die", 0, 50), ("come_back", 0, 2)])


def test_an_opt_out_of_a_contact_that_staff_deleted_holds_where_another_one_has_taken_its_address() -> None:
    """Whoever signs up there is not sent: only their own return at Constant Contact would lift it."""
    first = [("sign_up", 0, 2), ("sign_up", 2, 1), ("sign_up", 3, 1), ("run", 3), ("move", 0, 0, 0), ("leave", 0, 0)]
    out = [("unsubscribe", 130, 0), ("come_back", 0, 0), ("unsubscribe", 329, 0), ("race", 1, 20, 7, 761, 121, 0)]
    play(0, [*first, *out, ("rename", 0, 0, 0), ("rename", 0, 0, 3), ("settle", 0), ("sign_up", 3, 2)])


def test_an_opt_out_without_a_date_that_staff_undid_before_any_full_pass() -> None:
    """A flush asks for the opt-outs since a date: it cannot have met one that has none."""
    first = [("sign_up", 0, 0), ("sign_up", 2, 0), ("run", 3), ("come_from_elsewhere", 2, 3), ("run", 0)]
    play(0, [*first, ("come_back", 0, 2), ("decide", 121, 1)])


def test_who_came_back_unsubscribed_again_and_was_deleted_by_staff_is_opted_out_by_the_newer_act() -> None:
    """No listing shows the second opt-out; the look at the contact does, and a yes from between the two is older."""
    first = [*(("sign_up", where, kind) for where, kind in ((0, 1), (1, 2), (2, 1), (3, 1), (4, 2))), ("run", 3)]
    out = [("unsubscribe", 9, 0), ("unsubscribe", 0, 0), ("unsubscribe", 593, 0), ("sign_up", 3, 1)]
    again = [("race", 0, 0, 0, 0, 0, 0), ("come_back", 715, 0), ("unsubscribe", 200, 0), ("delete_contact", 63, 0)]
    play(0, [*first, *out, *again])


def test_the_yes_of_an_address_s_owner_is_older_than_the_no_of_its_former_one_that_a_poll_reads_first() -> None:
    """Somebody who had said no on it says yes again, and the account that had moved away says no after that."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (1, 2), (0, 0), (3, 2), (0, 1))]
    before = [("run", 3), ("decide", 0, 0), ("hand_over", 954, 0), ("settle", 0)]
    noes = [("decide", 0, 1), ("decide", 429, 0), ("unsubscribe", 0, 0), ("leave", 0, 0), ("short_page", 0, 0)]
    play(0, [*first, *before, *noes])


def test_a_return_while_an_import_hangs_where_too_many_are_gone_to_look_at_each_first() -> None:
    """Nothing shows that they were on the list at the end of the import, after their return."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (1, 1), (2, 2), (0, 0), (0, 0))]
    before = [("run", 3), ("sign_up", 2, 0), ("delete_contact", 8, 1), ("redact", 0, 0, 0), ("settle", 0)]
    hanging = [("sign_up", 0, 2), ("move", 0, 0, 0), ("hang", 0, 0), ("run", 0)]
    confirmed_opt_in = 1
    play(confirmed_opt_in, [*first, *before, *hanging, ("unsubscribe", 0, 0), ("come_back", 0, 0), ("sign_up", 5, 1)])


def test_whom_a_removal_that_hangs_takes_off_under_their_new_address_has_not_left() -> None:
    """The contact was put on the list under an address that says no now, and its next one says yes."""
    first = [("sign_up", where, how) for where, how in ((0, 0), (0, 0), (0, 0), (4, 1))]
    before = [("run", 3), ("hang", 1, 0), ("rename", 0, 0, 5), ("sign_up", 5, 2), ("redact", 0, 0, 0)]
    play(0, [*first, *before, ("decide", 450, 0), ("run", 0)])


def test_who_confirms_has_the_tags_of_the_segments_where_rows_do_not_show_them() -> None:
    """The contact was created singly, and no comparison of rows finds what was not noted then."""
    first = [("sign_up", where, how) for where, how in ((0, 0), (0, 0), (2, 1), (3, 2), (4, 0))]
    before = [("change_segment", 1, 0), ("run", 3), ("decide", 594, 1), ("decide", 691, 1)]
    without_segments_in_rows = 9
    play(without_segments_in_rows, [*first, *before, ("unsubscribe", 0, 0), ("run", 0), ("confirm", 0)])


def test_a_contact_that_comes_from_elsewhere_after_its_address_was_refused_keeps_its_data() -> None:
    """The next try looks for the contact first, and sends the address alone."""
    first = [("sign_up", 0, 0), ("refuse_contact", 521, 2, 0), ("sign_up", 5, 1), ("run", 3)]
    play(0, [*first, ("come_from_elsewhere", 5, 0)])


def test_a_return_that_was_erased_unseen_lifts_no_opt_out_that_was_seen() -> None:
    """Only Constant Contact could show it, and the contact is gone: an opt-in in the store does not bring them back."""
    first = [("sign_up", where, how) for where, how in ((0, 2), (0, 0), (0, 0), (3, 2), (4, 2))]
    before = [("run", 3), ("unsubscribe", 359, 0), ("fail", 0, 0, 0), ("sign_up_business", 0, 0)]
    erased = [("delete_account", 0), ("come_back", 0, 0), ("delete_contact", 974, 1), ("settle", 0)]
    play(0, [*first, *before, *erased, ("decide", 633, 1)])


def test_an_opt_out_of_somebody_who_had_left_the_list_and_whose_contact_is_deleted_before_any_look() -> None:
    """No listing shows it, and nobody looks for who has left: a newer account there keeps its yes, and is not sent."""
    first = [("sign_up", 0, 1), ("sign_up", 1, 1), ("settle", 0), ("leave", 0, 0), ("sign_up", 0, 1), ("run", 2)]
    play(0, [*first, ("unsubscribe", 0, 0), ("delete_contact", 0, 0)])
