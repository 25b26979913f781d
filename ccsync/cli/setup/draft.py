"""The settings that `ccsync configure` is about to write, and what it created in Constant Contact on the way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from ccsync.config.editing import Change, Value
from ccsync.config.schema import Config
from ccsync.errors import CcsyncError, ConfigError, Interrupted
from ccsync.models import ContactList


@dataclass(slots=True)
class Draft:
    """The changes to `config`; `None` leaves a setting unchanged.

    `made` names what was created in Constant Contact on the way; it stays there even if the rest fails.
    """

    config: Config
    chosen: ContactList | None = None
    from_name: str | None = None
    from_email: str | None = None
    reply_to_email: str | None = None
    opt_out: str | None = None
    welcome_email: bool | None = None
    enabled: bool | None = None
    mapping: Mapping[str, str] | None = None
    made: list[str] = field(default_factory=list)

    def changes(self) -> list[Change]:
        """The keys whose value changes."""
        wanted: dict[str, Value | None] = {
            "list_id": self.chosen.list_id if self.chosen else None,
            "list_name": self.chosen.name if self.chosen else None,
            "from_name": self.from_name,
            "from_email": self.from_email,
            "reply_to_email": self.reply_to_email,
            "opt_out": self.opt_out,
            "welcome_email": self.welcome_email,
            "enabled": self.enabled,
        }
        now = self.config.sync
        found = [
            Change("sync", key, value)
            for key, value in wanted.items()
            if value is not None and value != getattr(now, key)
        ]
        return found + self._mapping_changes()

    def _mapping_changes(self) -> list[Change]:
        before = self.config.mapping
        if self.mapping is None or self.mapping == before:
            return []
        # Written in full: a [mapping] section in the file replaces the whole built-in mapping.
        gone = [Change("mapping", target, None) for target in before if target not in self.mapping]
        return gone + [Change("mapping", target, source) for target, source in self.mapping.items()]


@contextmanager
def unwritten(draft: Draft) -> Iterator[None]:
    """Until the config file is written, every error also names what was created in Constant Contact."""
    name = draft.config.path.name
    try:
        yield
    except click.Abort:
        raise _with_made(Interrupted(f"The input ended; nothing was changed in {name}.", "", _AGAIN), draft) from None
    except Interrupted as error:
        what = f"{error.what.rstrip('.')}; nothing was changed in {name}."
        raise _with_made(Interrupted(what, "", _AGAIN, error.exit_code), draft) from None
    except CcsyncError as error:
        _with_made(error, draft)
        raise


_AGAIN = "ccsync configure begins again."


def _with_made(error: CcsyncError, draft: Draft) -> CcsyncError:
    if draft.made:
        why = f"{error.why} " if error.why else ""
        error.why = f"{why}Already created in Constant Contact: {' and '.join(draft.made)}."
    return error


def check_not_empty(mapping: Mapping[str, str]) -> None:
    """Raise `ConfigError` when nothing is mapped: an empty section would bring back the built-in mapping."""
    if not mapping:
        raise ConfigError(
            "Nothing would be mapped; nothing was changed.",
            "without a [mapping] section the built-in mapping is in force.",
            "To send addresses alone, leave a [mapping] section without lines in the config file, by hand.",
        )
