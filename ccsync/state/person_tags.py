"""The tags that ccsync manages, who is to have which, and who has been given which by ccsync."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable, to_text
from ccsync.state.outbox import tag_tasks


@dataclass(frozen=True, slots=True)
class ManagedTag:
    """A tag of ccsync's. Without `tag_id` Constant Contact has it not, or not any more (`is_gone`)."""

    number: int
    name: str
    tag_id: str | None
    is_gone: bool
    is_open: bool
    """Is anybody still to get or lose it?"""


def note_wanted(store: Store, people: Iterable[tuple[bytes, str, Sequence[str]]], at: datetime) -> None:
    """Note which tags these people (person, address, names) are to have, and queue what follows.

    Inside the caller's transaction.
    """
    for person, email, names in people:
        wanted = {_number_of(store, name) for name in names}
        before = {
            int(str(tag)): bool(is_wanted)
            for tag, is_wanted in store.rows("SELECT tag, is_wanted FROM person_tags WHERE person = ?", person)
        }
        for tag in wanted - {tag for tag, is_wanted in before.items() if is_wanted}:
            store.run(
                "INSERT INTO person_tags VALUES (?, ?, 1, 0) ON CONFLICT (person, tag) DO UPDATE SET is_wanted = 1",
                person,
                tag,
            )
        for tag in {tag for tag, is_wanted in before.items() if is_wanted} - wanted:
            store.run("UPDATE person_tags SET is_wanted = 0 WHERE person = ? AND tag = ?", person, tag)
        if wanted or before:
            tag_tasks.settle(store, person, email, at)


def _number_of(store: Store, name: str) -> int:
    row = store.one("SELECT number FROM tags WHERE name = ?", storable(name))
    return int(str(row[0])) if row else store.insert("INSERT INTO tags (name) VALUES (?)", storable(name))


def managed(store: Store) -> list[ManagedTag]:
    """Every tag that ccsync manages."""
    rows = store.rows(
        "SELECT number, name, tag_id, gone_at, EXISTS (SELECT 1 FROM person_tags WHERE tag = number"
        " AND is_wanted != is_set) FROM tags ORDER BY number"
    )
    return [
        ManagedTag(int(str(number)), str(name), str(tag_id) if tag_id else None, gone is not None, bool(is_open))
        for number, name, tag_id, gone, is_open in rows
    ]


def note_id(store: Store, number: int, tag_id: str) -> None:
    """Constant Contact has the tag by this id."""
    store.run("UPDATE tags SET tag_id = ?, gone_at = NULL WHERE number = ?", tag_id, number)


def note_gone(store: Store, number: int, at: datetime) -> None:
    """Somebody deleted the tag at Constant Contact: nobody has it any more. Inside the caller's transaction."""
    store.run("UPDATE tags SET tag_id = NULL, gone_at = ? WHERE number = ?", to_text(at), number)
    store.run("UPDATE person_tags SET is_set = 0 WHERE tag = ?", number)


def make_gone_again(store: Store, at: datetime) -> list[str]:
    """A person wants deleted tags back: whoever is to have them gets them again. The names."""
    with store.transaction():
        names = [str(name) for (name,) in store.rows("SELECT name FROM tags WHERE gone_at NOT NULL ORDER BY name")]
        store.run("UPDATE tags SET gone_at = NULL WHERE gone_at NOT NULL")
        tag_tasks.enqueue_open(store, at)
    return names


def count_set(store: Store, number: int) -> int:
    """How many people ccsync has given the tag."""
    return store.number("SELECT count(*) FROM person_tags WHERE tag = ? AND is_set", number)


def count_open(store: Store, list_id: str) -> tuple[int, int]:
    """How many tags are to be set and to be taken off, over all people who may be sent to the list."""
    added, removed = (
        store.number(
            "SELECT count(*) FROM person_tags WHERE is_wanted = ? AND is_set = ? AND NOT EXISTS (SELECT 1"
            " FROM suppressions WHERE suppressions.person = person_tags.person AND list_id IN ('', ?))",
            is_wanted,
            1 - is_wanted,
            list_id,
        )
        for is_wanted in (1, 0)
    )
    return added, removed


def of_person(store: Store, person: bytes) -> list[tuple[str, bool, bool]]:
    """A person's tags: the name, whether they are to have it, whether ccsync has set it."""
    rows = store.rows(
        "SELECT name, is_wanted, is_set FROM person_tags JOIN tags ON number = tag WHERE person = ? ORDER BY name",
        person,
    )
    return [(str(name), bool(is_wanted), bool(is_set)) for name, is_wanted, is_set in rows]


def note_taken_off(store: Store, number: int, having: Iterable[bytes], at: datetime) -> int:
    """Of those whom ccsync gave the tag, only these have it still; the others get it again. How many they are."""
    with store.transaction():
        store.run("CREATE TEMP TABLE IF NOT EXISTS having_tag (person BLOB PRIMARY KEY) WITHOUT ROWID")
        store.run("DELETE FROM having_tag")
        store.run_many("INSERT OR IGNORE INTO having_tag VALUES (?)", [(one,) for one in having])
        lost = store.run(
            "UPDATE person_tags SET is_set = 0 WHERE tag = ? AND is_set"
            " AND person NOT IN (SELECT person FROM having_tag)",
            number,
        )
        store.run("DELETE FROM person_tags WHERE NOT is_set AND NOT is_wanted")
        tag_tasks.enqueue_open(store, at)
    return lost
