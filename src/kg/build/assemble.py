"""Stage 4: make the dataset that is published: one claim, one named graph.

- a named graph for every claim, its own triples and nothing else
- ``graph/background``: what background claims say, once more
- the default graph: what the documents state themselves, prospects they announce, background, the description of
  claims, passages and documents, ``kg:mentions`` and ``kg:verified``, labels, and the ontology

Blank nodes become skolem IRIs made from the canonical form (RDFC-1.0) of the blank nodes they hang together with,
so an edit elsewhere does not rename them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.build.canon import canonical
from kg.build.collect import Collected
from kg.build.ground import Grounded
from kg.build.parse import Sources
from kg.errors import BuildError, SourceError
from kg.model import Check, Claim, Passage, Place, SourceQuad

_DEFAULT = DefaultGraph()
_A = NamedNode(vocab.RDF_TYPE)


@dataclass(frozen=True, slots=True)
class Assembled:
    """The dataset, sorted; ``evidence`` is the part of the default graph that describes claims and passages.

    ``places`` gives the line of a triple of the sources, by its three terms in N-Triples form; ``shapes`` keeps its
    blank nodes.
    """

    quads: tuple[Quad, ...]
    evidence: tuple[Quad, ...]
    shapes: tuple[Quad, ...]
    places: dict[tuple[str, str, str], Place]


def assemble(sources: Sources, collected: Collected, grounded: Grounded, base: str) -> Assembled:
    """Put the published dataset together.

    :raises SourceError: if blank nodes of a claim cannot be told apart in reasonable time.
    """
    names = vocab.Names(base)
    claims = _skolemised_claims(grounded.claims, names)
    quads: set[Quad] = set()
    evidence: set[Quad] = set()
    places: dict[tuple[str, str, str], Place] = {}
    for claim, content in claims:
        _remember(content, places)
        for q in content:
            quads |= set(_graphs_of(q.quad, claim, collected, names))
        evidence |= set(_mentions(claim, content, names))
    for folder in (sources.documents, sources.claims):
        described = [q for q in skolemise(folder, names) if q.quad.graph_name == _DEFAULT]
        _remember(described, places)
        evidence |= {q.quad for q in described if q.quad.predicate.value != names.kg + "quote"}
    evidence |= set(_targets(grounded, names))
    for folder in (sources.entities, sources.ontology):
        described = skolemise(folder, names)
        _remember(described, places)
        quads |= {Quad(q.quad.subject, q.quad.predicate, q.quad.object, _DEFAULT) for q in described}
    _remember(sources.shapes, places)
    return Assembled(
        quads=tuple(sorted(quads | evidence, key=str)),
        evidence=tuple(sorted(evidence, key=str)),
        shapes=tuple(q.quad for q in sources.shapes),
        places=places,
    )


def in_default_graph(claim: Claim, author: str) -> bool:
    """Whether a claim's content is published as the document's own word (:func:`kg.vocab.is_fact`)."""
    return vocab.is_fact(claim.modality, claim.basis, own_voice=bool(author) and claim.speaker == author)


def _graphs_of(quad: Quad, claim: Claim, collected: Collected, names: vocab.Names) -> Iterator[Quad]:
    """The same triple in every graph of the release that it belongs to."""
    triple = (quad.subject, quad.predicate, quad.object)
    yield Quad(*triple, NamedNode(claim.iri))
    if in_default_graph(claim, collected.documents[claim.document].author):
        yield Quad(*triple, _DEFAULT)
        if claim.basis == "background":
            yield Quad(*triple, NamedNode(names.background))


def _mentions(claim: Claim, content: Iterable[SourceQuad], names: vocab.Names) -> Iterator[Quad]:
    """``claim kg:mentions entity`` for every thing in the claim's graph: an IRI under ``id/``, or any subject."""
    for q in content:
        things = [q.quad.subject]
        if isinstance(q.quad.object, NamedNode) and q.quad.object.value.startswith(names.id):
            things.append(q.quad.object)
        for thing in things:
            if isinstance(thing, NamedNode) and not thing.value.startswith(names.genid):
                yield Quad(NamedNode(claim.iri), NamedNode(names.kg + "mentions"), thing, _DEFAULT)


def _targets(grounded: Grounded, names: vocab.Names) -> Iterator[Quad]:
    """What grounding adds: targets found by quote, full descriptions of passages, and whether they were checked."""
    for claim in grounded.claims:
        for target in claim.targets:
            yield Quad(NamedNode(claim.iri), NamedNode(vocab.OA_HAS_TARGET), NamedNode(target), _DEFAULT)
    for passage in grounded.passages.values():
        yield from passage_quads(passage, names)
        verified = Literal(grounded.checks[passage.iri] is Check.VERIFIED)
        yield Quad(NamedNode(passage.iri), NamedNode(names.kg + "verified"), verified, _DEFAULT)


