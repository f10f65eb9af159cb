"""Stage 5: the rules that hold across graphs, which SHACL over one graph cannot say.

Those ``WITHIN_A_DOCUMENT`` look at its own claims and are run with its part (:mod:`kg.build.passes.part`); those
``ACROSS_DOCUMENTS`` are run once, over what all parts say together. A rule is a function in one of the two lists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pyoxigraph import BlankNode, NamedNode

from kg import vocab
from kg.build.collect import Collected
from kg.build.ground import Grounded
from kg.build.parse import Sources
from kg.build.review import stale_reviews
from kg.build.times import times_can_be
from kg.model import Document, Finding, Place, error, value_of, warning


@dataclass(frozen=True, slots=True)
class Own:
    """What the rules within a document look at: its claims, before and after their passages were held against its text.

    ``happened``: the classes of what happened or held.
    """

    collected: Collected
    grounded: Grounded
    happened: Collection[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules across documents look at.

    ``unlabelled``: things and speakers that lack a label. ``unused``: labelled things that nobody speaks of, with the
    line of the label. ``merged``: things → what they were merged into, ``nowhere``: of these, what nobody speaks of.
    ``spoken``: where claims speak of such things, in the order of the claims. ``authors``: authors that lack a label or
    were merged, with their documents. ``unsaid``: claims of other speakers that no statement has as its content, with
    what is found. ``twice``: claims whose triple stands without a claim too: the claim, where it says so, and the
    other place.
    """

    unlabelled: frozenset[str] = frozenset()
    unused: tuple[tuple[str, Place], ...] = ()
    merged: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    nowhere: frozenset[str] = frozenset()
    spoken: tuple[Spoken, ...] = ()
    authors: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)
    unsaid: tuple[Finding, ...] = ()
    twice: tuple[tuple[str, Place, Place], ...] = ()


class Spoken(NamedTuple):
    """An IRI in a claim's graph, or as its speaker, and where."""

    iri: str
    claim: str
    place: Place
    speaker: bool


RuleWithin = Callable[[Own, vocab.Names], Iterator[Finding]]
Rule = Callable[[Asked, vocab.Names], Iterator[Finding]]


def what_happened(sources: Sources, names: vocab.Names) -> frozenset[str]:
    """The classes of what happened or held."""
    return frozenset(_subclasses(sources, {names.kg + "Event", names.kg + "State"}))


def _subclasses(sources: Sources, top: set[str]) -> set[str]:
    """``top`` and everything the ontology puts below it."""
    children: dict[str, set[str]] = defaultdict(set)
    for q in sources.ontology:
        if q.quad.predicate.value == vocab.RDFS_SUBCLASS and isinstance(q.quad.object, NamedNode):
            children[q.quad.object.value].add(value_of(q.quad.subject))
    return vocab.closure(top, children)


def happened_only_if_asserted(own: Own, names: vocab.Names) -> Iterator[Finding]:
    """What is not asserted in the document's own voice cannot be typed as an Event or a State.

    Otherwise a query over the union of all graphs would count plans, demands and hearsay as things that happened.
    """
    for claim in own.collected.claims:
        document = own.collected.documents.get(claim.document)
        own_voice = document is not None and claim.speaker == document.author
        if claim.modality == "asserted" and own_voice:
            continue
        for q in claim.graph:
            value = q.quad.object
            if q.quad.predicate.value == vocab.RDF_TYPE and value_of(value) in own.happened:
                class_ = value_of(value)
                named = names.prefixed(class_) if class_.startswith(names.kg) else names.local(class_) or class_
                how = claim.modality if claim.modality != "asserted" else "said by another speaker"
                message = (
                    f"{names.local(claim.iri)} is {how}, so {names.local(value_of(q.quad.subject))} cannot be a "
                    f"{named}: type it as a Prospect or a ReportedSituation"
                )
                yield error("not-asserted", message, q.place, claim.iri)


def reviews_are_of_what_is_there(own: Own, names: vocab.Names) -> Iterator[Finding]:
    """A claim that was changed after its review is not reviewed (:mod:`kg.build.review`)."""
    yield from stale_reviews(own.grounded, names)


def claims_say_different_things(own: Own, names: vocab.Names) -> Iterator[Finding]:
    """No two claims have the same words of the document say the same: it would count as stated twice."""
    seen: dict[tuple[object, ...], str] = {}
    for claim in sorted(own.grounded.claims, key=lambda claim: claim.place):
        triples = frozenset((q.quad.subject, q.quad.predicate, q.quad.object) for q in claim.graph)
        if not claim.targets or any(isinstance(term, BlankNode) for triple in triples for term in triple):
            continue
        key = (claim.speaker, claim.modality, claim.basis, frozenset(claim.targets), triples)
        first = seen.setdefault(key, claim.iri)
        if first != claim.iri:
            said = (
                f"{names.local(claim.iri)} says of the same words what {names.local(first)} says: take one of them out"
            )
            yield warning("twice", said, claim.place, claim.iri)


