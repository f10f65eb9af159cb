"""``/timeline``: everything with a time, in order, each with a bar that shows as much as is known of when.

:mod:`kg.site.components.moments` draws the bars. Nothing is known about the data but its times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from markupsafe import Markup

from kg import dates
from kg.site.answers import variants
from kg.site.answers.address import here
from kg.site.components.drawing import Axis, year_name
from kg.site.components.moments import COLUMNS, Moment, lines
from kg.site.components.paging import Listing, listed
from kg.site.lookups import index
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("timeline", __name__)

MOST = 10_000
"""Rows that are counted; more are reached by asking for a shorter time."""


@bp.get("/timeline")
@bp.get("/timeline.<any(html,json):extension>")
def timeline(extension: str | None = None) -> Response:
    """The moments between two days, a page at a time."""
    made = (variants.page(_html), variants.in_json("json", _json))
    return variants.respond("timeline", made, extension)


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
        f"SELECT {COLUMNS} FROM span s JOIN entry e ON e.id = s.thing WHERE 1{condition} "  # noqa: S608 - ours
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
    listing, cut = _moments(site, _asked())
    found, _ = lines(site, site.linker(""), listing.items, Axis(0, 1))
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
                "claims": [source.iri for source in line.sources],
            }
            for line in found
        ],
    }


def _iso(day: int) -> str:
    """ISO 8601; years beyond four digits with their sign (section 4.2.3 of XML Schema part 2 does without)."""
    year, month, date = dates.civil(day)
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{date:02d}"
