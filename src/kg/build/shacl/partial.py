"""Shapes checked for some focus nodes, over a part of the data graph.

A part knows everything about some nodes (``whole``) and nothing certain about others. A plan that looks at one of the
others asks ``fetch`` for it; without one, the plan is left *open* for these focus nodes, to be run again by somebody
who knows more. So what a part finds is exactly what the whole graph would give, and nothing is skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, parse
from rdflib.term import Node

from kg import vocab
from kg.build.shacl.compile import Compiler, target_predicates, targets
from kg.build.shacl.data import Data, Table
from kg.build.shacl.model import NotCovered, Result, Term, from_rdflib
from kg.build.shacl.plan import Plan, report
from kg.errors import KgError

Fetch = Callable[[Term], Iterable[Quad]]
"""Gives every triple of the whole graph about a node."""


class Elsewhere(KgError):
    """A plan needs to know something that this part of the data does not say. Never shown to users."""


@dataclass(slots=True)
class Outcome:
    """What came of checking shapes. ``open``: focus nodes that need more; ``refused``: shapes for the reference."""

    results: dict[Node, list[Result]] = field(default_factory=dict)
    open: dict[Node, set[Term]] = field(default_factory=dict)
    refused: dict[Node, str] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take over what came of another part of the data."""
        for shape, results in other.results.items():
            self.results.setdefault(shape, []).extend(results)
        for shape, nodes in other.open.items():
            self.open.setdefault(shape, set()).update(nodes)
        self.refused.update(other.refused)

    def all_results(self) -> list[Result]:
        """Those of all shapes."""
        return [result for results in self.results.values() for result in results]


@dataclass(frozen=True, slots=True)
class Plans:
    """Compiled shapes: plans, what each is aimed at, the shapes that are refused, and the predicates of all."""

    plans: Mapping[Node, Plan]
    aims: Mapping[Node, Sequence[tuple[str, Node]]]
    refused: Mapping[Node, str]
    wanted: frozenset[str]


@lru_cache(maxsize=4)
def read_plans(shapes: bytes) -> Plans:
    """The plans of shapes, given as N-Quads; a process that checks many parts compiles them once.

    :raises NotCovered: if the reference cannot even load the shapes.
    """
    return plans_of(_quads(shapes))


def plans_of(shapes: Iterable[Quad]) -> Plans:
    """The plans of shapes.

    :raises NotCovered: if the reference cannot even load the shapes.
    """
    compiler = Compiler(shapes)
    plans: dict[Node, Plan] = {}
    refused: dict[Node, str] = {}
    aims = {node: targets(compiler, node) for node in compiler.targeted}
    wanted: set[str] = set()
    for node in compiler.targeted:
        try:
            plans[node] = compiler.plan(node)
            wanted |= plans[node].predicates | target_predicates(aims[node])
        except NotCovered as e:
            refused[node] = str(e)
    return Plans(plans, aims, refused, frozenset(wanted))


def _quads(nquads: bytes) -> Iterator[Quad]:
    quads: Any = parse(nquads, format=RdfFormat.N_QUADS)
    yield from quads


class PartialData(Data):
    """A part of a data graph.

    ``subclasses``: class → the classes right above it, in the whole graph. ``added``: properties that nodes which are
    whole here may get more values of. ``store``: the whole graph, for queries and for paths that go backwards.
    """

    def __init__(
        self,
        quads: Sequence[Quad],
        wanted: Collection[str],
        whole: Callable[[str], bool],
        subclasses: Mapping[str, Collection[str]],
        *,
        fetch: Fetch | None = None,
        store: Callable[[], Store] | None = None,
        added: Collection[str] = (),
    ) -> None:
        super().__init__(quads, wanted)
        self._added = frozenset(added)
        self._known: set[Term] = set()
        self._whole, self._fetch, self._disk = whole, fetch, store
        self._above = subclasses
        self._partial = {name: _Partial(table, self) for name, table in self._forward.items()}
        self._classes: dict[str, frozenset[str]] = {}

    def knows(self, node: Term) -> bool:
        """Whether all there is about a node is at hand."""
        if node in self._known:
            return True
        if isinstance(node, Literal) or self.is_whole(node):
            self._known.add(node)
            return True
        return False

    def is_whole(self, node: Term) -> bool:
        """Whether this part has all there is about a node."""
        return isinstance(node, NamedNode) and self._whole(node.value)

    def look_up(self, node: Term) -> None:
        """Add what the whole graph says about a node.

        :raises Elsewhere: if nobody here can tell.
        """
        if self._fetch is None:
            raise Elsewhere("about a node of another part")
        self._known.add(node)
        quad: Any
        for quad in self._fetch(node):
            table = self._partial.get(quad.predicate.value)
            if table is not None:
                values = table.setdefault(quad.subject, [])
                if quad.object not in values:
                    values.append(quad.object)

    def forward(self, predicate: str) -> Table:
        if predicate in self._added:
            raise Elsewhere("a property that is added later")
        return self._partial.get(predicate) or _Partial({}, self)

    def backward(self, predicate: str) -> Table:
        return _Backward(predicate, self)

    def instances(self, class_: str) -> Any:
        return _Members(class_, self)

    def focus_of(self, predicate: str, is_focus: Callable[[str], bool]) -> set[Term]:
        """The subjects of a property that are focus nodes."""
        return {n for n in self._forward.get(predicate, {}) if isinstance(n, NamedNode) and is_focus(n.value)}

    def focus_by_class(self, is_focus: Callable[[str], bool]) -> Mapping[str, set[Term]]:
        """Class → its SHACL instances that are focus nodes; every node is looked at once, not once a shape."""
        found: defaultdict[str, set[Term]] = defaultdict(set)
        for node in self.focus_of(vocab.RDF_TYPE, is_focus):
            for kind in self._forward[vocab.RDF_TYPE][node]:
                for class_ in self._ancestors(kind.value) if isinstance(kind, NamedNode) else ():
                    found[class_].add(node)
        return found

    def objects_of(self, predicate: str) -> set[Term]:
        return {value for values in self._forward.get(predicate, {}).values() for value in values}

    def is_instance(self, node: Term, class_: str) -> bool:
        """Whether a node has the class, or one below it, as type."""
        for kind in self.forward(vocab.RDF_TYPE).get(node, ()):
            if isinstance(kind, NamedNode) and class_ in self._ancestors(kind.value):
                return True
        return False

    def _ancestors(self, class_: str) -> frozenset[str]:
        if class_ not in self._classes:
            self._classes[class_] = frozenset(vocab.closure((class_,), self._above))
        return self._classes[class_]

    @property
    def outgoing(self) -> Any:
        if self._added:
            raise Elsewhere("a closed shape")
        return _Outgoing(super().outgoing, self)

    def disk(self) -> Store:
        """The whole graph in a store.

        :raises Elsewhere: if there is none here.
        """
        if self._disk is None:
            raise Elsewhere("the whole graph")
        return self._disk()

    def store(self, _predicates: frozenset[str] | None) -> Store:
        return self.disk()

    def about(self, node: Term) -> set[tuple[NamedNode, Term]]:
        """Predicates and objects of a node of another part."""
        if self._fetch is None:
            raise Elsewhere("about a node of another part")
        quads: Any = self._fetch(node)
        return {(quad.predicate, quad.object) for quad in quads}


