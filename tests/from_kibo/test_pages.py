"""Reading a store whose rows move: whatever comes and goes between two pages, nobody is skipped."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.from_kibo.pages import Changed, Sweep, read_changed_since
from ccsync.kibo.client import CustomerPage
from ccsync.models import Customer
from ccsync.state import Store, create_store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def customer(account_id: int, updated_at: datetime | None = None) -> Customer:
    return Customer(account_id, f"p{account_id}@example.com", True, "B2C", None, updated_at, {})


@dataclass
class MovingStore:
    """Serves pages of `ids`, and lets `moves` happen before each page."""

    ids: list[int]
    moves: list[tuple[Sequence[int], Sequence[int]]] = field(default_factory=list)
    calls: int = 0
    ever: set[int] = field(default_factory=set)
    under_way: int = 0
    """So many pages are served before they are read, the later ones first."""
    served: dict[int, CustomerPage] = field(default_factory=dict)

    def pages_ahead(self, starts: Iterable[int], **_: object) -> Iterator[int]:
        rest, waiting = iter(starts), deque[int]()
        try:
            for start in rest:
                waiting.append(start)
                while waiting:
                    new = list(islice(rest, self.under_way + 1 - len(waiting)))
                    waiting.extend(new)
                    self.served |= {one: self._serve(one, 200) for one in reversed(new)}
                    yield waiting.popleft()
        finally:
            self.served.clear()

    def get_customers(self, *, start: int, size: int = 200, **_: object) -> CustomerPage:
        return self.served.pop(start, None) or self._serve(start, size)

    def _serve(self, start: int, size: int) -> CustomerPage:
        if self.calls and self.moves:
            gone, come = self.moves.pop(0)
            self.ids = sorted((set(self.ids) - set(gone)) | set(come))
        self.calls += 1
        rows = self.ids[start : start + size]
        return CustomerPage(tuple(customer(one) for one in rows), len(self.ids), 0)


class Forgetful:
    """A state file that remembers nothing."""

    def value(self, *_: object) -> None: ...

    def run(self, *_: object) -> None: ...


def reading(kibo: object) -> Sweep:
    """A pass by a run that knows nothing of the vendor's ways yet."""
    return Sweep(SimpleNamespace(kibo=kibo, store=Forgetful(), now=lambda: NOON))  # type: ignore[arg-type]


def swept(store: MovingStore) -> tuple[set[int], Sweep]:
    sweep = reading(store)
    return {one.account_id for page in sweep for one in page.customers}, sweep


@pytest.mark.parametrize("size", [0, 1, 199, 200, 201, 399, 400, 1000])
def test_a_store_at_rest_is_read_with_one_row_of_overlap(size: int) -> None:
    """Everybody once, in no more pages than the overlap costs."""
    store = MovingStore(list(range(1, size + 1)))
    seen, sweep = swept(store)
    assert seen == set(range(1, size + 1))
    assert store.calls <= size // 199 + 1
    assert not sweep.has_moved_right


@pytest.mark.parametrize("under_way", [0, 3])
@pytest.mark.parametrize("seed", range(60))
def test_people_who_leave_hide_nobody(seed: int, under_way: int) -> None:
    """However many rows go away between pages, everybody who stays is read."""
    chance = random.Random(seed)
    ids = list(range(1, 1_500))
    moves = [(chance.sample(ids, chance.choice([0, 1, 2, 5, 250, 600])), ()) for _ in range(12)]
    gone = {one for some, _ in moves for one in some}
    store = MovingStore(list(ids), list(moves), under_way=under_way)
    seen, _ = swept(store)
    happened = {one for some, _ in moves[: store.calls - 1] for one in some}
    assert set(ids) - happened <= seen
    assert gone


@pytest.mark.parametrize("under_way", [0, 3])
@pytest.mark.parametrize("seed", range(60))
def test_people_who_come_in_behind_us_are_noticed(seed: int, under_way: int) -> None:
    """A row that came in where we have been already is either read or reported as moved."""
    chance = random.Random(seed)
    ids = list(range(1, 1_500, 2))
    moves = [((), [chance.randrange(2, 1_500, 2)]) for _ in range(4)]
    store = MovingStore(list(ids), list(moves), under_way=under_way)
    seen, sweep = swept(store)
    assert set(ids) <= seen
    sweep.count_again()
    assert sweep.has_moved_right or set(store.ids) <= seen or len(seen) < sweep.total


