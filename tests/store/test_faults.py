"""An endpoint that fails costs a bounded time and memory, and none of its failures looks like an answer."""

from __future__ import annotations

import re
import resource
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode
from tests.patience import free_port
from tests.store.faults import FaultServer, fault_server

from kg import disk
from kg.build.elsewhere import reading
from kg.config import load
from kg.errors import EndpointBusy, EndpointError, EndpointTimeout, QueryError, QueryRefused
from kg.query.command import ask_endpoint
from kg.release import Release
from kg.site import create_app
from kg.site.lookups.state import Behind
from kg.store import slots
from kg.store.breaker import FAILURES, PAUSE, Breaker
from kg.store.credentials import Credentials
from kg.store.endpoint import Endpoint
from kg.store.expected import number
from kg.store.profiles import PROFILES
from kg.store.remote import BATCH, RemoteStore
from kg.store.slots import Slot

HASTY = 1.5
"""Seconds that those have who must run out of time."""

SECONDS = 120.0
"""Seconds that the others have: what they run into is something else, however busy the machine is."""

SOON = 30.0
"""Seconds within which both are over; without a deadline, or without other limits, it would be minutes."""

QUERY = "SELECT ?s ?p ?o { ?s ?p ?o }"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


@pytest.fixture
def endpoint(server: FaultServer) -> Endpoint:
    return Endpoint(server.address, PROFILES["generic"], seconds=SECONDS)


@pytest.mark.parametrize("fault", ["silent", "slow_head", "slow_body"])
def test_a_deadline_holds_for_the_whole_answer(server: FaultServer, fault: str) -> None:
    server.fault = fault
    endpoint, began = Endpoint(server.address, PROFILES["generic"], seconds=HASTY), time.monotonic()
    with pytest.raises(EndpointTimeout):
        endpoint.rows(QUERY)
    assert HASTY <= time.monotonic() - began < SOON


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("endless", EndpointError),
        ("endless_string", EndpointError),
        ("truncated", EndpointError),
        ("truncated_between_rows", EndpointError),
        ("broken_off", EndpointError),
        ("html", EndpointError),
        ("html_as_json", EndpointError),
        ("partial", EndpointTimeout),
        ("gave_up", EndpointTimeout),
        ("capped", EndpointError),
        ("pause_429", EndpointBusy),
        ("pause_503", EndpointBusy),
        ("failing", EndpointError),
        ("to_loopback", EndpointError),
        ("to_metadata", EndpointError),
        ("deep", EndpointError),
        ("deep_arrays", EndpointError),
        ("unbound", EndpointError),
        ("literals", EndpointError),
        ("other_columns", EndpointError),
        ("yes", EndpointError),
    ],
)
def test_a_failure_is_an_error_in_time_and_in_little_memory(
    server: FaultServer, endpoint: Endpoint, fault: str, error: type[EndpointError]
) -> None:
    server.fault = fault
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(EndpointError) as caught:
        endpoint.rows(QUERY, limit=1 << 20)
    assert type(caught.value) is error
    assert time.monotonic() - began < SOON
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("fault", ["unbound", "literals", "other_columns", "yes"])
def test_what_no_answer_to_our_questions_can_be_is_one_error_whoever_asks(
    server: FaultServer, endpoint: Endpoint, fault: str
) -> None:
    server.fault = fault
    store = RemoteStore(endpoint)
    database = sqlite3.connect(":memory:", factory=disk.Connection)
    for ask in (
        lambda: reading.read(database, store, "?s ?p ?o"),  # which asks for a number, too
        lambda: slots.read(endpoint, "http://localhost:8000/"),
        lambda: list(store.quads()),
        lambda: list(store.quads(NamedNode("http://example.org/s/1"))),
    ):
        with pytest.raises(EndpointError):
            ask()


