"""Bulk removals whose answer was lost: they may take effect late, when the person has said yes and was sent again.

The vendor has no idempotency key and shows no content of a job, so none of its jobs is taken for the lost one: what it
did is unknown. Every unknown job that is not over is watched, and until then the person counts as leaving the list.
"""

from collections.abc import Sequence

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_constant_contact import activities
from ccsync.models import Activity
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state.outbox.removals import LOST, Removal


def look(context: Context, under_way: Sequence[Removal]) -> tuple[dict[str, Activity | None], dict[int, Sequence[str]]]:
    """The bulk jobs of these removals that are over, and by task what of `activity_ids` is not. Raises what
    `ccsync.errors` lists.
    """
    noted = {each for one in under_way for each in one.activity_ids}
    over = activities.look_at(context, {each.removeprefix(LOST) for each in noted} - {""})
    unknown = _unknown(context) if LOST in noted else []
    return over, {one.id: _open(one, over, unknown) for one in under_way}


def _open(one: Removal, over: dict[str, Activity | None], unknown: Sequence[str]) -> Sequence[str]:
    found = [each for each in one.activity_ids if each != LOST and each.removeprefix(LOST) not in over]
    return [*found, *(each for each in unknown if each not in found)] if LOST in one.activity_ids else found


def _unknown(context: Context) -> list[str]:
    """The bulk jobs under way that nobody is known to have started, each as perhaps the lost one."""
    try:
        shown = activities.shown(context)
    except (RefusedError, VendorUnreachable) as error:
        control.blame_record_at_constant_contact(context, error)
        return [LOST]  # no opt-out waits for this look: the next run makes it
    known = activities.known(context)
    return [LOST + one.activity_id for one in shown if not one.is_finished and one.activity_id not in known]
