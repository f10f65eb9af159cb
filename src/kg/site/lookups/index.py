"""Search in the index of a release (:mod:`kg.build.writing.index` draws its tables).

A search looks for entries step by step, the best first: whose name is what was typed; whose name begins with it; whose
names have every word, whole before only begun; whose notes, descriptions or glosses have the rest; where nothing was
found, who has the words in other forms; where little was, whose names sound alike; at last, where nothing was, as when
a question is typed, those with some of the words.
Within a step those that more claims mention come first. Every step is bounded, so that what a search costs does not
follow the size of the release.
"""

# ruff: noqa: S608 - SQL is put together from fixed texts; what readers ask for is always a parameter

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from math import log
from typing import Any, NamedTuple

from kg import dates, words
from kg.site.lookups.database import marks
from kg.site.lookups.state import Site

MOST = 1_000
"""Entries that a search gives."""

MOST_LOOKED_AT = 20_000
"""Entries with the words of a search that are held against its filters."""

MOST_WORDS = 12
"""Words of a search that are looked for; more would only cost time."""

FEW = 5
"""With fewer entries found than this, names that sound alike are looked for."""

LOOKED_AT_BY_WORD = 1_000
"""Entries with one of the words of a search that has nothing with all of them; a word of more tells nothing apart."""

TEXT_COUNTS = 0.3
"""How much of a word counts that stands in a note or description, and in no name."""

NOT_A_TERM = "e.kind <> 'term'"
EXACT, BEGINS, NAMED, TOLD, FORMS, ALIKE, SOME = range(7)


class Filters(NamedTuple):
    """What found entries must be like; ``""`` asks for nothing. ``document`` and ``modality`` are IRIs."""

    kind: str = ""
    document: str = ""
    modality: str = ""
    year: str = ""


class Hit(NamedTuple):
    """An entry of the index; ``step``: by which of the steps it was found."""

    iri: str
    kind: str
    step: int


class Found(NamedTuple):
    """What a search gave; ``cut``: there is more."""

    hits: list[Hit]
    cut: bool


