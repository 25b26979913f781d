"""No test reaches the real home; after every test no secret and no address may have leaked.

`--deep` also plays what takes longer than the README's four minutes; `.ci/run` gives it.
"""

import gc
import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.canaries import CANARIES, leaks_in
from tests.exchanges.errata import ERRATA
from tests.exchanges.watch import WATCH

MEMORY = Path("/dev/shm")
LEFT_OUT = "deep_tests_left_out"
CHECKED = "exchanges_checked"
ROOMS_OF_STORIES = ("identity", "jobs", "from_constant_contact", "to_constant_contact", "tags", "to_kibo")
"""The rooms whose tests tell a story once for each job that may come first, or for each way that a vendor may go."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is played, and in which order."""
    parser.addoption("--deep", action="store_true", help="also run the tests that are marked deep, as .ci/run does")
    parser.addoption("--histories", type=int, default=0, metavar="N", help="play N new random histories")
    parser.addoption("--shuffle", type=int, default=None, metavar="SEED", help="run the tests in a random order")


def pytest_configure(config: pytest.Config) -> None:
    """State files live in memory: a sync of theirs costs nothing there, and is counted all the same.

    The time zone is UTC, whatever the machine's: pinned texts hold local times.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and not config.option.basetemp:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
        tempfile.tempdir = os.environ["PYTEST_DEBUG_TEMPROOT"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out deep tests unless asked for; mix the rest if asked."""
    if not config.getoption("deep"):
        _leave_out_every_other_variant(items)
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=deep)
        _count(config, len(deep))
    seed = config.getoption("shuffle")
    if seed is not None:
        items.sort(key=lambda item: item.nodeid)
        random.Random(seed).shuffle(items)


def _leave_out_every_other_variant(items: list[pytest.Item]) -> None:
    """Of the variants of a story every other one is deep; whether that is the first or the second takes turns."""
    variants: dict[str, list[pytest.Item]] = {}
    for one in (one for one in items if one.path.parent.name in ROOMS_OF_STORIES and hasattr(one, "callspec")):
        variants.setdefault(one.nodeid.partition("[")[0], []).append(one)
    for turn, some in enumerate(variants.values()):
        for one in some[1 - turn % 2 :: 2] if len(some) > 1 else ():
            one.add_marker(pytest.mark.deep)


def _count(config: pytest.Config, number: int) -> None:
    """Where the end of the run finds it: a worker of xdist hands it to the process that prints."""
    if hasattr(config, "workeroutput"):
        config.workeroutput[LEFT_OUT] = number
    config.stash[_left_out] = number


_left_out = pytest.StashKey[int]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: now and then a test waits for a process of its own."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """A worker keeps to one part of the tests, whose worlds it has made; one that is done takes from another's."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    """What a worker counted."""
    output = getattr(node, "workeroutput", {})
    if LEFT_OUT in output:
        node.config.stash[_left_out] = output[LEFT_OUT]  # type: ignore[attr-defined]
    WATCH.seen.update(output.get(CHECKED, {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What a worker checked."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[CHECKED] = dict(WATCH.seen)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was checked, and what was left out."""
    terminalreporter.write_line(
        f"{WATCH.seen.total():,} exchanges were checked against the vendors' descriptions ({len(ERRATA)} errata)."
    )
    number = config.stash.get(_left_out, 0)
    if number:
        terminalreporter.write_line(f"{number} deep tests were left out; --deep runs them, too.")


@pytest.fixture(scope="session", autouse=True)
def modules_are_no_garbage() -> None:
    """What was imported and collected stays: looking through it after each test would take longer than the tests.

    Nor is it looked through in the midst of a test each time that some objects were made: that is for its end.
    """
    _look_at_everything()
    gc.set_threshold(50_000, 20, 100)


def _look_at_everything() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()


_tests = itertools.count(1)


def collect_garbage() -> None:
    """Let what a test left open be heard of; what was there before it is looked at again every five hundred tests."""
    if next(_tests) % 500 == 0:
        _look_at_everything()
    else:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths of homes. pytest's own `mktemp` looks through all that were made before, which is slow in the end."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and none of the operator's settings."""
    folder = next(homes)
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CCSYNC_CONFIG", "CCSYNC_STATE", "XDG_CONFIG_HOME", "CCSYNC_KIBO_CLIENT_SECRET", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(autouse=True)
def nothing_leaks(request: pytest.FixtureRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No canary in what was printed or logged; a test that must print one says so with `prints_addresses`."""
    yield
    collect_garbage()
    out, err = capfd.readouterr()
    allowed = {"address"} if request.node.get_closest_marker("prints_addresses") else set()
    for name, text in {"stdout": out, "stderr": err}.items():
        assert not leaks_in(text, allowed if name == "stdout" else set()), f"{name} leaks"
    for path in tmp_path.rglob("*.log"):
        assert not leaks_in(path.read_text(errors="replace"), set()), f"{path.name} leaks"


@pytest.fixture(autouse=True)
def exchanges_fit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every call and every answer is as the vendors describe it; `undescribed` marks a test about what is not."""
    WATCH.take()
    yield
    misfits = WATCH.take()
    assert not misfits or request.node.get_closest_marker("undescribed"), "\n".join(misfits)


assert CANARIES


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """A shop whose own people are few. A file whose tests need another one has a fixture of this name."""
    from tests.jobs.polling import small_shop  # only where it is used: the suite of one client needs no sandbox

    with small_shop(tmp_path) as made:
        yield made
