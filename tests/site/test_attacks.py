"""What strangers send, by mistake or on purpose: it is answered in time, and nothing leaves the machine.

After each of them the site answers as before, from the same processes.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from tests.patience import PATIENCE, until
from tests.query.conftest import children
from tests.query.test_isolation import Listener

from kg.release import Release

QUERY = {"Content-Type": "application/sparql-query"}
FINE = {200, 400, 403, 406, 413, 414, 415, 429, 503}
DEADLINE = 1.0
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
STREAMED = f"SELECT * {{ {CROSS} }}"


@dataclass
class Target:
    """A server under attack, and the processes that serve."""

    host: str
    port: int
    web: set[int]

    def ask(self, query: str | bytes, **headers: str) -> int:
        """The status of an answer that came to its end; 0 if the connection was broken, as a cut answer is."""
        body = query.encode("utf-8", "surrogatepass") if isinstance(query, str) else query
        return self.send("POST", "/sparql", body, QUERY | headers)

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            while response.read(1 << 20):
                pass
            return response.status
        except (http.client.HTTPException, ConnectionError):
            return 0
        finally:
            connection.close()

    def raw(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def is_well(self) -> None:
        """Health is answered, and a known query as soon as there is a worker; no web process is a new one."""
        assert self.send("GET", "/health") == 200
        until(lambda: self.ask("SELECT ?p { <id/north-pier> ?p ?o } LIMIT 1") == 200)
        assert self.web <= children()

    def used(self) -> float:
        """Seconds of processor time that the web processes have taken, which nobody else's work adds to."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.web]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def target(
    project: Path,
    release: Release,
    serve: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Target]:
    root = tmp_path_factory.mktemp("target")
    # Of fifty queries, most are to be told soon that no worker is free.
    text = (project / "kg.toml").read_text(encoding="utf-8").replace("wait = 60", "wait = 5")
    limits = f"\ndeadline = {DEADLINE}\nworkers = 2\nmemory = {256 << 20}\nbytes = {64 << 20}\n"
    (root / "kg.toml").write_text(text + limits, encoding="utf-8")  # its last table is that of queries
    (root / "releases").symlink_to(release.path.parent)
    with serve(root) as address:
        url = urlsplit(address)
        made = Target(url.hostname or "", url.port or 0, set())
        assert made.ask("ASK {}") == 200
        made.web = {pid for pid in children() if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        yield made


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


# Texts


def nested(opening: str, closing: str, depth: int) -> str:
    return f"SELECT * {{ {opening * depth}{closing * depth} }}"


def in_filter(opening: str, depth: int, closing: str = "") -> str:
    return f"SELECT * {{ ?s ?p ?o FILTER({opening * depth}1{closing * depth}) }}"


TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "white space": " \n\t",
    "70 KB": "SELECT * { ?s ?p ?o FILTER(?o != '" + "x" * 70_000 + "') }",
    "no UTF-8": b"SELECT * { ?s ?p '\xff\xfe' }",
    "NUL": "SELECT * { ?s ?p '\0' } \0",
    "half of a pair": "SELECT * { ?s ?p '\ud800' }",
    "half of a pair, escaped": "SELECT * { ?s ?p '\\uD800' }",
    "turned around": "SELECT * { ?s ?p '\u202e' } # \u2066",
    "two queries": "ASK {} ASK {}",
    "an update": "DELETE WHERE { ?s ?p ?o }",
    "update after a query": "ASK {} ; DROP ALL",
    "load": "LOAD <http://127.0.0.1:9/>",
    "8,000 branches": "SELECT * { " + " UNION ".join(["{ ?s ?p 1 }"] * 8_000) + " } LIMIT 1",
    "1,000 patterns": "SELECT * { " + " ".join(f"?s{n} ?p{n} ?s{n + 1} ." for n in range(1_000)) + " } LIMIT 1",
    "counted": f"SELECT (COUNT(*) AS ?n) {{ {CROSS} }}",
    "sorted": f"SELECT * {{ {CROSS} }} ORDER BY ?c ?f ?i",
    "distinct": f"SELECT DISTINCT ?a ?d ?g ?j {{ {CROSS} }}",
    "grouped": f"SELECT ?a ?d ?g (GROUP_CONCAT(?l) AS ?x) {{ {CROSS} }} GROUP BY ?a ?d ?g",
    "streamed": STREAMED,
    "streamed graph": f"CONSTRUCT {{ ?a ?e ?l }} WHERE {{ {CROSS} }}",
    "doubled": "SELECT ?x40 { BIND('xxxxxxxxxxxxxxxx' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(40))
    + " }",
    "path from anywhere": "SELECT * { ?a !<a:b>* ?b . ?c !<a:b>* ?d . ?e !<a:b>* ?f }",
    "path of a path": "SELECT * { ?a (!<a:b>*)* ?b . ?c ((!<a:b>)+/(^!<a:b>)*)* ?d }",
    "slow pattern": f"SELECT * {{ ?s ?p ?o FILTER(REGEX(CONCAT(STR(?o), '{'a' * 30}!'), '^(a|a)*(a+)+$')) }}",
    "large pattern": "SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), '((a{1,900}){1,900}){1,900}')) }",
    "million values": "SELECT * { VALUES ?x { " + "1 " * 300_000 + "} } LIMIT 1",
    "literal of 5 MB": b"ASK { ?s ?p '" + b"x" * 5_000_000 + b"' }",
    **{
        f"{opening}{closing} {depth:,} deep": text
        for depth in (129, 3_000, 100_000)
        for opening, closing, text in (
            ("{", "}", nested("{ ", " }", depth)),
            ("(", ")", in_filter("(", depth, ")")),
            ("[", "]", f"SELECT * {{ ?s ?p {'[ ?p ' * depth}1{' ]' * depth} }}"),
            ("!", "", in_filter("!", depth)),
            ("-", "", in_filter("-", depth)),
            ("<<(", ")>>", f"SELECT * {{ ?s ?p {'<<( ?s ?p ' * depth}1{' )>>' * depth} }}"),
            ("path (", ")", f"SELECT * {{ ?s {'(' * depth}<a:b>{')*' * depth} ?o }}"),
            ("OPTIONAL {", "}", nested("OPTIONAL { ", " }", depth)),
            ("IF(", ")", in_filter("IF(true, ", depth, ", 1)")),
        )
    },
}


