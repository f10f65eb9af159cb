"""``/map``: everything with coordinates, on a map that :mod:`kg.site.components.spots` draws and scripts make movable.

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
from kg.site.answers.respond import conditional, cors
from kg.site.components import basemap
from kg.site.components.basemap import Window
from kg.site.components.drawing import element, place_in_words
from kg.site.components.nodes import Linker
from kg.site.components.paging import Listing, listed
from kg.site.components.spots import COLUMNS, Mark, Spot, around, drawing
from kg.site.elsewhere import traits
from kg.site.lookups import index
from kg.site.lookups.evidence import STATUSES, UNCLAIMED, Source
from kg.site.lookups.labels import Label
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("map", __name__)

MOST = 10_000
"""Places that are counted."""

MOST_AT = 8
"""Things at a place that are listed; the place's own page has all."""

GEOJSON = "application/geo+json"


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
        site,
        "basemap",
        lambda: json.dumps(
            basemap.geojson(asked or around(site), site.language.country), separators=(",", ":")
        ).encode(),
        spoken=True,
    )
    response.content_type = GEOJSON
    return cors(response)


@bp.get("/map/land.svg")
def land_svg() -> Response:
    """The same as a drawing, which maps on pages use."""
    site = current()

    def make() -> bytes:
        view = around(site)
        drawn = element("path", id="land", d=basemap.path(view), vector_effect="non-scaling-stroke")
        box = f"0 0 {basemap.WIDE} {basemap.Box(view).height:.0f}"
        return element("svg", [drawn], xmlns="http://www.w3.org/2000/svg", viewBox=box).encode()

    response = conditional(site, "land", make)
    response.content_type = "image/svg+xml"
    return response


def places(site: Site, linker: Linker, spots: Sequence[Spot]) -> list[Place]:
    """Places with what is there."""
    return [_place(site, linker, spot) for spot in spots]


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
            for p in (
                *(vocab.WGS84 + "lat", vocab.SCHEMA + "latitude", vocab.SCHEMA_HTTPS + "latitude"),
                *(vocab.GEO + "asWKT", vocab.WIKIDATA_PLACE),
            )
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
        f"SELECT {COLUMNS} FROM point p CROSS JOIN entry e ON e.id = p.thing "  # noqa: S608 - ours
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
