"""What ``/browse`` asks the index: which things and claims go with the chosen values, and how many with others.

The unit is the pair of a thing and a claim that mentions it: the claim's document, speaker, modality and basis, and the
number of independent documents that state it alike, and the thing's kinds, places and years, must all be among the
chosen ones, in the same pair. So "planned" and "said by A" finds what A says is planned, not what A says and B plans.
Values of one facet are alternatives, facets go together.

Where few pairs go with a choice, SQL goes through them; where many do, their bits are counted
(:mod:`kg.site.lookups.bitmaps`).
"""

# ruff: noqa: S608 - SQL is put together from fixed texts; what readers ask for is always a parameter

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple

from kg.site.elsewhere import traits
from kg.site.lookups import bitmaps, index
from kg.site.lookups.bitmaps import INDEPENDENT, OF_CLAIMS, Pairs
from kg.site.lookups.database import marks
from kg.site.lookups.index import query
from kg.site.lookups.state import Site

FACETS = ("kind", "document", "speaker", "modality", "basis", INDEPENDENT, "place", "year")
"""All, in the order of the page."""

NUMBERS = (INDEPENDENT, "year")
"""Facets whose values are numbers, and not IRIs."""

FEW = 20_000
"""Pairs of thing and claim that SQL goes through; of more, the bits are counted."""

MOST_PAIRS = 200_000
"""Pairs that are counted in releases from before there were bits; a page says where there are more."""

MOST_ORDERED = 1_000_000
"""Pairs of a release whose things and claims are put into another order: that sorts all of them once."""

MOST_VALUES = 200
"""Values of a facet that are counted: the most frequent, and what is chosen."""

FREQUENT = 40
"""The same where many pairs go with a choice: of those that are the most frequent in all of the release."""

