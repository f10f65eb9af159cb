"""One pass over the dataset for the index: names, kinds, links, dates and coordinates of things; fields of claims.

Names and descriptions are taken from the default graph. Kinds, links, dates and coordinates are taken from every
graph, because what somebody only says, or plans, is to be found too: pages show who says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab

LABELS = (vocab.RDFS_LABEL, vocab.SKOS_PREF_LABEL, vocab.DCTERMS_TITLE)
NAMES = (
    vocab.SKOS_ALT_LABEL,
    vocab.SKOS + "hiddenLabel",
    vocab.SCHEMA + "name",
    vocab.SCHEMA + "alternateName",
    vocab.FOAF + "name",
    vocab.DCTERMS + "alternative",
)
TEXTS = (
    vocab.SKOS + "scopeNote",
    vocab.SKOS_DEFINITION,
    vocab.RDFS_COMMENT,
    vocab.DCTERMS_DESCRIPTION,
    vocab.SCHEMA + "description",
)
KINDS = {"id": "thing", "document": "document", "ontology": "term", "claim": "claim"}
"""Kinds of entries by the first part of the IRI behind the base."""

ABOUT_PASSAGES = ("paragraph", "sentence", "verified", "sha256", "rollingHash")
"""What the index has of a passage."""

Name = tuple[str, str]
"""A text and its language."""


@dataclass(slots=True)
class Survey:
    """What was found, by IRI. ``links`` and ``values`` are of things and of the nameless nodes that hang from them.

    ``sources``: the named graphs of a link. ``compared``: comparisons by claim; ``agreement``: how many independent
    documents each of those comparisons has that are corroborations (:mod:`kg.build.compare`). ``targets``: claims with
    their passages; ``passages``: what is said of each of these, by the name of the property (``ABOUT_PASSAGES``).
    """

    names: vocab.Names
    labels: dict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))
    others: dict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    parents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    links: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    sources: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, set[tuple[str, Literal]]] = field(default_factory=lambda: defaultdict(set))
    fields: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    mentions: set[tuple[str, str]] = field(default_factory=set)
    authors: dict[str, str] = field(default_factory=dict)
    compared: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    agreement: dict[str, int] = field(default_factory=dict)
    reviewed: set[str] = field(default_factory=set)
    targets: set[tuple[str, str]] = field(default_factory=set)
    passages: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def kind(self, iri: str) -> str:
        """``thing``, ``claim``, ``document``, ``term``, or nothing where it is none of these."""
        local = self.names.local(iri) or ""
        return KINDS.get(local.partition("/")[0].partition("#")[0], "")

    def ancestors(self, kinds: Iterable[str]) -> set[str]:
        """Classes and all above them."""
        return vocab.closure(kinds, self.parents)


def survey(quads: Iterable[Quad], names: vocab.Names) -> Survey:
    """Read the whole dataset once."""
    found = Survey(names)
    wanted = _claim_fields(names)
    passage, reviewed = names.base + "passage/", names.kg + "reviewedBy"
    default = DefaultGraph()
    for quad in quads:
        subject, value = quad.subject, quad.object
        if not isinstance(subject, NamedNode):
            continue
        in_default = quad.graph_name == default
        iri, predicate = subject.value, quad.predicate.value
        if iri.startswith(passage):
            name = predicate.removeprefix(names.kg)
            if name in ABOUT_PASSAGES and isinstance(value, Literal):
                found.passages[iri][name] = value.value
        elif in_default and predicate == reviewed:
            found.reviewed.add(iri)
        elif isinstance(value, Literal):
            _literal(found, iri, predicate, value, in_default=in_default)
        elif isinstance(value, NamedNode):
            _link(found, iri, predicate, value.value, quad.graph_name)
            if in_default and predicate in wanted:
                # The least of several, as pages have it, whatever order quads come in.
                known = found.fields[iri].get(wanted[predicate])
                found.fields[iri][wanted[predicate]] = min(known or value.value, value.value)
            elif in_default and predicate == vocab.DCTERMS_CREATOR:
                found.authors[iri] = min(found.authors.get(iri, value.value), value.value)
    return found


def _claim_fields(names: vocab.Names) -> dict[str, str]:
    kg = {names.kg + field: field for field in ("speaker", "modality", "basis")}
    return {**kg, vocab.PROV_PRIMARY_SOURCE: "document"}


def _literal(found: Survey, iri: str, predicate: str, value: Literal, *, in_default: bool) -> None:
    if in_default and predicate in LABELS:
        found.labels[iri].append((value.value, value.language or ""))
    elif in_default and predicate in NAMES:
        found.others[iri].append((value.value, value.language or ""))
    elif in_default and predicate in TEXTS:
        found.texts[iri].append(value.value)
    elif in_default and predicate == found.names.kg + "independentDocuments" and value.value.isdecimal():
        found.agreement[iri] = int(value.value)
    elif not value.language and not iri.startswith(found.names.base + "claim/"):
        found.values[iri].add((predicate, value))


def _link(found: Survey, iri: str, predicate: str, value: str, graph: object) -> None:
    if predicate == vocab.RDF_TYPE:
        found.types[iri].add(value)
    elif predicate == vocab.RDFS_SUBCLASS:
        found.parents[iri].add(value)
    elif predicate == found.names.kg + "mentions":
        found.mentions.add((iri, value))
    elif predicate == vocab.OA_HAS_TARGET:
        found.targets.add((iri, value))
    elif predicate == found.names.kg + "compares":
        found.compared[value].append(iri)
    elif iri.startswith((found.names.id, found.names.genid)):
        found.links[iri].add((predicate, value))
        if isinstance(graph, NamedNode):
            found.sources[iri, predicate, value].append(graph.value)
