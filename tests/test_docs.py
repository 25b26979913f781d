"""The README, the guide, the examples and each command's help say what the program does, and nothing else."""

import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from ccsync import __version__
from ccsync.cli import guide, manual
from ccsync.cli.app import cli
from ccsync.config.schema import SCHEMA
from tests.cli.faults import exit_codes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
GUIDE_FOLDER = ROOT / "ccsync" / "guide"
GUIDE = {path: path.read_text() for path in sorted(GUIDE_FOLDER.rglob("*.md"))}
ALL = "\n".join([README, *GUIDE.values()])
MOST_LINES = 300


def section(title: str) -> str:
    """The text below a heading, up to the next one of the same height."""
    level = len(title) - len(title.lstrip("#"))
    found = re.search(rf"^{re.escape(title)}$(.*?)(?=^#{{1,{level}}} |\Z)", README, re.M | re.S)
    assert found, f"README has no {title}"
    return found[1]


def page(name: str) -> str:
    """The guide's text about a command."""
    return GUIDE[GUIDE_FOLDER / "commands" / f"{name}.md"]


COMMANDS = list(cli.all().items())


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
    """Each command has a page that names each of its options."""
    text = page(name)
    for parameter in parameters(command):
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("--") and option not in ("--help", "--json"):
                assert re.search(rf"`[^`\n]*{option}\b", text), f"{name} {option} is not in the guide"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_no_option_is_invented(name: str, command: click.Command) -> None:
    """A page names no option that the command does not have."""
    known = {option for parameter in (*parameters(command), *cli.params) for option in parameter.opts}
    known |= {option for parameter in parameters(command) for option in parameter.secondary_opts}
    others = {option for _, one in COMMANDS for parameter in parameters(one) for option in parameter.opts}
    told = set(re.findall(r"`(--[a-z-]+)", page(name)))
    assert told <= known | others | {"--help"}, told - known


def test_the_pages_are_the_commands() -> None:
    """Every page of a command is about one that exists, and says so in its title."""
    pages = {path.stem: text for path, text in GUIDE.items() if path.parent.name == "commands"}
    assert pages.keys() == {name for name, _ in COMMANDS}
    assert all(text.startswith(f"# ccsync {name}\n") for name, text in pages.items())


def test_the_topics_are_listed() -> None:
    """The README lists every topic, `ccsync help` shows every one, and there is no other."""
    topics = [path.stem for path in GUIDE if path.parent == GUIDE_FOLDER]
    assert sorted(topics) == sorted(guide.TOPICS)
    assert all(f"[{name}](ccsync/guide/{name}.md)" in section("## Contents") for name in topics)


def test_the_readme_can_be_read_in_one_sitting() -> None:
    """The README has at most 300 lines; the rest belongs in the guide."""
    assert len(README.splitlines()) <= MOST_LINES


def test_the_man_pages_are_current() -> None:
    """The man pages are made from the guide and the help as they are: `python -m ccsync.cli.manual` writes them."""
    written = {path.name: path.read_text() for path in manual.FOLDER.glob("*.1")}
    assert written == manual.pages()


def test_the_guide_is_installed() -> None:
    """A wheel has the guide in the package, and the man pages where `man` finds them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    installed = [path for one in settings["package-data"]["ccsync"] for path in (ROOT / "ccsync").glob(one)]
    assert set(GUIDE) <= set(installed)
    assert settings["data-files"] == {"share/man/man1": ["ccsync/guide/man/*.1"]}


@pytest.mark.parametrize("path", GUIDE, ids=lambda path: path.stem)
def test_a_topic_fits_a_terminal(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Printed, a topic has no line over 80 columns but those of code, and none of Markdown's marks."""
    monkeypatch.setenv("COLUMNS", "80")
    guide.show(GUIDE[path])
    for line in capfd.readouterr().out.splitlines():
        assert line.startswith("    ") or (len(line) <= 80 and "**" not in line and "](" not in line), line


@pytest.mark.parametrize("parameter", cli.params, ids=lambda one: str(one.name))
def test_every_option_before_the_command(parameter: click.Parameter) -> None:
    """The README names the options for all commands."""
    for option in parameter.opts:
        assert f"`{option}" in section("## Daily life") or option == "--help"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_every_subcommand(name: str, command: click.Command) -> None:
    """The page of a command calls each of its subcommands."""
    for below in command.commands if isinstance(command, click.Group) else ():
        assert re.search(rf"`ccsync {name} {below}\b", page(name))


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


@pytest.mark.parametrize("columns", ["80", "60"])
def test_summaries_fit(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of commands shows each summary whole, on a narrow terminal, too."""
    monkeypatch.setenv("COLUMNS", columns)
    with click.Context(cli, info_name="ccsync") as context:
        assert "..." not in cli.get_help(context).partition("Commands:")[2]


def test_every_setting() -> None:
    """The table of settings has every key in its section, and no other."""
    told, current = set(), ""
    for cell, *_ in rows(GUIDE[GUIDE_FOLDER / "settings.md"]):
        if header := re.fullmatch(r"\*\*\[(\w+)\]\*\*", cell):
            current = header[1]
            told |= {(current, "")} if current in FREE else set()
        told |= {(current, key) for key in re.findall(r"`(\w+)`", cell)}
    known = {(name, key) for name, keys in SCHEMA.items() for key in keys} | {(name, "") for name in FREE}
    assert told == known


def test_every_exit_code() -> None:
    """The table of exit codes is the program's."""
    assert {int(code) for code, *_ in rows(section("## Exit codes"))[1:]} == exit_codes()


def test_every_job_of_the_log_exists() -> None:
    """What the README and the guide call `ccsync WORD` is a command."""
    words = set(re.findall(r"(?:^|[`$ ])ccsync(?: -[vq]+)? ([a-z][a-z-]+)(?=[ `\n])", "\n".join(code_of(ALL))))
    assert words <= {name for name, _ in COMMANDS}


def code_of(text: str) -> list[str]:
    """The text between backticks and in code blocks."""
    return re.findall(r"```\w*\n(.*?)```", text, re.S) + re.findall(r"`([^`\n]+)`", text)


def test_links_lead_somewhere() -> None:
    """A relative link names a file of the repository, and an anchor a heading."""
    for path, text in {ROOT / "README.md": README, **GUIDE}.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if target.startswith("#"):
                assert re.search(rf"^#+ {target[1:].replace('-', ' ')}$", text, re.M | re.I), target
            else:
                assert target.startswith("https://") or (path.parent / target).exists(), target


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
