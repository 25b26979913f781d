"""Finds people who left the list after ccsync added them: an import would add them again.

What is sent rests on a look at opt-outs and members that is renewed every ten minutes, however long a run takes.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from ccsync.consent.decisions import Act
from ccsync.consent.safety_limit import has_left_too_many
from ccsync.errors import SafetyLimitError
from ccsync.from_constant_contact import members, opt_outs, restored
from ccsync.from_constant_contact.departures import record_departure
from ccsync.from_kibo.staged_decisions import FRESH, iter_decisions, iter_judged
from ccsync.run.context import Context
from ccsync.state import batches
from ccsync.state.staging import Staged
from ccsync.state.views import looked_for
from ccsync.to_constant_contact.batches import leave_out
from ccsync.words import people

_CHUNK = 1_000
MOST_BY_THE_CHEAPEST_WAY = 10_000
"""If there are more than this, the list itself is read, and none of them is kept in memory."""
LetThrough = Callable[[int, int], bool]
"""Do this many missing, of this many looked for, count as departures? Asked if the number is suspicious."""


class ListCheck:
    """The check of opt-outs and members that every send depends on.

    `fix` is the command that lets departures through which `let_through` does not. Not `pulls_opt_outs`: every contact
    is looked at by itself.
    """

    def __init__(
        self,
        context: Context,
        let_through: LetThrough,
        fix: Callable[[int], str],
        *,
        is_retry: bool = False,
        pulls_opt_outs: bool = True,
    ) -> None:
        self._context = context
        self._let_through = let_through
        self._fix = fix
        self._is_retry = is_retry
        self._pulls_opt_outs = pulls_opt_outs
        self._gone = self._looked_for = 0
        self._looked_at, self._has_looked = context.clock.monotonic(), False

    def renew_when_old(self) -> None:
        """Look again where the latest look is ten minutes old. Raises what `ccsync.errors` lists."""
        if self._context.clock.monotonic() - self._looked_at >= FRESH.total_seconds():
            self.renew()

    def renew(self) -> None:
        """Read opt-outs and check members; suppress people who left. Raises the errors of `ccsync.errors`."""
        context = self._context
        if self._pulls_opt_outs:
            opt_outs.pull_recent(context)
        gone, looked_for_now = find_departures(context, is_retry=self._is_retry)
        # Those who were found by an earlier look of the same run count as well.
        self._gone, self._looked_for = self._gone + gone, self._looked_for + looked_for_now
        is_too_much = gone > 0 and has_left_too_many(self._gone, self._looked_for)
        if is_too_much and not self._let_through(self._gone, self._looked_for):
            raise SafetyLimitError(
                f"{self._gone:,} of {people(self._looked_for)} to be updated are no longer on the list;"
                f" nothing {'more ' if self._has_looked else ''}was sent.",
                "this looks like a mistake (list emptied, wrong list) rather than people's own choice.",
                f"Check the list in Constant Contact. If they really left it: {self._fix(self._gone)}",
            )
        for one in iter_departed(context, is_retry=self._is_retry) if gone else ():
            record_departure(context, one.person, one.email, account_id=one.account_id)
        context.counts["departed"] += gone
        self._looked_at, self._has_looked = context.clock.monotonic(), True


def find_departures(context: Context, *, is_retry: bool) -> tuple[int, int]:
    """Look at the contacts that imports would update or put on the list again; how many have left, of how many.

    People with a fresh sighting are skipped, and so are those in an unfinished import.
    """
    store = context.store
    looked_for.begin(store)
    judged, has_departed = iter_judged(context, is_retry=is_retry), False
    while some := list(islice(judged, _CHUNK)):
        due = [one for one in some if one.needs_a_look and not batches.holds(store, one.staged.person)]
        looked_for.add(store, [(one.staged.person, one.staged.email, one.is_on_list) for one in due])
        has_departed = has_departed or any(one.decision.act is Act.DEPARTED for one in some)
    if not has_departed and not looked_for.count_due(store):
        return 0, 0
    wanted = looked_for.iter_due(store)
    few = looked_for.count_due(store) <= MOST_BY_THE_CHEAPEST_WAY
    hidden = members.read_membership(context, list(wanted)) if few else members.read_many(context, wanted)
    if hidden:
        for one in iter_judged(context, is_retry=is_retry):
            if one.staged.person in hidden:
                leave_out(context, one.staged, hidden[one.staged.person])
    gone, departed = 0, (one.person for one in iter_departed(context, is_retry=is_retry))
    while people := list(islice(departed, _CHUNK)):
        if not restored.is_unresolved(context):
            looked_for.add_gone(store, people)
            gone += len(people)
            continue
        for person in people:  # it is not known by whose act they are off the list
            restored.hold_back(context, person)
    return gone, looked_for.count(store)


def iter_departed(context: Context, *, is_retry: bool) -> Iterator[Staged]:
    """Who has left the list, as far as has been seen."""
    decisions = iter_decisions(context, is_retry=is_retry)
    return (one for one, decision in decisions if decision.act is Act.DEPARTED)
