"""A real terminal for `ccsync`: what it writes there, and what is typed into it."""

import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from tests import processes

INTERRUPT = "\x03"
END_OF_INPUT = "\x04"


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
    script: Sequence[tuple[str, str]] = (),
    interrupt_at: str | None = None,
    environ: dict[str, str] | None = None,
    clock: str | None = None,
) -> Session:
    """Run the real `ccsync` on a terminal; type each answer when its question shows, Ctrl-C at `interrupt_at`.

    An answer may depend on what the screen shows. A `script` is questions and answers in their order, of which the
    same may come again; `INTERRUPT` and `END_OF_INPUT` are answers, too.
    """
    outer, inner = pty.openpty()
    ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(config.parent), "TERM": "xterm"}
    environment |= {"CCSYNC_CONFIG": str(config), **(environ or {})}
    process = processes.start(
        words,
        environment,
        config.parent,
        clock=clock,
        takes_terminal=True,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    try:
        shown, left, said, seen_to = b"", dict(answers or {}), list(script), 0
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
            while said and (place := shown.find(said[0][0].encode(), seen_to)) >= 0:
                question, text = said.pop(0)
                seen_to = place + len(question.encode())
                os.write(outer, text.encode() + (b"" if text in (INTERRUPT, END_OF_INPUT) else b"\n"))
            if interrupt_at and interrupt_at.encode() in shown:
                os.write(outer, b"\x03")
                interrupt_at = None
        else:
            raise AssertionError(
                f"it did not end; left to say: {said}; on the screen:\n{shown.decode(errors='replace')}"
            )
        code = process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(outer)
    return Session(code, shown.decode(errors="replace"))