BROKEN_OFF = {"streamed", "streamed graph", "distinct", "path from anywhere", "path of a path", "literal of 5 MB"}


@pytest.mark.parametrize("evidence", [False, True], ids=["plain", "with footnotes"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_gets_its_answer_in_time_and_the_site_stays_well(name: str, evidence: bool, target: Target) -> None:
    text = TEXTS[name]
    body = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    start, used = time.monotonic(), target.used()
    status = target.send("POST", "/sparql" + "?evidence=true" * evidence, body, QUERY)
    took = time.monotonic() - start
    # 0: an answer that had begun was cut, or a body was refused while it was still being sent.
    assert status in FINE | {0}, status
    assert status or name in BROKEN_OFF, "no answer"
    assert took < 30, "without the deadline it would be minutes"
    assert target.used() - used < 2, "a server looks at no text for long"
    if "deep" in name:
        assert status in (400, 413)
    if "update" in name or name == "load":
        assert status == 400
    target.is_well()


# Calling out


def ways_to_call(port: int) -> dict[str, str]:
    host = f"127.0.0.1:{port}"
    call = f"SERVICE <http://{host}/> {{ ?s ?p ?o }}"
    addresses = {
        "decimal": f"http://2130706433:{port}/",
        "hex": f"http://0x7f000001:{port}/",
        "octal": f"http://0177.0.0.1:{port}/",
        "short": f"http://127.1:{port}/",
        "IPv6": f"http://[::ffff:127.0.0.1]:{port}/",
        "name": f"http://localhost:{port}/",
        "user": f"http://a:b@127.0.0.1:{port}/",
        "upper case": f"HTTP://127.0.0.1:{port}/",
    }
    return {
        **{f"address, {name}": f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}" for name, url in addresses.items()},
        "mixed case": f"SELECT * {{ sErViCe <http://{host}/> {{ ?s ?p ?o }} }}",
        "silent": f"SELECT * {{ SERVICE SILENT <http://{host}/> {{ ?s ?p ?o }} }}",
        "no space": f"SELECT*{{SERVICE<http://{host}/>{{?s ?p ?o}}}}",
        "after a word": f"SELECT * {{ FILTER(true) BIND(trueSERVICE <http://{host}/> {{ ?s ?p ?o }} }}",
        "escaped": f"SELECT * {{ \\u0053ERVICE <http://{host}/> {{ ?s ?p ?o }} }}",
        "escaped, long": f"SELECT * {{ S\\U00000045RVICE <http://{host}/> {{ ?s ?p ?o }} }}",
        "prefixed name": f"PREFIX x: <http://{host}/> SELECT * {{ SERVICE x:y {{ ?s ?p ?o }} }}",
        "prefixed name, no space": f"PREFIX : <http://{host}/> SELECT * {{ SERVICE:y {{ ?s ?p ?o }} }}",
        "relative": f"BASE <http://{host}/> SELECT * {{ SERVICE <y> {{ ?s ?p ?o }} }}",
        "by VALUES": f"SELECT * {{ VALUES ?x {{ <http://{host}/> }} SERVICE ?x {{ ?s ?p ?o }} }}",
        "by BIND": f"SELECT * {{ BIND(IRI('http://{host}/') AS ?x) SERVICE SILENT ?x {{ ?s ?p ?o }} }}",
        "in EXISTS": f"SELECT * {{ ?s ?p ?o FILTER EXISTS {{ {call} }} }}",
        "in NOT EXISTS": f"ASK {{ FILTER NOT EXISTS {{ {call} }} }}",
        "in MINUS": f"SELECT * {{ ?s ?p ?o MINUS {{ {call} }} }}",
        "in OPTIONAL": f"SELECT * {{ ?s ?p ?o OPTIONAL {{ {call} }} }}",
        "in a sub-query": f"SELECT * {{ {{ SELECT * {{ {call} }} }} }}",
        "in GRAPH": f"SELECT * {{ GRAPH ?g {{ {call} }} }}",
        "in CONSTRUCT": f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {call} }}",
        "in DESCRIBE": f"DESCRIBE ?s {{ {call} }}",
        "in a comment's next line": f"SELECT * {{ # a comment\r {call} }}",
    }


