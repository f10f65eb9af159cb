"""SHACL over what no part knows all about: things that several documents speak of, and what parts left open.

1. Things, run by run of the sorted default graph: whoever checks a run has all triples of its subjects, and looks up
   what it needs of others in the same file. Runs are checked side by side.
2. What parts and runs left open: with the whole graph at hand, in the release's store for queries and inverse paths.
3. What is still open, and what the compiled engine refuses: over tables of the whole graph, or by pyshacl. That takes
   memory for all of the graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse
from rdflib.term import Node

from kg import vocab
from kg.bounds import Clock, doing
from kg.build.content import Dataset
from kg.build.lines import SortedFile
from kg.build.shacl.bound import Checked, Plans, check, read_plans, run, target_nodes
from kg.build.shacl.bound import Part as BoundData
from kg.build.shacl.data import Data
from kg.build.shacl.deadline import ending
from kg.build.shacl.model import NotCovered, Result, Term
from kg.build.shacl.plan import Plan, report
from kg.build.validate import GRAPHS, MANY, Disputed, Places, Shapes, by_reference, findings_of, place_of
from kg.build.workers import Workers
from kg.model import Finding, Place

_BYTES = 2_000_000
"""Of a run, about: its tables take some twenty times as much."""

_AT_ONCE = 5_000
"""Focus nodes that are checked together where the whole graph is at hand."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of the default graph to check. ``own``: claims and passages are focus nodes here too."""

    file: Path
    start: int
    end: int
    base: str
    shapes: bytes
    superclasses: Mapping[str, Collection[str]]
    own: bool
    seconds: float

    @property
    def name(self) -> str:
        return f"triples at byte {self.start}"


def check_stretch(job: Stretch) -> Checked:
    """Check the subjects of a run with the shapes that see facts.

    :raises Endless: if that takes too long.
    """
    facts, names = SortedFile(job.file), vocab.Names(job.base)
    lines = bytes(facts.data[job.start : job.end])
    quads = list(_quads(lines))
    first, last = _subject(lines), _subject(lines[lines.rfind(b"\n", 0, len(lines) - 1) + 1 :])

    def whole(iri: str) -> bool:
        # What would stand here and does not is nowhere.
        return first <= f"<{iri}>".encode() <= last

    def is_focus(iri: str) -> bool:
        return whole(iri) and (job.own or not iri.startswith((f"{names.base}claim/", f"{names.base}passage/")))

    with ending(Clock(job.seconds)):
        plans = read_plans(job.shapes)
        data = BoundData(quads, plans.wanted, whole, job.superclasses, fetch=lambda node: about(facts, node))
        return check(plans, data, is_focus)


def _subject(line: bytes) -> bytes:
    return line[: line.index(b" ")]


def _quads(lines: bytes) -> Iterator[Quad]:
    quads: Any = parse(lines, format=RdfFormat.N_TRIPLES)
    yield from quads


def about(facts: SortedFile, node: Term) -> list[Quad]:
    """The triples about a node."""
    return list(_quads(b"".join(facts.starting(f"{node} ".encode()))))


def stretches(whole: Whole) -> Iterator[Stretch]:
    """The default graph in runs of whole subjects; claims and passages were checked with their parts."""
    facts, base, own = whole.dataset.facts, whole.names.base, whole.own
    shapes, above = whole.shapes.seeing["facts"], whole.superclasses
    at = 0
    outside = [] if own else ["claim", "passage"]
    for kind in (*outside, None):
        end = facts.find(f"<{base}{kind}/".encode()) if kind else len(facts.data)
        while at < end:
            stop = min(at + _BYTES, end)
            if stop < end:
                line = facts.data.rfind(b"\n", at, stop) + 1 or at
                key = bytes(facts.data[line : facts.data.find(b" ", line)])
                stop = min(facts.find(key + b"!", line), end)
            yield Stretch(whole.path, at, stop, base, shapes, above, own, whole.shapes.seconds)
            at = stop
        at = facts.find(f"<{base}{kind}0".encode()) if kind else end


@dataclass(slots=True)
class Whole:
    """The whole dataset for checks. ``path``: of its facts. ``store`` opens it as a store, ``places`` finds lines.

    ``own``: what parts found of their own nodes does not count, because claims put classes below each other.
    """

    dataset: Dataset
    path: Path
    names: vocab.Names
    shapes: Shapes
    superclasses: Mapping[str, Collection[str]]
    compared: Sequence[Quad]
    disputed: Disputed
    store: Callable[[], Store]
    places: Callable[[str], Places]
    own: bool
    clock: Clock = field(init=False)
    _claimed: Callable[[bytes], bool] = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self.shapes.seconds)
        self._claimed = lru_cache(maxsize=1000)(self.dataset.claimed.__contains__)

    def data(self, graph: str, wanted: Collection[str]) -> BoundData:
        if graph == "facts":
            fetch = lambda node: about(self.dataset.facts, node)  # noqa: E731 - short, and used once
            above = self.superclasses
            return BoundData((), wanted, lambda _: False, above, fetch=fetch, store=self._opened)
        return BoundData((), wanted, lambda _: False, {}, fetch=self._evidence_about)

    def _opened(self) -> Store:
        # The first to ask for it waits until it is loaded, which is none of a shape's doing.
        with self.clock.stopped():
            return self.store()

    def quads(self, graph: str, wanted: Collection[str] | None = None) -> list[Quad]:
        """The whole graph, or what it has of the properties that are wanted."""
        predicates = None if wanted is None else {f"<{iri}>".encode() for iri in wanted}
        found: list[Quad] = []
        for line in self.dataset.facts.lines():
            if predicates is not None and line.split(b" ", 2)[1] not in predicates:
                continue
            if graph == "facts" or self._is_evidence(line):
                found += _quads(line)
        return found

    def _evidence_about(self, node: Term) -> list[Quad]:
        lines = self.dataset.facts.starting(f"{node} ".encode())
        return list(_quads(b"".join(line for line in lines if self._is_evidence(line))))

    def _is_evidence(self, line: bytes) -> bool:
        """Whether a triple describes evidence: what a claim says of a document does not."""
        kind = (self.names.local(line[1 : line.index(b">")].decode()) or "").partition("/")[0]
        if kind in ("claim", "passage", "comparison"):
            return True
        return kind in ("document", ".well-known") and not self._claimed(line)


