"""What the parts say together: values that are small beside the dataset, and the sorted lines of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyoxigraph import Quad

from kg import vocab
from kg.build.compare import Comparison, Told, Voices, compare
from kg.build.content import Dataset
from kg.build.coverage import Share
from kg.build.entities import Entities, Labels
from kg.build.lines import SortedFile, common, groups, merged, write_merged, write_sorted
from kg.build.part import Common, Part
from kg.build.render import graph_last
from kg.build.rules import Spoken
from kg.build.rules import Told as Asked
from kg.build.shacl.bound import Checked
from kg.build.shards import Shard
from kg.build.single import holds, read_reached
from kg.build.validate import GRAPHS
from kg.model import Check, Document, Finding, Place


@dataclass(slots=True)
class Combined:
    """Of all parts. ``findings``: of documents, by SHACL's graph and shape; ``checked``: what is left to check."""

    shards: Sequence[Shard]
    documents: dict[str, Document] = field(default_factory=dict)
    voices: Voices = field(default_factory=lambda: Voices(""))
    parsed: list[Finding] = field(default_factory=list)
    collected: list[Finding] = field(default_factory=list)
    checks: list[Finding] = field(default_factory=list)
    pending: list[tuple[str, Finding]] = field(default_factory=list)
    unsaid: list[Finding] = field(default_factory=list)
    prefixes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    modified: str = ""
    nameless: int = 0
    subclasses: list[tuple[str, str]] = field(default_factory=list)
    reports: dict[str, Mapping[str, object]] = field(default_factory=dict)
    shares: dict[str, tuple[Share, Share | None]] = field(default_factory=dict)
    passages: int = 0
    verified: int = 0
    checked: dict[str, Checked] = field(default_factory=lambda: {graph: Checked() for graph in GRAPHS})
    known: set[str] = field(default_factory=set)
    findings: dict[tuple[str, str], list[Finding]] = field(default_factory=lambda: defaultdict(list))

    def sorted(self, name: str) -> Iterator[bytes]:
        """The lines of all shards, many at a time, in order."""
        return merged([shard.lines(name) for shard in self.shards])

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of all shards, one by one, in order."""
        for some in self.sorted(name):
            yield from some.splitlines(keepends=True)


def combine(shards: Sequence[Shard], base: str) -> Combined:
    """Read the parts of all shards once."""
    found = Combined(shards, voices=Voices(base))
    said: set[str] = set()
    unsaid: list[tuple[str, Finding]] = []
    same: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for shard in shards:
        for part in shard.parts():
            found.documents.update((document.name, document) for document in part.documents)
            found.voices.add(part.documents, part.derived)
            found.parsed += part.parsed
            found.collected += part.collected
            found.checks += part.checked
            found.pending += part.pending
            found.modified = max(found.modified, part.modified)
            found.nameless += part.nameless
            found.subclasses += part.subclasses
            found.reports.update(part.reports)
            found.shares.update(part.shares)
            found.passages += part.counted[0]
            found.verified += part.counted[1]
            found.known |= part.known
            said |= part.said
            unsaid += part.unsaid
            for file, prefixes in part.prefixes.items():
                found.prefixes[file] = same.setdefault(tuple(prefixes.items()), prefixes)
            _add_checks(found, part)
    found.unsaid = [finding for iri, finding in unsaid if iri not in said]
    return found


def _add_checks(found: Combined, part: Part) -> None:
    for graph, checked in (("facts", part.facts), ("evidence", part.evidence)):
        for shape, nodes in checked.open.items():
            found.checked[graph].open.setdefault(shape, set()).update(nodes)
        found.checked[graph].refused.update(checked.refused)
    for key, findings in part.findings.items():
        found.findings[key] += [finding for finding in findings if finding.subject not in part.known]


def missing_claims(found: Combined) -> list[Finding]:
    """Claims of other documents that are pointed at and that are not there."""
    wanted = {iri for iri, _ in found.pending}
    there: set[str] = set()
    if wanted:
        for shard in found.shards:
            for details in shard.details():
                there |= wanted & details.described
    return [finding for iri, finding in found.pending if iri not in there]


# -- rules -----------------------------------------------------------------------------------------------------------


def asked(found: Combined, entities: Entities, terms: SortedFile, names: vocab.Names) -> Asked:
    """What the rules across documents look at: how IRIs are used, held against what ``data/entities`` has."""
    unlabelled: set[str] = set()
    unused: list[tuple[str, int, Place]] = []
    merged_into: dict[str, tuple[str, Place]] = {}
    for iri, marks, lines in _used(found, entities):
        said = [line.split(b"\t", 6) for line in lines]
        if ("t" in marks and not any(fields[2] in (b"l", b"p") for fields in said)) or ("s" in marks and not said):
            unlabelled.add(iri)
        for fields in said:
            if fields[2] == b"r":
                merged_into[iri] = (fields[4].decode(), _place(fields))
        if said and not marks & {"s", "t", "u"} and iri not in merged_into:
            unused.append((iri, int(said[0][1]), _place(said[0])))
    authors: dict[str, list[Document]] = defaultdict(list)
    for document in found.documents.values():
        if document.author in unlabelled and not any(entities.of(document.author)):
            authors[document.author].append(document)
    wanted = unlabelled | merged_into.keys()
    return Asked(
        unlabelled=frozenset(unlabelled),
        unused=tuple((iri, place) for iri, _, place in sorted(unused, key=lambda one: one[1])),
        merged=merged_into,
        spoken=tuple(_spoken(found, wanted)) if wanted else (),
        authors={author: tuple(some) for author, some in authors.items()},
        unsaid=tuple(found.unsaid),
        twice=tuple(stated_twice(found, [entities.places, terms], f"<{names.document('')}".encode())),
    )


def stated_twice(found: Combined, others: Sequence[SortedFile], records: bytes) -> Iterator[tuple[str, Place, Place]]:
    """Claims whose triples stand without a claim in ``others`` (lines with places), or in a document's description.

    ``records``: how lines about documents begin.
    """
    about_documents = [shard.lines("records") for shard in found.shards]
    triples = (line.partition(b" .\t")[0] + b" .\n" for some in merged(others) for line in some.splitlines())
    twice = set(common(found.lines("claimed"), triples))
    for shard in found.shards:
        stated = list(shard.lines("claimed").starting(records))
        twice |= {line for line in stated if any(any(f.starting(line[:-1] + b"\t")) for f in about_documents)}
    for triple in sorted(twice):
        other = _first(triple, [*others, *about_documents])
        for shard in found.shards:
            if triple in shard.lines("claimed"):
                place = _first(triple, [shard.lines("places")])
                for line in shard.lines("graphs").lines():
                    graph, _, rest = line.partition(b" ")
                    claim = graph[1:-1].decode()
                    if rest == triple and "/claim/" in claim:
                        yield claim, place, other


def _first(triple: bytes, files: Iterable[SortedFile]) -> Place:
    line = next(line for file in files for line in file.starting(triple[:-1] + b"\t"))
    _, number, name = line.decode().rstrip("\n").rsplit("\t", 2)
    return Place(name, int(number))


def _place(fields: Sequence[bytes]) -> Place:
    return Place(fields[6].decode().rstrip("\n"), int(fields[5]))


def _used(found: Combined, entities: Entities) -> Iterator[tuple[str, set[str], list[bytes]]]:
    """IRIs, the marks of their uses, and the lines of their labels; a full join."""
    uses = groups(found.lines("uses"), b"\t")
    labels = groups(entities.labels.lines(), b"\t")
    use, label = next(uses, None), next(labels, None)
    while use or label:
        iri = min(one[0] for one in (use, label) if one)
        marks: set[str] = set()
        lines: list[bytes] = []
        if use and use[0] == iri:
            marks = {line[-2:-1].decode() for line in use[1]}
            use = next(uses, None)
        if label and label[0] == iri:
            lines = label[1]
            label = next(labels, None)
        yield iri.decode(), marks, lines


def _spoken(found: Combined, wanted: Iterable[str]) -> list[Spoken]:
    known = set(wanted)
    some = [one for shard in found.shards for d in shard.details() for one in d.spoken if one.iri in known]
    return sorted(some, key=lambda one: one.claim)


# -- comparison ------------------------------------------------------------------------------------------------------


def compared(found: Combined, entities: Entities, labels: Labels, shared: Common, folder: Path) -> Comparison:
    """Hold the values of all claims side by side."""
    names = vocab.Names(shared.base)
    reached = write_merged(folder / "reached", [shard.lines("reached") for shard in found.shards])
    taken = f"{names.kg}takenToBe"

    def single(subject: str, predicate: str) -> bool:
        return predicate in shared.single and holds(
            shared.single, predicate, read_reached(reached.starting(f"{subject}\t".encode()))
        )

    told = Told(
        single=single,
        as_one=frozenset(_as_one(found, f"<{taken}>".encode())),
        label=labels.preferred,
        elsewhere=lambda triple: triple.encode() in entities.facts,
    )
    return compare(found.lines("values"), told, found.voices, names)


def _as_one(found: Combined, predicate: bytes) -> Iterator[frozenset[str]]:
    for shard in found.shards:
        data = shard.lines("claimed").data
        if data.find(b" " + predicate + b" ") < 0:
            continue
        for line in shard.lines("claimed").lines():
            subject, name, value = line[:-3].split(b" ", 2)
            if name == predicate:
                yield frozenset((subject[1:-1].decode(), value[1:-1].decode()))


# -- the dataset -----------------------------------------------------------------------------------------------------


def put_together(
    found: Combined, entities: Entities, ontology: Iterable[Quad], comparison: Comparison, folder: Path
) -> Dataset:
    """The dataset as sorted files in ``folder``."""
    terms = write_sorted(folder / "terms", (f"{quad.triple} .\n".encode() for quad in ontology))
    comparisons = write_sorted(folder / "compared", (f"{quad.triple} .\n".encode() for quad in comparison.quads))

    def of(name: str) -> list[SortedFile]:
        return [shard.lines(name) for shard in found.shards]

    graphs = write_merged(folder / "graphs", of("graphs"))
    with (folder / "named.nq").open("wb") as out:
        out.writelines(map(graph_last, graphs.lines()))
    return Dataset(
        facts=write_merged(folder / "facts.nt", [*of("facts"), entities.facts, terms, comparisons]),
        graphs=graphs,
        claimed=write_merged(folder / "claimed", of("claimed")),
    )


def mentioned(found: Combined) -> int:
    """How many different things claims mention."""
    return sum(line.endswith(b"\tm\n") for line in found.lines("uses"))


# -- what is written out of the parts --------------------------------------------------------------------------------


def rows(shards: Sequence[Shard]) -> Callable[[], Iterator[tuple[str, ...]]]:
    """The rows of all claims, by document. A part may have several documents, and they need not be neighbours."""

    def read() -> Iterator[tuple[str, ...]]:
        apart: dict[str, tuple[tuple[str, ...], ...]] = {}
        pending: list[tuple[str, tuple[tuple[str, ...], ...]]] = []
        for shard in shards:
            for details in shard.details():
                names = sorted(details.rows)
                pending += [(name, details.rows[name]) for name in names[:1]]
                apart.update((name, details.rows[name]) for name in names[1:])
            yield from _until(pending, apart)
            pending = []
        for name in sorted(apart):
            yield from apart[name]

    return read


def _until(
    pending: list[tuple[str, tuple[tuple[str, ...], ...]]], apart: dict[str, tuple[tuple[str, ...], ...]]
) -> Iterator[tuple[str, ...]]:
    for name, found in sorted(pending):
        for other in sorted(other for other in apart if other < name):
            yield from apart.pop(other)
        yield from found


def passages(shards: Sequence[Shard], folder: Path) -> Callable[[], Iterator[tuple[str, Check]]]:
    """Every passage, by IRI, with what was checked of it."""
    parts = []
    for number, shard in enumerate(shards):
        lines = (f"{iri}\t{check}\n".encode() for details in shard.details() for iri, check in details.passages.items())
        parts.append(write_sorted(folder / f"passages-{number}", lines))
    whole = write_merged(folder / "passages", parts)
    for number in range(len(parts)):
        (folder / f"passages-{number}").unlink()

    def read() -> Iterator[tuple[str, Check]]:
        for line in whole.lines():
            iri, check = line.decode().rstrip("\n").split("\t")
            yield iri, Check(check)

    return read
