"""What TAB offers in a shell: click's own completion, with list names from the state file.

It must be instant and silent: no calls, no lock, and no suggestions without a config or a state file. A list can have
any name, so the scripts for bash and fish insert it as one safely quoted word.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from ccsync.cli.global_options import NAMED_CONFIG
from ccsync.cli.setup import list_names
from ccsync.config.reading import find_config, load_config
from ccsync.errors import CcsyncError
from ccsync.state import open_store


def complete_list_name(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The names of lists that start with this text, in any case of letters."""
    named = context.meta.get(NAMED_CONFIG)
    begin = incomplete.casefold()
    return [
        CompletionItem(name)
        for name in _names(named, os.environ)
        if name.isprintable() and name.casefold().startswith(begin)
    ]


def _names(config_option: Path | None, environ: Mapping[str, str]) -> list[str]:
    try:
        config = load_config(find_config(config_option, environ, Path.cwd()), environ)
        with closing(open_store(config.state.path, is_reader=True)) as store:
            known = list_names.remembered(store)
    except (CcsyncError, OSError, sqlite3.Error):
        return []
    return [one.name.strip() for one in known.lists] if known else []


_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' response completion type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS=',' read -r type value; do
        case $type in
            dir) COMPREPLY=(); compopt -o dirnames ;;
            file) COMPREPLY=(); compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<< "$response"
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_FISH = r"""
function %(complete_func)s
    set -l words (commandline -cp)
    set -l word (commandline -t)
    for completion in (env %(complete_var)s=fish_complete COMP_WORDS=$words COMP_CWORD=$word %(prog_name)s 2>/dev/null)
        set -l metadata (string split -m 1 "," -- $completion)
        switch $metadata[1]
            case dir
                __fish_complete_directories $metadata[2]
            case file
                __fish_complete_path $metadata[2]
            case plain
                echo $metadata[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Bash(BashComplete):
    """click's script puts a name with blanks into the command line as several words, and a `$(…)` as a command."""

    source_template = _BASH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The value, quoted like the word under the cursor: readline inserts it unchanged."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        place = int(os.environ.get("COMP_CWORD", "0"))
        typed = words[place] if place < len(words) else ""
        return (
            f"{item.type},{quoted_for_bash(item.value, typed)}"
            if item.type == "plain"
            else super().format_completion(item)
        )


class Fish(FishComplete):
    """click's script cuts a name at its first comma."""

    source_template = _FISH


def quoted_for_bash(value: str, typed: str) -> str:
    """The value as it goes on after what was typed; a quote that was opened stays open, and readline closes it."""
    if typed.startswith("'"):
        return value.replace("'", "'\\''")
    if typed.startswith('"'):
        return "".join(f"\\{one}" if one in '\\"$`' else one for one in value)
    return "".join(one if one.isalnum() or one in "-_./+,@%" else f"\\{one}" for one in value)


add_completion_class(Bash)
add_completion_class(Fish)
SHELLS: Mapping[str, type[ShellComplete]] = {"bash": Bash, "zsh": ZshComplete, "fish": Fish}
"""What `ccsync completion` prints the script of."""
