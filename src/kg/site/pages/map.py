"""``/map``: everything with coordinates, drawn on a map that the server draws and scripts make movable.

What is at a place stands in the list beside the map, with who says so; places where something is planned or expected
look different from those where it happened. ``/map.json`` is GeoJSON (RFC 7946), ``/map/basemap.json`` the land around
the release's places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import NamedNode, Quad
from werkzeug.exceptions import BadRequest

from kg import vocab
from kg.site.answers import variants
from kg.site.answers.address import here
from kg.site.answers.links import page_path
from kg.site.answers.respond import conditional, cors, not_found
from kg.site.components import basemap
from kg.site.components.basemap import Window
from kg.site.components.drawing import element, percent, place_in_words
from kg.site.components.nodes import Linker
from kg.site.components.paging import Listing, listed
from kg.site.elsewhere import traits
from kg.site.languages import marked
from kg.site.lookups import index
from kg.site.lookups.database import MARKS, batches
from kg.site.lookups.evidence import STATUSES, UNCLAIMED, Source
from kg.site.lookups.labels import Label, shorten
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("map", __name__)

MOST = 10_000
"""Places that are counted."""

MOST_AT = 8
"""Things at a place that are listed; the place's own page has all."""

GEOJSON = "application/geo+json"
_SMALL, _LARGE = (328.0, 246.0), (720.0, 540.0)
"""Pixels of the drawing on a phone and beside the list: labels must not collide in either."""

_LABEL = 24
_COLUMNS = "e.iri, p.lat, p.lon, p.node"


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


class At(NamedTuple):
    """A thing at a place: by which property, and what kind of saying that is."""

    link: Markup
    property: Markup
    status: str
    evidence: Markup


class Place(NamedTuple):
    """A place as a page shows it; ``status``: ``happened``, ``prospect`` (all there is only planned) or ``both``."""

    spot: Spot
    link: Markup
    label: Label
    href: str
    coordinates: str
    taken: Markup
    evidence: Markup
    things: list[At]
    more: int
    status: str


@bp.get("/map")
@bp.get("/map.<any(html,json):extension>")
def map_(extension: str | None = None) -> Response:
    """The map with its list."""
    made = (variants.page(_html), variants.in_json("json", _geojson, GEOJSON))
    return variants.respond("map", made, extension)


@bp.get("/map/basemap.json")
def land() -> Response:
    """Land and borders around all places of the release, or around ``box=`` west, south, east, north."""
    site = current()
    asked = _window(request.args["box"]) if "box" in request.args else None
    response = conditional(
        site, "basemap", lambda: json.dumps(basemap.geojson(asked or _around(site)), separators=(",", ":")).encode()
    )
    response.content_type = GEOJSON
    return cors(response)


@bp.get("/map/land.svg")
def land_svg() -> Response:
    """The same as a drawing, which maps on pages use."""
    site = current()

    def make() -> bytes:
        view = _around(site)
        drawn = element("path", id="land", d=basemap.path(view), vector_effect="non-scaling-stroke")
        box = f"0 0 {basemap.WIDE} {basemap.Box(view).height:.0f}"
        return element("svg", [drawn], xmlns="http://www.w3.org/2000/svg", viewBox=box).encode()

    response = conditional(site, "land", make)
    response.content_type = "image/svg+xml"
    return response


def of_things(site: Site, iris: Sequence[str], limit: int) -> list[Spot]:
    """The coordinates of some things."""
    sql = (
        f"SELECT {_COLUMNS} FROM entry e CROSS JOIN point p ON p.thing = e.id WHERE e.iri IN ({MARKS}) "  # noqa: S608 - marks
        "ORDER BY e.id LIMIT ?"
    )
    return [Spot(*row) for row in index.query(site, sql, (*next(batches(iris)), limit))]


def places(site: Site, linker: Linker, spots: Sequence[Spot]) -> list[Place]:
    """Places with what is there."""
    return [_place(site, linker, spot) for spot in spots]


def drawing(site: Site, root: str, found: Sequence[Mark], *, countries: bool = False) -> Markup:
    """The map as SVG: land, a mark and a link for each place, and the labels that have room.

    The land is a file of its own, the same for every map of the release: readers fetch it once.
    """
    view = basemap.window([(mark.lon, mark.lat) for mark in found])
    land = element("use", href=f"{root}map/land.svg#land", class_="land")
    part = basemap.Box(_around(site)).part(view)
    ground = element("svg", [land], viewBox=part, preserveAspectRatio="none", width="100%", height="100%")
    spots: dict[tuple[float, float], list[Mark]] = {}
    for mark in found:
        spots.setdefault((mark.lon, mark.lat), []).append(mark)
    at = [(*view.place(*position), shorten(here[0].label.text, _LABEL)) for position, here in spots.items()]
    known = basemap.names(view) if countries else ()
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


def _place(site: Site, linker: Linker, spot: Spot) -> Place:
    things, count = _at(site, linker, spot.thing)
    certain = [s for s in STATUSES if s != "prospect" and any(thing.status == s for thing in things)]
    planned = any(thing.status == "prospect" for thing in things)
    taken = linker.link(spot.node) if spot.node != spot.thing and spot.node.startswith(site.names.id) else Markup("")
    return Place(
        spot=spot,
        link=linker.link(spot.thing),
        label=site.labels[spot.thing],
        href=linker.href(spot.thing) or "",
        coordinates=place_in_words(spot.lat, spot.lon, site.language),
        taken=taken,
        evidence=linker.evidence(_sources(site, spot)[:2]),
        things=things,
        more=count - len(things),
        status="both" if planned and certain else "prospect" if planned else "happened",
    )


