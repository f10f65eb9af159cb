"""The full-text index of a release, opened read-only, one connection a thread."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from kg.site.state import Site

_local = threading.local()
_WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 12
"""Words of a search that are looked for; more would only cost time."""


class Hit(NamedTuple):
    """An entry of the index."""

    iri: str
    kind: str


def _connection(site: Site) -> sqlite3.Connection:
    path = site.release.path / "search.sqlite"
    found: tuple[object, sqlite3.Connection] | None = getattr(_local, "opened", None)
    if found is None or found[0] != path:
        # immutable=1: a sealed release does not change, so SQLite need not lock or look for a journal.
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        found = _local.opened = path, sqlite3.connect(address, uri=True)
    return found[1]


def match(text: str) -> str:
    """What a reader typed as an FTS5 query: every word must begin a word of the entry.

    >>> match('al-Qa"im OR')
    '"al"* "Qa"* "im"* "OR"*'
    """
    return " ".join(f'"{word}"*' for word in _WORD.findall(text)[:MOST_WORDS])


def search(site: Site, text: str, kind: str, *, limit: int, offset: int) -> tuple[list[Hit], int]:
    """Entries that have all words, the best first, and how many there are. A word in a label counts ten times."""
    query = match(text)
    if not query:
        return [], 0
    condition, values = ("AND kind = ?", [kind]) if kind else ("", [])
    database = _connection(site)
    count = database.execute(f"SELECT count(*) FROM entry WHERE entry MATCH ? {condition}", [query, *values]).fetchone()  # noqa: S608 - fixed texts
    rows = database.execute(
        f"SELECT iri, kind FROM entry WHERE entry MATCH ? {condition} "  # noqa: S608 - fixed texts
        "ORDER BY bm25(entry, 0, 0, 10, 1), label LIMIT ? OFFSET ?",
        [query, *values, limit, offset],
    )
    return [Hit(*row) for row in rows], int(count[0])


def labelled(site: Site, kind: str) -> Iterator[str]:
    """IRIs of every entry of a kind, by label."""
    rows = _connection(site).execute("SELECT iri FROM entry WHERE kind = ? ORDER BY label COLLATE NOCASE, iri", [kind])
    return (row[0] for row in rows)
