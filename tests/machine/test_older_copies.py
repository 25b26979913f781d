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