@pytest.mark.parametrize("sent", ["", "many", "-", "9" * 5_000, "1.5"])
def test_a_count_that_is_no_number_is_an_error(sent: str) -> None:
    with pytest.raises(EndpointError, match="number"):
        number([[Literal(sent)]])
    with pytest.raises(EndpointError, match="number"):
        number([[None]] if sent else [])


def test_an_endpoint_that_is_not_there_is_an_error_at_once() -> None:
    endpoint = Endpoint(f"http://127.0.0.1:{free_port()}/", PROFILES["generic"])
    with pytest.raises(EndpointError, match="cannot be reached: Connection refused"):
        endpoint.rows(QUERY)


def test_the_pause_that_an_endpoint_asks_for_is_passed_on_and_kept(server: FaultServer, endpoint: Endpoint) -> None:
    server.fault = "pause_503"
    with pytest.raises(EndpointBusy) as caught:
        endpoint.rows(QUERY)
    assert caught.value.retry_after == 7
    server.fault, asked = "whole", server.requests
    with pytest.raises(EndpointBusy):
        endpoint.rows(QUERY)
    assert server.requests == asked


def test_a_page_reads_no_more_of_ten_million_rows_than_it_needs(server: FaultServer) -> None:
    server.fault = "ten_million"
    store = RemoteStore(Endpoint(server.address, PROFILES["generic"], seconds=60))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert len(list(islice(store.quads(), BATCH))) == BATCH
    assert time.process_time() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_after_some_failures_an_endpoint_is_left_alone_until_it_was_tried_again() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    for _ in range(FAILURES):
        breaker.enter()
        breaker.failed()
    with pytest.raises(EndpointBusy) as caught:
        breaker.enter()
    assert caught.value.retry_after == PAUSE
    now[0] += PAUSE
    breaker.enter()  # one goes to see
    with pytest.raises(EndpointBusy):
        breaker.enter()
    breaker.succeeded()
    breaker.enter()
    breaker.enter()


@pytest.mark.parametrize(
    "fault",
    [
        *("failing", "silent", "slow_body", "endless", "truncated", "broken_off", "html", "to_metadata", "deep"),
        *("unbound", "literals", "other_columns", "yes"),
    ],
)
def test_a_broken_endpoint_is_asked_no_more(server: FaultServer, fault: str) -> None:
    server.fault = fault
    seconds = 0.3 if fault in ("silent", "slow_body") else SECONDS
    endpoint = Endpoint(server.address, PROFILES["generic"], seconds=seconds)
    for _ in range(FAILURES):
        with pytest.raises(EndpointError) as caught:
            endpoint.rows(QUERY, limit=1 << 20)
        assert type(caught.value) is not EndpointBusy
    asked, began = server.requests, time.process_time()
    for _ in range(100):
        with pytest.raises(EndpointBusy):
            endpoint.rows(QUERY)
    assert server.requests == asked
    assert time.process_time() - began < 1


def test_what_fails_in_a_strangers_query_does_not_count_against_the_endpoint(
    server: FaultServer, endpoint: Endpoint
) -> None:
    server.fault = "failing"
    for _ in range(FAILURES * 2):
        with pytest.raises(EndpointError) as caught:
            endpoint.ask(QUERY, "SELECT", stranger=True)
        assert type(caught.value) is EndpointError
        assert "secret" not in str(caught.value)
    server.fault = "whole"
    assert len(endpoint.rows(QUERY)) == 1


def test_a_query_that_takes_exponential_time_to_look_at_is_sent_at_once(
    server: FaultServer, endpoint: Endpoint
) -> None:
    began = time.process_time()
    text = "PREFIX a: <x> " * 40 + "# " + "PREFIX a: <" * 40 + "\nSELECT * { ?s ?p ?o }"
    with endpoint.ask(text, "SELECT", stranger=True) as reply:
        assert len(list(reply.rows or ())) == 1
    assert time.process_time() - began < 2


