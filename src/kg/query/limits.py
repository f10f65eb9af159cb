"""What a stranger's query may use. The values stand in kg.toml, and ``/sparql`` publishes them.

::

    [query]
    deadline = 10          # seconds of wall time until a query is killed; a request may ask for less
    max_deadline = 60      # seconds; the most that deadline may be set to
    memory = 1073741824    # bytes above what a worker needs to open the store
    rows = 10000000        # rows or triples of one answer
    bytes = 4294967296     # bytes of one answer
    depth = 128            # levels of brackets
    workers = 2            # queries that run at once (default: one a processor)
    spares = 1             # processes that stand ready beside them
    wait = 5               # seconds that a query waits for a free worker
    queue = 64             # queries that wait at once
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from kg.bounds import processors
from kg.errors import ConfigError

MIB = 1 << 20


def _default_workers() -> int:
    return min(max(processors(), 2), 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one pool; see the module for units."""

    deadline: float = 10.0
    max_deadline: float = 60.0
    memory: int = 1024 * MIB
    rows: int = 10_000_000
    bytes: int = 4096 * MIB
    depth: int = 128
    workers: int = field(default_factory=_default_workers)
    spares: int = 1
    wait: float = 5.0
    queue: int = 64

    def __post_init__(self) -> None:
        """:raises ConfigError: for a value that cannot be kept."""
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"query.{name} must be between {low} and {high}, not {value}")
        if self.deadline > self.max_deadline:
            raise ConfigError(
                f"query.deadline must be at most max_deadline ({self.max_deadline:g}), not {self.deadline:g}"
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Limits:
        """The limits that kg.toml's ``[query]`` table asks for.

        >>> Limits.from_settings({"deadline": 5}).deadline
        5.0
        >>> Limits.from_settings({"dedline": 5})
        Traceback (most recent call last):
        kg.errors.ConfigError: unknown setting query.dedline; known: bytes, deadline, depth, ...

        :raises ConfigError: for a name or a value that is not known.
        """
        values: dict[str, float] = {}
        known = {f.name: f.type for f in fields(cls)}
        for name, value in settings.items():
            if name not in known:
                raise ConfigError(f"unknown setting query.{name}; known: {', '.join(sorted(known))}")
            if known[name] == "int" and value != int(value):
                raise ConfigError(f"query.{name} must be a whole number, not {value}")
            values[name] = int(value) if known[name] == "int" else float(value)
        return cls(**values)  # type: ignore[arg-type]  # int or float by the field's own type, just above

    def seconds(self, asked: float | None) -> float:
        """The deadline of one query: a request may lower it, never raise it."""
        return self.deadline if asked is None else min(asked, self.deadline)


_BOUNDS: dict[str, tuple[float, float]] = {
    "deadline": (0.05, 3600),
    "max_deadline": (0.05, 3600),
    # Below 64 MiB even an honest ORDER BY fails; 1 << 40 is beyond every machine this runs on.
    "memory": (64 * MIB, 1 << 40),
    "rows": (1, 1 << 40),
    "bytes": (1024, 1 << 50),
    # Deeper, and the engine's recursion leaves the stack.
    "depth": (1, 512),
    "workers": (1, 256),
    "spares": (0, 64),
    "wait": (0, 600),
    "queue": (0, 10_000),
}
