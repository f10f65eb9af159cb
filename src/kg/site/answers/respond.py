"""One way to answer: negotiate, compare ETags, remember, and say where the other formats are.

Every answer that depends on ``Accept`` says so (``Vary``), has a strong ETag for exactly its bytes, and links to the
same thing in the other formats (:mod:`kg.site.answers.signposting`). What is not acceptable is refused with the list of
what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.exceptions import NotAcceptable, NotFound
from werkzeug.http import http_date

from kg import media
from kg.site import languages
from kg.site.answers import signposting
from kg.site.answers.address import here, raw_path
from kg.site.answers.links import query_part
from kg.site.answers.packing import pack, takes_gzip
from kg.site.answers.ranges import moment, require
from kg.site.answers.signposting import Landing
from kg.site.data import profiles
from kg.site.data.profiles import Profile
from kg.site.languages import Message, marked
from kg.site.lookups.state import Site, current

HTML_TYPE = media.content_type(media.HTML)
OFFERED = (media.HTML, *(m.media_type for m in media.RDF))
"""The types of a page and of its data, in the order of our preference."""
_EXPOSED = (
    "ETag, Link, Location, Content-Length, Content-Range, Accept-Ranges, Memento-Datetime, Retry-After, "
    "Kg-Evidence, Kg-Release"
)
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", _EXPOSED),
)
"""Headers that let pages of other sites read an answer (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

_ASKED_WITH = (
    "Accept, Accept-Datetime, Accept-Language, Accept-Profile, Content-Type, If-Match, If-Modified-Since, "
    "If-None-Match, If-Range, If-Unmodified-Since, Range"
)
"""Headers of requests that change an answer. A browser asks before it sends those that a form could not."""


@dataclass(frozen=True, slots=True)
class Page:
    """Something with a page and data.

    ``iri`` is what is described; ``address(extension)`` the path of a format, relative to the site's root (``""``: the
    address that negotiates). ``profiled``: the data can be put in other ways (:mod:`kg.site.data.profiles`).
    """

    iri: str
    address: Callable[[str], str]
    html: Callable[[], str]
    data: Callable[[media.RdfMedia], bytes]
    profiled: bool = False


def answer(page: Page, extension: str | None, offered: Sequence[str] = OFFERED) -> Response:
    """The page or its data: as the extension says, or as the client prefers.

    :raises NotAcceptable: naming what there is.
    """
    site = current()
    landing = Landing(page.address(""), page.iri, page.address, _named_language(site))
    if signposting.PARAMETER in request.args:
        return linkset(site, landing, page)
    profile = profiles.wanted(site, request) if page.profiled and extension != "html" else None
    chosen = chosen_format(extension, offered, profile)
    landing = replace(landing, query=_form(profile))
    variant = f"{chosen}.{profile.name}" if profile else chosen
    response = conditional(site, variant, lambda: _body(site, page, chosen, profile), spoken=chosen == "html")
    response.content_type = (
        HTML_TYPE if chosen == "html" else media.content_type(media.RDF_BY_EXTENSION[chosen].media_type)
    )
    if profile:
        response.content_type += profile.parameters
    if chosen == "html":
        links = signposting.page(site, landing, here())
    else:
        links = signposting.data(site, landing, here(), chosen)
        cors(response)
    if page.profiled:
        links += profiles.links(site, here(), page.address, profile, chosen)
        if extension != "html":
            response.vary.add(profiles.HEADER)
    response.headers["Link"] = signposting.header(links)
    if extension is None or (page.profiled and extension != "html"):
        response.vary.add("Accept")
    return response


def _form(profile: Profile | None) -> str:
    """The end of the address of the answer: as it was sent, or by what names the profile that headers chose."""
    query = request.query_string.decode("latin-1")
    if profile and profiles.PARAMETER not in request.args:
        query += f"{'&' if query else ''}{profiles.PARAMETER}={profile.name}"
    return query_part(query)


def chosen_format(extension: str | None, offered: Sequence[str], profile: Profile | None) -> str:
    """The extension of the format to answer with.

    :raises NotAcceptable: naming what there is.
    """
    if extension is not None:
        if profile and extension not in profile.extensions:
            raise profiles.no_format(profile)
        return extension
    offered = profile.media_types() if profile else offered
    media_type = media.negotiate(request.headers.get("Accept"), offered)
    if media_type is None:
        raise profiles.no_format(profile) if profile else not_acceptable(offered)
    return "html" if media_type == media.HTML else media.RDF_BY_TYPE[media_type].extension


def html(render: Callable[[], str]) -> Response:
    """A page that has no other format."""
    return for_readers(lambda: conditional(current(), "html", lambda: render().encode(), spoken=True))


def for_readers(make: Callable[[], Response]) -> Response:
    """A page that has no other format, for a client that takes pages.

    :raises NotAcceptable: for one that takes none.
    """
    if media.negotiate(accepted(), (media.HTML,)) is None:
        raise not_acceptable((media.HTML,))
    response = make()
    response.content_type = HTML_TYPE
    response.vary.add("Accept")
    return response


def accepted() -> str | None:
    """What the client accepts; who wants the links of a page takes the page, from which they are made."""
    accept = request.headers.get("Accept")
    if signposting.PARAMETER in request.args and media.negotiate(accept, (signposting.LINKSET,)):
        return media.HTML
    return accept


def linkset(site: Site, landing: Landing, page: Page | None = None) -> Response:
    """The links of a page and of its data, as a document of their own."""

    def others(extension: str) -> list[signposting.Link]:
        return profiles.links(site, site.base, page.address, None, extension) if page and page.profiled else []

    response = conditional(site, "linkset", lambda: signposting.linkset(site, landing, others))
    response.content_type = signposting.LINKSET
    return cors(response)


def register(app: Flask) -> None:
    """Give every page its language, and those that have no RDF, and so did not pass ``answer``, their signposts too."""

    @app.after_request
    def allow(response: Response) -> Response:
        asked = request.method == "OPTIONS" and response.status_code == 200
        return preflight(response, sorted(response.allow)) if asked else response

    @app.after_request
    def speak(response: Response) -> Response:
        spoken = "Content-Language" in response.headers or response.mimetype != media.HTML
        return response if spoken else in_language(current(), response)

    @app.after_request
    def signpost(response: Response) -> Response:
        if (
            response.status_code != 200
            or response.mimetype != media.HTML
            or "cite-as" in response.headers.get("Link", "")
        ):
            return response
        site, path = current(), raw_path()[1:]
        landing = Landing(path, site.base + path, language=_named_language(site))
        if signposting.PARAMETER in request.args:
            return linkset(site, landing)
        response.headers.add("Link", signposting.header(signposting.page(site, landing, here())))
        return response


def in_language(site: Site, response: Response) -> Response:
    """Say which language an answer is in, and that another reader may get another."""
    response.headers["Content-Language"] = site.language.texts
    response.vary.add(languages.HEADER)
    return response


def _named_language(site: Site) -> str:
    """The parameter that names the language of the page, where the request has it."""
    named = request.args.getlist(languages.PARAMETER)[-1:]
    return f"{languages.PARAMETER}={named[0]}" if named and named[0] in site.languages else ""


def conditional(site: Site, variant: str, make: Callable[[], bytes], *, spoken: bool = False) -> Response:
    """An answer with a strong ETag and, where it is known, the time of the last change; as gzip where that is taken.

    304 where the client has it already, and then nothing is made; If-Modified-Since counts only where there is no
    If-None-Match (RFC 9110, section 13.2.2).

    ``spoken``: it has texts or labels for readers, and so depends on their language.

    :raises PreconditionFailed: if the client names another answer than this one.
    """
    if spoken:
        return in_language(site, conditional(site, f"{variant}.{site.language.code}", make))
    packed = takes_gzip(request.headers.get("Accept-Encoding", ""))
    if packed:
        variant += ".gz"  # other bytes, another ETag
    etag = f'"{site.tag}-{variant}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    changed = site.changed()
    if changed is not None:
        headers["Last-Modified"] = _http_date(changed)
    require(request.environ, etag, changed)
    asked = request.if_none_match
    if asked.contains(etag.strip('"')) or asked.star_tag or _unmodified(changed):
        return Response(status=304, headers=headers)
    key = (raw_path(), request.query_string.decode("latin-1"), variant)
    body = site.cache.get(key)
    if body is None:
        body = pack(make()) if packed else make()
        site.cache.put(key, body)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)


