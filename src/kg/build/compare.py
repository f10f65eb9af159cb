"""Stage 4b: hold claims side by side: where they differ, and what independent documents say alike.

- A *disagreement*: claims give different values of a property that can have only one (:mod:`kg.build.functional`).
- A *corroboration*: independent documents state the same triple, each in its own voice; classes aside, because
  everybody gives them. Documents that ``prov:wasDerivedFrom`` or one author connects count once.

What is so and what is foreseen are never compared with each other; what is denied, requested or conditional gives no
value. Nothing is taken away: values stay where they are, and the comparison stands beside them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import combinations, groupby
from typing import Any, NamedTuple, cast

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, parse

from kg import vocab
from kg.build.lines import groups
from kg.build.parse import Sources
from kg.model import Claim, Document, value_of

Value = NamedNode | Literal

MOST_LINKED = 50
"""Claims of one comparison that are also linked with each other: these links grow with the square of their number."""

_DEFAULT = DefaultGraph()
_AS_SO = ("asserted", "alleged")
_DERIVED = frozenset(
    (
        *(vocab.PROV + name for name in ("wasDerivedFrom", "wasRevisionOf", "wasQuotedFrom", "hadPrimarySource")),
        *(vocab.DCTERMS + name for name in ("source", "replaces", "isVersionOf")),
    )
)
"""``prov:wasDerivedFrom`` and its subproperties (PROV-O, section 3.2), and what DCMI says of versions."""

_NUMBERS = frozenset(vocab.XSD + name for name in ("integer", "decimal", "double", "float", "nonNegativeInteger"))
_DATES = frozenset(vocab.XSD + name for name in ("gYear", "gYearMonth", "date", "dateTime"))


class _Key(NamedTuple):
    """What values are compared about; values of different languages are no values of one thing."""

    subject: str
    predicate: str
    foreseen: bool
    language: str


class _Given(NamedTuple):
    """A value that a claim gives. ``own``: in its document's own voice; ``published``: in the default graph."""

    value: Value
    claim: str
    document: str
    basis: str
    modality: str
    own: bool
    published: bool


_Pairs = list[tuple[list[str], list[str]]]
"""IRIs of claims against IRIs of claims."""


def values_of(
    named: Iterable[Quad],
    claims: Mapping[str, Claim],
    documents: Mapping[str, Document],
    published: Mapping[str, bool],
    names: vocab.Names,
) -> Iterator[str]:
    """The values that claims give, a line each, sorted by what they are values of.

    Fields: subject, property, 1 if foreseen, language; value; claim, document, basis, modality, marks of ``_Given``.
    Nameless things are nobody else's: they are left out.
    """
    for quad in named:
        claim, value = claims.get(value_of(quad.graph_name)), quad.object
        if claim is None or not isinstance(value, NamedNode | Literal):
            continue
        if claim.modality not in _AS_SO and claim.modality not in vocab.PROSPECTIVE:
            continue
        if any(value_of(node).startswith(names.genid) for node in (quad.subject, value)):
            continue
        language = (value.language or "") if isinstance(value, Literal) else ""
        foreseen = str(int(claim.modality in vocab.PROSPECTIVE))
        document = documents[claim.document]
        own = bool(claim.speaker) and claim.speaker == document.author
        marks = f"{int(own)}{int(published[claim.iri])}"
        key = (value_of(quad.subject), quad.predicate.value, foreseen, language)
        yield "\t".join((*key, str(value), claim.iri, claim.document, claim.basis, claim.modality, marks))


def read_value(text: str) -> Value:
    """A term as it stands in a line."""
    if text.startswith("<"):
        return NamedNode(text[1:-1])
    quad: Any = next(iter(parse(f"<a:> <a:> {text} .", format=RdfFormat.N_TRIPLES)))
    return cast(Literal, quad.object)


def derivations(sources: Sources) -> Iterator[tuple[str, str]]:
    """Documents, and what they were made from."""
    for q in sources.documents:
        if q.quad.predicate.value in _DERIVED and isinstance(q.quad.object, NamedNode):
            yield value_of(q.quad.subject), q.quad.object.value
        elif q.quad.predicate.value == vocab.REPLACED_BY and isinstance(q.quad.object, NamedNode):
            yield q.quad.object.value, value_of(q.quad.subject)


