"""``/id/NAME``, ``/page/NAME``, ``/data/NAME.EXT``: a thing, the page about it, the data about it.

A thing is not a document: its IRI answers with 303 to the page or to the data, whichever the client prefers
(Cool URIs for the Semantic Web, section 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import Literal, NamedNode

from kg import vocab
from kg.model import value_of
from kg.site.answers import signposting
from kg.site.answers.address import find, here, raw_path
from kg.site.answers.links import data_path, is_web, page_path
from kg.site.answers.respond import (
    OFFERED,
    Page,
    answer,
    chosen_format,
    moved,
    not_found,
    see_other,
)
from kg.site.components import surroundings
from kg.site.components.paging import paged
from kg.site.components.rows import MOST_CLAIMS, kinds_in, said, values, with_evidence
from kg.site.data import describe, profiles
from kg.site.elsewhere.gathered import RESOURCE
from kg.site.languages import marked
from kg.site.lookups.evidence import Source
from kg.site.lookups.state import Site, current
from kg.site.lookups.texts import excerpt
from kg.site.templating import render

bp = Blueprint("things", __name__)

_NOTES = (vocab.SKOS + "scopeNote", vocab.SKOS_DEFINITION, vocab.RDFS_COMMENT, vocab.DCTERMS_DESCRIPTION)


@bp.get("/id/<path:name>")
def thing(name: str) -> Response:  # noqa: ARG001 - read as it was sent
    """303 to the page or the data, by ``Accept``, or as an extension says."""
    site = current()
    iri, extension = _find(site, "/id/")
    iri = _merged(site, iri)
    profile = profiles.wanted(site, request) if extension != "html" else None
    chosen = chosen_format(extension, OFFERED, profile)
    response = see_other(address(site, iri, chosen) + _query(profile), here(), varies=extension is None)
    if extension != "html":
        response.vary.update(("Accept", profiles.HEADER))
    return response


@bp.get("/page/<path:name>")
def page(name: str) -> Response:  # noqa: ARG001 - read as it was sent
    """The page about a thing; who prefers data, and has the address that a browser shows, is led to that."""
    iri, extension = _find(current(), "/page/")
    if (left := _merged(current(), iri)) != iri:
        return moved(address(current(), left, extension or ""), here())
    if profiles.PARAMETER in request.args:
        profile = profiles.wanted(current(), request)
        target = address(current(), iri, chosen_format(None, OFFERED[1:], profile))
        return see_other(target + _query(profile), here())
    if extension not in (None, "html"):
        return see_other(address(current(), iri, extension or ""), here(), varies=False)
    asked = extension is None and signposting.PARAMETER not in request.args
    chosen = chosen_format(None, OFFERED, None) if asked else "html"
    if chosen != "html":
        profile = profiles.wanted(current(), request)
        if profile:
            chosen = chosen_format(None, OFFERED[1:], profile)
        response = see_other(address(current(), iri, chosen) + _query(profile), here())
        response.vary.add(profiles.HEADER)
        return response
    response = answer(_page(current(), iri), "html")
    if asked:
        response.vary.add("Accept")
    return response


def _query(profile: profiles.Profile | None) -> str:
    """The end of the address of data in a profile."""
    return f"?{profiles.PARAMETER}={profile.name}" if profile else ""


@bp.get("/data/<path:name>")
def data(name: str) -> Response:  # noqa: ARG001 - read as it was sent
    """The data about a thing: in the format of the extension, or as ``Accept`` says."""
    iri, extension = _find(current(), "/data/")
    if (left := _merged(current(), iri)) != iri:
        return moved(address(current(), left, extension or "ttl"), here())
    return answer(_page(current(), iri), extension, OFFERED[1:])


def address(site: Site, iri: str, extension: str) -> str:
    """The path of one format of the description of a thing; ``""``: its page."""
    local = site.names.local(iri) or ""
    if local.startswith(RESOURCE + "?") and extension:
        return local.replace("?", f".{extension}?", 1)
    return page_path(local) if extension in ("", "html") else data_path(local, extension)


def _addresses(site: Site, iri: str) -> Callable[[str], str]:
    """The paths of all formats, by extension: a page names each several times."""
    if (site.names.local(iri) or "").startswith(RESOURCE + "?"):
        return lambda extension: address(site, iri, extension)
    shown, stem = address(site, iri, "html"), address(site, iri, "ttl").removesuffix("ttl")
    return lambda extension: shown if extension in ("", "html") else stem + extension


def _merged(site: Site, iri: str) -> str:
    """The thing that an IRI's thing was merged into, or the IRI itself."""
    if not site.merges:
        return iri
    into = next(iter(site.store.quads(NamedNode(iri), NamedNode(vocab.REPLACED_BY))), None)
    return iri if into is None else value_of(into.object)


