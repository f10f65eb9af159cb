"""What a store that kg did not build is browsed by: facets, dates and coordinates, read into the index.

Facets are the classes of things (with the classes above them), the years of their dates, and the properties that link
many things to few others. What a store cannot say in time is left out: the others do not depend on it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from pyoxigraph import Literal, NamedNode

from kg import dates, vocab
from kg.build.elsewhere.reading import PAGE_SECONDS, read
from kg.build.writing.index import MOST_YEARS
from kg.build.writing.points import COORDINATES, LEADS, coordinates
from kg.build.writing.spans import DATES, dated
from kg.errors import EndpointBusy, EndpointError
from kg.store.expected import number
from kg.store.remote import RemoteStore

MOST_FACETS = 8
"""Properties that become facets: those with the most links."""

MOST_USED = 200
"""Properties that are looked at, the most used first."""

SAMPLE = 50
"""Values of a property that show what kind of values it has."""

MOST_VALUES = 5_000
"""Values that such a property has at most: more are no choice that anybody could make."""

SHARED = 2
"""Things that a value has on average, at least."""

MOST_CANDIDATES, MOST_DATED = 40, 20
"""Properties that may become facets, and properties with dates."""

MOST_OF_ONE = 20
"""Dates, or points, of one thing."""

MOST_ABOVE = 50
"""Classes above another that count."""

TALLY = "CREATE TABLE tally(facet TEXT, value INTEGER, things INTEGER, PRIMARY KEY(facet, value)) WITHOUT ROWID"
_TRAITS = (
    "INSERT OR IGNORE INTO trait SELECT ?, v.id, e.id FROM said JOIN value v ON v.text = said.o "
    "JOIN entry e ON e.iri = said.s"
)
_NO_FACETS = frozenset(
    {
        vocab.RDF_TYPE,
        vocab.RDFS_SUBCLASS,
        *(vocab.RDFS + name for name in ("subPropertyOf", "domain", "range", "isDefinedBy", "seeAlso")),
        *(vocab.OWL + name for name in ("sameAs", "inverseOf", "equivalentClass", "equivalentProperty")),
        *LEADS,
    }
)
_EVERYTHING = frozenset({vocab.OWL + "Thing", vocab.RDFS + "Resource"})

Say = Callable[[str], None]
"""Is told in a line what was found, or could not be."""


def kinds(database: sqlite3.Connection, parents: Mapping[str, Iterable[str]]) -> None:
    """Note the classes of things, which are what ``said`` holds; ``parents``: the classes right above others."""
    above = {
        (iri, higher) for (iri,) in _rows(database, "SELECT DISTINCT o FROM said") for higher in _above(iri, parents)
    }
    _values(database, (value for (value,) in _rows(database, "SELECT DISTINCT o FROM said ORDER BY o")))
    _values(database, sorted({higher for _, higher in above}))
    database.execute(_TRAITS, ["kind"])
    database.executemany(
        "INSERT OR IGNORE INTO trait SELECT 'kind', h.id, t.thing FROM value v JOIN trait t ON t.facet = 'kind' "
        "AND t.value = v.id JOIN value h ON h.text = ? WHERE v.text = ?",
        sorted((higher, iri) for iri, higher in above),
    )


class Properties(NamedTuple):
    """Those that link things, and those that date them, the most used first."""

    links: tuple[str, ...]
    dates: tuple[str, ...]


def properties(store: RemoteStore, say: Say) -> Properties:
    """What properties there are for, by some of their values: to look at all would take too long."""
    linking, dating = list[str](), list[str]()
    try:
        used = store.endpoint.rows(
            f"SELECT ?p (COUNT(*) AS ?count) {{ {store.flat('?s ?p ?o')} }} "
            f"GROUP BY ?p ORDER BY DESC(?count) LIMIT {MOST_USED}",
            seconds=PAGE_SECONDS,
        )
        for property_ in (row[0].value for row in used):
            values = store.endpoint.rows(f"SELECT ?o {{ {store.flat(f'?s <{property_}> ?o')} }} LIMIT {SAMPLE}")
            if any(isinstance(o, NamedNode) for (o,) in values) and property_ not in _NO_FACETS:
                linking.append(property_)
            if any(isinstance(o, Literal) and o.datatype.value in DATES for (o,) in values):
                dating.append(property_)
    except EndpointBusy:
        raise
    except EndpointError as e:
        say(f"not all properties are known: {e}")
    return Properties(tuple(linking[:MOST_CANDIDATES]), tuple(dating[:MOST_DATED]))


def links(database: sqlite3.Connection, store: RemoteStore, candidates: Iterable[str], say: Say) -> list[str]:
    """Note what things are linked with by the properties that make facets; those, the most used first.

    The facet of a property is its place in the list.
    """
    found: list[str] = []
    for property_ in candidates:
        if len(found) == MOST_FACETS:
            break
        pattern = f"{store.flat(f'?s <{property_}> ?o')} FILTER(isIRI(?o))"
        try:
            rows = store.endpoint.rows(
                f"SELECT (COUNT(*) AS ?count) {{ SELECT DISTINCT ?o {{ {pattern} }} LIMIT {MOST_VALUES + 1} }}",
                seconds=PAGE_SECONDS,
            )
            if not 1 < number(rows) <= MOST_VALUES:
                continue
            read(database, store, f"VALUES ?p {{ <{property_}> }} {pattern}")
        except EndpointBusy:
            raise
        except EndpointError as e:
            say(f"{property_} is no facet: {e}")
            continue
        things, values = next(_rows(database, "SELECT count(DISTINCT s), count(DISTINCT o) FROM said"))
        if things >= SHARED * values > SHARED:
            _values(database, (value for (value,) in _rows(database, "SELECT DISTINCT o FROM said ORDER BY o")))
            database.execute(_TRAITS, [str(len(found))])
            found.append(property_)
            say(f"{things:,} things by {property_}")
    return found


def times(database: sqlite3.Connection, store: RemoteStore, dating: Sequence[str], say: Say) -> int:
    """Note the dates of things, as some properties have them; how many there are."""
    if not dating:
        return 0
    typed = f"FILTER(isLiteral(?o) && DATATYPE(?o) IN ({', '.join(f'<{iri}>' for iri in DATES)}))"
    try:
        read(database, store, f"VALUES ?p {{ {_iris(dating)} }} {store.flat('?s ?p ?o')} {typed}")
    except EndpointBusy:
        raise
    except EndpointError as e:
        say(f"no timeline: {e}")
        return 0
    count = 0
    for thing, said in _said(database):
        for property_, span in islice(dated((p, o) for _, p, o in said), MOST_OF_ONE):
            count += 1
            first, last = span.days
            database.execute("INSERT INTO span VALUES (?,?,'',?,?,?,0)", (thing, property_, first, last, span.how))
            years = dates.civil(first)[0], dates.civil(last)[0]
            if years[1] - years[0] < MOST_YEARS:
                texts = [str(year) for year in range(years[0], years[1] + 1)]
                _values(database, texts)
                database.executemany(
                    "INSERT OR IGNORE INTO trait SELECT 'year', id, ? FROM value WHERE text = ?",
                    ((thing, text) for text in texts),
                )
    say(f"{count:,} dates")
    return count


def places(database: sqlite3.Connection, store: RemoteStore, say: Say) -> int:
    """Note the coordinates of things, also those that a node they lead to has; how many there are."""
    known = f"VALUES ?p {{ {_iris(COORDINATES)} }} FILTER(isLiteral(?o))"
    led = f"VALUES ?l {{ {_iris(LEADS)} }} {store.flat('?s ?l ?n', '?h')} {store.flat('?n ?p ?o')} {known}"
    database.execute("CREATE TEMP TABLE led(iri TEXT PRIMARY KEY)")
    count = 0
    for pattern, through in ((led, True), (f"{store.flat('?s ?p ?o')} {known}", False)):
        try:
            read(database, store, pattern, through=through)
        except EndpointBusy:
            raise
        except EndpointError as e:
            say(f"places are missing on the map: {e}")
            continue
        if through:
            database.execute("INSERT OR IGNORE INTO led SELECT n FROM said")
        else:
            # A geometry is where the thing is that leads to it, and no place beside that.
            database.execute("DELETE FROM said WHERE s IN (SELECT iri FROM led)")
        for thing, said in _said(database):
            here = _points(said)
            count += len(here)
            database.executemany(
                "INSERT INTO point SELECT ?, ?, ?, iri FROM entry WHERE id = ?", ((thing, *at, thing) for at in here)
            )
    say(f"{count:,} places with coordinates")
    return count


def tally(database: sqlite3.Connection) -> None:
    """Count the things of every value of every facet, so that pages need not."""
    database.execute(TALLY)
    database.execute("INSERT INTO tally SELECT facet, value, count(*) FROM trait GROUP BY facet, value")


def _above(iri: str, parents: Mapping[str, Iterable[str]]) -> set[str]:
    """Some classes above another."""
    found: set[str] = set()
    waiting = [iri]
    while waiting and len(found) < MOST_ABOVE:
        for higher in parents.get(waiting.pop(), ()):
            if higher not in found and higher != iri and higher not in _EVERYTHING:
                found.add(higher)
                waiting.append(higher)
    return found


def _said(database: sqlite3.Connection) -> Iterator[tuple[int, list[tuple[str, str, str]]]]:
    """Entries, each with the nodes, properties and values that ``said`` has of it."""
    rows = _rows(
        database,
        "SELECT DISTINCT e.id, said.n, said.p, said.o FROM said JOIN entry e ON e.iri = said.s ORDER BY 1, 2, 3, 4",
    )
    for thing, group in groupby(rows, key=lambda row: row[0]):
        yield thing, [row[1:] for row in islice(group, 1_000)]


def _points(said: Sequence[tuple[str, str, str]]) -> list[tuple[float, float]]:
    """The points that the values of one thing give: a latitude and a longitude are those of the same node."""
    found: set[tuple[float, float]] = set()
    for _, group in groupby(said, key=lambda row: row[0]):
        values: dict[str, list[str]] = defaultdict(list)
        for _, property_, value in group:
            values[property_].append(value)
        found |= coordinates(values)
    return sorted(found)[:MOST_OF_ONE]


def _values(database: sqlite3.Connection, texts: Iterable[str]) -> None:
    database.executemany("INSERT OR IGNORE INTO value(text) VALUES (?)", ((text,) for text in texts))


def _rows(database: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    return iter(database.execute(sql))


def _iris(values: Iterable[str]) -> str:
    return " ".join(f"<{iri}>" for iri in values)
