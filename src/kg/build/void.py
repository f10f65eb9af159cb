"""Stage 7d: the VoID description of a release (https://www.w3.org/TR/void/) with the coverage of its evidence.

The dataset has two parts: the default graph, which queries see and ``facts.*`` hold, and the graphs of the claims.
Classes and properties are counted in the default graph (sections 4.5 and 4.6): in claims' graphs also what is denied
has a type. The shares of :mod:`kg.build.coverage` are measurements of the Data Quality Vocabulary
(https://www.w3.org/TR/vocab-dqv/, section 4) of the dataset, of its partitions and of its documents.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pyoxigraph import DefaultGraph, Literal, NamedNode, Triple

from kg import media, vocab
from kg.build.coverage import Coverage, Share
from kg.build.dumps import Content
from kg.build.statements import Statements, english, fragment, is_web, typed
from kg.config import Config
from kg.model import FileEntry, value_of

EXAMPLES = 5
"""Example resources: the things that most claims mention."""

LINKS = frozenset(
    {
        vocab.OWL + "sameAs",
        vocab.SCHEMA + "sameAs",
        *(vocab.SKOS + f"{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")),
    }
)
"""Properties that make a linkset: they say how a thing or term of ours relates to one of another dataset."""

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

_FORMAT_NAMES = {
    "ttl": "Turtle",
    "nt": "N-Triples",
    "rdf": "RDF_XML",
    "jsonld": "JSON-LD",
    "trig": "TriG",
    "nq": "N-Quads",
}
"""Extension → name at https://www.w3.org/ns/formats/."""

_VOID = vocab.VOID


def describe_void(content: Content, coverage: Coverage, config: Config, dumps: Sequence[FileEntry]) -> set[Triple]:
    """The description as triples."""
    graph = Statements(config.language)
    names = content.names
    default = [q.triple for q in content.assembled.quads if q.graph_name == DefaultGraph()]
    _dataset(graph, content, config, dumps)
    _parts(graph, content, default, dumps)
    _partitions(graph, content, default)
    _linksets(graph, content, default)
    _measurements(graph, content, coverage)
    graph.say(names.dataset, _VOID + "vocabulary", *_vocabularies(default))
    graph.say(names.dataset, _VOID + "exampleResource", *_examples(content))
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
    if is_web(config.license):
        graph.say(dataset, vocab.DCTERMS + "license", config.license)
    graph.say(dataset, vocab.FOAF + "homepage", names.base)
    graph.say(dataset, vocab.RDFS + "seeAlso", names.catalog)
    graph.say(dataset, _VOID + "uriSpace", Literal(names.base))
    graph.say(dataset, _VOID + "sparqlEndpoint", names.base + "sparql")
    graph.say(dataset, _VOID + "subset", part(names, "default-graph"), part(names, "claim-graphs"))
    graph.say(dataset, _VOID + "triples", Literal(len({q.triple for q in content.assembled.quads})))
    formats = (f"http://www.w3.org/ns/formats/{_FORMAT_NAMES[m.extension]}" for m in media.RDF)
    graph.say(dataset, _VOID + "feature", *formats)
    graph.say(dataset, _VOID + "dataDump", *(names.base + d.path for d in dumps if d.path.startswith("dumps/all.")))


def _parts(graph: Statements, content: Content, default: Sequence[Triple], dumps: Sequence[FileEntry]) -> None:
    names = content.names
    facts, claims = part(names, "default-graph"), part(names, "claim-graphs")
    graph.is_a(facts, _VOID + "Dataset")
    graph.say(facts, vocab.DCTERMS_TITLE, english("The default graph"))
    graph.say(facts, _VOID + "triples", Literal(len(default)))
    graph.say(facts, _VOID + "distinctSubjects", Literal(len({t.subject for t in default})))
    graph.say(facts, _VOID + "distinctObjects", Literal(len({t.object for t in default})))
    graph.say(facts, _VOID + "properties", Literal(len({t.predicate for t in default})))
    graph.say(facts, _VOID + "classes", Literal(len(_instances(default))))
    things = {s for t in default if (s := value_of(t.subject)).startswith(names.id)}
    graph.say(facts, _VOID + "entities", Literal(len(things)))
    graph.say(facts, _VOID + "uriRegexPattern", Literal("^" + re.escape(names.id)))
    graph.say(facts, _VOID + "dataDump", *(names.base + d.path for d in dumps if d.path.startswith("dumps/facts.")))
    graph.is_a(claims, _VOID + "Dataset")
    graph.say(claims, vocab.DCTERMS_TITLE, english("The graphs of the claims"))
    iris = {claim.iri for claim in content.grounded.claims}
    stated = {q.triple for q in content.assembled.quads if value_of(q.graph_name) in iris}
    graph.say(claims, _VOID + "triples", Literal(len(stated)))