def times_are_possible(own: Own, names: vocab.Names) -> Iterator[Finding]:
    """A time is one that the calendar has, and lies within its bounds (:mod:`kg.build.times`)."""
    yield from times_can_be(own.collected, names)


def things_have_labels(asked: Asked, names: vocab.Names) -> Iterator[Finding]:
    """Every thing in a claim has a label, or a page would have to show its IRI."""
    reported = set(asked.merged)  # what to say in place of them is another finding
    for one in asked.spoken:
        if not one.speaker and one.iri.startswith(names.id) and one.iri in asked.unlabelled and one.iri not in reported:
            reported.add(one.iri)
            message = f"{names.local(one.iri)} has no label: add one in data/entities/"
            yield error("no-label", message, one.place, one.iri)


def speakers_have_labels(asked: Asked, names: vocab.Names) -> Iterator[Finding]:
    """Every speaker and author has a label: who says it is what pages show beside every fact."""
    spoken: dict[str, Spoken] = {}
    claims: Counter[str] = Counter()
    for one in asked.spoken:
        if one.speaker and one.iri in asked.unlabelled and one.iri not in asked.merged:
            spoken.setdefault(one.iri, one)
            claims[one.iri] += 1
    for iri, one in spoken.items():
        more = f" and of {claims[iri] - 1} more" if claims[iri] > 1 else ""
        who = f"{names.local(iri) or iri}, the speaker of {names.local(one.claim)}{more}"
        yield error("no-label", f"{who}, has no label: add one in data/entities/", one.place, one.claim)
    for author, documents in asked.authors.items():
        for document in documents if author not in asked.merged else ():
            who = f"{names.local(author) or author}, the author of {document.name}"
            message = f"{who}, has no label: add one in data/entities/"
            yield error("no-label", message, document.place, document.iri)


def labels_are_used(asked: Asked, names: vocab.Names) -> Iterator[Finding]:
    """A label for a thing that no claim mentions is a thing nobody says anything about."""
    for iri, place in asked.unused:
        yield warning("unused-label", f"{names.local(iri) or iri} is in no claim", place, iri)


def content_is_said(asked: Asked, _names: vocab.Names) -> Iterator[Finding]:
    """A claim of another speaker is reached from a claim that says it was said (``kg:content``)."""
    yield from asked.unsaid


def merged_things_are_not_spoken_of(asked: Asked, names: vocab.Names) -> Iterator[Finding]:
    """What was merged into another thing is in no claim any more, and the other thing is there to lead to."""
    said = set()
    for one in asked.spoken:
        if one.iri in asked.merged and (one.iri, one.claim) not in said:
            said.add((one.iri, one.claim))
            into = names.local(asked.merged[one.iri][0])
            message = f"{names.local(one.iri)} was merged into {into}: {names.local(one.claim)} must say that"
            yield error("replaced", message, one.place, one.claim)
    for author, documents in asked.authors.items():
        for document in documents if author in asked.merged else ():
            into = names.local(asked.merged[author][0])
            message = f"{names.local(author)} was merged into {into}: dcterms:creator of {document.name} must say that"
            yield error("replaced", message, document.place, document.iri)
    for iri, (into, place) in asked.merged.items():
        if into in asked.merged:
            message = f"{names.local(into)} was merged itself: name the thing that is left"
            yield error("replaced", message, place, iri)
        elif into in asked.nowhere:
            message = f"{names.local(iri)} was merged into {names.local(into)}, which nobody speaks of and has no label"
            yield error("replaced", message, place, iri)


def facts_are_stated_by_claims_alone(asked: Asked, names: vocab.Names) -> Iterator[Finding]:
    """No claim says what the ontology, a label or a description says already.

    In the default graph both would be one triple, and it would stay there if every claim that states it were withdrawn.
    """
    for claim, place, other in asked.twice:
        message = (
            f"{names.local(claim)} states what {other} says without a claim, so nobody could tell whose word it is: "
            "leave out one of the two (a name that a document gives is a schema:name)"
        )
        yield error("stated-twice", message, place, claim)


WITHIN_A_DOCUMENT: tuple[RuleWithin, ...] = (
    happened_only_if_asserted,
    reviews_are_of_what_is_there,
    claims_say_different_things,
    times_are_possible,
)
ACROSS_DOCUMENTS: tuple[Rule, ...] = (
    things_have_labels,
    speakers_have_labels,
    labels_are_used,
    content_is_said,
    merged_things_are_not_spoken_of,
    facts_are_stated_by_claims_alone,
)


def check_own(own: Own, names: vocab.Names) -> tuple[Finding, ...]:
    """Run every rule within a document."""
    return tuple(finding for rule in WITHIN_A_DOCUMENT for finding in rule(own, names))


def check_rules(asked: Asked, base: str) -> tuple[Finding, ...]:
    """Run every rule across documents."""
    names = vocab.Names(base)
    return tuple(finding for rule in ACROSS_DOCUMENTS for finding in rule(asked, names))
