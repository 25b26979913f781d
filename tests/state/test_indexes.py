"""A question about one person is answered by an index, however many tasks and contacts there are."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccsync.state import Store, create_store, suppressions
from ccsync.state.outbox import queue, removals, write_backs
from ccsync.state.views import comparison

PERSON, LIST, NOW = b"a person", "list", datetime(2026, 11, 27, tzinfo=UTC)
QUESTIONS: dict[str, Callable[[Store], object]] = {
    "what was written back": lambda store: write_backs.of_person(store, PERSON),
    "what is written back no more": lambda store: write_backs.withdraw(store, PERSON, "departed", LIST),
    "what is asked to be removed": lambda store: removals.is_asked(store, PERSON, LIST),
    "what is removed": lambda store: removals.drop(store, PERSON, LIST),
    "whether a contact moved": lambda store: comparison.was_sent_as_another(store, PERSON, LIST),
    "whose departure it is": lambda store: suppressions.of_same_departure(store, PERSON, LIST),
    "how an account is queued": lambda store: queue.queued(store, 1),
    "that an account was read": lambda store: queue.mark_read(store, [1]),
    "that an account cannot be read": lambda store: queue.note_failure(store, 1, 1, NOW, ""),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_about_one_person_reads_no_table(question: str, tmp_path: Path) -> None:
    """Reconcile asked half a million tasks for each of two thousand people, which took an hour."""
    store = create_store(tmp_path / "ccsync.db")
    asked = list[str]()
    store._connection.set_trace_callback(asked.append)
    QUESTIONS[question](store)
    store._connection.set_trace_callback(None)
    plans = [
        str(row[3])
        for sql in asked
        if sql.split()[0] in ("SELECT", "UPDATE", "DELETE")
        for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")
    ]
    assert plans
    assert not [one for one in plans if one.startswith("SCAN") or "tasks_by_turn" in one], plans
    store.close()
