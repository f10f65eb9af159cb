"""``/term/PREFIX:LOCAL``: one term in its context, as a page and as RDF, whosever vocabulary it is of.

A term without a short name is at ``/term/?iri=…``. Its own IRI leads to the document that defines it (``/ontology#X``),
which is where an IRI with a fragment has to lead; that document has all terms, and each of them leads here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, unquote

from flask import Blueprint, Response, request
from markupsafe import Markup
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import media, vocab
from kg.model import value_of
from kg.site.answers.address import EXTENSIONS, here, raw_path, spellings
from kg.site.answers.links import encode
from kg.site.answers.respond import Page, answer, not_found
from kg.site.components import constraints, hierarchy, uses
from kg.site.components.nodes import Linker
from kg.site.components.rows import rows_of
from kg.site.data import describe
from kg.site.languages import marked
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("term", __name__)

_DEFAULT = DefaultGraph()
_LOOKED_AT = 1_000
MEANINGS = (vocab.SKOS_DEFINITION, vocab.RDFS_COMMENT, vocab.DCTERMS_DESCRIPTION, vocab.SKOS + "scopeNote")
_DOMAIN = (vocab.RDFS + "domain", vocab.SCHEMA + "domainIncludes")
_RANGE = (vocab.RDFS + "range", vocab.SCHEMA + "rangeIncludes")
_ALIKE = tuple(
    [vocab.OWL + name for name in ("equivalentClass", "equivalentProperty", "sameAs")]
    + [vocab.SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")]
)
_BOTH_WAYS = (*_ALIKE, vocab.OWL + "inverseOf", vocab.OWL + "disjointWith", vocab.OWL + "propertyDisjointWith")
_ELSEWHERE = frozenset(
    (
        *(*MEANINGS[:2], *_DOMAIN, *_RANGE, *_BOTH_WAYS),
        *(vocab.RDFS_LABEL, vocab.SKOS_PREF_LABEL, vocab.SKOS_ALT_LABEL, vocab.RDF_TYPE, vocab.RDFS_SUBCLASS),
        *(vocab.RDFS + name for name in ("subPropertyOf", "isDefinedBy")),
        *(vocab.SKOS + name for name in ("broader", "narrower", "inScheme", "topConceptOf", "hasTopConcept")),
    )
)
"""Properties that the page shows in its own way; all others are rows."""

CHARACTERS = {
    vocab.OWL + "FunctionalProperty": marked("at most one value"),
    vocab.OWL + "InverseFunctionalProperty": marked("a value belongs to one thing at most"),
    vocab.OWL + "TransitiveProperty": marked("transitive"),
    vocab.OWL + "SymmetricProperty": marked("holds in both directions"),
    vocab.OWL + "AsymmetricProperty": marked("holds in one direction only"),
    vocab.OWL + "ReflexiveProperty": marked("holds of everything and itself"),
    vocab.OWL + "IrreflexiveProperty": marked("holds of nothing and itself"),
    vocab.OWL + "DatatypeProperty": marked("values are literals"),
    vocab.OWL + "ObjectProperty": marked("values are things"),
}
"""What the classes of a property say of it."""


class Alike(NamedTuple):
    """Terms that are compared with one, by the property that does it."""

    name: Markup
    terms: tuple[Markup, ...]


@bp.get("/term/<path:curie>")
@bp.get("/term/")
def term(curie: str = "") -> Response:
    """The page of a term, or the data about it."""
    site = current()
    found = _found(site)
    if found is None:
        raise not_found(marked("This release has no term {name}."), name=curie or request.args.get("iri", ""))
    iri, address, extension = found
    page = Page(
        iri=iri,
        address=lambda extension: _with_extension(address, extension),
        html=lambda: _html(site, iri, address),
        data=lambda format_: _data(site, iri, format_),
    )
    return answer(page, extension)


def _with_extension(address: str, extension: str) -> str:
    """The address of a format; that of a term without a short name has it as a parameter."""
    if not extension:
        return address
    return f"{address}&format={extension}" if "?" in address else f"{address}.{extension}"


def _found(site: Site) -> tuple[str, str, str | None] | None:
    """The term that was asked for, its address here, and the extension."""
    sent = raw_path().removeprefix("/term/")
    if not sent:
        iri, extension = request.args.get("iri", ""), request.args.get("format")
        wrong = extension is not None and extension not in EXTENSIONS
        return None if wrong or not is_known(site, iri) else (iri, f"term/?iri={quote(iri, safe='')}", extension)
    stem, _, extension = sent.rpartition(".")
    for local, wanted in ((sent, None), (stem, extension if extension in EXTENSIONS else "")):
        for spelling in (*spellings(local), unquote(local)) if wanted != "" else ():
            known = site.labels.expand(spelling)
            if known is not None and is_known(site, known):
                return known, f"term/{encode(spelling)}", wanted
    return None


def is_known(site: Site, iri: str) -> bool:
    """Whether the release has a term: the ontology or a shape speaks of it, or it is used as a class or property."""
    if site.schema.is_term(iri) or iri in site.schema.checked:
        return True
    try:
        node = NamedNode(iri)
    except ValueError:
        return False
    used = (site.local.quads(None, node, None), site.store.quads(None, NamedNode(vocab.RDF_TYPE), node))
    if any(next(iter(quads), None) is not None for quads in used):
        return True
    pointing = islice(site.local.quads(None, None, node, _DEFAULT), _LOOKED_AT)
    return any(value_of(q.subject) in site.schema.terms for q in pointing)


_OF_A_CLASS = f"PREFIX rdfs: <{vocab.RDFS}>\nSELECT ?thing WHERE {{{{ ?thing a/rdfs:subClassOf* <{{}}> }}}}"


def _html(site: Site, iri: str, address: str) -> str:
    root = here()
    linker = site.linker(root)
    quads = list(site.local.quads(NamedNode(iri), None, None, _DEFAULT))
    types = {q.object.value for q in quads if q.predicate.value == vocab.RDF_TYPE and isinstance(q.object, NamedNode)}
    labels = site.labels.all(iri) or [site.labels[iri]]
    used = uses.of(site, linker, iri)
    meant = Markup(meaning(site, linker, iri, quads))  # noqa: S704 - HTML already, or nothing
    is_class = site.schema.kind(iri) == "Classes" or any(use.how == "class" for use in used)
    domain, range_ = (_DOMAIN, _RANGE) if is_class else ((), ())
    return render(
        "term.html",
        root=root,
        iri=iri,
        kind=site.language.gettext(_kind(site, iri, is_class=is_class)),
        title=labels[0],
        others=labels[1:],
        also=[linker.node(text) for text in _texts(site, quads, vocab.SKOS_ALT_LABEL)],
        meaning=meant,
        summary=meant.striptags(),
        deprecated=any(q.predicate.value == vocab.OWL + "deprecated" and value_of(q.object) == "true" for q in quads),
        characters=[site.language.gettext(said) for kind, said in CHARACTERS.items() if kind in types],
        defined=_defined(site, linker, iri, quads),
        domain=[linker.term(t) for t in _values(site, quads, _DOMAIN)],
        range=[linker.term(t) for t in _values(site, quads, _RANGE)],
        alike=_alike(site, linker, iri, quads),
        trees=hierarchy.of(site, linker, iri),
        query=_OF_A_CLASS.format(iri) if is_class and len(site.schema.below(iri)) > 1 else "",
        properties=_with_this(site, linker, iri, domain),
        pointing=_with_this(site, linker, iri, range_),
        rows=rows_of(site, linker, [q for q in quads if q.predicate.value not in _ELSEWHERE]),
        shapes=constraints.about(site, linker, iri),
        uses=used,
        most=uses.MOST,
        instances=linker.class_href(iri) if any(use.how == "class" for use in used) else "",
        address=lambda extension: root + _with_extension(address, extension),
    )


def _kind(site: Site, iri: str, *, is_class: bool) -> str:
    """What a term is, in one word."""
    if is_class:
        return marked("Class")
    heading = site.schema.kind(iri)
    if heading == "Properties":
        return marked("Property")
    types = site.schema.terms.get(iri, frozenset())
    if vocab.SKOS + "ConceptScheme" in types:
        return marked("Concept scheme")
    if vocab.SKOS + "Concept" in types:
        return marked("Concept")
    is_property = next(iter(site.local.quads(None, NamedNode(iri), None)), None) is not None
    return marked("Property") if is_property else marked("Term")


def _texts(site: Site, quads: Iterable[Quad], predicate: str) -> list[Literal]:
    """Texts that are said of a term, the reader's language first."""
    found = [q.object for q in quads if q.predicate.value == predicate and isinstance(q.object, Literal)]
    return sorted(found, key=lambda text: site.labels.rank(text.value, text.language or ""))


