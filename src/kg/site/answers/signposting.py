"""Typed links of every answer, in its ``Link`` header and as a linkset (https://signposting.org/FAIR/, level 2).

A page is a landing page: ``cite-as`` is the IRI of what it shows, ``describedby`` the data about that, ``item`` what
can be taken away, ``type`` its kind by schema.org, ``author`` and ``license`` those of the release. Data and files
point back (``describes``, ``collection``). The same links for both, as JSON (RFC 9264), are at the page's own address
with ``?linkset``.

Links inside the site are relative in headers, as everywhere; in the linkset they start with the base, and so do those
between an address and its versions (RFC 7089): the address under the base is what has versions, and programs that
follow them resolve nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from kg import media
from kg.settings import is_address
from kg.site.lookups.state import Site

LINKSET = "application/linkset+json"
LINK_FORMAT = "application/link-format"
PARAMETER = "linkset"
_SCHEMA = "https://schema.org/"
_KINDS = {
    "": "Dataset",
    "dumps": "Dataset",
    "catalog": "DataCatalog",
    ".well-known/void": "Dataset",
    "report": "Report",
    "claim": "Claim",
    "document": "CreativeWork",
    "passage": "Quotation",
    "ontology": "DefinedTermSet",
    "class": "DefinedTerm",
    "term": "DefinedTerm",
    "things": "ItemList",
    "documents": "ItemList",
    "claims": "ItemList",
    "disagreements": "ItemList",
    "corroborations": "ItemList",
    "shapes": "CreativeWork",
    "graph": "Thing",
    "page": "Thing",
}
"""A page's path, or its first part → what the page shows, by schema.org."""

_OF_THE_DATASET = frozenset({"", "dumps", "report"})
"""Pages about the whole release: what is cited is the dataset, and its items are the files."""

_DATED = frozenset({"claim", "document", "passage", "page", "data", "id"})
"""The first parts of addresses that have versions, one in each release that knows what they show."""

_ITEM = media.RDF_BY_EXTENSION["trig"]
"""The format that has a thing's claims as graphs, and so is what there is to take away."""


LONGEST = 6_000
"""Bytes of a ``Link`` header: some clients take 16 kB for the whole head of an answer, some proxies 8 kB for a line."""

_LEAST_NEEDED = ("alternate", "timemap", "timegate", "item", "canonical", "collection", "describes", "describedby")
"""What a header can do without before others."""


class Link(NamedTuple):
    """One link: ``rel`` is registered with IANA; ``type`` and ``profile`` of what it leads to, where they are known."""

    rel: str
    target: str
    type: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Landing:
    """A page: ``path`` its address below the site's root, ``iri`` what it shows.

    ``formats(extension)`` is the path of the data in a format; ``None`` for a page that has no data of its own.
    ``language``: the parameter that names the language, where the address does. ``query``: the end of the address,
    which names this form of the page or its data, and so belongs to its versions.
    """

    path: str
    iri: str
    formats: Callable[[str], str] | None = None
    language: str = ""
    query: str = ""

    @property
    def kind(self) -> str:
        """The first part of the path."""
        return self.path.partition("?")[0].partition("/")[0].partition(".html")[0]


def page(site: Site, landing: Landing, root: str) -> list[Link]:
    """The links of a page; ``root`` is what links inside the site start with."""
    links = [
        Link("cite-as", ascii_iri(_cited(site, landing))),
        Link("type", _SCHEMA + "AboutPage"),
    ]
    kind = _KINDS.get(landing.path) or _KINDS.get(landing.kind)
    links += [Link("type", _SCHEMA + kind)] if kind else []
    if landing.formats:
        links.append(Link("describedby", root + landing.formats("ttl"), media.RDF_BY_EXTENSION["ttl"].media_type))
        links.append(Link("item", root + landing.formats(_ITEM.extension), _ITEM.media_type))
        links += [Link("alternate", root + landing.formats(m.extension), m.media_type) for m in media.RDF]
    elif landing.kind in _OF_THE_DATASET:
        links.append(Link("describedby", f"{root}catalog.ttl", "text/turtle"))
        links.append(Link("describedby", f"{root}.well-known/void.ttl", "text/turtle"))
        links += [Link("item", root + entry.path, media.of_dump(entry.path)) for entry in site.release.dumps()]
    joint = "&" if "?" in landing.path else "?"
    links.append(
        Link("canonical", site.base + landing.path + (f"{joint}{landing.language}" if landing.language else ""))
    )
    links += _dated(site, landing.path + landing.query)
    return links + _common(site, landing, root)


def data(site: Site, landing: Landing, root: str, extension: str) -> list[Link]:
    """The links of one format of a page's data."""
    links = [Link("describes", ascii_iri(landing.iri)), Link("collection", root + landing.path, media.HTML)]
    if landing.formats:
        links.append(Link("alternate", root + landing.formats("html"), media.HTML))
        others = (m for m in media.RDF if m.extension != extension)
        links += [Link("alternate", root + landing.formats(m.extension), m.media_type) for m in others]
        links += _dated(site, landing.formats(extension) + landing.query)
    return [Link("cite-as", ascii_iri(_cited(site, landing))), *links, *_common(site, landing, root)]


