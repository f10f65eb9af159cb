"""What the engine says: results, as SHACL's report has them, and refusals (https://www.w3.org/TR/shacl/#results).

Terms are pyoxigraph's while shapes are checked and rdflib's in results: shapes are read by pyshacl, whose parts also
make the messages of shapes that have none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Node

from kg import vocab
from kg.errors import KgError

SH = vocab.SH

_INTEGER = NamedNode(vocab.XSD + "integer")
_WHOLE = re.compile(r"-?[0-9]{1,18}")

Term = NamedNode | BlankNode | Literal
"""An RDF 1.1 term of the data."""

Values = Sequence[tuple[Term, Collection[Term]]]
"""Focus nodes, each once, with their value nodes, each once (https://www.w3.org/TR/shacl/#value-nodes).

Pairs and no mapping: hashing a term is what takes the time, so checks look terms up only where they must.
"""


class NotCovered(KgError):
    """The engine cannot check a shape exactly as the reference does; the message says why. Never shown to users."""


@dataclass(frozen=True, slots=True)
class Result:
    """A validation result. ``details`` are the results of ``sh:node`` that explain it (section 3.6.2.4)."""

    focus: Node
    path: Node | None
    value: Node | None
    component: Node
    severity: Node
    shape: Node
    messages: frozenset[Node]
    details: tuple[Result, ...] = ()


def with_details(results: Iterable[Result]) -> Iterator[Result]:
    """Every result, and the details of each, as many times as the report has them."""
    for result in results:
        yield result
        yield from with_details(result.details)


def to_rdflib(node: object) -> Node:
    """A pyoxigraph term as rdflib's, with its lexical form kept."""
    if isinstance(node, NamedNode):
        return URIRef(node.value)
    if isinstance(node, BlankNode):
        return BNode(node.value)
    if not isinstance(node, Literal):
        raise TypeError(f"not an RDF 1.1 term: {node!r}")
    if node.language is not None:
        return RdflibLiteral(node.value, lang=node.language)
    if node.datatype.value == vocab.XSD + "string":
        # Without a datatype, as rdflib's own parsers give it: the two are different terms to it.
        return RdflibLiteral(node.value)
    return RdflibLiteral(node.value, datatype=URIRef(node.datatype.value), normalize=False)


def from_rdflib(node: object) -> Term:
    """The opposite of :func:`to_rdflib`."""
    if isinstance(node, URIRef):
        return NamedNode(str(node))
    if isinstance(node, BNode):
        return BlankNode(str(node))
    if not isinstance(node, RdflibLiteral):
        raise TypeError(f"not an RDF term: {node!r}")
    if node.language is not None:
        return Literal(str(node), language=node.language)
    if node.datatype is None:
        return Literal(str(node))
    return Literal(str(node), datatype=NamedNode(str(node.datatype)))


def whole(node: Term) -> int | None:
    """The value of an ``xsd:integer`` in digits: the one datatype that needs no rdflib to be compared."""
    if isinstance(node, Literal) and _WHOLE.fullmatch(node.value) and node.datatype == _INTEGER:
        return int(node.value)
    return None


def to_graph(quads: Iterable[Quad]) -> Graph:
    """An rdflib graph of the triples, graph names left out."""
    graph = Graph()
    for quad in quads:
        graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    return graph
