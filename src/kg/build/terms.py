"""Whether the terms that sources use exist: ours in the ontology, those of well-known vocabularies in these."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from pyoxigraph import NamedNode
from rdflib.namespace import DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SDO, SKOS, TIME, DefinedNamespace

from kg import vocab
from kg.build.limit import MOST
from kg.build.parse import Sources
from kg.build.vocabulary import namespace
from kg.model import Finding, SourceQuad, error, warning

_OTHERS: dict[str, type[DefinedNamespace]] = {
    **{str(known._NS): known for known in (DCTERMS, FOAF, ORG, OWL, PROV, RDF, RDFS, SDO, SKOS, TIME)},
    # rdflib has the https form only, data has both (https://schema.org/docs/faq.html#19).
    vocab.SCHEMA: SDO,
}
"""Vocabularies by namespace, of which rdflib lists every term. Those whose lists are out of date are not among them."""

_COMPARED = 5_000
"""Comparisons of names in one search for unknown terms: a second of CPU. Later ones are not said to be like another."""

_LIKE_IRI, _LIKE_NAME = 0.8, 0.7
"""How like, from 0 to 1, whole IRIs or names are of which one is offered for the other (:mod:`difflib`)."""


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
            may = compared <= _COMPARED
            near = difflib.get_close_matches(node.value, terms, n=1, cutoff=_LIKE_IRI) if may else []
            hint = f"; did you mean {names.local(near[0]) or near[0]}?" if near else "; add it to ontology/"
            message = f"unknown term {names.local(node.value) or node.value}{hint}"
            yield error("unknown-term", message, q.place, node.value)


def unknown_to_others(quads: Iterable[SourceQuad], terms: Collection[str]) -> Iterator[Finding]:
    """Properties and classes that a well-known vocabulary does not have: a slip that no shape would notice.

    A warning only, because vocabularies grow; a term that the ontology describes (is among ``terms``) is meant.
    """
    reported: set[tuple[str, str]] = set()
    compared = 0
    for q in quads:
        used = [q.quad.predicate.value]
        if q.quad.predicate.value == vocab.RDF_TYPE and isinstance(q.quad.object, NamedNode):
            used.append(q.quad.object.value)
        for iri in used:
            if iri in terms or (q.place.file, iri) in reported:
                continue
            problem = _problem(iri, like=compared <= _COMPARED)
            if problem:
                compared += len(dir(_OTHERS[namespace(iri)]))
                reported.add((q.place.file, iri))
                yield warning("unknown-term", problem, q.place, iri)


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
