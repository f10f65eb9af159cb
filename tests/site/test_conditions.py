"""Ranges of files, and conditions: RFC 9110, sections 13 and 14, as they are on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from tests.patience import until
from tests.site.wire import Answer, Wire, holds

from kg.release import Release

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FILE = "/dumps/all.nq"


@pytest.fixture(scope="module")
def whole(wire: Wire, release: Release) -> Answer:
    answer = wire.ask(FILE)
    assert answer.status == 200
    assert len(answer.body) == next(e.size for e in release.dumps() if e.path == FILE[1:])
    assert answer.one("accept-ranges") == "bytes"
    return answer


@pytest.mark.parametrize(
    ("range_", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=-5", (-5, None)),
        ("bytes=10-", (10, None)),
        ("bytes=0-99999999999999999999", (0, None)),
        ("bytes=-99999999999999999999", (0, None)),
        ("Bytes=3-4", (3, 5)),
        ("bytes= 3-4", (3, 5)),
    ],
)
def test_a_range_gives_these_bytes(range_: str, part: tuple[int, int | None], wire: Wire, whole: Answer) -> None:
    answer = wire.ask(FILE, Range=range_)
    wanted = whole.body[part[0] : part[1]]
    assert (answer.status, answer.body) == (206, wanted)
    start = whole.body.index(wanted) if len(wanted) > 100 else part[0] % len(whole.body)
    assert answer.one("content-range") == f"bytes {start}-{start + len(wanted) - 1}/{len(whole.body)}"
    assert answer.one("content-length") == str(len(wanted))
    assert answer.one("etag") == whole.one("etag")
    assert answer.one("repr-digest") == whole.one("repr-digest")
    holds(answer, range_)


@pytest.mark.parametrize("range_", ["bytes=99999999999-", "bytes=99999999999-999999999999", "bytes=-0"])
def test_a_range_beyond_the_end_is_416_with_the_length(range_: str, wire: Wire, whole: Answer) -> None:
    answer = wire.ask(FILE, Range=range_)
    assert answer.status == 416
    assert answer.one("content-range") == f"bytes */{len(whole.body)}"
    holds(answer, range_)


@pytest.mark.parametrize(
    "range_",
    [
        *(
            "items=0-5",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-1",
            "bytes 0-5",
            "bytes=0-5;x",
            "bytes=--5",
            "bytes=1.5-2",
        ),
        *("bytes=0-1,3-4", "bytes=0-,0-,0-", "bytes=0-10,5-15", "bytes=0-0," + ",".join(["0-"] * 1_000)),
        "bytes=" + ",".join(f"{n}-{n}" for n in range(1_200)),
        "bytes=0x1-0x5",
        "bytes=\xb2-\xb3",
    ],
    ids=lambda r: r[:30],
)
def test_a_range_that_is_odd_or_of_several_parts_never_costs_more_than_the_file(
    range_: str, wire: Wire, whole: Answer
) -> None:
    answer = wire.ask(FILE, Range=range_)
    assert answer.status in (200, 416)
    assert answer.body == whole.body if answer.status == 200 else len(answer.body) < 2_000
    holds(answer, range_)


def test_head_and_pages_know_no_ranges(wire: Wire, whole: Answer) -> None:
    head = wire.ask(FILE, "HEAD", Range="bytes=0-5")
    assert (head.status, head.one("content-length")) == (200, str(len(whole.body)))
    assert wire.ask("/page/north-pier", Range="bytes=0-5", Accept=BROWSER).status == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{etag}", 206),
        ('"another"', 200),
        ("W/{etag}", 200),
        ("{modified}", 206),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("Fri, 31 Dec 2199 00:00:00 GMT", 200),
        ("nonsense", 200),
    ],
)
def test_if_range_holds_for_the_same_file_only(condition: str, status: int, wire: Wire, whole: Answer) -> None:
    value = condition.format(etag=whole.one("etag"), modified=whole.one("last-modified"))
    answer = wire.ask(FILE, Range="bytes=0-9", If_Range=value)
    assert answer.status == status
    assert answer.body == (whole.body[:10] if status == 206 else whole.body)


@pytest.mark.parametrize("path", [FILE, "/page/north-pier", "/claim/gazette/1.ttl", "/catalog", "/sitemap.xml"])
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ('"a", {etag}, "b"', 304),
        ('W/"a",W/{etag}', 304),
        ("*", 304),
        ('"a", "b"', 200),
        ("{bare}", 200),
        ("", 200),
        ('"' + "x" * 4_000 + '"', 200),
    ],
)
def test_if_none_match_is_a_list_compared_weakly(condition: str, status: int, path: str, wire: Wire) -> None:
    first = wire.ask(path, Accept=BROWSER)
    etag = first.one("etag")
    for method in ("GET", "HEAD"):
        answer = wire.ask(path, method, Accept=BROWSER, If_None_Match=condition.format(etag=etag, bare=etag.strip('"')))
        assert answer.status == status, method
        if status == 304:
            assert answer.body == b""
            assert answer.one("etag") == etag
            assert answer.one("vary") == first.one("vary")
            assert answer.one("cache-control") == first.one("cache-control")
            holds(answer, path)


EVERYWHERE = (FILE, "/page/north-pier", "/claim/gazette/1.ttl", "/sitemap.xml", "/report.json")


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    ("condition", "status"),
    [("{etag}", 200), ('"a", {etag}', 200), ("*", 200), ('"a", "b"', 412), ("W/{etag}", 412), ("{bare}", 412)],
)
def test_if_match_is_compared_strongly(condition: str, status: int, path: str, wire: Wire) -> None:
    etag = wire.ask(path, Accept=BROWSER).one("etag")
    for method in ("GET", "HEAD"):
        answer = wire.ask(path, method, Accept=BROWSER, If_Match=condition.format(etag=etag, bare=etag.strip('"')))
        assert answer.status == status, method
        holds(answer, path)
    # What does not hold is refused, whatever else is asked (RFC 9110, section 13.2.2).
    wanted = {"If_Match": '"a"', "If_None_Match": etag, "Range": "bytes=0-1"}
    assert wire.ask(path, Accept=BROWSER, **wanted).status == 412


@pytest.mark.parametrize("path", EVERYWHERE)
def test_if_unmodified_since_refuses_what_is_newer(path: str, wire: Wire) -> None:
    modified = wire.ask(path, Accept=BROWSER).one("last-modified")
    for since, status in (
        (modified, 200),
        ("Fri, 31 Dec 2199 00:00:00 GMT", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 412),
        ("yesterday", 200),
    ):
        assert wire.ask(path, Accept=BROWSER, If_Unmodified_Since=since).status == status, since
    accept = "*/*"
    problem = wire.ask(path, Accept=accept, If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT")
    assert "If-Unmodified-Since" in problem.body.decode()


def test_the_rest_of_a_file_is_sent_under_the_date_of_this_file_only(wire: Wire, whole: Answer) -> None:
    for since, status in ((whole.one("last-modified"), 206), ("Fri, 31 Dec 2199 00:00:00 GMT", 200)):
        assert wire.ask(FILE, Range="bytes=10-", If_Unmodified_Since=since).status == status


def test_an_answer_to_a_query_has_a_weak_tag_that_if_match_never_has(wire: Wire) -> None:
    query = "/sparql?query=ASK%7B%7D"
    etag = wire.ask(query).one("etag")
    assert [wire.ask(query, If_Match=tag).status for tag in (etag, "*", '"a"')] == [412, 200, 412]


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("{modified}", 304),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        # Somebody went back to an earlier release: what a client has since then is another file.
        ("Fri, 31 Dec 2199 00:00:00 GMT", 200),
        ("yesterday", 200),
    ],
)
def test_if_modified_since_is_about_the_very_release(moment: str, status: int, wire: Wire, whole: Answer) -> None:
    since = moment.format(modified=whole.one("last-modified"))
    assert wire.ask(FILE, If_Modified_Since=since).status == status
    # An ETag says it better (RFC 9110, section 13.1.3).
    assert wire.ask(FILE, If_Modified_Since=since, If_None_Match='"another"').status == 200


def test_a_small_file_that_was_asked_for_before_is_held_against_the_very_time_too(wire: Wire) -> None:
    """Whoever has the file of a later release, from before somebody went back, has another file."""
    answer = [wire.ask("/dumps/claims.csv") for _ in range(3)][-1]
    later = parsedate_to_datetime(answer.one("last-modified")) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > later)
    assert wire.ask("/dumps/claims.csv", If_Modified_Since=format_datetime(later, usegmt=True)).status == 200
    assert wire.ask("/dumps/claims.csv", If_Modified_Since=answer.one("last-modified")).status == 304


@pytest.mark.parametrize("header", ["If_Modified_Since", "If_Unmodified_Since", "If_Range", "Accept_Datetime"])
@pytest.mark.parametrize(
    "date", ["Sat, 31 Jan 99999999999 12:00:00 GMT", "Sat, 31 Jan 2026 12:00:00 +99999999999999999"]
)
def test_a_date_that_no_calendar_has_is_none(date: str, header: str, wire: Wire) -> None:
    paths = (
        FILE,
        "/dumps/claims.csv",
        "/page/north-pier",
        "/data/north-pier.ttl",
        "/sitemap.xml",
        "/releases/feed.atom",
    )
    for path in (
        *paths,
        "/timemap/page/north-pier",
        "/releases/stream",
        "/sitemap.xml",
        "/timegate/page/north-pier",
        "/health",
    ):
        for _ in range(3):  # the third answer may be one that is remembered
            plain = wire.ask(path).status
            expected = 400 if (header, plain) == ("Accept_Datetime", 302) else plain
            assert wire.ask(path, Range="bytes=0-", **{header: date}).status in (expected, 206), path


def test_a_download_says_what_file_it_is(wire: Wire) -> None:
    for file, kind in (("all.nq", "application/n-quads"), ("claims.csv", "text/csv"), ("facts.ttl", "text/turtle")):
        answer = wire.ask(f"/dumps/{file}")
        assert answer.one("content-type").partition(";")[0] == kind
        assert f'filename="{file}"' in answer.one("content-disposition") or file in answer.one("content-disposition")
