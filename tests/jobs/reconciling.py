"""Reconciling a shop inside the process: the report, every finding, and the repair."""

from ccsync.jobs import comparing
from ccsync.jobs import reconcile as job
from ccsync.jobs.discrepancies import Kind
from ccsync.jobs.reconcile import Report
from ccsync.jobs.running import carry_out
from ccsync.state import comparison
from ccsync.state.comparison import Finding
from tests.harness import Shop


def reconcile(shop: Shop, *, fixes: bool = False) -> tuple[Report, dict[str, set[str]], list[Finding]]:
    """The report, the addresses of each kind in lower case, and the findings."""
    store = shop.open()
    tools = shop._clients(store)
    work = shop._work(store, tools)
    try:
        report = carry_out(work, job.JOB, job.DIRECTION, lambda: job.run(work))
        findings = list(comparison.iter_findings(store, [kind.value for kind in Kind]))
        if fixes:
            comparing.repair(work)
    finally:
        shop._close(store, tools)
    by_kind: dict[str, set[str]] = {}
    for one in findings:
        by_kind.setdefault(one.kind, set()).add((one.email or "").lower())
    return report, by_kind, findings


def cycle(shop: Shop) -> None:
    """One clean cycle of the cron jobs, after which both systems agree."""
    shop.export()
    shop.flush()
    shop.poll(accept=1_000)
