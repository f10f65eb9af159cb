"""Stage 2, its other half: what stands outside of claims says nothing that needs one, and claims write no evidence.

=======================  =========================================================================================
``ontology``             what terms mean: nothing that happens or is foreseen, no claim, passage or document
descriptions             documents and claims; nodes without a name say more of these alone, in the words of other
                         vocabularies, and lead to no thing
passages                 what ``kg cite`` prints, each of it once: what was compared with the text, and no more words
a claim's graph          nothing that the build reads as evidence, such as a fingerprint or whose voice a document is
=======================  =========================================================================================

:mod:`kg.build.collect` knows who may be described where; this module, what may be said of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from pyoxigraph import BlankNode, DefaultGraph, NamedNode

from kg import vocab
from kg.build.limit import Limit
from kg.build.parse import Sources
from kg.model import Finding, Place, SourceQuad, error, value_of

_IN_CLAIMS = ("Event", "State", "Prospect", "ReportedSituation", "Group")
"""Classes, with all below them, of which there is something only if a claim says so."""

_OF_EVIDENCE = ("Claim", "WithdrawnClaim", "Passage", "Document", "Comparison", "Disagreement", "Corroboration")
"""Classes of what facts rest on: the build's, not those of a story."""

_READ_AS_EVIDENCE = (
    *("speaker", "modality", "basis", "quote", "reviewedBy", "reviewedOn", "reviewedContent", "withdrawnOn"),
    *("textShown", "sha256", "rollingHash", "paragraph", "sentence"),
)
"""Properties of ours that stand in the descriptions of claims, passages and documents alone."""

_WORDS = (vocab.OA_EXACT, vocab.OA + "prefix", vocab.OA + "suffix")
"""Properties that say which words stand in a text (Web Annotation Data Model, section 4.2.4)."""

_ANNOTATING = (
    *(vocab.OA_HAS_TARGET, vocab.OA_HAS_SOURCE, vocab.OA_HAS_SELECTOR, vocab.OA_START, vocab.OA_END),
    *_WORDS,
)

_SELECTORS = {
    "position": (vocab.OA_POSITION_SELECTOR, (vocab.OA_START, vocab.OA_END)),
    "quote": (vocab.OA_QUOTE_SELECTOR, (vocab.OA_EXACT,)),
}
"""What a passage's two selectors are called behind its IRI, their kind, and what they say."""


def _is_selection(q: SourceQuad) -> bool:
    return q.quad.predicate.value == vocab.OA_HAS_SELECTOR


def outside(sources: Sources, superclasses: Mapping[str, Collection[str]], names: vocab.Names) -> tuple[Finding, ...]:
    """What of ``sources`` stands where it may not. ``superclasses``: a class, and those right above it."""
    return _Outside(sources, superclasses, names).run()


