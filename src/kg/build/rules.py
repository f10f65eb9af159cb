"""Stage 5: the rules that hold across graphs, which SHACL over one graph cannot say.

Each is a function from what was collected to findings; ``RULES`` is their list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg import vocab
from kg.build.collect import Collected
from kg.build.parse import Sources
from kg.model import Finding, SourceQuad, error, value_of, warning

Rule = Callable[[Sources, Collected, vocab.Names], Iterator[Finding]]


def _subclasses(sources: Sources, top: set[str]) -> set[str]:
    """``top`` and everything the ontology puts below it."""
    children: dict[str, set[str]] = defaultdict(set)
    for q in sources.ontology:
        if q.quad.predicate.value == vocab.RDFS_SUBCLASS and isinstance(q.quad.object, NamedNode):
            children[q.quad.object.value].add(value_of(q.quad.subject))
    found, waiting = set(top), list(top)
    while waiting:
        for child in children[waiting.pop()] - found:
            found.add(child)
            waiting.append(child)
    return found


def happened_only_if_asserted(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """What is not asserted in the document's own voice cannot be typed as an Event or a State.

    Otherwise a query over the union of all graphs would count plans, demands and hearsay as things that happened.
    """
    happened = _subclasses(sources, {names.kg + "Event", names.kg + "State"})
    for claim in collected.claims:
        document = collected.documents.get(claim.document)
        own_voice = document is not None and claim.speaker == document.author
        if claim.modality == "asserted" and own_voice:
            continue
        for q in claim.graph:
            value = q.quad.object
            if q.quad.predicate.value == vocab.RDF_TYPE and value_of(value) in happened:
                how = claim.modality if claim.modality != "asserted" else "said by another speaker"
                message = (
                    f"{names.local(claim.iri)} is {how}, so {names.local(value_of(q.quad.subject))} cannot be a "
                    f"{names.local(value_of(value))}: type it as a Prospect or a ReportedSituation"
                )
                yield error("not-asserted", message, q.place, claim.iri)


def things_have_labels(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """Every thing in a claim has a label, or a page would have to show its IRI."""
    labelled = {
        q.quad.subject for q in sources.entities if q.quad.predicate.value in (vocab.RDFS_LABEL, vocab.SKOS_PREF_LABEL)
    }
    reported = set()
    for claim in collected.claims:
        for q in claim.graph:
            for node in (q.quad.subject, q.quad.object):
                if not isinstance(node, NamedNode) or not node.value.startswith(names.id):
                    continue
                if node not in labelled and node not in reported:
                    reported.add(node)
                    message = f"{names.local(node.value)} has no label: add one in data/entities/"
                    yield error("no-label", message, q.place, node.value)


def speakers_have_labels(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """Every speaker and author has a label: who says it is what pages show beside every fact."""
    labelled = {value_of(q.quad.subject) for q in sources.entities}
    for claim in collected.claims:
        if claim.speaker not in labelled:
            yield error("no-label", f"{names.local(claim.iri)}: the speaker has no label", claim.place, claim.iri)
    for document in collected.documents.values():
        if document.author and document.author not in labelled:
            message = f"the author of {document.name} has no label: add one in data/entities/"
            yield error("no-label", message, document.place, document.iri)


def labels_are_used(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """A label for a thing that no claim mentions is a thing nobody says anything about."""
    used = {claim.speaker for claim in collected.claims} | {d.author for d in collected.documents.values()}
    for claim in collected.claims:
        for q in claim.graph:
            used |= {node.value for node in (q.quad.subject, q.quad.object) if isinstance(node, NamedNode)}
    for q in (*sources.documents, *sources.claims):
        if isinstance(q.quad.object, NamedNode):
            used.add(q.quad.object.value)
    reported = {value_of(q.quad.subject) for q in sources.entities if q.quad.predicate.value == vocab.REPLACED_BY}
    for q in sources.entities:
        iri = value_of(q.quad.subject)
        if iri not in used and iri not in reported:
            reported.add(iri)
            yield warning("unused-label", f"{names.local(iri) or iri} is in no claim", q.place, iri)


def content_is_said(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """A claim of another speaker is reached from a claim that says it was said (``kg:content``)."""
    said = {
        q.quad.object.value
        for claim in collected.claims
        for q in claim.graph
        if q.quad.predicate.value == names.kg + "content"
        and not isinstance(q.quad.object, Literal)
        and isinstance(q.quad.object, NamedNode)
    }
    for claim in collected.claims:
        document = collected.documents.get(claim.document)
        if document is not None and claim.speaker != document.author and claim.iri not in said:
            message = (
                f"{names.local(claim.iri)} has another speaker than its document, and no statement has it as "
                "kg:content: say in a claim of the document's own voice that it was said"
            )
            yield error("unsaid", message, claim.place, claim.iri)


def merged_things_are_not_spoken_of(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """What was merged into another thing is in no claim any more, and the other thing is there to lead to."""
    merged: dict[object, SourceQuad] = {
        q.quad.subject: q for q in sources.entities if q.quad.predicate.value == vocab.REPLACED_BY
    }
    for claim in collected.claims:
        for q in claim.graph:
            for node in (q.quad.subject, q.quad.object):
                if node in merged:
                    into = names.local(value_of(merged[node].quad.object))
                    message = (
                        f"{names.local(value_of(node))} was merged into {into}: {names.local(claim.iri)} must say that"
                    )
                    yield error("replaced", message, q.place, claim.iri)
    for q in merged.values():
        if q.quad.object in merged:
            message = f"{names.local(value_of(q.quad.object))} was merged itself: name the thing that is left"
            yield error("replaced", message, q.place, value_of(q.quad.subject))


def facts_are_stated_by_claims_alone(sources: Sources, collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """No claim says what the ontology, a label or a description says already.

    In the default graph both would be one triple, and it would stay there if every claim that states it were withdrawn.
    """
    others = {
        (q.quad.subject, q.quad.predicate, q.quad.object): q.place
        for q in (*sources.ontology, *sources.entities, *sources.documents, *sources.claims)
        if q.quad.graph_name == DefaultGraph()
    }
    for claim in collected.claims:
        for q in claim.graph:
            place = others.get((q.quad.subject, q.quad.predicate, q.quad.object))
            if place is not None:
                message = (
                    f"{names.local(claim.iri)} states what {place} says without a claim, so "
                    "nobody could tell whose word it is: leave out one of the two (a name that a document gives is a "
                    "schema:name)"
                )
                yield error("stated-twice", message, q.place, claim.iri)


RULES: tuple[Rule, ...] = (
    happened_only_if_asserted,
    things_have_labels,
    speakers_have_labels,
    labels_are_used,
    content_is_said,
    merged_things_are_not_spoken_of,
    facts_are_stated_by_claims_alone,
)


def check_rules(sources: Sources, collected: Collected, base: str) -> tuple[Finding, ...]:
    """Run every rule."""
    names = vocab.Names(base)
    return tuple(finding for rule in RULES for finding in rule(sources, collected, names))