def check_rest(
    whole: Whole, left: Mapping[str, Checked], workers: Workers
) -> tuple[list[Finding], set[tuple[str, str]]]:
    """The findings of all shapes beyond those of parts; and the shapes, by graph, whose findings in parts do not count.

    ``left``: by graph, what parts left open and refused.

    :raises Endless: if a shape takes too long.
    """
    shapes = whole.shapes
    findings: list[Finding] = []
    instead: set[tuple[str, str]] = set()
    for graph in GRAPHS:
        if not shapes.seeing[graph]:
            continue
        try:
            with ending(whole.clock):
                plans = read_plans(shapes.seeing[graph]) if shapes.compiled else None
        except NotCovered:
            plans = None
        found = Checked()
        if plans is not None:
            found = _checked(graph, plans, whole, left[graph], workers)
        results = [result for some in found.results.values() for result in some]
        if plans is None or found.refused:
            covered = set() if plans is None else plans.plans.keys() - found.refused.keys()
            instead |= {(graph, str(shape)) for shape in found.refused}
            more = by_reference(whole.quads(graph), shapes, graph, covered, whole.clock)
            if isinstance(more, Finding):
                findings.append(more)
            else:
                results += more
        findings += findings_of(results, shapes, whole.places, whole.disputed, whole.names)
    return findings, instead


def _checked(graph: str, plans: Plans, whole: Whole, left: Checked, workers: Workers) -> Checked:
    found = Checked(refused={**plans.refused, **left.refused})
    pending: dict[Node, set[Term]] = defaultdict(set)
    for shape, nodes in (*left.open.items(), *target_nodes(plans).items()):
        pending[shape] |= nodes
    if graph == "facts":
        jobs = stretches(whole)
        some: Iterable[Checked] = (result for _, result in workers.map(check_stretch, jobs))
    else:
        some = [_compared(plans, whole)]
    for one in some:
        for shape, results in one.results.items():
            found.results.setdefault(shape, []).extend(results)
        for shape, nodes in one.open.items():
            pending[shape] |= nodes
        found.refused.update(one.refused)
    for shape, nodes in pending.items():
        if shape not in found.refused:
            _check_open(shape, plans.plans[shape], sorted(nodes, key=str), _Seen(graph, plans.wanted, whole), found)
    for shape in found.refused:
        found.results.pop(shape, None)
    return found


def _compared(plans: Plans, whole: Whole) -> Checked:
    """The comparisons, which belong to no part."""
    kept = f"{whole.names.base}comparison/"
    quads = [q for q in whole.compared if isinstance(q.subject, NamedNode) and q.subject.value.startswith(kept)]

    def is_own(iri: str) -> bool:
        return iri.startswith(kept)

    return check(plans, BoundData(quads, plans.wanted, is_own, {}), is_own)


class _Seen(NamedTuple):
    """One of the graphs that shapes see, with the properties that they look at."""

    graph: str
    wanted: Collection[str]
    whole: Whole


def _check_open(shape: Node, plan: Plan, nodes: Sequence[Term], seen: _Seen, found: Checked) -> None:
    for at in range(0, len(nodes), _AT_ONCE):
        some = nodes[at : at + _AT_ONCE]
        one = Checked()
        data = seen.whole.data(seen.graph, seen.wanted)
        doing(str(place_of(shape, seen.whole.shapes)))
        with ending(seen.whole.clock, len(some) / _AT_ONCE):
            run(shape, plan, some, data, one)
        if one.open:
            one = Checked()
            _check_in_tables(shape, plan, some, seen, one)
        found.results.setdefault(shape, []).extend(one.results.get(shape, ()))
        found.refused.update(one.refused)


def _check_in_tables(shape: Node, plan: Plan, nodes: Sequence[Term], seen: _Seen, found: Checked) -> None:
    quads = seen.whole.quads(seen.graph, plan.predicates)
    data = Data(quads, plan.predicates)
    try:
        with ending(seen.whole.clock, len(quads) / MANY):
            failed = plan.run(nodes, data)
            results: list[Result] = [report(hit, data) for hits in failed.values() for hit in hits]
        found.results[shape] = results
    except NotCovered as e:
        found.refused[shape] = str(e)


def read_places(lines: Callable[[bytes], Iterable[bytes]], subject: str) -> Places:
    """The places of the triples about a subject; of a triple that stands twice, the first in the order of the files."""
    found: dict[tuple[str, str, str], Place] = {}
    for line in lines(f"{subject} ".encode()):
        triple, number, file = line.decode().rstrip("\n").rsplit("\t", 2)
        one, predicate, value = triple[:-2].split(" ", 2)
        found.setdefault((one, predicate, value), Place(file, int(number)))
    return found
