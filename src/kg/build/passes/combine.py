"""What the parts say together: values that are small beside the dataset, and the sorted lines of all of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from kg import vocab
from kg.build.compare import Told, Voices, compare
from kg.build.functional import holds, read_reached
from kg.build.lines import SortedFile, common, groups, merged
from kg.build.passes.entities import Entities, Labels
from kg.build.passes.part import Common, Part
from kg.build.passes.shards import Shard
from kg.build.passes.tables import Tables
from kg.build.rules import Asked, Spoken
from kg.build.shacl.partial import Outcome
from kg.build.validate import GRAPHS, Disputed
from kg.build.writing.content import Dataset
from kg.build.writing.coverage import Share
from kg.model import Check, Document, Finding, Place, error


@dataclass(slots=True)
class Combined:
    """Of all parts, what :class:`~kg.build.passes.part.Part` has of one.

    ``where``: the shard of each document, by number. ``checks``: the findings of grounding, rules and reviews;
    ``findings``: those of SHACL, by graph and shape; ``checked``: by graph, what SHACL has left to check. ``passages``:
    how many, and how many of them are ``verified``.
    """

    shards: Sequence[Shard]
    where: dict[str, int] = field(default_factory=dict)
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
    checked: dict[str, Outcome] = field(default_factory=lambda: {graph: Outcome() for graph in GRAPHS})
    known: set[str] = field(default_factory=set)
    findings: dict[tuple[str, str], list[Finding]] = field(default_factory=lambda: defaultdict(list))

    def origins(self) -> dict[str, str]:
        """Documents, and what stands for all documents that are no independent witnesses."""
        return {document.iri: self.voices.origin(document.iri) for document in self.documents.values()}


def combine(shards: Sequence[Shard], base: str) -> Combined:
    """Read the parts of all shards once."""
    found = Combined(shards, voices=Voices(base))
    said: set[str] = set()
    unsaid: list[tuple[str, Finding]] = []
    same: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for number, shard in enumerate(shards):
        for part in shard.parts():
            found.where.update((document.name, number) for document in part.documents)
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
        found.checked[graph].add(checked)
    for key, findings in part.findings.items():
        found.findings[key] += [finding for finding in findings if finding.subject not in part.known]


def missing_claims(found: Combined) -> list[Finding]:
    """Claims of other documents that are pointed at and that are not there."""
    missing = []
    for iri, finding in found.pending:
        line = f"{iri}\n".encode()
        if not any(line in shard.lines("described") for shard in found.shards):
            missing.append(finding)
    return missing


def alike(documents: Iterable[Document]) -> Iterator[Finding]:
    """Documents whose files are one and the same on a disk that tells capitals, or forms of a letter, not apart."""
    first: dict[str, Document] = {}
    for document in sorted(documents, key=lambda one: one.name):
        one = first.setdefault(normalize("NFC", document.name).casefold(), document)
        if one is not document:
            message = (
                f"the names {one.name} and {document.name} differ only in capitals or in how letters are encoded, "
                "and files are called after them: rename one"
            )
            yield error("document", message, document.place, document.iri)


# -- rules -----------------------------------------------------------------------------------------------------------


def asked(found: Combined, tables: Tables, entities: Entities, names: vocab.Names) -> Asked:
    """What the rules across documents look at: how IRIs are used, held against what ``data/entities`` has."""
    unlabelled: set[str] = set()
    unused: list[tuple[int, str, Place]] = []
    merged_into: dict[str, tuple[str, Place]] = {}
    for line in _asked_by_iri(tables, entities).lines():
        iri, mark, *more = line.decode().rstrip("\n").split("\t")
        if mark == "l":
            unlabelled.add(iri)
        elif mark == "n":
            unused.append((int(more[0]), iri, Place(more[2], int(more[1]))))
        else:
            merged_into[iri] = more[0], Place(more[2], int(more[1]))
    authors: dict[str, list[Document]] = defaultdict(list)
    for document in found.documents.values():
        unnamed = document.author in unlabelled and not any(entities.of(document.author))
        if unnamed or document.author in merged_into:
            authors[document.author].append(document)
    wanted, uses = unlabelled | merged_into.keys(), tables.file("uses")
    targets = {into for into, _ in merged_into.values() if into.startswith(names.id)}
    return Asked(
        unlabelled=frozenset(unlabelled),
        unused=tuple((iri, place) for _, iri, place in sorted(unused)),
        merged=merged_into,
        nowhere=frozenset(
            into for into in targets if not any(entities.of(into)) and not any(uses.starting(f"{into}\t".encode()))
        ),
        spoken=tuple(_spoken(found.shards, wanted)),
        authors={author: tuple(some) for author, some in authors.items()},
        unsaid=tuple(found.unsaid),
        twice=tuple(stated_twice(tables, f"<{names.document('')}".encode())),
    )


def _asked_by_iri(tables: Tables, entities: Entities) -> SortedFile:
    """IRI and what is to be asked about it: ``l`` no label; ``n`` in no claim; ``r`` merged into another."""
    uses = tables.merged("uses")
    used, labelled = tables.changed("uses"), tables.changed("labels")

    def everything() -> Iterator[bytes]:
        for iri, marks, lines in _joined(groups(uses.lines(), b"\t"), groups(entities.labels.lines(), b"\t")):
            yield from _asked_about(iri, marks, lines)

    def one(iri: bytes) -> Iterator[bytes]:
        yield from _asked_about(iri, list(uses.starting(iri + b"\t")), list(entities.labels.starting(iri + b"\t")))

    keys = None if used is None or labelled is None else used | labelled
    return tables.by_key("asked", keys, everything, one)


def _asked_about(iri: bytes, uses: Sequence[bytes], labels: Sequence[bytes]) -> Iterator[bytes]:
    marks = {line[-2:-1] for line in uses}
    said = [line.split(b"\t", 6) for line in labels]
    if (b"t" in marks and not any(fields[2] in (b"l", b"p") for fields in said)) or (b"s" in marks and not said):
        yield iri + b"\tl\n"
    into = [fields for fields in said if fields[2] == b"r"]
    for fields in into[-1:]:
        yield b"\t".join((iri, b"r", *fields[4:]))
    if said and not into and not marks & {b"s", b"t", b"u"}:
        yield b"\t".join((iri, b"n", said[0][1], *said[0][5:]))


def _joined(
    uses: Iterator[tuple[bytes, list[bytes]]], labels: Iterator[tuple[bytes, list[bytes]]]
) -> Iterator[tuple[bytes, list[bytes], list[bytes]]]:
    """IRIs with the lines of their uses and of their labels; a full join."""
    use, label = next(uses, None), next(labels, None)
    while use or label:
        iri = min(one[0] for one in (use, label) if one)
        ours, theirs = list[bytes](), list[bytes]()
        if use and use[0] == iri:
            ours, use = use[1], next(uses, None)
        if label and label[0] == iri:
            theirs, label = label[1], next(labels, None)
        yield iri, ours, theirs


def stated_twice(tables: Tables, records: bytes) -> Iterator[tuple[str, Place, Place]]:
    """Claims whose triples stand without a claim, too: as labels or terms, or in a document's description.

    ``records``: how lines about documents begin. Where a build before found none, only what is new is looked at.
    """
    said, others = tables.file("said"), [tables.file(name) for name in PLACED]
    about_documents = [shard.lines("records") for shard in tables.shards]
    for triple in sorted({*_stated_elsewhere(tables, said, others), *_recorded(said, records, about_documents)}):
        other = _first(triple, [*others, *about_documents])
        for shard in tables.shards:
            for line in shard.lines("said").starting(triple[:-1] + b"\t"):
                claim = line[len(triple) :].decode().rstrip("\n")
                yield claim, _first(triple, [shard.lines("places")]), other


PLACED = ("places", "places-of-terms")
"""Files with triples that stand in no document, each with its place."""


def _stated_elsewhere(tables: Tables, said: SortedFile, others: Sequence[SortedFile]) -> Iterator[bytes]:
    """Triples that claims state and that stand in ``others``."""
    changes = [tables.changes.get(name) for name in ("said", *PLACED)]
    if any(change is None for change in changes):
        stated = (line.partition(b"\t")[0] + b"\n" for line in said.lines())
        placed = (line.partition(b"\t")[0] + b"\n" for some in merged(others) for line in some.splitlines())
        yield from common(stated, placed)
        return
    for change in changes:
        for line in change.come if change else ():
            triple = line.partition(b"\t")[0]
            if any(said.starting(triple + b"\t")) and any(any(f.starting(triple + b"\t")) for f in others):
                yield triple + b"\n"


def _recorded(said: SortedFile, records: bytes, about_documents: Sequence[SortedFile]) -> Iterator[bytes]:
    """Triples about documents that claims state, and descriptions of documents too."""
    for line in said.starting(records):
        triple = line.partition(b"\t")[0]
        if any(any(file.starting(triple + b"\t")) for file in about_documents):
            yield triple + b"\n"


def _first(triple: bytes, files: Iterable[SortedFile]) -> Place:
    line = next(line for file in files for line in file.starting(triple[:-1] + b"\t"))
    _, number, name = line.decode().rstrip("\n").rsplit("\t", 2)
    return Place(name, int(number))


def _spoken(shards: Iterable[Shard], wanted: set[str]) -> list[Spoken]:
    """Where claims speak of the things that are wanted, in the order of the claims."""
    found = []
    for shard in shards if wanted else ():
        lines = shard.lines("spoken")
        for iri in wanted:
            for line in lines.starting(f"{iri}\t".encode()):
                _, claim, number, mark, at, file = line.decode().rstrip("\n").split("\t", 5)
                found.append((claim, number, Spoken(iri, claim, Place(file, int(at)), speaker=mark == "s")))
    return [spoken for _, _, spoken in sorted(found)]


def shards_about(subject: str, predicate: str, found: Combined, tables: Tables, names: vocab.Names) -> list[Shard]:
    """The shards that can have a line for a triple with these two: of its own document, and of claims that state one.

    Those of all claims about the subject where none does, and all of them for what hangs from a document's description.
    """
    said = tables.file("said")

    def numbers(beginning: str) -> set[int]:
        claims = (line.decode().rstrip("\n").rpartition("\t")[2] for line in said.starting(beginning.encode()))
        local = (names.local(iri) or "" for iri in (subject.strip("<>"), *claims))
        documents = {one.partition("/")[2].partition("/")[0].partition("#")[0] for one in local}
        return {found.where[document] for document in documents if document in found.where}

    wanted = numbers(f"{subject} {predicate} ") or numbers(f"{subject} ") or range(len(found.shards))
    return [found.shards[number] for number in sorted(wanted)]


# -- comparison ------------------------------------------------------------------------------------------------------


def compared(found: Combined, tables: Tables, entities: Entities, labels: Labels, shared: Common) -> Disputed:
    """Hold the values of all claims side by side; what comes of it is the file ``compared``."""
    names = vocab.Names(shared.base)
    values, reached, said = (tables.merged(name) for name in ("values", "reached", "said"))

    def single(subject: str, predicate: str) -> bool:
        return predicate in shared.single and holds(
            shared.single, predicate, read_reached(reached.starting(f"{subject}\t".encode()))
        )

    told = Told(
        single=single,
        as_one=frozenset(_as_one(said, f"<{names.kg}takenToBe>".encode())),
        label=labels.preferred,
        elsewhere=lambda triple: triple.encode() in entities.facts,
    )
    by_key = tables.by_key(
        "compared-by",
        _to_compare(found, tables, told, names),
        everything=lambda: compare(values.lines(), told, found.voices, names),
        one=lambda subject: compare(values.starting(subject + b"\t"), told, found.voices, names),
    )
    disputed: dict[tuple[str, str], tuple[str, ...]] = {}

    def triples() -> Iterator[bytes]:
        for line in by_key.lines():
            subject, kind, rest = line.split(b"\t", 2)
            if kind == b"q":
                yield rest
            else:
                predicate, claims = rest.decode().rstrip("\n").split("\t")
                disputed[subject.decode(), predicate] = tuple(claims.split(" "))

    tables.write("compared", triples())
    return disputed


def _to_compare(found: Combined, tables: Tables, told: Told, names: vocab.Names) -> set[bytes] | None:
    """The subjects whose values, or what decides about them, changed; ``None`` for all."""
    origins, before = found.origins(), tables.kept("origins")
    as_one = tables.kept("as_one")
    tables.values |= {"origins": origins, "as_one": told.as_one}
    changed = [tables.changed(name) for name in ("values", "reached", "labels")]
    facts = tables.changed("entities")
    if before is None or facts is None or as_one != told.as_one:
        return None
    same = {(before[document], root) for document, root in origins.items() if document in before}
    if not len({old for old, _ in same}) == len({new for _, new in same}) == len(same):
        return None
    subjects = {iri[1:-1] for iri in facts}
    for some in changed:
        if some is None:
            return None
        subjects |= some
    # The label of a property stands in comparisons of many things.
    labels = changed[-1] or ()
    return subjects if all(iri.startswith(names.id.encode()) for iri in labels) else None


def _as_one(said: SortedFile, predicate: bytes) -> Iterator[frozenset[str]]:
    """What is taken to be what."""
    at = said.data.find(b" " + predicate + b" ")
    while at >= 0:
        start, end = said.data.rfind(b"\n", 0, at) + 1, said.data.find(b"\n", at) + 1
        subject, name, value = said.data[start:end].partition(b" .\t")[0].split(b" ", 2)
        if name == predicate:
            yield frozenset((subject[1:-1].decode(), value[1:-1].decode()))
        at = said.data.find(b" " + predicate + b" ", end)


# -- the dataset -----------------------------------------------------------------------------------------------------


def put_together(tables: Tables, names: vocab.Names) -> Dataset:
    """The dataset as sorted files."""
    own = tuple(f"<{names.base}{kind}/".encode() for kind in ("claim", "passage"))

    def of_one_part(line: bytes) -> bool:
        return line.startswith(own)

    return Dataset(
        facts=tables.merged("facts", own=of_one_part, more=("entities", "terms", "compared")),
        graphs=tables.merged("graphs", own=of_one_part),
        said=tables.file("said"),
    )


def mentioned(tables: Tables) -> int:
    """How many different things claims mention."""
    return sum(some.count(b"\tm\n") for some in tables.file("uses").chunks())


def stated(tables: Tables, names: vocab.Names) -> int:
    """How many different triples claims state, those of nameless nodes aside."""
    genid, last, count = f"<{names.genid}".encode(), b"", 0
    for line in tables.file("said").lines():
        triple = line.partition(b"\t")[0]
        count += triple != last and genid not in triple
        last = triple
    return count


def rows(tables: Tables) -> Iterator[tuple[str, str, str]]:
    """The rows of all claims, by document, in its order: the speaker, and the line before and behind it."""
    for line in tables.merged("rows").lines():
        _, _, speaker, before, after = line.decode().split("\t")
        yield speaker, json.loads(before), json.loads(after)


def passages(tables: Tables) -> Iterator[tuple[str, Check]]:
    """Every passage, by IRI, with what was checked of it."""
    for line in tables.merged("passages").lines():
        iri, check = line.decode().rstrip("\n").split("\t")
        yield iri, Check(check)
