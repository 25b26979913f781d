"""A few numbers per UTC day for the report. They outlive pruned runs and grow with days, not with people.

Each run and each row of the consent ledger is counted once, by how far the last count got: a run that was killed is
counted with the next one.
"""

from collections.abc import Mapping
from datetime import date, datetime

from ccsync.state import properties
from ccsync.state.database.store import Store
from ccsync.state.database.times import day_of

MEMBERS = "members"
LIMIT = "limit"
_UPTO = "days_counted_upto"
_AT_ONCE = 20_000
_ADD = " ON CONFLICT (day, what) DO UPDATE SET number = number + excluded.number"
_ENDED = "FROM runs WHERE runs.id > ? AND status != 'RUNNING'"
_SECONDS = "round((julianday(finished_at) - julianday(started_at)) * 86400)"
# Unsubscribes of people who were never on the list are found by the first export, years of them.
_CHANGE = (
    "CASE WHEN change IN ('unsubscribed', 'left-list') AND NOT EXISTS (SELECT 1 FROM sent WHERE sent.person ="
    " consent.person) THEN 'before ' || change ELSE change END"
)


def note_members(store: Store, list_id: str, at: datetime, count: int) -> None:
    """What the list counted, the latest of the day."""
    with store.transaction():
        if properties.get(store, "days_list") != list_id:
            store.run("DELETE FROM days WHERE what = ?", MEMBERS)  # another list's numbers would look like a jump
            properties.put(store, "days_list", list_id)
        store.run("INSERT OR REPLACE INTO days VALUES (?, ?, ?)", day_of(at), MEMBERS, count)


def note_limit(store: Store, job: str, at: datetime) -> None:
    """The safety limit stopped a run."""
    store.run(f"INSERT INTO days VALUES (?, ?, 1){_ADD}", day_of(at), f"{LIMIT} {job}")


def count(store: Store) -> None:
    """Count the runs that have ended and the changes of consent since the last count; a first export makes many."""
    with store.transaction():
        upto = int((properties.get(store, _UPTO) or "0 0").split()[0])
        for selected in (
            f"'run ' || job, count(*) {_ENDED}",
            f"'failed ' || job, count(*) {_ENDED} AND status != 'COMPLETE'",
            f"'seconds ' || job, CAST(total({_SECONDS}) AS INTEGER) {_ENDED}",
            "'count ' || job || ' ' || key, CAST(total(value) AS INTEGER) FROM runs, json_each(counts)"
            " WHERE runs.id > ? AND status != 'RUNNING' AND value > 0",
        ):
            store.run(f"INSERT INTO days SELECT substr(started_at, 1, 10), {selected} GROUP BY 1, 2{_ADD}", upto)
        # The number of an erased row is reused, so the mark follows the rows that exist.
        _mark(store, runs=store.number("SELECT max(id) FROM runs WHERE status != 'RUNNING'"))
    while _count_changes(store):
        pass


def _count_changes(store: Store) -> bool:
    """Count the next changes of consent, so many that nobody waits long; false when there are none."""
    sql = (
        f"INSERT INTO days SELECT substr(seen_at, 1, 10), 'consent ' || {_CHANGE} || ' ' || source, count(*)"
        f" FROM consent WHERE id > ? AND id <= ? GROUP BY 1, 2{_ADD}"
    )
    with store.transaction():
        upto = int((properties.get(store, _UPTO) or "0 0").split()[1])
        end = store.value(int, "SELECT id FROM consent WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", upto, _AT_ONCE - 1)
        last = end or store.number("SELECT max(id) FROM consent")
        store.run(sql, upto, last)
        _mark(store, changes=last)
        return end is not None


def _mark(store: Store, *, runs: int | None = None, changes: int | None = None) -> None:
    before = map(int, (properties.get(store, _UPTO) or "0 0").split())
    marks = (now if now is not None else then for now, then in zip((runs, changes), before, strict=True))
    properties.put(store, _UPTO, " ".join(map(str, marks)))


def since(store: Store, first: date) -> dict[date, Mapping[str, int]]:
    """The numbers of each day from `first` on that has any."""
    found: dict[date, dict[str, int]] = {}
    for day, what, number in store.rows("SELECT day, what, number FROM days WHERE day >= ? ORDER BY day", str(first)):
        found.setdefault(date.fromisoformat(day), {})[what] = number
    return dict(found)
