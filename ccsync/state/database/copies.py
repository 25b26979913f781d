"""Recognizes an older copy of the state file that was put back. Each writer increments a number in the state file and
then notes it beside the file. A copy that is put back has a lower number than what is noted; one that was put back
together with the note is recognized by what Constant Contact shows (`from_constant_contact.restored`).
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ccsync.state import properties
from ccsync.state.database.lock import Lock
from ccsync.state.database.store import Store

RESTORED = "An older copy of the state file was restored: it does not know what ccsync has done since."
WHAT_FOLLOWS = (
    "ccsync reads both sides again. People who are off the list do not count as having left it: they are neither mailed"
    " nor opted out in the store until they opt in again."
)
_WRITER = "newest_writer"


@dataclass(frozen=True, slots=True)
class _Mark:
    """The newest writer's mark: the id of the state file, the number of writers so far, and a unique word."""

    state: str
    number: int
    word: str


def begin(store: Store, lock: Lock) -> bool:
    """Mark that a writer, which holds the lock, has opened the file. Is it an older copy that was put back?"""
    noted, own, state = _parse(lock.noted), _parse(properties.get(store, _WRITER) or ""), _state_of(store)
    is_older = noted is not None and _is_older(own, noted, state)
    newest = max(one.number for one in (noted, own, _Mark(state, 0, "")) if one is not None)
    with store.transaction():
        if is_older:
            note_restored(store)
        text = _mark(store, state, newest + 1)
    # After the commit: if the writer dies in between, the file is ahead of the note, which does not look like a copy.
    lock.note(text)
    return is_older


@contextmanager
def ending(store: Store, lock: Lock) -> Iterator[None]:
    """Around a writer's work: mark its end, too, for a copy made in the middle of it lacks the rest."""
    try:
        yield
    except Exception:
        # A failure here must not hide why the work ended.
        with suppress(Exception):
            _end(store, lock)
        raise
    _end(store, lock)


def _end(store: Store, lock: Lock) -> None:
    own, state = _parse(properties.get(store, _WRITER) or ""), _state_of(store)
    lock.note(_mark(store, state, (own.number if own else 0) + 1))


def note_restored(store: Store) -> None:
    """The file is an older copy: mark everything it may have missed for reading. Inside the caller's transaction."""
    properties.put(store, properties.RESTORED, "unresolved")
    store.run("DELETE FROM bookmarks WHERE stream = 'opt-outs-full' OR stream LIKE 'members %'")


def _is_older(own: _Mark | None, noted: _Mark, state: str) -> bool:
    if own is None:
        # Created by a login, or copied before such marks existed.
        return noted.state == state
    if noted.state != state:
        return True
    return noted.number > own.number or (noted.number == own.number and noted.word != own.word)


def _mark(store: Store, state: str, number: int) -> str:
    text = f"{state} {number} {secrets.token_hex(8)}"
    properties.put(store, _WRITER, text)
    return text


def _parse(text: str) -> _Mark | None:
    parts = text.split(" ")
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit()) or len(parts[1]) > 15:
        return None
    return _Mark(parts[0], int(parts[1]), parts[2])


def _state_of(store: Store) -> str:
    """An id that distinguishes this state file from every other one."""
    secret = properties.get(store, "person_secret") or ""
    return hashlib.sha256(f"state file {secret}".encode()).hexdigest()[:16]