def _instances(triples: Iterable[Triple]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for t in triples:
        if t.predicate.value == vocab.RDF_TYPE:
            found[value_of(t.object)].add(value_of(t.subject))
    return found


def _partitions(graph: Statements, content: Content, default: Sequence[Triple]) -> None:
    whole = part(content.names, "default-graph")
    for kind, members in sorted(_instances(default).items()):
        node = class_partition(content, kind)
        graph.say(whole, _VOID + "classPartition", node)
        graph.is_a(node, _VOID + "Dataset")
        graph.say(node, _VOID + "class", kind)
        graph.say(node, _VOID + "entities", Literal(len(members)))
    by_property: dict[str, list[Triple]] = defaultdict(list)
    for t in default:
        by_property[t.predicate.value].append(t)
    for name, triples in sorted(by_property.items()):
        node = property_partition(content, name)
        graph.say(whole, _VOID + "propertyPartition", node)
        graph.is_a(node, _VOID + "Dataset")
        graph.say(node, _VOID + "property", name)
        graph.say(node, _VOID + "triples", Literal(len(triples)))
        graph.say(node, _VOID + "distinctSubjects", Literal(len({t.subject for t in triples})))
        graph.say(node, _VOID + "distinctObjects", Literal(len({t.object for t in triples})))


def class_partition(content: Content, iri: str) -> str:
    """The IRI of what is of one class."""
    return part(content.names, "class-" + fragment(iri, content.prefixes))


def property_partition(content: Content, iri: str) -> str:
    """The IRI of what one property says."""
    return part(content.names, "property-" + fragment(iri, content.prefixes))


def _linksets(graph: Statements, content: Content, default: Sequence[Triple]) -> None:
    """A linkset for each property and namespace that our things and terms are linked to (section 5)."""
    names = content.names
    found: Counter[tuple[str, str]] = Counter()
    for t in default:
        target = value_of(t.object)
        outside = isinstance(t.object, NamedNode) and not target.startswith(names.base)
        if t.predicate.value in LINKS and outside and value_of(t.subject).startswith(names.base):
            found[t.predicate.value, _namespace(target)] += 1
    for (predicate, namespace), count in sorted(found.items()):
        target = part(names, "target-" + fragment(namespace + "x", content.prefixes).removesuffix(":x"))
        node = target.replace("#target-", f"#links-{fragment(predicate, content.prefixes)}-")
        graph.say(names.dataset, _VOID + "subset", node)
        graph.is_a(node, _VOID + "Linkset")
        graph.say(node, _VOID + "linkPredicate", predicate)
        graph.say(node, _VOID + "subjectsTarget", part(names, "default-graph"))
        graph.say(node, _VOID + "objectsTarget", target)
        graph.say(node, _VOID + "triples", Literal(count))
        graph.is_a(target, _VOID + "Dataset")
        graph.say(target, _VOID + "uriSpace", Literal(namespace))


def _vocabularies(default: Iterable[Triple]) -> list[str]:
    terms = {t.predicate.value for t in default}
    terms |= {value_of(t.object) for t in default if t.predicate.value == vocab.RDF_TYPE}
    return sorted({_namespace(term) for term in terms})


def _namespace(iri: str) -> str:
    """An IRI up to its last ``#``, or else its last ``/``.

    >>> _namespace("http://purl.org/dc/terms/title")
    'http://purl.org/dc/terms/'
    """
    return iri[: max(iri.rfind("#"), iri.rfind("/") if "#" not in iri else -1) + 1] or iri


def _examples(content: Content) -> list[str]:
    mentioned = Counter(
        value_of(q.object)
        for q in content.assembled.evidence
        if q.predicate.value == content.names.kg + "mentions" and value_of(q.object).startswith(content.names.id)
    )
    return sorted(mentioned, key=lambda iri: (-mentioned[iri], iri))[:EXAMPLES]


def _measurements(graph: Statements, content: Content, coverage: Coverage) -> None:
    names = content.names
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
