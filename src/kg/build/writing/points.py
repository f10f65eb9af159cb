"""Where things are: coordinates in WGS 84, from the vocabularies that people use for them.

- ``wgs84:lat`` and ``wgs84:long`` (W3C Basic Geo); ``schema:latitude`` and ``schema:longitude``
- ``geo:asWKT`` (OGC GeoSPARQL 1.1, section 8.5): a point, or the middle of what any other geometry covers;
  longitude first, as in CRS 84, unless the literal names EPSG:4326; ``wdt:P625`` of Wikidata, which is written alike

on the thing itself, or on what ``geo:hasGeometry``, ``schema:geo`` and their kin lead to. What is taken to be a thing
(``kg:takenToBe``) is where that thing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from kg import vocab
from kg.build.writing.survey import Survey

_PAIRS = (
    (vocab.WGS84 + "lat", vocab.WGS84 + "long"),
    (vocab.SCHEMA + "latitude", vocab.SCHEMA + "longitude"),
    (vocab.SCHEMA_HTTPS + "latitude", vocab.SCHEMA_HTTPS + "longitude"),
)
_WKT = (vocab.GEO + "asWKT", vocab.WIKIDATA_PLACE)
COORDINATES = (*chain.from_iterable(_PAIRS), *_WKT)
"""Properties whose values are coordinates."""

LEADS = (
    vocab.GEO + "hasGeometry",
    vocab.GEO + "hasDefaultGeometry",
    vocab.GEO + "hasCentroid",
    vocab.SCHEMA + "geo",
    vocab.SCHEMA_HTTPS + "geo",
    vocab.WGS84 + "location",
)
"""Properties that lead from a thing to what has its coordinates."""

_PLACES = frozenset(
    {
        vocab.SCHEMA + "Place",
        vocab.GEO + "Feature",
        vocab.GEO + "SpatialObject",
        vocab.WGS84 + "SpatialThing",
        vocab.DCTERMS + "Location",
    }
)
_SYSTEM = re.compile(r"\s*<([^<>]*)>\s*")
_SHAPE = re.compile(
    r"(?i)(?:MULTI)?(?:POINT|LINESTRING|POLYGON)(?:\s+(Z|M|ZM))?\s*(\(.*\))|(?:POINT|POLYGON|LINESTRING)\s+EMPTY",
    re.DOTALL,
)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_POSITION = re.compile(rf"({_NUMBER})\s+({_NUMBER})[^,()]*")
_LONGEST = 1_000_000
"""Characters of a geometry that are read."""


class Point(NamedTuple):
    """Degrees of latitude and longitude, and the node that has them."""

    lat: float
    lon: float
    node: str


class Box(NamedTuple):
    """What encloses points, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @staticmethod
    def around(box: Box | None, points: Iterable[tuple[float, float]]) -> Box | None:
        """The box with more points in it, as latitude and longitude."""
        for lat, lon in points:
            if abs(lat) <= 90 and abs(lon) <= 180:
                west, south, east, north = box or (lon, lat, lon, lat)
                box = Box(min(west, lon), min(south, lat), max(east, lon), max(north, lat))
        return box

    def corners(self) -> tuple[tuple[float, float], ...]:
        return (self.south, self.west), (self.north, self.east)

    @property
    def has_area(self) -> bool:
        return self.west < self.east and self.south < self.north


def points(found: Survey) -> dict[str, list[Point]]:
    """The points of every thing that has some, sorted."""
    own = {iri: here for iri in found.values if (here := _points_of(found, iri))}
    rows: dict[str, set[Point]] = {iri: set(here) for iri, here in own.items() if iri.startswith(found.names.id)}
    leads = {*LEADS, found.names.kg + "takenToBe"}
    for iri, links in found.links.items():
        for property_, value in links:
            if property_ in leads and value in own and iri.startswith(found.names.id):
                rows.setdefault(iri, set()).update(own[value])
    return {iri: sorted(here) for iri, here in sorted(rows.items())}


def is_place(found: Survey, kind: str) -> bool:
    """Whether a class is one of places, or below one."""
    return bool(found.ancestors((kind,)) & _PLACES)


def _points_of(found: Survey, iri: str) -> set[Point]:
    values: dict[str, list[str]] = {}
    for property_, value in found.values[iri]:
        values.setdefault(property_, []).append(value.value)
    return {Point(*pair, iri) for pair in coordinates(values)}


def coordinates(values: Mapping[str, Sequence[str]]) -> set[tuple[float, float]]:
    """Latitudes and longitudes that something has, by the values of its properties."""
    made = {read_wkt(text) for property_ in _WKT for text in values.get(property_, ())}
    for lat, lon in _PAIRS:
        # Two of each cannot be told apart: which latitude belongs to which longitude is not said.
        if len(values.get(lat, ())) == 1 and len(values.get(lon, ())) == 1:
            made.add(_valid(values[lat][0], values[lon][0]))
    return {pair for pair in made if pair is not None}


def read_wkt(text: str) -> tuple[float, float] | None:
    """Latitude and longitude of a well-known text: a point, or the middle of the box around another geometry.

    >>> read_wkt("POINT(44.28 35.51)"), read_wkt("<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(35.51 44.28)")
    ((35.51, 44.28), (35.51, 44.28))
    >>> read_wkt("POLYGON((0 0, 4 0, 4 2, 0 2, 0 0))"), read_wkt("POINT EMPTY"), read_wkt("POINT(1000 0)")
    ((1.0, 2.0), None, None)
    """
    text = text[:_LONGEST]
    system = _SYSTEM.match(text)
    shape = _SHAPE.fullmatch(text[system.end() :].strip() if system else text.strip())
    if shape is None or not shape[2]:
        return None
    if system and not system[1].endswith(("/CRS84", "/4326", "/WGS84", "/CRS84h")):
        return None
    positions = [(float(a), float(b)) for a, b in _POSITION.findall(shape[2])]
    if not positions:
        return None
    first, second = ((min(axis) + max(axis)) / 2 for axis in zip(*positions, strict=True))
    return _valid(first, second) if system and system[1].endswith("/4326") else _valid(second, first)


def _valid(lat: str | float, lon: str | float) -> tuple[float, float] | None:
    try:
        found = float(lat), float(lon)
    except ValueError:
        return None
    return found if abs(found[0]) <= 90 and abs(found[1]) <= 180 else None
