"""``/releases/``: every release that is kept, what changed between them, and what became of one thing.

``/timegate/PATH`` leads to a page as it was at a time, ``/timemap/PATH`` lists all its versions (RFC 7089, sections 4
and 5); the versions themselves are served by :mod:`kg.site.serving.versions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import NamedNode, Triple
from werkzeug.exceptions import BadRequest
from werkzeug.http import http_date

from kg import diff
from kg.diff import Change
from kg.errors import ReleaseError
from kg.history import Event, History, Sealed, Step
from kg.release import Release
from kg.site.answers import signposting
from kg.site.answers.address import here, meanings, raw_path
from kg.site.answers.links import page_path, query_part
from kg.site.answers.ranges import moment
from kg.site.answers.respond import changing, cors, for_readers, not_found
from kg.site.answers.signposting import Link
from kg.site.languages import marked
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site, current
from kg.site.serving.versions import VERSION
from kg.site.templating import render

bp = Blueprint("releases", __name__)

SHOWN = 500
"""Changes that a page shows; the dumps have all."""

LINES = 50
"""Triples that a page shows of one change."""

IN_FEED = 20
"""Releases in the feed, the newest first."""


@bp.get("/releases")
@bp.get("/releases/")
def releases() -> Response:
    """The list."""
    site = current()
    history = _history(site)
    rows = list(reversed(history.releases()))
    return _page(render("releases.html", rows=list(zip(rows, [*rows[1:], None][: len(rows)], strict=True))))


@bp.get("/releases/changes")
def changes() -> Response:
    """What changed from one release to another, by claim and by thing."""
    site = current()
    old, new = request.args.get("from", ""), request.args.get("to", site.release.version)
    for version in (old, new):
        if not re.fullmatch(VERSION, version):
            raise BadRequest("Name two releases: ?from=VERSION&to=VERSION.")
    found = _difference(site, old, new)
    shown = found.changes[:SHOWN]
    site.labels.expect(chain.from_iterable(_named_in(change) for change in shown))
    return _page(
        render(
            "changes.html",
            old=old,
            new=new,
            changes=[(change, _leading(site, change, old, new), _lines(site, change, old, new)) for change in shown],
            most=LINES,
            more=len(found.changes) - SHOWN,
        )
    )


class _Line(NamedTuple):
    """A triple that is no longer stated, or is stated now."""

    is_new: bool
    subject: Markup
    predicate: Markup
    object: Markup


def _named_in(change: Change) -> Iterator[str]:
    for quad in (*change.removed[:LINES], *change.added[:LINES]):
        yield from (term.value for term in (quad.subject, quad.predicate, quad.object) if isinstance(term, NamedNode))


def _leading(site: Site, change: Change, old: str, new: str) -> str:
    """The way to what changed, in the release that has it: the later one, unless it is gone."""
    local = site.names.local(change.iri)
    version = old if change.what == "removed" else new
    return "" if local is None else f"{here()}releases/{version}/{page_path(local)}"


def _lines(site: Site, change: Change, old: str, new: str) -> list[_Line]:
    """Some of the triples that make a change; each leads to where it is stated."""
    found = []
    for is_new, version, quads in ((False, old, change.removed), (True, new, change.added)):
        linker = site.linker(f"{here()}releases/{version}/")
        for quad in quads[:LINES]:
            subject, object_ = (
                Markup("<code>{}</code>").format(str(node)) if isinstance(node, Triple) else linker.node(node)
                for node in (quad.subject, quad.object)
            )
            found.append(_Line(is_new, subject, linker.term(quad.predicate.value), object_))
    return found


@bp.get("/releases/feed.atom")
def feed() -> Response:
    """How releases took each other's place as a feed (RFC 4287): what each step changed."""
    site = current()
    while True:
        try:
            entries = [_entry(site, step) for step in reversed(_history(site).steps()[-IN_FEED:])]
            break
        except ReleaseError:
            continue  # one was damaged since it was last looked at, and is left out from now on
    response = Response(render("feed.xml", entries=entries), content_type="application/atom+xml; charset=utf-8")
    return changing(cors(response))


def _entry(site: Site, step: Step) -> tuple[Step, str, list[str]]:
    """A step, what it changed in one line, and the first of its changes."""
    old = step.before
    lines = list(diff.in_words(_compared(site, old.version, step.release.version))) if old else []
    return step, lines[-1] if lines else "The first release that is kept.", lines[:-1][:50]


