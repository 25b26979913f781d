"""Writes back to Kibo within the safety limit, and remembers what a person has let through."""

from ccsync.errors import SafetyLimitError, TemporaryError
from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.to_kibo.write_back import Writer
from ccsync.words import counted, people

HAS_WRITTEN = "store_was_told_of_opt_outs"
ACCEPTED = "accepted_opt_outs"
"""How many allowed changes a stopped run had not reached."""


class Writing:
    """One run's writing, in as many goes as it takes; `accept` is how many a person lets through the safety limit.

    What a person has let through, and a run had no time for, is let through in the next one, too.
    """

    def __init__(self, context: Context, accept: int) -> None:
        self._context = context
        self.writer = Writer(context)
        self.accept = max(accept, int(properties.get(context.store, ACCEPTED) or 0))
        self._held = 0
        self._has_failed = False

    def write(self) -> None:
        """Write everything that is due and not held; after a go that failed, nothing any more. A dry run counts it.

        Raises what `ccsync.errors` lists.
        """
        if self._has_failed:
            return
        if self._context.is_dry_run:
            self.writer.rehearse(self.accept)
            return
        properties.forget(self._context.store, ACCEPTED)
        self._has_failed = True
        try:
            self._held = self.writer.write(self.accept)
        except TemporaryError:
            if self.accept > self.writer.written:
                properties.put(self._context.store, ACCEPTED, str(self.accept - self.writer.written))
            raise
        self._has_failed = False

    def finish(self) -> None:
        """End the run. Raises `SafetyLimitError` if anyone is held back."""
        if self._context.is_dry_run:
            return
        if self._held:
            raise _held_back(self._context, self._held, self.writer.written)
        properties.put(self._context.store, HAS_WRITTEN, "yes")


def _held_back(context: Context, held: int, done: int) -> SafetyLimitError:
    """What to say when the safety limit holds people back."""
    if properties.get(context.store, HAS_WRITTEN) is None:
        why = "nothing was written to the store before; an account in use has years of opt-outs, so many are normal."
    else:
        why = "this looks like a mistake (a list emptied, a bulk unsubscribe) rather than people's own choice."
    return SafetyLimitError(
        f"The consent of {counted(held, 'customer')} would change in the store; the safety limit stopped it.",
        f"{why} ccsync sends them nothing meanwhile{f'; written already: {people(done)}' if done else ''}.",
        f"Check them: ccsync poll-unsubscribes --dry-run. If it is correct: ccsync poll-unsubscribes --accept {held}",
    )
