"""What a shape is compiled to, and how it is run: sets of nodes through checks.

A plan is run over all of its focus nodes at once and answers with hits by focus node; a node without hits conforms.
Shapes inside shapes are plans over the value nodes of the outer one, so nothing is asked twice of one node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rdflib.term import Node

from kg.build.shacl.data import Data
from kg.build.shacl.model import Result, Term, Values
from kg.build.shacl.paths import Path


@dataclass(frozen=True, slots=True)
class Hit:
    """One violation, before there are words for it: most hits inside ``sh:or`` are never reported."""

    plan: Plan
    check: Check
    focus: Term
    value: Term | None = None
    component: Node | None = None
    path: Node | None = None
    details: tuple[Hit, ...] = ()
    messages: frozenset[Node] | None = None


Find = Callable[["Plan", "Check", Data, Values], Iterator[tuple[Term, Hit]]]
"""Yields each hit after the focus node that does not conform because of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One constraint component of one shape. ``constraint`` is the reference's reading of it."""

    constraint: Any
    find: Find


@dataclass(slots=True, eq=False)
class Plan:
    """A shape. ``shape`` is the reference's reading of it, ``predicates`` those whose tables its checks read."""

    shape: Any
    path: Path | None
    checks: tuple[Check, ...] = ()
    predicates: set[str] = field(default_factory=set)

    def values(self, focus: Collection[Term], data: Data) -> Values:
        if self.path is None:
            return [(node, (node,)) for node in focus]
        if self.path.kind == "predicate":
            table = data.forward(self.path.predicate)
            return [(node, table.get(node, ())) for node in focus]
        walk = self.path.bound(data)
        return [(node, walk(node)) for node in focus]

    def run(self, focus: Collection[Term], data: Data) -> Mapping[Term, list[Hit]]:
        """The hits of every focus node that does not conform (section 3.4.3)."""
        found: dict[Term, list[Hit]] = {}
        if self.shape.deactivated or not focus:
            return found
        values = self.values(focus, data)
        for check in self.checks:
            for owner, hit in check.find(self, check, data, values):
                found.setdefault(owner, []).append(hit)
        return found


def report(hit: Hit, data: Data) -> Result:
    """The validation result of a hit (section 3.6.2); without a message of the shape, in the reference's words."""
    shape = hit.plan.shape
    messages = hit.messages
    if messages is None:
        messages = frozenset(shape.message)
        if not messages:
            value = None if hit.value is None else data.node(hit.value)
            around = data.around(hit.focus, hit.value)
            messages = frozenset(hit.check.constraint.make_generic_messages(around, data.node(hit.focus), value))
    return Result(
        focus=data.node(hit.focus),
        path=hit.path or (shape.path() if hit.plan.path else None),
        value=None if hit.value is None else data.node(hit.value),
        component=hit.component or hit.check.constraint.shacl_constraint_component,
        severity=shape.severity,
        shape=shape.node,
        messages=messages,
        details=tuple(report(detail, data) for detail in hit.details),
    )
