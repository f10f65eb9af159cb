"""One table: media type ↔ RDF or result format ↔ extension, and content negotiation over it.

``negotiate`` follows RFC 9110 §12.5.1: q-values, ``q=0`` and wildcards count, the more specific
range wins, and parameters other than ``q`` (``charset``, ``profile``, ``version``) are ignored
when types are compared.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pyoxigraph import Quad, QueryResultsFormat, RdfFormat, Triple, serialize

from kg.translation import marked

FORMATS = "http://www.w3.org/ns/formats/"
"""The namespace in which the W3C names syntaxes (https://www.w3.org/ns/formats/)."""


@dataclass(frozen=True, slots=True)
class RdfMedia:
    """An RDF syntax: its media type, its file extension, what pyoxigraph calls it."""

    extension: str
    media_type: str
    label: str
    format: RdfFormat
    quads: bool  # carries named graphs

    @property
    def iri(self) -> str:
        """The W3C's name.

        >>> RDF_BY_EXTENSION["rdf"].iri
        'http://www.w3.org/ns/formats/RDF_XML'
        """
        return FORMATS + self.label.replace("/", "_")


@dataclass(frozen=True, slots=True)
class ResultMedia:
    """A SPARQL result syntax. ``boolean``: it can carry the answer of an ASK."""

    extension: str
    media_type: str
    label: str
    format: QueryResultsFormat
    boolean: bool

    @property
    def iri(self) -> str:
        """The W3C's name.

        >>> RESULTS_BY_TYPE["text/csv"].iri
        'http://www.w3.org/ns/formats/SPARQL_Results_CSV'
        """
        return f"{FORMATS}SPARQL_Results_{self.label}"


RDF: tuple[RdfMedia, ...] = (
    RdfMedia("ttl", "text/turtle", "Turtle", RdfFormat.TURTLE, quads=False),
    RdfMedia("nt", "application/n-triples", "N-Triples", RdfFormat.N_TRIPLES, quads=False),
    RdfMedia("rdf", "application/rdf+xml", "RDF/XML", RdfFormat.RDF_XML, quads=False),
    RdfMedia("jsonld", "application/ld+json", "JSON-LD", RdfFormat.JSON_LD, quads=True),
    RdfMedia("trig", "application/trig", "TriG", RdfFormat.TRIG, quads=True),
    RdfMedia("nq", "application/n-quads", "N-Quads", RdfFormat.N_QUADS, quads=True),
)
"""RDF 1.1 syntaxes, in the order of our preference."""

RESULTS: tuple[ResultMedia, ...] = (
    ResultMedia("srj", "application/sparql-results+json", "JSON", QueryResultsFormat.JSON, boolean=True),
    ResultMedia("srx", "application/sparql-results+xml", "XML", QueryResultsFormat.XML, boolean=True),
    ResultMedia("csv", "text/csv", "CSV", QueryResultsFormat.CSV, boolean=False),
    ResultMedia("tsv", "text/tab-separated-values", "TSV", QueryResultsFormat.TSV, boolean=False),
)
"""SPARQL 1.1 result syntaxes, in the order of our preference."""

HTML = "text/html"
RDF_BY_TYPE = {m.media_type: m for m in RDF}
RDF_BY_EXTENSION = {m.extension: m for m in RDF}
RESULTS_BY_TYPE = {m.media_type: m for m in RESULTS}

ALIASES: dict[str, tuple[str, ...]] = {
    "application/xhtml+xml": (HTML,),
    "application/x-turtle": ("text/turtle",),
    "application/x-trig": ("application/trig",),
    "text/plain": ("application/n-triples",),
    "text/x-nquads": ("application/n-quads",),
    "application/json": ("application/sparql-results+json", "application/geo+json", "application/ld+json"),
    "application/xml": ("application/sparql-results+xml",),
    "text/xml": ("application/sparql-results+xml",),
}
"""Types that clients send for one of ours; honoured where a real type is offered and the alias is not."""

_COMMON_ACCEPT = 512
MAX_ACCEPT = 4096
"""An Accept header longer than this many characters is read only up to its last whole range."""


@dataclass(frozen=True, slots=True)
class _Range:
    main: str
    sub: str
    q: float

    def specificity(self) -> int:
        return (self.main != "*") + (self.sub != "*")


def _quality(text: str) -> float:
    """Read a qvalue (RFC 9110 §12.4.2); a malformed one counts as 1, as browsers' servers do."""
    try:
        q = float(text)
    except ValueError:
        return 1.0
    return q if 0.0 <= q <= 1.0 else 1.0


def _split(text: str, separator: str) -> Iterable[str]:
    """Split at a separator that does not stand inside a quoted string."""
    start, quoted, escaped = 0, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def _ranges(accept: str) -> list[_Range]:
    if len(accept) > MAX_ACCEPT:
        accept = accept[:MAX_ACCEPT].rpartition(",")[0]
    ranges = []
    for item in _split(accept, ","):
        media, *parameters = (part.strip() for part in _split(item, ";"))
        main, slash, sub = media.lower().partition("/")
        if not slash or not main or not sub:
            if media != "*":  # Java's HttpURLConnection sends "*; q=.2"
                continue
            main = sub = "*"
        q = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                q = _quality(value.strip())
        ranges.append(_Range(main, sub, q))
    return ranges


def negotiate(accept: str | None, offered: Sequence[str]) -> str | None:
    """Choose the media type to answer with, or ``None`` where nothing offered is acceptable.

    ``offered`` is in the server's order of preference, which decides between equal qualities.
    An absent or empty header accepts everything (RFC 9110 §12.5.1).

    >>> negotiate("text/turtle;q=0.5, application/n-triples", ["text/turtle", "application/n-triples"])
    'application/n-triples'
    >>> negotiate("text/turtle; charset=utf-8", ["text/html", "text/turtle"])
    'text/turtle'
    >>> negotiate("application/json", ["text/html", "text/turtle", "application/ld+json"])
    'application/ld+json'
    >>> negotiate("text/html;q=0, */*", ["text/html", "text/turtle"])
    'text/turtle'
    >>> negotiate("image/png", ["text/html"]) is None
    True
    """
    if accept is None or not accept.strip():
        return offered[0]
    # Clients send few different headers, again and again.
    choose = _chosen if len(accept) <= _COMMON_ACCEPT else _chosen.__wrapped__
    return choose(accept, tuple(offered))


@lru_cache(1024)
def _chosen(accept: str, offered: tuple[str, ...]) -> str | None:
    ranges = []
    for r in _ranges(accept):
        ranges.append(r)
        if f"{r.main}/{r.sub}" in offered:
            continue
        for real in ALIASES.get(f"{r.main}/{r.sub}", ()):
            if real in offered:
                main, _, sub = real.partition("/")
                ranges.append(_Range(main, sub, r.q))
    best, best_key = None, (0.0, 0)
    for media_type in offered:
        main, _, sub = media_type.partition("/")
        matching = [r for r in ranges if r.main in ("*", main) and r.sub in ("*", sub)]
        if not matching:
            continue
        exact = max(matching, key=lambda r: (r.specificity(), r.q))
        key = (exact.q, exact.specificity())
        if exact.q > 0 and key > best_key:
            best, best_key = media_type, key
    return best


def content_type(media_type: str) -> str:
    """The value of a Content-Type header for what we write, which is UTF-8.

    Only ``text/*`` has a ``charset`` parameter (RFC 6838, section 4.2.1); Turtle's registration has one too.

    >>> content_type("text/turtle"), content_type("application/trig")
    ('text/turtle; charset=utf-8', 'application/trig')
    """
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def of_dump(path: str) -> str:
    """The media type of a file to download, by its extension: a syntax of RDF, or the table of claims.

    >>> of_dump("dumps/all.nq"), of_dump("dumps/claims.csv")
    ('application/n-quads', 'text/csv')
    """
    found = RDF_BY_EXTENSION.get(path.rpartition(".")[2])
    return found.media_type if found else "text/csv"


NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a literal may hold and no XML document can, however it is escaped (XML 1.0, section 2.2)."""


def is_xml_property(iri: str) -> bool:
    """Whether RDF/XML can write a property: its IRI ends in an XML name (RDF/XML Syntax, section 8).

    >>> is_xml_property("http://example.org/p#name"), is_xml_property("http://example.org/p/1")
    (True, False)
    """
    return re.search(r"[^\W\d][\w.-]*$", iri) is not None


# A name is looked at from its beginning alone, and once: a literal may be one word of a million letters.
_PREFIX = re.compile(rb"(?<![\w-])([A-Za-z][\w-]*+|):(?!//)")


def serialise(items: Iterable[Triple] | Iterable[Quad], media: RdfMedia, prefixes: Mapping[str, str]) -> bytes:
    """Write triples or quads, in the order they come in, as the same bytes every time.

    Turtle and TriG declare only the prefixes that are used, sorted.
    """
    head, body, tail = in_parts(items, media, prefixes)
    return head_for(head, used_prefixes(body)) + body + tail if head.startswith(b"@") else head + body + tail


_CONTROL = bytes((*range(9), 11, 12, *range(14, 32)))
_NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


def well_formed(xml: bytes) -> bytes:
    r"""XML as engines write it, without the characters that it has no way to write (XML 1.0, section 2.2).

    U+FFFD takes their place. No build keeps such characters, but queries can make them, and other stores have them.

    >>> well_formed(b"<a>b\x01c</a>").decode()
    '<a>b\ufffdc</a>'
    """
    # Hardly any has one, and this is ten times as fast as to search for them.
    if len(xml.translate(None, _CONTROL)) == len(xml) and b"\xef\xbf\xbe" not in xml and b"\xef\xbf\xbf" not in xml:
        return xml
    return _NOT_XML.sub("\ufffd".encode(), xml)


def in_parts(
    items: Iterable[Triple] | Iterable[Quad], media: RdfMedia, prefixes: Mapping[str, str]
) -> tuple[bytes, bytes, bytes]:
    """Head, body and tail of a file; the bodies of several runs of subjects can stand between one head and tail.

    In JSON-LD a comma belongs between them.
    """
    buffer = io.BytesIO()
    serialize(items, buffer, format=media.format, prefixes=dict(prefixes))
    body = buffer.getvalue()
    if media.format == RdfFormat.RDF_XML:
        body = well_formed(body)
    start, end = 0, len(body)
    if media.format in (RdfFormat.TURTLE, RdfFormat.TRIG):
        while body.startswith(b"@prefix ", start):
            start = body.index(b"\n", start) + 1
    elif media.format == RdfFormat.RDF_XML:
        start = body.index(b">\n", body.index(b"<rdf:RDF")) + 2
        end = body.rindex(b"</rdf:RDF>")
    elif media.format == RdfFormat.JSON_LD:
        start, end = 1, body.rindex(b"]")
    return body[:start], body[start:end], body[end:]


def used_prefixes(body: bytes) -> set[bytes]:
    """The prefixes that a body in Turtle or TriG may use."""
    return set(_PREFIX.findall(body))


def head_for(head: bytes, used: Collection[bytes]) -> bytes:
    """The declarations of the prefixes that are used; the engine keeps them in a hash map, so they are sorted here."""
    lines = (line for line in head.splitlines(keepends=True) if line.split()[1][:-1] in used)
    return b"".join(sorted(lines))


DUMPED = {
    "facts": marked("The default graph: what the documents state, what they foresee, background, and who says it."),
    "all": marked("Every graph: the default graph, and one named graph for each claim."),
    "claims": marked("A line for each claim: gloss, speaker, modality, basis, passages."),
    "ontology": marked("The terms."),
    "shapes": marked("The rules that the data was checked with."),
}
"""What a file of a release's dumps holds, by the first part of its name."""