def query(site: Site, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Rows of the index."""
    return site.index.rows(sql, values)


def match(wanted: Sequence[str], *, begun: bool) -> str:
    """Folded words as an FTS5 query: the entry must have every one, or (``begun``) a word that begins with it.

    >>> match(words.words('al-Qa"im OR'), begun=True), match(["or"], begun=False)
    ('"al"* AND "qa"* AND "im"* AND "or"*', '"or"')
    """
    return " AND ".join(f'"{word}"{"*" if begun else ""}' for word in wanted)


def search(site: Site, text: str, filters: Filters = Filters(), *, limit: int = MOST) -> Found:  # noqa: B008 - frozen
    """Entries that have all words, the best first; where there are none, those that have some of them."""
    wanted = words.words(text)[:MOST_WORDS]
    if not wanted:
        return Found([], cut=False)
    condition, values = _condition(filters)
    language = site.config.language
    hits: dict[int, Hit] = {}
    bare = words.bare(text)
    for step, inner, inner_values in _steps(wanted, words.sounds(text), language):
        if step == ALIKE and not hits and bare != text:
            return search(site, bare, filters, limit=limit)
        if len(hits) > limit or (step == ALIKE and len(hits) >= FEW):
            break
        if step == FORMS and hits:
            continue
        # A term of the ontology is seldom what is meant, unless its whole name was typed: it comes behind the things.
        sql = (
            f"SELECT e.id, e.iri, e.kind FROM ({inner}) found CROSS JOIN entry e ON e.id = found.entry "
            f"WHERE {NOT_A_TERM if step == BEGINS else '1'} {condition} LIMIT {limit + 1}"
        )
        try:
            rows = query(site, sql, (*inner_values, *values))
        except sqlite3.OperationalError:
            continue  # FTS5 cuts words apart that Unicode's newest letters stand in, and cannot look for the parts
        for number, iri, kind in rows:
            hits.setdefault(number, Hit(iri, kind, step))
    found = list(hits.values()) or _with_some(site, wanted, condition, values)
    return Found(found[:limit], cut=len(found) > limit)


def _with_some(site: Site, wanted: Sequence[str], condition: str, values: Sequence[str]) -> list[Hit]:
    """Entries with some of the words: with more and rarer ones first, in names rather than in texts, in short names.

    None is far behind the best.
    """
    having = (
        "SELECT e.id, e.iri, e.kind, e.label "
        "FROM (SELECT rowid AS entry FROM words WHERE words MATCH ? LIMIT ?) found "
        f"CROSS JOIN entry e ON e.id = found.entry WHERE 1 {condition}"
    )
    named = "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?"
    scores: dict[int, float] = {}
    entries: dict[int, tuple[int, str, str, str]] = {}
    for word in dict.fromkeys(wanted):
        matching = match([word], begun=False)
        try:
            rows = query(site, having, (f"{{label other text}} : {matching}", LOOKED_AT_BY_WORD, *values))
            if not rows and (stem := words.stem(word)) != word:
                matching = match([stem], begun=True)
                rows = query(site, having, (f"{{label other text}} : {matching}", LOOKED_AT_BY_WORD, *values))
            names = query(site, named, (f"{{label other}} : {matching}", LOOKED_AT_BY_WORD)) if rows else []
        except sqlite3.OperationalError:
            continue  # as in search
        told = TEXT_COUNTS * log(1 + LOOKED_AT_BY_WORD / max(1, len(rows)))
        said = (1 - TEXT_COUNTS) * log(1 + LOOKED_AT_BY_WORD / max(1, len(names)))
        for row in rows:
            scores[row[0]] = scores.get(row[0], 0) + told
            entries[row[0]] = row
        for (number,) in names:
            if number in scores:
                scores[number] += said
    for number, _, kind, label in entries.values():
        scores[number] /= (5 + label.count(" ")) * (2 if kind == "term" else 1)
    enough = max(scores.values(), default=0.0) / 2
    best = [number for number, score in scores.items() if score > enough]
    return [Hit(*entries[n][1:3], SOME) for n in sorted(best, key=lambda n: (-scores[n], n))]


def _steps(wanted: list[str], sounds: list[str], language: str) -> Iterator[tuple[int, str, tuple[Any, ...]]]:
    """Queries for ids of entries, with their values."""
    whole = " ".join(wanted)
    # Grouped, and with the reader's language first: a name may be the same in several.
    grouped = "SELECT entry FROM ({}) GROUP BY entry ORDER BY max(language = ?) DESC, entry"
    exact = grouped.format("SELECT entry, language FROM name WHERE folded = ? ORDER BY entry LIMIT ?")
    yield EXACT, exact, (whole, MOST + 1, language)
    begins = grouped.format("SELECT entry, language FROM name WHERE folded > ? AND folded < ? LIMIT ?")
    yield BEGINS, begins, (whole, whole + "\U0010ffff", MOST + 1, language)
    words_ = "SELECT rowid AS entry FROM words WHERE words MATCH ? LIMIT ?"
    # Whole words come first, and are read one by one. For all that begin alike FTS5 first makes a list of every entry
    # that has any of them, which takes 17 ms where half a million have one.
    yield NAMED, words_, (f"{{label other}} : ({match(wanted, begun=False)})", MOST_LOOKED_AT)
    matching = match(wanted, begun=True)
    yield NAMED, words_, (f"{{label other}} : ({matching})", MOST_LOOKED_AT)
    yield TOLD, words_, (f"{{label other text}} : ({matching})", MOST_LOOKED_AT)
    stems = [words.stem(word) for word in wanted]
    if stems != wanted:
        yield FORMS, words_, (f"{{label other text}} : ({match(stems, begun=True)})", MOST_LOOKED_AT)
    if sounds:
        yield ALIKE, words_, ("sound : (" + " AND ".join(f'"{sound}"' for sound in sounds) + ")", MOST_LOOKED_AT)


def _condition(filters: Filters) -> tuple[str, list[str]]:
    """SQL for what entries ``e`` must be like. A thing is of a document that mentions it, in that claim's modality."""
    parts: list[str] = []
    values: list[str] = []
    if filters.kind:
        parts.append("AND e.kind = ?")
        values.append(filters.kind)
    fields = [
        (name, value) for name, value in (("document", filters.document), ("modality", filters.modality)) if value
    ]
    if fields:
        same = " AND ".join(f"c.{name} = (SELECT id FROM value WHERE text = ?)" for name, _ in fields)
        asked = [value for _, value in fields]
        parts.append(
            f"AND (e.iri = ? OR EXISTS (SELECT 1 FROM claim c WHERE c.entry = e.id AND {same}) OR EXISTS "
            f"(SELECT 1 FROM mention m JOIN claim c ON c.entry = m.claim WHERE m.thing = e.id AND {same}))"
        )
        values += [filters.document, *asked, *asked]
    if filters.year:
        year = "t.facet = 'year' AND t.value = (SELECT id FROM value WHERE text = ?)"
        parts.append(
            f"AND (EXISTS (SELECT 1 FROM trait t WHERE t.thing = e.id AND {year}) OR EXISTS "
            f"(SELECT 1 FROM mention m JOIN trait t ON t.thing = m.thing WHERE m.claim = e.id AND {year}))"
        )
        values += [filters.year, filters.year]
    return " ".join(parts), values


class Labelled:
    """IRIs of every entry of a kind, by label; read where somebody looks.

    Of things, those that claims speak of, which are the ones that are counted: others have a label and no more
    (speakers, what was merged into another).
    """

    def __init__(self, site: Site, kind: str) -> None:
        spoken = "" if kind != "thing" or site.foreign else " AND EXISTS (SELECT 1 FROM mention WHERE thing = entry.id)"
        self._site, self._kind, self._from = site, kind, f"FROM entry WHERE kind = ?{spoken}"
        self._count: int = query(site, f"SELECT count(*) {self._from}", [kind])[0][0]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: slice, /) -> list[str]:
        start, stop, _ = part.indices(self._count)
        sql = f"SELECT iri {self._from} ORDER BY label COLLATE NOCASE, iri LIMIT ? OFFSET ?"
        return [row[0] for row in query(self._site, sql, [self._kind, max(0, stop - start), start])]

    def initials(self) -> list[tuple[str, int, str]]:
        """The signs that labels begin with, how many do, and the language of one, in the order of the list."""
        grouped = "GROUP BY sign COLLATE NOCASE ORDER BY sign COLLATE NOCASE"
        sql = f"SELECT substr(label, 1, 1) AS sign, count(*), min(language) {self._from} {grouped}"
        return [tuple(row) for row in query(self._site, sql, [self._kind])]