class _Outside:
    def __init__(self, sources: Sources, superclasses: Mapping[str, Collection[str]], names: vocab.Names) -> None:
        self.sources = sources
        self.superclasses = superclasses
        self.names = names
        kg = names.kg
        self.in_claims = {kg + name for name in _IN_CLAIMS}
        self.of_evidence = {kg + name for name in _OF_EVIDENCE}
        self.read = {*(kg + name for name in _READ_AS_EVIDENCE), *_ANNOTATING}
        self.of_passages = {
            *(vocab.OA_HAS_SOURCE, vocab.OA_HAS_SELECTOR),
            *(kg + name for name in ("sha256", "rollingHash", "paragraph", "sentence")),
        }
        self.findings: list[Finding] = []
        self._listed = Limit()

    def run(self) -> tuple[Finding, ...]:
        kg, ontology, documents = self.names.kg, self.sources.ontology, self.sources.documents
        claims = [q for q in self.sources.claims if q.quad.graph_name == DefaultGraph()]
        self._types(ontology, "")
        self._types(documents, "document", "Document")
        self._types(claims, "claim", "Claim", "WithdrawnClaim")
        self._words((*ontology, *documents, *claims))
        self._nameless(documents)
        self._nameless(claims)
        self._once(documents, "document", "document", vocab.DCTERMS_CREATOR, kg + "textShown", kg + "sha256")
        self._once(claims, "claim", "claim", vocab.PROV_PRIMARY_SOURCE, kg + "speaker")
        once = self.of_passages - {vocab.OA_HAS_SELECTOR}
        self._once(claims, "passage", "passage", *once, vocab.OA_START, vocab.OA_END, vocab.OA_EXACT)
        self._passages(claims)
        self._targets(claims)
        self._no_graphs(documents)
        self._in_graphs(q for q in self.sources.claims if q.quad.graph_name != DefaultGraph())
        return tuple(self.findings)

    def _fail(self, rule: str, message: str, place: Place, subject: str = "") -> None:
        self.findings += filter(None, [self._listed(error(rule, message, place, subject))])

    def _short(self, node: object) -> str:
        iri = value_of(node)
        if isinstance(node, BlankNode):
            return "a blank node"
        return (
            self.names.prefixed(iri)
            if iri.startswith(self.names.kg)
            else self.names.local(iri) or self.names.prefixed(iri)
        )

    def _kind(self, node: object) -> str:
        local = (self.names.local(node.value) if isinstance(node, NamedNode) else None) or ""
        return local.partition("/")[0].partition("#")[0]

    # -- what is described -----------------------------------------------------------------------------------------

    def _types(self, quads: Iterable[SourceQuad], kind: str, *allowed: str) -> None:
        """No class of what only a claim can say, or of evidence that stands elsewhere. ``kind``: of subjects."""
        own = {self.names.kg + name for name in allowed}
        for q in quads:
            if q.quad.predicate.value != vocab.RDF_TYPE or (kind and self._kind(q.quad.subject) != kind):
                continue
            above = vocab.closure([value_of(q.quad.object)], self.superclasses)
            if above & own or not above & (self.in_claims | self.of_evidence):
                continue
            hint = "write it inside claim:N { … }" if above & self.in_claims else "what is one is described elsewhere"
            message = f"{self._short(q.quad.subject)} is a {self._short(q.quad.object)} outside of a claim: {hint}"
            self._fail("fact-without-claim", message, q.place, value_of(q.quad.subject))

    def _words(self, quads: Iterable[SourceQuad]) -> None:
        """Words of a text stand in the selector of a passage, where they are compared with it."""
        for q in quads:
            if q.quad.predicate.value in _WORDS and self._kind(q.quad.subject) != "passage":
                message = (
                    f"{self._short(q.quad.subject)} has {self._short(q.quad.predicate)}, which nothing compares with a "
                    "text: say kg:quote of a claim"
                )
                self._fail("quote", message, q.place, value_of(q.quad.subject))

    def _nameless(self, quads: Iterable[SourceQuad]) -> None:
        """Blank nodes belong to what leads to them, and say nothing that would need a claim."""
        beyond: dict[object, list[BlankNode]] = defaultdict(list)
        nameless: list[SourceQuad] = []
        for q in quads:
            if isinstance(q.quad.subject, BlankNode):
                nameless.append(q)
            if isinstance(q.quad.object, BlankNode):
                beyond[q.quad.subject if isinstance(q.quad.subject, BlankNode) else None].append(q.quad.object)
        if not nameless:
            return
        known, waiting = set[BlankNode](), beyond[None]
        while waiting:
            node = waiting.pop()
            if node not in known:
                known.add(node)
                waiting += beyond[node]
        for q in nameless:
            if q.quad.subject not in known or self._needs_a_claim(q):
                message = "a blank node is described outside of a claim: write it inside claim:N { … }"
                self._fail("fact-without-claim", message, q.place)

    def _needs_a_claim(self, q: SourceQuad) -> bool:
        """Whether a triple of a blank node is in our own terms, or about a thing."""
        predicate = q.quad.predicate.value
        used = (predicate, value_of(q.quad.object) if predicate == vocab.RDF_TYPE else "")
        return any(iri.startswith(self.names.ontology) for iri in used) or self._kind(q.quad.object) == "id"

    def _once(self, quads: Iterable[SourceQuad], kind: str, rule: str, *predicates: str) -> None:
        """Of what the build reads there is one value: it would look at the first, and publish all."""
        seen: dict[tuple[str, str], SourceQuad] = {}
        for q in quads:
            subject, predicate = value_of(q.quad.subject), q.quad.predicate.value
            if predicate not in predicates or self._kind(q.quad.subject) != kind:
                continue
            # The same triple twice is one triple.
            first = seen.setdefault((subject, predicate), q)
            if first.quad.object != q.quad.object:
                short = self._short(q.quad.subject)
                message = f"{short} has more than one {self._short(q.quad.predicate)}, another one on line "
                self._fail(rule, f"{message}{first.place.line}", q.place, subject)

    def _no_graphs(self, quads: Iterable[SourceQuad]) -> None:
        """Descriptions of documents are in no graph: what is in one would be published nowhere."""
        graphs = {q.quad.graph_name: q for q in quads if q.quad.graph_name != DefaultGraph()}
        for graph, q in graphs.items():
            message = f"the graph {self._short(graph)} is passed over here: claims are in data/claims"
            self._fail("fact-without-claim", message, q.place, value_of(graph))

    # -- passages --------------------------------------------------------------------------------------------------

    def _passages(self, quads: Iterable[SourceQuad]) -> None:
        """Passages and their selectors say what ``kg cite`` prints, and nothing else."""
        has = {(value_of(q.quad.subject), value_of(q.quad.object)) for q in quads if _is_selection(q)}
        for q in quads:
            if self._kind(q.quad.subject) != "passage":
                continue
            iri, predicate = value_of(q.quad.subject), q.quad.predicate.value
            whole, _, part = iri.partition("#")
            short = self._short(q.quad.subject)
            class_, said = _SELECTORS.get(part, ("", ())) if part else (self.names.kg + "Passage", self.of_passages)
            wrong = ""
            if part and (whole, iri) not in has:
                wrong = f"{short} is no oa:hasSelector of its passage"
            elif not class_:
                wrong = f"{short} is called neither #position nor #quote"
            elif predicate == vocab.RDF_TYPE and value_of(q.quad.object) != class_:
                wrong = f"{short} is a {self._short(NamedNode(class_))}, and nothing else"
            elif predicate != vocab.RDF_TYPE and predicate not in said:
                wrong = (
                    f"{short} has {self._short(q.quad.predicate)}, which nothing compares with the text: leave it out"
                )
            elif _is_selection(q) and value_of(q.quad.object) not in {f"{iri}#{name}" for name in _SELECTORS}:
                wrong = f"{short} has an oa:hasSelector that is neither <…#position> nor <…#quote>"
            if wrong:
                self._fail("passage", wrong, q.place, iri)

    def _targets(self, quads: Iterable[SourceQuad]) -> None:
        for q in quads:
            if q.quad.predicate.value == vocab.OA_HAS_TARGET and not isinstance(q.quad.object, NamedNode):
                message = f"{self._short(q.quad.subject)} has an oa:hasTarget that is no passage/DOCUMENT/START-END"
                self._fail("no-passage", message, q.place, value_of(q.quad.subject))

    # -- claims' graphs --------------------------------------------------------------------------------------------

    def _in_graphs(self, quads: Iterable[SourceQuad]) -> None:
        """A claim's graph writes nothing that the build and the pages read as evidence, or as a thing's address."""
        for q in quads:
            predicate, kind = q.quad.predicate.value, self._kind(q.quad.subject)
            what = ""
            if predicate in self.read or (predicate == vocab.DCTERMS_CREATOR and kind == "document"):
                what = self._short(q.quad.predicate)
            elif predicate == vocab.RDF_TYPE and value_of(q.quad.object) in self.of_evidence:
                what = self._short(q.quad.object)
            where = "in the descriptions of claims, passages and documents"
            if predicate == vocab.REPLACED_BY and kind == "id":
                what, where = self._short(q.quad.predicate), "in data/entities, where it merges one thing into another"
            if what:
                message = (
                    f"{self._short(q.quad.graph_name)} says {what} of {self._short(q.quad.subject)}: it stands {where}"
                )
                self._fail("claim", message, q.place, value_of(q.quad.graph_name))
