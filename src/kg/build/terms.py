"""Whether the terms that sources use exist: ours in the ontology, those of well-known vocabularies in these."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache

from pyoxigraph import NamedNode
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SDO, SH, SKOS, TIME, DefinedNamespace

from kg import vocab
from kg.build.limit import MOST
from kg.build.parse import Sources
from kg.build.vocabulary import namespace
from kg.model import Finding, Place, SourceQuad, error, value_of, warning

_OTHERS: dict[str, type[DefinedNamespace]] = {
    **{str(known._NS): known for known in (DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SDO, SH, SKOS, TIME)},
    # rdflib has the https form only, data has both (https://schema.org/docs/faq.html#19).
    vocab.SCHEMA: SDO,
}
"""Vocabularies by namespace, of which rdflib lists every term. Those whose lists are out of date are not among them."""

_COMPARED = 5_000
"""Comparisons of names in one search for unknown terms: a second of CPU. Later ones are not said to be like another."""

_LIKE_NAME = 0.7
"""How like, from 0 to 1, names are of which one is offered for the other (:mod:`difflib`)."""


def terms_of(sources: Sources, base: str) -> frozenset[str]:
    """The terms that the ontology describes, and the ontology."""
    described = (q.quad.subject for q in sources.ontology)
    return frozenset({node.value for node in described if isinstance(node, NamedNode)} | {vocab.Names(base).ontology})


def undefined(quads: Iterable[SourceQuad], terms: Collection[str], names: vocab.Names) -> Iterator[Finding]:
    """Every IRI in the namespace of one of our ontologies must be among ``terms``; said once a file."""
    space = re.compile(re.escape(names.ontology) + r"(?:/[^#?]*)?#")
    reported: set[tuple[str, str]] = set()
    compared = 0
    for q in quads:
        for node in (q.quad.subject, q.quad.predicate, q.quad.object):
            if not isinstance(node, NamedNode) or not space.match(node.value) or node.value in terms:
                continue
            if (q.place.file, node.value) in reported:
                continue
            if len(reported) > MOST:
                return
            reported.add((q.place.file, node.value))
            compared += len(terms)
            hint = _hint(node.value, terms, names) if compared <= _COMPARED else "; add it to ontology/"
            message = f"unknown term {names.local(node.value) or node.value}{hint}"
            yield error("unknown-term", message, q.place, node.value)


def _hint(iri: str, terms: Collection[str], names: vocab.Names) -> str:
    """What may have been meant by an unknown term: one like it in its ontology, or one of its name in another."""
    space = namespace(iri)
    beside = _beside(space, terms)
    near = difflib.get_close_matches(iri.removeprefix(space), beside, n=1, cutoff=_LIKE_NAME)
    elsewhere = sorted(term for term in terms if namespace(term) != space and term.endswith(iri[len(space) - 1 :]))
    found = [beside[name] for name in near] or elsewhere
    if found:
        return f"; did you mean {names.local(found[0]) or found[0]}?"
    if not beside:
        start = "; kg init writes the general one" if space == names.kg else ""
        return f"; no file in ontology/ describes a term of <{names.local(space)}>{start}"
    return "; add it to ontology/"


_TERM_CLASSES = (vocab.RDF, vocab.RDFS, vocab.OWL, vocab.SKOS, str(SH._NS))
"""How the classes of terms begin, and of what describes them."""

_SPEAK_OF_TERMS = (
    *(*_TERM_CLASSES, vocab.DCTERMS, vocab.VANN, str(PROV._NS), "http://purl.org/dc/elements/1.1/"),
    *(vocab.SCHEMA + "domainIncludes", vocab.SCHEMA + "rangeIncludes"),
)
"""How properties begin that describe vocabularies."""


def facts_among_terms(quads: Iterable[SourceQuad], names: vocab.Names) -> Iterator[Finding]:
    """What ``ontology/`` says of things of other sites that are no terms: facts that no claim states. Said once a file.

    A warning only, because a vocabulary may have values of its own, such as units with their factors.
    """
    terms: set[str] = set()
    found: dict[str, dict[str, Place]] = {}
    for q in quads:
        subject, predicate, object_ = q.quad.subject, q.quad.predicate.value, q.quad.object
        if not isinstance(subject, NamedNode) or subject.value.startswith(names.base):
            continue
        if predicate == vocab.RDF_TYPE and value_of(object_).startswith((*_TERM_CLASSES, names.ontology)):
            terms.add(subject.value)
        elif not predicate.startswith(_SPEAK_OF_TERMS):
            found.setdefault(q.place.file, {}).setdefault(subject.value, q.place)
    for things in found.values():
        facts = [(iri, place) for iri, place in things.items() if iri not in terms]
        if facts:
            (iri, place), more = facts[0], len(facts) - 1
            named = f"<{iri}> and {more} more are no terms" if more else f"<{iri}> is no term"
            message = (
                f"{named}, and ontology/ is for terms: what is said of such things is published without a claim; write "
                "it as claim:N { … }, or show it with kg serve --endpoint"
            )
            yield warning("fact-without-claim", message, place, iri)


_ADDRESSES = ("id/", "document/", "claim/", "passage/", "graph/", "catalog", "comparison/", ".well-known/")


def no_address(quads: Iterable[SourceQuad], names: vocab.Names) -> Iterator[Finding]:
    """IRIs under the base at which nothing is: things would have no page there, and need no label. Said once a file."""
    served = tuple(names.base + part for part in _ADDRESSES)
    served += tuple(iri + end for iri in (names.ontology, names.shapes) for end in ("#", "/"))
    whole = {names.base, names.ontology, names.shapes}
    reported: set[tuple[str, str]] = set()
    for q in quads:
        for node in (q.quad.subject, q.quad.object):
            if not isinstance(node, NamedNode) or not node.value.startswith(names.base):
                continue
            if node.value.startswith(served) or node.value in whole:
                continue
            local = node.value.removeprefix(names.base)
            start = re.split("[/#]", local)[0]
            if (q.place.file, start) not in reported:
                reported.add((q.place.file, start))
                message = (
                    f"{local} has no page here: things are id/NAME, documents document/NAME, claims claim/DOCUMENT/N; "
                    "is its prefix right?"
                )
                yield warning("address", message, q.place, node.value)


def unknown_to_others(quads: Iterable[SourceQuad], terms: Collection[str], names: vocab.Names) -> Iterator[Finding]:
    """Properties and classes that a well-known vocabulary does not have: a slip that no shape would notice.

    So with an ontology of another site that ``ontology/`` describes, itself and its terms. A warning only, because
    vocabularies grow; a term that is described there (is among ``terms``) is meant.
    """
    reported: set[tuple[str, str]] = set()
    compared = 0
    space_of = cache(namespace)
    described = cache(lambda space: _beside(space, terms) if space in terms or space[:-1] in terms else {})
    for q in quads:
        used = [q.quad.predicate.value]
        if q.quad.predicate.value == vocab.RDF_TYPE and isinstance(q.quad.object, NamedNode):
            used.append(q.quad.object.value)
        for iri in used:
            if iri in terms or iri.startswith(names.ontology) or (q.place.file, iri) in reported:
                continue
            space = space_of(iri)
            if space in _OTHERS:
                problem = _problem(iri, like=compared <= _COMPARED)
            else:
                problem = _missing(iri, space, described(space)) if described(space) else ""
            if problem:
                compared += len(dir(_OTHERS[space]) if space in _OTHERS else described(space))
                reported.add((q.place.file, iri))
                yield warning("unknown-term", problem, q.place, iri)


def _beside(space: str, terms: Iterable[str]) -> dict[str, str]:
    """The terms of a namespace by their names in it."""
    return {term.removeprefix(space): term for term in terms if term.startswith(space) and term != space}


def _missing(iri: str, space: str, beside: Mapping[str, str]) -> str:
    name = iri.removeprefix(space)
    near = difflib.get_close_matches(name, beside, n=1, cutoff=_LIKE_NAME)
    hint = f"did you mean <{space}{near[0]}>?" if near else "add it there"
    return f"unknown term <{iri}>: what ontology/ describes of <{space}> has no {name}; {hint}"


@lru_cache(maxsize=10_000)
def _problem(iri: str, *, like: bool) -> str:
    """What is wrong with a term, or nothing; ``like``: with the one that may have been meant."""
    space = namespace(iri)
    known = _OTHERS.get(space)
    name = iri.removeprefix(space)
    if known is None or name in known or (space == vocab.RDF and re.fullmatch(r"_[1-9][0-9]*", name)):
        return ""
    names = (str(term).removeprefix(str(known._NS)) for term in (dir(known) if like else ()))
    near = difflib.get_close_matches(name, names, n=1, cutoff=_LIKE_NAME)
    hint = f"did you mean <{space}{near[0]}>?" if near else "if it is new there, describe it in ontology/"
    return f"unknown term <{iri}>: that vocabulary has no {name}; {hint}"
