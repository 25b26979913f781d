"""Man pages from the guide and click's help. `python -m ccsync.cli.manual` writes them; a test checks them."""

from collections.abc import Iterator
from pathlib import Path

import click

from ccsync.cli import guide
from ccsync.cli.app import cli

FOLDER = Path(__file__).parent.parent / "guide" / "man"


def pages() -> dict[str, str]:
    """Every page by the name of its file: one of the program with all topics, and one of each command."""
    found = {"ccsync.1": _page(cli, "ccsync", guide.TOPICS)}
    for name, command in cli.all().items():
        found[f"ccsync-{name}.1"] = _page(command, f"ccsync {name}", (name,))
    return found


def _page(command: click.Command, name: str, topics: tuple[str, ...]) -> str:
    with click.Context(command, info_name=name) as context:
        return "\n".join([*_head(command, name, context), *_body(command, topics), *_options(command, context), ""])


def _head(command: click.Command, name: str, context: click.Context) -> Iterator[str]:
    title = name.replace(" ", "-")
    yield f'.TH {title.upper()} 1 "" "" "ccsync"'
    yield from (".SH NAME", f"{_escaped(title)} \\- {_escaped(command.get_short_help_str(200))}")
    yield from (".SH SYNOPSIS", f"\\fB{_escaped(name)}\\fR {_escaped(' '.join(command.collect_usage_pieces(context)))}")


def _body(command: click.Command, topics: tuple[str, ...]) -> Iterator[str]:
    summary, _, example = (command.help or "").partition("\b")
    yield ".SH DESCRIPTION"
    yield from (f"{_escaped(' '.join(part.split()))}\n.PP" for part in summary.split("\n\n") if part.strip())
    if example:
        yield from (".nf", *(_escaped(line) for line in example.strip("\n").splitlines()), ".fi")
    for topic in topics:
        for block in guide.blocks(guide.topic(topic) or ""):
            if block.level != 1 or len(topics) > 1:
                yield from _lines(block)


def _lines(block: guide.Block) -> Iterator[str]:
    if block.kind == "heading":
        yield f".SH {_escaped(block.text.upper())}" if block.level == 1 else f".SS {_escaped(block.text)}"
    elif block.kind == "code":
        yield from (".PP", ".nf", ".RS 4", *(_escaped(line) for line in block.text.splitlines()), ".RE", ".fi")
    elif block.kind == "table":
        for first, *rest in block.rows[1:]:
            yield from (
                ".TP",
                f"\\fB{_escaped(first)}\\fR",
                _escaped(" \u2013 ".join(cell for cell in rest if cell)) or "\\&",
            )
    elif block.kind == "item":
        yield from (f'.IP "{block.mark.strip()}" 4', _escaped(block.text))
    else:
        yield from (".PP", _escaped(block.text))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    yield ".SH OPTIONS"
    # Not click's own help option: that one caches the names from the first context that used it.
    help_option = (", ".join(cli.context_settings["help_option_names"]), "Show this message and exit.")
    records = [one for parameter in command.params if (one := parameter.get_help_record(context))]
    for names, text in (*records, help_option):
        yield from (".TP", f"\\fB{_escaped(names)}\\fR", _escaped(text))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def write() -> None:
    """Write every page, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.1"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
