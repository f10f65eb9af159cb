"""The ontologies against the list of FOOPS!, the scanner of ontologies for the FAIR principles (https://w3id.org/foops).

Its checks by their names; those that a registry or a publisher has to fulfil, and no software, are named at the end.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from pyoxigraph import RdfFormat, parse, serialize
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, VANN, Graph, Literal, URIRef
from tests.patience import PATIENCE

from kg.config import DEFAULT_BASE

MODULES = ("ontology", "ontology/military")
BIBO = "http://purl.org/ontology/bibo/"
FORMATS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}


@dataclass
class Ontology:
    """A module as a client finds it at its own address: ``graphs`` by media type."""

    iri: URIRef
    at: str
    graphs: dict[str, Graph] = field(default_factory=dict)
    page: str = ""

    @property
    def graph(self) -> Graph:
        return self.graphs["text/turtle"]

    def has(self, *names: URIRef) -> bool:
        return all((self.iri, name, None) in self.graph for name in names)

    def one(self, name: URIRef) -> str:
        """The value of a property; in English, where there are several."""
        values = list(self.graph.objects(self.iri, name))
        return str(next((v for v in values if isinstance(v, Literal) and v.language == "en"), values[0]))

    def terms(self) -> set[URIRef]:
        """Everything in the namespace that is typed."""
        namespace = self.one(VANN.preferredNamespaceUri)
        return {s for s in self.graph.subjects(RDF.type) if isinstance(s, URIRef) and s.startswith(namespace)}


def get(address: str, accept: str) -> tuple[str, str]:
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers.get_content_type(), answer.read().decode()


@pytest.fixture(scope="module", params=MODULES)
def ontology(request: pytest.FixtureRequest, dataset_address: str) -> Ontology:
    found = Ontology(URIRef(DEFAULT_BASE + request.param), dataset_address)
    for media_type, format_ in FORMATS.items():
        kind, text = get(dataset_address + request.param, media_type)
        assert kind == media_type
        triples = serialize((quad.triple for quad in parse(text, format=format_)), format=RdfFormat.N_TRIPLES)
        found.graphs[media_type] = Graph().parse(data=triples or b"", format="nt")
    kind, found.page = get(dataset_address + request.param, "text/html")
    assert kind == "text/html"
    return found


def version_resolves(o: Ontology) -> bool:
    path = o.one(OWL.versionIRI).removeprefix(DEFAULT_BASE)
    answers = [get(o.at + path, accept) for accept in ("text/html", "text/turtle")]
    return [kind for kind, _ in answers] == ["text/html", "text/turtle"] and o.iri in answers[1][1] + DEFAULT_BASE


CHECKS: dict[str, Callable[[Ontology], bool]] = {
    "CN1 RDF and HTML by content negotiation": lambda o: "<html" in o.page and len(o.graph) > 100,
    "DOC1 documentation in HTML": lambda o: all(f'id="{t.rpartition("#")[2]}"' in o.page for t in o.terms()),
    "RDF1 the same in every RDF format": lambda o: len({len(g) for g in o.graphs.values()}) == 1,
    "URI1 the IRI resolves": lambda o: bool(o.graph),
    "URI2 the IRI in the file is the address": lambda o: (o.iri, RDF.type, OWL.Ontology) in o.graph,
    "HTTP1 an open protocol": lambda o: o.iri.startswith("http"),
    "VER1 a version IRI of its own": lambda o: o.one(OWL.versionIRI) not in ("None", str(o.iri)),
    "VER2 the version IRI resolves": version_resolves,
    "FIND1 prefix": lambda o: o.has(VANN.preferredNamespacePrefix),
    "OM1 minimum metadata": lambda o: o.has(
        *(DCTERMS.title, DCTERMS.description, DCTERMS.license, DCTERMS.creator, DCTERMS.created),
        *(OWL.versionIRI, VANN.preferredNamespaceUri),
    ),
    "OM2 recommended metadata": lambda o: o.has(
        VANN.preferredNamespacePrefix, OWL.versionInfo, DCTERMS.created, DCTERMS.bibliographicCitation
    ),
    "OM3 detailed metadata": lambda o: o.has(
        DCTERMS.publisher, DCTERMS.issued, DCTERMS.modified, DCTERMS.abstract, URIRef(BIBO + "status")
    ),
    "OM4 a licence that is an address": lambda o: o.one(DCTERMS.license).startswith("https://"),
    "OM5 provenance": lambda o: o.has(DCTERMS.creator, DCTERMS.created, DCTERMS.issued, DCTERMS.publisher),
    "VOC1 metadata in vocabularies of others": lambda o: o.has(DCTERMS.title, VANN.preferredNamespacePrefix),
    "VOC2 reuse of vocabularies": lambda o: any(
        not str(parent).startswith(str(o.iri))
        for term in o.terms()
        for parent in (*o.graph.objects(term, RDFS.subClassOf), *o.graph.objects(term, RDFS.subPropertyOf))
    ),
    "VOC3 every term has a label": lambda o: all(any(o.graph.objects(t, RDFS.label)) for t in o.terms()),
    "VOC4 every term has a definition": lambda o: all(any(o.graph.objects(t, SKOS.definition)) for t in o.terms()),
}
"""Not here: PURL1 (the base is the publisher's), FIND2 and FIND3 (registries), and of OM3 the DOI, the logo, the source
and the version before, of which there is none."""


@pytest.mark.parametrize("check", CHECKS)
def test_an_ontology_passes(check: str, ontology: Ontology) -> None:
    assert CHECKS[check](ontology)


def test_the_namespace_is_an_address_and_that_of_every_term(ontology: Ontology) -> None:
    assert ontology.one(VANN.preferredNamespaceUri) == f"{ontology.iri}#"
    assert len(ontology.terms()) > 10
    assert set(ontology.graph.subjects(RDFS.isDefinedBy, ontology.iri)) == ontology.terms()


def test_the_page_shows_what_the_data_says_of_the_ontology(ontology: Ontology) -> None:
    about = ontology.page.partition('id="metadata"')[2].partition("</section>")[0]
    assert ontology.one(DCTERMS.description).replace("'", "&#39;") in ontology.page
    for name in (OWL.versionInfo, DCTERMS.created, DCTERMS.bibliographicCitation, DCTERMS.publisher, DCTERMS.abstract):
        assert ontology.one(name).replace("'", "&#39;") in about, name
    assert ontology.one(DCTERMS.license) in about
