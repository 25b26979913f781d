"""TAB: list names in bash, zsh and fish, as one word each, at once and without a sound."""

import contextlib
import os
import pty
import random
import resource
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from fcntl import ioctl
from pathlib import Path

import pytest

from ccsync.cli.shell_completion import quoted_for_bash
from ccsync.config.reading import load_config
from ccsync.state import Lock, create_store
from tests.cli.setup.test_list_names import remember
from tests.config.files import LEAST, write

NAMES = (
    "Web shop customers", "Wide, EU", "Hash #1", "It's \"quoted\" & more", "Run $(touch pwned) `touch pwned`",
    "Back\\slash", "Star *", "Кли енты", "~root", "evil\x1b[2J", "two\nlines", "right\u202eleft",
)  # fmt: skip
CCSYNC = Path(sys.executable).parent / "ccsync"
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with a state file that remembers list names, and no vendor to call."""
    path = write(tmp_path, LEAST)
    store = create_store(load_config(path, {}).state.path)
    remember(store, *NAMES)
    store.close()
    return path


def environment(config: Path, **more: str) -> dict[str, str]:
    path = f"{CCSYNC.parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(config.parent), "CCSYNC_CONFIG": str(config), "TERM": "xterm", **more}


def complete(config: Path, *words: str, at: str = "fish", **more: str) -> list[str]:
    """What is offered for the last word; not a byte goes to stderr."""
    variables: Mapping[str, str] = {
        "_CCSYNC_COMPLETE": f"{at}_complete",
        "COMP_WORDS": "\n".join(("ccsync", *words)),
        "COMP_CWORD": words[-1] if at == "fish" else str(len(words)),
    }
    done = subprocess.run(
        [CCSYNC], env=environment(config, **variables, **more), cwd=config.parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split("\n") if line]


def test_names_that_can_be_typed_are_offered(config: Path) -> None:
    """By their beginning in any case of letters; names with control or invisible characters are not."""
    assert set(complete(config, "configure", "--list", "")) == set(NAMES[:-3])
    assert complete(config, "configure", "--list", "we") == ["Web shop customers"]
    assert complete(config, "--config", str(config), "configure", "--list", "wi") == ["Wide, EU"]
    assert complete(config, "configure", "--l", at="bash") == ["--list"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda config: config.unlink(),
        lambda config: config.write_text("not TOML ["),
        lambda config: config.with_name("ccsync.db").unlink(),
        lambda config: config.with_name("ccsync.db").write_bytes(b"no database"),
        lambda config: config.with_name("ccsync.db").write_bytes(b""),
    ],
    ids=["no config", "no TOML", "no state", "damaged", "empty"],
)
def test_where_nothing_is_known_nothing_is_said(config: Path, damage: object) -> None:
    """No config, no state file, a damaged one: no offer, no error."""
    assert callable(damage)
    damage(config)
    assert complete(config, "configure", "--list", "") == []


def test_no_lock_is_waited_for_or_left(config: Path) -> None:
    """While a writer works TAB answers; it leaves no file behind."""
    state = config.with_name("ccsync.db")
    before = set(config.parent.iterdir())
    assert complete(config, "configure", "--list", "we")
    assert {one.name for one in set(config.parent.iterdir()) - before} <= {"ccsync.db-wal", "ccsync.db-shm"}
    with Lock(state, "export", "2026-10-01T12:00:00.000Z"):
        assert complete(config, "configure", "--list", "we") == ["Web shop customers"]


def test_it_is_instant(config: Path) -> None:
    """A quarter of a second on a quiet machine, which none is that runs tests: nothing slow is even imported."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        complete(config, "configure", "--list", "we")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.5, spent
    code = "import sys, ccsync.cli.app; sys.exit(bool({'requests', 'tabulate'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_bash_reads_a_quoted_name_as_what_it_is(quote: str) -> None:
    """Any printable name, after any quote that was opened, is one word and no command."""
    chance = random.Random(5)
    letters = "ab ,;:'\"\\$`(){}[]<>|&*?~#=%@^-_/.äЯ客\U0001f389\t"
    names = [*NAMES[:-3], *("".join(chance.choices(letters, k=9)) for _ in range(500))]
    words = "\n".join(f"{quote}{quoted_for_bash(name, quote)}{quote}" for name in names)
    script = "printf '%s\\0' \\\n" + words.replace("\n", " \\\n") + "\n"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == names


