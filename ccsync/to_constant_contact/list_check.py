"""Finds people who left the list since ccsync put them there: an import would put them back.

What is sent rests on a look at opt-outs and members that is renewed every ten minutes, however long a run takes.
"""

from collections.abc import Callable

from ccsync.consent.decisions import Act
from ccsync.consent.safety_limit import has_left_too_many
from ccsync.errors import SafetyLimitError
from ccsync.from_constant_contact import members, opt_outs, restored
from ccsync.from_constant_contact.departures import record_departure
from ccsync.from_kibo.staged_decisions import FRESH, address_of, iter_decisions, iter_judged
from ccsync.run.context import Context
from ccsync.state import batches, staging
from ccsync.state.staging import Staged
from ccsync.to_constant_contact.batches import leave_out
from ccsync.words import people

LetThrough = Callable[[int, int], bool]
"""May so many, of so many who were looked for, be taken for departures? Asked when they are suspiciously many."""


class ListCheck:
    """The look at opt-outs and members on which everybody who is sent depends.

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
        """Pull opt-outs and look at members; who has left is suppressed. Raises what `ccsync.errors` lists."""
        context = self._context
        if self._pulls_opt_outs:
            opt_outs.pull_recent(context)
        gone, looked_for = find_departures(context, is_retry=self._is_retry)
        # Those who were found by an earlier look of the same run count as well.
        self._gone, self._looked_for = self._gone + len(gone), self._looked_for + looked_for
        is_too_much = bool(gone) and has_left_too_many(self._gone, self._looked_for)
        if is_too_much and not self._let_through(self._gone, self._looked_for):
            raise SafetyLimitError(
                f"{self._gone:,} of {people(self._looked_for)} to be updated are no longer on the list;"
                f" nothing {'more ' if self._has_looked else ''}was sent.",
                "this looks like a mistake (list emptied, wrong list) rather than people's own choice.",
                f"Check the list in Constant Contact. If they really left it: {self._fix(self._gone)}",
            )
        for one in gone:
            record_departure(context, one.person or b"", address_of(one), account_id=one.account_id)
        context.counts["departed"] += len(gone)
        self._looked_at, self._has_looked = context.clock.monotonic(), True


def find_departures(context: Context, *, is_retry: bool) -> tuple[list[Staged], int]:
    """Look at the contacts that imports would update or put on the list again; return who has left, of how many.

    Whose sighting is fresh is not looked at, nor who is in an import that is under way.
    """
    due, gone = list[tuple[Staged, bool]](), list[Staged]()
    for one in iter_judged(context, is_retry=is_retry):
        if one.needs_a_look and not batches.holds(context.store, one.staged.person or b""):
            due.append((one.staged, one.is_on_list))
        if one.decision.act is Act.DEPARTED:
            gone.append(one.staged)
    hidden = members.read_membership(context, [(one.person or b"", address_of(one)) for one, _ in due])
    for staged in {one.person: one for one, _ in due if one.person in hidden}.values():
        leave_out(context, staged, hidden[staged.person or b""])
    if due:
        gone = [one for one, decision in iter_decisions(context, is_retry=is_retry) if decision.act is Act.DEPARTED]
    if restored.known_until(context) is not None:
        # By whose act they are off the list nobody knows.
        for person in [one.person or b"" for one in gone]:
            restored.settle_absence(context, person, staging.changed_at(context.store, person))
        gone = []
    return gone, len({staged.person for staged, was_on in due if was_on} | {staged.person for staged in gone})