def meaning(site: Site, linker: Linker, iri: str, quads: Iterable[Quad] | None = None) -> Markup | str:
    """What a term means, in the reader's language if it is said in that."""
    known = list(site.local.quads(NamedNode(iri), None, None, _DEFAULT)) if quads is None else list(quads)
    for predicate in MEANINGS:
        for text in _texts(site, known, predicate):
            return linker.node(text)
    return ""


def _values(site: Site, quads: Iterable[Quad], predicates: Iterable[str]) -> list[str]:
    wanted = frozenset(predicates)
    found = {q.object.value for q in quads if q.predicate.value in wanted and isinstance(q.object, NamedNode)}
    return sorted(found, key=lambda t: (site.labels[t].key, t))


def _defined(site: Site, linker: Linker, iri: str, quads: Iterable[Quad]) -> tuple[Markup, str] | None:
    """The document that defines the term: its name, and the way to the term in it; none for others' terms."""
    local = site.names.local(iri)
    if local is None or "#" not in local:
        return None
    documents = _values(site, quads, (vocab.RDFS + "isDefinedBy",)) or [iri.partition("#")[0]]
    return site.labels[documents[0]].html, linker.prefix + encode(local.partition("#")[0]) + "#" + local.partition("#")[
        2
    ]


def _alike(site: Site, linker: Linker, iri: str, quads: Iterable[Quad]) -> list[Alike]:
    """Terms that the ontology holds against this one, whichever of the two says so."""
    found = []
    known = list(quads)
    for predicate in _BOTH_WAYS:
        terms = set(_values(site, known, (predicate,)))
        incoming = site.local.quads(None, NamedNode(predicate), NamedNode(iri), _DEFAULT)
        terms |= {value_of(q.subject) for q in incoming if value_of(q.subject) in site.schema.terms}
        if terms:
            ordered = sorted(terms, key=lambda t: (site.labels[t].key, t))
            found.append(Alike(linker.term(predicate), tuple(_told_apart(site, linker, t) for t in ordered)))
    return found


