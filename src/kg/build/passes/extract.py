"""What a part writes down for all parts to be put together: sorted lines, by what they are (:mod:`kg.build.lines`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pyoxigraph import DefaultGraph, NamedNode, Quad

from kg import vocab
from kg.build.assemble import Assembled, in_default_graph
from kg.build.collect import Collected
from kg.build.compare import values_of
from kg.build.functional import Targets, reaches
from kg.build.ground import Grounded
from kg.build.parse import Sources
from kg.build.writing.dumps import claim_row, csv_line, in_document_order
from kg.model import value_of
from kg.store import stated


@dataclass(frozen=True, slots=True)
class Lines:
    """Sorted lines; every field is the content of a file.

    ``facts``: the default graph's triples. ``graphs``: quads, the graph first. ``said``: triples of claims' graphs,
    each with its claim. ``values``, ``reached``: see :mod:`kg.build.compare`, :mod:`kg.build.functional`. ``uses``:
    IRIs, and how they are used. ``spoken``: IRIs in claims, with claim, number, mark and place. ``described``: claims.
    ``places``: where a triple stands. ``records``: the same, of what is said of documents without a claim. ``rows``: a
    claim's line of the table, by document and number in it. ``passages``: IRIs, with what was checked. ``stated``:
    claims that state facts, with the keys of their triples (:mod:`kg.store.stated`).
    """

    facts: bytes = b""
    graphs: bytes = b""
    said: bytes = b""
    values: bytes = b""
    reached: bytes = b""
    uses: bytes = b""
    spoken: bytes = b""
    described: bytes = b""
    places: bytes = b""
    records: bytes = b""
    rows: bytes = b""
    passages: bytes = b""
    stated: bytes = b""


class Staged(NamedTuple):
    """What the stages made of a bundle."""

    sources: Sources
    collected: Collected
    grounded: Grounded
    assembled: Assembled


def described(collected: Collected) -> bytes:
    """The claims that are described, withdrawn ones too."""
    return _sorted(collected.described)


def lines_of(staged: Staged, single: Targets, superclasses: Mapping[str, frozenset[str]], names: vocab.Names) -> Lines:
    """All lines of a part."""
    sources, collected, _, assembled = staged
    claims = {claim.iri: claim for claim in collected.claims}
    facts, graphs, said = [], [], []
    named: list[Quad] = []
    for quad in assembled.quads:
        triple = str(quad.triple)
        if quad.graph_name == DefaultGraph():
            facts.append(f"{triple} .")
        else:
            graphs.append(f"{quad.graph_name} {triple} .")
            named.append(quad)
            if value_of(quad.graph_name) in claims:
                said.append(f"{triple} .\t{value_of(quad.graph_name)}")
    published = {
        iri: in_default_graph(claim, collected.documents[claim.document].author) for iri, claim in claims.items()
    }
    stating = [quad for quad in named if published.get(value_of(quad.graph_name))]
    return Lines(
        facts=_sorted(facts),
        graphs=_sorted(graphs),
        said=_sorted(said),
        values=_sorted(values_of(named, claims, collected.documents, published, names)),
        reached=_sorted(reaches(named, single, superclasses)),
        uses=_sorted(_uses(staged, names)),
        spoken=_sorted(_spoken(collected)),
        described=described(collected),
        places=_sorted(_places(assembled)),
        records=_sorted(f"{q.quad.triple} .\t{q.place.line}\t{q.place.file}" for q in sources.documents),
        rows=_sorted(_rows(staged)),
        passages=_sorted(f"{iri}\t{check}" for iri, check in staged.grounded.checks.items()),
        stated=_sorted(f"{claim}\t{key:016x}" for claim, key in stated.keys(stating)),
    )


def _sorted(lines: Iterable[str]) -> bytes:
    return b"".join(sorted({f"{line}\n".encode() for line in lines}))


def _uses(staged: Staged, names: vocab.Names) -> Iterator[str]:
    """IRI and a letter: ``s`` a speaker or author, ``t`` a thing in a claim, ``m`` mentioned, ``u`` anything else."""
    sources, collected, _, assembled = staged
    for document in collected.documents.values():
        if document.author:
            yield f"{document.author}\ts"
    for claim in collected.claims:
        yield f"{claim.speaker}\ts"
        for q in claim.graph:
            for node in (q.quad.subject, q.quad.object):
                if isinstance(node, NamedNode):
                    yield f"{node.value}\t{'t' if node.value.startswith(names.id) else 'u'}"
    for q in (*sources.documents, *sources.claims):
        if isinstance(q.quad.object, NamedNode):
            yield f"{q.quad.object.value}\tu"
    for quad in assembled.evidence:
        if quad.predicate.value == names.kg + "mentions":
            yield f"{value_of(quad.object)}\tm"


def _spoken(collected: Collected) -> Iterator[str]:
    """IRI, claim, a number in the claim, ``s`` for a speaker or ``t``, line, file."""
    for claim in collected.claims:
        spoken = [(claim.speaker, "s", claim.place)]
        spoken += [
            (node.value, "t", q.place)
            for q in claim.graph
            for node in (q.quad.subject, q.quad.object)
            if isinstance(node, NamedNode)
        ]
        for number, (iri, mark, place) in enumerate(spoken):
            yield f"{iri}\t{claim.iri}\t{number:06}\t{mark}\t{place.line}\t{place.file}"


def _places(assembled: Assembled) -> Iterator[str]:
    for (subject, predicate, value), place in assembled.places.items():
        yield f"{subject} {predicate} {value} .\t{place.line}\t{place.file}"


def _rows(staged: Staged) -> Iterator[str]:
    documents, grounded = staged.collected.documents, staged.grounded
    for number, claim in enumerate(in_document_order(grounded.claims, grounded)):
        row = claim_row(claim, grounded, documents[claim.document].author)
        before, after = (json.dumps(csv_line(some), ensure_ascii=False) for some in (row[:3], row[4:]))
        yield f"{claim.document}\t{number:08}\t{claim.speaker}\t{before}\t{after}"
