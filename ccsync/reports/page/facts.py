"""The data of the report: numbers per day from the state file, worded for people who do not use a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ccsync.config.schema import Config
from ccsync.reports.attention import Alert, alerts_of
from ccsync.reports.page import charts, spans
from ccsync.reports.page.charts import Chart, Series
from ccsync.reports.status import Status, gather
from ccsync.run.job_names import EXPORT, FLUSH_EVENTS, FORGET, POLL_UNSUBSCRIBES, RECONCILE
from ccsync.run.vendor_names import CONSTANT_CONTACT
from ccsync.state import Store, parked
from ccsync.state.log import calls, days
from ccsync.words import counted, people

JOB_NAMES = {
    EXPORT: "Whole export",
    FLUSH_EVENTS: "Changes in the store",
    POLL_UNSUBSCRIBES: "Unsubscribes",
    RECONCILE: "Comparison",
    FORGET: "Erasure",
}
REASONS = {
    "no-address": "no e-mail address",
    "bad-address": "an e-mail address that cannot be used",
    "long-address": "an e-mail address that is too long",
    "consent-unknown": "the store says neither yes nor no",
    "refused": "Constant Contact refused the record",
    "not-imported": "Constant Contact left the record out, without a reason",
    "unforeseen": "the record could not be read",
}
_LEAST_DAYS = 7
_SENDERS = (EXPORT, FLUSH_EVENTS)
_BACK = "Subscribed again at Constant Contact"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page shows. `rejected`, `waiting` and `limits` are rows of a table."""

    list_name: str
    made_at: datetime
    days: int
    first: date
    last: date
    has_runs: bool
    alerts: Sequence[Alert]
    members: Chart
    movement: Chart
    consent: Chart
    runs: Chart
    run_rows: Sequence[tuple[str, int, int, str]]
    calls: Chart
    rejected: Sequence[tuple[str, int]]
    waiting: Sequence[tuple[str, int]]
    limits: Sequence[tuple[str, str, int]]


def collect(store: Store, config: Config, now: datetime, length: int) -> Facts:
    """Read what the page shows, without a call."""
    status = gather(store, config, now)
    with store.snapshot():
        today = now.astimezone(UTC).date()
        first = today - timedelta(days=length - 1)
        numbers = days.since(store, first)
        used = calls.by_day(store, CONSTANT_CONTACT, first)
        rejected = parked.count_by_code(store)
    # Of a young state file the days before it are left out, but for the last week.
    known = min([*numbers, *used, today])
    cut = spans.cut(min(length, max((today - known).days + 1, _LEAST_DAYS)), today)
    page = _Page(cut, numbers, [span.label for span in cut])
    return Facts(
        list_name=config.sync.list_name or "the list",
        made_at=now,
        days=length,
        first=first,
        last=today,
        has_runs=any(one.last is not None for one in status.jobs),
        alerts=alerts_of(status),
        members=page.members(),
        movement=page.movement(),
        consent=page.consent(),
        runs=page.runs(),
        run_rows=page.run_rows(),
        calls=page.calls(used, config.limits.requests_per_day),
        rejected=[(REASONS.get(code, code.replace("-", " ")), number) for code, number in rejected.items()],
        waiting=_waiting(status),
        limits=[
            (f"{day:%b} {day.day}, {day.year}", JOB_NAMES.get(what.partition(" ")[2], what), number)
            for day, kinds in numbers.items()
            for what, number in kinds.items()
            if what.startswith(days.LIMIT)
        ],
    )


def _waiting(status: Status) -> list[tuple[str, int]]:
    found = {
        "changed customers to be read": status.queue["pending"] + status.queue["retrying"],
        "changed customers that could not be read": status.queue["failed"],
        "people to be taken off the list": status.leaving,
        "unsubscribes to be written to the store": status.write_backs,
        "contacts whose tags are to change": sum(status.tags.values()),
    }
    return [(what, number) for what, number in found.items() if number]


