"""What a thing's page draws of its surroundings: neighbours, times, and places; as much as a page can afford."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from kg.site.components import moments, neighbourhood, spots
from kg.site.components.moments import Line, Moment
from kg.site.components.nodes import Linker
from kg.site.components.spots import Mark
from kg.site.lookups.state import Site

MOST = 6
"""Moments and places on the page of a thing."""


class Surroundings(NamedTuple):
    """``picture`` is the neighbourhood; ``lines`` and ``scale`` a timeline; ``map`` a map. Any may be nothing."""

    picture: Markup
    lines: list[Line]
    scale: Markup
    map: Markup


def of(site: Site, linker: Linker, iri: str, root: str) -> Surroundings:
    """The times of a thing and of what it is linked with; its places, or those of what it is linked with."""
    around = neighbourhood.of(site, iri, root)
    near = spots.of_things(site, (iri, *around.iris), MOST * 4)
    shown = ([spot for spot in near if spot.thing == iri] or near)[:MOST]
    marks = [Mark(s.lat, s.lon, site.labels[s.thing], linker.href(s.thing) or "", "happened") for s in shown]
    lines, scale = _timeline(site, linker, moments.of_things(site, (iri, *around.iris), MOST * 4), iri)
    return Surroundings(around.picture, lines, scale, spots.drawing(site, root, marks) if marks else Markup(""))


def _timeline(site: Site, linker: Linker, near: list[Moment], iri: str) -> tuple[list[Line], Markup]:
    """Some moments, those of the thing itself among them; one day alone says nothing that its date does not."""
    chosen = sorted(sorted(near, key=lambda m: m.thing != iri)[:MOST], key=lambda m: (m.first, m.last))
    if not chosen or (len(chosen) == 1 and chosen[0].first == chosen[0].last):
        return [], Markup("")
    return moments.lines(site, linker, chosen)
