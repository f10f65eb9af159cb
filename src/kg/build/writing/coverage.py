"""Stage 7c: how far the evidence reaches, counted over what is published.

Four shares, each as a part of a whole, so that nobody has to trust a rounded figure:

- ``triples``: of the default graph's triples about things, those that stand in the graph of at least one claim. What
  describes documents, claims, passages and terms is no triple about a thing.
- ``facts``: the same without names, notes and display order, which need no claim (``ENTITY_PROPERTIES``).
- ``claims``: of the claims, those whose every passage this build compared with the document's text.
- ``sentences``: of the sentences of the texts at hand, those that a passage of a claim lies in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kg import vocab
from kg.build.collect import ENTITY_PROPERTIES
from kg.build.ground import Grounded
from kg.build.lines import groups
from kg.model import Check


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


Shares = Mapping[str, tuple[Share, Share | None]]
"""Document → its shares of claims and sentences."""


@dataclass(slots=True)
class Covered:
    """Counts over some subjects: of triples about things, those with a claim, and all; by property and by class.

    ``stated``: different triples of claims' graphs; ``named``: those of them without a nameless node; ``unpublished``:
    those that are not in the default graph.
    """

    properties: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    classes: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    stated: int = 0
    named: int = 0
    unpublished: int = 0

    def add(self, other: Covered) -> None:
        for ours, theirs in zip((*self.properties, *self.classes), (*other.properties, *other.classes), strict=True):
            ours.update(theirs)
        self.stated += other.stated
        self.named += other.named
        self.unpublished += other.unpublished


def cover(facts: Iterable[bytes], said: Iterable[bytes], names: vocab.Names) -> Covered:
    """Count over sorted lines of the default graph and of claims' graphs, that have all of their subjects.

    A triple is about a thing if it is claimed, or if claims or ``id/`` speak of its subject. A claim may speak of a
    document; the document's own record stays a record.
    """
    found = Covered()
    record, thing, nameless = f"<{names.document('')}".encode(), f"<{names.id}".encode(), f"<{names.genid}".encode()
    triples = (line.partition(b"\t")[0] + b"\n" for line in said)
    for subject, published, stated in _by_subject(facts, triples):
        found.stated += len(stated)
        found.named += sum(nameless not in line for line in stated)
        found.unpublished += len(stated - set(published))
        spoken_of = bool(stated) and not subject.startswith(record)
        about = published if spoken_of or subject.startswith(thing) else [line for line in published if line in stated]
        kinds = [_iri(value) for _, predicate, value in map(_terms, about) if predicate == _TYPE]
        for line in about:
            name = _iri(_terms(line)[1])
            for counters in (0, 1) if line in stated else (1,):
                found.properties[counters][name] += 1
                found.classes[counters].update(kinds)
    return found


def measure(covered: Covered, shares: Shares) -> Coverage:
    """The shares, from the counts over all subjects."""
    facts_of = [
        Counter({name: n for name, n in found.items() if name not in ENTITY_PROPERTIES}) for found in covered.properties
    ]
    documents = dict(sorted(shares.items()))
    return Coverage(
        facts=Share(facts_of[0].total(), facts_of[1].total()),
        triples=Share(covered.properties[0].total(), covered.properties[1].total()),
        claims=_sum(share for share, _ in documents.values()),
        sentences=_sum(share for _, share in documents.values() if share),
        classes=_shares(*covered.classes),
        properties=_shares(*covered.properties),
        documents=documents,
    )


_TYPE = f"<{vocab.RDF_TYPE}>".encode()


def _terms(line: bytes) -> list[bytes]:
    subject, predicate, rest = line.split(b" ", 2)
    return [subject, predicate, rest[:-3]]


def _iri(node: bytes) -> str:
    return node[1:-1].decode()


def _by_subject(facts: Iterable[bytes], said: Iterable[bytes]) -> Iterator[tuple[bytes, list[bytes], set[bytes]]]:
    """Subjects with their triples in the default graph and those in claims' graphs."""
    stated = groups(said, b" ")
    waiting = next(stated, None)
    for subject, published in groups(facts, b" "):
        while waiting and waiting[0] < subject:
            yield waiting[0], [], set(waiting[1])
            waiting = next(stated, None)
        same = waiting is not None and waiting[0] == subject
        yield subject, published, set(waiting[1]) if waiting and same else set()
        if same:
            waiting = next(stated, None)
    while waiting:
        yield waiting[0], [], set(waiting[1])
        waiting = next(stated, None)


def share_of_document(name: str, grounded: Grounded) -> tuple[Share, Share | None]:
    """Of one document: claims whose every passage was compared with its text, and sentences that passages lie in."""
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
