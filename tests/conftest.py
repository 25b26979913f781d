"""No test reaches the real home; after every test no secret and no address may have leaked."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries import CANARIES, leaks_in


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random histories are played (`tests/machine`)."""
    parser.addoption("--histories", type=int, default=0, metavar="N", help="play N new random histories (CI: 1000)")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and none of the operator's settings."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CCSYNC_CONFIG", "CCSYNC_STATE", "XDG_CONFIG_HOME", "CCSYNC_KIBO_CLIENT_SECRET", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(autouse=True)
def nothing_leaks(request: pytest.FixtureRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No canary in what was printed or logged; a test that must print one says so with `prints_addresses`."""
    yield
    gc.collect()
    out, err = capfd.readouterr()
    allowed = {"address"} if request.node.get_closest_marker("prints_addresses") else set()
    for name, text in {"stdout": out, "stderr": err}.items():
        assert not leaks_in(text, allowed if name == "stdout" else set()), f"{name} leaks"
    for path in tmp_path.rglob("*.log"):
        assert not leaks_in(path.read_text(errors="replace"), set()), f"{path.name} leaks"


assert CANARIES
