"""Histories that broke a promise once, shrunk by the machine and kept. Their steps: `tests.machine.steps`."""

from tests.machine.histories import play

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


def test_a_return_from_an_opt_out_without_a_date_is_noticed() -> None:
    """Else an account made after the return is set to false."""
    play(0, [("come_from_elsewhere", 4, 3), ("run", 0), ("come_back", 0, 0), ("sign_up_business", 4, 1)])


def test_what_staff_undid_before_any_look_is_no_opt_out() -> None:
    """ccsync cannot know of it, and nobody can blame it for that: the machine counts acts that a run could see."""
    keeps_lists = 2
    play(keeps_lists, [("sign_up", 0, 2), ("settle", 0), ("unsubscribe", 0, 0), ("come_back", 0, 2)])
