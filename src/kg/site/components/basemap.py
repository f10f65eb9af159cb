"""Land and borders around some places, clipped from the bundled map of the world: no tile server, no network.

The source is TopoJSON (its specification, section 2.1.4 for the decoding of arcs): borders between two countries are
one arc, so thinning arcs out keeps neighbours together. Projected as on most maps of the web, after Mercator.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from kg.site.assets import FOLDER

Position = tuple[float, float]
"""Longitude and latitude, in degrees."""

_POLE = 85.0
"""Mercator's map has no poles."""


class Window(NamedTuple):
    """A part of the world, in degrees."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        return self.east - self.west

    def place(self, lon: float, lat: float) -> Position:
        """Where a position stands in the window: shares of its width and height from the upper left corner."""
        top, bottom = mercator(self.north), mercator(self.south)
        return (lon - self.west) / self.width, (top - mercator(lat)) / (top - bottom)


def mercator(lat: float) -> float:
    """The height of a latitude on the map, in degrees of longitude.

    >>> round(mercator(0), 6), round(mercator(60), 2)
    (-0.0, 75.46)
    """
    return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(max(-_POLE, min(_POLE, lat))) / 2)))


def _latitude(height: float) -> float:
    return math.degrees(2 * math.atan(math.exp(math.radians(height))) - math.pi / 2)


def window(positions: Iterable[Position], *, least: float = 6.0, room: float = 0.45, ratio: float = 4 / 3) -> Window:
    """A window of the given ratio of width to height with all positions in it, and room around them.

    ``least``: degrees of longitude that it is wide at least.
    """
    lons, lats = zip(*positions, strict=True)
    low, high = mercator(min(lats)), mercator(max(lats))
    width, height = max(lons) - min(lons), high - low
    width = max(width * (1 + 2 * room), height * (1 + 2 * room) * ratio, least)
    top = mercator(_POLE)
    # Mercator's world is as high as it is wide: one that shows both poles has empty room at its sides.
    width = min(width, 2 * top * ratio if (high - low) * ratio > 360 else 360.0)
    height = width / ratio
    middle, level = (max(lons) + min(lons)) / 2, (low + high) / 2
    middle = max(-180 + width / 2, min(180 - width / 2, middle)) if width < 360 else 0.0
    level = max(-top + height / 2, min(top - height / 2, level))
    return Window(middle - width / 2, _latitude(level - height / 2), middle + width / 2, _latitude(level + height / 2))


def wider(view: Window, times: float) -> Window:
    """A window around another, as far as the world goes."""
    more = view.width * (times - 1) / 2
    low, high = mercator(view.south), mercator(view.north)
    above = (high - low) * (times - 1) / 2
    return Window(
        max(-180.0, view.west - more),
        _latitude(max(-mercator(_POLE), low - above)),
        min(180.0, view.east + more),
        _latitude(min(mercator(_POLE), high + above)),
    )


def _in_english(_number: str, name: str) -> str:
    return name


class Outline(NamedTuple):
    """A ring of a country, its name in English, and its number (ISO 3166-1), where it has one."""

    name: str
    number: str
    ring: tuple[Position, ...]


@lru_cache(maxsize=16)
def outlines(view: Window, detail: int) -> tuple[Outline, ...]:
    """Rings of countries as far as they are in a window, with about ``detail`` points across it at most."""
    world = json.loads((FOLDER / "countries.json").read_text(encoding="utf-8"))
    step = view.width / detail
    seen = view._replace(west=max(view.west, -180.0), east=min(view.east, 180.0))
    arcs = [_thinned(_decoded(arc, world["transform"]), step) for arc in world["arcs"]]
    found = []
    for geometry in world["objects"]["countries"]["geometries"]:
        name, number = geometry.get("properties", {}).get("name", ""), geometry.get("id", "")
        polygons = geometry.get("arcs", [])
        for polygon in polygons if geometry["type"] == "MultiPolygon" else [polygons]:
            rings = (unrolled for ring in polygon for unrolled in _unrolled(_joined(ring, arcs)))
            clipped = (tuple(_clipped(ring, seen)) for ring in rings)
            found += [Outline(name, number, ring) for ring in clipped if len(ring) > 2]
    return tuple(found)


@lru_cache(maxsize=4)
def path(view: Window) -> str:
    """The outlines as data of an SVG path in a box as wide as :data:`WIDE`."""
    box = Box(view)
    rings = ([box.place(*position) for position in outline.ring] for outline in outlines(view, 1500))
    return "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in ring) + "Z" for ring in rings)


WIDE = 10_000


class Box(NamedTuple):
    """The coordinates that the path of a window has."""

    view: Window

    @property
    def height(self) -> float:
        return WIDE * (mercator(self.view.north) - mercator(self.view.south)) / self.view.width

    def place(self, lon: float, lat: float) -> Position:
        x, y = self.view.place(lon, lat)
        return x * WIDE, y * self.height

    def part(self, view: Window) -> str:
        """The viewBox that shows another window."""
        left, top = self.place(view.west, view.north)
        right, bottom = self.place(view.east, view.south)
        return f"{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}"


def geojson(view: Window, called: Callable[[str, str], str] = _in_english) -> dict[str, Any]:
    """The outlines for maps in the browser (RFC 7946), to two decimals of a degree: about a kilometre.

    ``called`` gives the name of a country that has a number and is called so in English.
    """
    # Against the clock (section 3.1.6), or what reads a globe takes each for all but itself; TopoJSON has it with it.
    rings = ([(round(lon, 2), round(lat, 2)) for lon, lat in (*o.ring, o.ring[0])] for o in outlines(view, 1500))
    return {
        "type": "MultiPolygon",
        "coordinates": [[ring if _area(ring) > 0 else ring[::-1]] for ring in rings],
        "bbox": [round(v, 4) for v in view],
        "names": [[name, round(lon, 2), round(lat, 2)] for name, lon, lat in names(view, called, least=0.0005)],
    }


def names(
    view: Window, called: Callable[[str, str], str] = _in_english, least: float = 0.03
) -> list[tuple[str, float, float]]:
    """Countries that fill at least such a share of a window, the largest first, and the middle of what is seen."""
    return [(called(number, name), lon, lat) for name, number, lon, lat in _seen(view, least)]


@lru_cache(maxsize=64)
def _seen(view: Window, least: float) -> tuple[tuple[str, str, float, float], ...]:
    found: dict[tuple[str, str], tuple[float, float, float]] = {}
    whole = view.width * (view.north - view.south)
    for outline in outlines(view, 600):
        area, lon, lat = _middle(outline.ring)
        country = outline.name, outline.number
        if area >= least * whole and area > found.get(country, (0.0,))[0]:
            found[country] = area, lon, lat
    ordered = sorted(found.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return tuple((*country, lon, lat) for country, (_, lon, lat) in ordered)


def _area(ring: Sequence[Position]) -> float:
    """Twice the area of a ring in square degrees, less than 0 if it goes with the clock."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True))


