"""Stage 7a: the files people download. ``DUMPS`` is their list.

``facts.*`` hold the default graph, ``all.*`` every graph, ``claims.csv`` a line a claim, ``ontology.ttl`` and
``shapes.ttl`` what their names say. Quads are sorted, so the same content gives the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import BlankNode, DefaultGraph, Quad, Triple

from kg import media, vocab
from kg.build.assemble import Assembled, in_default_graph
from kg.build.canon import canonical
from kg.build.collect import Collected
from kg.build.ground import Grounded
from kg.build.parse import Sources
from kg.model import Claim, value_of

_ALL = ("trig", "nq")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything the writers of a release read from."""

    sources: Sources
    collected: Collected
    grounded: Grounded
    assembled: Assembled
    names: vocab.Names
    prefixes: dict[str, str]


Writer = Callable[[Path, Content], int]
"""Writes one file and returns its count of triples, quads or rows."""


def _facts(extension: str) -> Writer:
    def write(path: Path, content: Content) -> int:
        triples = [q.triple for q in content.assembled.quads if q.graph_name == DefaultGraph()]
        return _serialise(path, triples, extension, content)

    return write


def _everything(extension: str) -> Writer:
    def write(path: Path, content: Content) -> int:
        # One graph after the other, so that TriG opens each graph once.
        quads = sorted(content.assembled.quads, key=lambda q: (str(q.graph_name), str(q)))
        return _serialise(path, quads, extension, content)

    return write


def _ontology(path: Path, content: Content) -> int:
    graph = [q.quad for q in content.sources.ontology]
    return _serialise(path, _canonical(graph), "ttl", content)


def _shapes(path: Path, content: Content) -> int:
    return _serialise(path, _canonical(content.assembled.shapes), "ttl", content)


def _canonical(quads: Iterable[Quad]) -> list[Triple]:
    labelled = canonical(Quad(q.subject, q.predicate, q.object) for q in quads)
    # Things before blank nodes, as people read.
    return [q.triple for q in sorted(labelled, key=lambda q: (isinstance(q.subject, BlankNode), str(q)))]


def _serialise(path: Path, items: Sequence[Triple] | Sequence[Quad], extension: str, content: Content) -> int:
    path.write_bytes(media.serialise(items, media.RDF_BY_EXTENSION[extension], content.prefixes))
    return len(items)


CLAIM_COLUMNS = (
    "claim",
    "document",
    "gloss",
    "speaker",
    "modality",
    "basis",
    "passages",
    "paragraph",
    "sentence",
    "checked",
    "in_default_graph",
    "triples",
)


def _claims(path: Path, content: Content) -> int:
    grounded = content.grounded
    labels = {
        value_of(q.quad.subject): value_of(q.quad.object)
        for q in reversed(content.sources.entities)
        if q.quad.predicate.value == vocab.RDFS_LABEL
    }
    # RFC 4180 line ends; the same on every system.
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\r\n")
        rows.writerow(CLAIM_COLUMNS)
        for claim in in_document_order(grounded):
            passages = [grounded.passages[t] for t in claim.targets if t in grounded.passages]
            author = content.collected.documents[claim.document].author
            rows.writerow(
                (
                    claim.iri,
                    claim.document,
                    claim.gloss,
                    labels.get(claim.speaker, claim.speaker),
                    claim.modality,
                    claim.basis,
                    " ".join(p.iri for p in passages),
                    passages[0].paragraph if passages else "",
                    passages[0].sentence if passages else "",
                    "; ".join(sorted({str(grounded.checks[p.iri]) for p in passages})),
                    str(in_default_graph(claim, author)).lower(),
                    len({q.quad.triple for q in claim.graph}),
                )
            )
    return len(grounded.claims)


def in_document_order(grounded: Grounded) -> list[Claim]:
    """Claims by document and by the position of their first passage; their numbers are only names."""

    def key(claim: Claim) -> tuple[str, int, int, int, str]:
        spans = [
            (grounded.passages[t].start, grounded.passages[t].end) for t in claim.targets if t in grounded.passages
        ]
        start, end = min(spans, default=(0, 0))
        number = int(claim.number) if claim.number.isdigit() else 0
        return claim.document, start, end, number, claim.number

    return sorted(grounded.claims, key=key)


DUMPS: dict[str, Writer] = {
    **{f"facts.{m.extension}": _facts(m.extension) for m in media.RDF if m.extension not in _ALL},
    **{f"all.{extension}": _everything(extension) for extension in _ALL},
    "claims.csv": _claims,
    "ontology.ttl": _ontology,
    "shapes.ttl": _shapes,
}


def write_dumps(folder: Path, content: Content) -> dict[str, int]:
    """Write every dump into ``folder``; returns the count of each by its file name."""
    folder.mkdir()
    return {name: write(folder / name, content) for name, write in DUMPS.items()}