def compare(values: Iterable[bytes], told: Told, voices: Voices, names: vocab.Names) -> Iterator[bytes]:
    """Compare the values of claims, given as sorted lines; all of a subject together.

    Lines of two kinds come out. ``SUBJECT TAB q TAB TRIPLE``: a triple of the default graph. ``SUBJECT TAB d TAB
    PROPERTY TAB CLAIM CLAIM …``: documents publish several values of the property, be they of the same meaning (a date
    and its year), while none of them contradicts itself.
    """
    for subject, lines in groups(values, b"\t"):
        writer = _Writer(told, names)
        for key, found in _by_key(lines):
            if told.single(key.subject, key.predicate):
                pairs = _disagreeing(found, told.as_one)
                if pairs:
                    writer.disagreement(key, found, pairs)
                claims = _between_documents(key, found, told)
                if claims:
                    yield b"%b\td\t%b\t%b\n" % (subject, key.predicate.encode(), " ".join(claims).encode())
            if key.predicate != vocab.RDF_TYPE:
                for value, claims_of_it in _stated(found):
                    writer.corroboration(key, value, voices.apart(claims_of_it))
        for quad in writer.quads:
            yield f"{subject.decode()}\tq\t{quad.triple} .\n".encode()


@dataclass(frozen=True, slots=True)
class Told:
    """What comparing has to know of the rest of the data.

    ``single``: whether a property can have only one value of a thing. ``as_one``: pairs of things that somebody takes
    to be one: two names for a thing are no two values. ``label``: of a thing or term, ``None`` where it has none.
    ``elsewhere``: whether the default graph has a triple by no claim's word.
    """

    single: Callable[[str, str], bool]
    as_one: frozenset[frozenset[str]]
    label: Callable[[str], str | None]
    elsewhere: Callable[[str], bool]


def _by_key(values: Iterable[bytes]) -> Iterator[tuple[_Key, list[_Given]]]:
    """The values that are values of the same, where there are several."""
    for key, group in groupby(values, key=lambda line: line.split(b"\t", 4)[:4]):
        lines = list(group)
        if len(lines) < 2:
            continue
        subject, predicate, foreseen, language = (field.decode() for field in key)
        yield _Key(subject, predicate, foreseen == "1", language), [_given(line) for line in lines]


def _given(line: bytes) -> _Given:
    *_, value, claim, document, basis, modality, marks = line.decode().rstrip("\n").split("\t")
    return _Given(read_value(value), claim, document, basis, modality, marks[0] == "1", marks[1] == "1")


# -- disagreement ----------------------------------------------------------------------------------------------------


def differ(one: Value, other: Value) -> bool:
    """Whether two values cannot both be the one value: equal numbers, and a date and its year, can.

    >>> from pyoxigraph import Literal, NamedNode
    >>> year = Literal("2021", datatype=NamedNode(vocab.XSD + "gYear"))
    >>> day = Literal("2021-05-02", datatype=NamedNode(vocab.XSD + "date"))
    >>> differ(Literal(4), Literal(5)), differ(Literal(4), Literal(4.0)), differ(year, day)
    (True, False, False)
    """
    if isinstance(one, NamedNode) or isinstance(other, NamedNode):
        # A name and a thing of that name cannot be told apart from here.
        return isinstance(one, NamedNode) and isinstance(other, NamedNode) and one != other
    kinds = one.datatype.value, other.datatype.value
    if all(kind in _NUMBERS for kind in kinds):
        try:
            return Decimal(one.value) != Decimal(other.value)
        except InvalidOperation:
            return one.value != other.value
    if all(kind in _DATES for kind in kinds):
        return not (one.value.startswith(other.value) or other.value.startswith(one.value))
    return one != other


def _disagreeing(found: Sequence[_Given], as_one: Collection[frozenset[str]]) -> _Pairs:
    """Groups of claims that give the same values, each with a group none of whose values could be one of its own."""
    values: dict[str, set[Value]] = defaultdict(set)
    for given in found:
        values[given.claim].add(given.value)
    if len(values) < 2:
        return []
    claims: dict[frozenset[Value], list[str]] = defaultdict(list)
    for iri, of_claim in sorted(values.items()):
        claims[frozenset(of_claim)].append(iri)

    def apart(a: Value, b: Value) -> bool:
        return differ(a, b) and frozenset((value_of(a), value_of(b))) not in as_one

    return [
        (claims[one], claims[other])
        for one, other in combinations(claims, 2)
        if all(apart(a, b) for a in one for b in other)
    ]


def _between_documents(key: _Key, found: Iterable[_Given], told: Told) -> tuple[str, ...]:
    """The claims that publish the values, if it takes several documents to make them more than one."""
    values: dict[str, set[Value]] = defaultdict(set)
    claims = set()
    found = list(found)
    published = {given.value for given in found if given.published}
    for given in found:
        if not given.own:
            continue
        if given.value in published or told.elsewhere(f"<{key.subject}> <{key.predicate}> {given.value} .\n"):
            values[given.document].add(given.value)
            claims.add(given.claim)
    if len(set().union(*values.values())) < 2 or any(len(of_one) > 1 for of_one in values.values()):
        return ()
    return tuple(sorted(claims))


