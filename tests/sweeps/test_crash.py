"""K1: the process dies at every boundary, before and after each call and each commit; the next run finishes."""

from pathlib import Path

import pytest

from ccsync.to_constant_contact import batches
from tests.harness import Crash, Shop, imported_rows
from tests.sweeps.stories import STORIES
from tests.sweeps.story import Story, run_until_done

PARTS = 4


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 8)


def boundaries_of(story: Story, folder: Path) -> list[str]:
    labels: list[str] = []
    with story.world(folder) as shop:
        story.prepare(shop)
        shop.on_boundary = labels.append
        story.run(shop)
        shop.on_boundary = lambda _: None  # a check may run other jobs
        story.check(shop)
    return labels


def crash_at(shop: Shop, number: int) -> None:
    """Let the process die at the n-th boundary from now."""
    passed = 0

    def die(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            raise Crash

    shop.on_boundary = die


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_death_anywhere_loses_nothing(story: Story, part: int, tmp_path: Path) -> None:
    """Whatever the boundary, the next run ends where an undisturbed one would; what arrived is not sent again."""
    labels = boundaries_of(story, tmp_path / "undisturbed")
    assert len(labels) >= story.least_boundaries
    for number in range(1 + part, len(labels) + 1, PARTS):
        with story.world(tmp_path / str(number)) as shop:
            story.prepare(shop)
            rows_before, runs_before = len(imported_rows(shop)), len(shop.latest())
            crash_at(shop, number)
            with pytest.raises(Crash):
                story.run(shop)
            shop.on_boundary = lambda _: None
            shop.later(seconds=30)
            run_until_done(story, shop)
            statuses = [run.status for run in shop.latest()][: -runs_before or None]
            story.check(shop)
            addresses = [str(row["email"]) for row in imported_rows(shop)[rows_before:]]
            assert len(addresses) == len(set(addresses)), f"sent twice after {labels[number - 1]}"
            assert statuses[1:] in ([], ["INTERRUPTED"], ["COMPLETE"]), labels[number - 1]
            assert statuses[0] == "COMPLETE"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_two_deaths_lose_nothing_either(story: Story, tmp_path: Path) -> None:
    """A second death, early in the run that repairs, changes nothing about it."""
    labels = boundaries_of(story, tmp_path / "undisturbed")
    deaths = 0
    for number in range(7, len(labels), 19):
        with story.world(tmp_path / str(number)) as shop:
            story.prepare(shop)
            for again in (number, number // 2 + 3):
                crash_at(shop, again)
                try:
                    story.run(shop)  # the run that repairs may have less to do than the first one
                except Crash:
                    deaths += 1
                shop.later(seconds=30)
            shop.on_boundary = lambda _: None
            run_until_done(story, shop)
            story.check(shop)
    assert deaths > len(range(7, len(labels), 19))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_nothing_is_sent_from_within_a_transaction(story: Story, tmp_path: Path) -> None:
    """Committed before sent: no call goes out while a transaction is open, and every commit is synced."""
    with story.world(tmp_path / "world") as shop:
        story.prepare(shop)
        stores = []
        opened = shop.open

        def remembering() -> object:
            store = opened()
            stores.append(store)
            return store

        shop.open = remembering  # type: ignore[assignment,method-assign]

        def look(label: str) -> None:
            if label.startswith(("before POST", "before GET")):
                assert not any(store.is_in_transaction for store in stores), label

        shop.on_boundary = look
        story.run(shop)
        assert stores