def _middle(ring: Sequence[Position]) -> tuple[float, float, float]:
    """The area of a ring in square degrees, and its centre of mass."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        cross = x1 * y2 - x2 * y1
        area, x, y = area + cross / 2, x + (x1 + x2) * cross / 6, y + (y1 + y2) * cross / 6
    return (abs(area), x / area, y / area) if area else (0.0, *ring[0])


def _decoded(arc: Sequence[Sequence[int]], transform: dict[str, list[float]]) -> list[Position]:
    (kx, ky), (dx, dy) = transform["scale"], transform["translate"]
    x = y = 0
    found = []
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        found.append((x * kx + dx, y * ky + dy))
    return found


def _thinned(arc: list[Position], step: float) -> list[Position]:
    """Without points that are nearer than ``step`` to the one before; the ends stay, because other arcs join them."""
    kept = [arc[0]]
    for position in arc[1:-1]:
        if abs(position[0] - kept[-1][0]) + abs(position[1] - kept[-1][1]) >= step:
            kept.append(position)
    return [*kept, arc[-1]]


def _joined(ring: Iterable[int], arcs: list[list[Position]]) -> list[Position]:
    found: list[Position] = []
    for index in ring:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        found += arc[1:] if found else arc
    return found


def _unrolled(ring: list[Position]) -> list[list[Position]]:
    """A ring that crosses the antimeridian as one that goes on beyond it, once for each side of the map.

    As it stands, its line would run back across the whole map. One that goes round a pole is closed there.
    """
    turn, flat = 0.0, ring[:1]
    for (before, _), (lon, lat) in pairwise(ring):
        turn += 360.0 * ((before - lon > 180) - (lon - before > 180))
        flat.append((lon + turn, lat))
    if turn:
        pole = math.copysign(90.0, ring[0][1])
        flat += [(flat[-1][0], pole), (flat[0][0], pole)]
    west, east = min(lon for lon, _ in flat), max(lon for lon, _ in flat)
    shifts = (shift for shift in (-360.0, 0.0, 360.0) if west + shift < 180 and east + shift > -180)
    return [[(lon + shift, lat) for lon, lat in flat] for shift in shifts]


def _clipped(ring: list[Position], view: Window) -> list[Position]:
    """The part of a ring inside a window (Sutherland and Hodgman, 1974)."""
    lons, lats = [p[0] for p in ring], [p[1] for p in ring]
    if max(lons) < view.west or min(lons) > view.east or max(lats) < view.south or min(lats) > view.north:
        return []
    if ring and ring[0] == ring[-1]:
        ring = ring[:-1]
    for axis, limit, sign in ((0, view.west, 1), (0, view.east, -1), (1, view.south, 1), (1, view.north, -1)):
        ring = _cut(ring, axis, limit, sign)
    return ring


def _cut(ring: list[Position], axis: int, limit: float, sign: int) -> list[Position]:
    """The part of a ring on one side of a line across ``axis``."""
    found: list[Position] = []
    for here, there in zip(ring[-1:] + ring[:-1], ring, strict=True):
        inside, was = (there[axis] - limit) * sign >= 0, (here[axis] - limit) * sign >= 0
        if inside != was:
            share = (limit - here[axis]) / (there[axis] - here[axis])
            crossing = here[1 - axis] + share * (there[1 - axis] - here[1 - axis])
            found.append((limit, crossing) if axis == 0 else (crossing, limit))
        if inside:
            found.append(there)
    return found