def _find(site: Site, route: str) -> tuple[str, str | None]:
    name = raw_path().removeprefix(route)
    found = find(site, "id/" + name)
    if found is None:
        raise not_found(marked("This release has no thing of the name “{name}”."), name=name)
    return found


def _page(site: Site, iri: str) -> Page:
    return Page(
        iri=iri,
        address=_addresses(site, iri),
        html=lambda: thing_html(site, iri),
        data=lambda format_: describe.thing(site, iri, graphs=format_.quads).serialise(format_),
        profiled=True,
    )


def thing_html(site: Site, iri: str) -> str:
    """The page about a thing, or about a nameless node; with ``?values=PROPERTY``, all values of one property."""
    if "values" in request.args:
        return _values_html(site, iri, request.args["values"], inverse="inverse" in request.args)
    root = here()
    linker = site.linker(root)
    found = said(site, linker, iri)
    formats, local = _addresses(site, iri), site.names.local(iri) or ""
    labels = site.labels.all(iri, None if found.cut else found.facts) or [site.labels[iri]]
    sources = site.evidence.claims(found.claims[:MOST_CLAIMS])
    note = _note(found.facts)
    return render(
        "thing.html",
        root=root,
        iri=iri,
        title=labels[0],
        others=labels[1:],
        summary=summary(site, note, sources),
        types=[linker.kind(t) for t in sorted(kinds_in(found.facts), key=lambda t: site.labels[t].key)],
        note=note,
        said=found,
        claims=[(linker.claim(s), _words(site, s), linker.says(s)) for s in sources],
        mentions=site.names.kg + "mentions",
        more_claims=max(0, len(found.claims) - MOST_CLAIMS),
        address=lambda extension: root + formats(extension),
        around=surroundings.of(site, linker, iri, root),
        history="" if site.foreign or not local.startswith("id/") else "history/" + page_path(local),
        outside=iri if site.foreign and is_web(iri) else None,
    )


def summary(site: Site, note: Literal | None, sources: Sequence[Source]) -> str:
    """What a link to a page says of it: a note, or what the first claims say."""
    return note.value if note else " ".join(site.labels.of(s.iri, s.glosses).text for s in sources[:3])


def _words(site: Site, source: Source) -> Markup:
    """What the passages of a claim say, where that may be shown."""
    found = [e for span in source.spans if (e := excerpt(site, span)).words]
    said = Markup(" … ").join(e.words for e in found)
    return Markup("<q{}>{}</q>").format(found[0].lang, said) if found else Markup("")


def _values_html(site: Site, iri: str, predicate: str, *, inverse: bool) -> str:
    root = here()
    linker = site.linker(root)
    try:
        found = paged(values(site, iri, predicate, inverse=inverse))
    except ValueError:
        raise not_found(marked("This release has no property of that name.")) from None
    return render(
        "values.html",
        root=root,
        iri=iri,
        title=site.labels[iri],
        property=linker.term(predicate),
        inverse=inverse,
        groups=with_evidence(site, linker, iri, predicate, found.items, inverse=inverse),
        list=found,
        address=lambda extension: root + address(site, iri, extension),
    )


def _note(facts: Iterable[tuple[str, object]]) -> Literal | None:
    """What the thing's own record says it is: the first note, in the order of ``_NOTES``."""
    found = [
        (_NOTES.index(name), value.value, value)
        for name, value in facts
        if name in _NOTES and isinstance(value, Literal)
    ]
    return min(found, key=lambda note: note[:2])[2] if found else None
