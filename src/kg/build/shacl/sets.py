"""Constraint components that look at all value nodes of a focus node, or at its other properties.

Cardinality (https://www.w3.org/TR/shacl/#core-components-count), pairs of properties (section 4.5), unique languages,
closed shapes and required values (sections 4.4.5, 4.8.1, 4.8.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode
from rdflib import RDF, RDFS, XSD, BNode, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import SH, NotCovered, Term, Values, from_rdflib, whole
from kg.build.shacl.plan import Check, Find, Hit, Plan


def per_focus(count: Callable[[Collection[Term]], int]) -> Find:
    """So many hits without a value for each focus node."""

    def find(plan: Plan, check: Check, _data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for focus, nodes in values:
            if times := count(nodes):
                yield from [(focus, Hit(plan, check, focus))] * times

    return find


def _length(wrong: Callable[[int], bool]) -> Find:
    """A hit without a value for each focus node with a wrong number of value nodes."""

    def find(plan: Plan, check: Check, _data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        # Few numbers occur, so the question is asked once for each.
        bad = {length for length in {len(nodes) for _, nodes in values} if wrong(length)}
        if bad:
            yield from ((focus, Hit(plan, check, focus)) for focus, nodes in values if len(nodes) in bad)

    return find


def min_count(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:minCount`` (section 4.2.1)."""
    least = int(str(parameters[0]))
    return _length(lambda length: length < least)


def max_count(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:maxCount`` (section 4.2.2)."""
    most = int(str(parameters[0]))
    return _length(lambda length: length > most)


def has_value(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:hasValue`` (section 4.8.2)."""
    wanted = [from_rdflib(node) for node in dict.fromkeys(parameters)]
    return per_focus(lambda nodes: sum(value not in nodes for value in wanted))


def unique_lang(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:uniqueLang`` (section 4.4.5): only the literal ``true`` switches it on."""
    if not boolean(parameters[0]):
        return per_focus(lambda _: 0)

    def repeated(nodes: Collection[Term]) -> int:
        if len(nodes) < 2:
            return 0
        tags = Counter(node.language.lower() for node in nodes if isinstance(node, Literal) and node.language)
        return sum(times > 1 for times in tags.values())

    return per_focus(repeated)


def boolean(node: Node) -> bool:
    """A parameter that is ``true`` or ``false``, so written: on ``1`` SHACL and the reference differ."""
    if not isinstance(node, RdflibLiteral) or node.datatype != XSD.boolean or str(node) not in ("true", "false"):
        raise NotCovered("a parameter that should be true or false")
    return str(node) == "true"


def equals(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:equals`` (section 4.5.1)."""
    return _compared(parameters, lambda nodes, others: [*(set(nodes) - set(others)), *(set(others) - set(nodes))])


def disjoint(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:disjoint`` (section 4.5.2)."""
    return _compared(parameters, lambda nodes, others: set(nodes) & set(others))


def _compared(
    parameters: Sequence[Node], wrong: Callable[[Collection[Term], Collection[Term]], Collection[Term]]
) -> Find:
    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for parameter in dict.fromkeys(parameters):
            table = data.forward(str(parameter))
            for focus, nodes in values:
                for node in wrong(nodes, table.get(focus, ())):
                    yield focus, Hit(plan, check, focus, node)

    return find


def less_than(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:lessThan`` (section 4.5.3)."""
    return _ordered(parameters, or_equal=False)


def less_than_or_equals(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:lessThanOrEquals`` (section 4.5.4)."""
    return _ordered(parameters, or_equal=True)


def _ordered(parameters: Sequence[Node], *, or_equal: bool) -> Find:
    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for parameter in dict.fromkeys(parameters):
            table = data.forward(str(parameter))
            for focus, nodes in values:
                if any(isinstance(node, BlankNode) for node in nodes):
                    raise NotCovered("the order of a blank node")
                for other in table.get(focus, ()):
                    for node in nodes:
                        if not _before(node, other, data, or_equal=or_equal):
                            yield focus, Hit(plan, check, focus, node)

    return find


def _before(one: Term, other: Term, data: Data, *, or_equal: bool) -> bool:
    """Whether one term comes before the other, in the reference's order of literals."""
    small, large = whole(one), whole(other)
    if small is not None and large is not None:
        return small < large or (or_equal and small == large)
    left, right = _comparable(data.node(one)), _comparable(data.node(other))
    if isinstance(left, str) is not isinstance(right, str):
        # rdflib's literals are strings too; only those whose value is one are compared as such.
        return False
    try:
        return bool(left <= right if or_equal else left < right)
    except TypeError:
        raise NotCovered("literals that the reference cannot compare") from None


class _Ordered:
    """A literal whose value is no string, compared as rdflib compares literals."""

    def __init__(self, literal: Node) -> None:
        self.literal: Any = literal

    def __lt__(self, other: _Ordered) -> bool:
        return bool(self.literal < other.literal)

    def __le__(self, other: _Ordered) -> bool:
        return bool(self.literal <= other.literal)


def _comparable(node: Node) -> Any:
    if isinstance(node, BNode):
        raise NotCovered("the order of a blank node")
    if isinstance(node, RdflibLiteral):
        return str(node.value) if isinstance(node.value, str) else _Ordered(node)
    return str(node)


def closed(_parameters: Sequence[Node], constraint: Any) -> Find:
    """``sh:closed`` with ``sh:ignoredProperties`` (section 4.8.1)."""
    shape, graph = constraint.shape, constraint.shape.sg.graph
    lists = list(shape.objects(URIRef(SH + "ignoredProperties")))
    allowed = {str(node) for head in lists for node in graph.items(head) if isinstance(node, URIRef)}
    for property_ in shape.objects(URIRef(SH + "property")):
        allowed |= {str(path) for path in graph.objects(property_, URIRef(SH + "path")) if isinstance(path, URIRef)}
    is_closed = boolean(next(iter(shape.objects(URIRef(SH + "closed")))))
    resource = (NamedNode(str(RDF.type)), NamedNode(str(RDFS.Resource)))

    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for focus, nodes in values if is_closed else ():
            for node in nodes:
                for predicate, value in data.outgoing.get(node, ()):
                    if predicate.value not in allowed and (predicate, value) != resource:
                        yield focus, Hit(plan, check, focus, value, path=URIRef(predicate.value))

    return find
