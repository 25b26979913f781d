"""The README, the examples and each command's help say what the program does, and nothing else."""

import re
import subprocess
from pathlib import Path

import click
import pytest

from ccsync import __version__
from ccsync.cli.app import cli
from ccsync.config.schema import SCHEMA
from ccsync.errors import EXIT_CODES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text below a heading, up to the next one of the same height."""
    level = len(title) - len(title.lstrip("#"))
    found = re.search(rf"^{re.escape(title)}$(.*?)(?=^#{{1,{level}}} |\Z)", README, re.M | re.S)
    assert found, f"README has no {title}"
    return found[1]


COMMANDS = list(cli.commands.items())


def parameters(command: click.Command) -> list[click.Parameter]:
    """The command's parameters, and those of its subcommands: one section tells of them all."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    found = [*command.params, *(parameter for one in below for parameter in one.params)]
    return [one for one in found if not getattr(one, "hidden", False)]


def rows(text: str) -> list[list[str]]:
    """The cells of each line of the tables in `text`."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|- ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_command_and_option(name: str, command: click.Command) -> None:
    """Each command has a section that names each of its options."""
    text = section(f"### ccsync {name}")
    for parameter in parameters(command):
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("--") and option not in ("--help", "--json"):
                assert re.search(rf"`[^`\n]*{option}\b", text), f"{name} {option} is not in the README"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_no_option_is_invented(name: str, command: click.Command) -> None:
    """A section names no option that the command does not have."""
    known = {option for parameter in (*parameters(command), *cli.params) for option in parameter.opts}
    known |= {option for parameter in parameters(command) for option in parameter.secondary_opts}
    others = {option for _, one in COMMANDS for parameter in parameters(one) for option in parameter.opts}
    told = set(re.findall(r"`(--[a-z-]+)", section(f"### ccsync {name}")))
    assert told <= known | others | {"--help"}, told - known


def test_the_sections_are_the_commands() -> None:
    """Every section of a command is one there is."""
    assert set(re.findall(r"^### ccsync ([a-z-]+)$", README, re.M)) == {name for name, _ in COMMANDS}


@pytest.mark.parametrize("parameter", cli.params, ids=lambda one: str(one.name))
def test_every_option_before_the_command(parameter: click.Parameter) -> None:
    """The options for all commands stand above the commands."""
    for option in parameter.opts:
        assert f"`{option}" in section("## Commands") or option == "--help"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_subcommand(name: str, command: click.Command) -> None:
    """The section of a command calls each of its subcommands."""
    for below in command.commands if isinstance(command, click.Group) else ():
        assert re.search(rf"`ccsync {name} {below}\b", section(f"### ccsync {name}"))


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_help_has_an_example(name: str, command: click.Command) -> None:
    """A help text shows how the command is called."""
    assert f"ccsync {name}" in (command.help or "").partition("Example:")[2]
    for below, one in command.commands.items() if isinstance(command, click.Group) else ():
        assert f"ccsync {name} {below}" in (one.help or "").partition("Example:")[2]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_option_has_a_help_text(name: str, command: click.Command) -> None:
    """`--help` explains each option."""
    for parameter in parameters(command):
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


FREE = ("mapping", "tags")
"""Sections whose keys are the vendors' own names."""


def test_every_setting() -> None:
    """The table of settings has every key in its section, and no other."""
    told, current = set(), ""
    for cell, *_ in rows(section("### Settings")):
        if header := re.fullmatch(r"\*\*\[(\w+)\]\*\*", cell):
            current = header[1]
            told |= {(current, "")} if current in FREE else set()
        told |= {(current, key) for key in re.findall(r"`(\w+)`", cell)}
    known = {(name, key) for name, keys in SCHEMA.items() for key in keys} | {(name, "") for name in FREE}
    assert told == known


def test_every_exit_code() -> None:
    """The table of exit codes is the program's."""
    told = {int(code): meaning for code, meaning, *_ in rows(section("## Exit codes"))[1:]}
    assert told.keys() == EXIT_CODES.keys()
    for code, meaning in EXIT_CODES.items():
        assert told[code].startswith(meaning.partition(":")[0]), code


def test_every_job_of_the_log_exists() -> None:
    """What the README calls `ccsync WORD` is a command."""
    words = set(re.findall(r"(?:^|[`$ ])ccsync(?: -[vq]+)? ([a-z][a-z-]+)(?=[ `\n])", "\n".join(code_of(README))))
    assert words <= {name for name, _ in COMMANDS}


def code_of(text: str) -> list[str]:
    """The text between backticks and in code blocks."""
    return re.findall(r"```\w*\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text)


def test_links_lead_somewhere() -> None:
    """A relative link names a file of the repository."""
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_two_commands_on_top() -> None:
    """The first two code blocks are the main job and the tests, and CI runs the second."""
    first, second = re.findall(r"```sh\n(.*?)\n```", README, re.S)[:2]
    assert first.endswith("python -m ccsync.sandbox demo")
    assert second.endswith(" -m pytest -n auto")
    steps = second.split(" && ")
    ci = (ROOT / ".ci/run").read_text()
    assert all(step in ci for step in steps)


def test_the_changelog_tells_of_this_version() -> None:
    """The changelog has an entry for the version that is built, or what is not released yet."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == "Unreleased"
    assert __version__ in headings


def test_the_crontab_calls_real_commands() -> None:
    """Each line of crontab.example has a schedule and a command that is taken."""
    lines = (ROOT / "crontab.example").read_text().splitlines()
    jobs = [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]
    assert jobs
    for line in jobs:
        schedule, words = line.split()[:5], line.split()[5:]
        assert all(re.fullmatch(r"[\d*/,-]+", one) for one in schedule), line
        assert words[0].endswith("/ccsync")
        context = cli.make_context("ccsync", words[1:])
        name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        command.make_context(name, list(rest), parent=context)


def test_nothing_else_on_top() -> None:
    """The top level holds what a reader expects, as far as git knows it."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert top == {".ci", ".gitignore", "CHANGELOG.md", "README.md", "ccsync", "ccsync.toml.example", "crontab.example",
                   "pyproject.toml", "tests"}  # fmt: skip
