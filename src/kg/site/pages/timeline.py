"""``/timeline``: everything with a time, in order, each with a bar that shows as much as is known of when.

A bar is fuzzy where a time only lies within it, full where it lasts throughout; what is planned or expected is dashed,
and times that were worked out say so. The list is the picture: the same line has the name, the time in words, who says
so, and the bar, so nothing is in the one that is not in the other. Nothing is known about the data but its times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import Literal, NamedNode, Quad

from kg import dates
from kg.site.answers import variants
from kg.site.answers.address import here
from kg.site.components.drawing import Axis, Tick, days_in_words, element, percent, year_name
from kg.site.components.nodes import Linker
from kg.site.components.paging import Listing, listed
from kg.site.languages import Language
from kg.site.lookups import index
from kg.site.lookups.database import MARKS, batches
from kg.site.lookups.evidence import STATUSES, UNCLAIMED, Source
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("timeline", __name__)

MOST = 10_000
"""Rows that are counted; more are reached by asking for a shorter time."""


_COLUMNS = "e.iri, s.property, s.time, s.first, s.last, s.how, s.worked_out"
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


@bp.get("/timeline")
@bp.get("/timeline.<any(html,json):extension>")
def timeline(extension: str | None = None) -> Response:
    """The moments between two days, a page at a time."""
    made = (variants.page(_html), variants.in_json("json", _json))
    return variants.respond("timeline", made, extension)


def of_things(site: Site, iris: Sequence[str], limit: int) -> list[Moment]:
    """The moments of some things, in order."""
    sql = (
        f"SELECT {_COLUMNS} FROM entry e CROSS JOIN span s ON s.thing = e.id WHERE e.iri IN ({MARKS}) "  # noqa: S608 - marks
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
        parts.append(element("text", [tick.above], x=x, dx=shift, y=13, text_anchor=anchor, class_="above"))
        parts.append(element("text", [tick.label], x=x, dx=shift, y=30, text_anchor=anchor))
    return element("svg", parts, class_="scale", width="100%", height=36, aria_hidden="true")


class _Asked(NamedTuple):
    first: int | None
    last: int | None
    wrong: str


def _asked() -> _Asked:
    """The days between which moments are wanted; ``wrong``: what could not be read as one."""
    found: list[int | None] = []
    wrong = ""
    for name, end in (("from", 0), ("to", 1)):
        text = request.args.get(name, "").strip()[:40]
        days = dates.read(text) if text else None
        wrong = wrong or (text if text and days is None else "")
        found.append(days[end] if days else None)
    return _Asked(found[0], found[1], wrong)


def _moments(site: Site, asked: _Asked) -> tuple[Listing[Moment], bool]:
    """The page of moments that was asked for, and whether there are more than were counted."""
    condition, values = "", list[int]()
    if asked.first is not None:
        condition, values = condition + " AND s.last >= ?", [*values, asked.first]
    if asked.last is not None:
        condition, values = condition + " AND s.first <= ?", [*values, asked.last]
    counting = f"SELECT count(*) FROM (SELECT 1 FROM span s WHERE 1{condition} LIMIT {MOST + 1})"  # noqa: S608 - ours
    count = index.query(site, counting, values)[0][0]
    sql = (
        f"SELECT {_COLUMNS} FROM span s JOIN entry e ON e.id = s.thing WHERE 1{condition} "  # noqa: S608 - ours
        "ORDER BY s.first, s.last, s.thing LIMIT ? OFFSET ?"
    )

    def read(limit: int, offset: int) -> list[Moment]:
        return [Moment(*row) for row in index.query(site, sql, (*values, limit, offset))]

    return listed(min(count, MOST), read), count > MOST


def _html() -> str:
    site, root = current(), here()
    asked = _asked()
    listing, cut = _moments(site, asked)
    drawn, scale = lines(site, site.linker(root), listing.items) if listing.items else ([], Markup(""))
    return render(
        "timeline.html",
        root=root,
        lines=drawn,
        scale=scale,
        list=listing,
        cut=cut,
        asked=request.args,
        wrong=asked.wrong,
        periods=_periods(site, listing.items),
    )


def _periods(site: Site, moments: Sequence[Moment]) -> list[tuple[str, str, int]]:
    """Years, or months where all are of one year, with the moments that begin in them: ways to look closer."""
    if not moments:
        return []
    counts: dict[tuple[int, int], int] = {}
    for moment in moments:
        year, month, _ = dates.civil(moment.first)
        counts[year, month] = counts.get((year, month), 0) + 1
    years = {year for year, _ in counts}
    if len(years) > 1:
        by_year = {year: sum(n for (y, _), n in counts.items() if y == year) for year in sorted(years)}
        return [(f"{year:04d}", year_name(year, site.language), n) for year, n in by_year.items()]
    if len(counts) > 1:
        names = site.language.months()
        return [
            (f"{year:04d}-{month:02d}", f"{names[month - 1]} {year_name(year, site.language)}", n)
            for (year, month), n in sorted(counts.items())
        ]
    return []


def _json() -> dict[str, Any]:
    site = current()
    linker = site.linker("")
    listing, cut = _moments(site, _asked())
    found = [_line(site, linker, moment, Axis(0, 1), Markup("")) for moment in listing.items]
    return {
        "count": listing.count,
        "more": cut,
        "pages": listing.pages,
        "moments": [
            {
                "iri": line.moment.thing,
                "label": site.labels[line.moment.thing].text,
                "property": line.moment.property,
                "time": line.moment.time or None,
                "first": _iso(line.moment.first),
                "last": _iso(line.moment.last),
                "extent": line.moment.how,
                "approximate": line.approximate,
                "uncertain": line.uncertain,
                "status": line.status,
                "worked_out": bool(line.moment.worked_out),
                "claims": [source.iri for source in _sources(site, line.moment)],
            }
            for line in found
        ],
    }


def _iso(day: int) -> str:
    """ISO 8601; years beyond four digits with their sign (section 4.2.3 of XML Schema part 2 does without)."""
    year, month, date = dates.civil(day)
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{date:02d}"
