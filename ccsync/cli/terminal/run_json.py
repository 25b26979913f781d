"""Runs and rejected records as JSON, the same for every command that prints them."""

from ccsync.cli.terminal import screen
from ccsync.state.log.runs import RejectedRecord, Run
from ccsync.state.parked import ParkedRecord


def run_to_json(run: Run) -> dict[str, object]:
    """A run as the contract has it."""
    return {
        "id": run.id,
        "job": run.job,
        "direction": run.direction,
        "status": run.status,
        "started_at": screen.utc_time(run.started_at),
        "finished_at": screen.utc_time(run.finished_at),
        "total_contacts": run.total_contacts,
        "errors": run.errors,
        "counts": {key: number for key, number in run.counts.items() if number},
        "message": run.message,
    }


def rejected_to_json(record: RejectedRecord | ParkedRecord) -> dict[str, object]:
    """A rejected record as the contract has it: the whole address, the operator needs it."""
    return {
        "account_id": record.account_id,
        "email": record.email,
        "reason": record.reason,
        "code": record.code,
        "at": screen.utc_time(record.at),
    }
