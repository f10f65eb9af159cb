"""``/releases/stream``: the releases as a Linked Data Event Stream, from which a copy is made and kept up to date.

A member is one thing, claim, document or other IRI of ours as a release states it: an ``as:Create``, ``as:Update`` or
``as:Delete`` whose ``as:object`` is that IRI. Its own IRI is the version's address; in its triples, and as the name of
a claim's graph, it stands in place of that IRI. The envelope is in terms of ActivityStreams, which the data does not
use, so that nobody takes one for the other.

The first node leads to the pages of each release, in the order in which they became current. The address of a page,
``/releases/VERSION/stream/SINCE/N``, says all that decides what is in it, so it never changes: what VERSION states that
SINCE did not, part N. Who goes back to a release makes it current again: that is a step of its own, with members of its
own, which say from when on they hold (``/releases/VERSION/stream/SINCE/TIME/N``), because followers have read and
forgotten the first ones.
A page comes from the site of its release (:mod:`kg.site.serving.versions`), and its quads from that release's store.

https://semiceu.github.io/LinkedDataEventStreams/ · https://treecg.github.io/specification/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from flask import Blueprint, Response
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import media, vocab
from kg.history import History, MemberState
from kg.settings import is_address
from kg.site.answers.respond import changing, chosen_format, conditional, cors, not_found
from kg.site.languages import marked
from kg.site.lookups.state import Site, current

bp = Blueprint("stream", __name__)

NO_PART = marked("This release has no page {number} since {since} in its stream.")

MEMBERS = 100
"""Members of one page."""

BEGINNING = "beginning"
"""In place of a release before the first."""

LDES = "https://w3id.org/ldes#"
TREE = "https://w3id.org/tree#"
AS = "https://www.w3.org/ns/activitystreams#"
PREFIXES = {"as": AS, "ldes": LDES, "tree": TREE}
KINDS = {"stated": AS + "Create", "changed": AS + "Update", "withdrawn": AS + "Delete"}

_FORMATS = [media.RDF_BY_EXTENSION[extension] for extension in ("trig", "nq", "jsonld")]
_TYPES = tuple(format_.media_type for format_ in _FORMATS)
_DEFAULT = DefaultGraph()
_T = TypeVar("_T")
_KEPT = "public, max-age=604800, immutable"


@bp.get("/releases/stream")
@bp.get("/releases/stream.<any(trig,nq,jsonld):extension>")
def stream(extension: str | None = None) -> Response:
    """The first node: where each release's part begins."""
    site = current()
    format_ = _format(extension)
    site.history.update()
    return changing(_described(Response(_serialise(site, _root(site), format_)), format_, extension))


@bp.get("/stream/<since>/<int:number>")
@bp.get("/stream/<since>/<int:number>.<any(trig,nq,jsonld):extension>")
@bp.get("/stream/<since>/<stamp>/<int:number>")
@bp.get("/stream/<since>/<stamp>/<int:number>.<any(trig,nq,jsonld):extension>")
def page(since: str, number: int, stamp: str = "", extension: str | None = None) -> Response:
    """What this release states that another did not, a part of it; with ``stamp``, from when it was current again."""
    site = current()
    format_ = _format(extension)
    history = site.history
    history.update()
    known = {release.version for release in history.releases()}
    before = "" if since == BEGINNING else since
    if site.release.version not in known or (before and before not in known) or not 1 <= number <= 10**6:
        raise not_found(NO_PART, number=number, since=since)
    at = _taken(history, site.release.version, before, stamp) if stamp else None
    if stamp and at is None:
        raise not_found(NO_PART, number=number, since=since)
    rows = history.changes(before, site.release.version, site.base, MEMBERS + 1, MEMBERS * (number - 1))
    if not rows and number > 1:
        raise not_found(NO_PART, number=number, since=since)

    def made() -> bytes:
        return _serialise(site, _page(site, (since, at), number, rows), format_)

    answer = conditional(site, format_.extension, made)
    answer.headers["Cache-Control"] = _KEPT
    return _described(answer, format_, extension)


def _format(extension: str | None) -> media.RdfMedia:
    return media.RDF_BY_EXTENSION[chosen_format(extension, _TYPES, None)]


def _described(response: Response, format_: media.RdfMedia, extension: str | None) -> Response:
    response.content_type = media.content_type(format_.media_type)
    if extension is None:
        response.vary.add("Accept")
    return cors(response)


def _serialise(site: Site, quads: Iterator[Quad], format_: media.RdfMedia) -> bytes:
    return media.serialise(quads, format_, {**site.prefixes, **PREFIXES})


def _root(site: Site) -> Iterator[Quad]:
    node = f"{site.base}releases/stream"
    yield from _stream(site)
    yield _iri(node, vocab.RDF_TYPE, TREE + "Node")
    steps = site.history.steps()
    # A site that shows another release than the current one ends there.
    own = [number for number, step in enumerate(steps, 1) if step.release.version == site.release.version]
    for step in steps[: own[-1] if own else None]:
        version = step.release.version
        first = _address(site, version, step.before.version if step.before else BEGINNING, _stamp(step.at), 1)
        when = Literal(step.when.isoformat(), datatype=NamedNode(vocab.XSD + "dateTime"))
        for kind in ("GreaterThanOrEqualTo", "LessThanOrEqualTo"):
            relation = f"{node}#{version}{_stamp(step.at)}-{kind[0].lower()}"
            yield _iri(node, TREE + "relation", relation)
            yield _iri(relation, vocab.RDF_TYPE, f"{TREE}{kind}Relation")
            yield _iri(relation, TREE + "path", AS + "published")
            yield Quad(NamedNode(relation), NamedNode(TREE + "value"), when)
            yield _iri(relation, TREE + "node", first)