def test_pages_that_never_end_are_an_error() -> None:
    """A vendor that shows the same page for ever is found out."""

    class Stuck:
        def pages_ahead(self, starts: Iterable[int], **_: object) -> Iterator[int]:
            yield from starts

        def get_customers(self, *, start: int, **_: object) -> CustomerPage:
            return CustomerPage(tuple(customer(one) for one in range(start + 1, start + 201)), start + 1_000, 0)

    with pytest.raises(VendorUnreachable, match="never end"):
        list(reading(Stuck()))


@dataclass
class Filtered:
    """Answers the update-date filter in one of the ways the vendor may."""

    way: str
    asked: int = 0

    def pages_ahead(self, starts: Iterable[int], **_: object) -> Iterator[int]:
        yield from starts

    def get_customers(self, *, filter: str, **_: object) -> CustomerPage:
        assert filter in ("updateDate ge 2026-11-23T11:45:00Z", "auditInfo.updateDate ge 2026-11-23T11:45:00Z")
        self.asked += 1
        if self.way == "refuse":
            raise RefusedError("Kibo refused it.", status=400)
        if self.way == "forbid":
            raise RefusedError("Kibo refused it.", status=403)
        at = NOON if self.way == "works" else NOON - timedelta(days=900)
        return CustomerPage((customer(1, at),), 1, 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = create_store(tmp_path / "ccsync.db")
    yield made
    made.close()


def since_noon(store: Store, kibo: object, later: timedelta = timedelta()) -> Changed | None:
    """What changed since noon, as a run so much later reads it."""
    return read_changed_since(SimpleNamespace(kibo=kibo, store=store, now=lambda: NOON + later), NOON)  # type: ignore[arg-type]


def test_the_update_filter_is_used_only_where_it_works(store: Store) -> None:
    """Refused or ignored, it is no answer, by either name, for a week; any other refusal is an error."""
    for way, days in (("refuse", 0), ("ignore", 8)):
        kibo = Filtered(way)
        assert since_noon(store, kibo, timedelta(days=days)) is None
        assert since_noon(store, kibo, timedelta(days=days + 6)) is None
        assert kibo.asked == 2
    changed = since_noon(store, Filtered("works"), timedelta(days=16))
    assert changed is not None
    assert changed.total == 1
    assert [one.account_id for page in changed.pages for one in page] == [1]
    with pytest.raises(RefusedError):
        since_noon(store, Filtered("forbid"))


@dataclass
class MovingChanges(MovingStore):
    """The same for the accounts changed since some time."""

    def get_customers(self, *, start: int, size: int = 200, **_: object) -> CustomerPage:
        page = super().get_customers(start=start, size=size)
        return CustomerPage(tuple(customer(one.account_id, NOON) for one in page.customers), page.total, 0)


@pytest.mark.parametrize("seed", range(20))
def test_changed_accounts_that_leave_hide_nobody(seed: int, store: Store) -> None:
    """Accounts deleted while the changed ones are paged take nobody else with them."""
    chance = random.Random(seed)
    ids = list(range(1, 900))
    moves = [(chance.sample(ids, chance.choice([0, 1, 5, 250])), ()) for _ in range(6)]
    kibo = MovingChanges(list(ids), list(moves))
    changed = since_noon(store, kibo)
    assert changed is not None
    seen = {one.account_id for page in changed.pages for one in page}
    gone = {one for some, _ in moves[: kibo.calls - 1] for one in some}
    assert set(ids) - gone <= seen
    assert kibo.calls > 1


@pytest.mark.parametrize("size", [0, 1, 200, 399, 400, 401])
@pytest.mark.parametrize("too_many", [1, 7, 1_000])
def test_a_total_beyond_the_end_is_told_apart_from_rows_that_moved(size: int, too_many: int) -> None:
    """The end is seen twice; how far the total lies beyond it is the surplus, and everybody was read."""

    class TooMany(MovingStore):
        def get_customers(self, *, start: int, size: int = 200, **_: object) -> CustomerPage:
            page = super().get_customers(start=start, size=size)
            return CustomerPage(page.customers, page.total + too_many, 0)

    store = TooMany(list(range(1, size + 1)))
    seen, sweep = swept(store)
    assert seen == set(range(1, size + 1))
    assert sweep.surplus == too_many
    assert store.calls <= size // 199 + 4