def of_kind(site: Site, kinds: Iterable[str], limit: int) -> list[str]:
    """IRIs of the things of any of these classes, by label."""
    wanted = list(kinds)[:MOST_LOOKED_AT]
    sql = (
        "SELECT DISTINCT e.iri, e.label FROM trait t JOIN entry e ON e.id = t.thing "
        f"WHERE t.facet = 'kind' AND t.value IN (SELECT id FROM value WHERE text IN ({marks(wanted)})) "
        "ORDER BY e.label COLLATE NOCASE, e.iri LIMIT ?"
    )
    return [row[0] for row in query(site, sql, [*wanted, limit])]


def kinds(site: Site, iri: str) -> list[str]:
    """The classes of a thing of a store that kg did not build, as they were when the index was made.

    Not those above others: the index has them too.
    """
    sql = (
        "SELECT v.text FROM entry e JOIN trait t ON t.thing = e.id AND t.facet = 'kind' JOIN value v ON v.id = t.value "
        "WHERE e.iri = ?"
    )
    above = {row[0]: site.schema.ancestors([row[0]]) for row in query(site, sql, [iri])}
    return [kind for kind in above if not any(kind in above[k] and k not in above[kind] for k in above)]


def values(site: Site, field: str, limit: int) -> list[str]:
    """What a field of claims (``document``, ``speaker``, ``modality``, ``basis``) may be, the most frequent first."""
    sql = (
        f"SELECT v.text FROM claim c JOIN value v ON v.id = c.{field} GROUP BY v.id "
        "ORDER BY count(*) DESC, v.text LIMIT ?"
    )
    return [row[0] for row in query(site, sql, [limit])]


def years(site: Site, limit: int) -> list[str]:
    """Years that things have, the latest first."""
    sql = (
        "SELECT DISTINCT v.text FROM trait t JOIN value v ON v.id = t.value WHERE t.facet = 'year' "
        "ORDER BY CAST(v.text AS INTEGER) DESC LIMIT ?"
    )
    return [row[0] for row in query(site, sql, [limit])]


def year_bounds(year: str) -> tuple[int, int]:
    """The first and the last day of a year."""
    return dates.number(int(year)), dates.number(int(year), 12, 31)