def passage_quads(passage: Passage, names: vocab.Names) -> Iterator[Quad]:
    """A passage's description (Web Annotation Data Model, sections 4.2.4 and 4.2.5)."""
    iri, kg = NamedNode(passage.iri), names.kg

    def say(subject: NamedNode, predicate: str, value: NamedNode | Literal) -> Quad:
        return Quad(subject, NamedNode(predicate), value, _DEFAULT)

    yield Quad(iri, _A, NamedNode(kg + "Passage"), _DEFAULT)
    yield say(iri, vocab.OA_HAS_SOURCE, NamedNode(names.document(passage.document)))
    position = NamedNode(passage.iri + "#position")
    yield say(iri, vocab.OA_HAS_SELECTOR, position)
    yield Quad(position, _A, NamedNode(vocab.OA_POSITION_SELECTOR), _DEFAULT)
    yield say(position, vocab.OA_START, Literal(passage.start))
    yield say(position, vocab.OA_END, Literal(passage.end))
    if passage.quote is not None:
        quote = NamedNode(passage.iri + "#quote")
        yield say(iri, vocab.OA_HAS_SELECTOR, quote)
        yield Quad(quote, _A, NamedNode(vocab.OA_QUOTE_SELECTOR), _DEFAULT)
        yield say(quote, vocab.OA_EXACT, Literal(passage.quote))
    yield say(iri, kg + "sha256", Literal(passage.sha256))
    if passage.rolling_hash:
        yield say(iri, kg + "rollingHash", Literal(passage.rolling_hash))
    if passage.paragraph is not None:
        yield say(iri, kg + "paragraph", Literal(passage.paragraph))
    if passage.sentence is not None:
        yield say(iri, kg + "sentence", Literal(passage.sentence))


def _skolemised_claims(claims: Iterable[Claim], names: vocab.Names) -> list[tuple[Claim, tuple[SourceQuad, ...]]]:
    return [(claim, tuple(skolemise(claim.graph, names))) for claim in claims]


def skolemise(quads: Iterable[SourceQuad], names: vocab.Names) -> list[SourceQuad]:
    """The quads with every blank node replaced by an IRI (RDF 1.1 Concepts, section 3.5).

    The IRI is a hash of the canonical quads of its component: the blank nodes that hang together, with every quad
    that touches one of them.

    :raises SourceError: if a component's blank nodes cannot be told apart in reasonable time.
    """
    kept, components = _components(quads)
    for component in components:
        try:
            labelled = canonical(q.quad for q in component)
        except BuildError as e:
            place = component[0].place
            raise SourceError(str(e), file=place.file, line=place.line) from None
        digest = hashlib.sha256("\n".join(map(str, labelled)).encode()).hexdigest()[:16]
        # Canonical labels say nothing of the labels before: a quad's line is found by its other terms.
        places: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for q in component:
            places[_masked(q.quad)].append(q.place)
        for quad in labelled:
            place = places[_masked(quad)].pop(0)
            subject, value = (_skolem(node, digest, names) for node in (quad.subject, quad.object))
            kept.append(SourceQuad(Quad(subject, quad.predicate, value, quad.graph_name), place))
    return kept


def _components(quads: Iterable[SourceQuad]) -> tuple[list[SourceQuad], list[list[SourceQuad]]]:
    """Quads without a blank node, and the others grouped so that no two groups share a blank node."""
    ground: list[SourceQuad] = []
    parent: dict[BlankNode, BlankNode] = {}

    def root(node: BlankNode) -> BlankNode:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    touched: list[tuple[BlankNode, SourceQuad]] = []
    for q in quads:
        nodes = [n for n in (q.quad.subject, q.quad.object) if isinstance(n, BlankNode)]
        if not nodes:
            ground.append(q)
            continue
        for node in nodes:
            parent.setdefault(node, node)
        parent[root(nodes[0])] = root(nodes[-1])
        touched.append((nodes[0], q))
    groups: dict[BlankNode, dict[Quad, SourceQuad]] = defaultdict(dict)
    for node, q in touched:
        groups[root(node)].setdefault(q.quad, q)
    return ground, [list(group.values()) for group in groups.values()]


def _masked(quad: Quad) -> tuple[str, ...]:
    terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
    return tuple("_:" if isinstance(term, BlankNode) else str(term) for term in terms)


def _skolem(node: Any, digest: str, names: vocab.Names) -> Any:
    if not isinstance(node, BlankNode):
        return node
    return NamedNode(f"{names.genid}{digest}-{node.value.removeprefix('c14n')}")


def _remember(quads: Iterable[SourceQuad], places: dict[tuple[str, str, str], Place]) -> None:
    for q in quads:
        places.setdefault((str(q.quad.subject), str(q.quad.predicate), str(q.quad.object)), q.place)
