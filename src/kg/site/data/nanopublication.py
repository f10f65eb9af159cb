"""Claims as nanopublications (http://nanopub.net/guidelines/working_draft/): assertion, provenance, publication info.

The assertion of a claim that its document vouches for is what the claim's own graph says. What is only relayed,
demanded, conditional, alleged or denied is no assertion of anybody here: there the assertion is that such a claim was
made. The names are fragments of the claim's IRI, and those of the graphs begin with the nanopublication's, as clients
expect; there is no trusty URI and no signature, which only the publisher could give.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.model import Node
from kg.settings import is_address
from kg.site.lookups.evidence import Source
from kg.site.lookups.state import Site

NP = "http://www.nanopub.org/nschema#"
_DEFAULT = DefaultGraph()
_PUBLICATION = (vocab.DCTERMS_CREATOR, vocab.DCTERMS + "created")
"""What is said of a claim that is about its encoding, and so about the publication."""

_MARKS = ("speaker", "modality", "basis")
_LEFT_OUT = ("mentions", "disagreesWith", "corroborates")


def nanopublication(site: Site, source: Source) -> Iterator[Quad]:
    """The four graphs of one claim."""
    claim = NamedNode(source.iri)
    here = NamedNode(source.iri + "#nanopub")
    head, assertion, provenance, info = (
        NamedNode(f"{here.value}-{name}") for name in ("head", "assertion", "provenance", "pubinfo")
    )
    yield Quad(here, NamedNode(vocab.RDF_TYPE), NamedNode(NP + "Nanopublication"), head)
    for name, graph in (("hasAssertion", assertion), ("hasProvenance", provenance), ("hasPublicationInfo", info)):
        yield Quad(here, NamedNode(NP + name), graph, head)
    if is_asserted(site, source):
        for q in site.local.quads(None, None, None, claim):
            yield Quad(q.subject, q.predicate, q.object, assertion)
    else:
        yield from _record(site, source, assertion)
    yield from _provenance(site, source, assertion, provenance)
    yield from _info(site, source, here, info)


def is_asserted(site: Site, source: Source) -> bool:
    """Whether what a claim says may stand as an assertion: in the document's own voice, as so or as foreseen."""
    own_voice = source.speaker == site.evidence.author(source.document)
    modality = source.modality.removeprefix(site.names.kg)
    return own_voice and (modality == "asserted" or modality in vocab.PROSPECTIVE)


def _record(site: Site, source: Source, graph: NamedNode) -> Iterator[Quad]:
    kg = site.names.kg
    for predicate in (vocab.RDF_TYPE, vocab.RDFS_LABEL, *(kg + name for name in _MARKS)):
        for q in site.local.quads(NamedNode(source.iri), NamedNode(predicate), None, _DEFAULT):
            yield Quad(q.subject, q.predicate, q.object, graph)


def _provenance(site: Site, source: Source, assertion: NamedNode, graph: NamedNode) -> Iterator[Quad]:
    """Who says it, how, and where it stands; said of the assertion.

    That somebody made a claim is the word of the document's author, not of whoever made it.
    """
    content = is_asserted(site, source)
    yield Quad(assertion, NamedNode(vocab.PROV_DERIVED_FROM), NamedNode(source.iri), graph)
    left_out = {site.names.kg + name for name in _LEFT_OUT} | {*_PUBLICATION, vocab.RDF_TYPE}
    left_out |= set() if content else {vocab.RDFS_LABEL, *(site.names.kg + name for name in _MARKS)}
    for q in site.local.quads(NamedNode(source.iri), None, None, _DEFAULT):
        if q.predicate.value not in left_out:
            yield Quad(assertion, q.predicate, q.object, graph)
    author = site.evidence.author(source.document)
    if author and source.basis != site.names.kg + "inferred":
        yield Quad(assertion, NamedNode(vocab.PROV + "wasAttributedTo"), NamedNode(author), graph)
    for span in source.spans:
        yield Quad(assertion, NamedNode(vocab.PROV_DERIVED_FROM), NamedNode(span.iri), graph)
        for iri in (span.iri, span.iri + "#position", span.iri + "#quote"):
            for q in site.local.quads(NamedNode(iri), None, None, _DEFAULT):
                yield Quad(q.subject, q.predicate, q.object, graph)


def _info(site: Site, source: Source, here: NamedNode, graph: NamedNode) -> Iterator[Quad]:
    manifest = site.release.manifest

    def say(predicate: str, value: Node) -> Quad:
        return Quad(here, NamedNode(predicate), value, graph)

    for predicate in (*_PUBLICATION, vocab.RDFS_LABEL):
        for q in site.local.quads(NamedNode(source.iri), NamedNode(predicate), None, _DEFAULT):
            if isinstance(q.object, NamedNode | Literal):
                yield say(predicate, q.object)
    yield say(vocab.DCTERMS + "isPartOf", NamedNode(site.names.dataset))
    yield say(vocab.OWL + "versionInfo", Literal(site.release.version))
    if manifest.publisher:
        yield say(vocab.DCTERMS + "publisher", NamedNode(site.names.catalog + "#publisher"))
    if is_address(manifest.license):
        yield say(vocab.DCTERMS + "license", NamedNode(manifest.license))
