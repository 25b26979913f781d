"""An open state file: read as rows, values or dataclasses, and written in short transactions."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from ccsync.state.database.rows import Row, T, Value, marks, reader_of, record_of, values_of

_CHUNK = 1_000


class Store:
    """An open state file. Not for use by several threads."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, on_boundary: Callable[[str], None] = lambda _: None
    ) -> None:
        self._connection = connection
        self._on_boundary = on_boundary
        self.path = path

    @property
    def is_in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def iter_rows(self, sql: str, *values: Value) -> Iterator[Row]:
        """Yield the rows of a query; its tables must not be written to meanwhile."""
        return iter(self._connection.execute(sql, values))

    def iter_chunks(self, sql: str, *values: Value, after: Value = b"") -> Iterator[Row]:
        """Yield the rows of a query in chunks; the caller may write between two rows.

        The query is sorted by its first column, and asks for what comes after `?1`.
        """
        while rows := self.rows(f"{sql} LIMIT {_CHUNK}", after, *values):
            yield from rows
            after = rows[-1][0]

    def records(self, kind: type[T], sql: str, *values: Value) -> list[T]:
        """All rows of a query, whose columns are the fields of the dataclass `kind`."""
        return [record_of(kind, row) for row in self.rows(sql, *values)]

    def column(self, kind: type[T], sql: str, *values: Value) -> list[T]:
        """The only column of a query, which is of this type."""
        read = reader_of(kind)
        return [value if read is None else read(value) for (value,) in self.rows(sql, *values)]

    def one(self, sql: str, *values: Value) -> Row | None:
        """The first row of a query, if any."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def value(self, kind: type[T], sql: str, *values: Value) -> T | None:
        """The only column of a query's first row, which is of this type; `None` also where there is no row."""
        row, read = self.one(sql, *values), reader_of(kind)
        found: T | None = row[0] if row else None
        return found if found is None or read is None else read(found)

    def exists(self, sql: str, *values: Value) -> bool:
        """Does the query give any row?"""
        return self.one(sql, *values) is not None

    def number(self, sql: str, *values: Value) -> int:
        """The single integer a query gives; 0 for NULL."""
        return self.value(int, sql, *values) or 0

    def run(self, sql: str, *values: Value) -> int:
        """Execute one writing statement; return the rows it changed. Commits by itself outside a transaction."""
        with self.transaction():
            return self._connection.execute(sql, values).rowcount

    def run_in_pieces(self, sql: str, *values: Value) -> None:
        """Repeat a writing statement that has a LIMIT until no rows are left, so that each transaction is short."""
        while self.run(sql, *values):
            pass

    def run_aside(self, sql: str) -> None:
        """Execute a statement on temporary tables only: it blocks no other process."""
        self._connection.execute(sql)

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute one writing statement for each of `rows`, all in one transaction."""
        with self.transaction():
            self._connection.executemany(sql, rows)

    def run_records(self, into: str, records: Iterable[Any], **more: Value) -> None:
        """Execute one `INSERT … INTO table` for each dataclass, all in one transaction.

        Its fields are columns of the table; `more` has the columns that are the same in each row.
        """
        found = list(records)
        if found:
            columns = [*(one.name for one in fields(found[0])), *more]
            sql = f"{into} ({', '.join(columns)}) VALUES ({marks(columns)})"
            self.run_many(sql, [[*values_of(one), *more.values()] for one in found])

    def insert(self, sql: str, *values: Value) -> int:
        """Execute one INSERT; return the new row's id."""
        with self.transaction():
            return self._connection.execute(sql, values).lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One `BEGIN IMMEDIATE`, committed at the end or rolled back on any exception; inner ones join the outer.

        A deferred transaction would fail at its first write when another process wrote meanwhile,
        whatever the busy timeout says.
        """
        if self.is_in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._on_boundary("before commit")
            self._connection.execute("COMMIT")
        except BaseException:
            if self.is_in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._on_boundary("after commit")

    def scrub(self) -> bool:
        """Empty the write-ahead log, so that erased data is in no file any more. False if another process kept reading
        the file.
        """
        return self.number("PRAGMA wal_checkpoint(TRUNCATE)") == 0

    def rebuild(self) -> None:
        """Rewrite the whole file, so that no page holds deleted data."""
        self._connection.execute("VACUUM")
        self._on_boundary("after rebuild")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one consistent snapshot, even while a job writes."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def copy_to(self, target: "Store") -> None:
        """Copy everything into another, empty store (a dry run works on a copy)."""
        self._connection.backup(target._connection)
