"""Reconciling a shop inside the process: the report, every finding, and the repair."""

from ccsync.consent.drift import Kind
from ccsync.jobs import reconcile as job
from ccsync.jobs.reconcile import Report
from ccsync.reports import differences
from ccsync.run.job_names import RECONCILE
from ccsync.run.life_cycle import carry_out
from ccsync.state.views import comparison
from ccsync.state.views.comparison import Finding
from tests.harness import Shop


def reconcile(shop: Shop, *, fixes: bool = False) -> tuple[Report, dict[str, set[str]], list[Finding]]:
    """The report, the addresses of each kind in lower case, and the findings."""
    store = shop.open()
    tools = shop._clients(store)
    context = shop._context(store, tools)
    try:
        report = carry_out(context, RECONCILE, lambda: job.run(context))
        findings = list(comparison.iter_findings(store, [kind.value for kind in Kind]))
        if fixes:
            differences.repair(context)
    finally:
        shop.notices, shop.remarks = dict(context.notices), list(context.remarks)
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
