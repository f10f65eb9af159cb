"""What tests of queries share: a small store in a folder, pools over it, and a look at our processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store
from tests.patience import PATIENCE

from kg.errors import QueryKilled
from kg.query.base import Answer, Query
from kg.query.limits import MIB, Limits
from kg.query.pool import Pool

BASE = "http://example.org/"
GRAPH = NamedNode(BASE + "graph")
SIZE = 20_000
ROUGH = ', "quoted"\r\n},{" <result>'


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 triples in the default graph, one more in a named graph; values with every sign that formats escape."""
    path = tmp_path_factory.mktemp("query") / "store"
    made = Store(str(path))
    says = NamedNode(BASE + "says")
    made.bulk_extend(Quad(NamedNode(f"{BASE}{n}"), says, Literal(str(n) + ROUGH)) for n in range(SIZE))
    made.add(Quad(NamedNode(BASE + "other"), says, Literal("elsewhere"), GRAPH))
    made.flush()
    del made
    return path


Make = Callable[..., Pool]


@contextmanager
def making(store: Path) -> Iterator[Make]:
    pools: list[Pool] = []

    def make(**limits: float) -> Pool:
        chosen = {"workers": 2, "deadline": 60, "wait": PATIENCE, "memory": 512 * MIB, **limits}
        pools.append(Pool(store, BASE, Limits.from_settings(chosen)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def make_pool(store: Path) -> Iterator[Make]:
    """Makes pools with limits of their own; they are closed after the test."""
    with making(store) as make:
        yield make


@pytest.fixture(scope="session")
def pool(store: Path) -> Iterator[Pool]:
    """A pool that tests share which do not break it."""
    with making(store) as make:
        yield make()


def children(pid: int | None = None) -> set[int]:
    """Every process below one, itself not counted."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    frontier = {os.getpid() if pid is None else pid}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier}
        found |= frontier
    return found


DEADLINES = (0.5, 2.0, 8.0, 30.0)


def begun(pool: Pool, text: str, media_type: str = "text/csv") -> Answer:
    """The answer to a query without end, of which the first bytes are here before its deadline.

    The deadline is the shortest in which this machine gets so far.
    """
    for seconds in DEADLINES:
        with suppress(QueryKilled):
            return pool.run(Query(text, media_type, timeout=seconds))
    pytest.fail("no answer has begun before its deadline")