@dataclass(frozen=True, slots=True)
class _Page:
    """The pictures, from the numbers of each day and the spans that they are summed over."""

    cut: list[spans.Span]
    numbers: Mapping[date, Mapping[str, int]]
    labels: list[str]

    def members(self) -> Chart:
        latest = [self._latest(span) for span in self.cut]
        known = [one for one in latest if one is not None]
        sentence = "The number of members is noted from the first check for unsubscribes on."
        if known:
            sentence = f"The list has {people(known[-1])}{_change(known)}."
        return charts.lines("members", "Members of the list", sentence, self.labels, [Series("Members", latest)])

    def _latest(self, span: spans.Span) -> int | None:
        within = [kinds[days.MEMBERS] for day, kinds in self.numbers.items() if day in span and days.MEMBERS in kinds]
        return within[-1] if within else None

    def movement(self) -> Chart:
        removed = [f"count {job} {act}" for job in (*_SENDERS, FORGET) for act in ("removed", "unsubscribed")]
        joined = [
            self._series("Joined from the store", *(f"count {job} added" for job in _SENDERS)),
            self._series(_BACK, "consent resubscribed constant_contact"),
        ]
        left = [
            self._series("Opted out in the store", *removed, is_below=True),
            self._series("Unsubscribed from e-mail", "consent unsubscribed constant_contact", is_below=True),
            self._series("Left the list only", "consent left-list constant_contact", is_below=True),
        ]
        sentence = (
            f"{people(_total(joined))} joined and {people(_total(left))} left."
            " Those who opted out in the store were taken off the list; those who unsubscribed or left at Constant"
            " Contact were opted out in the store, too."
        )
        return charts.columns("movement", "Who joined and who left", sentence, self.labels, [*joined, *left])

    def consent(self) -> Chart:
        store = self._series("Said yes in the store", "consent opted-in kibo")
        back = self._series(_BACK, "consent resubscribed constant_contact")
        sentence = (
            f"{people(_total([store]))} said yes to marketing in the store, and {people(_total([back]))} by"
            " subscribing again at Constant Contact. Each yes is kept with its date and its source."
        )
        return charts.columns("consent", "Where consent comes from", sentence, self.labels, [store, back])

    def runs(self) -> Chart:
        series = [
            Series(JOB_NAMES[job], [round(seconds / number) if number else None for seconds, number in found])
            for job, found in ((job, self._lengths(job)) for job in JOB_NAMES)
            if any(number for _, number in found)
        ]
        number, failed = (sum(self._total(f"{what} {job}") for job in JOB_NAMES) for what in ("run", "failed"))
        sentence = (
            f"ccsync ran {counted(number, 'time')}; {f'{failed:,} of these runs' if failed else 'no run'} failed."
            " The picture shows how many seconds a run took on average."
        )
        none = [Series("Runs", [None] * len(self.labels))]
        return charts.lines("runs", "Runs and their lengths", sentence, self.labels, series or none)

    def run_rows(self) -> list[tuple[str, int, int, str]]:
        """Kind of run, how many, how many failed, average length."""
        found = list[tuple[str, int, int, str]]()
        for job, name in JOB_NAMES.items():
            if number := self._total(f"run {job}"):
                length = self._total(f"seconds {job}") / number
                shown = f"{length / 60:.1f} min" if length >= 90 else f"{length:.0f} s"
                found.append((name, number, self._total(f"failed {job}"), shown))
        return found

    def calls(self, used: Mapping[date, int], quota: int) -> Chart:
        most = [max((number for day, number in used.items() if day in span), default=0) for span in self.cut]
        sentence = (
            f"Constant Contact allows {quota:,} requests a day. The busiest day took {max(most):,}"
            f" ({max(most) / quota:.0%}). For each period the picture shows its busiest day."
        )
        limit = (quota, "allowed a day") if max(most) > quota / 4 else None
        series = [Series("Requests on the busiest day", most)]
        return charts.columns("calls", "Requests to Constant Contact", sentence, self.labels, series, limit)

    def _lengths(self, job: str) -> list[tuple[int, int]]:
        return list(zip(self._sum(f"seconds {job}"), self._sum(f"run {job}"), strict=True))

    def _series(self, name: str, *what: str, is_below: bool = False) -> Series:
        return Series(name, self._sum(*what), is_below)

    def _sum(self, *what: str) -> list[int]:
        def of(day: Mapping[str, int]) -> int:
            return sum(day.get(one, 0) for one in what)

        return [sum(of(kinds) for day, kinds in self.numbers.items() if day in span) for span in self.cut]

    def _total(self, what: str) -> int:
        return sum(self._sum(what))


def _total(series: Sequence[Series]) -> int:
    return sum(value or 0 for one in series for value in one.values)


def _change(known: Sequence[int]) -> str:
    more = known[-1] - known[0]
    if len(known) < 2 or not more:
        return ""
    return f", {abs(more):,} {'more' if more > 0 else 'fewer'} than at the beginning of the period"
