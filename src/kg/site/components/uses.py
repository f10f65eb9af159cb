"""Where a term is used: how often, and a few examples with who says so.

Counted are the triples of the default graph, and those that stand in claims alone. Every look is bounded, so a page
costs the same whether a term is used ten times or a million; the statistics (``/.well-known/void``) count all.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Triple

from kg import vocab
from kg.model import value_of
from kg.site.components.nodes import Linker
from kg.site.lookups.state import Site

MOST = 20_000
"""Quads that are counted of each way to use a term; a page says where there are more."""

EXAMPLES = 5
"""Examples of each."""

_DEFAULT = DefaultGraph()
_A = NamedNode(vocab.RDF_TYPE)


class Example(NamedTuple):
    """A triple that uses the term; ``evidence`` says which claims make it."""

    subject: Markup
    property: Markup
    object: Markup
    evidence: Markup


class Use(NamedTuple):
    """One way to use a term: as a class, as a property, or as the value of ``property``.

    ``facts`` counts triples of the default graph, ``said`` those that only stand in claims; ``cut``: there are more.
    """

    how: str
    property: Markup
    facts: int
    said: int
    cut: bool
    examples: tuple[Example, ...]
    triples: tuple[Triple, ...]


def of(site: Site, linker: Linker, iri: str) -> list[Use]:
    """The ways in which the data use a term; what other terms say of it is no use of it."""
    node = NamedNode(iri)
    found = [
        _use(site, linker, "class", "", list(islice(site.local.quads(None, _A, node), MOST + 1))),
        _use(site, linker, "property", "", list(islice(site.local.quads(None, node, None), MOST + 1))),
    ]
    as_value = [q for q in islice(site.local.quads(None, None, node), MOST + 1) if q.predicate.value != vocab.RDF_TYPE]
    kinds = Counter(q.predicate.value for q in as_value if value_of(q.subject) not in site.schema.terms)
    for predicate, _ in kinds.most_common(EXAMPLES):
        found.append(_use(site, linker, "value", predicate, [q for q in as_value if q.predicate.value == predicate]))
    return [use for use in found if use.facts or use.said]


def _use(site: Site, linker: Linker, how: str, predicate: str, quads: list[Quad]) -> Use:
    cut = len(quads) > MOST
    used = [q for q in quads[:MOST] if value_of(q.subject) not in site.schema.terms]
    facts = {q.triple for q in used if q.graph_name == _DEFAULT}
    said = {q.triple for q in used if q.graph_name != _DEFAULT} - facts
    # Those that a claim makes come first: they show who says so.
    claimed = dict.fromkeys(q.triple for q in used if q.graph_name != _DEFAULT)
    chosen = _chosen(site, [*claimed, *(q.triple for q in used)])
    return Use(
        how,
        linker.term(predicate) if predicate else Markup(""),
        len(facts),
        len(said),
        cut,
        tuple(_example(site, linker, triple) for triple in chosen),
        tuple(chosen),
    )


def _chosen(site: Site, triples: list[Triple]) -> list[Triple]:
    """A few triples, no two of one subject; of those looked at, the ones with a name first."""
    by_subject: dict[str, Triple] = {}
    for triple in triples:
        if len(by_subject) >= EXAMPLES * 8:
            break
        if isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode | Literal):
            by_subject.setdefault(triple.subject.value, triple)
    named = sorted(by_subject, key=lambda iri: (not site.labels[iri].given, site.labels[iri].key, iri))
    return [by_subject[iri] for iri in named[:EXAMPLES]]


def _example(site: Site, linker: Linker, triple: Triple) -> Example:
    is_type = triple.predicate == _A and isinstance(triple.object, NamedNode)
    value = triple.object
    shown = linker.kind(value.value) if is_type and isinstance(value, NamedNode) else Markup("")
    if not is_type and isinstance(value, NamedNode | Literal):
        shown = linker.node(value)
    sources = site.evidence.of(Quad(triple.subject, triple.predicate, triple.object))
    return Example(
        linker.link(value_of(triple.subject)),
        linker.term(triple.predicate.value),
        shown,
        linker.evidence(sources[:2]),
    )
