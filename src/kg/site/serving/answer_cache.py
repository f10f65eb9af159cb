"""Remembers whole answers in front of the application, so that asking again costs next to nothing.

A release never changes, so an answer with an ETag is true as long as the release is served; the memory goes with it
(:mod:`kg.site.serving.lease`). Answers are told apart by address, query, the language of the reader (of those that the
site has, so that the many ways to ask for one share its answers), and every other header that answers may depend on.
Kept are answers to GET with status 200 and an ETag, so nothing that holds chance or time
(:mod:`kg.site.sparql.prepared`), no stream, no file, and nothing that varies with another header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from kg.caches import Bounded
from kg.site import languages
from kg.site.answers.ranges import matches, moment
from kg.site.serving.asgi import Headers, Scope

ROOM = 32 * 2**20
"""Bytes of answers that one process remembers for one release."""

LARGEST = ROOM // 64
"""Bytes of one answer; larger ones are made again."""

_DEPENDS_ON = (b"accept", b"accept-encoding", b"accept-profile")
_VARY = frozenset({*_DEPENDS_ON, b"accept-language"})
_NOT_FOR = (
    b"range",
    b"authorization",
    b"cookie",
    b"accept-datetime",
    b"transfer-encoding",
    b"if-match",
    b"if-unmodified-since",
)
OF_CONTENT = frozenset({b"content-type", b"content-length", b"content-encoding", b"content-disposition"})
"""Headers that a 304 does not have: there is no content to describe."""

_LONGEST_KEY = 20_000
_OVERHEAD = 100
"""Bytes that Python takes for each header, and for each part of a key, beside what is in them: roughly."""

Key = tuple[bytes, ...]


class Kept(NamedTuple):
    """An answer."""

    headers: Headers
    etag: bytes
    body: bytes


class Memory(Bounded[Key, Kept]):
    """The answers of one release, but for those that take a lot of room."""

    def __init__(self, room: int = ROOM) -> None:
        super().__init__(room, _size, largest=LARGEST)

    def keep(self, key: Key, status: int, headers: Headers, body: bytes) -> None:
        """Remember an answer, if it may be."""
        etag = _worth_keeping(status, headers, len(body))
        if etag:
            self.put(key, Kept(headers, etag, body))


def _size(key: Key, kept: Kept) -> int:
    """Bytes that an answer takes: addresses and headers may be longer than what they lead to."""
    parts = len(key) + len(kept.headers)
    head = sum(len(name) + len(value) for name, value in kept.headers)
    return sum(map(len, key)) + head + len(kept.body) + parts * _OVERHEAD


def key(scope: Scope, named: Mapping[bytes, bytes], spoken: Sequence[str] = (languages.SOURCE,)) -> Key | None:
    """What tells answers apart, or ``None`` for a request whose answer is not kept.

    ``named`` are its headers, ``spoken`` the languages that answers come in.
    """
    if scope["method"] not in ("GET", "HEAD") or len(named) != len(scope["headers"]):
        return None
    if named.get(b"content-length", b"0") != b"0":
        return None
    for name in _NOT_FOR:
        if name in named:
            return None
    # What was sent, with its percent escapes: see kg.site.answers.address.
    found = (
        scope["raw_path"] or b"",
        scope["query_string"],
        named.get(b"accept", b""),
        named.get(b"accept-encoding", b""),
        named.get(b"accept-profile", b""),
        languages.wanted(
            scope["query_string"].decode("latin-1"), named.get(b"accept-language", b"").decode("latin-1"), spoken
        ).encode(),
    )
    return found if sum(map(len, found)) <= _LONGEST_KEY else None


def again(kept: Kept, named: Mapping[bytes, bytes], method: str) -> tuple[int, Headers, bytes]:
    """The answer once more, or a 304 where the client has it: status, headers, body."""
    wanted = named.get(b"if-none-match")
    since = b"" if wanted is not None else named.get(b"if-modified-since", b"")  # RFC 9110, section 13.1.3
    if (wanted is not None and matches(wanted, kept.etag)) or (since and unmodified(since, kept.headers)):
        return 304, [header for header in kept.headers if header[0] not in OF_CONTENT], b""
    return 200, kept.headers, b"" if method == "HEAD" else kept.body


_CHANGING = {b"no-store", b"private"}
"""Answers that change while their release stays."""


def _worth_keeping(status: int, headers: Headers, size: int) -> bytes:
    """The ETag of an answer that may be kept; nothing for others."""
    said = dict(headers)
    varies = {name.strip().lower() for name in said.get(b"vary", b"").split(b",")} - {b""}
    if (
        status != 200
        or said.get(b"content-length") != b"%d" % size
        or not varies <= _VARY
        or b"set-cookie" in said
        or b"repr-digest" in said  # a file, which says by itself whether somebody has it (kg.site.answers.ranges)
        or not _CHANGING.isdisjoint(said.get(b"cache-control", b"").split(b", "))
    ):
        return b""
    return said.get(b"etag", b"")


def unmodified(since: bytes, headers: Headers) -> bool:
    """Whether an If-Modified-Since is not before the Last-Modified of an answer, if both can be read."""
    asked = moment(since.decode("latin-1"))
    modified = moment(dict(headers).get(b"last-modified", b"").decode("latin-1"))
    return asked is not None and modified is not None and modified <= asked <= datetime.now(UTC)
