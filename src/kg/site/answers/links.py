"""Where an IRI leads on this site: the only place that decides what becomes a link.

- IRIs under the base lead to their page, by a *relative* address, so the site works wherever it is served.
- ``http:`` and ``https:`` IRIs of others lead out, and say so (``rel="nofollow noopener external"``).
- Every other scheme (``javascript:``, ``data:``, ``urn:`` …) is text, never a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from markupsafe import Markup, escape

_KEEP = "/%:@!$&'()*+,;=~-._?"
"""Characters that stay as they are in a path; ``%`` because an IRI's escapes are part of its name."""

_PLAIN = re.compile(r"[\w" + re.escape(_KEEP) + "]*", re.ASCII).fullmatch

EXTERNAL_REL = "nofollow noopener external"


def anchor(href: str, content: Markup | str) -> Markup:
    """A link. Pages have hundreds: this takes a quarter of the time of :meth:`Markup.format`.

    >>> anchor("?a=1&b=2", "<")
    Markup('<a href="?a=1&amp;b=2">&lt;</a>')
    """
    return Markup(f'<a href="{escape(href)}">{escape(content)}</a>')  # noqa: S704 - escaped


def prefix(path: str) -> str:
    """The relative way from a page back to the site's root.

    >>> prefix("/"), prefix("/page/x"), prefix("/claim/doc/4")
    ('./', '../', '../../')
    """
    return "../" * (path.count("/") - 1) or "./"


def page_path(local: str) -> str:
    """The path of the page of an IRI, given the part of the IRI behind the base; percent-encoded.

    >>> page_path("id/café"), page_path("claim/doc/4"), page_path("ontology#Claim")
    ('page/caf%C3%A9', 'claim/doc/4', 'ontology#Claim')
    """
    name, hash_, fragment = local.partition("#")
    if name.startswith("id/"):
        name = "page/" + name[3:]
    return encode(name) + hash_ + encode(fragment)


def data_path(local: str, extension: str) -> str:
    """The path of the data about an IRI, in one format.

    >>> data_path("id/x", "ttl"), data_path("claim/doc/4", "nq")
    ('data/x.ttl', 'claim/doc/4.nq')
    """
    if local.startswith("id/"):
        local = "data/" + local[3:]
    return f"{encode(local)}.{extension}"


def paths(local: str) -> Callable[[str], str]:
    """The paths of the page of an IRI (``""``) and of the data about it in each format, by extension.

    >>> paths("claim/doc/4")(""), paths("claim/doc/4")("nq")
    ('claim/doc/4', 'claim/doc/4.nq')
    """
    return lambda extension: data_path(local, extension) if extension else page_path(local)


def query_part(query: str) -> str:
    """The end of an address, from the query as it was sent.

    >>> query_part("profile=rdf12"), query_part('a="<b>'), query_part("")
    ('?profile=rdf12', '?a=%22%3Cb%3E', '')
    """
    return f"?{encode(query)}" if query else ""


def encode(local: str) -> str:
    # quote() takes its time, and hardly any name needs it.
    return local if _PLAIN(local) else quote(local, safe=_KEEP)


def is_web(iri: str) -> bool:
    """Whether somebody else's IRI may become a link.

    >>> is_web("https://example.org/"), is_web("javascript:alert(1)"), is_web("HTTP://x/")
    (True, False, True)
    """
    return iri[:8].lower().startswith(("http://", "https://"))
