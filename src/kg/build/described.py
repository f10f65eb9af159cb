"""The triples of one subject, for reading single values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg.model import SourceQuad


class Described:
    """The triples of one subject in a file's default graph, for reading single values."""

    def __init__(self, quads: Iterable[SourceQuad]) -> None:
        self.quads = list(quads)
        self.place = self.quads[0].place

    def values(self, predicate: str) -> list[SourceQuad]:
        return [q for q in self.quads if q.quad.predicate.value == predicate]

    def text(self, predicate: str) -> str | None:
        """The value (lexical form or IRI) of the first triple with this predicate."""
        for q in self.values(predicate):
            if isinstance(q.quad.object, NamedNode | Literal):
                return q.quad.object.value
        return None

    def number(self, predicate: str) -> int | None:
        text = self.text(predicate)
        return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else None


def by_subject(quads: Iterable[SourceQuad]) -> dict[str, Described]:
    """Quads of the default graph by subject IRI; blank nodes go with whoever names them."""
    groups: dict[str, list[SourceQuad]] = defaultdict(list)
    for q in quads:
        if q.quad.graph_name == DefaultGraph() and isinstance(q.quad.subject, NamedNode):
            groups[q.quad.subject.value].append(q)
    return {iri: Described(group) for iri, group in groups.items()}


def iris_of(described: Described, predicate: str) -> list[str]:
    """The IRIs that are values of a property."""
    return [q.quad.object.value for q in described.values(predicate) if isinstance(q.quad.object, NamedNode)]
