"""The table of unsure facts is complete, and what it names is there."""

import ast
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from ccsync.sandbox.settings import SandboxSettings
from tests.sandbox.unsure_facts import FACTS, NO_FACTS, Fact

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {one.name for one in fields(SandboxSettings)}


@cache
def functions(path: str) -> frozenset[str]:
    """The tests in a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.source} {fact.question}")
def test_a_fact_has_its_switch_and_its_stories(fact: Fact) -> None:
    """Each switch is a setting, each story is a test, and one of the stories' files turns each switch."""
    assert set(fact.switches) <= SETTINGS
    assert bool(fact.switches) == bool(fact.stories)
    texts = ""
    for story in fact.stories:
        path, _, name = story.partition("::")
        assert name in functions(path), story
        texts += (ROOT / path).read_text()
    assert [one for one in fact.switches if one not in texts] == []


def test_every_switch_is_about_a_fact() -> None:
    """A setting that is no size, limit or fault stands for something that nobody has checked."""
    assert {switch for fact in FACTS for switch in fact.switches} | NO_FACTS == SETTINGS


def test_the_guide_tells_of_facts_of_the_table() -> None:
    """What the guide calls open is open, and ccsync does there what the table says."""
    section = (ROOT / "ccsync" / "guide" / "open-questions.md").read_text()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in section.splitlines() if "|" in line]
    assert len(rows) > 10
    assert set(rows[2:]) <= {(fact.question, fact.conduct) for fact in FACTS}
