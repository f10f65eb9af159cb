"""The narrowest thing the site needs of a store: the quads that match a pattern."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

Subject = NamedNode | BlankNode
Term = NamedNode | BlankNode | Literal
Graph = NamedNode | BlankNode | DefaultGraph


class Store(Protocol):
    """A read-only dataset. ``None`` in a place matches everything, all graphs included."""

    def quads(
        self,
        subject: Subject | None = None,
        predicate: NamedNode | None = None,
        object: Term | None = None,
        graph: Graph | None = None,
    ) -> Iterator[Quad]:
        """The matching quads, in no particular order."""
        ...

    def close(self) -> None:
        """Free what the store holds; it must not be used afterwards."""
        ...