# Almost always the same one, and worth a hundredth of a page.
_http_date = lru_cache(maxsize=16)(http_date)


def _unmodified(changed: datetime | None) -> bool:
    since = moment(request.headers.get("If-Modified-Since"))
    if changed is None or since is None or "If-None-Match" in request.headers:
        return False
    return request.method in ("GET", "HEAD") and changed <= since <= datetime.now(UTC)


def changing(response: Response) -> Response:
    """An answer that changes while its release stays: nobody between here and the client keeps it.

    Clients ask for it again and again, and have its ETag to ask whether it is another one.
    """
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    if moment(request.headers.get("If-Modified-Since")) is None:
        request.environ.pop("HTTP_IF_MODIFIED_SINCE", None)  # werkzeug reads it once more
    response.make_conditional(request)
    return response


def see_other(path: str, prefix: str, *, varies: bool = True) -> Response:
    """303 to another address of the site, relative to the one that was asked for."""
    response = Response(status=303, headers={"Location": prefix + path})
    if varies:
        response.vary.add("Accept")
    return cors(response)


def moved(path: str, prefix: str) -> Response:
    """308 to the address that has taken this one's place for good, relative to the one that was asked for."""
    return cors(Response(status=308, headers={"Location": prefix + path}))


def cors(response: Response) -> Response:
    """Let pages of other sites read this: data is public, and no answer depends on who asks."""
    for name, value in CORS:
        response.headers[name] = value
    return response


def preflight(response: Response, methods: Iterable[str]) -> Response:
    """Tell a browser what pages of other sites may send here."""
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = _ASKED_WITH
    response.headers["Access-Control-Max-Age"] = "86400"
    return cors(response)


NO_FILE = marked("This release has no file {name}.")


def not_found(text: str, **values: object) -> NotFound:
    """A 404 that says what is missing, as :class:`Message` has it."""
    return NotFound(Message(text, **values))


def not_acceptable(offered: Sequence[str]) -> NotAcceptable:
    """A 406 that says what there is."""
    text = marked("There is this in {types}; your Accept header takes none of them.")
    return NotAcceptable(Message(text, types=", ".join(offered)))


def _body(site: Site, page: Page, chosen: str, profile: Profile | None) -> bytes:
    if chosen == "html":
        return page.html().encode()
    format_ = media.RDF_BY_EXTENSION[chosen]
    return profile.make(site, page.iri, format_) if profile else page.data(format_)
