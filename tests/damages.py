"""Ways in which a state file may be damaged, foreign or too new."""

import os
import sqlite3
from pathlib import Path

from ccsync.state.database.schema import VERSION


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("hello, I am a text file\n" * 100)


def header_zeroed(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(100))


def garbage_in_every_page(path: Path) -> None:
    with path.open("r+b") as file:
        size = path.stat().st_size
        for start in range(4_096, size, 4_096):
            file.seek(start)
            file.write(b"\xa5" * 4_096)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 8_192 * 4_096)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def table_gone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE runs")
    connection.close()


DAMAGES = (missing, empty, text, header_zeroed, garbage_in_every_page, cut_in_half, folder, foreign, newer, table_gone)