@pytest.mark.parametrize("name", ways_to_call(0))
def test_no_spelling_of_service_calls_out(name: str, target: Target, listener: Listener) -> None:
    port = urlsplit(listener.url).port or 0
    assert target.ask(ways_to_call(port)[name]) == 400
    assert listener.hits == 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p 'SERVICE <{url}> {}' }",
        "SELECT * { ?s ?p ?o } # SERVICE <{url}> {}",
        "SELECT * { ?s <{url}SERVICE> ?o }",
        "PREFIX service: <{url}> SELECT ?load { ?load service:service service:load }",
        "SELECT * FROM <{url}> { ?s ?p ?o }",
        "SELECT * FROM NAMED <{url}> { GRAPH ?g { ?s ?p ?o } }",
        "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }",
        "SELECT * { GRAPH <{url}> { ?s ?p ?o } }",
        "DESCRIBE <{url}>",
        "SELECT * { ?s ?p ?o FILTER(?o = IRI('{url}')) }",
    ],
)
def test_what_only_looks_like_a_call_is_answered_and_fetches_nothing(
    query: str, target: Target, listener: Listener
) -> None:
    assert target.ask(query.replace("{url}", listener.url)) == 200
    named = f"/sparql?query={quote('SELECT * { ?s ?p ?o }')}&default-graph-uri={quote(listener.url, safe='')}"
    assert target.send("GET", named) == 200
    assert target.send("GET", f"/sparql?graph={quote(listener.url, safe='')}") == 404
    assert listener.hits == 0


# Bodies and connections


