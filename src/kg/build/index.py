"""Stage 7b: the full-text index, ``search.sqlite``: one table, ``entry(iri, kind, label, text)``, by SQLite's FTS5.

``kind`` is ``thing``, ``claim``, ``document`` or ``term``; ``label`` holds the first label, ``text`` the other labels,
notes and descriptions. Diacritics are folded, so "Kirkuk" is found as "kírkuk" too.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab

_LABELS = (vocab.RDFS_LABEL, vocab.SKOS_PREF_LABEL, vocab.DCTERMS_TITLE)
_TEXTS = (
    vocab.SKOS_ALT_LABEL,
    vocab.SKOS + "scopeNote",
    vocab.SKOS_DEFINITION,
    vocab.RDFS_COMMENT,
    vocab.DCTERMS_DESCRIPTION,
    vocab.SCHEMA + "name",
    vocab.SCHEMA + "alternateName",
    vocab.SCHEMA + "description",
)
_KINDS = {"id": "thing", "claim": "claim", "document": "document", "ontology": "term"}


def write_index(path: Path, quads: Iterable[Quad], names: vocab.Names) -> int:
    """Write the index of a default graph and return its number of entries."""
    rows = sorted(_rows(quads, names))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA page_size = 4096")
        database.execute(
            "CREATE VIRTUAL TABLE entry USING fts5(iri UNINDEXED, kind UNINDEXED, label, text, "
            "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
        )
        database.executemany("INSERT INTO entry(iri, kind, label, text) VALUES (?, ?, ?, ?)", rows)
        database.execute("INSERT INTO entry(entry) VALUES ('optimize')")
    return len(rows)


def _rows(quads: Iterable[Quad], names: vocab.Names) -> Iterator[tuple[str, str, str, str]]:
    labels: dict[str, list[str]] = defaultdict(list)
    texts: dict[str, list[str]] = defaultdict(list)
    for quad in quads:
        if quad.graph_name != DefaultGraph() or not isinstance(quad.object, Literal):
            continue
        if not isinstance(quad.subject, NamedNode):
            continue
        if quad.predicate.value in _LABELS:
            labels[quad.subject.value].append(quad.object.value)
        elif quad.predicate.value in _TEXTS:
            texts[quad.subject.value].append(quad.object.value)
    for iri in labels.keys() | texts.keys():
        local = names.local(iri)
        kind = _KINDS.get((local or "").partition("/")[0].partition("#")[0])
        if kind:
            first, *others = [*labels[iri], *texts[iri]]
            yield iri, kind, first, " · ".join(others)
