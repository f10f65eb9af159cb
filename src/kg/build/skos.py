"""Thesauri in ``ontology/`` held against the integrity conditions of SKOS, on which clients rely.

https://www.w3.org/TR/skos-reference/, with the number of each condition: what a concept is (S9, S37), its labels (S13,
S14), and how it is related to others (S27, S46). Warnings only: pages show what is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import Literal, NamedNode

from kg import vocab
from kg.model import Finding, Place, SourceQuad, value_of, warning

_SKOS = vocab.SKOS
_LABELS = (_SKOS + "prefLabel", _SKOS + "altLabel", _SKOS + "hiddenLabel")
_KINDS = (_SKOS + "Concept", _SKOS + "ConceptScheme", _SKOS + "Collection", _SKOS + "OrderedCollection")
_UP = (_SKOS + "broader", _SKOS + "broaderTransitive", _SKOS + "broadMatch")
_DOWN = (_SKOS + "narrower", _SKOS + "narrowerTransitive", _SKOS + "narrowMatch")
_ACROSS = (_SKOS + "related", _SKOS + "relatedMatch")
_MATCHES = tuple(_SKOS + name for name in ("broadMatch", "narrowMatch", "relatedMatch"))
_WALKED = 5_000_000
"""Steps along relations that are taken, some seconds of CPU; what lies beyond them is not looked at."""
_DISJOINT = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3))  # of _KINDS; an ordered collection is a collection


class _Thesauri:
    """What is said with SKOS, with the place where it is said first."""

    def __init__(self, quads: Iterable[SourceQuad]) -> None:
        self.kinds: dict[str, dict[str, Place]] = defaultdict(dict)
        self.labels: dict[str, dict[Literal, dict[str, Place]]] = defaultdict(dict)
        self.links: dict[str, dict[tuple[str, str], Place]] = defaultdict(dict)
        for q in quads:
            subject, predicate, object_ = q.quad.subject, q.quad.predicate.value, q.quad.object
            if not isinstance(subject, NamedNode):
                continue
            if predicate == vocab.RDF_TYPE and value_of(object_) in _KINDS:
                self.kinds[subject.value].setdefault(value_of(object_), q.place)
            elif predicate in _LABELS and isinstance(object_, Literal):
                self.labels[subject.value].setdefault(object_, {}).setdefault(predicate, q.place)
            elif predicate.startswith(_SKOS) and isinstance(object_, NamedNode):
                self.links[predicate].setdefault((subject.value, object_.value), q.place)


def breaches(quads: Iterable[SourceQuad], names: vocab.Names) -> Iterator[Finding]:
    """A finding for each breach, at a line that takes part in it."""
    told = _Thesauri(quads)

    def found(place: Place, subject: str, message: str) -> Finding:
        return warning("skos", f"{names.local(subject) or subject}: {message}", place, subject)

    for subject, kinds in told.kinds.items():
        for one, other in _DISJOINT:
            if _KINDS[one] in kinds and _KINDS[other] in kinds:
                message = f"nothing is a {_name(_KINDS[one])} and a {_name(_KINDS[other])} (SKOS, S9 and S37)"
                yield found(kinds[_KINDS[other]], subject, message)
    for subject, labels in told.labels.items():
        yield from (found(*breach) for breach in _labels(subject, labels))
    yield from (found(*breach) for breach in _relations(told, names))


def _name(iri: str) -> str:
    return "skos:" + iri.removeprefix(_SKOS)


def _labels(subject: str, labels: dict[Literal, dict[str, Place]]) -> Iterator[tuple[Place, str, str]]:
    preferred: dict[str, Literal] = {}
    for label, kinds in labels.items():
        shown = f'"{label.value}"' + (f"@{label.language}" if label.language else "")
        if len(kinds) > 1:
            among = " and ".join(map(_name, sorted(kinds, key=_LABELS.index)))
            yield max(kinds.values()), subject, f"{shown} is {among}: it is one of these at most (SKOS, S13)"
        if _LABELS[0] in kinds:
            first = preferred.setdefault((label.language or "").lower(), label)
            if first != label:
                message = (
                    f'skos:prefLabel is "{first.value}" and {shown}: one a language, skos:altLabel for others (S14)'
                )
                yield kinds[_LABELS[0]], subject, message


class _Walk:
    """Where relations lead to, from one concept to the next, within :data:`_WALKED`."""

    def __init__(self) -> None:
        self._left = _WALKED

    def leads(self, one: str, other: str, beyond: Mapping[str, set[str]]) -> bool:
        """Whether ``beyond`` leads from the one to the other, over others if need be."""
        if one not in beyond or self._left <= 0:
            return False
        reached = vocab.closure(beyond[one], beyond)
        self._left -= len(reached)
        return other in reached


def _relations(told: _Thesauri, names: vocab.Names) -> Iterator[tuple[Place, str, str]]:
    walk = _Walk()
    up: dict[str, set[str]] = defaultdict(set)
    for predicate in _UP:
        for lower, upper in told.links[predicate]:
            up[lower].add(upper)
    for predicate in _DOWN:
        for upper, lower in told.links[predicate]:
            up[lower].add(upper)
    for predicate in _ACROSS:
        for (one, other), place in told.links[predicate].items():
            if walk.leads(one, other, up) or walk.leads(other, one, up):
                message = (
                    f"{_name(predicate)} leads to a concept above or below: {names.local(other) or other} (SKOS, S27)"
                )
                yield place, one, message
    exact: dict[str, set[str]] = defaultdict(set)
    for one, other in told.links[_SKOS + "exactMatch"]:
        exact[one].add(other)
        exact[other].add(one)
    for predicate in _MATCHES:
        for (one, other), place in told.links[predicate].items():
            if walk.leads(one, other, exact):
                message = f"{names.local(other) or other} cannot be skos:exactMatch and {_name(predicate)} (SKOS, S46)"
                yield place, one, message