def test_bodies_over_the_limit_are_refused(target: Target) -> None:
    assert target.ask(b"x" * 5_000_000) in (413, 0)
    assert target.ask(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"}) == 415
    assert target.send("GET", "/sparql?query=" + "x" * 9_000) in (400, 414)
    target.is_well()


def test_chunks_without_end_are_cut_off(target: Target) -> None:
    with target.raw() as sock:
        head = "POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        sock.sendall(f"{head}Content-Type: application/sparql-query\r\n\r\n".encode())
        sent = 0
        # Broken off, or answered and then not read any further.
        with suppress(ConnectionError, TimeoutError):
            while sent < 32 << 20:
                sock.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        assert sent < 32 << 20
    target.is_well()


def test_requests_that_are_not_http(target: Target) -> None:
    for data in (
        b"\x00" * 1_000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n0\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nContent-Length: -1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    ):
        with target.raw() as sock, suppress(ConnectionError):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            answer = sock.makefile("rb").readline()
            assert b" 200 " not in answer or data.startswith(b"GET /\r\n")
        target.is_well()


def test_clients_that_stop_in_the_middle_do_not_stop_the_others(target: Target) -> None:
    # Fewer than there are threads: more than that is what the front in docs/publishing.md is for.
    stalled = []
    for data in (b"GET / HTT", b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nquery=") * 2:
        sock = target.raw()
        sock.sendall(data)
        stalled.append(sock)
    reader = target.raw()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.sendall(f"GET /sparql?query={quote(STREAMED)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    time.sleep(0.2)
    target.is_well()
    for sock in (*stalled, reader):
        sock.close()
    target.is_well()


def test_fifty_heavy_queries_at_once_and_then_a_light_one(target: Target) -> None:
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(target.ask(TEXTS["counted"]))) for _ in range(50)]
    for thread in threads:
        thread.start()
    # Pages do not wait for them, as long as there is a thread left to answer.
    for thread in threads:
        thread.join()
    assert set(seen) <= {503, 0}
    target.is_well()


# Chance


WORDS = """SELECT ASK CONSTRUCT DESCRIBE WHERE FILTER OPTIONAL UNION MINUS GRAPH BIND VALUES AS DISTINCT ORDER BY LIMIT
GROUP HAVING COUNT ( ) { } [ ] < > << >> . , ; * / | ^ ! ? + - = != && || ?s ?p ?o :a <a:b> "x" 'y' 1 2.0 true
EXISTS NOT IN BASE PREFIX : FROM NAMED a @en ^^ UNDEF <( )> _:b # \\ \u00e9 SERVICE LOAD""".split()


WHOLE = (
    "SELECT ?s ( COUNT ( * ) AS ?n ) { ?s ?p ?o FILTER ( ?o > 1 ) } GROUP BY ?s ORDER BY ?n LIMIT 5",
    "SELECT * { { ?s a ?c } UNION { ?s ?p 'x' @en } OPTIONAL { ?s ^ <a:b> / a ?y } } LIMIT 9 OFFSET 1",
    "CONSTRUCT { ?s ?p [ a ?o ] } WHERE { GRAPH ?g { ?s ?p ?o } MINUS { ?s a ?o } } LIMIT 5",
    "ASK FROM <a:b> { VALUES ( ?x ?y ) { ( 1 UNDEF ) } FILTER NOT EXISTS { ?x ?p ?y } BIND ( 1 + 1 AS ?z ) }",
    "SELECT DISTINCT ?o { { SELECT ?o { ?s ?p ?o } LIMIT 3 } ?o ?q ?r FILTER ( STRLEN ( STR ( ?o ) ) < 9 ) } LIMIT 9",
)


def random_words(chance: random.Random) -> str:
    start = chance.choice(["SELECT * { ", "ASK { ", "", "CONSTRUCT { "])
    return start + chance.choice([" ", ""]).join(chance.choices(WORDS, k=chance.randint(1, 30)))


def broken(chance: random.Random) -> str:
    """A query in which a few words were left out, doubled, exchanged or put in: many are queries still."""
    words = chance.choice(WHOLE).split()
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(words))
        words[at : at + 1] = chance.choice(
            ([], [words[at]] * 2, [chance.choice(words)], [words[at], chance.choice(WORDS)])
        )
    return " ".join(words)


def throw(target: Target, count: int, seed: int) -> None:
    chance, seen = random.Random(seed), Counter[int]()
    with closing(http.client.HTTPConnection(target.host, target.port, timeout=PATIENCE)) as connection:
        for number in range(count):
            text = chance.choice((random_words, broken))(chance)
            path = "/sparql?evidence=true" if number % 2 else "/sparql"
            connection.request("POST", path, text.encode(), QUERY)
            response = connection.getresponse()
            assert response.status in FINE, (response.status, text)
            try:
                body = response.read()
            except http.client.IncompleteRead:
                connection.close()  # a product of everything with everything, cut at the deadline
                continue
            seen[response.status] += 1
            if response.status == 400:
                assert json.loads(body)["detail"]
    assert seen[200] > count / 20, "some are answered"
    assert seen[400] > count / 2, seen
    target.is_well()


def test_words_in_any_order_are_answered(target: Target) -> None:
    throw(target, 2_000, seed=1)


@pytest.mark.soak
def test_ten_thousand_times_words_in_any_order(target: Target) -> None:
    throw(target, 10_000, seed=2)


def test_the_store_is_what_it_was(target: Target, release: Release) -> None:
    assert Release.open(release.path).manifest.digest == release.manifest.digest
    target.is_well()
