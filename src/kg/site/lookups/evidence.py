"""Who says it: the claims behind a triple, and what kind of saying each of them is.

A triple's evidence is the set of named graphs that hold it. ``STATUSES`` are the five marks that readers learn:

=============  ======================================================================================
``stated``     the document says so in its own voice
``prospect``   the document says in its own voice that it is planned, expected or intended
``reported``   somebody else says so; or the document requests, conditions, alleges or denies it; notes included
``inferred``   worked out from what documents say
``background`` not from the documents: from the publisher's own note
=============  ======================================================================================
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.caches import Forgetful
from kg.site.lookups.database import MARKS, Database, batches
from kg.store.base import Store

STATUSES = ("stated", "prospect", "reported", "inferred", "background")
_STRENGTH = {status: rank for rank, status in enumerate(("stated", "prospect", "background", "reported", "inferred"))}
UNCLAIMED = "unclaimed"
"""The sixth mark, for what no claim holds: labels, and the description of claims themselves."""

_MOST, _DOCUMENTS = 20_000, 64
"""Claims, and passages, that are remembered; documents of which the order of all claims is."""

_DEFAULT = DefaultGraph()
_LABEL = NamedNode(vocab.RDFS_LABEL)
_SPAN = re.compile(r"(.+)/(\d+)-(\d+)")


_READ = f"""
SELECT e.iri, e.label, e.language, e.sole, c.speaker, c.modality, c.basis, c.reviewed,
    t.passage, t.paragraph, t.sentence, t.verified, t.sha256, t.rolling