# real shells. `ccsync` is a function there that shows its words, so that Enter proves what TAB wrote.

SETUP = {
    "bash": "PS1='READY> '\n{line}\nccsync() {{ printf '[%s]' \"$@\"; echo OVER; }}\n",
    "zsh": "PROMPT='READY> '\nautoload -U compinit; compinit -u\n{line}\n"
    "ccsync() {{ printf '[%s]' \"$@\"; echo OVER; }}\n",
    "fish": "function fish_prompt; echo -n 'READY> '; end\n{line}\n"
    "function ccsync; printf '[%s]' $argv; echo OVER; end\n",
}
LINES = {
    "bash": 'eval "$(ccsync completion bash)"',
    "zsh": 'eval "$(ccsync completion zsh)"',
    "fish": "ccsync completion fish | source",
}


@contextlib.contextmanager
def terminal_of(shell: str, config: Path) -> Iterator[int]:
    """The terminal of an interactive shell that has the line of the README; it is ready for a command."""
    home = config.parent
    setup = home / {"bash": "rc", "zsh": ".zshrc", "fish": "rc.fish"}[shell]
    setup.write_text(SETUP[shell].format(line=LINES[shell]))
    command = {
        "bash": ["bash", "--noprofile", "--rcfile", str(setup), "-i"],
        "zsh": ["zsh", "-i"],
        "fish": ["fish", "--no-config", "-i", "-C", f"source {setup}"],
    }[shell]
    outer, inner = pty.openpty()
    ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
    process = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, cwd=home, start_new_session=True,
        preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        env=environment(config, ZDOTDIR=str(home), XDG_DATA_HOME=str(home), LC_ALL="C.UTF-8"),
    )  # fmt: skip
    os.close(inner)
    try:
        read_until(outer, "READY> ")
        yield outer
    finally:
        process.kill()
        process.wait()
        os.close(outer)


def words_after_tab(terminal: int, typed: str) -> str:
    """The words of the command line that TAB and Enter make of what was typed, as `[word][word]`."""
    os.write(terminal, f"{typed}\t\n".encode())
    shown = read_until(terminal, "OVER")
    shown = shown[shown.rindex("[configure]") : shown.rindex("OVER")]
    read_until(terminal, "READY> ")
    return shown


def read_until(terminal: int, expected: str) -> str:
    """What the terminal shows up to this text; what comes after it is left there."""
    shown, ends_at = b"", time.monotonic() + 30
    while expected.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            shown += os.read(terminal, 1)
        assert time.monotonic() < ends_at, shown.decode(errors="replace")
    return shown.decode(errors="replace")


TYPED = ("We", "'We", '"It', "Ru", "Кл", '"We', "we", "Wi", "It", '"Ru', "'Ru", "Ba", "St")
FEW = 5
"""Each TAB is a start of `ccsync`: two of the shells try all of them with `--deep` alone."""


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_writes_one_harmless_word(shell: str, config: Path, pytestconfig: pytest.Config) -> None:
    """The line of the README installs it; whatever the name, the command gets it as it is, and nothing else runs."""
    if shutil.which(shell) is None:
        assert not os.environ.get("CCSYNC_TESTS_NEED_BROWSER"), f"CI has every shell; {shell} is missing"
        pytest.skip(f"there is no {shell} on this machine; Debian's package {shell} has it")
    with terminal_of(shell, config) as terminal:
        for typed in TYPED if shell == "bash" or pytestconfig.getoption("deep") else TYPED[:FEW]:
            begin = typed.strip("'\"").casefold()
            name = next(one for one in NAMES if one.casefold().startswith(begin))
            words = words_after_tab(terminal, f"ccsync configure --list {typed}")
            assert words == f"[configure][--list][{name}]", typed
    assert not (config.parent / "pwned").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_readme_has_the_line(shell: str) -> None:
    """Each shell's line is documented as it is tested here."""
    readme = Path(__file__).parents[3] / "README.md"
    assert f"\n{LINES[shell]}\n" in readme.read_text()
