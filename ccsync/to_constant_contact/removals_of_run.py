"""The removals of one run, in as many goes as it takes."""

from collections.abc import Sequence

from ccsync.run.contact_list import require_list
from ccsync.run.context import Context
from ccsync.state.outbox import removals
from ccsync.state.outbox.removals import Removal
from ccsync.to_constant_contact import list_removals


class Removals:
    """The removals of one run, in as many goes as it takes; `accept` is what a person lets through the safety limit."""

    def __init__(self, context: Context, accept: int) -> None:
        self._context = context
        self._accept = accept
        self._done = self._held = 0
        self._hanging: Sequence[Removal] = ()

    def look_at_earlier(self) -> None:
        """Find out about the removals that earlier runs have started; those that hang are started anew."""
        self._hanging = list_removals.look_at_earlier(self._context)

    def remove_due(self) -> None:
        """Take off the list whoever is to leave it now. Raises what `ccsync.errors` lists; what was done is kept."""
        context = self._context
        if context.is_dry_run or not removals.count(context.store, context.list_id):
            return
        with context.gate.for_opt_outs():
            require_list(context)
        hanging, self._hanging = self._hanging, ()
        removed = list_removals.remove(context, self._accept, self._done, hanging)
        self._done, self._held = self._done + removed.done, removed.held

    def raise_held(self) -> None:
        """Raise `SafetyLimitError` when the safety limit holds somebody back."""
        if self._held:
            raise list_removals.over_the_limit(self._held, self._done)
