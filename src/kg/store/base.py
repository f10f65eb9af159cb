"""The narrowest thing the site needs of a store: the quads that match a pattern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        """The matching quads, in no particular order.

        :raises EndpointError: here or while they are read, if the store is far away and fails.
        """
        ...

    def expect(self, subjects: Iterable[str], predicates: Sequence[NamedNode] = ()) -> None:
        """Say of which IRIs the default graph will be asked next, and for which predicates (none: for all).

        A store that is far away asks for all of them at once. It changes no answer.
        """
        ...

    def close(self) -> None:
        """Free what the store holds; it must not be used afterwards."""
        ...
