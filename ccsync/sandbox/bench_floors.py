"""The floor is the time of the fastest program that keeps ccsync's promises: any number of calls under way at once,
page and batch sizes and rates as the vendors set them, no time for thinking.

  pages(N)   = N / 200, rounded up; Kibo takes R calls a second, Constant Contact 4
  export     = (pages(customers) [+ customers, with --single-reads]) / R + latency
               + (contacts / 500 [first export] + imports + 2) / 4 + the last import
  flush      = (pages(2 events a customer) + pages(changed)) / R + latency
               + (opt-outs 1 + import 1 + look 1) / 4 + the import
               + the members by pages of 500, or by an export: 3 calls and as long as it takes
  poll       = (pages(customers) or one search each + 2 calls for each account written) / R + 3 latencies
               + (opt-outs / 500 + 1) / 4

An import takes 3 s and one more for 10,000 rows; the rows are spread evenly over the imports.
The mean counts as latency where it varies.
"""

import math

from ccsync.sandbox.box import Sandbox

KIBO_PAGE = 200
CONTACT_PAGE = 500
CALLS_OF_EXPORT = 3
SITES = 2
ROWS_A_SECOND = 10_000
"""How fast the sandbox carries out bulk jobs, beside the time that each takes."""


def _latency(box: Sandbox) -> float:
    least, most = box.settings.latency_ms, max(box.settings.latency_ms, box.settings.latency_most_ms)
    return (least + most) / 2_000


def _cc_rate(box: Sandbox) -> float:
    return box.settings.cc_requests_per_second or 1_000


def _import(box: Sandbox, rows: int, imports: int) -> float:
    return box.settings.import_seconds + rows / imports / ROWS_A_SECOND if imports else 0.0


def export(box: Sandbox, rate: float, customers: int, imports: int) -> float:
    """The least seconds for an export of all customers with this many imports."""
    is_single = "contacts" not in box.settings.rows_carry
    reads = math.ceil(customers / KIBO_PAGE) + (customers if is_single else 0)
    contacts = box.cc.contact_count() - box.cc.member_count("Bench") if imports else 0
    calls = math.ceil(contacts / CONTACT_PAGE) + imports + 2
    return reads / rate + _latency(box) + calls / _cc_rate(box) + _import(box, customers, imports)


def flush(box: Sandbox, rate: float, changed: int, imports: int) -> float:
    """The least seconds for a flush of this many changed customers."""
    reads = math.ceil(changed * SITES / KIBO_PAGE) + math.ceil(changed / KIBO_PAGE)
    members = box.cc.member_count("Bench")
    export_seconds = box.settings.export_seconds + members / ROWS_A_SECOND
    looks = min(math.ceil(members / CONTACT_PAGE) / _cc_rate(box), CALLS_OF_EXPORT / _cc_rate(box) + export_seconds)
    calls = 1 + imports + 1
    return reads / rate + _latency(box) + calls / _cc_rate(box) + looks + _import(box, changed, imports)


def poll(box: Sandbox, rate: float, opt_outs: int, imports: int) -> float:
    """The least seconds for a poll of this many opt-outs, each of one customer."""
    looks = min(math.ceil(box.settings.customers / KIBO_PAGE), opt_outs)
    calls = math.ceil(opt_outs / CONTACT_PAGE) + 1 + imports
    return (looks + 2 * opt_outs) / rate + 3 * _latency(box) + calls / _cc_rate(box)
