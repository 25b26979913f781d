"""What the latest failed run of each job said to do: the log's row has only what happened and why."""

import json
from dataclasses import astuple, dataclass

from ccsync.state import properties
from ccsync.state.database.store import Store
from ccsync.state.database.times import storable


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a run failed: its exit code, what happened, and what to do."""

    run_id: int
    code: int
    what: str
    fix: str


def note(store: Store, job: str, trouble: Trouble) -> None:
    """Remember a job's latest trouble."""
    properties.put(store, _key(job), storable(json.dumps(astuple(trouble))))


def of_run(store: Store, job: str, run_id: int | None) -> Trouble | None:
    """The trouble of a run, if it is the latest of its job that failed."""
    try:
        number, code, what, fix = json.loads(properties.get(store, _key(job)) or "null")
    except (ValueError, TypeError):
        return None
    return Trouble(int(number), int(code), str(what), str(fix)) if number == run_id else None


def _key(job: str) -> str:
    return f"trouble {job}"
