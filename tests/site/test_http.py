"""HTTP as it is on the wire: a table of routes, methods, statuses and headers, asked of a real server by raw sockets.

Nothing here knows what the server is made of.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import pytest
from tests.patience import PATIENCE
from tests.site.wire import Wire, holds

EVIL = "evil.example"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True)
class Row:
    """A route: what a GET gives, and which methods there are. ``kind``: a page, data that other sites may read, …"""

    path: str
    status: int = 200
    kind: str = "page"
    accept: str = BROWSER
    methods: frozenset[str] = frozenset({"GET", "HEAD", "OPTIONS"})


QUERY = "/sparql?query=ASK%20%7B%7D"
TURTLE = "text/turtle"
ENDPOINT = frozenset({"GET", "HEAD", "OPTIONS", "POST", "QUERY"})
ROWS = (
    *(
        Row(path)
        for path in (
            *("/", "/about", "/page/north-pier", "/claim/gazette/1", "/document/gazette", "/passage/gazette/22-63"),
            *("/class/harbour:Pier", "/class/", "/ontology", "/ontology/harbour", "/shapes", "/graph/background"),
            *("/things", "/documents", "/claims", "/disagreements", "/corroborations", "/dumps/", "/report"),
            *("/catalog", "/.well-known/void", "/search?q=pier", "/browse", "/timeline", "/map", "/releases/"),
            "/history/claim/gazette/1",
        )
    ),
    Row("/query"),
    *(
        Row(path, kind="data", accept=accept)
        for path, accept in (
            ("/data/north-pier", TURTLE),
            ("/data/north-pier.nq", "*/*"),
            ("/claim/gazette/1", "application/trig"),
            ("/claim/gazette/1.jsonld", "*/*"),
            ("/document/gazette", TURTLE),
            ("/passage/gazette/22-63", TURTLE),
            ("/ontology", "application/rdf+xml"),
            ("/shapes", TURTLE),
            ("/catalog", "application/ld+json"),
            ("/.well-known/void", TURTLE),
            ("/dumps/all.nq", "*/*"),
            ("/search.json?q=pier", "*/*"),
            ("/browse.csv", "*/*"),
            ("/timeline.json", "*/*"),
            ("/map.json", "*/*"),
            ("/report.json", "*/*"),
            ("/releases/feed.atom", "*/*"),
            ("/releases/stream", "*/*"),
            ("/timemap/claim/gazette/1", "*/*"),
            ("/page/north-pier?linkset", "*/*"),
            ("/badge.svg", "*/*"),
        )
    ),
    Row(QUERY, kind="data", accept="*/*", methods=ENDPOINT),
    Row("/id/north-pier", status=303, kind="data", accept=TURTLE),
    Row("/timegate/claim/gazette/1", status=302, kind="data"),
    *(
        Row(path, kind="other", accept="*/*")
        for path in (
            "/robots.txt",
            "/favicon.ico",
            "/favicon.svg",
            "/static/site.css",
            "/health",
            "/sitemap.xml",
            "/metrics",
        )
    ),
    Row("/opensearch.xml", kind="other", accept="*/*"),
    # Errors: pages for people, problem documents that other sites may read for programs.
    *(
        Row(path, status=404)
        for path in ("/nothing", "/page/nobody", "/claim/gazette/99", "/class/no:thing", "/dumps/no")
    ),
    *(Row(path, 404, "data", "application/json") for path in ("/nothing", "/data/nobody", "/dumps/no", "/static/no")),
    *(Row(path, 406, "data", "audio/ogg") for path in ("/claim/gazette/1", "/data/north-pier", "/ontology", "/")),
    Row("/sparql?query=NONSENSE", 400, "data", "application/json", ENDPOINT),
    Row(QUERY, 406, "data", "audio/ogg", ENDPOINT),
    Row("/releases/changes?from=x", 400, "data", "application/json"),
    Row("/claim/gazette/1.ttl?profile=unknown", 406, "data", "*/*"),
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")


def name(row: Row) -> str:
    return f"{row.status} {row.path} as {row.accept[:20]}"


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_a_route_answers_each_method_with_its_status_and_headers(row: Row, wire: Wire) -> None:
    got = {method: wire.ask(row.path, method, Accept=row.accept) for method in METHODS}
    for method, answer in got.items():
        holds(answer, f"{method} {row.path}")
        if row.status == 404 and method not in row.methods:
            # Nothing is there: which methods something would have is no question.
            assert answer.status in (404, 405), method
        elif method not in row.methods:
            assert answer.status == 405, method
            assert set(re.split(r",\s*", answer.one("allow"))) == row.methods, method
    get, head, options = got["GET"], got["HEAD"], got["OPTIONS"]
    assert get.status == row.status
    assert (get.all("access-control-allow-origin") == ["*"]) == (row.kind == "data")
    assert "accept-ranges" not in dict(get.headers) or row.path.startswith(
        ("/dumps/", "/report.json", "/static/", "/favicon")
    )
    assert head.status == row.status
    assert head.body == b""
    for header in ("content-type", "content-length", "etag", "vary", "location", "cache-control"):
        assert head.one(header) == get.one(header), header
    assert options.status in (200, 204, 404, 405)
    if row.status == 405:
        assert get.one("allow")
    if get.body and row.status < 300:
        assert get.one("content-type")


@pytest.mark.parametrize(
    ("path", "depends"),
    [
        ("/claim/gazette/1", {"accept", "accept-profile"}),
        ("/data/north-pier", {"accept", "accept-profile"}),
        ("/page/north-pier?linkset", set()),
        ("/id/north-pier", {"accept", "accept-profile", "accept-language"}),
        ("/ontology", {"accept"}),
        ("/releases/stream", {"accept"}),
        (QUERY, {"accept"}),
        ("/timegate/claim/gazette/1", {"accept-datetime", "accept-language"}),
        ("/data/north-pier.nt", {"accept", "accept-profile"}),
        ("/dumps/all.nq", set()),
        ("/ontology.ttl", set()),
        ("/nothing", {"accept"}),
    ],
)
def test_an_answer_names_the_headers_that_it_depends_on(path: str, depends: set[str], wire: Wire) -> None:
    # Pages come in the reader's language; data does not.
    language = {"accept-language"} if path in ("/claim/gazette/1", "/ontology") else set()
    assert wire.ask(path, Accept="*/*").vary - {"accept-encoding"} == depends | language
    assert wire.ask(path, Accept=TURTLE).vary - {"accept-encoding"} == depends


def test_the_page_of_a_thing_depends_on_accept_for_who_prefers_data_is_led_there(wire: Wire) -> None:
    for accept, status, more in (("*/*", 200, set()), (TURTLE, 303, {"accept-profile"})):
        answer = wire.ask("/page/north-pier", Accept=accept)
        assert (answer.status, answer.vary - {"accept-encoding"}) == (status, {"accept", "accept-language"} | more)


# What addresses may look like

TRICKS = (
    *(
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/../../etc/passwd",
        "/dumps/%2e%2e%2fmanifest.json",
    ),
    *(
        "/dumps/..%5c..%5cmanifest.json",
        "/static/%2e%2e/%2e%2e/kg.toml",
        "/releases/%2e%2e/kg.toml",
        "/static//etc/passwd",
    ),
    *(
        "/dumps/%2fetc%2fpasswd",
        "/dumps/all.nq%00.ttl",
        "/%00",
        "/id/%00",
        "/id/x%00y",
        "/page/%0d%0aX-Injected:%20yes",
    ),
    *(
        "/id/a%0d%0aLocation:%20http://evil.example/",
        "/%0a%0aevil.example",
        "/id/%0d%0a%0d%0a<script>evil.example</script>",
    ),
    *(
        "//evil.example/",
        "///evil.example/%2e%2e",
        "/%2f/evil.example",
        "/\\evil.example",
        "/%5cevil.example/",
        "//evil.example/%2f..",
    ),
    *("/id///evil.example", "/class/%2f%2fevil.example", "/timegate///evil.example", "/releases//evil.example"),
    *(
        "/page/%ff%fe",
        "/page/%",
        "/page/%zz",
        "/page/%c3%28",
        "/page/\xff",
        "/a;b=c",
        "/page/north-pier/",
        "/page//north-pier",
    ),
    *(
        "/search?q=%0d%0aevil.example",
        "/search?q=%00",
        "/search?page=999999999999999999999",
        "/things?page=-1",
        "/browse?kind=%ff",
    ),
    *(
        "/id/north-pier?%0d%0aX-Injected:%20yes",
        "/sitemap.xml?part=0x1",
        "/timeline?from=%00&to=%0d%0a",
        "/badge.svg?of=%3Csvg%3E",
    ),
    *("/" + "a" * 3_000, "/" + "a/" * 1_500, "/%25" * 800, "/id/" + "%C3%A9" * 500),
)


@pytest.mark.parametrize("target", TRICKS, ids=lambda target: target[:50])
def test_an_address_that_tries_something_leads_nowhere(target: str, wire: Wire) -> None:
    answer = wire.ask(target, Accept="text/html, */*;q=0.1")
    assert answer.status < 500
    holds(answer, target)
    assert answer.all("x-injected") == []
    assert b"root:x:" not in answer.body
    assert b'"digest"' not in answer.body
    assert b"<script>evil" not in answer.body
    if location := answer.one("location"):
        there = urlsplit(urljoin(f"http://localhost{target}", location))
        assert there.hostname == "localhost"
        assert "evil" not in location or not location.startswith("/")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page/north-pier",
        "/id/north-pier",
        "/claim/gazette/1.ttl",
        "/catalog.ttl",
        "/nothing",
        "/dumps",
        "/class?x=1",
    ],
)
def test_what_a_client_says_of_the_host_is_in_no_answer(path: str, wire: Wire) -> None:
    plain = wire.ask(path, Accept=BROWSER)
    for headers in (
        {"Host": EVIL},
        {"Host": f"{EVIL}:80@localhost"},
        {"Host": 'x"><script>'},
        {
            "X_Forwarded_Host": EVIL,
            "X_Forwarded_Proto": "https",
            "X_Forwarded_Prefix": f"/{EVIL}",
            "X_Forwarded_Port": "1",
        },
        {"Forwarded": f"host={EVIL};proto=https;for=1.2.3.4", "X_Forwarded_For": EVIL, "X_Real_IP": EVIL},
        {
            "X_Original_URL": f"/{EVIL}",
            "X_Rewrite_URL": f"/{EVIL}",
            "X_Script_Name": f"/{EVIL}",
            "Referer": f"http://{EVIL}/",
        },
        {"Origin": f"http://{EVIL}"},
    ):
        answer = wire.ask(path, Accept=BROWSER, **headers)
        if answer.status in (400, 421):
            assert EVIL.encode() not in answer.body
            continue
        same = [pair for pair in answer.headers if pair[0] != "date"]
        assert (answer.status, same, answer.body) == (
            plain.status,
            [pair for pair in plain.headers if pair[0] != "date"],
            plain.body,
        ), headers
    absolute = wire.ask(f"http://{EVIL}{path}", Accept=BROWSER)
    assert absolute.status in (plain.status, 400, 421)
    assert EVIL not in str(absolute.headers)
    assert EVIL.encode() not in absolute.body


BAD_LINES = {
    "no version": b"GET /\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no path": b"GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without a slash": b"GET page/north-pier HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "two paths": b"GET / /page/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bare line feed in a header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nY: b\r\nConnection: close\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nConnection: close\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\nConnection: close\r\n\r\n",
    "a method of control characters": b"G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "two lengths": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nASK{}X",
    "length and chunks": b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of another coding": b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "the asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
WELL = {
    "a path without a slash",
    "a bare line feed in a header",
    "a folded header",
    "the asterisk",
}
"""What a server may also answer as if it were well formed, or refuse."""


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_request_that_is_none_is_refused_and_nothing_is_read_behind_it(case: str, wire: Wire) -> None:
    with socket.create_connection(wire.place, timeout=PATIENCE) as sock:
        sock.sendall(BAD_LINES[case] + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        # What was sent and is not read any more may break the connection.
        with suppress(ConnectionError):
            while piece := sock.recv(65536):
                answer += piece
    lines = re.findall(rb"^HTTP/1\.[01] (\d+)", answer, re.MULTILINE)
    assert len(lines) <= 1 or case in WELL | {"a version of the future"}
    assert not lines or int(lines[0]) >= 400 or case in WELL | {"no version"}, answer[:200]
    assert EVIL.encode() not in answer
    assert not re.search(rb"(?i)uvicorn|gunicorn|werkzeug|Traceback", answer)


def test_an_answer_of_http_1_0_ends_with_the_connection(wire: Wire) -> None:
    with socket.create_connection(wire.place, timeout=PATIENCE) as sock:
        sock.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
    assert b"transfer-encoding" not in answer.lower()


def test_requests_in_a_row_get_their_own_answers(wire: Wire) -> None:
    paths = ["/page/north-pier", "/nothing", "/dumps/all.nq", "/id/north-pier", "/health"] * 4
    with socket.create_connection(wire.place, timeout=PATIENCE) as sock:
        sock.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths))
        file = sock.makefile("rb")
        for path in paths:
            assert _status(file) == {"/nothing": 404, "/id/north-pier": 303}.get(path, 200), path


def _status(file: BinaryIO) -> int:
    """Read one answer of known length from a file; its status."""
    status = int(file.readline().split()[1])
    length = 0
    while (line := file.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    file.read(length)
    return status


@pytest.mark.parametrize("path", ["/dumps", "/class", "/class?page=2"])
def test_an_address_that_is_there_with_a_slash_leads_there_from_wherever_it_is_shown(path: str, wire: Wire) -> None:
    answer = wire.ask(path, Host=EVIL)
    name, _, query = path.partition("?")
    assert answer.status == 308
    assert answer.one("location") == f".{name}/" + (f"?{query}" if query else "")
    assert urljoin(f"https://facts.example.org/below{name}", answer.one("location")).startswith(
        f"https://facts.example.org/below{name}/"
    )