def _stream(site: Site) -> Iterator[Quad]:
    """What every page says of the stream itself."""
    events, manifest = _events(site), site.release.manifest
    yield _iri(events, vocab.RDF_TYPE, LDES + "EventStream")
    yield Quad(NamedNode(events), NamedNode(vocab.DCTERMS_TITLE), Literal(f"{manifest.title}: changes"))
    if is_address(manifest.license):
        yield _iri(events, vocab.DCTERMS + "license", manifest.license)
    yield _iri(events, TREE + "view", f"{site.base}releases/stream")
    for name, path in (("timestamp", "published"), ("sequence", "name"), ("versionOf", "object")):
        yield _iri(events, f"{LDES}{name}Path", AS + path)
    for name, kind in (("Create", "stated"), ("Update", "changed"), ("Delete", "withdrawn")):
        yield _iri(events, f"{LDES}version{name}Object", KINDS[kind])


def _page(site: Site, place: tuple[str, datetime | None], number: int, rows: Sequence[MemberState]) -> Iterator[Quad]:
    since, at = place
    address = _address(site, site.release.version, since, _stamp(at), number)
    yield from _stream(site)
    yield _iri(address, vocab.RDF_TYPE, TREE + "Node")
    yield Quad(NamedNode(address), NamedNode(LDES + "immutable"), _true())
    if len(rows) > MEMBERS:
        following = address + "#next"
        yield _iri(address, TREE + "relation", following)
        yield _iri(following, vocab.RDF_TYPE, TREE + "Relation")
        yield _iri(following, TREE + "node", _address(site, site.release.version, since, _stamp(at), number + 1))
    for row in rows[:MEMBERS]:
        member = f"{site.base}releases/{site.release.version}/{row.iri.removeprefix(site.base)}"
        if at is not None:  # a member of its own: followers have read the version's first one
            member += f"?current-since={_stamp(at)}"
        yield _iri(_events(site), TREE + "member", member)
        yield from _envelope(site, member, row, at)
        if row.what != "withdrawn":
            yield from (_renamed(quad, row.iri, member) for quad in _said(site, row.iri))


def _envelope(site: Site, member: str, row: MemberState, at: datetime | None) -> Iterator[Quad]:
    when = Literal((at or site.release.sealed_at).isoformat(), datatype=NamedNode(vocab.XSD + "dateTime"))
    yield _iri(member, vocab.RDF_TYPE, KINDS[row.what])
    yield _iri(member, AS + "object", row.iri)
    yield Quad(NamedNode(member), NamedNode(AS + "published"), when)
    # Two releases of one second are told apart by their names.
    yield Quad(NamedNode(member), NamedNode(AS + "name"), Literal(site.release.version))


def _said(site: Site, iri: str) -> Iterator[Quad]:
    """The quads that belong to an IRI (:func:`kg.diff.owner_of`), sorted; no copies in graphs that gather others."""
    own = NamedNode(iri)
    found = list(site.local.quads(own, None, None, _DEFAULT))
    parts = {q.object for q in found if isinstance(q.object, NamedNode) and q.object.value.startswith(iri + "#")}
    if iri.startswith(f"{site.base}passage/"):
        for part in parts:
            found += site.local.quads(part, None, None, _DEFAULT)
    if iri.startswith(f"{site.base}claim/"):
        found += site.local.quads(None, None, None, own)
    yield from sorted(found, key=str)


def _renamed(quad: Quad, iri: str, member: str) -> Quad:
    """The quad with the member in place of what it is a version of."""

    def term(node: _T) -> _T | NamedNode:
        if isinstance(node, NamedNode) and (node.value == iri or node.value.startswith(iri + "#")):
            return NamedNode(member + node.value[len(iri) :])
        return node

    return Quad(term(quad.subject), quad.predicate, term(quad.object), term(quad.graph_name))


def _events(site: Site) -> str:
    return f"{site.base}releases/stream#events"


def _address(site: Site, version: str, since: str, stamp: str, number: int) -> str:
    return "/".join((f"{site.base}releases/{version}/stream/{since}", *([stamp] if stamp else ()), str(number)))


def _stamp(at: datetime | None) -> str:
    """A time as an address has it: ``20260131T120000123456Z``."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ") if at else ""


def _taken(history: History, version: str, before: str, stamp: str) -> datetime | None:
    """When a release became current again in place of another, if that was at this time."""
    for step in history.steps():
        same = step.release.version == version and (step.before.version if step.before else "") == before
        if same and step.at is not None and _stamp(step.at) == stamp:
            return step.at
    return None


def _iri(subject: str, predicate: str, value: str) -> Quad:
    return Quad(NamedNode(subject), NamedNode(predicate), NamedNode(value))


def _true() -> Literal:
    return Literal("true", datatype=NamedNode(vocab.XSD + "boolean"))
