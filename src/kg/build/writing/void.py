"""Stage 7d: the VoID description of a release (https://www.w3.org/TR/void/) with the coverage of its evidence.

The dataset has two parts: the default graph, which queries see and ``facts.*`` hold, and the graphs of the claims.
Classes and properties are counted in the default graph (sections 4.5 and 4.6): in claims' graphs also what is denied
has a type. The shares of :mod:`kg.build.writing.coverage` are measurements of the Data Quality Vocabulary
(https://www.w3.org/TR/vocab-dqv/, section 4) of the dataset, of its partitions and of its documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyoxigraph import Literal, Triple

from kg import media, vocab
from kg.build.vocabulary import namespace
from kg.build.writing.content import Content
from kg.build.writing.coverage import Share
from kg.build.writing.statements import Statements, english, fragment, typed
from kg.config import Config
from kg.model import FileEntry
from kg.settings import is_address

EXAMPLES = 5
"""Example resources: the things that most claims mention."""

METRICS: dict[str, tuple[str, str, str]] = {
    "facts": (
        "facts with a claim",
        "As triples with a claim, without names, notes and display order, which need none.",
        "trustworthiness",
    ),
    "triples": (
        "triples with a claim",
        "Of the default graph's triples about things, the share that stands in a claim's graph.",
        "trustworthiness",
    ),
    "claims": (
        "claims with a checked passage",
        "Of the claims, the share whose every passage was compared with the text of its document.",
        "trustworthiness",
    ),
    "sentences": (
        "sentences with a claim",
        "Of the sentences of the documents whose text was at hand, the share that a passage of a claim lies in.",
        "completeness",
    ),
}
"""Metric → label, definition, and its dimension in https://www.w3.org/2016/05/ldqd."""

_VOID = vocab.VOID


def describe_void(content: Content, config: Config, dumps: Sequence[FileEntry]) -> set[Triple]:
    """The description as triples."""
    graph = Statements(config.language)
    names, tally = content.names, content.tally
    _dataset(graph, content, config, dumps)
    _parts(graph, content, dumps)
    _partitions(graph, content)
    _linksets(graph, content)
    _measurements(graph, content)
    vocabularies = {namespace(term) for term in (*tally.triples_of, *tally.classes)}
    graph.say(names.dataset, _VOID + "vocabulary", *sorted(vocabularies))
    most = sorted(tally.mentioned, key=lambda iri: (-tally.mentioned[iri], iri))
    graph.say(names.dataset, _VOID + "exampleResource", *most[:EXAMPLES])
    return graph.triples


def part(names: vocab.Names, name: str) -> str:
    """The IRI of a part of the dataset, of a partition, of a measurement."""
    return f"{names.void}#{name}"


def _dataset(graph: Statements, content: Content, config: Config, dumps: Sequence[FileEntry]) -> None:
    names = content.names
    document, dataset = names.void, names.dataset
    graph.is_a(document, _VOID + "DatasetDescription")
    graph.say(document, vocab.DCTERMS_TITLE, english("VoID description"))
    graph.say(document, vocab.FOAF + "primaryTopic", dataset)
    graph.is_a(dataset, _VOID + "Dataset")
    graph.say(dataset, vocab.DCTERMS_TITLE, graph.text(config.title))
    graph.say(dataset, vocab.DCTERMS_DESCRIPTION, graph.text(config.description.strip()))
    if config.publisher:
        graph.say(dataset, vocab.DCTERMS + "publisher", names.catalog + "#publisher")
    if is_address(config.license):
        graph.say(dataset, vocab.DCTERMS + "license", config.license)
    graph.say(dataset, vocab.FOAF + "homepage", names.base)
    graph.say(dataset, vocab.RDFS + "seeAlso", names.catalog)
    graph.say(dataset, _VOID + "uriSpace", Literal(names.base))
    graph.say(dataset, _VOID + "sparqlEndpoint", names.base + "sparql")
    graph.say(dataset, _VOID + "subset", part(names, "default-graph"), part(names, "claim-graphs"))
    graph.say(dataset, _VOID + "triples", Literal(content.sizes.all))
    formats = (m.iri for m in media.RDF)
    graph.say(dataset, _VOID + "feature", *formats)
    graph.say(dataset, _VOID + "dataDump", *(names.base + d.path for d in dumps if d.path.startswith("dumps/all.")))


