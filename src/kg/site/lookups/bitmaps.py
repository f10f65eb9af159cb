"""The pairs of a thing and a claim that mentions it, each a bit of an integer (:mod:`kg.build.writing.bitmaps`).

What is chosen is found by ``&`` and ``|``, and counted in a time that hardly follows the number of pairs.
"""

# ruff: noqa: S608 - SQL is put together from fixed texts and numbers of the index

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from kg.site.lookups.database import marks
from kg.site.lookups.index import query
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

INDEPENDENT = "independent"
"""The facet of claims that counts documents: 2 where two that do not derive from one another state the same. Its values
are numbers themselves; for those of others the index has numbers."""

OF_CLAIMS = ("document", "speaker", "modality", "basis", INDEPENDENT)
"""Facets of claims: of each, a pair has one value. The others are traits of things."""


class Pairs:
    """All pairs of a site, in the order in which those of one ``unit`` (``thing`` or ``claim``) stand together."""

    def __init__(self, site: Site, unit: str) -> None:
        self._site, self._unit = site, unit
        self._order = "at" if unit == "thing" else "beside"
        self.count = count(site)
        self.all = (1 << self.count) - 1
        self._firsts = self._kept("", 0) or 0

    def of(self, facet: str, values: Sequence[str]) -> int:
        """The pairs that have any of these values."""
        found, rare = 0, []
        for number in self.numbers(facet, values):
            bits = self._kept(facet, number)
            if bits is None:
                rare.append(number)
            else:
                found |= bits
        if rare:
            digits = bytearray(b"0") * self.count
            for _, _, place in self._rows(facet, rare):
                digits[place] = ord("1")
            found |= int(digits, 2)
        return found

    def units(self, pairs: int) -> int:
        """Of each thing or claim that has any of these pairs, the first pair."""
        return first_of_each(pairs, self._firsts, self.all)

    def counted(self, facet: str, values: Iterable[int], pairs: int) -> Iterator[tuple[int, int]]:
        """Values, as the index numbers them, and how many things or claims have them in any of these pairs."""
        rare = []
        for value in values:
            bits = self._kept(facet, value)
            if bits is None:
                rare.append(value)
            else:
                yield value, self.units(pairs & bits).bit_count()
        if rare and self._unit == "thing" and facet not in OF_CLAIMS:
            digits = self._digits(self.units(pairs))
            yield from Counter(value for value, place in self._first_rows(facet, rare) if digits[place] == "1").items()
        elif rare:
            digits = self._digits(pairs)
            having = {(value, unit) for value, unit, place in self._rows(facet, rare) if digits[place] == "1"}
            yield from Counter(value for value, _ in having).items()

    def iris(self, units: int, limit: int, offset: int, order: str = "") -> list[str]:
        """The IRIs of some of the things or claims that :meth:`units` found, in the order of their entries ``e``.

        ``order``: another one, as SQL has it.
        """
        digits = self._digits(units)
        found = (at for at in _ordered(self._site, self._unit, order) if digits[at] == "1") if order else _ones(digits)
        entries = [self._entry(place) for place in islice(found, offset, offset + limit)]
        rows = query(self._site, f"SELECT id, iri FROM entry WHERE id IN ({','.join(map(str, entries))})")
        iris: dict[int, str] = dict(rows)
        return [iris[entry] for entry in entries]

    def _digits(self, pairs: int) -> str:
        return format(pairs, f"0{self.count}b")

    def _entry(self, place: int) -> int:
        """The thing or claim of a pair: their entries rise with the pairs."""
        unit, order = self._unit, self._order
        sql = f"SELECT {unit}, {order} FROM mention WHERE {unit} >= ? ORDER BY {unit}, thing, claim LIMIT 1"
        low, high = 0, _entries(self._site)
        while low < high:
            middle = (low + high + 1) // 2
            found = query(self._site, sql, (middle,))
            if found and found[0][1] <= place:
                low = found[0][0]
            else:
                high = middle - 1
        return low

    def numbers(self, facet: str, values: Sequence[str]) -> list[int]:
        """What the index has for values of a facet; nothing for those that it does not know."""
        if facet == INDEPENDENT:
            return [int(value) for value in values]
        return [row[0] for row in query(self._site, f"SELECT id FROM value WHERE text IN ({marks(values)})", values)]

    def _kept(self, facet: str, value: int) -> int | None:
        sql = "SELECT bits FROM bits WHERE pairs = ? AND facet = ? AND value = ?"
        found = query(self._site, sql, (self._order, facet, value))
        return int.from_bytes(found[0][0], "big") if found else None

    def _rows(self, facet: str, values: Sequence[int]) -> list[tuple[int, int, int]]:
        """Value, thing or claim, and the number of the pair, for all pairs that have any of these values."""
        numbers, unit, order = ",".join(map(str, values)), self._unit, self._order
        if facet in OF_CLAIMS:
            # Of this one, there is an index for more than one document only.
            several = f"AND c.{facet} > 1" if facet == INDEPENDENT and 1 not in values else ""
            sql = (
                f"SELECT c.{facet}, m.{unit}, m.{order} FROM claim c CROSS JOIN mention m ON m.claim = c.entry "
                f"WHERE c.{facet} IN ({numbers}) {several}"
            )
        else:
            sql = (
                f"SELECT t.value, m.{unit}, m.{order} FROM trait t JOIN mention m ON m.thing = t.thing "
                f"WHERE t.facet = '{facet}' AND t.value IN ({numbers})"
            )
        return [(value, entry, place) for value, entry, place in query(self._site, sql)]

    def _first_rows(self, facet: str, values: Sequence[int]) -> list[tuple[int, int]]:
        """Value and the number of the first pair, for all things that have any of these values."""
        first = "SELECT m.at FROM mention m WHERE m.thing = t.thing ORDER BY m.claim LIMIT 1"
        some = f"FROM trait t WHERE t.facet = '{facet}' AND t.value IN ({','.join(map(str, values))})"
        sql = f"SELECT value, at FROM (SELECT t.value AS value, ({first}) AS at {some}) WHERE at IS NOT NULL"
        return [(value, at) for value, at in query(self._site, sql)]