LOCAL = (
    *("/", "/about", "/things", "/claims", "/search?q=ida", "/class/", "/ontology", "/browse", "/map", "/timeline"),
    *("/dumps/", "/health", "/report"),
)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("silent", 504), ("html", 502), ("truncated", 502), ("to_metadata", 502), ("deep", 502), ("pause_503", 503)],
)
def test_pages_that_need_a_broken_store_say_so_and_the_others_stay_up(
    server: FaultServer, project: Path, release: Release, fault: str, status: int
) -> None:
    server.fault = fault
    seconds = HASTY if fault == "silent" else SECONDS
    endpoint = Endpoint(server.address, PROFILES["generic"], seconds=seconds)
    config = load(project)
    # The deadline of strangers' queries is a setting of its own.
    config = replace(config, query={**config.query, "deadline": seconds, "max_deadline": seconds})
    app = create_app(release, config, behind=Behind(endpoint, Slot(config.base, "a")))
    client = app.test_client()
    answer = client.post("/sparql", data={"query": QUERY}, headers={"Accept": "text/csv"})
    assert answer.status_code == status
    found = [client.get("/page/ida-vik", headers={"Accept": "text/html"})]
    while found[-1].status_code != HTTPStatus.SERVICE_UNAVAILABLE:  # until the store is left alone
        found.append(client.get("/page/ida-vik", headers={"Accept": "text/html"}))
        assert len(found) <= FAILURES + 2
    assert found[0].status_code == status
    assert {page.status_code for page in found} <= {status, HTTPStatus.SERVICE_UNAVAILABLE}
    assert int(found[-1].headers["Retry-After"]) > 0
    local = {path: client.get(path, headers={"Accept": "text/html"}).status_code for path in LOCAL}
    assert local == dict.fromkeys(LOCAL, 200)
    app.extensions["kg"].close()


@pytest.mark.parametrize("fault", ["html", "truncated", "capped", "to_loopback", "pause_429", "partial", "deep"])
def test_kg_query_has_the_same_errors_and_names_the_endpoint(
    server: FaultServer, endpoint: Endpoint, fault: str
) -> None:
    server.fault = fault
    with pytest.raises(QueryError, match=f"^{re.escape(server.address)}: "):
        list(ask_endpoint(endpoint, QUERY, "csv"))


def test_kg_query_writes_what_an_endpoint_answers_in_every_format(server: FaultServer, endpoint: Endpoint) -> None:
    found = {kind: b"".join(ask_endpoint(endpoint, QUERY, kind)) for kind in ("csv", "tsv", "json", "xml")}
    assert found["csv"].split() == [
        b"s,p,o",
        b",".join(b"http://example.org/%b/1" % name for name in (b"s", b"p", b"o")),
    ]
    assert all(b"http://example.org/o/1" in body for body in found.values())
    with pytest.raises(QueryRefused):
        list(ask_endpoint(endpoint, "DROP ALL", None))


def test_a_password_is_shown_nowhere() -> None:
    known = Credentials("me", "hunter2")
    assert "hunter2" not in repr(known) + str(known)
    with pytest.raises(Exception, match="environment") as caught:
        Endpoint("http://me:hunter2@example.org/", PROFILES["generic"])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "user", "sent"),
    [
        ("generic", "", "Bearer hunter2"),
        ("oxigraph", "", "Bearer hunter2"),
        ("virtuoso", "", "Bearer hunter2"),
        ("qlever", "me", "Bearer hunter2"),
        ("oxigraph", "mé", "Basic bcOpOmh1bnRlcjI="),
        ("virtuoso", "me", None),  # which asks for it (Digest)
    ],
)
def test_a_password_alone_is_a_token_wherever_it_is_sent(
    server: FaultServer, profile: str, user: str, sent: str | None
) -> None:
    endpoint = Endpoint(
        server.address,
        PROFILES[profile],
        update=server.address,
        data=server.address,
        credentials=Credentials(user, "hunter2"),
        seconds=SECONDS,
    )
    list(endpoint.rows(QUERY))
    endpoint.update("INSERT DATA {}")
    endpoint.upload(b"")
    assert server.authorization == [sent] * 3