class _Partial(dict[Term, Any]):
    """Subject → objects, where a subject that is missing may have some elsewhere."""

    def __init__(self, table: Table, part: PartialData) -> None:
        super().__init__(table)
        self._part = part

    def __bool__(self) -> bool:
        return True

    def get(self, node: Term, default: Any = None) -> Any:
        if not self._part.knows(node):
            self._part.look_up(node)
        return super().get(node, default)

    def values(self) -> Any:
        raise Elsewhere("all values of a property")

    def __iter__(self) -> Any:
        raise Elsewhere("all subjects of a property")


class _Outgoing:
    """Subject → predicates and objects."""

    def __init__(self, table: Mapping[Term, set[tuple[NamedNode, Term]]], part: PartialData) -> None:
        self._table, self._part = table, part

    def get(self, node: Term, default: Any = None) -> Any:
        if node in self._table or isinstance(node, Literal) or self._part.is_whole(node):
            return self._table.get(node, default)
        return self._part.about(node)


class _Backward(Mapping[Term, Sequence[Term]]):
    """Object → subjects: nobody but the whole graph can tell."""

    def __init__(self, predicate: str, part: PartialData) -> None:
        self._predicate, self._part = NamedNode(predicate), part

    def __getitem__(self, node: Term) -> Sequence[Term]:
        quads: Any = self._part.disk().quads_for_pattern(None, self._predicate, node, DefaultGraph())
        return list(dict.fromkeys(quad.subject for quad in quads))

    def get(self, node: Term, default: Any = None) -> Any:
        return self[node] or default

    def __iter__(self) -> Iterator[Term]:
        raise Elsewhere("all objects of a property")

    def __len__(self) -> int:
        raise Elsewhere("all objects of a property")


class _Members:
    """The instances of a class, asked one by one."""

    def __init__(self, class_: str, part: PartialData) -> None:
        self._class, self._part = class_, part

    def __contains__(self, node: Term) -> bool:
        return self._part.is_instance(node, self._class)


def check(plans: Plans, part: PartialData, is_focus: Callable[[str], bool]) -> Outcome:
    """Check the nodes that shapes with targets aim at, of those that are focus nodes here.

    ``sh:targetNode`` is left to whoever has the whole graph, and so are objects of a property: any part may name them.
    """
    found = Outcome(refused=dict(plans.refused))
    by_class = part.focus_by_class(is_focus)
    for shape, plan in plans.plans.items():
        focus: set[Term] = set()
        for name, value in plans.aims[shape]:
            if name in ("targetClass", "class"):
                focus |= by_class.get(str(value), set())
            elif name == "targetSubjectsOf":
                focus |= part.focus_of(str(value), is_focus)
            elif name == "targetObjectsOf":
                found.open.setdefault(shape, set()).update(part.objects_of(str(value)))
        if focus:
            run(shape, plan, focus, part, found)
    return found


def run(shape: Node, plan: Plan, focus: Collection[Term], data: Data, found: Outcome) -> None:
    """Run a plan and note what came of it: results, focus nodes left open, or the refusal.

    A shape has an entry in ``found.results`` wherever its plan came to an end, also without a result.
    """
    try:
        failed = plan.run(focus, data)
        results = [report(hit, data) for hits in failed.values() for hit in hits]
        found.results.setdefault(shape, []).extend(results)
    except Elsewhere:
        found.open.setdefault(shape, set()).update(focus)
    except NotCovered as e:
        found.refused[shape] = str(e)


def target_nodes(plans: Plans) -> dict[Node, set[Term]]:
    """The nodes that shapes name as targets.

    A blank node among them is the reference's business.
    """
    found: dict[Node, set[Term]] = {}
    for shape, aims in plans.aims.items():
        nodes = [value for name, value in aims if name == "targetNode"]
        if nodes and shape in plans.plans:
            found[shape] = {from_rdflib(node) for node in nodes}
    return found