def first_of_each(pairs: int, firsts: int, everything: int) -> int:
    """The first bits of the groups that have any of ``pairs``.

    The bits of a group are a number, whose highest is the first. To the others of it all ones are added: that carries
    into the highest if there is any.

    >>> bin(first_of_each(0b0010_1000_0000, 0b1000_1000_1000, 0b1111_1111_1111))
    '0b100010000000'
    """
    others = everything ^ firsts
    return ((pairs & others) + others | pairs) & firsts


def text(site: Site, facet: str, value: int) -> str:
    """The value that the index has a number for."""
    return str(value) if facet == INDEPENDENT else site.index.text(value)


def are_kept(site: Site) -> bool:
    """Whether the index has bits; releases from before there were any have none."""
    return site.index.has("bits", "bits")


@per_site()
def count(site: Site) -> int:
    """How many pairs a site has."""
    number: int = query(site, "SELECT count(*) FROM mention")[0][0]
    return number


@per_site(2)
def _ordered(site: Site, unit: str, order: str) -> array[int]:
    """The first pair of every thing or claim, in an order; sorted once, four bytes for each."""
    first = {
        "thing": "SELECT m.at FROM mention m WHERE m.thing = e.id ORDER BY m.claim LIMIT 1",
        "claim": "SELECT m.beside FROM mention m WHERE m.claim = e.id ORDER BY m.thing LIMIT 1",
    }[unit]
    rows = query(site, f"SELECT ({first}) FROM entry e WHERE e.kind = '{unit}' ORDER BY {order}")
    return array("I", (place for (place,) in rows if place is not None))


@per_site(16)
def frequent(site: Site, facet: str, most: int) -> tuple[int, ...]:
    """The most frequent values of a facet, as the index numbers them: by claims, or by things."""
    if facet in OF_CLAIMS:
        sql = f"SELECT {facet} FROM claim WHERE {facet} <> 0 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?"
    else:
        sql = f"SELECT value FROM trait WHERE facet = '{facet}' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?"
    return tuple(row[0] for row in query(site, sql, (most,)))


@per_site()
def _entries(site: Site) -> int:
    number: int = query(site, "SELECT max(id) FROM entry")[0][0] or 0
    return number


def _ones(digits: str) -> Iterator[int]:
    place = digits.find("1")
    while place >= 0:
        yield place
        place = digits.find("1", place + 1)
