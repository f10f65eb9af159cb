"""What the ontology declares and claims do not keep, without any shape: datatypes; and classes below themselves.

Warnings only: to RDF Schema, a range says what a value is, and refuses none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pyoxigraph import Literal

from kg import vocab
from kg.model import Finding, SourceQuad, value_of, warning

_RANGE = vocab.RDFS + "range"
_OF_DECIMAL = frozenset(
    vocab.XSD + name
    for name in (
        *("integer", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"),
        *("long", "int", "short", "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)
"""Datatypes whose values are decimals, too (XML Schema 1.1 part 2, section 3.4)."""

_WRITTEN = {
    vocab.XSD + "integer": re.compile(r"[+-]?[0-9]+"),
    vocab.XSD + "decimal": re.compile(r"[+-]?[0-9]+\.[0-9]+"),
    vocab.XSD + "boolean": re.compile("true|false"),
}
"""What Turtle takes without quotation marks."""


_MOST = 100
"""Classes that are looked at where there are circles."""


def datatypes(ontology: Iterable[SourceQuad], names: vocab.Names) -> dict[str, str]:
    """Property → the one datatype of XML Schema that it has as its range; the general terms have shapes instead."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for q in ontology:
        if q.quad.predicate.value == _RANGE:
            found[value_of(q.quad.subject)].add(value_of(q.quad.object))
    return {
        iri: next(iter(ranges))
        for iri, ranges in found.items()
        if len(ranges) == 1 and next(iter(ranges)).startswith(vocab.XSD) and not iri.startswith(names.kg)
    }


def other_datatypes(claims: Iterable[SourceQuad], wanted: Mapping[str, str], names: vocab.Names) -> Iterator[Finding]:
    """Values of another datatype than their property is declared with; of each property once a file."""
    reported: set[tuple[str, str]] = set()
    for q in claims:
        predicate, value = q.quad.predicate.value, q.quad.object
        datatype = wanted.get(predicate)
        if datatype is None or (q.place.file, predicate) in reported or _fits(value, datatype):
            continue
        reported.add((q.place.file, predicate))
        kind = names.prefixed(datatype)
        if isinstance(value, Literal):
            is_now = (
                f"{value.value!r} ({'@' + value.language if value.language else names.prefixed(value.datatype.value)})"
            )
            plain = datatype in _WRITTEN and _WRITTEN[datatype].fullmatch(value.value)
            write = value.value if plain else f'"…"^^{kind}'
        else:
            is_now, write = f"{_short(value_of(value), names)!r}, which is no text or number", f'"…"^^{kind}'
        message = f"{_short(predicate, names)} is {is_now}, and the ontology says {kind} (rdfs:range): write {write}"
        yield warning("datatype", message, q.place, value_of(q.quad.subject))


def _fits(value: object, datatype: str) -> bool:
    if not isinstance(value, Literal):
        return False
    return value.datatype.value == datatype or (
        datatype == vocab.XSD + "decimal" and value.datatype.value in _OF_DECIMAL
    )


def below_themselves(
    ontology: Sequence[SourceQuad], above: Mapping[str, Collection[str]], names: vocab.Names
) -> Iterator[Finding]:
    """Classes that are narrower than themselves by way of others; each circle once, where it is closed."""
    rest = _in_circles(above)
    rest = rest & _in_circles(_turned(above, rest))
    inside = {class_: [one for one in above[class_] if one in rest] for class_ in rest}
    places = {
        value_of(q.quad.subject): q.place
        for q in ontology
        if q.quad.predicate.value == vocab.RDFS_SUBCLASS
        and rest.issuperset((value_of(q.quad.subject), value_of(q.quad.object)))
    }
    reported: set[str] = set()
    for class_ in sorted(rest, key=lambda iri: (places[iri], iri))[:_MOST]:
        if class_ not in reported and class_ in (beyond := vocab.closure(inside[class_], inside)):
            circle = beyond & vocab.closure([class_], _turned(inside, rest))
            reported |= circle
            others = ", ".join(sorted(_short(one, names) for one in circle - {class_})[:5])
            message = (
                f"{_short(class_, names)} is below itself, by way of {others}: take one rdfs:subClassOf out, or say "
                "owl:equivalentClass if they are the same"
            )
            yield warning("circle", message, places[class_], class_)


def _in_circles(above: Mapping[str, Collection[str]]) -> set[str]:
    """The nodes from which one never comes to an end: those in circles, and those below."""
    below = _turned(above, above)
    left = {class_: sum(one != class_ and one in above for one in broader) for class_, broader in above.items()}
    ended = [class_ for class_, number in left.items() if not number]
    while ended:
        class_ = ended.pop()
        del left[class_]
        for narrower in below.get(class_, ()):
            left[narrower] -= 1
            if not left[narrower]:
                ended.append(narrower)
    return set(left)


def _turned(above: Mapping[str, Collection[str]], among: Collection[str]) -> dict[str, list[str]]:
    """What each stands above, in place of what it stands below; what is its own is left out."""
    below: dict[str, list[str]] = {class_: [] for class_ in among}
    for class_ in among:
        for broader in above.get(class_, ()):
            if broader in below and broader != class_:
                below[broader].append(class_)
    return below


def _short(iri: str, names: vocab.Names) -> str:
    return names.curie(iri) or names.local(iri) or iri
