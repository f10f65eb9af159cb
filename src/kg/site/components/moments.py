"""Times of things, in order, each with a bar that shows as much as is known of when.

A bar is fuzzy where a time only lies within it, full where it lasts throughout; what is planned or expected is dashed,
and times that were worked out say so. The list is the picture: the same line has the name, the time in words, who says
so, and the bar, so nothing is in the one that is not in the other. :mod:`kg.site.pages.timeline` has all moments of a
release, a thing's page those around the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import Literal, NamedNode, Quad

from kg import dates
from kg.site.components.drawing import Axis, Tick, days_in_words, element, percent
from kg.site.components.nodes import Linker
from kg.site.languages import Language
from kg.site.lookups import index
from kg.site.lookups.database import MARKS, batches
from kg.site.lookups.evidence import STATUSES, UNCLAIMED, Source
from kg.site.lookups.state import Site

COLUMNS = "e.iri, s.property, s.time, s.first, s.last, s.how, s.worked_out"
"""What a :class:`Moment` is read from, of the tables ``entry e`` and ``span s``."""

_FULL_ENOUGH = 0.012
"""Share of the width below which a bar would be too small to see: it becomes a point."""

_ROOM = 0.3
"""Share of the width, on a phone, that the words of two ticks need if they face each other."""


class Moment(NamedTuple):
    """A thing with a time: ``first`` and ``last`` are days; ``time`` is the time's IRI, or nothing for a plain date."""

    thing: str
    property: str
    time: str
    first: int
    last: int
    how: str
    worked_out: int


class Line(NamedTuple):
    """A moment as a page shows it. ``sources``: the claims that give the thing this time."""

    moment: Moment
    link: Markup
    property: Markup
    when: str
    approximate: bool
    uncertain: bool
    status: str
    inferred: bool
    evidence: Markup
    bar: Markup
    sources: tuple[Source, ...]


def of_things(site: Site, iris: Sequence[str], limit: int) -> list[Moment]:
    """The moments of some things, in order."""
    sql = (
        f"SELECT {COLUMNS} FROM entry e CROSS JOIN span s ON s.thing = e.id WHERE e.iri IN ({MARKS}) "  # noqa: S608 - marks
        "ORDER BY s.first, s.last, e.id LIMIT ?"
    )
    return [Moment(*row) for row in index.query(site, sql, (*next(batches(iris)), limit))]


def lines(site: Site, linker: Linker, moments: Sequence[Moment], axis: Axis | None = None) -> tuple[list[Line], Markup]:
    """Moments with their bars, and the axis above them."""
    axis = axis or axis_of(moments)
    ticks = axis.ticks(site.language)
    grid = _grid(ticks)
    return [_line(site, linker, moment, axis, grid) for moment in moments], _scale(ticks)


