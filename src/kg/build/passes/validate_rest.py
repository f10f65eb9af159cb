"""SHACL over what no part knows all about: things that several documents speak of, and what parts left open.

1. Things, stretch by stretch of the sorted default graph: whoever checks a stretch has all triples of its subjects, and
   looks up what it needs of others in the same file. Stretches are checked side by side, and only where the build
   before did not find the same lines, in the stretch and in what was looked up.
2. What parts and stretches left open: with the whole graph at hand, in the release's store for queries and inverse
   paths.
3. What is still open, and what the compiled engine refuses: over tables of the whole graph, or by pyshacl. That takes
   memory for all of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pyoxigraph import Quad, RdfFormat, Store, parse
from rdflib.term import Node

from kg import vocab
from kg.bounds import Clock, doing
from kg.build.lines import SortedFile
from kg.build.passes.tables import Tables
from kg.build.shacl.data import BY_ALL, Data
from kg.build.shacl.deadline import ending
from kg.build.shacl.model import NotCovered, Term
from kg.build.shacl.partial import Outcome, PartialData, Plans, check, read_plans, run, target_nodes
from kg.build.shacl.plan import Plan
from kg.build.validate import GRAPHS, MANY, Disputed, Look, Places, Shapes, by_reference, findings_of, place_of
from kg.build.workers import Workers
from kg.build.writing.content import Dataset
from kg.build.writing.render import cuts
from kg.model import Finding, Place

_BYTES = 130
"""Bytes of a triple, roughly: to count them would take a look at all."""

_AT_ONCE = 5_000
"""Focus nodes that are checked together where the whole graph is at hand."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some lines of a file to check, which have all triples of their subjects.

    ``facts``: the default graph, to look up what the lines do not say; without it they see no more than themselves.
    ``own``: claims and passages are focus nodes here too. ``common``: a hash of what all stretches have in common.
    """

    file: Path
    start: int
    end: int
    facts: Path | None
    base: str
    shapes: bytes
    superclasses: Mapping[str, Collection[str]]
    own: bool
    seconds: float
    common: bytes

    @property
    def name(self) -> str:
        return f"triples at byte {self.start}"

    def read(self) -> bytes:
        return bytes(SortedFile(self.file).data[self.start : self.end])

    def key(self) -> bytes:
        """What a check depends on, but for what it looks up elsewhere."""
        return sha256(self.common + self.read()).digest()

    def __hash__(self) -> int:
        return hash((self.file, self.start))


def check_stretch(job: Stretch) -> tuple[Outcome, bytes]:
    """Check the subjects of a stretch; and what was looked up elsewhere: subjects, each a line, after an empty one.

    :raises Endless: if that takes too long.
    """
    names = vocab.Names(job.base)
    lines = job.read()
    first, last = _subject(lines), _subject(lines[lines.rfind(b"\n", 0, len(lines) - 1) + 1 :])
    facts = SortedFile(job.facts) if job.facts else None
    fetched: set[str] = set()

    def whole(iri: str) -> bool:
        # What would stand here and does not is nowhere.
        return first <= f"<{iri}>".encode() <= last

    def is_focus(iri: str) -> bool:
        return whole(iri) and (job.own or not iri.startswith((f"{names.base}claim/", f"{names.base}passage/")))

    def fetch(node: Term) -> list[Quad]:
        fetched.add(str(node))
        return about(facts, node) if facts else []

    quads, known = list(_quads(lines)), fetch if facts else None
    with ending(Clock(job.seconds)):
        plans = read_plans(job.shapes)
        checked = check(plans, PartialData(quads, plans.wanted, whole, job.superclasses, fetch=known), is_focus)
    return checked, "\n".join(("", *sorted(fetched), "")).encode()


def _subject(line: bytes) -> bytes:
    return line[: line.index(b" ")]


def _quads(lines: bytes) -> Iterator[Quad]:
    quads: Any = parse(lines, format=RdfFormat.N_TRIPLES)
    yield from quads


def about(facts: SortedFile, node: Term) -> list[Quad]:
    """The triples about a node."""
    return list(_quads(b"".join(facts.starting(f"{node} ".encode()))))


def stretches(rest: Rest, graph: str) -> Iterator[Stretch]:
    """What belongs to no part: things and documents in the default graph, comparisons as evidence."""
    base, shapes, seconds = rest.names.base, rest.shapes.seeing[graph], rest.shapes.seconds
    superclasses, own = (rest.superclasses, rest.own) if graph == "facts" else ({}, False)
    above = sorted((class_, sorted(some)) for class_, some in superclasses.items())
    common = sha256(repr((base, own, above)).encode() + shapes).digest()
    if graph == "evidence":
        path, prefix = rest.tables.path("compared"), f"<{base}comparison/".encode()
        file = SortedFile(path)
        offsets = [at for at in cuts(file, (), (), base) if file.data[at : at + len(prefix)] == prefix]
        end = file.find(prefix[:-1] + b"0")
        for start, stop in pairwise([*offsets, end] if offsets else []):
            yield Stretch(path, start, stop, None, base, shapes, superclasses, own, seconds, common)
        return
    path, file = rest.tables.path("facts"), rest.dataset.facts
    apart = [] if rest.own else [f"<{base}{kind}/".encode() for kind in ("claim", "passage")]
    for start, stop in pairwise(cuts(file, rest.documents, ("claim", "document", "passage"), base)):
        # Claims and passages were checked with their parts.
        if not any(file.data[start : start + len(prefix)] == prefix for prefix in apart):
            yield Stretch(path, start, stop, path, base, shapes, superclasses, own, seconds, common)


@dataclass(frozen=True, slots=True)
class Stretches:
    """Those of a graph: ``found``, what is known of each by its key, and the ``new`` ones, with their keys."""

    found: dict[bytes, tuple[Outcome, bytes]]
    new: Mapping[Stretch, bytes]
    results: Iterator[tuple[Stretch, tuple[Outcome, bytes]]]

    def checked(self) -> Iterator[Outcome]:
        """What was found, when all of them are checked."""
        self.found.update((self.new[job], result) for job, result in self.results)
        yield from (checked for checked, _ in self.found.values())


@contextmanager
def checking(jobs: Iterable[Stretch], tables: Tables, name: str, workers: Workers) -> Iterator[Stretches]:
    """Begin to check what changed, or looks at what changed; of all else is known what was found."""
    before: Mapping[bytes, tuple[Outcome, bytes]] = tables.kept(f"checked {name}") or {}
    changed = tables.changed("facts")
    found: dict[bytes, tuple[Outcome, bytes]] = {}
    new: dict[Stretch, bytes] = {}
    for job in jobs:
        key = job.key()
        kept = before.get(key)
        if kept and changed is not None and not any(b"\n%b\n" % subject in kept[1] for subject in changed):
            found[key] = kept
        else:
            new[job] = key
    tables.values[f"checked {name}"] = found
    with workers.begun(check_stretch, list(new)) as results:
        yield Stretches(found, new, results)


@dataclass(slots=True)
class Rest:
    """The whole dataset for checks. ``store`` opens it as a store, ``places`` finds lines.

    ``own``: what parts found of their own nodes does not count, because claims put classes below each other.
    """

    tables: Tables
    dataset: Dataset
    documents: Sequence[str]
    names: vocab.Names
    shapes: Shapes
    superclasses: Mapping[str, Collection[str]]
    disputed: Disputed
    store: Callable[[], Store]
    places: Look
    own: bool
    clock: Clock = field(init=False)
    _claimed: Callable[[bytes], bool] = field(init=False)

    def __post_init__(self) -> None:
        said = self.dataset.said
        # A query may look at all of the graph, such as for two things with the same label.
        self.clock = Clock(self.shapes.seconds, len(self.dataset.facts.data) / _BYTES / MANY)
        self._claimed = lru_cache(maxsize=1000)(lambda line: any(said.starting(line.rstrip(b"\n") + b"\t")))

    def data(self, graph: str, wanted: Collection[str]) -> PartialData:
        if graph == "facts":
            fetch = lambda node: about(self.dataset.facts, node)  # noqa: E731 - short, and used once
            above = self.superclasses
            return PartialData((), wanted, lambda _: False, above, fetch=fetch, store=self._opened)
        return PartialData((), wanted, lambda _: False, {}, fetch=self._evidence_about)

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

    def all_quads(self, graph: str) -> list[Quad]:
        """The whole graph for a shape that is being checked; reading it is none of its doing."""
        with self.clock.stopped():
            return self.quads(graph)

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
    rest: Rest, left: Mapping[str, Outcome], workers: Workers, meanwhile: Callable[[], None] = lambda: None
) -> tuple[list[Finding], set[tuple[str, str]]]:
    """The findings of all shapes beyond those of parts; and the shapes, by graph, whose findings in parts do not count.

    ``left``: by graph, what parts left open and refused. ``meanwhile`` is called when the workers have what they are to
    check, and may give them more: what is left open after that is this process's.

    :raises Endless: if a shape takes too long.
    """
    shapes = rest.shapes
    findings: list[Finding] = []
    instead: set[tuple[str, str]] = set()
    plans = {graph: _plans(graph, rest) for graph in GRAPHS if shapes.seeing[graph]}
    with ExitStack() as running:
        begun = {
            graph: running.enter_context(checking(stretches(rest, graph), rest.tables, graph, workers))
            for graph, compiled in plans.items()
            if compiled
        }
        meanwhile()
        for graph, compiled in plans.items():
            found = _checked(graph, compiled, rest, left[graph], begun[graph].checked()) if compiled else Outcome()
            results = found.all_results()
            if compiled is None or found.refused:
                covered = set() if compiled is None else compiled.plans.keys() - found.refused.keys()
                instead |= {(graph, str(shape)) for shape in found.refused}
                more = by_reference(rest.quads(graph), shapes, graph, covered, rest.clock)
                if isinstance(more, Finding):
                    findings.append(more)
                else:
                    results += more
            findings += findings_of(results, shapes, rest.places, rest.disputed, rest.names)
    return findings, instead


def _plans(graph: str, rest: Rest) -> Plans | None:
    """The compiled plans, ``None`` where everything is the reference's."""
    try:
        with ending(rest.clock):
            return read_plans(rest.shapes.seeing[graph]) if rest.shapes.compiled else None
    except NotCovered:
        return None


