"""What a site needs beside a store that kg did not build: names to search by, kinds, terms; read a page at a time.

It is sealed like a release, so that everything that opens releases opens it, but it holds no facts: those stay in the
store. Pages of rows are asked for by where the one before ended, in the order of the subjects, because an engine that
cuts answers would lose rows of a single one, and OFFSET counts anew every time. Memory is that of one page.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from kg import vocab, words
from kg.build.index import INDEXES, LONGEST, LONGEST_NAME, TABLES
from kg.build.survey import LABELS, NAMES, TEXTS
from kg.config import Config
from kg.errors import EndpointError
from kg.model import Manifest
from kg.release import Release, file_entry, seal, staging
from kg.store.endpoint import Endpoint
from kg.store.remote import RemoteStore

PAGE = 20_000
"""Rows of a request, where the engine gives as many."""

SECONDS = 120.0
BYTES = 256 << 20
"""What one request may take and bring."""

_TERMS = (
    vocab.RDFS + "Class",
    vocab.OWL + "Class",
    vocab.RDF + "Property",
    vocab.OWL + "ObjectProperty",
    vocab.OWL + "DatatypeProperty",
    vocab.OWL + "AnnotationProperty",
)
_OF_TERMS = (
    vocab.RDF_TYPE,
    vocab.RDFS_LABEL,
    vocab.RDFS_COMMENT,
    vocab.SKOS_DEFINITION,
    vocab.RDFS_SUBCLASS,
    vocab.RDFS + "subPropertyOf",
)
_FIRST = (*LABELS, vocab.SCHEMA + "name", vocab.FOAF + "name", "https://schema.org/name")
"""Properties whose value is a label, the best first."""

_QUERIES = {
    "kinds": (
        "What kinds of things are there?",
        (
            "SELECT ?kind (COUNT(?thing) AS ?things) WHERE { ?thing a ?kind }\n"
            "GROUP BY ?kind ORDER BY DESC(?things) LIMIT 100"
        ),
    ),
    "properties": (
        "Which properties are used, and how often?",
        (
            "SELECT ?property (COUNT(*) AS ?uses) WHERE { ?s ?property ?o }\n"
            "GROUP BY ?property ORDER BY DESC(?uses) LIMIT 100"
        ),
    ),
    "graphs": (
        "Which named graphs are there?",
        "SELECT ?graph (COUNT(*) AS ?triples) WHERE { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph LIMIT 100",
    ),
}
"""Questions to start from, which any store can be asked."""

_DISORDER = "the store does not keep to one order, or changed while it was read: its names cannot be read page by page"

Say = Callable[[str], None]
Row = tuple[Any, ...]


def gather(config: Config, endpoint: Endpoint, graphs: Sequence[str], say: Say) -> Release:
    """Read what there is to find and seal it under ``config.releases``, where it becomes current.

    :raises EndpointError: if the store cannot be read to the end; nothing is sealed then.
    """
    store = RemoteStore(endpoint, graphs=graphs)
    with staging(config.releases) as folder:
        for name in ("store", "dumps", "queries", "metadata", "documents"):
            (folder / name).mkdir()
        terms = list(_terms(store))
        with (folder / "dumps/ontology.ttl").open("wb") as file:
            serialize(terms, file, format=RdfFormat.TURTLE)
        (folder / "dumps/shapes.ttl").write_text("# No shapes are known of this data.\n")
        counts = _index(folder / "search.sqlite", store, config, say)
        for name, (title, text) in _QUERIES.items():
            (folder / f"queries/{name}.rq").write_text(f"# title: {title}\n{text}\n")
        (folder / "report.json").write_text(json.dumps({"documents": {}, "findings": [], "classes": counts["classes"]}))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        manifest = Manifest(
            base=config.base,
            title=config.title,
            description=config.description,
            license=config.license,
            publisher=config.publisher,
            digest="",
            quads_sha256=hashlib.sha256(json.dumps([endpoint.query_address, *graphs]).encode()).hexdigest(),
            files=tuple(file_entry(folder, path) for path in files),
            counts={"things": counts["things"], "classes": len(counts["classes"]), "terms": len(terms)},
            prefixes=vocab.Names(config.base).prefixes(),
        )
        return seal(folder, config, manifest)


def _pages(store: RemoteStore, properties: Sequence[str], more: str = "") -> Iterator[list[Row]]:
    """Rows of subject, predicate, object, all of a subject in the same page; ``more`` is asked of ``?s`` too."""
    size = min(PAGE, store.endpoint.profile.row_cap - 1) if store.endpoint.profile.row_cap else PAGE
    wanted = " ".join(f"<{iri}>" for iri in properties)
    pattern = f"VALUES ?p {{ {wanted} }} {store.flat('?s ?p ?o')} {more}"
    after, subjects = "", 0
    while True:
        beyond = f" && STR(?s) > {Literal(after)}" if after else ""
        rows = store.endpoint.rows(
            f"SELECT DISTINCT ?s ?p ?o {{ {pattern} FILTER(isIRI(?s){beyond}) }} ORDER BY STR(?s) LIMIT {size}",
            seconds=SECONDS,
            limit=BYTES,
        )
        last = rows[-1][0] if len(rows) >= size else None
        # One subject may fill a page: what fits of it has to do.
        whole = [row for row in rows if row[0] != last] or rows
        subjects += len({row[0] for row in whole})
        yield whole
        if last is None:
            break
        if whole[-1][0].value == after:
            raise EndpointError(_DISORDER)
        after = whole[-1][0].value
    counted = store.endpoint.rows(
        f"SELECT (COUNT(DISTINCT ?s) AS ?n) {{ {pattern} FILTER(isIRI(?s)) }}", seconds=SECONDS
    )
    if int(counted[0][0].value) != subjects:
        raise EndpointError(_DISORDER)


def _terms(store: RemoteStore) -> Iterator[Triple]:
    classes = " ".join(f"<{iri}>" for iri in _TERMS)
    asked = f"{{ SELECT DISTINCT ?s {{ VALUES ?c {{ {classes} }} {store.flat(f'?s <{vocab.RDF_TYPE}> ?c', '?h')} }} }}"
    for rows in _pages(store, _OF_TERMS, asked):
        for s, p, o in rows:
            if isinstance(o, NamedNode | Literal):
                yield Triple(s, p, o)


def _index(path: Path, store: RemoteStore, config: Config, say: Say) -> dict[str, Any]:
    """Write the index; how many things there are, and how many of each class."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(TABLES)
        things = 0
        for rows in _pages(store, (*_FIRST, *NAMES, *TEXTS)):
            for node, said in groupby(rows, key=lambda row: row[0]):
                things += 1
                _write(database, things, node.value, [(p.value, o) for _, p, o in said], config.language)
            say(f"{things:,} things with a name")
        classes: Counter[str] = Counter()
        for rows in _pages(store, (vocab.RDF_TYPE,)):
            pairs = [(s.value, o.value) for s, _, o in rows if isinstance(o, NamedNode)]
            classes.update(kind for _, kind in pairs)
            things = _kinds(database, pairs, things)
        say(f"{things:,} things, {len(classes):,} classes")
        database.executescript(INDEXES)
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
    return {"things": things, "classes": dict(sorted(classes.items(), key=lambda pair: (-pair[1], pair[0])))}


