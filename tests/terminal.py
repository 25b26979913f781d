"""A real terminal for `ccsync`: what it writes there, and what is typed into it."""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Session:
    """What a terminal showed, and how the command ended."""

    code: int
    screen: str


def on_terminal(
    config: Path,
    *words: str,
    columns: int = 80,
    answers: Mapping[str, str | Callable[[str], str]] | None = None,
    interrupt_at: str | None = None,
    environ: dict[str, str] | None = None,
) -> Session:
    """Run the real `ccsync` on a terminal; type each answer when its question shows, Ctrl-C at `interrupt_at`.

    An answer may depend on what the screen shows.
    """
    outer, inner = pty.openpty()
    ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(config.parent), "TERM": "xterm", **(environ or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "ccsync", "--config", str(config), *words],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        cwd=config.parent,
        start_new_session=True,
        preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inner)
    shown, left = b"", dict(answers or {})
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        ready, _, _ = select.select([outer], [], [], 0.1)
        if ready:
            try:
                part = os.read(outer, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        for question in [one for one in left if one.encode() in shown]:
            answer = left.pop(question)
            text = answer if isinstance(answer, str) else answer(shown.decode(errors="replace"))
            os.write(outer, text.encode() + b"\n")
        if interrupt_at and interrupt_at.encode() in shown:
            os.write(outer, b"\x03")
            interrupt_at = None
    code = process.wait(10)
    os.close(outer)
    return Session(code, shown.decode(errors="replace"))
