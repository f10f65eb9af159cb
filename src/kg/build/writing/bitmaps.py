"""A bitmap index of the pairs of a thing and a claim that mentions it: what ``/browse`` counts with, however many.

Pairs have numbers in two orders: ``at``, by thing and claim, and ``beside``, by claim and thing. For what many pairs
have in common, the table ``bits`` has a bit for each pair, the first one's the highest; so it has, with the facet
``""``, for the pairs that are the first of their thing (``at``) or of their claim (``beside``). What few have in common
is looked up.
"""

# ruff: noqa: S608 - SQL is put together from fixed texts

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby, repeat
from operator import ne

from kg.build.writing.entries import FIELDS

OF_CLAIMS = (*FIELDS, "independent")
"""Facets of claims: of each, a pair has one value."""

OF_THINGS = ("kind", "place", "year")
"""Facets of things: of each, a pair has any number of values."""

SHARE = 64
"""What one pair in so many has, or more, is kept as bits: less would be smaller as a list of numbers."""

_AT_ONCE = 50_000
_DIGITS = bytes(ord("0") + bool(byte) for byte in range(256))


def write_bits(database: sqlite3.Connection) -> None:
    """Fill ``bits``, when ``mention``, ``claim`` and ``trait`` are complete."""
    things, claims, beside, *fields = _columns(database)
    if not things:
        return
    at = array("q", bytes(8 * len(beside)))
    for here, there in enumerate(beside):
        at[there] = here
    kept = [("at", "", 0, _firsts(things)), ("beside", "", 0, _firsts(list(map(claims.__getitem__, at))))]
    for facet, column in zip(OF_CLAIMS, fields, strict=True):
        for value, having in _common(column):
            kept.append(("at", facet, value, _bits(having)))
            kept.append(("beside", facet, value, _bits(bytes(map(having.__getitem__, at)))))
    pairs = _pairs_of(things)
    for facet in OF_THINGS:
        for value, some in _common_to_things(database, facet, pairs, len(things)):
            ones, others = bytearray(len(things)), bytearray(len(things))
            for own in some:
                ones[own.start : own.stop] = b"\1" * len(own)
                for there in beside[own.start : own.stop]:
                    others[there] = 1
            kept += (("at", facet, value, _bits(ones)), ("beside", facet, value, _bits(others)))
    database.executemany("INSERT INTO bits VALUES (?,?,?,?)", sorted(kept))


def _columns(database: sqlite3.Connection) -> list[array[int]]:
    """For each pair, in the order ``at``: thing, claim, its number in the other order, and the facets of claims."""
    columns = [array("q") for _ in ("thing", "claim", "beside", *OF_CLAIMS)]
    fields = ", ".join(f"c.{facet}" for facet in OF_CLAIMS)
    rows = database.execute(
        f"SELECT m.thing, m.claim, m.beside, {fields} FROM mention m CROSS JOIN claim c ON c.entry = m.claim "
        "ORDER BY m.thing, m.claim"
    )
    while some := rows.fetchmany(_AT_ONCE):
        for column, values in zip(columns, zip(*some, strict=True), strict=True):
            column.extend(values)
    return columns


def _common(column: array[int]) -> Iterator[tuple[int, bytes]]:
    """The values that many pairs have, each with a byte for every pair: 1 where it has the value."""
    common = sorted(value for value, count in Counter(column).items() if value and count * SHARE > len(column))
    codes = {value: code for code, value in enumerate(common, 1)}  # fewer than SHARE
    coded = bytes(map(codes.get, column, repeat(0)))
    for value, code in codes.items():
        yield value, coded.translate(bytes(byte == code for byte in range(256)))


def _pairs_of(things: Sequence[int]) -> dict[int, range]:
    """The numbers of each thing's pairs."""
    found: dict[int, range] = {}
    start = 0
    for thing, group in groupby(things):
        stop = start + sum(1 for _ in group)
        found[thing] = range(start, stop)
        start = stop
    return found


def _common_to_things(
    database: sqlite3.Connection, facet: str, pairs: Mapping[int, range], count: int
) -> Iterator[tuple[int, list[range]]]:
    """The values that the things of many pairs have, each with the pairs of every such thing."""
    rows = database.execute("SELECT value, thing FROM trait WHERE facet = ? ORDER BY value, thing", (facet,))
    for value, group in groupby(rows, key=lambda row: row[0]):
        some = [pairs[thing] for _, thing in group if thing in pairs]
        if sum(map(len, some)) * SHARE > count:
            yield value, some


def _firsts(units: Sequence[int]) -> bytes:
    return _bits(bytes(chain((1,), map(ne, units, units[1:]))))


def _bits(having: bytes | bytearray) -> bytes:
    """Bits, from a byte for each pair that is 0 or 1."""
    return int(having.translate(_DIGITS), 2).to_bytes((len(having) + 7) // 8, "big")
