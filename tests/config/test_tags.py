"""`[tags]`: a section of the vendors' own names, checked as strictly as the rest."""

import pytest

from ccsync.config.checking import content_problems
from ccsync.config.lines import outline
from ccsync.config.reading import tomllib

BASE = '[kibo]\ntenant_id = 1\nclient_id = "a"\n[constant_contact]\nclient_id = "b"\n'


def problems(text: str) -> tuple[str, ...]:
    return content_problems(tomllib.loads(BASE + text), outline(BASE + text), "ccsync.toml")


@pytest.mark.parametrize("text", ["[tags]\n", '[tags]\nVIP = "VIP customers"\n"*" = "Shop: *"\n'])
def test_good_tags(text: str) -> None:
    """Any code, and a star whose value holds one."""
    assert problems(text) == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("VIP = 1", "must be the name of a tag"),
        ('VIP = " "', "must be the name of a tag"),
        (f'VIP = "{"x" * 256}"', "255 characters"),
        ('VIP = "a\\nb"', "must be the name of a tag"),
        ('"*" = "every"', "must hold a *"),
        ('" " = "blank"', "a key in [tags] is empty"),
    ],
)
def test_bad_tags(line: str, words: str) -> None:
    """One line for each, with its place in the file."""
    (found,) = problems(f"[tags]\n{line}\n")
    assert found.startswith("ccsync.toml:7: ")
    assert words in found
