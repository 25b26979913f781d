"""Histories in which an older copy of the state file was put back, and that broke a promise once.

See `test_regressions`.
"""

import pytest

from tests.machine.histories import play

pytestmark = pytest.mark.undescribed  # as in `test_histories`


def test_an_opt_out_that_only_a_lost_state_file_knew_and_staff_undid() -> None:
    """A flush had seen it, and the copy that is put back was made before: in doubt the store keeps the yes."""
    first = [("sign_up", 0, 2), ("run", 3), ("unsubscribe", 0, 0)]
    play(0, [*first, ("keep_copy",), ("run", 0), ("come_back", 0, 2), ("put_back",)])


def test_an_unsubscribe_that_was_undone_before_ccsync_set_one_itself() -> None:
    """The lost state file knew the return; what is shown is the one that ccsync set for another address's no."""
    first = [("sign_up", 0, 2), ("sign_up", 1, 1), ("sign_up", 2, 2), ("sign_up", 3, 2), ("sign_up", 0, 0), ("run", 3)]
    copied = [("unsubscribe", 0, 0), ("run", 0), ("delete_contact", 962, 0), ("keep_copy",)]
    lost = [("come_back", 0, 0), ("rename", 437, 1, 0), ("settle", 0), ("rename", 453, 0, 3), ("decide", 393, 0)]
    unsubscribes_opt_outs = 8
    play(unsubscribes_opt_outs, [*first, *copied, *lost, ("run", 0), ("put_back",)])
