"""From shapes to plans. What cannot be done exactly as the reference does it is refused, with the reason.

Shapes are read by pyshacl, so that both engines agree on what is a shape and which are ill-formed; each constraint
component is compiled by the function in ``COMPONENTS``. Refused are

- recursion, which SHACL leaves undefined (section 3.4.3), and shapes nested deeper than the reference goes
- custom components (section 6), and anything that the reference cannot load: it shall say why
- parameters and queries on which SHACL, the reference and the store are known to differ
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from pyoxigraph import Quad
from pyshacl.constraints import CONSTRAINT_PARAMETERS_MAP
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.errors import ConstraintLoadWarning
from pyshacl.shapes_graph import ShapesGraph
from rdflib import RDF, RDFS, BNode, URIRef
from rdflib.term import Node

from kg import vocab
from kg.build.shacl import nested, sets, values
from kg.build.shacl.data import Data
from kg.build.shacl.model import SH, NotCovered, Term, from_rdflib, to_graph
from kg.build.shacl.paths import read_path
from kg.build.shacl.plan import Check, Find, Plan
from kg.build.shacl.sparql import predicates, sparql

Simple = Callable[[Sequence[Node], Any], Find]
Nested = Callable[[Sequence[Node], Any, nested.Inner], Find]

COMPONENTS: dict[str, Simple] = {
    "class": values.class_,
    "datatype": values.datatype,
    "nodeKind": values.node_kind,
    "minCount": sets.min_count,
    "maxCount": sets.max_count,
    "minExclusive": values.value_range,
    "minInclusive": values.value_range,
    "maxExclusive": values.value_range,
    "maxInclusive": values.value_range,
    "minLength": values.min_length,
    "maxLength": values.max_length,
    "pattern": values.pattern,
    "languageIn": values.language_in,
    "uniqueLang": sets.unique_lang,
    "equals": sets.equals,
    "disjoint": sets.disjoint,
    "lessThan": sets.less_than,
    "lessThanOrEquals": sets.less_than_or_equals,
    "closed": sets.closed,
    "hasValue": sets.has_value,
    "in": values.in_,
    "sparql": sparql,
}
NESTED: dict[str, Nested] = {
    "not": nested.not_,
    "and": nested.and_,
    "or": nested.or_,
    "xone": nested.xone,
    "node": nested.node,
    "property": nested.property_,
    "qualifiedValueShape": nested.qualified,
}
MAX_NESTING = 10
"""Shapes inside shapes; the reference stops at 15 with an error."""
_PAIRS = ("equals", "disjoint", "lessThan", "lessThanOrEquals")


class Compiler:
    """The shapes of a shapes graph. ``targeted`` are those that have targets, ``shapes`` all.

    :raises NotCovered: if the reference cannot load them.
    """

    def __init__(self, quads: Iterable[Quad]) -> None:
        sg = ShapesGraph(to_graph(quads))
        self.graph = sg.graph
        try:
            self.shapes: dict[Node, Any] = {shape.node: shape for shape in sg.shapes}
            self._custom = bool(sg.custom_constraints)
        except Exception as e:  # noqa: BLE001 - whatever it is, the reference raises it again where users see it
            raise NotCovered(f"shapes that cannot be loaded: {e}") from None
        self.targeted = [node for node in self.shapes if targets(self, node)]
        self._plans: dict[Node, Plan] = {}

    def plan(self, node: Node, above: tuple[Node, ...] = ()) -> Plan:
        """The plan of a shape.

        :raises NotCovered: if the shape, or one inside it, cannot be checked exactly.
        """
        if node in above or len(above) >= MAX_NESTING:
            raise NotCovered("recursion, or shapes nested too deep")
        if node not in self.shapes:
            raise NotCovered("a shape that is not there")
        if self._custom:
            raise NotCovered("custom constraint components")
        # A plan that is made is reused, but its depth below this shape is looked at again.
        if node not in self._plans or len(above) + self._height(node) > MAX_NESTING:
            self._plans[node] = self._compiled(node, above)
        return self._plans[node]

    def _compiled(self, node: Node, above: tuple[Node, ...]) -> Plan:
        shape = self.shapes[node]
        if len(set(self.graph.objects(node, URIRef(SH + "severity")))) > 1:
            raise NotCovered("two severities")
        if shape.deactivated:
            # Its constraints are not even loaded (section 2.1.2).
            return Plan(shape, None)
        path = read_path(self.graph, shape.path()) if shape.is_property_shape else None
        plan = Plan(shape, path)
        plan.predicates |= set(path.predicates()) if path else set()
        for pair in _PAIRS:
            plan.predicates |= {str(value) for value in self.graph.objects(node, URIRef(SH + pair))}
        inside = partial(self._inside, plan, (*above, node))
        constraints = self._components(node)
        plan.checks = tuple(self._check(node, constraint, inside) for constraint in constraints)
        for constraint in constraints:
            if isinstance(constraint, SPARQLBasedConstraint):
                plan.predicates |= predicates(constraint)
        return plan

    def _components(self, node: Node) -> list[Any]:
        """The reference's readings of the constraints of a shape."""
        kinds = {CONSTRAINT_PARAMETERS_MAP[p] for p in self.graph.predicates(node) if p in CONSTRAINT_PARAMETERS_MAP}
        constraints = []
        for kind in sorted(kinds, key=lambda kind: kind.__name__):
            try:
                constraints.append(kind(self.shapes[node]))
            except ConstraintLoadWarning:
                # The reference leaves it out too: a qualified value shape where there is no path.
                continue
            except Exception as e:  # noqa: BLE001 - whatever it is, the reference raises it again where users see it
                raise NotCovered(f"a constraint that cannot be loaded: {e}") from None
        return constraints

    def _check(self, node: Node, constraint: Any, inside: nested.Inner) -> Check:
        names = [str(parameter).removeprefix(SH) for parameter in constraint.constraint_parameters()]
        for name in names:
            parameters = list(self.graph.objects(node, URIRef(SH + name)))
            if name in NESTED:
                return Check(constraint, NESTED[name](parameters, constraint, inside))
            if name in COMPONENTS:
                return Check(constraint, COMPONENTS[name](parameters, constraint))
        raise NotCovered(f"the component {', '.join(names)}")

    def _inside(self, outer: Plan, above: tuple[Node, ...], node: Node) -> Plan:
        plan = self.plan(node, above)
        outer.predicates |= plan.predicates
        return plan

    def _height(self, node: Node, seen: int = 0) -> int:
        """How deep shapes are nested below a shape whose plan is made, and so is not recursive."""
        if seen > MAX_NESTING:
            return seen
        return max((self._height(inner, seen + 1) for inner in self._below(node)), default=seen)

    def _below(self, node: Node) -> set[Node]:
        below: set[Node] = set()
        for name in NESTED:
            for value in self.graph.objects(node, URIRef(SH + name)):
                below |= set(self.graph.items(value)) if name in ("and", "or", "xone") else {value}
        return below


