"""``/metrics`` counts what happened, in every web process; whoever asks too much is told when to come back."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from tests.patience import PATIENCE

from kg.config import Config, Serve
from kg.release import Release
from kg.site import create_app
from kg.site.serving.counters import Counters

ROWS = "SELECT * { ?s ?p ?o } LIMIT 3"


def read(text: str) -> dict[str, float]:
    """Prometheus's text format: each sample once, each family announced before its samples."""
    samples: dict[str, float] = {}
    announced = ""
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            announced = line.split()[2]
        elif not line.startswith("#"):
            match = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? (\S+)', line)
            assert match, line
            assert match[1].startswith(announced)
            assert match[1] + (match[2] or "") not in samples
            samples[match[1] + (match[2] or "")] = float(match[3])
    return samples


@pytest.fixture
def strict(release: Release, config: Config) -> Iterator[FlaskClient]:
    """A site that lets each client make two errors a minute."""
    app = create_app(release, replace(config, serve=Serve(errors=2)))
    yield app.test_client(use_cookies=False)
    app.extensions["kg"].close()


def test_queries_are_counted_by_what_became_of_them(strict: FlaskClient) -> None:
    for query in (ROWS, ROWS, "SELECT * {", "SELECT * { SERVICE <a:b> {} }", ROWS):
        strict.get("/sparql", query_string={"query": query}, buffered=True)
    response = strict.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    found = read(response.text)
    counted = {name: value for name, value in found.items() if name.startswith("kg_queries_total") and value}
    assert counted == {
        'kg_queries_total{outcome="answered"}': 2,
        'kg_queries_total{outcome="refused"}': 2,
        'kg_queries_total{outcome="limited"}': 1,
    }
    assert found["kg_query_seconds_count"] == found['kg_query_seconds_bucket{le="+Inf"}'] == 5
    assert found['kg_query_workers{state="busy"}'] == 0


def test_whoever_asks_too_much_gets_429_and_pages_all_the_same(strict: FlaskClient) -> None:
    assert strict.get("/sparql?query=ASK%7B%7D").status_code == 200  # its process has started
    began = time.monotonic()
    for _ in range(2):
        assert strict.get("/sparql?query=x").status_code == 400
    response = strict.get("/sparql", query_string={"query": ROWS})
    assert (response.status_code, response.content_type) == (429, "application/problem+json")
    problem = json.loads(response.data)
    assert int(response.headers["Retry-After"]) == problem["retry_after"]
    # An error is forgiven in half a minute, of which some seconds may have passed.
    assert 30 - (time.monotonic() - began) - 1 <= problem["retry_after"] <= 30
    page = strict.get("/query", query_string={"query": ROWS}, headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= problem["retry_after"]
    assert "Too many queries from one address" in page.text
    for path in ("/page/north-pier", "/sparql", "/query", "/health"):
        assert strict.get(path).status_code == 200, path


# Here the child only counts.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_the_counts_of_all_processes_are_one_and_never_fall() -> None:
    counters = Counters()
    name = 'kg_queries_total{outcome="answered"}'
    counters.query("answered", 0.05)
    for _ in range(3):
        child = os.fork()
        if not child:
            counters.query("answered", 0.05)
            os._exit(0)
        os.waitpid(child, 0)
    assert counters.total(name) == 4
    assert counters.total("kg_query_seconds_sum") == pytest.approx(0.2)
    rows = counters._table.tolist()[:: len(counters._table) // 64]
    assert sum(1 for pid in rows if pid) == 2, "a row is taken over"


def test_a_server_counts_requests_by_route_and_status(address: str) -> None:
    def metrics() -> dict[str, float]:
        with urllib.request.urlopen(address + "metrics", timeout=PATIENCE) as response:
            return read(response.read().decode())

    before = metrics()
    for path in ("page/north-pier", "page/north-pier", "page/nothing", "sparql?query=" + quote(ROWS)):
        try:
            urllib.request.urlopen(address + path, timeout=PATIENCE).close()
        except urllib.error.HTTPError as e:
            e.close()
    after = metrics()
    more = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert more['kg_requests_total{route="page",status="2xx"}'] == 2
    assert more['kg_requests_total{route="page",status="4xx"}'] == 1
    assert more['kg_requests_total{route="sparql",status="2xx"}'] == 1
    assert more['kg_requests_total{route="other",status="2xx"}'] == 1
    assert any(name.startswith("kg_release_info{version=") for name in after)
