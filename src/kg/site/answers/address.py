"""From the address of a request to an IRI of the release.

Servers hand over a path with its percent escapes undone, and that loses which ones belonged to the IRI (``id/a%20b``
is a name of its own). So the path is read as it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from flask import request
from pyoxigraph import NamedNode

from kg import media
from kg.site.answers.links import prefix
from kg.site.lookups.state import Site

_NOT_ASCII = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
EXTENSIONS = ("html", *media.RDF_BY_EXTENSION)
FORMAT = f"<any({','.join(EXTENSIONS)}):extension>"
"""In a route: the extension of a page or of its data."""


def raw_path() -> str:
    """The path below the site's root, with the percent escapes that the client sent; it starts with ``/``."""
    environ = request.environ
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not sent:
        return quote(request.path, safe="/%:@!$&'()*+,;=~-._")
    path = sent.partition("?")[0] if sent.startswith("/") else urlsplit(sent).path or "/"
    # A server that mounts the site below a prefix leaves it in the address that was sent.
    return path.removeprefix(quote(request.script_root, safe="/%:@!$&'()*+,;=~-._"))


def here() -> str:
    """The relative way from the page that was asked for to the site's root."""
    return prefix(raw_path())


def spellings(sent: str) -> Iterator[str]:
    """The ways in which what was sent may be spelled in the data, the likeliest first.

    >>> list(spellings("caf%C3%A9")), list(spellings("a%20b"))
    (['café', 'caf%C3%A9'], ['a%20b', 'a b'])
    """
    decoded = _NOT_ASCII.sub(_decode, sent)
    plain = unquote(sent)
    # Some clients escape more than they need to; but an escaped "%" is an escape of the name itself.
    yield from dict.fromkeys((decoded, sent) if "%" in plain else (decoded, sent, plain))


def _decode(escapes: re.Match[str]) -> str:
    try:
        return unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]


def find(site: Site, sent: str) -> tuple[str, str | None] | None:
    """The IRI that a path (without its first ``/``) stands for, and the extension that was asked for.

    A name that ends like a file (``id/x.ttl``) comes before the data about ``id/x``.
    """
    for local in spellings(sent):
        if known(site, site.base + local):
            return site.base + local, None
    stem, dot, extension = sent.rpartition(".")
    if dot and extension in EXTENSIONS:
        for local in spellings(stem):
            if known(site, site.base + local):
                return site.base + local, extension
    return None


def meanings(site: Site, sent: str) -> list[str]:
    """What the path of a page or of data may stand for, the likeliest first, whether the release has it or not."""
    parts: list[str] = []
    for local in spellings(sent):
        stem, dot, extension = local.rpartition(".")
        parts += [local, stem] if dot and extension in EXTENSIONS else [local]
    return [site.base + re.sub(r"^(?:page|data)/", "id/", part) for part in parts if part]


def known(site: Site, iri: str) -> bool:
    """Whether an IRI occurs in the release as subject, object or graph."""
    try:
        node = NamedNode(iri)
    except ValueError:
        return False
    # One after the other: most are found as subjects.
    places: tuple[tuple[NamedNode | None, ...], ...] = ((node,), (None, None, node), (None, None, None, node))
    return any(next(iter(site.store.quads(*place)), None) is not None for place in places)
