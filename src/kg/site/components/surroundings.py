"""What a thing's page draws of its surroundings: neighbours, times, and places; as much as a page can afford."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from kg.site.components import neighbourhood
from kg.site.components.nodes import Linker
from kg.site.lookups.state import Site
from kg.site.pages import map as maps
from kg.site.pages import timeline
from kg.site.pages.map import Mark

MOST = 6
"""Moments and places on the page of a thing."""


class Surroundings(NamedTuple):
    """``picture`` is the neighbourhood; ``lines`` and ``scale`` a timeline; ``map`` a map. Any may be nothing."""

    picture: Markup
    lines: list[timeline.Line]
    scale: Markup
    map: Markup


def of(site: Site, linker: Linker, iri: str, root: str) -> Surroundings:
    """The times of a thing and of what it is linked with; its places, or those of what it is linked with."""
    around = neighbourhood.of(site, iri, root)
    spots = maps.of_things(site, (iri, *around.iris), MOST * 4)
    spots = ([spot for spot in spots if spot.thing == iri] or spots)[:MOST]
    marks = [Mark(s.lat, s.lon, site.labels[s.thing], linker.href(s.thing) or "", "happened") for s in spots]
    lines, scale = _timeline(site, linker, timeline.of_things(site, (iri, *around.iris), MOST * 4), iri)
    return Surroundings(around.picture, lines, scale, maps.drawing(site, root, marks) if marks else Markup(""))


def _timeline(
    site: Site, linker: Linker, moments: list[timeline.Moment], iri: str
) -> tuple[list[timeline.Line], Markup]:
    """Some moments, those of the thing itself among them; one day alone says nothing that its date does not."""
    chosen = sorted(sorted(moments, key=lambda m: m.thing != iri)[:MOST], key=lambda m: (m.first, m.last))
    if not chosen or (len(chosen) == 1 and chosen[0].first == chosen[0].last):
        return [], Markup("")
    return timeline.lines(site, linker, chosen)