@bp.get("/history/<path:name>")
def history(name: str) -> Response:
    """What became of one claim or thing, release by release."""
    site = current()
    iri, events = _known(site, name)
    return _page(
        render(
            "history.html",
            iri=iri,
            events=events,
            path=page_path(site.names.local(iri) or ""),
            difference=diff.of_words,
        )
    )


@bp.get("/timegate/<path:name>")
def timegate(name: str) -> Response:
    """302 to the page as it was at ``Accept-Datetime``, or to the newest version."""
    site = current()
    asked = request.headers.get("Accept-Datetime")
    wanted = moment(asked) if asked else datetime.max.replace(tzinfo=UTC)
    if wanted is None:
        raise BadRequest("Accept-Datetime is not an HTTP date, as in: Sat, 31 Jan 2026 12:00:00 GMT.")
    kept = _mementos(site, name)
    # What was shown then: the release that was current, which may not have been the one sealed last.
    # The dates of HTTP are whole seconds: one that is asked for is the whole second.
    until = wanted.replace(microsecond=999_999)
    shown = next((s.release for s in reversed(_history(site).steps()) if s.when <= until and s.release in kept), None)
    chosen = shown or kept[0]
    local = _sent() + query_part(request.query_string.decode("latin-1"))
    response = Response(status=302, headers={"Location": f"{here()}releases/{chosen.version}/{local}"})
    response.vary.add("Accept-Datetime")
    links = [Link("original", site.base + local), signposting.timemap(site.base, local)]
    response.headers["Link"] = signposting.header(links)
    return cors(response)


@bp.get("/timemap/<path:name>")
def timemap(name: str) -> Response:
    """All versions of a page, as links (RFC 6690), with the page, the time gate and this list (RFC 7089, section 5)."""
    site = current()
    kept = _mementos(site, name)
    local = _sent() + query_part(request.query_string.decode("latin-1"))
    listed = signposting.timemap(site.base, local)._replace(rel="self")
    dates = [http_date(release.sealed_at) for release in kept]
    links = [
        signposting.in_words([Link("original", site.base + local), signposting.gate(site.base, local)]),
        signposting.in_words([listed]) + f'; from="{dates[0]}"; until="{dates[-1]}"',
    ]
    for index, (release, when) in enumerate(zip(kept, dates, strict=True)):
        place = [word for word, at in (("first", 0), ("last", len(kept) - 1)) if index == at]
        relation = " ".join([*place, "memento"])
        links.append(f'<{site.base}releases/{release.version}/{local}>; rel="{relation}"; datetime="{when}"')
    return changing(cors(Response(",\n".join(links) + "\n", content_type=signposting.LINK_FORMAT)))


def _page(text: str) -> Response:
    # Which releases are kept changes without the release that answers: nothing here is remembered.
    return for_readers(lambda: Response(text, headers={"Cache-Control": "no-store"}))


def _history(site: Site) -> History:
    site.history.update()
    return site.history


def _sent() -> str:
    """The part of the address that names the page, as it was sent."""
    return raw_path()[1:].partition("/")[2]


def _known(site: Site, name: str) -> tuple[str, list[Event]]:
    history = _history(site)
    for iri in meanings(site, _sent() or name):
        if events := history.events(iri):
            return iri, events
    raise not_found(marked("This release has no history of {name}."), name=name)


def _mementos(site: Site, name: str) -> list[Sealed]:
    history = _history(site)
    for iri in meanings(site, _sent() or name):
        if kept := history.holding(iri):
            return kept
    raise not_found(marked("This release has no version of {name}."), name=name)


def _difference(site: Site, old: str, new: str) -> diff.Difference:
    try:
        return _compared(site, old, new)
    except ReleaseError:
        raise not_found(marked("There are no two whole releases {old} and {new} here."), old=old, new=new) from None


@per_site(32)
def _compared(site: Site, old: str, new: str) -> diff.Difference:
    return diff.compare(_whole(site, old), _whole(site, new))


def _whole(site: Site, version: str) -> Release:
    try:
        return Release.open(site.config.releases / version)
    except ReleaseError:
        site.history.damaged(version)
        raise
