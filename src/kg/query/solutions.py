"""Solutions of the engine as texts of TSV, handed over as it makes them.

The engine writes rows several times as fast as it hands them out one by one.
"""

from __future__ import annotations

from collections.abc import Callable

from pyoxigraph import QueryResultsFormat, QuerySolutions

from kg.query.rows import Row

Take = Callable[[list[Row]], None]
"""Takes some rows; what it raises ends the query."""


def hand_over(solutions: QuerySolutions, take: Take) -> None:
    """Hand over each solution as a row, some at a time; unbound variables are empty texts."""
    solutions.serialize(_Lines(take), QueryResultsFormat.TSV)  # type: ignore[arg-type]


class _Lines:
    """A file to which the engine writes TSV."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._rest = b""
        self._head = True

    def write(self, data: bytes) -> int:
        whole, end, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if end:
            lines = whole.decode().split("\n")
            rows: list[Row] = [line.split("\t") for line in (lines[1:] if self._head else lines)]
            self._head = False
            self._take(rows)
        return len(data)

    def flush(self) -> None:
        """Rows are handed over as they come."""
