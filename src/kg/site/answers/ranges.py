"""Whether conditions let a request be answered, and which part of a file it may have (RFC 9110, sections 13 and 14).

Both are put plainly before werkzeug reads them. One part at most, of a GET, under a condition that holds exactly. What
asks for several parts, or cannot be read, gets the whole file: that is allowed, and never costs more than the file.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import http_date, parse_date

from kg.site.languages import Message, marked

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_CHANGED = marked("What is here now is not what {header} names. Ask again without it for what there is.")
_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,40})-(\d{0,40})\s*", re.ASCII | re.IGNORECASE)


def moment(text: str | None) -> datetime | None:
    """The time that a header says; nothing where it says none, or one that no calendar has.

    >>> moment("Sat, 31 Jan 2026 12:00:00 GMT"), moment("Sat, 31 Jan 99999999999 12:00:00 GMT")
    (datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.timezone.utc), None)
    """
    try:
        return parse_date(text)
    except OverflowError:
        return None


def require(environ: WSGIEnvironment, etag: str, modified: datetime | None) -> None:
    """Refuse a request for another thing than is here now; ``etag`` as its header has it, ``modified`` if it is known.

    Clients name what they have a part of, and want the rest of that or nothing (RFC 9110, sections 13.1.1, 13.1.4).

    :raises PreconditionFailed: if If-Match does not have the ETag, or this is newer than If-Unmodified-Since.
    """
    wanted = environ.get("HTTP_IF_MATCH")
    if wanted is not None:
        tags = [part.strip() for part in wanted.split(",")]
        # Strong comparison: a weak tag is like none, not like itself.
        if wanted.strip() != "*" and (etag.startswith("W/") or etag not in tags):
            raise PreconditionFailed(Message(_CHANGED, header="If-Match"))
        return
    since = moment(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
    if since is not None and modified is not None and modified.replace(microsecond=0) > since:
        raise PreconditionFailed(Message(_CHANGED, header="If-Unmodified-Since"))


def tidy(environ: WSGIEnvironment, size: int, etag: str, modified: datetime) -> None:
    """Leave conditions and range in a request only if they are about this very file, and can be met.

    A date counts only if it is the file's own: after somebody went back to an earlier release, files are older than
    what a client has of them, and are different all the same.
    """
    wanted = environ.get("HTTP_IF_NONE_MATCH")
    if wanted is not None:
        # Werkzeug takes a tag without its quotation marks for one.
        known = matches(wanted.encode("latin-1"), f'"{etag}"'.encode())
        environ["HTTP_IF_NONE_MATCH"] = f'"{etag}"' if known else '""'
    environ.pop("HTTP_IF_MATCH", None)  # ``require`` has seen to it
    stamp = http_date(modified)
    if environ.get("HTTP_IF_MODIFIED_SINCE", stamp) != stamp:
        del environ["HTTP_IF_MODIFIED_SINCE"]
    asked = environ.pop("HTTP_RANGE", None)
    condition = environ.pop("HTTP_IF_RANGE", None)
    if asked is None or environ["REQUEST_METHOD"] != "GET" or condition not in (None, f'"{etag}"', stamp):
        return
    if environ.get("HTTP_IF_UNMODIFIED_SINCE", stamp) != stamp:
        return  # newer than this file, and perhaps of another
    match = _ONE.fullmatch(asked)
    if match is None or match[0].strip().endswith("=-"):
        return
    first, last = match[1], match[2]
    if not first:
        # The last so many bytes, or all that there are.
        count = min(int(last), size)
        environ["HTTP_RANGE"] = f"bytes={size - count}-" if count else f"bytes={size}-"
    elif not last or int(first) <= int(last):
        environ["HTTP_RANGE"] = f"bytes={first}-{last}"


def matches(wanted: bytes, etag: bytes) -> bool:
    """Whether If-None-Match has this ETag, by weak comparison (RFC 9110, section 13.1.2).

    >>> matches(b'"a", W/"b"', b'"b"'), matches(b"*", b'"b"'), matches(b'"a"', b'"b"')
    (True, True, False)
    """
    plain = etag.removeprefix(b"W/")
    return wanted.strip() == b"*" or any(part.strip().removeprefix(b"W/") == plain for part in wanted.split(b","))
