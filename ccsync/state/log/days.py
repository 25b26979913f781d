"""A few numbers per UTC day for the report. They outlive pruned runs and grow with days, not with people.

Each run and each row of the consent ledger is counted once, by how far the last count got: a run that was killed is
counted with the next one.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from ccsync.state import properties
from ccsync.state.database.store import Store

MEMBERS = "members"
LIMIT = "limit"
_UPTO = "days_counted_upto"
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
        store.run("INSERT OR REPLACE INTO days VALUES (?, ?, ?)", _day(at), MEMBERS, count)


def note_limit(store: Store, job: str, at: datetime) -> None:
    """The safety limit stopped a run."""
    store.run(f"INSERT INTO days VALUES (?, ?, 1){_ADD}", _day(at), f"{LIMIT} {job}")


def count(store: Store) -> None:
    """Count the runs that have ended and the changes of consent since the last count."""
    with store.transaction():
        upto_run, upto_change = (int(one) for one in (properties.get(store, _UPTO) or "0 0").split())
        counted = (
            (f"'run ' || job, count(*) {_ENDED}", upto_run),
            (f"'failed ' || job, count(*) {_ENDED} AND status != 'COMPLETE'", upto_run),
            (f"'seconds ' || job, CAST(total({_SECONDS}) AS INTEGER) {_ENDED}", upto_run),
            (
                "'count ' || job || ' ' || key, CAST(total(value) AS INTEGER) FROM runs, json_each(counts)"
                " WHERE runs.id > ? AND status != 'RUNNING' AND value > 0",
                upto_run,
            ),
            (f"'consent ' || {_CHANGE} || ' ' || source, count(*) FROM consent WHERE consent.id > ?", upto_change),
        )
        for selected, upto in counted:
            day = "seen_at" if "FROM consent" in selected else "started_at"
            sql = f"INSERT INTO days SELECT substr({day}, 1, 10), {selected} GROUP BY 1, 2{_ADD}"
            store.run(sql, upto)
        # The number of an erased row is reused, so the mark follows the rows that exist.
        newest = [
            store.number("SELECT coalesce(max(id), 0) FROM runs WHERE status != 'RUNNING'"),
            store.number("SELECT coalesce(max(id), 0) FROM consent"),
        ]
        properties.put(store, _UPTO, " ".join(map(str, newest)))


def since(store: Store, first: date) -> dict[date, Mapping[str, int]]:
    """The numbers of each day from `first` on that has any."""
    found: dict[date, dict[str, int]] = {}
    for day, what, number in store.rows("SELECT day, what, number FROM days WHERE day >= ? ORDER BY day", str(first)):
        found.setdefault(date.fromisoformat(day), {})[what] = number
    return dict(found)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")
