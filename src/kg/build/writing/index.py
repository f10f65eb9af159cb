"""Stage 7b: the index that pages are searched and browsed by, ``search.sqlite``, an SQLite database.

Days are numbers as in :mod:`kg.dates`; words are as in :mod:`kg.words`. Tables::

    entry(id, iri, kind, label, language, sole)   what there is to find; ids rise as entries matter less; sole: there
                                                  is no other label, and this is all of it
    name(folded, entry, language)                 labels and other names of all but claims, whole, folded
    words(label, other, text, sound)              FTS5, contentless, by entry: words of labels in all languages, of
                                                  other names, of notes and descriptions; the sounds of names
    value(id, text)                               IRIs and years that facets have
    claim(entry, document, speaker, modality, basis, own, independent, reviewed)   a claim's fields, as values; own:
                                                  the document's own voice; independent: documents that state it alike
    target(claim, passage, paragraph, sentence, verified, sha256, rolling)   the passages of claims, with fingerprints
    mention(thing, claim, at, beside)             which claims mention which things, as entries; two orders of the pairs
    bits(pairs, facet, value, bits)               see kg.build.writing.bitmaps
    trait(facet, value, thing)                    kind (with the kinds above), place, year
    link(subject, property, object, claim)        entries that are linked, by which property, and in which claim (or 0)
    span(thing, property, time, first, last, how, worked_out)   see kg.build.writing.spans
    point(thing, lat, lon, node)                  see kg.build.writing.points

``kind`` of an entry is ``thing``, ``claim``, ``document`` or ``term``. Rows are sorted, so the same data gives the same
bytes with the same version of SQLite.

What there is to index comes run by run (:mod:`kg.build.writing.entries`) into a second database beside it, where
everything is named by its IRI; SQLite gives the numbers and sorts, on disk, so that memory does not grow with the data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from kg import dates, disk, vocab
from kg.build.writing.bitmaps import write_bits
from kg.build.writing.entries import FIELDS, ORDER, Rows, entry_of, rows_of
from kg.build.writing.points import is_place, points
from kg.build.writing.render import read_rows
from kg.build.writing.spans import Timed, timed
from kg.build.writing.survey import Survey

MOST_YEARS = 300
"""A time that covers more years than this is listed under none of them."""

TABLES = """
CREATE TABLE entry(id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT NOT NULL,
    language TEXT NOT NULL, sole INTEGER NOT NULL);
