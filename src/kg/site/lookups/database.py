"""``search.sqlite`` of a release, opened read-only, one connection a thread.

:mod:`kg.build.writing.index` draws its tables.

Releases that were made before a table or a column was thought of lack it: :meth:`Database.has` tells.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from kg import disk
from kg.caches import Forgetful
from kg.errors import ReleaseError

BATCH = 16
"""IRIs that one query asks for."""

MARKS = ",".join("?" * BATCH)
"""Their marks: always the same number, so that SQLite prepares a statement once."""

MAPPED = 2**30
"""Bytes of the index that are read as memory, which all processes share; SQLite's own bound is about twice that."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)

_COLUMNS = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"

_MOST = 10_000
"""Texts that are remembered."""


def marks(values: Sequence[object]) -> str:
    """A mark for each of some values, for a list in SQL."""
    return ",".join("?" * len(values))


class _Mapped(disk.Connection):
    """A connection with a file of its own to the same bytes, which tells how many there are."""

    file: BinaryIO | None = None

    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size if self.file else 0

    def __del__(self) -> None:
        if self.file:
            self.file.close()
        super().__del__()


class Database:
    """The index of one release."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size if path.exists() else 0
        self.name = path.name
        # immutable=1: a sealed release does not change, so SQLite need not lock or look for a journal.
        self._address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        self._local = threading.local()
        self._columns: dict[str, frozenset[str]] = {}
        self._texts: Forgetful[int, str] = Forgetful(_MOST)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds.

        :raises ReleaseError: if somebody damaged the index after its release was opened.
        """
        try:
            connection = self._connection()
            if connection.size() < self._size:
                # Reading on would end the process: there is no memory behind the end of a file (SIGBUS).
                self._let_go()
                raise ReleaseError(f"{self._path}: was damaged while it was served: it was cut", file=self.name)
            return connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as e:
            # A connection keeps what it has read: whether the file is whole again, only another one sees.
            self._let_go()
            # What is no text in UTF-8 is refused by Python, and has no code.
            if getattr(e, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _DAMAGE:
                raise ReleaseError(f"{self._path}: was damaged while it was served: {e}", file=self._path.name) from e
            raise

    def _let_go(self) -> None:
        self._local.__dict__.pop("connection", None)

    def _connection(self) -> _Mapped:
        connection: _Mapped | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._address, uri=True, factory=_Mapped, check_same_thread=False)
            try:
                connection.file = self._path.open("rb")
            except OSError as e:
                raise ReleaseError(
                    f"{self._path}: was damaged while it was served: {e.strerror}", file=self.name
                ) from e
            # A page of the file that is read again and again is not copied again and again.
            connection.execute(f"PRAGMA mmap_size = {MAPPED}")
            self._local.connection = connection
        return connection

    def has(self, table: str, column: str) -> bool:
        """Whether there is such a column."""
        columns = self._columns.get(table)
        if columns is None:
            found = self.rows("SELECT name FROM pragma_table_info(?)", (table,))
            columns = self._columns[table] = frozenset(name for (name,) in found)
        return column in columns

    def columns(self) -> dict[str, set[str]]:
        """The columns of all tables by their names."""
        found: dict[str, set[str]] = {}
        for table, column in self.rows(_COLUMNS):
            found.setdefault(table, set()).add(column)
        return found

    def text(self, number: int) -> str:
        """The IRI or year that the index has this number for; nothing for 0."""
        text = self._texts.get(number)
        if text is None:
            found = self.rows("SELECT text FROM value WHERE id = ?", (number,)) if number else [("",)]
            if not found:
                raise ReleaseError(f"{self._path}: has a number that no value has: {number!r}", file=self.name)
            text = self._texts.keep(number, str(found[0][0]))
        return text


def batches(iris: Iterable[str]) -> Iterator[list[str]]:
    """IRIs for queries with :data:`MARKS`, filled up with nothing."""
    waiting = iter(iris)
    while some := list(islice(waiting, BATCH)):
        yield [*some, *[""] * (BATCH - len(some))]
