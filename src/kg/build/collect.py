"""Stage 2: recognise documents, passages and claims among the quads, and refuse facts that stand outside a claim.

Which subjects a folder may describe is the rule that keeps facts without a passage out:

=========================  ==================================================================
``data/documents``         documents
``data/claims``, outside   claims, passages and their selectors
``data/claims``, inside    things: anything but claims, passages and terms
``data/entities``          things, by labels only (``ENTITY_PROPERTIES``), or by what they were merged into
``ontology``               terms: anything but things, claims, passages and documents
=========================  ==================================================================
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode

from kg import vocab
from kg.build import skos
from kg.build.described import Described, by_subject, iris_of
from kg.build.limit import Limit
from kg.build.parse import Sources
from kg.build.terms import facts_among_terms, no_address, terms_of, undefined, unknown_to_others
from kg.model import Claim, Document, Finding, Passage, Place, Review, SourceQuad, error, value_of

ENTITY_PROPERTIES = frozenset(
    {
        vocab.RDFS_LABEL,
        vocab.SKOS_PREF_LABEL,
        vocab.SKOS_ALT_LABEL,
        vocab.SKOS + "hiddenLabel",
        vocab.SKOS + "scopeNote",
        vocab.SH + "order",
    }
)
BUILD_MADE = (
    *("mentions", "verified"),
    *("disagreesWith", "corroborates", "compares", "comparedSubject", "comparedProperty", "comparedValue"),
    "independentDocuments",
)
"""Terms of ours that only the build may write: in the sources they would be claims about the build."""

_NAME = r"[^/#?]+"
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_MAX_NAME = 200
"""Bytes of a document's name: files are called after it, and no common file system takes names of 256."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the sources describe. ``described``: the IRIs of all claims, those that are withdrawn too.

    ``pending`` are claims of other documents that a claim points at, each with what is found if it is not there.
    """

    documents: dict[str, Document]
    passages: dict[str, Passage]
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    described: frozenset[str] = frozenset()
    pending: tuple[tuple[str, Finding], ...] = ()


def collect(sources: Sources, base: str, terms: frozenset[str] | None = None) -> Collected:
    """Read documents, passages and claims out of the quads.

    ``terms`` are those of the ontology, where ``sources`` is a part that comes without it. What points at a claim of a
    document that is not in ``sources`` is ``pending`` then.
    """
    whole = terms is None
    return _Collector(sources, vocab.Names(base), terms_of(sources, base) if terms is None else terms, whole).run()


class _Collector:
    def __init__(self, sources: Sources, names: vocab.Names, terms: frozenset[str], whole: bool) -> None:
        self.sources = sources
        self.names = names
        self.terms = terms
        self.whole = whole
        self.findings: list[Finding] = []
        self._listed = Limit()
        self._missing: set[str] = set()
        self.pending: list[tuple[str, Finding]] = []
        self.described: frozenset[str] = frozenset()

    def run(self) -> Collected:
        self._terms_exist()
        self._ontology_has_no_facts()
        self._entities_have_labels_only()
        documents = self._documents()
        metadata = by_subject(self.sources.claims)
        passages = self._passages(metadata)
        claims = self._claims(metadata, documents, passages)
        self._metadata_is_about_evidence(metadata)
        return Collected(documents, passages, claims, tuple(self.findings), self.described, tuple(self.pending))

    def _fail(self, rule: str, message: str, place: Place, subject: str = "") -> None:
        self._keep(error(rule, message, place, subject))

    def _keep(self, *found: Finding) -> None:
        self.findings += filter(None, map(self._listed, found))

    def _short(self, iri: str) -> str:
        return self.names.local(iri) or self.names.prefixed(iri)

    # -- terms ---------------------------------------------------------------------------------------------------

    def _terms_exist(self) -> None:
        s = self.sources
        self._keep(
            *undefined((*s.ontology, *s.shapes, *s.documents, *s.claims, *s.entities), self.terms, self.names),
            *unknown_to_others((*s.ontology, *s.shapes, *s.documents, *s.claims), self.terms, self.names),
            *no_address((*s.documents, *s.claims, *s.entities), self.names),
            *skos.breaches(s.ontology, self.names),
            *facts_among_terms(s.ontology, self.names),
        )
        for q in (*s.ontology, *s.documents, *s.claims, *s.entities):
            for name in BUILD_MADE:
                if q.quad.predicate.value == self.names.kg + name:
                    self._fail("build-made", f"kg:{name} is written by the build only: remove it", q.place)

    def _ontology_has_no_facts(self) -> None:
        for q in self.sources.ontology:
            kind = self._kind(q.quad.subject)
            if kind not in ("", "ontology", "shapes"):
                message = f"the ontology describes terms only; {self._short(value_of(q.quad.subject))} needs a claim"
                self._fail("fact-without-claim", message, q.place, value_of(q.quad.subject))

    def _entities_have_labels_only(self) -> None:
        for q in self.sources.entities:
            if q.quad.predicate.value == vocab.REPLACED_BY:
                if not self._kind(q.quad.subject) == self._kind(q.quad.object) == "id":
                    self._fail("replaced", "dcterms:isReplacedBy leads from a thing to a thing", q.place)
            elif q.quad.predicate.value not in ENTITY_PROPERTIES or not isinstance(q.quad.object, Literal):
                message = (
                    f"entity files hold labels only; {self._short(q.quad.predicate.value)} of "
                    f"{self._short(value_of(q.quad.subject))} needs a claim"
                )
                self._fail("fact-without-claim", message, q.place, value_of(q.quad.subject))

    def _kind(self, node: object) -> str:
        """The first part of an IRI's path under the base: ``"id"``, ``"claim"`` …, or nothing."""
        local = self.names.local(node.value) if isinstance(node, NamedNode) else None
        return re.split("[/#]", local)[0] if local else ""

    def _document_of(self, node: object) -> str:
        """The name of the document that a claim or passage is of."""
        return (self.names.local(value_of(node)) or "").split("/")[1]

    # -- documents -----------------------------------------------------------------------------------------------

    def _documents(self) -> dict[str, Document]:
        kg, found = self.names.kg, {}
        for iri, described in by_subject(self.sources.documents).items():
            name = re.fullmatch(re.escape(self.names.document("")) + f"({_NAME})", iri)
            if not name:
                message = f"{self._short(iri)} is no <document/NAME>; what is said of other things needs a claim"
                self._fail("fact-without-claim", message, described.place, iri)
                continue
            if len(name[1].encode()) > _MAX_NAME:
                message = f"the name {name[1][:20]}… is longer than {_MAX_NAME} bytes, and files are called after it"
                self._fail("document", message, described.place, iri)
                continue
            author, sha256 = described.text(vocab.DCTERMS_CREATOR), described.text(kg + "sha256")
            shown = described.text(kg + "textShown")
            missing = [
                term
                for term, value in (
                    ("dcterms:creator", author),
                    ("kg:sha256", sha256),
                    ("kg:textShown", shown),
                )
                if value is None
            ]
            if missing:
                message = f"document {name[1]} lacks {', '.join(missing)}; `kg cite {name[1]}` prints what it needs"
                self._fail("document", message, described.place, iri)
            if shown not in (None, "true", "false"):
                message = f"document {name[1]}: kg:textShown is true or false, not {shown!r}"
                self._fail("document", message, described.values(kg + "textShown")[0].place, iri)
            found[name[1]] = Document(
                name[1], iri, author or "", shown == "true", (sha256 or "").lower(), described.place
            )
        return found

    # -- passages ------------------------------------------------------------------------------------------------

    def _passages(self, metadata: dict[str, Described]) -> dict[str, Passage]:
        found = {}
        for iri, described in metadata.items():
            if self._kind(NamedNode(iri)) == "passage" and "#" not in iri:
                passage = self._passage(iri, described, metadata)
                if passage:
                    found[iri] = passage
        return found

    def _passage(self, iri: str, described: Described, metadata: dict[str, Described]) -> Passage | None:
        shape = re.fullmatch(re.escape(self.names.base) + rf"passage/({_NAME})/({_NUMBER})-({_NUMBER})", iri)
        if not shape:
            message = f"{self._short(iri)} is not of the form passage/DOCUMENT/START-END"
            self._fail("passage", message, described.place, iri)
            return None
        document, start, end = shape[1], int(shape[2]), int(shape[3])
        selectors = [metadata[s] for s in iris_of(described, vocab.OA_HAS_SELECTOR) if s in metadata]
        positions = [
            (s.number(vocab.OA_START), s.number(vocab.OA_END), s.place)
            for s in selectors
            if s.text(vocab.RDF_TYPE) == vocab.OA_POSITION_SELECTOR
        ]
        if not positions:
            message = f"{self._short(iri)} has no oa:TextPositionSelector; `kg cite` prints one"
            self._fail("passage", message, described.place, iri)
        for at_start, at_end, place in positions:
            if (at_start, at_end) != (start, end):
                message = f"{self._short(iri)} says {start}-{end}, its selector {at_start}-{at_end}"
                self._fail("passage", message, place, iri)
        if described.text(vocab.OA_HAS_SOURCE) not in (None, self.names.document(document)):
            self._fail("passage", f"{self._short(iri)} has another document as oa:hasSource", described.place, iri)
        sha256 = described.text(self.names.kg + "sha256")
        if sha256 is None:
            message = f"{self._short(iri)} has no kg:sha256; `kg cite` prints it"
            self._fail("passage", message, described.place, iri)
        quotes = [s.text(vocab.OA_EXACT) for s in selectors if s.text(vocab.OA_EXACT) is not None]
        return Passage(
            iri=iri,
            document=document,
            start=start,
            end=end,
            sha256=(sha256 or "").lower(),
            rolling_hash=(described.text(self.names.kg + "rollingHash") or "").lower(),
            paragraph=described.number(self.names.kg + "paragraph"),
            sentence=described.number(self.names.kg + "sentence"),
            quote=quotes[0] if quotes else None,
            place=described.place,
        )

    # -- claims --------------------------------------------------------------------------------------------------

    def _claims(
        self, metadata: dict[str, Described], documents: dict[str, Document], passages: dict[str, Passage]
    ) -> tuple[Claim, ...]:
        graphs: dict[str, list[SourceQuad]] = defaultdict(list)
        for q in self.sources.claims:
            if isinstance(q.quad.graph_name, NamedNode):
                graphs[q.quad.graph_name.value].append(q)
            elif isinstance(q.quad.graph_name, BlankNode):
                self._fail("graph", "a claim's graph needs an IRI, claim/DOCUMENT/N", q.place)
        claims = []
        described_claims = {iri for iri in metadata if self._kind(NamedNode(iri)) == "claim"}
        self.described = frozenset(described_claims)
        withdrawn = {iri for iri in described_claims if self._is_stone(metadata[iri])}
        for iri in sorted(described_claims | set(graphs)):
            if iri not in metadata:
                message = f"the graph {self._short(iri)} has no claim about it: say who states it, how, and where"
                self._fail("fact-without-claim", message, graphs[iri][0].place, iri)
                continue
            if self._is_withdrawn(metadata[iri], graphs.get(iri, [])):
                continue
            claim = self._claim(iri, metadata[iri], graphs.get(iri, []))
            if claim:
                self._references(claim, documents, passages, described_claims - withdrawn)
                claims.append(claim)
        self._glosses_are_unique(claims)
        return tuple(claims)

    def _claim(self, iri: str, described: Described, graph: Sequence[SourceQuad]) -> Claim | None:
        shape = re.fullmatch(re.escape(self.names.base) + f"claim/({_NAME})/({_NAME})", iri)
        if not shape:
            message = f"{self._short(iri)} is not of the form claim/DOCUMENT/N"
            self._fail("claim", message, described.place, iri)
            return None
        kg, short = self.names.kg, self._short(iri)
        texts = {
            "rdfs:label (its gloss)": described.text(vocab.RDFS_LABEL),
            "kg:speaker": described.text(kg + "speaker"),
            "kg:modality": described.text(kg + "modality"),
            "kg:basis": described.text(kg + "basis"),
            "prov:hadPrimarySource": described.text(vocab.PROV_PRIMARY_SOURCE),
        }
        missing = [term for term, value in texts.items() if value is None]
        if missing:
            self._fail("claim", f"{short} lacks {', '.join(missing)}", described.place, iri)
            return None
        gloss, speaker, modality, basis, source = (value or "" for value in texts.values())
        self._is_one_of(iri, described, "modality", vocab.MODALITIES)
        self._is_one_of(iri, described, "basis", vocab.BASES)
        if source != self.names.document(shape[1]):
            message = f"{short} must have doc:{shape[1]} as prov:hadPrimarySource, not {self._short(source)}"
            self._fail("claim", message, described.place, iri)
        quotes = tuple(
            q.quad.object.value for q in described.values(kg + "quote") if isinstance(q.quad.object, Literal)
        )
        targets = tuple(iris_of(described, vocab.OA_HAS_TARGET))
        if not graph:
            self._fail("claim", f"{short} has an empty graph: it says nothing", described.place, iri)
        if not targets and not quotes:
            message = f"{short} has no passage (oa:hasTarget): a fact without its passage is not published"
            self._fail("no-passage", message, described.place, iri)
        return Claim(
            iri=iri,
            document=shape[1],
            number=shape[2],
            gloss=gloss,
            speaker=speaker,
            modality=modality.removeprefix(kg),
            basis=basis.removeprefix(kg),
            targets=targets,
            quotes=quotes,
            graph=tuple(graph),
            place=described.place,
            review=self._review(described),
        )

    def _is_one_of(self, iri: str, described: Described, mark: str, allowed: Sequence[str]) -> None:
        """A claim has one value of a mark, out of a closed scheme."""
        kg, short = self.names.kg, self._short(iri)
        values = described.values(kg + mark)
        if len(values) > 1:
            message = f"{short} has more than one kg:{mark}, another one on line {values[1].place.line}"
            hint = ": if these are two claims, one of them needs a number of its own"
            self._fail("claim", message + hint, described.place, iri)
        value = described.text(kg + mark) or ""
        if value.removeprefix(kg) not in allowed:
            message = f"{short}: {self._short(value)} is no {mark}; one of kg:{', kg:'.join(allowed)}"
            self._fail("claim", message, values[0].place, iri)

    def _review(self, described: Described) -> Review | None:
        """A claim's review; a shape says what is missing from one that is not complete."""
        by, on, content = (described.text(f"{self.names.kg}reviewed{part}") for part in ("By", "On", "Content"))
        return Review(by or "", on or "", content or "") if by or on or content else None

    def _is_withdrawn(self, described: Described, graph: Sequence[SourceQuad]) -> bool:
        """Whether a claim is no longer made; then its graph must be gone (a shape asks for day and reason)."""
        if not self._is_stone(described):
            return False
        iri = value_of(described.quads[0].quad.subject)
        left = [*graph, *described.values(vocab.OA_HAS_TARGET), *described.values(self.names.kg + "quote")]
        if left:
            message = f"{self._short(iri)} is withdrawn: remove its graph and its passages; earlier releases keep them"
            self._fail("withdrawn", message, left[0].place, iri)
        return True

    def _is_stone(self, described: Described) -> bool:
        kinds = {value_of(q.quad.object) for q in described.values(vocab.RDF_TYPE)}
        return self.names.kg + "WithdrawnClaim" in kinds

    def _references(
        self, claim: Claim, documents: dict[str, Document], passages: dict[str, Passage], known: set[str]
    ) -> None:
        """What a claim points at must be there, and its graph may only be about things."""
        short = self._short(claim.iri)
        if claim.document not in (documents.keys() | self._missing):
            self._missing.add(claim.document)  # said once
            message = f"{short}: missing document {claim.document}: describe it in data/documents/{claim.document}.ttl"
            self._fail("missing-document", message, claim.place, claim.iri)
        for target in claim.targets:
            if target not in passages:
                self._fail(
                    "missing-passage",
                    f"{short}: {self._short(target)} is not described",
                    claim.place,
                    claim.iri,
                )
            elif passages[target].document != claim.document and claim.basis != "inferred":
                message = f"{short}: {self._short(target)} is a passage of another document"
                self._fail("missing-passage", message, claim.place, claim.iri)
        for q in claim.graph:
            if self._kind(q.quad.subject) not in ("", "id", "document"):
                message = f"{short}: a claim's graph cannot describe {self._short(value_of(q.quad.subject))}"
                self._fail("claim", message, q.place, claim.iri)
            if self._kind(q.quad.object) == "claim" and value_of(q.quad.object) not in known:
                message = f"{short}: {self._short(value_of(q.quad.object))} is not described, or was withdrawn"
                finding = error("missing-claim", message, q.place, claim.iri)
                if self.whole or self._document_of(q.quad.object) in documents:
                    self._keep(finding)
                else:
                    self.pending.append((value_of(q.quad.object), finding))

    def _glosses_are_unique(self, claims: Iterable[Claim]) -> None:
        seen: dict[tuple[str, str], Claim] = {}
        for claim in claims:
            first = seen.setdefault((claim.document, claim.gloss), claim)
            if first is not claim:
                message = f"{self._short(claim.iri)} has the same gloss as {self._short(first.iri)}"
                self._fail("gloss", message, claim.place, claim.iri)

    def _metadata_is_about_evidence(self, metadata: dict[str, Described]) -> None:
        for iri, described in metadata.items():
            if self._kind(NamedNode(iri)) not in ("claim", "passage"):
                message = f"{self._short(iri)} is described outside of a claim: write it as claim:N {{ … }}"
                self._fail("fact-without-claim", message, described.place, iri)