def file(site: Site, root: str) -> list[Link]:
    """The links of a file of the release: it is an item of the dataset."""
    home = Landing("", site.names.dataset)
    described = Link("describedby", f"{root}catalog.ttl", "text/turtle")
    return [
        Link("cite-as", site.names.dataset),
        Link("type", _SCHEMA + "DataDownload"),
        Link("collection", root, media.HTML),
        described,
        *_common(site, home, root),
    ]


def header(links: Sequence[Link]) -> str:
    """The value of a ``Link`` header; if it would be longer than many a client takes, without the least needed.

    The linkset has them all.

    >>> [len(header([Link("alternate", "x" * n), Link("linkset", "y")])) for n in (9, LONGEST)]
    [48, 18]
    """
    written = [_words(*link) for link in links]
    whole = ", ".join(written)
    over = len(whole) - LONGEST
    if over <= 0:
        return whole
    for rel in _LEAST_NEEDED:
        for at in reversed(range(len(links))):
            if over > 0 and links[at].rel == rel:
                over -= len(written[at]) + 2
                written[at] = ""
    return ", ".join(filter(None, written))


def in_words(links: Iterable[Link]) -> str:
    """Links as headers and documents in link format have them (RFC 8288, section 3).

    >>> in_words([Link("item", "x.ttl", "text/turtle"), Link("author", "#me")])
    '<x.ttl>; rel="item"; type="text/turtle", <#me>; rel="author"'
    """
    return ", ".join(_words(*link) for link in links)


def _words(rel: str, target: str, type_: str, profile: str) -> str:
    more = f'; profile="{profile}"' if profile else ""
    return f'<{target}>; rel="{rel}"; type="{type_}"{more}' if type_ else f'<{target}>; rel="{rel}"{more}'


def linkset(site: Site, landing: Landing, more: Callable[[str], list[Link]] | None = None) -> bytes:
    """The links of a page and of its data, as JSON (RFC 9264, section 4.2), and what ``more(extension)`` has."""
    others = more or (lambda _: [])
    contexts = [(site.base + landing.path, page(site, landing, site.base) + others("html"))]
    if landing.formats:
        for extension in media.RDF_BY_EXTENSION:
            links = data(site, landing, site.base, extension) + others(extension)
            contexts.append((site.base + landing.formats(extension), links))
    elif landing.kind in _OF_THE_DATASET:
        contexts += [(site.base + entry.path, file(site, site.base)) for entry in site.release.dumps()]
    found = []
    for anchor, links in contexts:
        targets: dict[str, list[dict[str, str | list[str]]]] = defaultdict(list)
        for link in links:
            target: dict[str, str | list[str]] = {"href": link.target}
            if link.type:
                target["type"] = link.type
            if link.profile:
                target["profile"] = [link.profile]  # an attribute of its own is a list (section 4.2.4.3)
            targets[link.rel].append(target)
        found.append({"anchor": anchor, **targets})
    return json.dumps({"linkset": found}, indent=1).encode()


def versions(base: str, path: str) -> list[Link]:
    """Where the versions of an address are (RFC 7089, section 2.2), if it is of a kind that has some.

    >>> [link.rel for link in versions("https://x.org/", "claim/note/1")], versions("https://x.org/", "catalog")
    (['timegate', 'timemap'], [])
    """
    return [gate(base, path), timemap(base, path)] if path.partition("/")[0] in _DATED else []


def gate(base: str, path: str) -> Link:
    """What leads to the version of a time."""
    return Link("timegate", f"{base}timegate/{path}")


def timemap(base: str, path: str) -> Link:
    """What lists all versions."""
    return Link("timemap", f"{base}timemap/{path}", LINK_FORMAT)


def _dated(site: Site, path: str) -> list[Link]:
    # A version says it by itself, whatever answers (``serving.versions``).
    return [] if site.archived else versions(site.base, path)


def ascii_iri(iri: str) -> str:
    """An IRI as a URI (RFC 3987, section 3.1): headers carry nothing else."""
    return quote(iri, safe="/%:@!$&'()*+,;=~-._?#")


def _cited(site: Site, landing: Landing) -> str:
    if landing.kind in _OF_THE_DATASET:
        return site.names.dataset
    # A page about somebody else's term is ours to cite, the term is not.
    return landing.iri if landing.iri.startswith(site.base) else site.base + landing.path


def _common(site: Site, landing: Landing, root: str) -> list[Link]:
    manifest = site.release.manifest
    links = [Link("linkset", f"{root}{landing.path}{'&' if '?' in landing.path else '?'}{PARAMETER}", LINKSET)]
    if manifest.publisher:
        links.append(Link("author", site.names.catalog + "#publisher"))
    if is_address(manifest.license):
        links.append(Link("license", ascii_iri(manifest.license)))
    return links