CREATE TABLE name(folded TEXT, entry INTEGER, language TEXT, PRIMARY KEY(folded, entry, language)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(label, other, text, sound, content='', columnsize=0, detail=column,
    tokenize="unicode61 remove_diacritics 0", prefix='1 2 3');
CREATE TABLE value(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE claim(entry INTEGER PRIMARY KEY, document INTEGER, speaker INTEGER, modality INTEGER, basis INTEGER,
    own INTEGER, independent INTEGER, reviewed INTEGER);
CREATE TABLE target(claim INTEGER, passage TEXT, paragraph INTEGER, sentence INTEGER, verified INTEGER,
    sha256 TEXT, rolling TEXT, PRIMARY KEY(claim, passage)) WITHOUT ROWID;
CREATE TABLE mention(thing INTEGER, claim INTEGER, at INTEGER, beside INTEGER, PRIMARY KEY(thing, claim)) WITHOUT ROWID;
CREATE TABLE bits(pairs TEXT, facet TEXT, value INTEGER, bits BLOB, PRIMARY KEY(pairs, facet, value)) WITHOUT ROWID;
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


_ROWS = """
CREATE TABLE rows.entry(iri TEXT PRIMARY KEY, kind INTEGER, named INTEGER, label TEXT, language TEXT, sole INTEGER,
    labels TEXT, others TEXT, texts TEXT, sounds TEXT) WITHOUT ROWID;
CREATE TABLE rows.name(iri TEXT, folded TEXT, language TEXT);
CREATE TABLE rows.class(iri TEXT, class TEXT);
CREATE TABLE rows.parent(class TEXT, above TEXT);
CREATE TABLE rows.claim(iri TEXT, document TEXT, speaker TEXT, modality TEXT, basis TEXT, reviewed INTEGER);
CREATE TABLE rows.target(claim TEXT, passage TEXT);
CREATE TABLE rows.passage(iri TEXT PRIMARY KEY, paragraph INTEGER, sentence INTEGER, verified INTEGER,
    sha256 TEXT, rolling TEXT) WITHOUT ROWID;
CREATE TABLE rows.author(document TEXT PRIMARY KEY, author TEXT) WITHOUT ROWID;
CREATE TABLE rows.mention(claim TEXT, thing TEXT);
CREATE TABLE rows.compared(claim TEXT, comparison TEXT);
CREATE TABLE rows.agreement(comparison TEXT PRIMARY KEY, documents INTEGER) WITHOUT ROWID;
CREATE TABLE rows.link(subject TEXT, property TEXT, object TEXT, claim TEXT);
CREATE TABLE rows.value(iri TEXT, property TEXT, text TEXT, datatype TEXT);
CREATE TABLE rows.above(class TEXT, above TEXT);
CREATE TABLE rows.place(iri TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE rows.trait(facet TEXT, value TEXT, thing TEXT);
CREATE TABLE rows.mentioned(iri TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID;
CREATE TABLE rows.independent(claim TEXT PRIMARY KEY, documents INTEGER) WITHOUT ROWID;
"""
_MENTIONED = """
INSERT INTO rows.mentioned SELECT iri, count(*) FROM (
    SELECT thing AS iri FROM rows.mention UNION ALL SELECT document FROM rows.claim WHERE document <> '') GROUP BY iri;
"""
_ENTRIES = """
INSERT INTO entry SELECT
    row_number() OVER (ORDER BY e.kind, -ifnull(m.times, 0), e.label, e.language, e.iri),
    e.iri, CASE e.kind {kinds} END, e.label, e.language, e.sole
    FROM rows.entry e LEFT JOIN rows.mentioned m USING (iri) WHERE e.named OR m.iri IS NOT NULL ORDER BY 1;
"""
_KINDS_AND_PLACES = """
INSERT INTO rows.trait SELECT DISTINCT 'kind', a.above, c.iri FROM rows.class c JOIN rows.above a USING (class)
    WHERE c.iri >= :things AND c.iri < :beyond;
INSERT INTO rows.trait SELECT 'place', iri, iri FROM rows.place;
INSERT INTO rows.trait SELECT DISTINCT 'place', l.object, l.subject
    FROM rows.link l JOIN rows.place p ON p.iri = l.object;
"""
_NUMBERED = """
INSERT INTO value SELECT row_number() OVER (ORDER BY text), text FROM (
    SELECT value AS text FROM rows.trait {fields}
    UNION SELECT l.property FROM rows.link l JOIN entry s ON s.iri = l.subject JOIN entry o ON o.iri = l.object
        WHERE s.id <> o.id) ORDER BY 1;
INSERT INTO name SELECT n.folded, e.id, n.language FROM rows.name n JOIN entry e USING (iri) ORDER BY 1, 2, 3;
INSERT INTO words(rowid, label, other, text, sound)
    SELECT e.id, r.labels, r.others, r.texts, r.sounds FROM entry e JOIN rows.entry r USING (iri) ORDER BY e.id;
INSERT INTO rows.independent SELECT c.claim, max(ifnull(a.documents, 1))
    FROM rows.compared c LEFT JOIN rows.agreement a USING (comparison) GROUP BY c.claim;
INSERT INTO claim SELECT e.id, ifnull(d.id, 0), ifnull(s.id, 0), ifnull(m.id, 0), ifnull(b.id, 0),
    c.speaker <> '' AND c.speaker IS a.author, ifnull(i.documents, 1), c.reviewed
    FROM rows.claim c JOIN entry e ON e.iri = c.iri AND e.kind = 'claim'
    LEFT JOIN value d ON d.text = c.document LEFT JOIN value s ON s.text = c.speaker
    LEFT JOIN value m ON m.text = c.modality LEFT JOIN value b ON b.text = c.basis
    LEFT JOIN rows.author a ON a.document = c.document LEFT JOIN rows.independent i ON i.claim = c.iri ORDER BY 1;
INSERT INTO target SELECT DISTINCT c.id, t.passage, p.paragraph, p.sentence, ifnull(p.verified, 0),
    ifnull(p.sha256, ''), ifnull(p.rolling, '') FROM rows.target t
    JOIN entry c ON c.iri = t.claim AND c.kind = 'claim' LEFT JOIN rows.passage p ON p.iri = t.passage ORDER BY 1, 2;
INSERT INTO mention SELECT thing, claim, row_number() OVER (ORDER BY thing, claim) - 1,
    row_number() OVER (ORDER BY claim, thing) - 1
    FROM (SELECT t.id AS thing, c.entry AS claim FROM rows.mention m JOIN entry t ON t.iri = m.thing
        JOIN entry e ON e.iri = m.claim JOIN claim c ON c.entry = e.id) ORDER BY 1, 2;
INSERT INTO trait SELECT DISTINCT t.facet, v.id, e.id FROM rows.trait t
    JOIN value v ON v.text = t.value JOIN entry e ON e.iri = t.thing ORDER BY 1, 2, 3;
INSERT INTO link SELECT DISTINCT s.id, v.id, o.id, ifnull(c.id, 0) FROM rows.link l
    JOIN entry s ON s.iri = l.subject JOIN entry o ON o.iri = l.object JOIN value v ON v.text = l.property
    LEFT JOIN entry c ON c.iri = l.claim WHERE s.id <> o.id ORDER BY 1, 3, 2, 4;
"""


def write_index(path: Path, quads: Iterable[Quad], names: vocab.Names, language: str = "en") -> int:
    """Write the index of a dataset and return its number of entries; ``language``: that of labels."""
    return write_index_of(path, [rows_of(quads, names, language)], names)


@dataclass(frozen=True, slots=True)
class Indexing:
    """An index to be written, of the runs with these stems (:mod:`kg.build.writing.render`), wherever that is done."""

    path: Path
    runs: Sequence[Path]
    base: str

    @property
    def name(self) -> str:
        return "the index"


def make_index(job: Indexing) -> int:
    """Write the index, in place of what is there, and return its number of entries.

    :raises OSError: if the disk refuses.
    """
    job.path.unlink(missing_ok=True)
    return write_index_of(job.path, map(read_rows, job.runs), vocab.Names(job.base))


def write_index_of(path: Path, runs: Iterable[Rows], names: vocab.Names) -> int:
    """The same, of the rows of runs.

    :raises OSError: if the disk refuses.
    """
    beside = path.with_name(f"{path.name}.rows")
    beside.unlink(missing_ok=True)
    with disk.of_database(path), closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA page_size = 4096")
        database.execute("ATTACH ? AS rows", (str(beside),))
        for schema in ("main", "rows"):
            # Until it is sealed, nobody misses a file that was cut.
            database.execute(f"PRAGMA {schema}.journal_mode = OFF")
            database.execute(f"PRAGMA {schema}.synchronous = OFF")
            database.execute(f"PRAGMA {schema}.cache_size = -65536")
        database.executescript(_ROWS + TABLES)
        for rows in runs:
            for table, some in rows.items():
                _fill(database, f"rows.{table}", some)
        count = _number(database, names)
        database.executescript(INDEXES)
        database.execute("INSERT INTO words(words) VALUES ('optimize')")
        database.commit()
    beside.unlink()
    return count


def _number(database: sqlite3.Connection, names: vocab.Names) -> int:
    """Fill the tables of the index from the rows; returns the number of entries."""
    database.executescript(_MENTIONED)
    missing = "SELECT iri FROM rows.mentioned EXCEPT SELECT iri FROM rows.entry"
    unsaid = [entry_of(iri, names) for (iri,) in database.execute(missing).fetchall()]
    _fill(database, "rows.entry", (row for row in unsaid if row))
    kinds = " ".join(f"WHEN {number} THEN '{kind}'" for number, kind in enumerate(ORDER))
    database.executescript(_ENTRIES.format(kinds=kinds))
    found = _when_and_where(database, names)
    times, located = timed(found), points(found)
    # An ontology has thousands of classes that nothing is of, and may have all of them above each other.
    used = sorted(kind for (kind,) in database.execute("SELECT DISTINCT class FROM rows.class"))
    _fill(database, "rows.above", ((kind, above) for kind in used for above in found.ancestors((kind,))))
    known = [kind for kind in used if is_place(found, kind)]
    typed = "SELECT DISTINCT iri FROM rows.class WHERE class = ? AND iri >= ? AND iri < ?"
    within = _range(names.id)
    places = {iri for kind in known for (iri,) in database.execute(typed, (kind, *within))} | set(located)
    _fill(database, "rows.place", ((iri,) for iri in sorted(places)))
    for statement in _KINDS_AND_PLACES.split(";\n"):
        database.execute(statement, dict(zip(("things", "beyond"), within, strict=True)))
    _fill(database, "rows.trait", sorted({row for one in times for row in _years(one)}))
    fields = " ".join(f"UNION SELECT {field} FROM rows.claim WHERE {field} <> ''" for field in FIELDS)  # noqa: S608 - ours
    database.executescript(_NUMBERED.format(fields=fields))
    number = "SELECT id FROM entry WHERE iri = ?"
    ids = {iri: id_ for iri in {t.thing for t in times} | set(located) for (id_,) in database.execute(number, (iri,))}
    write_bits(database)
    _fill(database, "span", ((ids[t.thing], *_span(t)) for t in times if t.thing in ids))
    _fill(database, "point", ((ids[iri], *point) for iri, here in located.items() if iri in ids for point in here))
    count: int = database.execute("SELECT count(*) FROM entry").fetchone()[0]
    return count


def _range(prefix: str) -> tuple[str, str]:
    """What begins with a text is not less than the first, and less than the second."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _when_and_where(database: sqlite3.Connection, names: vocab.Names) -> Survey:
    """Values that say when and where, the links that lead to them, and classes with those above them."""
    found = Survey(names)
    for kind, above in database.execute("SELECT class, above FROM rows.parent"):
        found.parents[kind].add(above)
    for (kind,) in database.execute("SELECT DISTINCT class FROM rows.class").fetchall():
        found.parents[kind]
    for iri, property_, text, datatype in database.execute("SELECT * FROM rows.value"):
        found.values[iri].add((property_, Literal(text, datatype=NamedNode(datatype))))
    time = _range(vocab.TIME)
    for iri, kind in database.execute("SELECT * FROM rows.class WHERE class >= ? AND class < ?", time):
        found.types[iri].add(kind)
    relative = "SELECT DISTINCT subject, property, object FROM rows.link WHERE property >= ? AND property < ?"
    for iri, property_, value in database.execute(relative, time):
        found.links[iri].add((property_, value))
    database.execute("CREATE TABLE rows.known(iri TEXT PRIMARY KEY) WITHOUT ROWID")
    _fill(database, "rows.known", ((iri,) for iri in sorted({*found.values, *found.links})))
    leading = "SELECT DISTINCT subject, property, object FROM rows.link l JOIN rows.known k ON k.iri = l.object"
    for iri, property_, value in database.execute(leading):
        found.links[iri].add((property_, value))
    return found


def _fill(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    waiting = iter(rows)
    for first in waiting:
        marks = ",".join("?" * len(first))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", chain((first,), waiting))  # noqa: S608 - ours


def _span(row: Timed) -> tuple[object, ...]:
    return row.property, row.time, row.span.days.first, row.span.days.last, row.span.how, int(row.span.worked_out)


def _years(row: Timed) -> Iterable[tuple[str, str, str]]:
    first, last = (dates.civil(day)[0] for day in row.span.days)
    if last - first < MOST_YEARS:
        for year in range(first, last + 1):
            yield "year", str(year), row.thing
