"""Stage 7b: the index that pages are searched and browsed by, ``search.sqlite``, an SQLite database.

Days are numbers as in :mod:`kg.dates`; words are as in :mod:`kg.words`. Tables::

    entry(id, iri, kind, label, language)         what there is to find; ids rise as entries matter less
    name(folded, entry, language)                 labels and other names of all but claims, whole, folded
    words(label, other, text, sound)              FTS5, contentless, by entry: words of labels in all languages, of
                                                  other names, of notes and descriptions; the sounds of names
    value(id, text)                               IRIs and years that facets have
    claim(entry, document, speaker, modality, basis, own, independent)   a claim's fields, as values; own: the
                                                  document's own voice; independent: documents that state it alike
    mention(thing, claim)                         which claims mention which things, as entries
    trait(facet, value, thing)                    kind (with the kinds above), place, year
    link(subject, property, object, claim)        entries that are linked, by which property, and in which claim (or 0)
    span(thing, property, time, first, last, how, worked_out)   see kg.build.spans
    point(thing, lat, lon, node)                  see kg.build.points

``kind`` of an entry is ``thing``, ``claim``, ``document`` or ``term``. Rows are sorted, so the same data gives the same
bytes with the same version of SQLite.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from pyoxigraph import Quad, RdfFormat, parse

from kg import dates, vocab, words
from kg.build.content import Dataset
from kg.build.points import Point, places, points
from kg.build.render import graph_last
from kg.build.spans import Timed, timed
from kg.build.survey import Name, Survey, survey

LONGEST = 20_000
"""Characters of a name or a note that are indexed."""

LONGEST_NAME = 200
"""Characters of a folded name that are kept whole."""

MOST_YEARS = 300
"""A time that covers more years than this is listed under none of them."""

FIELDS = ("document", "speaker", "modality", "basis")
_ORDER = ("thing", "document", "term", "claim")

TABLES = """
CREATE TABLE entry(id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT NOT NULL,
    language TEXT NOT NULL);
