"""What a site needs beside a store that kg did not build: names to search by, facets, dates, coordinates, terms.

It is sealed like a release, so that everything that opens releases opens it, but it holds no facts: those stay in the
store. What there is to read goes through tables on disk (:mod:`kg.build.elsewhere.reading`), so memory does not grow
with it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, Triple, serialize

from kg import disk, tags, vocab, words
from kg.build.elsewhere import browsing
from kg.build.elsewhere.browsing import Say
from kg.build.elsewhere.reading import read
from kg.build.writing.entries import LONGEST_NAME, bag, folded
from kg.build.writing.index import INDEXES, TABLES
from kg.build.writing.survey import LABELS, NAMES, TEXTS
from kg.config import Config
from kg.fixity import file_entry
from kg.release import Release, manifest_of, seal, staging
from kg.store.endpoint import Endpoint
from kg.store.remote import RemoteStore

FORMAT = 2
"""Of what is gathered: another one is gathered anew."""

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
_FIRST = (*LABELS, vocab.SCHEMA + "name", vocab.FOAF + "name", vocab.SCHEMA_HTTPS + "name")
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


def gather(config: Config, endpoint: Endpoint, graphs: Sequence[str], say: Say) -> Release:
    """Read what there is to find and seal it under ``config.releases``, where it becomes current.

    :raises EndpointError: if the store cannot be read to the end; nothing is sealed then.
    """
    store = RemoteStore(endpoint, graphs=graphs)
    with staging(config.releases) as folder:
        for name in ("store", "dumps", "queries", "metadata", "documents"):
            (folder / name).mkdir()
        index = folder / "search.sqlite"
        with disk.of_database(index), closing(sqlite3.connect(index)) as database, database:
            terms = list(_terms(database, store))
            found = _index(database, store, config, terms, say)
        with (folder / "dumps/ontology.ttl").open("wb") as file:
            serialize(terms, file, format=RdfFormat.TURTLE)
        (folder / "dumps/shapes.ttl").write_text("# No shapes are known of this data.\n")
        for name, (title, text) in _QUERIES.items():
            (folder / f"queries/{name}.rq").write_text(f"# title: {title}\n{text}\n")
        (folder / "report.json").write_text(json.dumps({"documents": {}, "findings": [], **found.report}))
        manifest = manifest_of(
            config,
            quads_sha256=hashlib.sha256(json.dumps([endpoint.query_address, *graphs]).encode()).hexdigest(),
            files=(file_entry(folder, path) for path in folder.rglob("*") if path.is_file()),
            counts={**found.counts, "terms": len(terms)},
            prefixes=vocab.Names(config.base).prefixes(),
        )
        return seal(folder, config, manifest)


@dataclass(frozen=True, slots=True)
class _Found:
    """``counts`` are those of the manifest; ``report``: classes with their numbers, and the properties of facets."""

    counts: Mapping[str, int]
    report: Mapping[str, Any]


def _terms(database: sqlite3.Connection, store: RemoteStore) -> Iterator[Triple]:
    """What is said of the classes and properties that the store describes, in order."""
    classes = " ".join(f"<{iri}>" for iri in _TERMS)
    # With the property in a VALUES block of its own, engines look at all that is said.
    typed = store.flat(f"?s <{vocab.RDF_TYPE}> ?o")
    read(database, store, f"VALUES ?o {{ {classes} }} {typed} BIND(<{vocab.RDF_TYPE}> AS ?p)")
    known = [row[0] for row in database.execute("SELECT DISTINCT s FROM said ORDER BY s")]
    step = store.endpoint.profile.values
    for start in range(0, len(known), step):
        subjects = " ".join(f"<{iri}>" for iri in known[start : start + step])
        asked = f"VALUES ?s {{ {subjects} }} {_said(store, _OF_TERMS)} FILTER(!isBlank(?o))"
        yield from sorted(
            {Triple(*row) for row in store.endpoint.rows(f"SELECT DISTINCT ?s ?p ?o {{ {asked} }}")}, key=str
        )


def _index(
    database: sqlite3.Connection, store: RemoteStore, config: Config, terms: Iterable[Triple], say: Say
) -> _Found:
    """Write the index."""
    parents: dict[str, set[str]] = defaultdict(set)
    for term in terms:
        if (
            term.predicate.value == vocab.RDFS_SUBCLASS
            and isinstance(term.subject, NamedNode)
            and isinstance(term.object, NamedNode)
        ):
            parents[term.subject.value].add(term.object.value)
    database.executescript(TABLES)
    things = _names(database, store, config.language)
    say(f"{things:,} things with a name")
    read(database, store, f"{_said(store, [vocab.RDF_TYPE])} FILTER(isIRI(?o))")
    without = "SELECT DISTINCT s FROM said WHERE s NOT IN (SELECT iri FROM entry) ORDER BY s"
    for (iri,) in database.execute(without):
        things += 1
        _write(database, things, iri, [], "")
    counted = "SELECT o, count(DISTINCT s) FROM said GROUP BY o ORDER BY 2 DESC, 1"
    classes: dict[str, int] = dict(database.execute(counted))
    browsing.kinds(database, parents)
    say(f"{things:,} things, {len(classes):,} classes")
    used = browsing.properties(store, say)
    facets = browsing.links(database, store, used.links, say)
    times = browsing.times(database, store, used.dates, say)
    places = browsing.places(database, store, say)
    browsing.tally(database)
    database.executescript(INDEXES)
    database.execute("INSERT INTO words(words) VALUES ('optimize')")
    counts = {"things": things, "classes": len(classes), "times": times, "places": places}
    return _Found(counts, {"classes": classes, "facets": facets})


def _names(database: sqlite3.Connection, store: RemoteStore, language: str) -> int:
    """Make everything that has a name an entry; how many there are."""
    read(database, store, f"{_said(store, (*_FIRST, *NAMES, *TEXTS))} FILTER(isLiteral(?o))")
    rows = database.execute("SELECT DISTINCT s, p, o, language FROM said ORDER BY s, p, o, language")
    things = 0
    for things, (iri, said) in enumerate(groupby(rows, key=lambda row: row[0]), start=1):
        _write(database, things, iri, [row[1:] for row in said], language)
    return things


def _said(store: RemoteStore, properties: Iterable[str]) -> str:
    """A pattern for what some properties say."""
    return f"VALUES ?p {{ {' '.join(f'<{iri}>' for iri in properties)} }} {store.flat('?s ?p ?o')}"


def _write(
    database: sqlite3.Connection, number: int, iri: str, texts: list[tuple[str, str, str]], language: str
) -> None:
    """Make something an entry; ``texts``: properties with texts and their languages."""
    labels = sorted((_FIRST.index(p), *tags.order((text, tag), (language,))) for p, text, tag in texts if p in _FIRST)
    label, tag = (labels[0][3][:LONGEST_NAME], labels[0][2]) if labels else ("", "")
    names = [(text, tag) for p, text, tag in texts if p in _FIRST or p in NAMES]
    database.execute("INSERT INTO entry VALUES (?,?,'thing',?,?,0)", (number, iri, label or _local(iri), tag))
    rows = {(folded(text), number, tag) for text, tag in names}
    database.executemany("INSERT OR IGNORE INTO name VALUES (?,?,?)", (row for row in rows if row[0]))
    database.execute(
        "INSERT INTO words(rowid, label, other, text, sound) VALUES (?,?,?,?,?)",
        (
            number,
            bag(words.indexed, (text for *_, text in labels) if labels else (_local(iri),)),
            bag(words.indexed, (text for p, text, _ in texts if p in NAMES)),
            bag(words.indexed, (text for p, text, _ in texts if p in TEXTS)),
            bag(words.sounds, (text for text, _ in names)),
        ),
    )


def _local(iri: str) -> str:
    """What an IRI ends with: the name of what has none."""
    return iri.rstrip("/#").replace("#", "/").rpartition("/")[2] or iri