def axis_of(moments: Sequence[Moment]) -> Axis:
    """An axis for all of them, with a little room on both sides."""
    first, last = min(m.first for m in moments), max(m.last for m in moments)
    room = max(1, (last - first) // 40)
    return Axis(first - room, last + room)


def _line(site: Site, linker: Linker, moment: Moment, axis: Axis, grid: Markup) -> Line:
    sources = _sources(site, moment)
    about, doubted = _qualified(site, moment)
    status = sources[0].status if sources else UNCLAIMED
    inferred = bool(moment.worked_out) or _inferred(site, moment.time)
    within = moment.how == "within"
    return Line(
        moment=moment,
        link=linker.link(moment.thing),
        property=linker.term(moment.property),
        when=_when(moment, site.language, about=about, doubted=doubted),
        approximate=about,
        uncertain=doubted,
        status=status,
        inferred=inferred,
        evidence=linker.evidence(sources[:2]),
        bar=_bar(moment, axis, grid, fuzzy=within and moment.first != moment.last),
        sources=tuple(sources),
    )


def _sources(site: Site, moment: Moment) -> list[Source]:
    """The claims that give a thing its time."""
    if site.foreign:
        return []
    thing, property_ = NamedNode(moment.thing), NamedNode(moment.property)
    if moment.time:
        return site.evidence.of(Quad(thing, property_, NamedNode(moment.time)))
    graphs = (
        q.graph_name.value
        for q in site.local.quads(thing, property_)
        if isinstance(q.object, Literal) and isinstance(q.graph_name, NamedNode) and _gives(q.object.value, moment)
    )
    return site.evidence.claims(dict.fromkeys(graphs))


def _gives(text: str, moment: Moment) -> bool:
    """Whether a date is that of a moment, or its beginning: where sources differ, each has its own."""
    days = dates.read(text)
    if days is None:
        return False
    return days.first == moment.first and (moment.how == "throughout" or days.last == moment.last)


def _qualified(site: Site, moment: Moment) -> tuple[bool, bool]:
    """Whether the time is said to be approximate, and whether it is said to be uncertain."""
    if not moment.time or moment.worked_out:
        return False, False
    time, kg = NamedNode(moment.time), site.names.kg
    if any(True for _ in site.local.quads(time, NamedNode(kg + "earliest"))):
        return False, False  # bounds say how far it is open
    texts = [q.object.value for q in site.local.quads(time, NamedNode(kg + "edtf")) if isinstance(q.object, Literal)]
    found = [dates.qualified(text) for text in texts if dates.read(text) == (moment.first, moment.last)]
    return any(about for about, _ in found), any(doubted for _, doubted in found)


def _when(moment: Moment, language: Language, *, about: bool, doubted: bool) -> str:
    words = days_in_words(moment.first, moment.last, language, within=moment.how == "within")
    if about and doubted:
        return language.gettext("{when} (approximate and uncertain)").format(when=words)
    if about:
        return language.gettext("{when} (approximate)").format(when=words)
    return language.gettext("{when} (uncertain)").format(when=words) if doubted else words


def _inferred(site: Site, time: str) -> bool:
    """Whether the bounds of a time stand in nothing better than an inferred claim."""
    if not time:
        return False
    kg = site.names.kg
    for name in ("earliest", "edtf"):
        graphs = [
            q.graph_name.value
            for q in site.local.quads(NamedNode(time), NamedNode(kg + name))
            if isinstance(q.graph_name, NamedNode)
        ]
        if graphs:
            found = site.evidence.claims(graphs)
            return bool(found) and min(STATUSES.index(s.status) for s in found) == STATUSES.index("inferred")
    return False


def _grid(ticks: Sequence[Tick]) -> Markup:
    at = (percent(tick.at) for tick in ticks)
    return Markup("").join(element("line", x1=x, x2=x, y1=0, y2="100%", class_="grid") for x in at)


def _bar(moment: Moment, axis: Axis, grid: Markup, *, fuzzy: bool) -> Markup:
    left, right = axis.share(moment.first), axis.share(moment.last + 1)
    middle = "60%"
    if moment.first == moment.last or right - left < _FULL_ENOUGH:
        shape = element("circle", cx=percent((left + right) / 2), cy=middle, r=6, class_="point")
    else:
        width = percent(right - left)
        shape = element(
            "rect", x=percent(left), y="30%", width=width, height="60%", rx=3, class_="fuzzy" if fuzzy else "full"
        )
    # The same is said in words beside it.
    return element("svg", [grid, shape], class_="bar", width="100%", height=22, aria_hidden="true")


def _scale(ticks: Sequence[Tick]) -> Markup:
    parts: list[Markup] = []
    before = -1.0
    for tick in ticks:
        x = percent(tick.at)
        anchor = "end" if tick.at > 0.9 else "start"
        parts.append(element("line", x1=x, x2=x, y1=0, y2="100%", class_="grid"))
        # Words stand beside their line; at the right edge on its other side, where there is room for two of them.
        if anchor == "end" and tick.at - before < _ROOM:
            continue
        before, shift = tick.at, -4 if anchor == "end" else 4
        parts.append(element("text", [tick.above], x=x, dx=shift, y="0.8rem", text_anchor=anchor, class_="above"))
        parts.append(element("text", [tick.label], x=x, dx=shift, y="1.9rem", text_anchor=anchor))
    return element("svg", parts, class_="scale", width="100%", height="2.25rem", aria_hidden="true")