FROM entry e CROSS JOIN claim c ON c.entry = e.id LEFT JOIN target t ON t.claim = e.id
WHERE e.iri IN ({MARKS})
"""  # noqa: S608 - marks


class Span(NamedTuple):
    """A passage: where it stands; ``verified`` is what the build could say, never that the fact is true.

    ``sha256`` and ``rolling_hash`` are its fingerprints (:mod:`kg.text`).
    """

    iri: str
    document: str
    start: int
    end: int
    paragraph: int | None
    sentence: int | None
    verified: bool
    sha256: str = ""
    rolling_hash: str = ""


class Source(NamedTuple):
    """A claim as evidence. ``modality`` and ``basis`` are IRIs; ``reviewed`` says whether somebody read it.

    ``glosses``: its labels, text and language of each.
    """

    iri: str
    document: str
    number: str
    speaker: str
    modality: str
    basis: str
    status: str
    spans: tuple[Span, ...]
    reviewed: bool
    glosses: tuple[tuple[str, str], ...] = ()


class Evidence:
    """Claims and passages by IRI, read once each.

    Claims come from the index, many at once; what it does not have, as that of an older release, from the store.
    """

    def __init__(self, store: Store, index: Database, names: vocab.Names) -> None:
        self._store = store
        self._index = index
        self._names = names
        self._claims: dict[str, Source | None] = {}
        self._spans: Forgetful[str, Span] = Forgetful(_MOST)
        self._authors: dict[str, str] = {}
        self._later: Forgetful[str, tuple[str, ...]] = Forgetful(_MOST)
        self._orders: Forgetful[str, tuple[str, ...]] = Forgetful(_DOCUMENTS)
        self._of_claims = {names.kg + name: name for name in ("speaker", "modality", "basis", "reviewedBy")}
        self._of_claims |= {vocab.OA_HAS_TARGET: "target", vocab.RDFS_LABEL: "label"}
        self._of_spans = {
            names.kg + name: name for name in ("paragraph", "sentence", "verified", "sha256", "rollingHash")
        }

    def claim(self, iri: str) -> Source | None:
        """The claim with this IRI, or ``None`` where there is none."""
        if iri not in self._claims:
            return self._read_all([iri])[0]
        return self._claims[iri]

    def expect(self, iris: Iterable[str]) -> None:
        """Read those claims that are not known yet: they will be asked for next."""
        known = self._claims
        unknown = [iri for iri in dict.fromkeys(iris) if iri not in known]
        if unknown:
            self._read_all(unknown)

    def claims(self, iris: Iterable[str]) -> list[Source]:
        """Those that are claims, by document and position, the strongest status first."""
        wanted = list(iris)
        known = self._claims
        if not all(iri in known for iri in wanted):
            self.expect(wanted)
        found = [source for iri in wanted if (source := self.claim(iri)) is not None]
        if len(found) < 2:  # most triples are in one claim, and this is asked for each of a page
            return found
        return sorted(found, key=lambda s: (_STRENGTH[s.status], _place(s)))

    def of(self, quad: Quad) -> list[Source]:
        """The claims whose graphs hold the quad's triple."""
        if not isinstance(quad.subject, NamedNode) or not isinstance(quad.object, NamedNode | Literal):
            return []
        graphs = (q.graph_name for q in self._store.quads(quad.subject, quad.predicate, quad.object))
        return self.claims(graph.value for graph in graphs if isinstance(graph, NamedNode))

    def of_document(self, document: str) -> tuple[str, ...]:
        """IRIs of a document's claims in the order of their passages; numbers are only names."""
        order = self._orders.get(document)
        if order is None:
            source = NamedNode(vocab.PROV_PRIMARY_SOURCE)
            iris = [
                q.subject.value
                for q in self._store.quads(None, source, NamedNode(self._names.document(document)), _DEFAULT)
                if isinstance(q.subject, NamedNode)
            ]
            found = [claim for claim in self._read_all(iris) if claim is not None]
            order = self._orders.keep(document, tuple(claim.iri for claim in sorted(found, key=_place)))
        return order

    def span(self, iri: str) -> Span:
        """A passage by its IRI; only its position is known of one that the release does not describe."""
        span = self._spans.get(iri)
        if span is None:
            span = self._read_span(iri)
        return span

    def author(self, document: str) -> str:
        """The agent whose own voice a document is."""
        author = self._authors.get(document)
        if author is None:
            node = NamedNode(self._names.document(document))
            found = self._store.quads(node, NamedNode(vocab.DCTERMS_CREATOR), None, _DEFAULT)
            author = self._authors[document] = min((_value(q.object) for q in found), default="")
        return author

    def later(self, document: str) -> tuple[str, ...]:
        """IRIs of the documents that replace one, such as a corrected version, as its description or theirs says."""
        later = self._later.get(document)
        if later is None:
            node = NamedNode(self._names.document(document))
            by = self._store.quads(None, NamedNode(vocab.DCTERMS + "replaces"), node, _DEFAULT)
            to = self._store.quads(node, NamedNode(vocab.REPLACED_BY), None, _DEFAULT)
            found = [*(q.subject for q in by), *(q.object for q in to)]
            replacing = {other.value for other in found if isinstance(other, NamedNode)}
            later = self._later.keep(document, tuple(sorted(replacing)))
        return later

    def _read_all(self, iris: Sequence[str]) -> list[Source | None]:
        """Read claims, and remember them."""
        read: dict[str, Source | None] = {}
        if self._index.has("claim", "reviewed"):
            for some in batches(iri for iri in iris if self._numbered(iri)):
                for iri, rows in groupby(self._index.rows(_READ, some), key=lambda row: row[0]):
                    read[iri] = self._indexed(iri, list(rows))
        found = [read[iri] if iri in read else self._read(iri) for iri in iris]
        if len(self._claims) + len(iris) > _MOST:
            self._claims.clear()
        self._claims.update(zip(iris[:_MOST], found, strict=False))
        return found

    def _numbered(self, iri: str) -> tuple[str, str] | None:
        """The document and the number in the IRI of a claim."""
        kind, _, rest = (self._names.local(iri) or "").partition("/")
        document, slash, number = rest.rpartition("/")
        return (document, number) if kind == "claim" and slash else None

    def _indexed(self, iri: str, rows: Sequence[tuple[Any, ...]]) -> Source | None:
        """A claim from its rows, one for each passage."""
        _, label, language, sole, speaker, modality, basis, reviewed, *_ = rows[0]
        spans = []
        for row in rows:
            passage, paragraph, sentence, verified, *fingerprints = row[8:]
            if passage is not None:
                span = self._spans.get(passage)
                spans.append(span or self._keep(passage, paragraph, sentence, bool(verified), *fingerprints))
        return self._source(
            iri,
            (self._index.text(speaker), self._index.text(modality), self._index.text(basis)),
            spans,
            reviewed=bool(reviewed),
            glosses=((label, language),) if sole else self._glosses(iri),
        )

    def _glosses(self, iri: str) -> tuple[tuple[str, str], ...]:
        found = (q.object for q in self._store.quads(NamedNode(iri), _LABEL, None, _DEFAULT))
        return tuple((gloss.value, gloss.language or "") for gloss in found if isinstance(gloss, Literal))

    def _read(self, iri: str) -> Source | None:
        if not self._numbered(iri):
            return None
        found, fields = False, defaultdict(list)
        glosses: list[tuple[str, str]] = []
        for q in self._store.quads(NamedNode(iri), None, None, _DEFAULT):
            found = True
            # Each term that is looked at is made anew, and a claim has many that say nothing here.
            name = self._of_claims.get(q.predicate.value)
            if name == "label":
                if isinstance(gloss := q.object, Literal):
                    glosses.append((gloss.value, gloss.language or ""))
            elif name is not None:
                fields[name].append(_value(q.object))
        if not found:
            return None
        speaker, modality, basis = (min(fields[name], default="") for name in ("speaker", "modality", "basis"))
        spans = [self.span(target) for target in fields["target"]]
        return self._source(
            iri, (speaker, modality, basis), spans, reviewed=bool(fields["reviewedBy"]), glosses=tuple(glosses)
        )

    def _source(
        self,
        iri: str,
        said: tuple[str, str, str],
        spans: list[Span],
        *,
        reviewed: bool,
        glosses: tuple[tuple[str, str], ...],
    ) -> Source:
        """A claim; ``said``: its speaker, modality and basis."""
        document, number = self._numbered(iri) or ("", "")
        speaker, modality, basis = said
        kg, own_voice = self._names.kg, bool(speaker) and speaker == self.author(document)
        return Source(
            iri=iri,
            document=document,
            number=number,
            speaker=speaker,
            modality=modality,
            basis=basis,
            status=status(modality.removeprefix(kg), basis.removeprefix(kg), own_voice=own_voice),
            spans=tuple(sorted(spans, key=lambda s: (s.start, s.end, s.iri))) if len(spans) > 1 else tuple(spans),
            reviewed=reviewed,
            glosses=glosses,
        )

    def _read_span(self, iri: str) -> Span:
        said = {
            name: _value(q.object)
            for q in self._store.quads(NamedNode(iri), None, None, _DEFAULT)
            if (name := self._of_spans.get(q.predicate.value)) is not None
        }

        def number(name: str) -> int | None:
            text = said.get(name, "")
            return int(text) if text.isdecimal() else None

        verified = said.get("verified") in ("true", "1")
        fingerprints = said.get("sha256", ""), said.get("rollingHash", "")
        return self._keep(iri, number("paragraph"), number("sentence"), verified, *fingerprints)

    def _keep(self, iri: str, *fields: Any) -> Span:
        """Make a passage, and remember it; ``fields``: those of :class:`Span` behind its position."""
        shape = _SPAN.fullmatch((self._names.local(iri) or "").removeprefix("passage/"))
        document, start, end = (shape[1], int(shape[2]), int(shape[3])) if shape else ("", 0, 0)
        return self._spans.keep(iri, Span(iri, document, start, end, *fields))


def status(modality: str, basis: str, *, own_voice: bool) -> str:
    """Which of the five marks a claim bears; modality and basis are local names.

    >>> status("planned", "stated", own_voice=True), status("planned", "stated", own_voice=False)
    ('prospect', 'reported')
    >>> status("denied", "background", own_voice=True), status("asserted", "background", own_voice=False)
    ('reported', 'reported')
    """
    if basis == "inferred":
        return basis
    if not own_voice or not (modality == "asserted" or modality in vocab.PROSPECTIVE):
        # A note that relays somebody's words vouches for them no more than a report does.
        return "reported"
    if basis == "background":
        return basis
    return "stated" if modality == "asserted" else "prospect"


def _place(source: Source) -> tuple[str, int, int, int, str]:
    start, end = min(((s.start, s.end) for s in source.spans), default=(0, 0))
    number = int(source.number) if source.number.isdecimal() else 0
    return source.document, start, end, number, source.number


def _value(node: object) -> str:
    return node.value if isinstance(node, NamedNode | Literal) else ""