def _write(database: sqlite3.Connection, number: int, iri: str, said: list[tuple[str, Any]], language: str) -> None:
    texts = [(p, o.value[:LONGEST], o.language or "") for p, o in said if isinstance(o, Literal)]
    order = {tag: rank for rank, tag in enumerate((language, "", "en"))}
    labels = sorted(
        ((_FIRST.index(p), order.get(tag, 3), tag, text) for p, text, tag in texts if p in _FIRST),
    )
    label, tag = (labels[0][3][:LONGEST_NAME], labels[0][2]) if labels else ("", "")
    names = [(text, tag) for p, text, tag in texts if p in _FIRST or p in NAMES]
    database.execute("INSERT INTO entry VALUES (?,?,'thing',?,?)", (number, iri, label or _local(iri), tag))
    folded = {(" ".join(words.words(text))[:LONGEST_NAME], number, tag) for text, tag in names}
    database.executemany("INSERT OR IGNORE INTO name VALUES (?,?,?)", (row for row in folded if row[0]))
    database.execute(
        "INSERT INTO words(rowid, label, other, text, sound) VALUES (?,?,?,?,?)",
        (
            number,
            _bag(words.indexed, (text for *_, text in labels) if labels else (_local(iri),)),
            _bag(words.indexed, (text for p, text, _ in texts if p in NAMES)),
            _bag(words.indexed, (text for p, text, _ in texts if p in TEXTS)),
            _bag(words.sounds, (text for text, _ in names)),
        ),
    )


def _kinds(database: sqlite3.Connection, pairs: list[tuple[str, str]], things: int) -> int:
    """Note the classes of things; those without a name become entries too. How many entries there are."""
    values = {kind for _, kind in pairs}
    database.executemany("INSERT OR IGNORE INTO value(text) VALUES (?)", ((kind,) for kind in sorted(values)))
    for iri in dict.fromkeys(iri for iri, _ in pairs):
        if database.execute("SELECT 1 FROM entry WHERE iri = ?", (iri,)).fetchone() is None:
            things += 1
            _write(database, things, iri, [], "")
    database.executemany(
        "INSERT OR IGNORE INTO trait SELECT 'kind', v.id, e.id FROM value v, entry e WHERE v.text = ? AND e.iri = ?",
        ((kind, iri) for iri, kind in pairs),
    )
    return things


def _local(iri: str) -> str:
    """What an IRI ends with: the name of what has none."""
    return iri.rstrip("/#").replace("#", "/").rpartition("/")[2] or iri


def _bag(split: Callable[[str], list[str]], texts: Iterable[str]) -> str:
    return " ".join(sorted({word for text in texts for word in split(text)}))
