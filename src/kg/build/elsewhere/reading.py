"""All that a store elsewhere says in a pattern, into a table on disk: however much it is, memory stays small.

One answer is read as it comes, without ORDER BY: a store would sort everything anew for each page of it. The number of
subjects, asked for on its own, shows whether it was whole. Engines that cut answers are read a page at a time, in the
order of the subjects, from where the page before ended: OFFSET would count anew every time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from kg.errors import EndpointBusy, EndpointError, EndpointTimeout
from kg.store.expected import number, rows
from kg.store.remote import RemoteStore

PAGE = 20_000
"""Rows of a page, where the engine gives as many."""

PAGE_SECONDS, PAGE_BYTES = 600.0, 256 << 20
"""What one page, or one question about the whole store, may take and bring."""

SECONDS, BYTES = 1800.0, 16 << 30
"""What one answer that is read as it comes may take and bring."""

LONGEST = 20_000
"""Characters of a value that are kept."""

_TABLE = "CREATE TEMP TABLE IF NOT EXISTS said(s TEXT, n TEXT, p TEXT, o TEXT, language TEXT, literal INTEGER)"
_INSERT = "INSERT INTO said VALUES (?,?,?,?,?,?)"
_DISORDER = "the store does not keep to one order, or changed while it was read: it cannot be read to the end"

Row = tuple[Any, ...]


def read(database: sqlite3.Connection, store: RemoteStore, pattern: str, *, through: bool = False) -> None:
    """Fill the temporary table ``said`` with what a pattern has for ``?s ?p ?o``, where ``?s`` is an IRI.

    ``n`` is the node that leads from ``?s`` to ``?p ?o``, if they are to be read ``through`` one (``?n``). Rows may be
    there twice.

    :raises EndpointError: if the store cannot be read to the end.
    """
    database.execute(_TABLE)
    names = "?s ?n ?p ?o" if through else "?s ?p ?o"
    pattern = f"{pattern} FILTER(isIRI(?s))"
    counting = f"SELECT (COUNT(DISTINCT ?s) AS ?count) {{ {pattern} }}"
    expected = number(store.endpoint.rows(counting, seconds=PAGE_SECONDS))
    at_once = store.endpoint.profile.row_cap == 0
    if (
        at_once
        and _read_at_once(database, store, f"SELECT {names} {{ {pattern} }}")
        and _subjects(database) == expected
    ):
        return
    _fill(database, _pages(store, names, pattern) if expected else ())
    if _subjects(database) != expected:
        raise EndpointError(_DISORDER)


def _read_at_once(database: sqlite3.Connection, store: RemoteStore, query: str) -> bool:
    """Whether the answer could be read to its end."""
    try:
        with store.endpoint.ask(query, "SELECT", seconds=SECONDS, limit=BYTES) as reply:
            _fill(database, rows(query, reply))
    except (EndpointBusy, EndpointTimeout):
        raise
    except EndpointError:
        return False  # it was cut, or was too much at once
    return True


def _pages(store: RemoteStore, names: str, pattern: str) -> Iterator[Row]:
    """Rows, those of a subject all from the same page."""
    size = min(PAGE, store.endpoint.profile.row_cap - 1) if store.endpoint.profile.row_cap else PAGE
    after, ends = "", set[str]()
    while True:
        beyond = f"FILTER(STR(?s) > {Literal(after)})" if after else ""
        found = store.endpoint.rows(
            f"SELECT DISTINCT {names} {{ {pattern} {beyond} }} ORDER BY STR(?s) LIMIT {size}",
            seconds=PAGE_SECONDS,
            limit=PAGE_BYTES,
        )
        last = found[-1][0] if len(found) >= size else None
        # One subject may fill a page: what fits of it has to do.
        whole = [row for row in found if row[0] != last] or found
        yield from whole
        if last is None:
            return
        after = whole[-1][0].value
        if after in ends:
            raise EndpointError(_DISORDER)
        ends.add(after)


def _fill(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    database.execute("DELETE FROM said")
    database.executemany(_INSERT, (_kept(row) for row in rows))


def _kept(row: Row) -> Row:
    subject, *through, predicate, value = row
    node = through[0].value if through else ""
    if isinstance(value, Literal):
        return subject.value, node, predicate.value, value.value[:LONGEST], value.language or "", 1
    known = value.value if isinstance(value, NamedNode | BlankNode) else str(value)
    return subject.value, node, predicate.value, known, "", 0


def _subjects(database: sqlite3.Connection) -> int:
    count: int = database.execute("SELECT count(DISTINCT s) FROM said").fetchone()[0]
    return count
