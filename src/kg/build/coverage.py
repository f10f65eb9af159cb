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
from dataclasses import dataclass
from itertools import chain
from typing import Any

from kg import vocab
from kg.build.collect import ENTITY_PROPERTIES
from kg.build.ground import Grounded
from kg.build.lines import SortedFile, groups
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


def measure(facts: SortedFile, claimed: SortedFile, shares: Shares, names: vocab.Names) -> tuple[Coverage, int]:
    """Count the shares; also returns how many claimed triples are in no default graph.

    A triple is about a thing if it is claimed, or if claims or ``id/`` speak of its subject. A claim may speak of a
    document; the document's own record stays a record.
    """
    classes: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    properties: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    unpublished = 0
    record, thing = f"<{names.document('')}".encode(), f"<{names.id}".encode()
    for subject, published, stated in _by_subject(facts, claimed, names):
        unpublished += len(stated - set(published))
        spoken_of = bool(stated) and not subject.startswith(record)
        about = published if spoken_of or subject.startswith(thing) else [line for line in published if line in stated]
        kinds = [_iri(value) for _, predicate, value in map(_terms, about) if predicate == _TYPE]
        for line in about:
            name = _iri(_terms(line)[1])
            for counters in (0, 1) if line in stated else (1,):
                properties[counters][name] += 1
                classes[counters].update(kinds)
    facts_of = [
        Counter({name: n for name, n in found.items() if name not in ENTITY_PROPERTIES}) for found in properties
    ]
    documents = dict(sorted(shares.items()))
    coverage = Coverage(
        facts=Share(facts_of[0].total(), facts_of[1].total()),
        triples=Share(properties[0].total(), properties[1].total()),
        claims=_sum(share for share, _ in documents.values()),
        sentences=_sum(share for _, share in documents.values() if share),
        classes=_shares(*classes),
        properties=_shares(*properties),
        documents=documents,
    )
    return coverage, unpublished


_TYPE = f"<{vocab.RDF_TYPE}>".encode()


def _terms(line: bytes) -> list[bytes]:
    subject, predicate, rest = line.split(b" ", 2)
    return [subject, predicate, rest[:-3]]


def _iri(node: bytes) -> str:
    return node[1:-1].decode()


def _by_subject(
    facts: SortedFile, claimed: SortedFile, names: vocab.Names
) -> Iterator[tuple[bytes, list[bytes], set[bytes]]]:
    """Subjects that may be things, with their triples in the default graph and those in claims' graphs.

    Claims and passages are nine tenths of a dataset, and no claim may describe them: they are passed over.
    """
    stated = groups(claimed.lines(), b" ")
    waiting = next(stated, None)
    for subject, published in chain.from_iterable(
        groups(facts.lines(start, end), b" ") for start, end in _outside(facts, names)
    ):
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


def _outside(facts: SortedFile, names: vocab.Names) -> Iterator[tuple[int, int]]:
    at = 0
    for kind in ("claim", "passage"):
        yield at, facts.find(f"<{names.base}{kind}/".encode())
        at = facts.find(f"<{names.base}{kind}0".encode())
    yield at, len(facts.data)


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
