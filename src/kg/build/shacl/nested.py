"""Constraint components that hold shapes: logical, shape-based, qualified (sections 4.6 and 4.7 of SHACL)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from rdflib import URIRef
from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import SH, NotCovered, Term, Values
from kg.build.shacl.plan import Check, Find, Hit, Plan

Inner = Callable[[Node], Plan]
"""Compiles a shape inside a shape."""


def property_(parameters: Sequence[Node], _constraint: Any, inner: Inner) -> Find:
    """``sh:property`` (section 4.7.2): the results of the inner shape, once for each way to its focus node."""
    plans = [inner(node) for node in parameters]
    if any(not plan.shape.is_property_shape for plan in plans):
        raise NotCovered("sh:property with a shape that has no path")

    def find(outer: Plan, _check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for plan in plans:
            failed = plan.run(_all(outer, values), data)
            for focus, nodes in values if failed else ():
                for node in nodes:
                    for hit in failed.get(node, ()):
                        yield focus, hit

    return find


def node(parameters: Sequence[Node], _constraint: Any, inner: Inner) -> Find:
    """``sh:node`` (section 4.7.1): one result, which has those of the inner shape as details."""
    plans = [inner(node) for node in parameters]
    if any(plan.shape.is_property_shape for plan in plans):
        raise NotCovered("sh:node with a property shape")

    def find(outer: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        for plan in plans:
            failed = plan.run(_all(outer, values), data)
            for focus, nodes in values if failed else ():
                for value in nodes:
                    if value in failed:
                        yield focus, Hit(outer, check, focus, value, details=tuple(failed[value]))

    return find


def not_(parameters: Sequence[Node], _constraint: Any, inner: Inner) -> Find:
    """``sh:not`` (section 4.6.1)."""
    return _counted([[inner(node)] for node in parameters], lambda passed, _: passed == 0)


def and_(parameters: Sequence[Node], constraint: Any, inner: Inner) -> Find:
    """``sh:and`` (section 4.6.2)."""
    return _counted(_lists(parameters, constraint, inner), lambda passed, of: passed == of)


def or_(parameters: Sequence[Node], constraint: Any, inner: Inner) -> Find:
    """``sh:or`` (section 4.6.3)."""
    return _counted(_lists(parameters, constraint, inner), lambda passed, _: passed > 0)


def xone(parameters: Sequence[Node], constraint: Any, inner: Inner) -> Find:
    """``sh:xone`` (section 4.6.4); a shape listed twice counts twice."""
    return _counted(_lists(parameters, constraint, inner), lambda passed, _: passed == 1)


def _lists(parameters: Sequence[Node], constraint: Any, inner: Inner) -> list[list[Plan]]:
    return [[inner(node) for node in constraint.shape.sg.graph.items(head)] for head in parameters]


def _counted(groups: Sequence[Sequence[Plan]], enough: Callable[[int, int], bool]) -> Find:
    """For each group of shapes, a hit for each value node that conforms to too few or too many of them."""

    def find(outer: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        nodes = _all(outer, values)
        for plans in groups:
            count = len(plans)
            failures = Counter(node for plan in plans for node in plan.run(nodes, data))
            wrong = {node for node, times in failures.items() if not enough(count - times, count)}
            if not enough(count, count):
                wrong |= set(nodes) - failures.keys()
            for focus, inside in values if wrong else ():
                for value in inside:
                    if value in wrong:
                        yield focus, Hit(outer, check, focus, value)

    return find


def qualified(_parameters: Sequence[Node], constraint: Any, inner: Inner) -> Find:
    """``sh:qualifiedValueShape`` with its counts, and with siblings where they are disjoint (section 4.7.3)."""
    least, most = constraint.min_count, constraint.max_count
    shapes = [(inner(node), _siblings(constraint, node, inner)) for node in constraint.value_shapes]

    def find(outer: Plan, check: Check, data: Data, values: Values) -> Iterator[tuple[Term, Hit]]:
        nodes = _all(outer, values)
        for plan, siblings in shapes:
            failed = plan.run(nodes, data)
            kept = {node for node in nodes if node not in failed}
            others: list[Mapping[Term, list[Hit]]] = [sibling.run(kept, data) for sibling in siblings]
            kept = {node for node in kept if all(node in other for other in others)}
            for focus, inside in values:
                count = sum(node in kept for node in inside)
                if most is not None and count > most:
                    yield focus, Hit(outer, check, focus, component=_component("Max"))
                if least is not None and count < least:
                    yield focus, Hit(outer, check, focus, component=_component("Min"))

    return find


def _siblings(constraint: Any, shape: Node, inner: Inner) -> list[Plan]:
    """The sibling shapes of a qualified value shape: those of the other property shapes of the same parents."""
    if not constraint.is_disjoint:
        return []
    graph = constraint.shape.sg.graph
    beside = {
        sibling
        for parent in graph.subjects(URIRef(SH + "property"), constraint.shape.node)
        for other in graph.objects(parent, URIRef(SH + "property"))
        for sibling in graph.objects(other, URIRef(SH + "qualifiedValueShape"))
    }
    return [inner(node) for node in beside - {shape}]


def _component(which: str) -> URIRef:
    return URIRef(f"{SH}Qualified{which}CountConstraintComponent")


def _all(plan: Plan, values: Values) -> Collection[Term]:
    if plan.path is None:
        return [focus for focus, _ in values]
    return {node for _, nodes in values for node in nodes}