CREATE TABLE name(folded TEXT, entry INTEGER, language TEXT, PRIMARY KEY(folded, entry, language)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(label, other, text, sound, content='', columnsize=0, detail=column,
    tokenize="unicode61 remove_diacritics 0", prefix='1 2 3');
CREATE TABLE value(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE claim(entry INTEGER PRIMARY KEY, document INTEGER, speaker INTEGER, modality INTEGER, basis INTEGER,
    own INTEGER, independent INTEGER);
CREATE TABLE mention(thing INTEGER, claim INTEGER, PRIMARY KEY(thing, claim)) WITHOUT ROWID;
CREATE TABLE trait(facet TEXT, value INTEGER, thing INTEGER, PRIMARY KEY(facet, value, thing)) WITHOUT ROWID;
CREATE TABLE link(subject INTEGER, property INTEGER, object INTEGER, claim INTEGER,
    PRIMARY KEY(subject, object, property, claim)) WITHOUT ROWID;
CREATE TABLE span(thing INTEGER, property TEXT, time TEXT, first INTEGER, last INTEGER, how TEXT, worked_out INTEGER);
CREATE TABLE point(thing INTEGER, lat REAL, lon REAL, node TEXT);
"""
INDEXES = """
CREATE INDEX entry_label ON entry(kind, label COLLATE NOCASE, iri);
CREATE INDEX claim_document ON claim(document);
CREATE INDEX claim_speaker ON claim(speaker);
CREATE INDEX claim_modality ON claim(modality);
CREATE INDEX claim_basis ON claim(basis);
CREATE INDEX claim_independent ON claim(independent) WHERE independent > 1;
CREATE INDEX mention_claim ON mention(claim, thing);
CREATE INDEX trait_thing ON trait(thing, facet, value);
CREATE INDEX link_object ON link(object, subject, property, claim);
CREATE INDEX span_first ON span(first, last);
CREATE INDEX span_thing ON span(thing);
CREATE INDEX span_time ON span(time);
CREATE INDEX point_thing ON point(thing);
"""


def write_index(path: Path, quads: Iterable[Quad], names: vocab.Names, language: str = "en") -> int:
    """Write the index of a dataset and return its number of entries; ``language``: that of labels."""
    found = survey(quads, names)
    times, located = timed(found), points(found)
    entries = _entries(found, language)
    ids = {entry[0]: number for number, entry in enumerate(entries, start=1)}
    traits = sorted(_traits(found, times, located))
    links = sorted(_links(found, ids))
    known = {v for fields in found.fields.values() for v in fields.values()}
    texts = sorted({value for _, value, _ in traits} | known | {link[1] for link in links})
    values = {text: number for number, text in enumerate(texts, start=1)}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA page_size = 4096")
        database.executescript(TABLES)
        fill = partial(_fill, database)
        fill("entry", ((ids[entry[0]], *entry) for entry in entries))
        fill("value", ((number, text) for text, number in values.items()))
        fill("name", sorted(_names(found, ids)))
        database.executemany(
            "INSERT INTO words(rowid, label, other, text, sound) VALUES (?,?,?,?,?)", _words(found, ids)
        )
        fill("claim", _claims(found, ids, values))
        fill("mention", sorted((ids[t], ids[c]) for c, t in found.mentions if t in ids and c in ids))
        fill("trait", sorted((facet, values[value], ids[thing]) for facet, value, thing in traits if thing in ids))
        fill("link", sorted((s, values[p], o, claim) for s, p, o, claim in links))
        fill("span", ((ids[t.thing], *_span(t)) for t in times if t.thing in ids))
        fill("point", ((ids[iri], *point) for iri, here in located.items() if iri in ids for point in here))
        database.executescript(INDEXES)
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
    return len(entries)


def to_index(dataset: Dataset, names: vocab.Names) -> Iterator[Quad]:
    """The quads of a dataset without passages, which nobody looks for."""
    at, facts = 0, dataset.facts
    quad: Any
    for kind in ("passage", None):
        end = facts.find(f"<{names.base}{kind}/".encode()) if kind else len(facts.data)
        for quad in parse(bytes(facts.data[at:end]), format=RdfFormat.N_TRIPLES):
            yield quad
        at = facts.find(f"<{names.base}{kind}0".encode()) if kind else end
    for quad in parse(b"".join(map(graph_last, dataset.graphs.lines())), format=RdfFormat.N_QUADS):
        yield quad


def _fill(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    waiting = iter(rows)
    for first in waiting:
        marks = ",".join("?" * len(first))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", chain((first,), waiting))  # noqa: S608 - ours


def _entries(found: Survey, language: str) -> list[tuple[str, str, str, str]]:
    """IRI, kind, label and its language of all that there is to find, the most mentioned first."""
    mentioned: Counter[str] = Counter(thing for _, thing in found.mentions)
    mentioned.update(fields["document"] for fields in found.fields.values() if "document" in fields)
    iris = set(found.labels) | set(found.others) | set(found.texts) | set(mentioned) | set(found.fields)
    rows = []
    for iri in iris:
        kind = found.kind(iri)
        if kind and not (kind == "claim" and iri not in found.fields):
            rows.append((_ORDER.index(kind), -mentioned[iri], *_label(found, iri, language), iri, kind))
    return [(iri, kind, label, tag) for _, _, label, tag, iri, kind in sorted(rows)]


def _label(found: Survey, iri: str, language: str) -> Name:
    """The label in the language that is wanted, else in none, else in English, else the first."""
    wanted = {language: 0, "": 1, "en": 2}
    known = found.labels.get(iri) or found.others.get(iri)
    if not known:
        return (found.names.local(iri) or iri).partition("/")[2] or iri, ""
    _, tag, text = min((wanted.get(tag, 3), tag, text) for text, tag in known)
    return text[:LONGEST_NAME], tag


def _links(found: Survey, ids: dict[str, int]) -> Iterator[tuple[int, str, int, int]]:
    """Links between things; one row for each claim that makes one, or one with no claim."""
    for iri, links in found.links.items():
        for property_, value in links:
            if iri in ids and value in ids and iri != value:
                claims = [ids[c] for c in found.sources.get((iri, property_, value), ()) if c in ids]
                for claim in claims or [0]:
                    yield ids[iri], property_, ids[value], claim


def _names(found: Survey, ids: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    seen = set()
    for table in (found.labels, found.others):
        for iri, names in table.items():
            if iri in ids and iri not in found.fields:
                for text, language in names:
                    folded = " ".join(words.words(text[:LONGEST]))[:LONGEST_NAME]
                    if folded:
                        seen.add((folded, ids[iri], language))
    yield from seen


def _words(found: Survey, ids: dict[str, int]) -> Iterator[tuple[object, ...]]:
    """A row of words for each entry. Each word once: how often it stands there does not matter."""
    for iri, number in ids.items():
        labels = [text for text, _ in found.labels.get(iri, ())]
        others = [text for text, _ in found.others.get(iri, ())]
        # What has no label is found by its own name.
        labels = labels or ([] if others else [(found.names.local(iri) or "").partition("/")[2]])
        named = [] if iri in found.fields else [*labels, *others]
        yield (
            number,
            _bag(words.indexed, labels),
            _bag(words.indexed, others),
            _bag(words.indexed, found.texts.get(iri, ())),
            _bag(words.sounds, named),
        )


def _bag(split: object, texts: Iterable[str]) -> str:
    assert callable(split)
    return " ".join(sorted({word for text in texts for word in split(text[:LONGEST])}))


def _claims(found: Survey, ids: dict[str, int], values: dict[str, int]) -> Iterator[tuple[object, ...]]:
    rows = (
        (
            ids[iri],
            *(values.get(fields.get(name, ""), 0) for name in FIELDS),
            int(_own_voice(found, fields)),
            found.independent(iri),
        )
        for iri, fields in found.fields.items()
        if iri in ids and found.kind(iri) == "claim"
    )
    yield from sorted(rows)


def _own_voice(found: Survey, fields: dict[str, str]) -> bool:
    speaker = fields.get("speaker")
    return speaker is not None and speaker == found.authors.get(fields.get("document", ""))


def _span(row: Timed) -> tuple[object, ...]:
    return row.property, row.time, row.span.days.first, row.span.days.last, row.span.how, int(row.span.worked_out)


def _traits(found: Survey, times: list[Timed], located: dict[str, list[Point]]) -> set[tuple[str, str, str]]:
    """Facet, value and thing."""
    rows: set[tuple[str, str, str]] = set()
    for iri, kinds in found.types.items():
        if iri.startswith(found.names.id):
            rows.update(("kind", kind, iri) for kind in found.ancestors(kinds))
    known = places(found, located)
    rows.update(("place", place, place) for place in known)
    for iri, links in found.links.items():
        rows.update(("place", value, iri) for _, value in links if value in known)
    for row in times:
        first, last = (dates.civil(day)[0] for day in row.span.days)
        if last - first < MOST_YEARS:
            rows.update(("year", str(year), row.thing) for year in range(first, last + 1))
    return rows
