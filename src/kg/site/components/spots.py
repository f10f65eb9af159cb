"""Places with coordinates, and the map that the server draws of some of them.

The map is land, a mark and a link for each place, and the labels that have room; :mod:`kg.site.pages.map` puts all
places of a release on it, a thing's page those around the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from kg.site.answers.respond import not_found
from kg.site.components import basemap
from kg.site.components.basemap import Window
from kg.site.components.drawing import element, percent
from kg.site.languages import marked
from kg.site.lookups import index
from kg.site.lookups.database import MARKS, batches
from kg.site.lookups.labels import Label, shorten
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

COLUMNS = "e.iri, p.lat, p.lon, p.node"
"""What a :class:`Spot` is read from, of the tables ``entry e`` and ``point p``."""

_SMALL, _LARGE = (328.0, 246.0), (720.0, 540.0)
"""Pixels of the drawing on a phone and beside the list: labels must not collide in either."""

_LABEL = 24
"""Characters of a label that the drawing shows."""


class Spot(NamedTuple):
    """A thing with coordinates: ``node`` has them."""

    thing: str
    lat: float
    lon: float
    node: str


class Mark(NamedTuple):
    """What a drawing needs to know of a place."""

    lat: float
    lon: float
    label: Label
    href: str
    status: str


def of_things(site: Site, iris: Sequence[str], limit: int) -> list[Spot]:
    """The coordinates of some things."""
    sql = (
        f"SELECT {COLUMNS} FROM entry e CROSS JOIN point p ON p.thing = e.id WHERE e.iri IN ({MARKS}) "  # noqa: S608 - marks
        "ORDER BY e.id LIMIT ?"
    )
    return [Spot(*row) for row in index.query(site, sql, (*next(batches(iris)), limit))]


def drawing(site: Site, root: str, found: Sequence[Mark], *, countries: bool = False) -> Markup:
    """The map as SVG: land, a mark and a link for each place, and the labels that have room.

    The land is a file of its own, the same for every map of the release: readers fetch it once.
    """
    view = basemap.window([(mark.lon, mark.lat) for mark in found])
    land = element("use", href=f"{root}map/land.svg#land", class_="land")
    part = basemap.Box(around(site)).part(view)
    ground = element("svg", [land], viewBox=part, preserveAspectRatio="none", width="100%", height="100%")
    spots: dict[tuple[float, float], list[Mark]] = {}
    for mark in found:
        spots.setdefault((mark.lon, mark.lat), []).append(mark)
    at = [(*view.place(*position), shorten(here[0].label.text, _LABEL)) for position, here in spots.items()]
    known = basemap.names(view, site.language.country) if countries else ()
    labels, named = _labels(at, [(*view.place(lon, lat), name) for name, lon, lat in known])
    names = [element("text", [name], x=percent(x), y=percent(y), class_="country") for x, y, name in named]
    marks = [_mark(here, point, label) for here, point, label in zip(spots.values(), at, labels, strict=True)]
    return element(
        "svg",
        [ground, *names, *marks],
        class_="drawing",
        width="100%",
        height="100%",
        role="group",
        aria_label=site.language.gettext("Map"),
    )


class _Side(NamedTuple):
    dx: int
    dy: int
    anchor: str
    class_: str


_SIDES = (
    _Side(10, 5, "start", ""),
    _Side(-10, 5, "end", ""),
    _Side(0, -12, "middle", ""),
    _Side(0, 22, "middle", ""),
)
_MIDDLE = _Side(0, 4, "middle", "")


_Point = tuple[float, float, str]
"""Shares of width and height, and a label."""


def _labels(points: Sequence[_Point], countries: Sequence[_Point]) -> tuple[list[_Side | None], list[_Point]]:
    """Where each label stands, if it finds room, the first first; some only where the drawing is large.

    What does not collide in a small drawing does not in a large one: places move apart, words keep their size.
    Countries are named where no place's label is in the way.
    """
    found: list[_Side | None] = [None] * len(points)
    free: list[_Point] = []
    for size, class_ in ((_SMALL, ""), (_LARGE, "wide")):
        marks = [(x * size[0] - 7, y * size[1] - 7, x * size[0] + 7, y * size[1] + 7) for x, y, _ in points]
        taken = [_box(points[i], side, size) for i, side in enumerate(found) if side]
        for i, point in enumerate(points):
            for side in _SIDES if found[i] is None else ():
                box = _box(point, side, size)
                others = marks[:i] + marks[i + 1 :]
                if _within(box, size) and not any(_overlap(box, other) for other in (*taken, *others)):
                    found[i] = side._replace(class_=class_)
                    taken.append(box)
                    break
        if size == _SMALL:
            # Countries' names are spaced out, and so a third longer.
            boxes = [(c, _box((c[0], c[1], c[2] + "-" * (len(c[2]) // 3)), _MIDDLE, size)) for c in countries]
            free = [c for c, box in boxes if _within(box, size) and not any(_overlap(box, o) for o in (*taken, *marks))]
    return found, free


def _box(point: _Point, side: _Side, size: tuple[float, float]) -> tuple[float, float, float, float]:
    """About where a label stands, in pixels: 7.2 for a letter of 13 pixels, which is more than most need."""
    x, y, width = point[0] * size[0] + side.dx, point[1] * size[1] + side.dy, len(point[2]) * 7.2
    left = x if side.anchor == "start" else x - width if side.anchor == "end" else x - width / 2
    return left, y - 14, left + width, y + 4


def _within(box: tuple[float, ...], size: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _mark(places: Sequence[Mark], point: _Point, label: _Side | None) -> Markup:
    """The mark of all places at one point; it leads to the first of them."""
    cx, cy = percent(point[0]), percent(point[1])
    # The language is that of the first; screen readers cannot be told of several in one name.
    said, lang = ", ".join(place.label.text for place in places), places[0].label.language or None
    kinds = {place.status for place in places}
    status = kinds.pop() if len(kinds) == 1 else "both" if kinds & {"both", "prospect"} else "happened"
    parts = [element("title", [said], lang=lang), element("circle", cx=cx, cy=cy, r=6, class_="point")]
    if label:
        where = {"x": cx, "y": cy, "dx": label.dx, "dy": label.dy, "text_anchor": label.anchor, "lang": lang}
        parts.append(element("text", [point[2]], class_=label.class_ or None, **where))
    return element("a", parts, href=places[0].href, class_=f"spot {status}")


@per_site()
def around(site: Site) -> Window:
    """Room to move around in, around all places; no further, because there is nothing there."""
    row = index.query(site, "SELECT min(lon), min(lat), max(lon), max(lat) FROM point")[0]
    if row[0] is None:
        raise not_found(marked("This release has no place with coordinates."))
    west, south, east, north = row
    return basemap.wider(basemap.window([(west, south), (east, north)]), 4)
