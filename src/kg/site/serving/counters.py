"""Counts for ``/metrics``, of all web processes together, in the text format of Prometheus.

The web processes are forks of one: the counts lie in memory that they share, a row for each process, which writes to
its own row only. A process that takes the place of one that has ended goes on counting in its row, so that no count
ever falls.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ENVIRON = "kg.counters"
PROCESSES = 64
"""Web processes that can count; more are served and not counted."""

ROUTES = ("sparql", "query", "page", "data", "id", "claim", "document", "passage", "search", "dumps", "static", "other")
STATUSES = ("2xx", "3xx", "4xx", "429", "5xx", "503")
OUTCOMES = (
    *("answered", "left", "refused", "busy", "limited", "failed"),
    *("killed_deadline", "killed_memory", "killed_rows", "killed_bytes"),
)
BUCKETS = (0.01, 0.1, 1.0, 10.0)
"""Upper bounds of the histogram of query seconds."""

WORKERS = ("busy", "idle", "waiting")

_REQUESTS = [f'kg_requests_total{{route="{route}",status="{status}"}}' for route in ROUTES for status in STATUSES]
_QUERIES = [f'kg_queries_total{{outcome="{outcome}"}}' for outcome in OUTCOMES]
_SECONDS = [f'kg_query_seconds_bucket{{le="{bound:g}"}}' for bound in BUCKETS]
_SECONDS += ['kg_query_seconds_bucket{le="+Inf"}', "kg_query_seconds_sum", "kg_query_seconds_count"]
_FAMILIES = (
    ("kg_requests_total", "counter", "Requests by the first part of their path and by status.", _REQUESTS),
    ("kg_remembered_total", "counter", "Requests answered from memory.", ["kg_remembered_total"]),
    ("kg_queries_total", "counter", "Queries by what became of them.", _QUERIES),
    ("kg_query_seconds", "histogram", "Seconds from a query's start to its last byte.", _SECONDS),
)
_REQUEST: dict[tuple[str, int], str] = {}
_NAMES = [name for *_, names in _FAMILIES for name in names]
_INDEX = {name: index for index, name in enumerate(_NAMES)}
_BUCKETS = [(bound, _INDEX[f'kg_query_seconds_bucket{{le="{bound:g}"}}']) for bound in BUCKETS]
_BUCKETS += [(math.inf, _INDEX['kg_query_seconds_bucket{le="+Inf"}'])]
_COUNT, _SUM = _INDEX["kg_query_seconds_count"], _INDEX["kg_query_seconds_sum"]
_WIDTH = len(_NAMES) + 1  # the first number of a row is the process
_DOUBLE = 8


_forks = 0
"""How many forks lie between this process and the first, so that one notices that it is another than it was."""


def _forked() -> None:
    global _forks  # noqa: PLW0603
    _forks += 1


os.register_at_fork(after_in_child=_forked)


class Counters:
    """See the module. Make it before the web processes are forked."""

    def __init__(self) -> None:
        self._file = os.memfd_create("kg-counters")
        os.ftruncate(self._file, PROCESSES * _WIDTH * _DOUBLE)
        self._table = memoryview(mmap.mmap(self._file, PROCESSES * _WIDTH * _DOUBLE)).cast("d")
        self._forks = -1
        self._row: int | None = None
        self._lock = threading.Lock()

    def add(self, name: str, amount: float = 1) -> None:
        """Count; a name is a metric with its labels. One that is not known is not counted."""
        index = _INDEX.get(name)
        if index is not None:
            self._add(((index, amount),))

    def _add(self, amounts: Iterable[tuple[int, float]]) -> None:
        with self._lock:
            row = self._own_row()
            if row is not None:
                for index, amount in amounts:
                    self._table[row + 1 + index] += amount

    def request(self, route: str, status: int, *, remembered: bool = False) -> None:
        """Count a request, by the first part of its path."""
        name = _REQUEST.get((route, status)) or _request(route, status)
        self.add(name)
        if remembered:
            self.add("kg_remembered_total")

    def query(self, outcome: str, seconds: float) -> None:
        """Count a query that has ended."""
        amounts = [(index, 1.0) for bound, index in _BUCKETS if seconds <= bound]
        amounts += [(_COUNT, 1.0), (_SUM, seconds)]
        known = _INDEX.get(f'kg_queries_total{{outcome="{outcome}"}}')
        if known is not None:
            amounts.append((known, 1.0))
        self._add(amounts)

    def total(self, name: str) -> float:
        """The count of all processes."""
        index = _INDEX[name]
        return sum(self._table[row + 1 + index] for row in _rows() if self._table[row])

    def text(self, release: str, workers: Mapping[str, int]) -> str:
        """What ``/metrics`` says; ``workers`` is how many of them do what (:meth:`kg.query.pool.Pool.statistics`)."""
        lines = [
            "# HELP kg_release_info The release that is served.",
            "# TYPE kg_release_info gauge",
            f'kg_release_info{{version="{release}"}} 1',
        ]
        for family, kind, meaning, names in _FAMILIES:
            lines += [f"# HELP {family} {meaning}", f"# TYPE {family} {kind}"]
            lines += [f"{name} {self.total(name):.15g}" for name in names]
        lines += ["# HELP kg_query_workers Query workers by what they do, and queries that wait for one."]
        lines += ["# TYPE kg_query_workers gauge"]
        lines += [f'kg_query_workers{{state="{state}"}} {workers.get(state, 0)}' for state in WORKERS]
        return "\n".join(lines) + "\n"

    def _own_row(self) -> int | None:
        """The row of this process, which takes one at its first count."""
        if self._forks != _forks:
            self._forks = _forks
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                free = (row for row in _rows() if not self._table[row] or not self._is_alive(row))
                self._row = next(free, None)
                if self._row is not None:
                    self._table[self._row] = os.getpid()
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
        return self._row

    def _is_alive(self, row: int) -> bool:
        return Path(f"/proc/{int(self._table[row])}").exists()


def _rows() -> Iterator[int]:
    return iter(range(0, PROCESSES * _WIDTH, _WIDTH))


def _request(route: str, status: int) -> str:
    known = route if route in ROUTES else "other"
    group = str(status) if str(status) in STATUSES else f"{status // 100}xx"
    name = f'kg_requests_total{{route="{known}",status="{group}"}}'
    if known == route:  # strangers choose the others, without end
        _REQUEST[route, status] = name
    return name
