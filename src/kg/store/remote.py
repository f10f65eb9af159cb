"""A store behind a SPARQL 1.1 endpoint, asked in few and bounded requests.

Two ways to look at it: a release in a slot (:mod:`kg.store.slots`) looks as it does when it is embedded; anything else
is looked at *flat*, all its graphs together as one default graph, because nobody knows what they stand for.

An answer of up to :data:`BATCH` quads is read at once and remembered; what is known of a subject answers narrower
questions. Only a reader that goes beyond them has the whole answer sent, as a stream. No ORDER BY, OFFSET: what engines
cut, or give in another order the next time, would be missing without a trace.

Blank nodes have no name that a second request could use, so those that hang from a subject come with it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from kg.errors import EndpointBusy, EndpointError, EndpointTimeout
from kg.store import expected
from kg.store.base import Graph, Subject, Term
from kg.store.endpoint import Endpoint
from kg.store.slots import Slot

BATCH = 5_001
"""Quads of an answer that are read at once: as many as a page looks at, and one more."""

REMEMBERED = 200_000
"""Quads that are remembered."""

FRESH = 60.0
"""Seconds that an answer is remembered, where the data may change."""

STREAM_BYTES = 1 << 30
STREAM_SECONDS = 60.0
"""What a whole answer may have and take."""

_DEFAULT = DefaultGraph()
_BOOLEAN = Literal(True).datatype
Pattern = tuple[Subject | None, NamedNode | None, Term | None, Graph | None]


class RemoteStore:
    """See the module. ``slot``: where the release lies; without one, all graphs of the endpoint are one.

    ``graphs``: the graphs that are looked at flat; none: all.
    """

    def __init__(self, endpoint: Endpoint, slot: Slot | None = None, graphs: Sequence[str] = ()) -> None:
        self._endpoint = endpoint
        self._slot = slot
        self._graphs = tuple(graphs)
        self._known: OrderedDict[Pattern, tuple[float, tuple[Quad, ...]]] = OrderedDict()
        self._nameless: dict[BlankNode, tuple[Quad, ...]] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._answers = 0
        self._facts = _DEFAULT if slot else None
        self._truths = dict(zip(endpoint.profile.truths, (Literal(True), Literal(False)), strict=False))

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    def quads(
        self,
        subject: Subject | None = None,
        predicate: NamedNode | None = None,
        object: Term | None = None,
        graph: Graph | None = None,
    ) -> Iterator[Quad]:
        # Nothing is said in a graph that is flattened away, and nothing of a blank node that was never seen.
        if isinstance(subject, BlankNode):
            return iter(_matching(self._nameless.get(subject, ()), (subject, predicate, object, graph)))
        if isinstance(object, BlankNode) or isinstance(graph, BlankNode) or (self._slot is None and _is_named(graph)):
            return iter(())
        # Flat, everything is in the default graph: one question, whichever way it is put.
        pattern = (subject, predicate, object, graph if self._slot else None)
        known = self._remembered(pattern)
        if known is not None:
            return iter(known)
        first = self._first(pattern)
        if len(first) < BATCH:
            self._remember(pattern, first)
            return iter(first)
        return self._all(pattern, first)

    def expect(self, subjects: Iterable[str], predicates: Sequence[NamedNode] = ()) -> None:
        wanted = []
        for iri in dict.fromkeys(subjects):
            try:
                node = NamedNode(iri)
            except ValueError:
                continue
            if any(self._remembered((node, p, None, self._facts)) is None for p in predicates or (None,)):
                wanted.append(node)
        step = self._endpoint.profile.values
        for start in range(0, len(wanted), step):
            self._fetch(wanted[start : start + step], predicates)

    def close(self) -> None:
        with self._lock:
            self._known.clear()
            self._nameless.clear()

    # Requests

    def _first(self, pattern: Pattern) -> tuple[Quad, ...]:
        # Not every endpoint keeps to LIMIT.
        rows = self._endpoint.rows(f"{self._select(pattern)} LIMIT {BATCH}", BATCH)
        quads = tuple(self._quad(pattern, row) for row in rows)
        node = pattern[0]
        of_subject = self._slot is None and isinstance(node, NamedNode) and pattern[1:3] == (None, None)
        if of_subject and any(isinstance(quad.object, BlankNode) for quad in quads):
            return self._with_nameless(node, quads)  # type: ignore[arg-type]  # of_subject: it is a NamedNode
        return quads

    def _all(self, pattern: Pattern, first: tuple[Quad, ...]) -> Iterator[Quad]:
        """Those that are here already, then the others, from an answer that has all."""
        yield from first
        seen = set(first)
        query = self._select(pattern)
        with self._endpoint.ask(query, "SELECT", seconds=STREAM_SECONDS, limit=STREAM_BYTES) as reply:
            for row in expected.rows(query, reply):
                quad = self._quad(pattern, row)
                if quad not in seen:
                    yield quad

    def _fetch(self, nodes: Sequence[NamedNode], predicates: Sequence[NamedNode]) -> None:
        """Remember what the default graph says of some subjects, those included of which it says nothing."""
        inner = self._slot.facts("?s ?p ?o") if self._slot else self.flat("?s ?p ?o")
        values = f"VALUES ?s {{ {' '.join(map(str, nodes))} }}"
        if predicates:
            values += f" VALUES ?p {{ {' '.join(map(str, predicates))} }}"
        found: dict[NamedNode, list[Quad]] = defaultdict(list)
        try:
            rows = self._endpoint.rows(f"SELECT DISTINCT ?s ?p ?o {{ {values} {inner} }}")
        except (EndpointBusy, EndpointTimeout):
            raise
        except EndpointError:
            return  # perhaps it was too much at once: whoever wants to know of one will ask for it
        for s, p, o in rows:
            found[s].append(Quad(s, p, o, _DEFAULT))
        for node in nodes:
            quads = tuple(found[node])
            for predicate in predicates or (None,):
                pattern = (node, predicate, None, self._facts)
                self._remember(pattern, tuple(_matching(quads, (node, predicate, None, None))))

    def _with_nameless(self, node: NamedNode, quads: tuple[Quad, ...]) -> tuple[Quad, ...]:
        """The same, and what hangs from it by blank nodes, in one answer: only there their labels mean the same."""
        steps = [f"{{ {self.flat(f'{node} ?p ?o')} BIND({node} AS ?s) }}"]
        for depth in (1, 2):
            path = [f"?b{n}" if n else str(node) for n in range(depth)] + ["?s"]
            links = [
                self.flat(f"{a} ?q{n} {b}", f"?g{n}") + f" FILTER(isBlank({b}))"
                for n, (a, b) in enumerate(itertools.pairwise(path))
            ]
            steps.append(f"{{ {' '.join(links)} {self.flat('?s ?p ?o')} }}")
        rows = self._endpoint.rows(f"SELECT DISTINCT ?s ?p ?o {{ {' UNION '.join(steps)} }} LIMIT {BATCH}")
        with self._lock:
            self._answers += 1
            mark = f"a{self._answers}x"

        def renamed(term: Term) -> Term:
            return BlankNode(mark + term.value) if isinstance(term, BlankNode) else term

        found: dict[Subject, list[Quad]] = defaultdict(list)
        for s, p, o in rows:
            subject = renamed(s)
            found[subject].append(Quad(subject, p, renamed(o), _DEFAULT))  # type: ignore[index,arg-type]
        own = tuple(found.pop(node, ()))
        if len(rows) >= BATCH or len(own) != len(quads):
            return quads  # too much hangs from it, or it has changed meanwhile: better without than in part
        with self._lock:
            if len(self._nameless) > REMEMBERED // 10:
                self._nameless.clear()
            self._nameless.update((s, tuple(said)) for s, said in found.items() if isinstance(s, BlankNode))
        return own

    # Queries

    def _select(self, pattern: Pattern) -> str:
        s, p, o, graph = pattern
        terms = " ".join(
            str(term) if term is not None else f"?{name}" for term, name in zip((s, p, o), "spo", strict=True)
        )
        free = " ".join(f"?{name}" for term, name in zip((s, p, o), "spo", strict=True) if term is None)
        if self._slot is None:
            return f"SELECT DISTINCT {free or '(1 AS ?any)'} {{ {self.flat(terms)} }}"
        default = self._slot.facts(terms)
        if isinstance(graph, DefaultGraph):
            return f"SELECT {free or '(1 AS ?any)'} {{ {default} }}"
        if isinstance(graph, NamedNode):
            return f"SELECT {free or '(1 AS ?any)'} {{ GRAPH <{self._slot.prefix}{graph.value}> {{ {terms} }} }}"
        named = f'GRAPH ?g {{ {terms} }} FILTER(STRSTARTS(STR(?g), "{self._slot.prefix}"))'
        return f"SELECT {free} ?g {{ {{ {default} }} UNION {{ {named} }} }}"

    def flat(self, terms: str, graph: str = "?g") -> str:
        """A pattern over all graphs that are looked at; ``graph`` is a variable for it alone."""
        if self._graphs:
            chosen = " ".join(f"<{iri}>" for iri in self._graphs)
            return f"VALUES {graph} {{ {chosen} }} GRAPH {graph} {{ {terms} }}"
        if self._endpoint.profile.union:
            return f"{{ {terms} }}"
        return f"{{ {{ {terms} }} UNION {{ GRAPH {graph} {{ {terms} }} }} }}"

    def _quad(self, pattern: Pattern, row: Sequence[Term | None]) -> Quad:
        s, p, o, graph = pattern
        cells = iter(row)
        subject, predicate, object = (next(cells) if term is None else term for term in (s, p, o))
        if (
            self._truths
            and isinstance(object, Literal)
            and object.value in self._truths
            and object.datatype == _BOOLEAN
        ):
            object = self._truths[object.value]
        name = graph
        if name is None and self._slot is not None:
            found = next(cells, None)
            name = NamedNode(found.value.removeprefix(self._slot.prefix)) if found is not None else _DEFAULT
        return Quad(subject, predicate, object, name or _DEFAULT)  # type: ignore[arg-type]  # what RDF allows there

    # Memory

    def _remembered(self, pattern: Pattern) -> tuple[Quad, ...] | None:
        s, p, _, graph = pattern
        wider: list[Pattern] = [pattern]
        if s is not None:
            wider += [(s, None, None, None)]
            if graph is not None:
                wider += [(s, p, None, graph), (s, None, None, graph)]
        now = time.monotonic()
        with self._lock:
            for candidate in wider:
                known = self._known.get(candidate)
                if known is None or (self._slot is None and now - known[0] > FRESH):
                    continue
                self._known.move_to_end(candidate)
                return known[1] if candidate == pattern else tuple(_matching(known[1], pattern))
        return None

    def _remember(self, pattern: Pattern, quads: tuple[Quad, ...]) -> None:
        with self._lock:
            old = self._known.pop(pattern, None)
            self._size += len(quads) + 1 - (len(old[1]) + 1 if old else 0)
            self._known[pattern] = time.monotonic(), quads
            while self._size > REMEMBERED:
                self._size -= len(self._known.popitem(last=False)[1][1]) + 1


def _is_named(graph: Graph | None) -> bool:
    return graph is not None and not isinstance(graph, DefaultGraph)


def _matching(quads: Iterable[Quad], pattern: Pattern) -> Iterator[Quad]:
    s, p, o, graph = pattern
    for quad in quads:
        if (
            (s is None or quad.subject == s)
            and (p is None or quad.predicate == p)
            and (o is None or quad.object == o)
            and (graph is None or quad.graph_name == graph)
        ):
            yield quad
