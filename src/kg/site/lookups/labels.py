"""What things are called: one label for each IRI, in the reader's language where there is one, else in another.

A label in another language than the reader's says so: by ``lang``, and by a small mark (the class ``foreign``) that the
stylesheet makes of it.

The table fills as pages ask, and starts anew when it is full, so its size does not follow the release's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape
from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg import tags, vocab
from kg.caches import Forgetful
from kg.site.elsewhere.gathered import Gathered
from kg.site.languages import Language, marked
from kg.site.lookups.database import MARKS, Database, batches
from kg.store.base import Store

LABELS = tuple(
    NamedNode(iri)
    for iri in (
        vocab.RDFS_LABEL,
        vocab.SKOS_PREF_LABEL,
        vocab.DCTERMS_TITLE,
        vocab.SCHEMA + "name",
        vocab.FOAF + "name",
    )
)
"""Properties that name a thing, the best first."""

OWN_LABELS = LABELS[:3]
"""Of these, what the record of a thing calls it; names of schema.org and FOAF are facts, which claims state."""

_NAMING = tuple(predicate.value for predicate in LABELS)
_SOLE = f"SELECT iri, label, language FROM entry WHERE iri IN ({MARKS}) AND sole"  # noqa: S608 - marks

LONGEST = 300
"""Characters of a label that are shown where it stands for its thing; more is cut, visibly."""

WELL_KNOWN = {
    vocab.RDF_TYPE: marked("is a"),
    vocab.RDF + "Property": marked("property"),
    vocab.RDFS + "domain": marked("domain"),
    vocab.RDFS + "isDefinedBy": marked("is defined by"),
    vocab.RDFS + "range": marked("range"),
    vocab.RDFS + "seeAlso": marked("see also"),
    vocab.RDFS_SUBCLASS: marked("subclass of"),
    vocab.RDFS + "subPropertyOf": marked("subproperty of"),
    vocab.OWL + "Class": marked("class"),
    vocab.OWL + "DatatypeProperty": marked("datatype property"),
    vocab.OWL + "FunctionalProperty": marked("functional property"),
    vocab.OWL + "ObjectProperty": marked("object property"),
    vocab.OWL + "Ontology": marked("ontology"),
    vocab.OWL + "SymmetricProperty": marked("symmetric property"),
    vocab.OWL + "disjointWith": marked("disjoint with"),
    vocab.OWL + "imports": marked("imports"),
    vocab.OWL + "sameAs": marked("is the same as"),
    vocab.OWL + "versionIRI": marked("version IRI"),
    vocab.OWL + "versionInfo": marked("version"),
    vocab.SKOS + "Concept": marked("concept"),
    vocab.SKOS + "ConceptScheme": marked("concept scheme"),
    vocab.SKOS_ALT_LABEL: marked("also called"),
    vocab.SKOS + "closeMatch": marked("close match"),
    vocab.SKOS_DEFINITION: marked("definition"),
    vocab.SKOS + "example": marked("example"),
    vocab.SKOS + "broadMatch": marked("broader match"),
    vocab.SKOS + "broader": marked("broader concept"),
    vocab.SKOS + "changeNote": marked("note on a change"),
    vocab.SKOS + "exactMatch": marked("exact match"),
    vocab.SKOS + "hasTopConcept": marked("top concept"),
    vocab.SKOS + "hiddenLabel": marked("hidden label"),
    vocab.SKOS + "historyNote": marked("note on its history"),
    vocab.SKOS + "inScheme": marked("in scheme"),
    vocab.SKOS + "narrowMatch": marked("narrower match"),
    vocab.SKOS + "narrower": marked("narrower concept"),
    vocab.SKOS + "notation": marked("notation"),
    vocab.SKOS + "note": marked("note"),
    vocab.SKOS + "related": marked("related concept"),
    vocab.SKOS + "relatedMatch": marked("related match"),
    vocab.SKOS + "scopeNote": marked("scope"),
    vocab.SKOS + "topConceptOf": marked("top concept of"),
    vocab.DCTERMS + "abstract": marked("abstract"),
    vocab.DCTERMS + "bibliographicCitation": marked("bibliographic citation"),
    vocab.DCTERMS + "issued": marked("issued"),
    vocab.DCTERMS + "publisher": marked("publisher"),
    vocab.VANN_PREFIX: marked("preferred prefix"),
    vocab.VANN_NAMESPACE: marked("preferred namespace"),
}
"""Names for terms that nobody labels and everybody uses."""

_ISOLATES = re.compile("([\u2066-\u2069])")
_END = "\u2069"

_NUMBER = re.compile(r"[0-9]{1,12}")
_DIGITS = 12
_COMPARED = 200  # characters of a text that its place in a list depends on

_MOST = 50_000
"""Labels that are remembered."""

_FOREIGN = Markup(' class="foreign"')
_DEFAULT = DefaultGraph()


class Label(NamedTuple):
    """``html`` is ``text`` escaped, isolated (``<bdi>``) and with its language; ``given``: not made from the IRI."""

    text: str
    language: str
    html: Markup
    given: bool

    @property
    def key(self) -> str:
        """What lists are sorted by."""
        return collated(self.text)


def isolated(text: str, language: str | None, *, foreign: bool = False) -> Markup:
    """Text of the data as HTML: its direction cannot leak out of it (UAX #9, isolates).

    ``foreign``: it stands in for a text in the reader's language.

    >>> isolated("<b> \\u202e", "en")
    Markup('<bdi lang="en">&lt;b&gt; \\u202e</bdi>')
    """
    if not text.isascii():
        text = _balanced(text)
    if language:
        return Markup(f'<bdi lang="{escape(language)}"{_FOREIGN if foreign else ""}>{escape(text)}</bdi>')  # noqa: S704
    return Markup(f"<bdi>{escape(text)}</bdi>")  # noqa: S704 - escaped


def _balanced(text: str) -> str:
    """Text in which every isolate ends, and none ends that did not begin: else the element's own would end for it.

    >>> _balanced("\\u2066a \\u2069\\u2069\\u202e b"), _balanced("\\u2067c")
    ('\\u2066a \\u2069\\u202e b', '\\u2067c\\u2069')
    """
    if not _ISOLATES.search(text):
        return text
    depth, kept = 0, []
    for part in _ISOLATES.split(text):
        depth += -1 if part == _END else 1 if _ISOLATES.fullmatch(part) else 0
        if depth < 0:
            depth = 0
        else:
            kept.append(part)
    return "".join(kept) + _END * depth


def collated(text: str) -> str:
    """What texts are sorted by: letters whatever their case and accents, numbers by size.

    >>> sorted(["Zebra", "Übergabe", "value 10", "value 9", "unter"], key=collated)
    ['Übergabe', 'unter', 'value 9', 'value 10', 'Zebra']
    """
    text = text[:_COMPARED].casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return _NUMBER.sub(lambda number: number[0].zfill(_DIGITS), text)


def shorten(text: str, limit: int) -> str:
    """Cut at ``limit`` characters, and show that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class Labels:
    """Labels by IRI. ``prefixes`` shorten the IRIs that have none; ``own``: the release's language, the second best.

    ``gathered`` knows the labels of other IRIs than a page's own, instead of the store.
    """

    def __init__(
        self,
        store: Store,
        index: Database,
        base: str,
        prefixes: Mapping[str, str],
        *,
        language: Language,
        own: str,
        gathered: Gathered | None = None,
    ) -> None:
        self._store = store
        self._index = index
        self._gathered = gathered
        self._base = base
        self._language = language
        self._own = own
        self._wanted = (language.code, own)
        self._table: Forgetful[str, Label] = Forgetful(_MOST)
        self._given = prefixes
        # The longest namespace first: "ontology/x#" before "ontology#".
        self._prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[1]))

    def in_language(self, language: Language) -> Labels:
        """The same labels for readers of another language."""
        return Labels(
            self._store, self._index, self._base, self._given, language=language, own=self._own, gathered=self._gathered
        )

    def __getitem__(self, iri: str) -> Label:
        label = self._table.get(iri)
        if label is None:
            label = self._table.keep(iri, self._find(iri))
        return label

    def all(self, iri: str, facts: Iterable[tuple[str, object]] | None = None) -> list[Label]:
        """Every label of the first property that has any, the one to show first.

        ``facts``: properties and values that the default graph gives the IRI, where somebody has read all of them.
        """
        if facts is not None:
            named = [(name, value) for name, value in facts if name in _NAMING and isinstance(value, Literal)]
            best = min((_NAMING.index(name) for name, _ in named), default=0)
            return self._ranked((v.value, v.language or "") for name, v in named if name == _NAMING[best])
        try:
            node = NamedNode(iri)
        except ValueError:
            return []
        for predicate in LABELS:
            found = [
                (q.object.value, q.object.language or "")
                for q in self._store.quads(node, predicate, None, _DEFAULT)
                if isinstance(q.object, Literal)
            ]
            if found:
                return self._ranked(found)
        return []

    def expect(self, iris: Iterable[str]) -> None:
        """Look labels up that will be asked for next: of the index, many at once, as far as it has all there are."""
        if self._gathered is not None or not self._index.has("entry", "sole"):
            return
        known = self._table
        for some in batches(dict.fromkeys(iri for iri in iris if iri not in known)):
            for iri, text, language in self._index.rows(_SOLE, some):
                self.of(iri, ((text, language),))

    def of(self, iri: str, given: Sequence[tuple[str, str]]) -> Label:
        """The label of an IRI whose labels of the first property are known already: text and language of each."""
        label = self._table.get(iri)
        if label is None and given and self._gathered is None and len(self._table) < _MOST:
            label = self._table[iri] = self._ranked(given)[0]
        return label or self[iri]

    def _ranked(self, given: Iterable[tuple[str, str]]) -> list[Label]:
        return [self.made(text, language) for text, language in sorted(given, key=lambda pair: self.rank(*pair))]

    def rank(self, text: str, language: str) -> tuple[int, str, str]:
        """The order of texts for the reader: own language, the release's, none, English, others."""
        return tags.order((text, language), self._wanted)

    def curie(self, iri: str) -> str | None:
        """``prefix:local`` where a known prefix fits and the rest is one plain name."""
        for prefix, namespace in self._prefixes:
            if iri.startswith(namespace) and len(iri) > len(namespace):
                local = iri[len(namespace) :]
                if not any(c in local for c in "/#?"):
                    return f"{prefix}:{local}"
        return None

    def expand(self, curie: str) -> str | None:
        """The IRI that a ``prefix:local`` stands for, or ``None`` where the prefix is not known."""
        prefix, colon, local = curie.partition(":")
        for known, namespace in self._prefixes:
            if colon and known == prefix:
                return namespace + local
        return None

    def is_own(self, language: str) -> bool:
        """Whether a language is the reader's, so that pages need not name it."""
        return self._language.is_own(language)

    def _find(self, iri: str) -> Label:
        if self._gathered is not None:
            known = self._gathered(iri)
            return self.made(*known) if known else self.made(self._name(iri), "", given=False)
        found = self.all(iri)
        return found[0] if found else self.made(self._name(iri), "", given=False)

    def _name(self, iri: str) -> str:
        """What an IRI without a label is called: its own end, for ours; a short form, for others'."""
        if iri.startswith(self._base):
            kind, _, rest = iri[len(self._base) :].partition("/")
            if kind == "passage" and "/" in rest:
                document, _, span = rest.rpartition("/")
                return self._language.gettext("{document}, characters {span}").format(
                    document=document, span=span.replace("-", "–")
                )
            if kind == ".well-known":
                return self._language.gettext("something without a name")
            if kind in ("id", "document", "claim") and rest:
                return rest
        curie = self.curie(iri)
        known = WELL_KNOWN.get(iri)
        if known:
            return self._language.gettext(known)
        if curie:
            return _words(curie.partition(":")[2])
        # Vocabularies of others seldom come with their labels; a page still has to be read.
        end = re.split(r"[/#:]", iri.rstrip("/#"))[-1] if self._gathered is not None else ""
        return _words(end) if end else iri

    def made(self, text: str, language: str, *, given: bool = True) -> Label:
        """A label of a text, as readers of this language are to see it."""
        text = shorten(text, LONGEST)
        foreign = bool(language) and not self.is_own(language)
        return Label(text, language, isolated(text, language, foreign=foreign), given)


def _words(name: str) -> str:
    """A term's local name as words, in place of the label that a foreign vocabulary did not bring along.

    >>> _words("containedInPlace"), _words("Place")
    ('contained in place', 'Place')
    """
    words = re.sub(r"_|(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words if words == name else words.lower()
