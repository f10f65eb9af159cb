"""``/releases/stream``: the releases as a Linked Data Event Stream, from which a copy is made and kept up to date.

A member is one thing, claim, document or other IRI of ours as a release states it: an ``as:Create``, ``as:Update`` or
``as:Delete`` whose ``as:object`` is that IRI. Its own IRI is the version's address; in its triples, and as the name of
a claim's graph, it stands in place of that IRI. The envelope is in terms of ActivityStreams, which the data does not
use, so that nobody takes one for the other.

The first node leads to the pages of each release, oldest first. The address of a page, ``/releases/VERSION/stream/
SINCE/N``, says all that decides what is in it, so it never changes: what VERSION states that SINCE did not, part N.
A page comes from the site of its release (:mod:`kg.site.versions`), and its quads from that release's store.

https://semiceu.github.io/LinkedDataEventStreams/ · https://treecg.github.io/specification/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from flask import Blueprint, Response, request
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import media, vocab
from kg.history import State
from kg.site.languages import marked
from kg.site.respond import chosen_format, conditional, content_type, cors, not_found
from kg.site.state import Site, current

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
    response = _described(Response(_serialise(site, _root(site), format_)), format_, extension)
    # It grows without the release that answers.
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/stream/<since>/<int:number>")
@bp.get("/stream/<since>/<int:number>.<any(trig,nq,jsonld):extension>")
def page(since: str, number: int, extension: str | None = None) -> Response:
    """What this release states that another did not, a part of it."""
    site = current()
    format_ = _format(extension)
    history = site.history
    history.update()
    known = {release.version for release in history.releases()}
    before = "" if since == BEGINNING else since
    if site.release.version not in known or (before and before not in known) or not 1 <= number <= 10**6:
        raise not_found(NO_PART, number=number, since=since)
    rows = history.changes(before, site.release.version, site.base, MEMBERS + 1, MEMBERS * (number - 1))
    if not rows and number > 1:
        raise not_found(NO_PART, number=number, since=since)

    def made() -> bytes:
        return _serialise(site, _page(site, since, number, rows), format_)

    answer = conditional(site, format_.extension, made)
    answer.headers["Cache-Control"] = _KEPT
    return _described(answer, format_, extension)


def _format(extension: str | None) -> media.RdfMedia:
    return media.RDF_BY_EXTENSION[chosen_format(extension, _TYPES, None)]


def _described(response: Response, format_: media.RdfMedia, extension: str | None) -> Response:
    response.content_type = content_type(format_)
    if extension is None:
        response.vary.add("Accept")
    return cors(response)


def _serialise(site: Site, quads: Iterator[Quad], format_: media.RdfMedia) -> bytes:
    return media.serialise(quads, format_, {**site.prefixes, **PREFIXES})


def _root(site: Site) -> Iterator[Quad]:
    node = f"{site.base}releases/stream"
    yield from _stream(site)
    yield _iri(node, vocab.RDF_TYPE, TREE + "Node")
    releases = site.history.releases()
    names = [release.version for release in releases]
    # Whoever goes back to an earlier release takes back what came after it.
    if site.release.version in names:
        releases = releases[: names.index(site.release.version) + 1]
    for before, release in zip([None, *releases], releases, strict=False):
        first = _address(site, release.version, before.version if before else BEGINNING, 1)
        when = Literal(release.sealed_at.isoformat(), datatype=NamedNode(vocab.XSD + "dateTime"))
        for kind in ("GreaterThanOrEqualTo", "LessThanOrEqualTo"):
            relation = f"{node}#{release.version}-{kind[0].lower()}"
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
    if manifest.license.startswith(("http://", "https://")):
        yield _iri(events, vocab.DCTERMS + "license", manifest.license)
    yield _iri(events, TREE + "view", f"{site.base}releases/stream")
    for name, path in (("timestamp", "published"), ("sequence", "name"), ("versionOf", "object")):
        yield _iri(events, f"{LDES}{name}Path", AS + path)
    for name, kind in (("Create", "stated"), ("Update", "changed"), ("Delete", "withdrawn")):
        yield _iri(events, f"{LDES}version{name}Object", KINDS[kind])


def _page(site: Site, since: str, number: int, rows: Sequence[State]) -> Iterator[Quad]:
    address = _address(site, site.release.version, since, number)
    yield from _stream(site)
    yield _iri(address, vocab.RDF_TYPE, TREE + "Node")
    yield Quad(NamedNode(address), NamedNode(LDES + "immutable"), _true())
    if len(rows) > MEMBERS:
        following = address + "#next"
        yield _iri(address, TREE + "relation", following)
        yield _iri(following, vocab.RDF_TYPE, TREE + "Relation")
        yield _iri(following, TREE + "node", _address(site, site.release.version, since, number + 1))
    for row in rows[:MEMBERS]:
        member = f"{site.base}releases/{site.release.version}/{row.iri.removeprefix(site.base)}"
        yield _iri(_events(site), TREE + "member", member)
        yield from _envelope(site, member, row)
        if row.what != "withdrawn":
            yield from (_renamed(quad, row.iri, member) for quad in _said(site, row.iri))


def _envelope(site: Site, member: str, row: State) -> Iterator[Quad]:
    when = Literal(site.release.sealed_at.isoformat(), datatype=NamedNode(vocab.XSD + "dateTime"))
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


def _address(site: Site, version: str, since: str, number: int) -> str:
    return f"{site.base}releases/{version}/stream/{since}/{number}"


def _iri(subject: str, predicate: str, value: str) -> Quad:
    return Quad(NamedNode(subject), NamedNode(predicate), NamedNode(value))


def _true() -> Literal:
    return Literal("true", datatype=NamedNode(vocab.XSD + "boolean"))