# -- corroboration ---------------------------------------------------------------------------------------------------


class Voices:
    """Which documents are independent of each other: none derives from another, from the same, or from one author."""

    def __init__(self, base: str) -> None:
        self._names = vocab.Names(base)
        self._parent: dict[str, str] = {}

    def add(self, documents: Iterable[Document], derived: Iterable[tuple[str, str]]) -> None:
        """Note documents with their authors, and what they were made from."""
        for document in documents:
            if document.author:
                self._join(document.iri, document.author)
        for one, other in derived:
            self._join(one, other)

    def apart(self, found: Iterable[_Given]) -> list[list[str]]:
        """The IRIs of the claims by independent origin."""
        origins: dict[str, list[str]] = defaultdict(list)
        for given in found:
            origins[self.origin(self._names.document(given.document))].append(given.claim)
        return list(origins.values())

    def origin(self, iri: str) -> str:
        """What stands for all documents that are no witnesses independent of this one."""
        while (parent := self._parent.get(iri, iri)) != iri:
            self._parent[iri] = self._parent.get(parent, parent)
            iri = parent
        return iri

    def _join(self, one: str, other: str) -> None:
        one, other = self.origin(one), self.origin(other)
        if one != other:
            self._parent[one] = other


def _stated(found: Iterable[_Given]) -> Iterator[tuple[Value, list[_Given]]]:
    """Values that several claims state in their documents' own voices. What is only relayed is another's word."""
    by_value: dict[Value, dict[str, _Given]] = defaultdict(dict)
    for given in found:
        if given.basis == "stated" and given.modality != "alleged" and given.own:
            by_value[given.value][given.claim] = given
    for value in sorted(by_value, key=str):
        if len(by_value[value]) > 1:
            yield value, list(by_value[value].values())


# -- what is written -------------------------------------------------------------------------------------------------


class _Writer:
    """Makes the quads. A comparison is named by what it compares, the same under any base."""

    def __init__(self, told: Told, names: vocab.Names) -> None:
        self.quads: set[Quad] = set()
        self._names = names
        self._told = told

    def disagreement(self, key: _Key, found: Iterable[_Given], pairs: _Pairs) -> None:
        differing = {iri for pair in pairs for group in pair for iri in group}
        values = {g.value for g in found if g.claim in differing}
        self._comparison("Disagreement", "Different values", key, values, differing)
        self._link("disagreesWith", pairs, len(differing))

    def corroboration(self, key: _Key, value: Value, origins: Sequence[list[str]]) -> None:
        """``origins``: the claims by independent origin; one origin alone corroborates nothing."""
        if len(origins) < 2:
            return
        claims = {iri for group in origins for iri in group}
        node = self._comparison("Corroboration", "The same value", key, {value}, claims, str(value))
        self._say(node, "independentDocuments", Literal(len(origins)))
        self._link("corroborates", list(combinations(origins, 2)), len(claims))

    def _comparison(
        self, kind: str, title: str, key: _Key, values: Iterable[Value], claims: Iterable[str], *more: str
    ) -> NamedNode:
        parts = (kind, key.subject, key.predicate, str(key.foreseen), key.language, *more)
        digest = hashlib.sha256("\n".join(parts).replace(self._names.base, "").encode()).hexdigest()[:16]
        node = NamedNode(self._names.comparison(digest))
        self._add(node, vocab.RDF_TYPE, NamedNode(self._names.kg + kind))
        name, of = (self._told.label(iri) or self._names.local(iri) or iri for iri in (key.predicate, key.subject))
        self._add(node, vocab.RDFS_LABEL, Literal(f"{title}: {name}, {of}", language="en"))
        self._say(node, "comparedSubject", NamedNode(key.subject))
        self._say(node, "comparedProperty", NamedNode(key.predicate))
        for value in values:
            self._say(node, "comparedValue", value)
        for claim in claims:
            self._say(node, "compares", NamedNode(claim))
        return node

    def _link(self, name: str, pairs: _Pairs, count: int) -> None:
        for one, other in pairs if count <= MOST_LINKED else ():
            for a in one:
                for b in other:
                    self._say(NamedNode(a), name, NamedNode(b))
                    self._say(NamedNode(b), name, NamedNode(a))

    def _say(self, subject: NamedNode, name: str, value: Value) -> None:
        self._add(subject, self._names.kg + name, value)

    def _add(self, subject: NamedNode, predicate: str, value: Value) -> None:
        self.quads.add(Quad(subject, NamedNode(predicate), value, _DEFAULT))