def _sources(site: Site, spot: Spot) -> list[Source]:
    """The claims that say where it is, or that it is what is there."""
    if site.foreign:
        return []
    thing, node = NamedNode(spot.thing), NamedNode(spot.node)
    if spot.node != spot.thing:
        quads = list(site.local.quads(thing, None, node))
    else:
        quads = [
            q
            for p in (vocab.WGS84 + "lat", vocab.SCHEMA + "latitude", vocab.GEO + "asWKT")
            for q in site.local.quads(node, NamedNode(p))
        ]
    return site.evidence.claims(dict.fromkeys(q.graph_name.value for q in quads if isinstance(q.graph_name, NamedNode)))


def _at(site: Site, linker: Linker, place: str) -> tuple[list[At], int]:
    """Things that any property leads from to a place, the most mentioned first, and how many there are."""
    if site.foreign:
        return _linked(site, linker, place)
    inner = (
        "FROM trait t JOIN entry e ON e.id = t.thing WHERE t.facet = 'place' "
        "AND t.value = (SELECT id FROM value WHERE text = ?) AND e.iri <> ?"
    )
    count = index.query(site, f"SELECT count(*) FROM (SELECT 1 {inner} LIMIT {MOST})", (place, place))[0][0]  # noqa: S608
    rows = index.query(site, f"SELECT e.iri {inner} ORDER BY e.id LIMIT {MOST_AT}", (place, place))
    found = []
    for (thing,) in rows:
        quads: dict[str, Quad] = {
            q.predicate.value: q for q in site.local.quads(NamedNode(thing), None, NamedNode(place))
        }
        for predicate, quad in sorted(quads.items()):
            sources = site.evidence.of(quad)
            status = sources[0].status if sources else UNCLAIMED
            found.append(At(linker.link(thing), linker.term(predicate), status, linker.evidence(sources[:1])))
            break
    return found, count


def _linked(site: Site, linker: Linker, place: str) -> tuple[list[At], int]:
    """The same of data that kg did not build: by the properties that it is browsed by."""
    found, count = list[At](), 0
    for property_ in site.release.report["facets"]:
        things, number = traits.of_value(site, property_, place, MOST_AT - len(found))
        count += number
        found += [At(linker.link(thing), linker.term(property_), UNCLAIMED, Markup("")) for thing in things]
    return found, count


def _listing(site: Site) -> Listing[Spot]:
    count = index.query(site, f"SELECT count(*) FROM (SELECT 1 FROM point LIMIT {MOST})")[0][0]  # noqa: S608 - ours
    # Of other data all nodes are the things; and there may be a million, which must not be sorted for each page.
    order = "p.thing, p.rowid" if site.foreign else "p.node <> e.iri, e.id"
    sql = (
        f"SELECT {_COLUMNS} FROM point p CROSS JOIN entry e ON e.id = p.thing "  # noqa: S608 - ours
        f"ORDER BY {order} LIMIT ? OFFSET ?"
    )
    return listed(count, lambda limit, offset: [Spot(*row) for row in index.query(site, sql, (limit, offset))])


def _html() -> str:
    site, root = current(), here()
    listing = _listing(site)
    found = places(site, site.linker(root), listing.items)
    marks = [Mark(place.spot.lat, place.spot.lon, place.label, place.href, place.status) for place in found]
    drawn = drawing(site, root, marks, countries=True) if marks else ""
    return render("map.html", root=root, places=found, list=listing, drawing=drawn, land="map/basemap.json")


def _geojson() -> dict[str, Any]:
    site = current()
    listing = _listing(site)
    linker = site.linker("")
    features = []
    for place in places(site, linker, listing.items):
        local = site.names.local(place.spot.thing) or ""
        properties = {
            "label": place.label.text,
            "page": page_path(local),
            "status": place.status,
            "claims": [source.iri for source in _sources(site, place.spot)],
        }
        features.append(
            {
                "type": "Feature",
                "id": place.spot.thing,
                "geometry": {"type": "Point", "coordinates": [place.spot.lon, place.spot.lat]},
                "properties": properties,
            }
        )
    # A part never looks whole (RFC 7946, section 6.1, allows members of one's own).
    known = {"count": listing.count, "more": listing.count >= MOST, "pages": listing.pages}
    return {"type": "FeatureCollection", **known, "features": features}


def _window(text: str) -> Window:
    """Room around a box in whole degrees; finer ones would only be cached one by one."""
    found = re.fullmatch(r"(-?\d{1,3}),(-?\d{1,2}),(-?\d{1,3}),(-?\d{1,2})", text, re.ASCII)
    west, south, east, north = map(int, found.groups()) if found else (0, 0, -1, -1)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequest("The parameter box is west,south,east,north in whole degrees, as 10,54,11,55.")
    return basemap.wider(basemap.window([(west, south), (east, north)]), 4)


@per_site()
def _around(site: Site) -> Window:
    """Room to move around in, around all places; no further, because there is nothing there."""
    row = index.query(site, "SELECT min(lon), min(lat), max(lon), max(lat) FROM point")[0]
    if row[0] is None:
        raise not_found(marked("This release has no place with coordinates."))
    west, south, east, north = row
    return basemap.wider(basemap.window([(west, south), (east, north)]), 4)
