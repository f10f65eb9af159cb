"""The service description: what the endpoint can do, and its limits.

The vocabulary is https://www.w3.org/TR/sparql11-service-description/, with schema:PropertyValue for the limits.
"""

from __future__ import annotations

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kg import media, vocab
from kg.query.limits import Limits
from kg.settings import is_address
from kg.site.languages import marked
from kg.site.lookups.state import Site

SD = "http://www.w3.org/ns/sparql-service-description#"
Row = tuple[str, float, str, str]


def limits_table(limits: Limits) -> list[Row]:
    """The limits that concern a stranger: name, value, unit, and what it means."""
    return [
        ("deadline", limits.deadline, marked("seconds"), marked("until a query is stopped; timeout= may ask for less")),
        ("memory", limits.memory, "bytes", marked("of memory for one query")),
        ("rows", limits.rows, marked("rows"), marked("or triples in one answer")),
        ("bytes", limits.bytes, "bytes", marked("in one answer")),
        ("depth", limits.depth, marked("levels"), marked("of brackets in a query")),
    ]


def describe(site: Site, limits: Limits) -> list[Triple]:
    """The description as triples."""
    service, dataset = NamedNode(site.base + "sparql"), NamedNode(site.names.dataset)
    graph = NamedNode(site.names.void + "#default-graph")
    triples: list[Triple] = []

    def say(subject: NamedNode | BlankNode, name: str, value: NamedNode | BlankNode | Literal) -> None:
        triples.append(Triple(subject, NamedNode(name), value))

    say(service, vocab.RDF_TYPE, NamedNode(SD + "Service"))
    say(service, SD + "endpoint", service)
    say(service, SD + "supportedLanguage", NamedNode(SD + "SPARQL11Query"))
    for iri in (*(m.iri for m in media.RESULTS), *(m.iri for m in media.RDF)):
        say(service, SD + "resultFormat", NamedNode(iri))
    say(service, vocab.RDFS + "seeAlso", NamedNode(site.names.void))
    say(service, SD + "defaultDataset", dataset)
    say(dataset, vocab.RDF_TYPE, NamedNode(SD + "Dataset"))
    say(dataset, vocab.DCTERMS_TITLE, Literal(site.release.manifest.title, language=site.config.language))
    say(dataset, SD + "defaultGraph", graph)
    say(graph, vocab.RDF_TYPE, NamedNode(SD + "Graph"))
    # A description in VoID is a description of the same dataset and graph (SPARQL 1.1 Service Description, section 3).
    for part in (dataset, graph):
        say(part, vocab.RDF_TYPE, NamedNode(vocab.VOID + "Dataset"))
    # What is licensed by an address is so in the catalogue and in VoID, too, in the same triple.
    if is_address(site.release.manifest.license):
        say(dataset, vocab.DCTERMS + "license", NamedNode(site.release.manifest.license))
    for name, value, unit, meaning in limits_table(limits):
        row = BlankNode(name)
        say(service, vocab.SCHEMA + "additionalProperty", row)
        say(row, vocab.RDF_TYPE, NamedNode(vocab.SCHEMA + "PropertyValue"))
        say(row, vocab.SCHEMA + "name", Literal(name))
        say(row, vocab.SCHEMA + "value", Literal(value))
        say(row, vocab.SCHEMA + "unitText", Literal(unit))
        say(row, vocab.SCHEMA + "description", Literal(f"{unit} {meaning}", language="en"))
    return triples