MOST_CHOSEN = 20
"""Values of a facet that may be chosen."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


_LAST = "replace({0}, rtrim({0}, replace({0}, '/', '')), '')"
"""What stands behind the last slash of an IRI: of a passage's, START-END, and of a claim's, its number."""

_SPAN = f"SELECT {_LAST.format('passage')} AS span FROM target WHERE claim = e.id"
_BY_TEXT = f"""
(SELECT text FROM value WHERE id = (SELECT document FROM claim WHERE entry = e.id)),
(SELECT min(CAST(span AS INTEGER) << 32 | CAST(substr(span, instr(span, '-') + 1) AS INTEGER)) FROM ({_SPAN})),
CAST({_LAST.format("e.iri")} AS INTEGER), e.iri"""
"""A claim's document, where the first of its passages begins and ends, its number: as its document's page has it."""

ORDERS: Mapping[str, Mapping[str, str]] = {
    "things": {"mentions": "", "name": "e.label COLLATE NOCASE, e.iri"},
    "claims": {"name": "", "text": _BY_TEXT},
}
"""How things and claims may be ordered, as SQL has it; the first is that of their entries, and needs none."""


class Chosen(NamedTuple):
    """``show``: things or claims; ``values`` by facet: IRIs, or years; ``order``: of :data:`ORDERS`, not the first."""

    show: str
    values: Mapping[str, tuple[str, ...]]
    order: str = ""


class Value(NamedTuple):
    """A value of a facet and the number of things or claims that have it, under the choices in the other facets."""

    value: str
    number: int


class Offered(NamedTuple):
    """Values of a facet; ``every``: there are no others."""

    values: list[Value]
    every: bool


def orders(site: Site, show: str) -> tuple[str, ...]:
    """The orders that a site knows of things or claims, the usual one first; none where there is no other."""
    if (
        site.foreign
        or bitmaps.count(site) > MOST_ORDERED
        or (show == "claims" and not site.index.has("target", "passage"))
    ):
        return ()
    return tuple(ORDERS[show])


def names(site: Site) -> tuple[str, ...]:
    """All facets of a site, in the order of the page."""
    return traits.facets(site) if site.foreign else FACETS


def full(site: Site, facet: str, short: str) -> str:
    """The value that an address has, in any of the ways in which people write one.

    IRIs of this release go without their base (``ontology#planned``) or with their prefix (``kg:planned``); a name
    alone is that of a term for what has terms (``planned``), else that of a document or a thing.
    """
    if facet in NUMBERS:
        return short
    expanded = site.labels.expand(short)
    if site.foreign or expanded:
        return expanded or short
    if _SCHEME.match(short):
        return short
    return (site.base if any(sign in short for sign in "/#") else _namespace(site, facet)) + short


def _namespace(site: Site, facet: str) -> str:
    """Where the values of a facet have their names."""
    if facet in ("kind", "modality", "basis"):
        return site.names.kg
    return site.names.document("") if facet == "document" else site.names.id


def short(site: Site, facet: str, value: str) -> str:
    """A value as addresses have it."""
    if site.foreign and facet not in NUMBERS:
        return site.labels.curie(value) or value
    return value if facet in NUMBERS else site.names.local(value) or value


class Counts:
    """What goes together with a choice, and how many with others."""

    def __init__(self, site: Site, chosen: Chosen) -> None:
        self._site, self._chosen = site, chosen
        self._unit = "claim" if chosen.show == "claims" else "thing"
        self._choices = {facet: values for facet, values in chosen.values.items() if values}
        self._pairs = Pairs(site, self._unit) if bitmaps.are_kept(site) and bitmaps.count(site) > FEW else None
        self._bits: dict[str, int] = {}

    def results(self, limit: int, offset: int) -> list[str]:
        """IRIs of things or claims, in the chosen order."""
        if self._site.foreign:
            return traits.results(self._site, self._chosen.values, limit, offset)
        order = ORDERS[self._chosen.show].get(self._chosen.order, "")
        if self._pairs and self._are_many():
            return self._pairs.iris(self._pairs.units(self._selected()), limit, offset, order)
        few, values = self._sql()
        sql = (
            f"SELECT e.iri FROM (SELECT DISTINCT {self._unit} AS entry FROM ({few})) found "
            f"JOIN entry e ON e.id = found.entry ORDER BY {order or 'e.id'} LIMIT ? OFFSET ?"
        )
        return [row[0] for row in query(self._site, sql, (*values, limit, offset))]

    def count(self) -> tuple[int, bool]:
        """How many there are, and whether there are more than were counted."""
        if self._site.foreign:
            return traits.count(self._site, self._chosen.values)
        if self._pairs:
            return self._pairs.units(self._selected()).bit_count(), False
        few, values = self._sql()
        sql = f"SELECT count(DISTINCT {self._unit}), count(*) FROM ({few})"
        found, looked_at = query(self._site, sql, values)[0]
        return found, looked_at >= MOST_PAIRS

    def offered(self) -> dict[str, Offered]:
        """The values of each facet under the choices in the others, the most frequent first; numbers in their order."""
        if self._site.foreign:
            counted = traits.values(self._site, self._chosen.values)
            return {
                facet: Offered([Value(*pair) for pair in found], len(found) < traits.MOST_VALUES)
                for facet, found in counted.items()
            }
        return {facet: self._offered(facet) if is_known(self._site, facet) else Offered([], True) for facet in FACETS}

    def _offered(self, facet: str) -> Offered:
        if self._pairs and self._are_many(facet):
            chosen = self._pairs.numbers(facet, self._choices.get(facet, ()))
            frequent = bitmaps.frequent(self._site, facet, FREQUENT)
            counted = self._pairs.counted(facet, dict.fromkeys((*chosen, *frequent)), self._selected(facet))
            found = [Value(bitmaps.text(self._site, facet, value), number) for value, number in counted if number]
            every = len(frequent) < FREQUENT
        else:
            found = self._by_sql(facet)
            every = len(found) < MOST_VALUES
        values = sorted(found, key=lambda v: (int(v.value), "") if facet in NUMBERS else (-v.number, v.value))
        return Offered(values, every)

    def _by_sql(self, facet: str) -> list[Value]:
        few, known = self._sql(without=facet)
        if facet in OF_CLAIMS:
            value, joined = f"c.{facet}", "claim c ON c.entry = p.claim"
        else:
            value, joined = "t.value", f"trait t ON t.thing = p.thing AND t.facet = '{facet}'"
        sql = f"SELECT {value} AS value, count(DISTINCT p.{self._unit}) AS n FROM ({few}) p JOIN {joined} GROUP BY 1"
        if facet == INDEPENDENT:
            return [Value(str(number), n) for number, n in query(self._site, f"{sql} LIMIT {MOST_VALUES}", known)]
        # What is chosen is among them, however rare.
        wanted = self._choices.get(facet, ())
        first = f"v.text IN ({marks(wanted)}) DESC, " if wanted else ""
        named = f"SELECT v.text, n FROM ({sql}) JOIN value v ON v.id = value"
        ordered = f"{named} ORDER BY {first}n DESC, v.text LIMIT {MOST_VALUES}"
        return [Value(*row) for row in query(self._site, ordered, [*known, *wanted])]

    def _are_many(self, without: str = "") -> bool:
        return self._selected(without).bit_count() > FEW

    def _selected(self, without: str = "") -> int:
        """The bits of the pairs that have what is chosen in all facets but one."""
        assert self._pairs is not None
        some = [self._of(facet, values) for facet, values in self._choices.items() if facet != without]
        return reduce(and_, some, self._pairs.all)

    def _of(self, facet: str, values: Sequence[str]) -> int:
        assert self._pairs is not None
        if facet not in self._bits:
            self._bits[facet] = self._pairs.of(facet, values)
        return self._bits[facet]

    def _sql(self, without: str = "") -> tuple[str, list[str]]:
        """SQL for the pairs that have what is chosen in all facets but one, with its parameters."""
        conditions: list[str] = []
        known: list[str] = []
        for facet, wanted in self._choices.items():
            if facet == without:
                continue
            numbers = f"(SELECT id FROM value WHERE text IN ({marks(wanted)}))"
            if facet == INDEPENDENT:
                conditions.append(f"c.independent IN ({','.join(['CAST(? AS INTEGER)'] * len(wanted))})")
            elif facet in OF_CLAIMS:
                conditions.append(f"c.{facet} IN {numbers}")
            else:
                conditions.append(
                    f"m.thing IN (SELECT thing FROM trait WHERE facet = '{facet}' AND value IN {numbers})"
                )
            known += wanted
        where = " AND ".join(conditions) or "1"
        joined = "mention m JOIN claim c ON c.entry = m.claim"
        return f"SELECT m.thing, m.claim FROM {joined} WHERE {where} LIMIT {MOST_PAIRS}", known


def is_known(site: Site, facet: str) -> bool:
    """Whether a release has a facet."""
    return facet != INDEPENDENT or site.index.has("claim", INDEPENDENT)


def times_of(site: Site, years: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """For the same question in SPARQL: properties with times of these years, and things with a date of their own."""
    sql = (
        "SELECT DISTINCT s.property, s.time, CASE s.time WHEN '' THEN e.iri ELSE '' END FROM span s "
        "JOIN entry e ON e.id = s.thing JOIN trait t ON t.thing = s.thing AND t.facet = 'year' "
        "JOIN value v ON v.id = t.value WHERE v.text = ? AND s.first <= ? AND s.last >= ? ORDER BY 1, 2, 3"
    )
    pairs: set[tuple[str, str]] = set()
    things: set[str] = set()
    for year in years:
        first, last = index.year_bounds(year)
        for property_, time, thing in query(site, sql, (year, last, first)):
            if time:
                pairs.add((property_, time))
            else:
                things.add(thing)
    return sorted(pairs), sorted(things)
