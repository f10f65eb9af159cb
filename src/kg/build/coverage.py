"""Stage 7c: how far the evidence reaches, counted over what is published.

Four shares, each as a part of a whole, so that nobody has to trust a rounded figure:

- ``triples``: of the default graph's triples about things, those that stand in the graph of at least one claim. What
  describes documents, claims, passages and terms is no triple about a thing.
- ``facts``: the same without names, notes and display order, which need no claim (``ENTITY_PROPERTIES``).
- ``claims``: of the claims, those whose every passage this build compared with the document's text.
- ``sentences``: of the sentences of the texts at hand, those that a passage of a claim lies in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyoxigraph import DefaultGraph, NamedNode, Quad, Triple

from kg import vocab
from kg.build.assemble import Assembled
from kg.build.collect import ENTITY_PROPERTIES, Collected
from kg.build.ground import Grounded
from kg.model import Check, value_of


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, both counted.

    >>> Share(1, 3).value, Share(0, 0).value
    (0.3333, None)
    """

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """From 0 to 1, to four places; ``None`` where there is nothing to have a share of."""
        return round(self.part / self.whole, 4) if self.whole else None

    def as_json(self) -> dict[str, int]:
        return {"part": self.part, "whole": self.whole}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The four shares; ``triples`` also by class and property, ``claims`` and ``sentences`` by document.

    A document whose text was not at hand has no share of sentences: how many it has is not known.
    """

    facts: Share
    triples: Share
    claims: Share
    sentences: Share
    classes: Mapping[str, Share]
    properties: Mapping[str, Share]
    documents: Mapping[str, tuple[Share, Share | None]]

    def as_json(self) -> dict[str, Any]:
        """The member ``coverage`` of ``report.json``."""
        return {
            "facts": self.facts.as_json(),
            "triples": self.triples.as_json(),
            "claims": self.claims.as_json(),
            "sentences": self.sentences.as_json(),
            "classes": {iri: share.as_json() for iri, share in self.classes.items()},
            "properties": {iri: share.as_json() for iri, share in self.properties.items()},
            "documents": {
                name: {"claims": claims.as_json(), "sentences": sentences.as_json() if sentences else None}
                for name, (claims, sentences) in self.documents.items()
            },
        }


def measure(collected: Collected, grounded: Grounded, assembled: Assembled, names: vocab.Names) -> Coverage:
    """Count the shares."""
    claimed, about = _about_things(assembled.quads, {claim.iri for claim in grounded.claims}, names)
    types: dict[str, set[str]] = defaultdict(set)
    for triple in about:
        if triple.predicate.value == vocab.RDF_TYPE:
            types[value_of(triple.subject)].add(value_of(triple.object))
    classes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    properties: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for triple in about:
        for counters in (0, 1) if triple in claimed else (1,):
            properties[counters][triple.predicate.value] += 1
            classes[counters].update(types[value_of(triple.subject)])
    documents = {name: _document(name, grounded) for name in sorted(collected.documents)}
    sentences = [share for _, share in documents.values() if share]
    facts = [triple for triple in about if triple.predicate.value not in ENTITY_PROPERTIES]
    return Coverage(
        facts=Share(sum(t in claimed for t in facts), len(facts)),
        triples=Share(sum(t in claimed for t in about), len(about)),
        claims=_sum(share for share, _ in documents.values()),
        sentences=_sum(sentences),
        classes=_shares(*classes),
        properties=_shares(*properties),
        documents=documents,
    )


def _about_things(quads: Iterable[Quad], claims: set[str], names: vocab.Names) -> tuple[set[Triple], list[Triple]]:
    """The triples of claims' graphs, and the default graph's triples about what claims or ``id/`` speak of."""
    default = DefaultGraph()
    claimed: set[Triple] = set()
    published: list[Triple] = []
    for quad in quads:
        if quad.graph_name == default:
            published.append(quad.triple)
        elif isinstance(quad.graph_name, NamedNode) and quad.graph_name.value in claims:
            claimed.add(quad.triple)
    # A claim may speak of a document; the document's own record stays a record.
    spoken_of = {s for t in claimed if not (s := value_of(t.subject)).startswith(names.document(""))}
    about = [
        triple
        for triple in published
        if triple in claimed or (s := value_of(triple.subject)) in spoken_of or s.startswith(names.id)
    ]
    return claimed, about


def _document(name: str, grounded: Grounded) -> tuple[Share, Share | None]:
    claims = [claim for claim in grounded.claims if claim.document == name]
    checked = sum(
        bool(claim.targets) and all(grounded.checks.get(t) is Check.VERIFIED for t in claim.targets) for claim in claims
    )
    # An inferred claim may have passages of several documents.
    with_claim = {
        passage.sentence
        for claim in grounded.claims
        for target in claim.targets
        if (passage := grounded.passages.get(target)) and passage.document == name and passage.sentence
    }
    text = grounded.texts.get(name)
    sentences = None if text is None else Share(len(with_claim), sum(s.number > 0 for s in text.sentences))
    return Share(checked, len(claims)), sentences


def _sum(shares: Iterable[Share]) -> Share:
    found = list(shares)
    return Share(sum(s.part for s in found), sum(s.whole for s in found))


def _shares(part: Counter[str], whole: Counter[str]) -> dict[str, Share]:
    return {name: Share(part[name], whole[name]) for name in sorted(whole)}