def _parts(graph: Statements, content: Content, dumps: Sequence[FileEntry]) -> None:
    names, tally = content.names, content.tally
    facts, claims = part(names, "default-graph"), part(names, "claim-graphs")
    graph.is_a(facts, _VOID + "Dataset")
    graph.say(facts, vocab.DCTERMS_TITLE, english("The default graph"))
    graph.say(facts, _VOID + "triples", Literal(tally.triples))
    graph.say(facts, _VOID + "distinctSubjects", Literal(tally.subjects))
    graph.say(facts, _VOID + "distinctObjects", Literal(content.sizes.objects))
    graph.say(facts, _VOID + "properties", Literal(len(tally.triples_of)))
    graph.say(facts, _VOID + "classes", Literal(len(tally.classes)))
    graph.say(facts, _VOID + "entities", Literal(tally.things))
    graph.say(facts, _VOID + "uriRegexPattern", Literal("^" + re.escape(names.id)))
    graph.say(facts, _VOID + "dataDump", *(names.base + d.path for d in dumps if d.path.startswith("dumps/facts.")))
    graph.is_a(claims, _VOID + "Dataset")
    graph.say(claims, vocab.DCTERMS_TITLE, english("The graphs of the claims"))
    graph.say(claims, _VOID + "triples", Literal(content.sizes.stated))


def _partitions(graph: Statements, content: Content) -> None:
    whole, tally = part(content.names, "default-graph"), content.tally
    for kind, members in sorted(tally.classes.items()):
        node = class_partition(content, kind)
        graph.say(whole, _VOID + "classPartition", node)
        graph.is_a(node, _VOID + "Dataset")
        graph.say(node, _VOID + "class", kind)
        graph.say(node, _VOID + "entities", Literal(members))
    for name, triples in sorted(tally.triples_of.items()):
        node = property_partition(content, name)
        graph.say(whole, _VOID + "propertyPartition", node)
        graph.is_a(node, _VOID + "Dataset")
        graph.say(node, _VOID + "property", name)
        graph.say(node, _VOID + "triples", Literal(triples))
        graph.say(node, _VOID + "distinctSubjects", Literal(tally.subjects_of[name]))
        graph.say(node, _VOID + "distinctObjects", Literal(content.sizes.objects_of[name]))


def class_partition(content: Content, iri: str) -> str:
    """The IRI of what is of one class."""
    return part(content.names, "class-" + fragment(iri, content.prefixes))


def property_partition(content: Content, iri: str) -> str:
    """The IRI of what one property says."""
    return part(content.names, "property-" + fragment(iri, content.prefixes))


def _linksets(graph: Statements, content: Content) -> None:
    """A linkset for each property and namespace that our things and terms are linked to (section 5)."""
    names = content.names
    for (predicate, space), count in sorted(content.tally.links.items()):
        target = part(names, "target-" + fragment(space + "x", content.prefixes).removesuffix(":x"))
        node = target.replace("#target-", f"#links-{fragment(predicate, content.prefixes)}-")
        graph.say(names.dataset, _VOID + "subset", node)
        graph.is_a(node, _VOID + "Linkset")
        graph.say(node, _VOID + "linkPredicate", predicate)
        graph.say(node, _VOID + "subjectsTarget", part(names, "default-graph"))
        graph.say(node, _VOID + "objectsTarget", target)
        graph.say(node, _VOID + "triples", Literal(count))
        graph.is_a(target, _VOID + "Dataset")
        graph.say(target, _VOID + "uriSpace", Literal(space))


def _measurements(graph: Statements, content: Content) -> None:
    names, coverage = content.names, content.coverage
    for name, (label, definition, dimension) in METRICS.items():
        metric = part(names, "metric-" + name)
        graph.is_a(metric, vocab.DQV + "Metric")
        graph.say(metric, vocab.SKOS_PREF_LABEL, english(label))
        graph.say(metric, vocab.SKOS_DEFINITION, english(definition))
        graph.say(metric, vocab.DQV + "expectedDataType", vocab.XSD + "decimal")
        graph.say(metric, vocab.DQV + "inDimension", vocab.LDQD + dimension)
        _measured(graph, names, name, names.dataset, getattr(coverage, name))
    for kind, share in coverage.classes.items():
        _measured(graph, names, "triples", class_partition(content, kind), share)
    for iri, share in coverage.properties.items():
        _measured(graph, names, "triples", property_partition(content, iri), share)
    for document, (claims, sentences) in coverage.documents.items():
        _measured(graph, names, "claims", names.document(document), claims)
        _measured(graph, names, "sentences", names.document(document), sentences)


def _measured(graph: Statements, names: vocab.Names, metric: str, whole: str, share: Share | None) -> None:
    """One measurement; none where there is nothing to measure."""
    if share is None or share.value is None:
        return
    of = whole.partition("#")[2] or (names.local(whole) or "").replace("/", "-")
    node = part(names, f"measured-{metric}-{of}")
    graph.is_a(node, vocab.DQV + "QualityMeasurement")
    graph.say(node, vocab.DQV + "isMeasurementOf", part(names, "metric-" + metric))
    graph.say(node, vocab.DQV + "computedOn", whole)
    graph.say(node, vocab.DQV + "value", typed(str(share.value), "decimal"))
    graph.say(node, vocab.RDFS_COMMENT, english(f"{share.part} of {share.whole}"))
    graph.say(whole, vocab.DQV + "hasQualityMeasurement", node)
