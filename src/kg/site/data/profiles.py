"""Profiles: the ways in which the data about one thing can be put, and how a client asks for one of them.

By ``?profile=NAME``, by ``Accept-Profile`` (W3C Content Negotiation by Profile, working draft of 2023, section 7.1), or
by the ``profile`` parameter of a media type in ``Accept`` (RFC 6906). A profile is named by its IRI or by its short
name. Who asks for one that is not there is told which there are, except in ``Accept``, where a parameter that nobody
knows says nothing (RFC 9110, section 12.5.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from flask import Request
from pyoxigraph import DefaultGraph, NamedNode
from werkzeug.exceptions import NotAcceptable

from kg import media, vocab
from kg.model import value_of
from kg.site.answers.signposting import Link
from kg.site.data import annotation, describe
from kg.site.data.nanopublication import NP, nanopublication
from kg.site.data.reified import reify
from kg.site.languages import Message, marked
from kg.site.lookups.evidence import Source
from kg.site.lookups.state import Site

PARAMETER = "profile"
HEADER = "Accept-Profile"
_ITEM = re.compile(r'\s*(<[^>]*>|"[^"]*"|[^,;<>"]*)\s*((?:;[^,"]*(?:"[^"]*"[^,"]*)*)?)(?:,|$)')
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d*)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Profile:
    """A way to put the data. ``extensions`` are its formats, the preferred one first.

    ``fixed``: its IRI, where somebody else has given it one. ``parameters`` are added to the media type.
    """

    name: str
    title: str
    meaning: str
    extensions: tuple[str, ...]
    make: Callable[[Site, str, media.RdfMedia], bytes]
    fixed: str = ""
    parameters: str = ""

    def iri(self, site: Site) -> str:
        return self.fixed or f"{site.base}about#profile-{self.name}"

    def media_types(self) -> list[str]:
        return [media.RDF_BY_EXTENSION[extension].media_type for extension in self.extensions]


def _facts(site: Site, iri: str, format_: media.RdfMedia) -> bytes:
    return _description(site, iri, graphs=False).serialise(format_)


def _claims(site: Site, iri: str, format_: media.RdfMedia) -> bytes:
    return _description(site, iri, graphs=True).serialise(format_)


def _reified(site: Site, iri: str, format_: media.RdfMedia) -> bytes:
    return media.serialise(reify(_description(site, iri, graphs=True).quads(), site.evidence), format_, site.prefixes)


def _annotations(site: Site, iri: str, format_: media.RdfMedia) -> bytes:  # noqa: ARG001 - there is one format
    return annotation.serialise(site, iri, claims_about(site, iri))


def _nanopublications(site: Site, iri: str, format_: media.RdfMedia) -> bytes:
    quads = {q for source in claims_about(site, iri) for q in nanopublication(site, source)}
    prefixes = {**site.prefixes, "np": NP}
    return media.serialise(sorted(quads, key=lambda q: (str(q.graph_name), str(q))), format_, prefixes)


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "facts",
            marked("Plain facts"),
            marked("What is published as the documents' own word and as background, without who says it."),
            tuple(media.RDF_BY_EXTENSION),
            _facts,
        ),
        Profile(
            "claims",
            marked("Claims as named graphs"),
            marked("Each claim's triples in a graph of their own, and who says it, how, and where it stands."),
            ("trig", "nq", "jsonld"),
            _claims,
        ),
        Profile(
            "rdf12",
            marked("RDF 1.2 with reifiers"),
            marked("Plain facts, and each claim as the reifier (rdf:reifies) of the triples that it makes."),
            ("ttl", "nt"),
            _reified,
            parameters="; version=1.2",
        ),
        Profile(
            "annotation",
            marked("Web Annotation"),
            marked("Each claim as an annotation of its passages; the context is inside."),
            ("jsonld",),
            _annotations,
            fixed=annotation.PROFILE,
            parameters=f'; profile="{annotation.PROFILE}"',
        ),
        Profile(
            "nanopublication",
            marked("Nanopublication"),
            marked(
                "Each claim as assertion, provenance and publication info. What nobody vouches for is not asserted."
            ),
            ("trig", "nq"),
            _nanopublications,
        ),
    )
}


def claims_about(site: Site, iri: str) -> list[Source]:
    """The claims that the data about an IRI is made of: itself, those of a document, on a passage, about a thing."""
    own = site.evidence.claim(iri)
    if own is not None:
        return [own]
    if iri.startswith(site.names.document("")):
        return site.evidence.claims(site.evidence.of_document(iri.removeprefix(site.names.document(""))))
    predicate = vocab.OA_HAS_TARGET if iri.startswith(site.base + "passage/") else site.names.kg + "mentions"
    quads = site.local.quads(None, NamedNode(predicate), NamedNode(iri), DefaultGraph())
    return site.evidence.claims({value_of(q.subject) for q in quads})


def wanted(site: Site, request: Request) -> Profile | None:
    """The profile that a request asks for, or ``None`` where it leaves it to us.

    :raises NotAcceptable: if it asks for none that there is.
    """
    if PARAMETER in request.args:
        return _known(site, [request.args[PARAMETER]])
    if HEADER in request.headers:
        asked = _by_quality(request.headers[HEADER])
        return None if "*" in asked or not asked else _known(site, asked)
    for value in _parameters(request.headers.get("Accept", "")):
        for name in value.split():
            profile = _find(site, name)
            if profile is not None:
                return profile
    return None


def links(site: Site, root: str, address: Callable[[str], str], current: Profile | None, extension: str) -> list[Link]:
    """Links to each other profile in its first format, and the IRI of the one that is sent."""
    found = []
    for profile in PROFILES.values():
        if profile is not current:
            first = media.RDF_BY_EXTENSION[profile.extensions[0]]
            target = f"{root}{address(first.extension)}?{PARAMETER}={profile.name}"
            found.append(Link("alternate", target, first.media_type, profile.iri(site)))
    if current is None and extension != "html":
        current = PROFILES["claims" if media.RDF_BY_EXTENSION[extension].quads else "facts"]
    if current is not None:
        found.append(Link("profile", current.iri(site)))
    return found


def no_format(profile: Profile) -> NotAcceptable:
    """A 406 that says what formats a profile has."""
    return NotAcceptable(
        Message(
            marked("The profile {name} comes in {types}."), name=profile.name, types=", ".join(profile.media_types())
        )
    )


def _description(site: Site, iri: str, *, graphs: bool) -> describe.Description:
    make = describe.thing if site.evidence.claim(iri) is None else describe.claim
    return make(site, iri, graphs=graphs)


def _known(site: Site, asked: list[str]) -> Profile:
    for name in asked:
        profile = _find(site, name)
        if profile is not None:
            return profile
    known = ", ".join(f"{p.name} ({p.iri(site)})" for p in PROFILES.values())
    raise NotAcceptable(Message(marked("There is no such profile. Known: {names}."), names=known))


def _find(site: Site, name: str) -> Profile | None:
    name = name.strip().strip('<>"')
    if name in PROFILES:
        return PROFILES[name]
    return next((p for p in PROFILES.values() if p.iri(site) in (name, unquote(name))), None)


def _by_quality(header: str) -> list[str]:
    """The profiles of an ``Accept-Profile`` header, the most wanted first; those with ``q=0`` are not in it.

    >>> _by_quality("<http://a/,b>;q=0.5, facts, <urn:c>;q=0")
    ['facts', 'http://a/,b']
    """
    found = []
    for match in _ITEM.finditer(header[: media.MAX_ACCEPT]):
        name, quality = match[1].strip().strip('<>"'), _QUALITY.search(match[2])
        q = float(quality[1]) if quality else 1.0
        if name and q > 0:
            found.append((-q, name))
    return [name for _, name in sorted(found, key=lambda item: item[0])]


def _parameters(accept: str) -> list[str]:
    """The values of ``profile`` parameters, as they come.

    >>> _parameters('application/ld+json;profile="a b", text/turtle; profile=c; q=0.2')
    ['a b', 'c']
    """
    found = re.findall(r';\s*profile\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', accept[: media.MAX_ACCEPT], re.IGNORECASE)
    return [quoted or plain for quoted, plain in found]
