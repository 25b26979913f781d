"""Scripted faults as a client sees them, and the hooks before a call."""

from collections.abc import Iterator

import pytest
import requests

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.faults import KINDS
from ccsync.sandbox.settings import SandboxSettings
from tests.sandbox.kibo.world import ACCOUNTS, KiboWorld


@pytest.fixture
def world() -> Iterator[KiboWorld]:
    with Sandbox(SandboxSettings(customers=3)) as box, KiboWorld(box) as made:
        yield made


def test_a_status_has_no_effect(world: KiboWorld) -> None:
    """`status`: the answer as scripted, with its headers and body; the vendor does nothing."""
    world.box.faults.add(
        "status", method="PUT", status=502, body="<p>bad", content_type="text/html", headers={"Retry-After": "7"}
    )
    answer = world.put(1001, {"firstName": "New"})
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (502, "<p>bad", "7")
    assert answer.headers["Content-Type"] == "text/html"
    assert world.box.kibo.account(1001)["firstName"] != "New"


def test_an_empty_status_has_no_content_type(world: KiboWorld) -> None:
    """A fault without a body is sent with a length of 0 and no type."""
    world.box.faults.add("status", status=429)
    answer = world.get(ACCOUNTS)
    assert (answer.status_code, answer.headers["Content-Length"]) == (429, "0")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(("kind", "name"), [("reset-before", "before"), ("reset-after", "New")])
def test_a_reset_is_a_real_one(world: KiboWorld, kind: str, name: str) -> None:
    """`reset-before` and `reset-after`: TCP's reset, not an orderly end; only the second has an effect."""
    world.box.kibo.update_account(1001, firstName="before")
    world.box.faults.add(kind, method="PUT")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        world.put(1001, {"firstName": "New"})
    assert world.box.kibo.account(1001)["firstName"] == name


@pytest.mark.parametrize("path", [ACCOUNTS, f"{ACCOUNTS}/1001"])
def test_a_truncated_answer_promises_more_than_it_sends(world: KiboWorld, path: str) -> None:
    """`truncated`: Content-Length is the whole answer's, the body is half of it, then the connection ends."""
    world.box.faults.add("truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=r"IncompleteRead\([1-9]\d* bytes read, [1-9]"):
        world.get(path)


def test_an_empty_answer_is_truncated_too(world: KiboWorld) -> None:
    """Even where the real answer has no body, a truncated one lacks something."""
    world.box.faults.add("truncated", nth=None)
    world.headers = {}
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        world.get("/nowhere")


def test_a_wrong_body_comes_after_the_effect(world: KiboWorld) -> None:
    """`wrong-body`: 200 with another body and type, though the call was carried out."""
    world.box.faults.add("wrong-body", body="<html>", content_type="text/html")
    answer = world.put(1001, {"firstName": "New"})
    assert (answer.status_code, answer.text) == (200, "<html>")
    assert world.box.kibo.account(1001)["firstName"] == "New"


@pytest.mark.parametrize("kind", ["delay", "drip"])
def test_a_slow_answer_is_whole(world: KiboWorld, kind: str) -> None:
    """`delay` waits before the answer, `drip` before each byte; with a shorter timeout the client gives up."""
    world.box.faults.add(kind, seconds=0.05 if kind == "delay" else 0.00001)
    assert world.get(f"{ACCOUNTS}/1001").json()["id"] == 1001
    world.box.faults.add(kind, seconds=0.05)
    with pytest.raises(requests.Timeout):
        world.get(f"{ACCOUNTS}/1001", timeout=0.02)


def test_every_kind_is_tested_here() -> None:
    """Whoever adds a kind adds its test."""
    assert set(KINDS) == {"status", "reset-before", "reset-after", "truncated", "wrong-body", "delay", "drip"}


def test_the_nth_of_the_meant_calls_is_chosen(world: KiboWorld) -> None:
    """Only matching calls are counted, from the moment of scripting; `times` in a row are met."""
    world.box.faults.add("status", method="GET", path=f"{ACCOUNTS}/100", nth=2, times=2, status=503)
    world.get(ACCOUNTS)
    statuses = [world.get(f"{ACCOUNTS}/1001").status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]


def test_every_call_and_clearing(world: KiboWorld) -> None:
    """`nth=None` means every call, until the faults are forgotten."""
    world.box.faults.add("status", nth=None, status=500)
    assert [world.get(ACCOUNTS).status_code for _ in range(3)] == [500] * 3
    world.box.faults.clear()
    assert world.get(ACCOUNTS).status_code == 200


def test_a_hook_runs_before_the_call_is_handled(world: KiboWorld) -> None:
    """What a hook changes, the call already sees; a hook may script faults and forget them."""
    world.box.faults.before(lambda: world.box.kibo.update_account(1001, firstName="Hooked"), method="GET", nth=2)
    names = [world.get(f"{ACCOUNTS}/1001").json()["firstName"] for _ in range(3)]
    assert [name == "Hooked" for name in names] == [False, True, True]
    world.box.faults.before(world.box.faults.clear, nth=1)
    assert world.get(ACCOUNTS).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "explode"}, {"vendor": "kibo"}, {"method": "get"}, {"nth": 0}, {"times": 0}, {"path": "("}],
)
def test_a_fault_that_could_never_happen_is_refused(world: KiboWorld, wrong: dict[str, object]) -> None:
    """A misspelt script is an error at once, not a fault that is waited for in vain."""
    with pytest.raises(ValueError):  # noqa: PT011
        world.box.faults.add(**{"kind": "status", **wrong})  # type: ignore[arg-type]
