"""Claims as Web Annotations (Web Annotation Data Model): a passage is the target, what is claimed the body.

The keys are those of the model's own JSON-LD context; the context stands inside, so that nothing has to be fetched to
read it. Where a text may not be shown, the selector is a position, with the fingerprint of the words beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode

from kg import vocab
from kg.settings import is_address
from kg.site.answers.links import data_path
from kg.site.lookups.evidence import Source, Span
from kg.site.lookups.state import Site
from kg.site.lookups.texts import parsed

PROFILE = "http://www.w3.org/ns/anno.jsonld"
"""The IRI by which the Web Annotation Protocol (section 4.2) names this form."""

AROUND = 32
"""Characters before and after the words that help to find them again (Web Annotation Data Model, section 4.2.4)."""

_DC = "http://purl.org/dc/elements/1.1/"
_AS = "http://www.w3.org/ns/activitystreams#"


def context(kg: str) -> dict[str, Any]:
    """The JSON-LD context; ``kg`` is the namespace of our own terms."""

    def node(iri: str) -> dict[str, str]:
        return {"@id": iri, "@type": "@id"}

    def typed(iri: str, datatype: str) -> dict[str, str]:
        return {"@id": iri, "@type": vocab.XSD + datatype}

    classes = ("Annotation", "TextualBody", "SpecificResource", "TextPositionSelector", "TextQuoteSelector")
    return {
        "id": "@id",
        "type": "@type",
        **{name: vocab.OA + name for name in classes},
        "AnnotationCollection": _AS + "OrderedCollection",
        "AnnotationPage": _AS + "OrderedCollectionPage",
        "Claim": kg + "Claim",
        "Dataset": "http://purl.org/dc/dcmitype/Dataset",
        "body": node(vocab.OA + "hasBody"),
        "target": node(vocab.OA + "hasTarget"),
        "source": node(vocab.OA + "hasSource"),
        "selector": node(vocab.OA + "hasSelector"),
        "motivation": {"@id": vocab.OA + "motivatedBy", "@type": "@vocab"},
        "purpose": {"@id": vocab.OA + "hasPurpose", "@type": "@vocab"},
        "describing": vocab.OA + "describing",
        "start": typed(vocab.OA + "start", "integer"),
        "end": typed(vocab.OA + "end", "integer"),
        **{name: vocab.OA + name for name in ("exact", "prefix", "suffix")},
        "value": vocab.RDF + "value",
        "language": _DC + "language",
        "format": _DC + "format",
        "creator": node(vocab.DCTERMS_CREATOR),
        # The day on which the claim was encoded; "created" would have to be a time.
        "encoded": typed(vocab.DCTERMS + "created", "date"),
        "rights": node(vocab.DCTERMS + "rights"),
        "first": {"@id": _AS + "first", "@type": "@id"},
        "items": {"@id": _AS + "items", "@type": "@id", "@container": "@list"},
        "total": typed(_AS + "totalItems", "nonNegativeInteger"),
        **{name: node(kg + name) for name in ("speaker", "modality", "basis")},
        **{name: kg + name for name in ("sha256", "rollingHash")},
        **{name: typed(kg + name, "integer") for name in ("paragraph", "sentence")},
    }


def serialise(site: Site, iri: str, sources: Sequence[Source]) -> bytes:
    """One claim as an annotation, or the claims about something as a collection of them; JSON-LD."""
    found = [annotation(site, source) for source in sources]
    if len(sources) == 1 and sources[0].iri == iri:
        content = found[0]
    else:
        page = {"id": iri + "#annotations-all", "type": "AnnotationPage", "items": found}
        content = {"id": iri + "#annotations", "type": "AnnotationCollection", "total": len(found), "first": page}
    whole = {"@context": context(site.names.kg), **content}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def annotation(site: Site, source: Source) -> dict[str, Any]:
    """A claim as an annotation, without its context."""
    gloss, local = site.labels[source.iri], site.names.local(source.iri) or ""
    body: dict[str, Any] = {"type": "TextualBody", "value": gloss.text, "format": "text/plain", "purpose": "describing"}
    if gloss.language:
        body["language"] = gloss.language
    graph = {"id": f"{site.base}{data_path(local, 'trig')}", "type": "Dataset", "format": "application/trig"}
    found: dict[str, Any] = {
        "id": source.iri,
        "type": ["Annotation", "Claim"],
        "motivation": "describing",
        "body": [body, graph],
        "target": [target(site, span) for span in source.spans],
        "speaker": source.speaker,
        "modality": source.modality,
        "basis": source.basis,
    }
    for key, predicate in (("creator", vocab.DCTERMS_CREATOR), ("encoded", vocab.DCTERMS + "created")):
        quads = site.local.quads(NamedNode(source.iri), NamedNode(predicate), None, DefaultGraph())
        values = sorted(q.object.value for q in quads if isinstance(q.object, NamedNode | Literal))
        if values:
            found[key] = values[0] if len(values) == 1 else values
    if is_address(site.release.manifest.license):
        found["rights"] = site.release.manifest.license
    return found


def target(site: Site, span: Span) -> dict[str, Any]:
    """A passage as the target of an annotation."""
    position = {"id": span.iri + "#position", "type": "TextPositionSelector", "start": span.start, "end": span.end}
    selectors: list[dict[str, Any]] = [position]
    text = parsed(site.release, span.document)
    if text is not None and span.end <= len(text.content):
        content = text.content
        quote = {
            "type": "TextQuoteSelector",
            "exact": content[span.start : span.end],
            "prefix": content[max(0, span.start - AROUND) : span.start],
            "suffix": content[span.end : span.end + AROUND],
        }
        selectors.append(quote)
    found: dict[str, Any] = {
        "id": span.iri,
        "type": "SpecificResource",
        "source": site.names.document(span.document),
        "selector": selectors,
    }
    more = {
        "sha256": span.sha256,
        "rollingHash": span.rolling_hash,
        "paragraph": span.paragraph,
        "sentence": span.sentence,
    }
    return {**found, **{name: value for name, value in more.items() if value not in (None, "")}}