def targets(compiler: Compiler, node: Node) -> list[tuple[str, Node]]:
    """What a shape is aimed at (section 2.1.3), as SHACL's property and its value; implicit classes as ``class``."""
    found = [(name, value) for name in vocab.SH_TARGETS for value in compiler.graph.objects(node, URIRef(SH + name))]
    classes = {RDFS.Class, *compiler.graph.subjects(RDFS.subClassOf, RDFS.Class)}
    if classes & set(compiler.graph.objects(node, RDF.type)):
        found.append(("class", node))
    return found


def target_predicates(aims: Iterable[tuple[str, Node]]) -> set[str]:
    """The predicates whose tables the targets need."""
    return {str(value) for name, value in aims if name in ("targetSubjectsOf", "targetObjectsOf")}


def focus_nodes(aims: Sequence[tuple[str, Node]], data: Data) -> Collection[Term]:
    """The focus nodes of the targets, each once.

    :raises NotCovered: if a blank node of the shapes graph is aimed at.
    """
    groups = [_aimed_at(name, value, data) for name, value in aims]
    return groups[0] if len(groups) == 1 else {node for group in groups for node in group}


def _aimed_at(name: str, value: Node, data: Data) -> Collection[Term]:
    if isinstance(value, BNode):
        raise NotCovered("a blank node as a target")
    if name == "targetNode":
        return (from_rdflib(value),)
    if name in ("targetClass", "class"):
        return data.instances(str(value))
    if name == "targetSubjectsOf":
        return data.forward(str(value)).keys()
    return data.backward(str(value)).keys()
