"""Stage 7a: the files people download. ``DUMPS`` is their list.

``facts.*`` hold the default graph, ``all.*`` every graph, ``claims.csv`` a line a claim, ``ontology.ttl`` and
``shapes.ttl`` what their names say. Quads are sorted, so the same content gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pyoxigraph import BlankNode, NamedNode, Quad, Triple

from kg import media
from kg.build.assemble import in_default_graph
from kg.build.canon import canonical
from kg.build.ground import Grounded
from kg.build.writing.content import Content, Dataset
from kg.build.writing.render import used_prefixes
from kg.disk import append
from kg.model import Claim

Writer = Callable[[Path, Content, "Rendered"], int]
"""Writes one file and returns its count of triples, quads or rows."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The runs of the default graph and of the named graphs, as :mod:`kg.build.writing.render` left them."""

    dataset: Dataset
    facts: Sequence[Path]
    graphs: Sequence[Path]


def _facts(extension: str) -> Writer:
    def write(path: Path, content: Content, rendered: Rendered) -> int:
        with path.open("wb") as out:
            _concatenated(out, rendered.facts, extension, content.prefixes)
        return content.tally.triples

    return write


def _triples(path: Path, content: Content, rendered: Rendered) -> int:
    with path.open("wb") as out:
        append(out, rendered.dataset.facts.path)
    return content.tally.triples


def _trig(path: Path, content: Content, rendered: Rendered) -> int:
    """Every graph with a name, opened once; then the default graph, which TriG writes as Turtle does."""
    used = {*_used(rendered.facts), *_used(rendered.graphs)}
    with path.open("wb") as out:
        out.write(media.head_for(_head("trig", content.prefixes)[0], used))
        _copied(out, rendered.graphs, "trig")
        _copied(out, rendered.facts, "ttl")
    return content.tally.triples + content.sizes.named


def _quads(path: Path, content: Content, rendered: Rendered) -> int:
    with path.open("wb") as out:
        _copied(out, rendered.graphs, "nq")
        append(out, rendered.dataset.facts.path)
    return content.tally.triples + content.sizes.named


def _concatenated(out: BinaryIO, runs: Sequence[Path], extension: str, prefixes: Mapping[str, str]) -> None:
    head, tail = _head(extension, prefixes)
    out.write(media.head_for(head, _used(runs)) if extension == "ttl" else head)
    _copied(out, runs, extension, b"," if extension == "jsonld" else b"")
    out.write(tail)


def _copied(out: BinaryIO, runs: Sequence[Path], extension: str, separator: bytes = b"") -> None:
    between = b""
    for stem in runs:
        out.write(between)
        append(out, stem.with_suffix(f".{extension}"))
        between = separator


def _used(runs: Sequence[Path]) -> set[bytes]:
    return {name for stem in runs for name in used_prefixes(stem)}


def _head(extension: str, prefixes: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Head and tail of any file in a syntax."""
    one = Triple(NamedNode("urn:x"), NamedNode("urn:x"), NamedNode("urn:x"))
    head, _, tail = media.in_parts([one], media.RDF_BY_EXTENSION[extension], prefixes)
    return head, tail


def _ontology(path: Path, content: Content, _rendered: Rendered) -> int:
    return _canonically(path, [q.quad for q in content.sources.ontology], content)


def _shapes(path: Path, content: Content, _rendered: Rendered) -> int:
    return _canonically(path, content.shapes, content)


def _canonically(path: Path, quads: Iterable[Quad], content: Content) -> int:
    labelled = canonical(Quad(q.subject, q.predicate, q.object) for q in quads)
    # Things before blank nodes, as people read.
    triples = [q.triple for q in sorted(labelled, key=lambda q: (isinstance(q.subject, BlankNode), str(q)))]
    path.write_bytes(media.serialise(triples, media.RDF_BY_EXTENSION["ttl"], content.prefixes))
    return len(triples)


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


def _claims(path: Path, content: Content, _rendered: Rendered) -> int:
    count = 0
    labels: dict[str, str] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_line(CLAIM_COLUMNS) + _END)
        for speaker, before, after in content.rows():
            if speaker not in labels:
                labels[speaker] = csv_line([content.label(speaker) or speaker])
            file.write(f"{before},{labels[speaker]},{after}{_END}")
            count += 1
    return count


_END = "\r\n"
"""RFC 4180; the same on every system."""


def csv_line(fields: Sequence[str]) -> str:
    """Fields of a line, without its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator=_END).writerow(fields)
    return line.getvalue().removesuffix(_END)


def claim_row(claim: Claim, grounded: Grounded, author: str) -> tuple[str, ...]:
    """A claim's line of the table, its speaker as IRI."""
    passages = [grounded.passages[t] for t in claim.targets if t in grounded.passages]
    return (
        claim.iri,
        claim.document,
        claim.gloss,
        claim.speaker,
        claim.modality,
        claim.basis,
        " ".join(p.iri for p in passages),
        _number(passages[0].paragraph) if passages else "",
        _number(passages[0].sentence) if passages else "",
        "; ".join(sorted({str(grounded.checks[p.iri]) for p in passages})),
        str(in_default_graph(claim, author)).lower(),
        str(len({q.quad.triple for q in claim.graph})),
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def in_document_order(claims: Iterable[Claim], grounded: Grounded) -> list[Claim]:
    """Claims by document and by the position of their first passage; their numbers are only names."""

    def key(claim: Claim) -> tuple[str, int, int, int, str]:
        spans = [
            (grounded.passages[t].start, grounded.passages[t].end) for t in claim.targets if t in grounded.passages
        ]
        start, end = min(spans, default=(0, 0))
        number = int(claim.number) if claim.number.isdigit() else 0
        return claim.document, start, end, number, claim.number

    return sorted(claims, key=key)


DUMPS: dict[str, Writer] = {
    "facts.ttl": _facts("ttl"),
    "facts.nt": _triples,
    "facts.rdf": _facts("rdf"),
    "facts.jsonld": _facts("jsonld"),
    "all.trig": _trig,
    "all.nq": _quads,
    "claims.csv": _claims,
    "ontology.ttl": _ontology,
    "shapes.ttl": _shapes,
}


def write_dumps(folder: Path, content: Content, rendered: Rendered) -> dict[str, int]:
    """Write every dump into ``folder``; returns the count of each by its file name."""
    folder.mkdir()
    return {name: write(folder / name, content, rendered) for name, write in DUMPS.items()}
