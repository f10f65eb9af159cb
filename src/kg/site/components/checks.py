"""Which shapes looked at a claim: at its record, and at what it says where that was published as a fact.

The build validates the default graph and the claims' descriptions (:mod:`kg.build.validate`): what others say, and what
is inferred, no shape has seen. A shape looks at what its targets name (SHACL, sections 2.1.3.1 to 2.1.3.5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.model import Node, value_of
from kg.site.lookups.labels import Label
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

_SH = vocab.SH
_DEFAULT = DefaultGraph()
_TARGETS = tuple(_SH + name for name in vocab.SH_TARGETS)


class CheckedBy(NamedTuple):
    """A shape with a name: its IRI, what it is called, and where its page shows it."""

    iri: str
    name: Label
    anchor: str


class Checks(NamedTuple):
    """The shapes that looked at a claim's record, and at its facts."""

    record: tuple[CheckedBy, ...]
    facts: tuple[CheckedBy, ...]


def checks(site: Site, iri: str, graph: Iterable[Quad]) -> Checks:
    """The shapes that looked at a claim; ``graph`` is what it says."""
    record = list(site.local.quads(NamedNode(iri), None, None, _DEFAULT))
    published: list[Quad] = []
    for q in graph:
        if isinstance(q.subject, NamedNode) and isinstance(q.object, NamedNode | Literal):
            published += site.local.quads(q.subject, q.predicate, q.object, _DEFAULT)
    # A fact shape looks at a thing with all that is published of it: its class may be in another claim.
    classes = [
        quad
        for subject in {q.subject for q in published if isinstance(q.subject, NamedNode)}
        for quad in site.local.quads(subject, NamedNode(vocab.RDF_TYPE), None, _DEFAULT)
    ]
    return Checks(_looking_at(site, record, record), _looking_at(site, published, classes))


def _looking_at(site: Site, quads: Iterable[Quad], classes: Iterable[Quad]) -> tuple[CheckedBy, ...]:
    keys: set[tuple[str, str]] = set()
    for q in quads:
        keys |= {
            (_SH + "targetSubjectsOf", q.predicate.value),
            (_SH + "targetObjectsOf", q.predicate.value),
            (_SH + "targetNode", value_of(q.subject)),
        }
    types = {value_of(q.object) for q in classes if q.predicate.value == vocab.RDF_TYPE}
    keys |= {(_SH + "targetClass", iri) for iri in site.schema.ancestors(types)}
    by_target = _by_target(site)
    return tuple(
        sorted({shape for key in keys for shape in by_target.get(key, ())}, key=lambda s: (s.name.text, s.iri))
    )


@per_site()
def _by_target(site: Site) -> dict[tuple[str, str], list[CheckedBy]]:
    described: dict[str, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    for q in site.schema.shapes:
        if isinstance(q.subject, NamedNode) and isinstance(q.object, Node):
            described[q.subject.value][q.predicate.value].append(q.object)
    found: dict[tuple[str, str], list[CheckedBy]] = defaultdict(list)
    for iri, values in described.items():
        if any(value_of(v) in ("true", "1") for v in values[_SH + "deactivated"]):
            continue
        anchor = (site.names.local(iri) or iri).removeprefix("shapes#")
        names = [
            text
            for name in (_SH + "name", vocab.RDFS_LABEL)
            for text in sorted(
                ((v.value, v.language or "") for v in values[name] if isinstance(v, Literal)),
                key=lambda text: site.labels.rank(*text),
            )
        ]
        shape = CheckedBy(iri, site.labels.made(*next(iter(names), (anchor, ""))), anchor)
        for target in _TARGETS:
            for value in values[target]:
                found[target, value_of(value)].append(shape)
        if any(value_of(t) in vocab.CLASSES for t in values[vocab.RDF_TYPE]):
            found[_SH + "targetClass", iri].append(shape)
    return dict(found)
