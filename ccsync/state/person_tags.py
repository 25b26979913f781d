"""The tags that ccsync manages, who should have which, and who got which from ccsync."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccsync.state.database.store import Store
from ccsync.state.database.times import storable
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
        before = store.rows("SELECT tag, is_wanted FROM person_tags WHERE person = ?", person)
        was_wanted = {tag for tag, is_wanted in before if is_wanted}
        again = "ON CONFLICT (person, tag) DO UPDATE SET is_wanted = 1"
        for tag in wanted - was_wanted:
            store.run(f"INSERT INTO person_tags VALUES (?, ?, 1, 0) {again}", person, tag)
        for tag in was_wanted - wanted:
            store.run("UPDATE person_tags SET is_wanted = 0 WHERE person = ? AND tag = ?", person, tag)
        if wanted or before:
            tag_tasks.finish(store, person, email, at)


def _number_of(store: Store, name: str) -> int:
    number = store.value(int, "SELECT number FROM tags WHERE name = ?", storable(name))
    return number or store.insert("INSERT INTO tags (name) VALUES (?)", storable(name))


def managed(store: Store) -> list[ManagedTag]:
    """Every tag that ccsync manages."""
    is_open = "EXISTS (SELECT 1 FROM person_tags WHERE tag = number AND is_wanted != is_set)"
    sql = f"SELECT number, name, tag_id, gone_at NOT NULL, {is_open} FROM tags ORDER BY number"
    return store.records(ManagedTag, sql)


def note_id(store: Store, number: int, tag_id: str) -> None:
    """Note the id of the tag at Constant Contact."""
    store.run("UPDATE tags SET tag_id = ?, gone_at = NULL WHERE number = ?", tag_id, number)


def note_contacts(store: Store, shown: Iterable[tuple[bytes, str]]) -> None:
    """These people's contacts (by id) are about to be noted; inside the caller's transaction.

    Where it is another one than was known, the tags were given to that one, and are open again. Where none was known
    any more, it may be the one that had the address before, and has its tags still.
    """
    if store.exists("SELECT 1 FROM person_tags WHERE is_set"):
        is_other = "EXISTS (SELECT 1 FROM contacts WHERE contacts.person = ?1 AND contact_id IS NOT ?2)"
        was_there = (
            "(SELECT total(contact_id = ?2) > 0 OR count(*) = 0 FROM contact_addresses AS had WHERE had.person = ?1)"
        )
        is_unknown = "(SELECT contact_id FROM contacts WHERE contacts.person = ?1) IS NULL"
        are_unsure = f"iif({is_unknown} AND {was_there}, {tag_tasks.PERHAPS}, 0)"
        sql = f"UPDATE person_tags SET is_set = {are_unsure} WHERE person = ?1 AND is_set AND {is_other}"
        store.run_many(sql, shown)


def note_unlinked(store: Store, person: bytes) -> None:
    """The person's contact is not known any more: the next one that is seen may be the same, which has its tags still.

    Inside the caller's transaction.
    """
    is_unknown = "EXISTS (SELECT 1 FROM contacts WHERE contacts.person = ?1 AND contact_id IS NULL)"
    store.run(
        f"UPDATE person_tags SET is_set = {tag_tasks.PERHAPS} WHERE person = ?1 AND is_set AND {is_unknown}", person
    )


def note_gone(store: Store, number: int, at: datetime) -> None:
    """The tag was deleted at Constant Contact, so no contact has it any more."""
    with store.transaction():
        store.run("UPDATE tags SET tag_id = NULL, gone_at = ? WHERE number = ?", at, number)
        store.run("UPDATE person_tags SET is_set = 0 WHERE tag = ?", number)


def make_gone_again(store: Store, at: datetime) -> list[str]:
    """Set deleted tags again for everybody who should have them. Returns their names."""
    with store.transaction():
        names = store.column(str, "SELECT name FROM tags WHERE gone_at NOT NULL ORDER BY name")
        store.run("UPDATE tags SET gone_at = NULL WHERE gone_at NOT NULL")
        tag_tasks.enqueue_open(store, at)
    return names


def count_given(store: Store, number: int) -> int:
    """How many people ccsync has given the tag, or may have given it."""
    return store.number("SELECT count(*) FROM person_tags WHERE tag = ? AND is_set", number)


def count_open(store: Store, list_id: str) -> tuple[int, int]:
    """How many tags to set and to remove, over all people who may be sent to the list."""
    sql = (
        "SELECT count(*) FROM person_tags WHERE is_wanted = ? AND is_set != is_wanted AND NOT EXISTS (SELECT 1"
        " FROM suppressions WHERE suppressions.person = person_tags.person AND list_id IN ('', ?))"
    )
    return store.number(sql, True, list_id), store.number(sql, False, list_id)


def of_person(store: Store, person: bytes) -> list[tuple[str, bool, bool]]:
    """A person's tags: the name, whether they are to have it, whether ccsync has set it, as far as is known."""
    is_set = "is_set = 1 OR is_set AND NOT is_wanted"  # what may have been set has to be taken off
    sql = f"SELECT name, is_wanted, {is_set} FROM person_tags JOIN tags ON number = tag WHERE person = ? ORDER BY name"
    return [(name, bool(is_wanted), bool(is_set)) for name, is_wanted, is_set in store.rows(sql, person)]


def note_taken_off(store: Store, number: int, having: Iterable[bytes]) -> int:
    """Of those whom ccsync gave the tag, only these have it still; the others get it again. How many they are.

    Whom a job may have given it is left to the next job: the one before may be under way.
    """
    with store.transaction():
        store.run("CREATE TEMP TABLE IF NOT EXISTS having_tag (person BLOB PRIMARY KEY) WITHOUT ROWID")
        store.run("DELETE FROM having_tag")
        store.run_many("INSERT OR IGNORE INTO having_tag VALUES (?)", [(one,) for one in having])
        gone = "tag = ? AND is_set = 1 AND person NOT IN (SELECT person FROM having_tag)"
        lost = store.run(f"UPDATE person_tags SET is_set = 0 WHERE {gone}", number)
        store.run("DELETE FROM person_tags WHERE NOT is_set AND NOT is_wanted")
    return lost
