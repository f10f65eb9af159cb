"""What ``/browse`` asks the index: which things and claims go with the chosen values, and how many with others.

The unit is the pair of a thing and a claim that mentions it: the claim's document, speaker, modality and basis, and the
number of independent documents that state it alike, and the thing's kinds, places and years, must all be among the
chosen ones, in the same pair. So "planned" and "said by A" finds what A says is planned, not what A says and B plans.
Values of one facet are alternatives, facets go together.
"""

# ruff: noqa: S608 - SQL is put together from fixed texts; what readers ask for is always a parameter

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kg.site.elsewhere import traits
from kg.site.lookups import index
from kg.site.lookups.index import query
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

FIELDS = ("document", "speaker", "modality", "basis")
"""Facets of claims."""


INDEPENDENT = "independent"
"""The facet of claims that counts documents: 2 where two that do not derive from one another state the same."""

FACETS = ("kind", "document", "speaker", "modality", "basis", INDEPENDENT, "place", "year")
"""All, in the order of the page."""

NUMBERS = (INDEPENDENT, "year")
"""Facets whose values are numbers, and not IRIs."""

MOST_PAIRS = 200_000
"""Pairs of thing and claim that are counted; a page says where there are more."""

MOST_VALUES = 200
"""Values of a facet that are counted: the most frequent, and what is chosen."""

MOST_CHOSEN = 20
"""Values of a facet that may be chosen."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Chosen(NamedTuple):
    """``show``: things or claims; ``values`` by facet: IRIs, or years."""

    show: str
    values: Mapping[str, tuple[str, ...]]


class Value(NamedTuple):
    """A value of a facet and the number of things or claims that have it, under the choices in the other facets."""

    value: str
    number: int


def names(site: Site) -> tuple[str, ...]:
    """All facets of a site, in the order of the page."""
    return traits.facets(site) if site.foreign else FACETS


def full(site: Site, facet: str, short: str) -> str:
    """The value that an address has: IRIs of this release go without their base."""
    if site.foreign and facet not in NUMBERS:
        return site.labels.expand(short) or short
    return short if facet in NUMBERS or _SCHEME.match(short) else site.base + short


def short(site: Site, facet: str, value: str) -> str:
    """A value as addresses have it."""
    if site.foreign and facet not in NUMBERS:
        return site.labels.curie(value) or value
    return value if facet in NUMBERS else site.names.local(value) or value


def results(site: Site, chosen: Chosen, limit: int, offset: int) -> list[str]:
    """IRIs of the things or claims that go together with what is chosen, the most mentioned first."""
    if site.foreign:
        return traits.results(site, chosen.values, limit, offset)
    pairs, values = _pairs(chosen)
    sql = (
        f"SELECT e.iri FROM (SELECT DISTINCT {_unit(chosen)} AS entry FROM ({pairs})) found "
        "JOIN entry e ON e.id = found.entry ORDER BY e.id LIMIT ? OFFSET ?"
    )
    return [row[0] for row in query(site, sql, (*values, limit, offset))]


def count(site: Site, chosen: Chosen) -> tuple[int, bool]:
    """How many there are, and whether there are more than were counted."""
    if site.foreign:
        return traits.count(site, chosen.values)
    pairs, values = _pairs(chosen)
    found, looked_at = query(site, f"SELECT count(DISTINCT {_unit(chosen)}), count(*) FROM ({pairs})", values)[0]
    return found, looked_at >= MOST_PAIRS


def values(site: Site, chosen: Chosen) -> dict[str, list[Value]]:
    """The values of each facet under the choices in the others, the most frequent first; numbers in their order."""
    if site.foreign:
        counted = traits.values(site, chosen.values)
        return {facet: [Value(*pair) for pair in found] for facet, found in counted.items()}
    return {facet: _values(site, chosen, facet) for facet in FACETS}


def _values(site: Site, chosen: Chosen, facet: str) -> list[Value]:
    pairs, known = _pairs(chosen, without=facet)
    unit = _unit(chosen)
    if facet == INDEPENDENT:
        if not _counts_documents(site):
            return []
        sql = (
            f"SELECT c.independent, count(DISTINCT p.{unit}) FROM ({pairs}) p JOIN claim c ON c.entry = p.claim "
            f"GROUP BY 1 ORDER BY 1 LIMIT {MOST_VALUES}"
        )
        return [Value(str(number), count) for number, count in query(site, sql, known)]
    if facet in FIELDS:
        inner = f"SELECT p.{facet} AS value, count(DISTINCT p.{unit}) AS n FROM ({pairs}) p GROUP BY 1"
    else:
        inner = (
            f"SELECT t.value AS value, count(DISTINCT p.{unit}) AS n FROM ({pairs}) p "
            f"JOIN trait t ON t.thing = p.thing AND t.facet = '{facet}' GROUP BY 1"
        )
    # What is chosen is among them, however rare.
    wanted = chosen.values.get(facet, ())
    first = f"v.text IN ({','.join('?' * len(wanted))}) DESC, " if wanted else ""
    sql = (
        f"SELECT v.text, n FROM ({inner}) JOIN value v ON v.id = value "
        f"ORDER BY {first}n DESC, v.text LIMIT {MOST_VALUES}"
    )
    found = [Value(*row) for row in query(site, sql, [*known, *wanted])]
    return sorted(found, key=lambda v: (int(v.value), "") if facet == "year" else (-v.number, v.value))


def offered(site: Site, facet: str) -> bool:
    """Whether a release has a facet."""
    return facet != INDEPENDENT or _counts_documents(site)


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


@per_site()
def _counts_documents(site: Site) -> bool:
    """Whether the index of a release counts them: those that were built before it did have no such facet."""
    return any(row[1] == INDEPENDENT for row in query(site, "PRAGMA table_info(claim)"))


def _unit(chosen: Chosen) -> str:
    return "claim" if chosen.show == "claims" else "thing"


def _pairs(chosen: Chosen, without: str = "") -> tuple[str, list[str]]:
    """SQL for the pairs that have what is chosen in all facets but one, with its parameters."""
    conditions: list[str] = []
    known: list[str] = []
    for facet, wanted in chosen.values.items():
        if facet == without or not wanted:
            continue
        marks = f"(SELECT id FROM value WHERE text IN ({','.join('?' * len(wanted))}))"
        if facet in FIELDS:
            conditions.append(f"c.{facet} IN {marks}")
        elif facet == INDEPENDENT:
            conditions.append(f"c.independent IN ({','.join(['CAST(? AS INTEGER)'] * len(wanted))})")
        else:
            conditions.append(f"m.thing IN (SELECT thing FROM trait WHERE facet = '{facet}' AND value IN {marks})")
        known += wanted
    where = " AND ".join(conditions) or "1"
    columns = "m.thing, m.claim, c.document, c.speaker, c.modality, c.basis"
    joined = "mention m JOIN claim c ON c.entry = m.claim"
    return f"SELECT {columns} FROM {joined} WHERE {where} LIMIT {MOST_PAIRS}", known