def _checked(graph: str, plans: Plans, rest: Rest, left: Outcome, in_stretches: Iterable[Outcome]) -> Outcome:
    found = Outcome(open=target_nodes(plans), refused=dict(plans.refused))
    for one in (left, *in_stretches):
        found.add(one)
    for shape, nodes in found.open.items():
        if shape not in found.refused:
            _check_open(shape, plans.plans[shape], sorted(nodes, key=str), _Seen(graph, plans.wanted, rest), found)
    for shape in found.refused:
        found.results.pop(shape, None)
    return found


class _Seen(NamedTuple):
    """One of the graphs that shapes see, with the properties that they look at."""

    graph: str
    wanted: Collection[str]
    rest: Rest


def _check_open(shape: Node, plan: Plan, nodes: Sequence[Term], seen: _Seen, found: Outcome) -> None:
    for at in range(0, len(nodes), _AT_ONCE):
        some = nodes[at : at + _AT_ONCE]
        one = Outcome()
        data = seen.rest.data(seen.graph, seen.wanted)
        doing(str(place_of(shape, seen.rest.shapes)))
        with ending(seen.rest.clock, len(some) / _AT_ONCE):
            run(shape, plan, some, data, one)
        if one.open:
            wanted = plan.predicates | BY_ALL
            quads = seen.rest.quads(seen.graph, wanted)
            one, tables = Outcome(), Data(quads, wanted, lambda: seen.rest.all_quads(seen.graph))
            with ending(seen.rest.clock, len(quads) / MANY):
                run(shape, plan, some, tables, one)
        found.results.setdefault(shape, []).extend(one.results.get(shape, ()))
        found.refused.update(one.refused)


def read_places(lines: Iterable[bytes]) -> Places:
    """The places of triples, from lines; of one that stands twice, the first."""
    found: dict[tuple[str, str, str], Place] = {}
    for line in lines:
        triple, number, file = line.decode().rstrip("\n").rsplit("\t", 2)
        one, predicate, value = triple[:-2].split(" ", 2)
        key, place = (one, predicate, value), Place(file, int(number))
        found[key] = min(found.get(key, place), place)
    return found