def _told_apart(site: Site, linker: Linker, iri: str) -> Markup:
    """A term with its short name where it has no label: many vocabularies have an Event."""
    curie = None if site.labels[iri].given else site.labels.curie(iri)
    return linker.term(iri) + (Markup(' <code class="datatype">{}</code>').format(curie) if curie else Markup(""))


def _with_this(site: Site, linker: Linker, iri: str, predicates: Iterable[str]) -> list[tuple[Markup, list[Markup]]]:
    """Properties whose domain (or range) is a class or one above it, by the class that they come from."""
    found = []
    for above in sorted(site.schema.ancestors((iri,)), key=lambda t: (t != iri, site.labels[t].key)):
        properties: set[str] = set()
        for predicate in predicates:
            quads = site.local.quads(None, NamedNode(predicate), NamedNode(above), _DEFAULT)
            properties |= {value_of(q.subject) for q in quads}
        if properties:
            ordered = sorted(properties, key=lambda t: (site.labels[t].key, t))
            found.append((Markup("") if above == iri else linker.term(above), [linker.term(t) for t in ordered]))
    return found


def _data(site: Site, iri: str, format_: media.RdfMedia) -> bytes:
    """What is said of the term, what other terms say of it, and the examples of the page."""
    found = describe.terms(site, [iri], graphs=format_.quads)
    node = NamedNode(iri)
    found.add(q for q in site.local.quads(None, None, node, _DEFAULT) if value_of(q.subject) in site.schema.terms)
    for use in uses.of(site, site.linker(""), iri):
        for triple in use.triples:
            found.add(site.local.quads(triple.subject, triple.predicate, triple.object))  # type: ignore[arg-type]
    found.sources()
    found.names()
    return found.serialise(format_)
