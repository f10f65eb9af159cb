"""Constraint components that look at value nodes only (https://www.w3.org/TR/shacl/#core-components).

What a literal means is the reference's to say: where a native test is not plainly the same, each distinct literal is
put to pyshacl's own component once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode
from pyshacl.pytypes import SHACLExecutor
from rdflib import RDF, RDFS, XSD, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import SH, NotCovered, Term, Values, from_rdflib, whole
from kg.build.shacl.plan import Check, Find, Hit, Plan

Test = Callable[[Term], bool]
"""Whether a value node conforms."""

_KINDS = {
    "IRI": (NamedNode,),
    "BlankNode": (BlankNode,),
    "Literal": (Literal,),
    "BlankNodeOrIRI": (BlankNode, NamedNode),
    "BlankNodeOrLiteral": (BlankNode, Literal),
    "IRIOrLiteral": (NamedNode, Literal),
}
_STRINGS = (str(XSD.string), str(RDF.langString))


def each(*tests: Callable[[Data], Test]) -> Find:
    """A hit for each value node and test that it fails; several values of one parameter are several tests."""

    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for test in tests:
            conforms = test(data)
            for focus, nodes in values:
                for node in nodes:
                    if not conforms(node):
                        yield focus, Hit(plan, check, focus, node)

    return find


def asked(of: Callable[[Term], bool | None]) -> Find:
    """A hit for each value node that fails by ``of``, or where that says ``None``, by the reference's component."""

    def find(plan: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        unknown: list[tuple[Term, Term]] = []
        for focus, nodes in values:
            for node in nodes:
                verdict = of(node)
                if verdict is None:
                    unknown.append((focus, node))
                elif not verdict:
                    yield focus, Hit(plan, check, focus, node)
        failures = _ask(check.constraint, {node for _, node in unknown}, data)
        for focus, node in unknown if failures else ():
            yield from [(focus, Hit(plan, check, focus, node))] * failures[node]

    return find


def _ask(constraint: Any, nodes: Iterable[Term], data: Data) -> Counter[Term]:
    """How many results the reference has for each node."""
    failures: Counter[Term] = Counter()
    back = {data.node(node): node for node in nodes}
    if back:
        focus = {RDF.nil: list(back)}
        _, reports = constraint.evaluate(SHACLExecutor(), data.no_triples, focus, [])
        for _, _, triples in reports:
            value = next(value for _, predicate, value in triples if str(predicate) == SH + "value")
            failures[back[value[1]]] += 1
    return failures


def class_(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:class`` (section 4.1.1)."""

    def instance_of(node: Node) -> Callable[[Data], Test]:
        return lambda data: data.instances(_iri(node)).__contains__

    return each(*(instance_of(node) for node in parameters))


def datatype(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:datatype`` (section 4.1.2): the same IRI, and no ill-typed literal."""
    wanted = _iri(parameters[0])
    if wanted in (str(RDFS.Literal), str(RDFS.Datatype)):
        raise NotCovered("sh:datatype with a class of literals")

    def verdict(node: Term) -> bool | None:
        if not isinstance(node, Literal) or node.datatype.value != wanted:
            return False
        if wanted in _STRINGS or whole(node) is not None:
            return True
        return None

    return asked(verdict)


def node_kind(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:nodeKind`` (section 4.1.3)."""
    kinds = _KINDS.get(_iri(parameters[0]).removeprefix(SH))
    if kinds is None:
        raise NotCovered("a node kind of an unknown name")
    return each(lambda _: lambda node: isinstance(node, kinds))


def value_range(parameters: Sequence[Node], constraint: Any) -> Find:
    """``sh:minExclusive`` and its three siblings (section 4.3)."""
    name = type(constraint).__name__
    compare: dict[str, Callable[[int, int], bool]] = {
        "MinExclusiveConstraintComponent": int.__gt__,
        "MinInclusiveConstraintComponent": int.__ge__,
        "MaxExclusiveConstraintComponent": int.__lt__,
        "MaxInclusiveConstraintComponent": int.__le__,
    }
    bounds = [whole(from_rdflib(node)) for node in parameters]
    if not all(isinstance(node, RdflibLiteral) for node in parameters):
        raise NotCovered("a range whose bound is no literal")

    def verdict(node: Term) -> bool | None:
        number = whole(node)
        if number is None or len(bounds) != 1 or bounds[0] is None:
            return None if isinstance(node, Literal) or len(bounds) != 1 else False
        return compare[name](number, bounds[0])

    return asked(verdict)


def min_length(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:minLength`` (section 4.4.1), in code points of ``str()``; a blank node has no length."""
    least = _number(parameters[0])
    return each(lambda _: lambda node: least == 0 or (not isinstance(node, BlankNode) and len(node.value) >= least))


def max_length(parameters: Sequence[Node], _constraint: Any) -> Find:
    """``sh:maxLength`` (section 4.4.2)."""
    most = _number(parameters[0])
    return each(lambda _: lambda node: not isinstance(node, BlankNode) and len(node.value) <= most)


def pattern(parameters: Sequence[Node], constraint: Any) -> Find:
    """``sh:pattern`` with ``sh:flags`` (section 4.4.3), as the reference does it: by Python's regular expressions."""
    flags = [str(node) for node in constraint.shape.objects(URIRef(SH + "flags"))]
    if len(flags) > 1 or set("".join(flags)) - set("im"):
        raise NotCovered("flags that the reference leaves out")
    if not all(isinstance(node, RdflibLiteral) and node.datatype is None for node in parameters):
        raise NotCovered("a pattern that is no plain string")
    options = sum(re.IGNORECASE if flag == "i" else re.MULTILINE for flag in set("".join(flags)))

    def matches(node: Node) -> Callable[[Data], Test]:
        search = re.compile(str(node), options).search
        return lambda _: lambda value: not isinstance(value, BlankNode) and search(value.value) is not None

    return each(*(matches(node) for node in parameters))


def language_in(parameters: Sequence[Node], constraint: Any) -> Find:
    """``sh:languageIn`` (section 4.4.4)."""
    ranges = {str(node).lower() for node in constraint.shape.sg.graph.items(parameters[0])}
    if any("-" in one or not one for one in ranges):
        raise NotCovered("a language range of several parts")

    def test(node: Term) -> bool:
        tag = node.language if isinstance(node, Literal) else None
        return bool(tag) and ("*" in ranges or str(tag).lower().split("-")[0] in ranges)

    return each(lambda _: test)


def in_(parameters: Sequence[Node], constraint: Any) -> Find:
    """``sh:in`` (section 4.8.3)."""
    members = frozenset(from_rdflib(node) for node in constraint.shape.sg.graph.items(parameters[0]))
    return each(lambda _: members.__contains__)


def _iri(node: Node) -> str:
    if not isinstance(node, URIRef):
        raise NotCovered("a parameter that should be an IRI")
    return str(node)


def _number(node: Node) -> int:
    if not isinstance(node, RdflibLiteral) or not isinstance(node.value, int):
        raise NotCovered("a parameter that should be a whole number")
    return node.value
