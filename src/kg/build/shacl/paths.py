"""Property paths (https://www.w3.org/TR/shacl/#property-paths): from a node of the shapes graph to a walk over tables.

A path is read once and bound to the data once; then ``walk(node)`` gives the node's values, each once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from rdflib import RDF, BNode, Graph, URIRef
from rdflib.collection import Collection as RdfList
from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import SH, NotCovered, Term

Walk = Callable[[Term], Collection[Term]]

MAX_DEPTH = 8
"""Levels of a path; the reference gives up at ten, and a list takes one for each of its members."""

_KINDS = {
    "sequence": RDF.first,
    **{
        kind: URIRef(SH + kind)
        for kind in ("inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
    },
}


@dataclass(frozen=True, slots=True)
class Path:
    """``kind`` is the local name of SHACL's property, ``predicate``, ``inverse`` or ``sequence``."""

    kind: str
    predicate: str = ""
    parts: tuple[Path, ...] = ()

    def predicates(self) -> Iterator[str]:
        """The predicates whose tables a walk needs."""
        if self.predicate:
            yield self.predicate
        for part in self.parts:
            yield from part.predicates()

    def bound(self, data: Data) -> Walk:
        """The walk over these data."""
        return _BOUND[self.kind](self, data)


def read_path(graph: Graph, node: Node, depth: int = 0) -> Path:
    """The path that a node of the shapes graph stands for.

    :raises NotCovered: if it is ill-formed, too deep, or one that the reference walks in its own way.
    """
    if isinstance(node, URIRef):
        return Path("predicate", str(node))
    if not isinstance(node, BNode) or depth >= MAX_DEPTH:
        raise NotCovered("a path that is ill-formed or too deep")
    found = [(kind, value) for kind in _KINDS for value in graph.objects(node, _KINDS[kind])]
    if len(found) != 1:
        raise NotCovered("a path of no known kind, or two paths in one")
    kind, inner = found[0]
    if kind == "sequence":
        return Path(kind, parts=_members(graph, node, depth))
    return _unary(graph, kind, inner, depth)


def _unary(graph: Graph, kind: str, inner: Node, depth: int) -> Path:
    if kind == "alternativePath":
        return Path(kind, parts=_members(graph, inner, depth))
    part = read_path(graph, inner, depth + 1)
    if kind != "inversePath":
        return Path(kind, parts=(part,))
    if part.kind != "predicate":
        # The reference walks the inverse of a sequence forwards.
        raise NotCovered("the inverse of a path that is no predicate")
    return Path("inverse", part.predicate)


def _members(graph: Graph, node: Node, depth: int) -> tuple[Path, ...]:
    members = list(RdfList(graph, node)) if _is_list(graph, node) else []
    if len(members) < 2 or depth + len(members) > MAX_DEPTH:
        raise NotCovered("a list of paths that is ill-formed, too short or too long")
    return tuple(read_path(graph, member, depth + position + 1) for position, member in enumerate(members))


def _is_list(graph: Graph, node: Node) -> bool:
    """Whether a list is well-formed and short (section 1.3)."""
    for _ in range(MAX_DEPTH + 1):
        if node == RDF.nil:
            return True
        rest = list(graph.objects(node, RDF.rest))
        if len(rest) != 1 or len(list(graph.objects(node, RDF.first))) != 1:
            return False
        node = rest[0]
    return False


def _predicate(path: Path, data: Data) -> Walk:
    table = data.forward(path.predicate)
    return lambda node: table.get(node, ())


def _inverse(path: Path, data: Data) -> Walk:
    table = data.backward(path.predicate)
    return lambda node: table.get(node, ())


def _sequence(path: Path, data: Data) -> Walk:
    steps = [part.bound(data) for part in path.parts]

    def walk(node: Term) -> Collection[Term]:
        here: Collection[Term] = (node,)
        for step in steps:
            here = {value for one in here for value in step(one)}
        return here

    return walk


def _alternative(path: Path, data: Data) -> Walk:
    steps = [part.bound(data) for part in path.parts]
    return lambda node: {value for step in steps for value in step(node)}


def _closure(step: Walk, node: Term) -> set[Term]:
    found: set[Term] = set()
    waiting = list(step(node))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += step(one)
    return found


def _one_or_more(path: Path, data: Data) -> Walk:
    step = path.parts[0].bound(data)
    return lambda node: _closure(step, node)


def _zero_or_more(path: Path, data: Data) -> Walk:
    step = path.parts[0].bound(data)
    return lambda node: _closure(step, node) | {node}


def _zero_or_one(path: Path, data: Data) -> Walk:
    step = path.parts[0].bound(data)
    return lambda node: {node, *step(node)}


_BOUND: dict[str, Callable[[Path, Data], Walk]] = {
    "predicate": _predicate,
    "inverse": _inverse,
    "sequence": _sequence,
    "alternativePath": _alternative,
    "oneOrMorePath": _one_or_more,
    "zeroOrMorePath": _zero_or_more,
    "zeroOrOnePath": _zero_or_one,
}
