"""The guide: Markdown topics inside the package, read into blocks and printed on a terminal.

It reads the Markdown that the guide uses: headings, paragraphs, lists, tables and code blocks.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources

from ccsync.cli.terminal import screen, tables

TOPICS = ("settings", "mapping", "tags", "decisions", "moving", "state-file", "monitoring", "open-questions")
"""The topics that are not commands, in reading order."""
_MARKED = re.compile(r"\*\*([^*]+)\*\*|`([^`]+)`|(?<!\w)\*([^*]+)\*(?!\w)")
_ITEM = re.compile(r"(- |\d+\. )(.*)")


@dataclass(slots=True)
class Block:
    """A part of a topic. `mark` is the bullet of a list item; `rows` are the rows of a table, header first."""

    kind: str
    text: str = ""
    mark: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)


def topic(name: str) -> str | None:
    """The Markdown text of a topic or a command, or `None`."""
    folder = resources.files("ccsync") / "guide"
    for path in (folder / f"{name}.md", folder / "commands" / f"{name}.md"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def title_of(text: str) -> str:
    """The title of a topic."""
    return text.partition("\n")[0].lstrip("# ")


def blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a text, in order. Lines of a paragraph are joined."""
    now: Block | None = None
    is_code = False
    for line in markdown.splitlines():
        words = line.strip()
        if words.startswith("```"):
            is_code = not is_code
            if now:
                yield now
            now = Block("code") if is_code else None
        elif is_code and now:
            now.text += f"{line.removeprefix('   ') if line.startswith('   ccsync') else line}\n"
        elif words.startswith("|"):
            cells = [_plain(cell.strip()) for cell in words.strip("|").split("|")]
            if now is None or now.kind != "table":
                now = Block("table")
            if set(words) - set("|- "):
                now.rows.append(cells)
        elif not words or words.startswith("#") or _ITEM.match(words):
            if now:
                yield now
            now = _begun(words)
        elif now is None:
            now = Block("text", _plain(words))
        else:
            now.text += f" {_plain(words)}"
    if now:
        yield now


def _begun(words: str) -> Block | None:
    if words.startswith("#"):
        return Block("heading", _plain(words.lstrip("# ")), level=len(words) - len(words.lstrip("#")))
    item = _ITEM.match(words)
    return Block("item", _plain(item[2]), item[1]) if item else None


def _plain(text: str) -> str:
    """The text without Markdown markup."""
    text = re.sub(r"\[([^\]]+)\]\((https:[^)]+)\)", r"\1 (\2)", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    return _MARKED.sub(lambda found: found[found.lastindex or 0], text)


def show(text: str) -> None:
    """Print a topic on stdout, as wide as the terminal."""
    columns = shutil.get_terminal_size().columns
    before = ""
    for block in blocks(text):
        if before and not (block.kind == before == "item"):
            screen.print_line()
        before = block.kind
        if block.kind == "table":
            tables.print_table(block.rows[0], block.rows[1:])
        elif block.kind == "code":
            screen.put("".join(f"    {line}".rstrip() + "\n" for line in block.text.splitlines()), nl=False)
        else:
            text = block.text.upper() if block.level == 1 else block.text
            first, *others = screen.wrapped(text, columns - len(block.mark))
            screen.put("\n".join([block.mark + first, *(" " * len(block.mark) + one for one in others)]))
