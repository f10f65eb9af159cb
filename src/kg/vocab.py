"""Namespaces, prefixes, and the IRIs that kg mints.

Everything kg mints lies under one *base* (it ends in ``/``)::

    id/NAME                 a thing
    document/NAME           a source document
    claim/DOC/N             a claim, which is also the named graph of its triples
    passage/DOC/START-END   a span of a document's normalised text
    passage/…#position      its oa:TextPositionSelector     passage/…#quote  its oa:TextQuoteSelector
    ontology#Term           our own terms; modules at ontology/MODULE#Term
    shapes#Shape            our SHACL shapes
    graph/background        the named copy of what background claims say
    comparison/HASH         what several claims say of one thing, held side by side
    catalog#…               the dataset, its files, its publisher
    .well-known/void#…      parts of the dataset, and measurements of them
    .well-known/genid/…     skolem IRIs of blank nodes (RDF 1.1 Concepts, section 3.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PROV = "http://www.w3.org/ns/prov#"
OA = "http://www.w3.org/ns/oa#"
DCTERMS = "http://purl.org/dc/terms/"
SCHEMA = "http://schema.org/"
SCHEMA_HTTPS = "https://schema.org/"
TIME = "http://www.w3.org/2006/time#"
GEO = "http://www.opengis.net/ont/geosparql#"
WGS84 = "http://www.w3.org/2003/01/geo/wgs84_pos#"
FOAF = "http://xmlns.com/foaf/0.1/"
SH = "http://www.w3.org/ns/shacl#"
SH_TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")  # SHACL, section 2.1.3
VANN = "http://purl.org/vocab/vann/"
VOID = "http://rdfs.org/ns/void#"
ADMS = "http://www.w3.org/ns/adms#"
DCAT = "http://www.w3.org/ns/dcat#"
DCATAP = "http://data.europa.eu/r5r/"
DQV = "http://www.w3.org/ns/dqv#"
LDQD = "http://www.w3.org/2016/05/ldqd#"
SPDX = "http://spdx.org/rdf/terms#"
VCARD = "http://www.w3.org/2006/vcard/ns#"

EXTERNAL_PREFIXES: dict[str, str] = {
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "geo": GEO,
    "oa": OA,
    "owl": OWL,
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "sh": SH,
    "skos": SKOS,
    "time": TIME,
    "vann": VANN,
    "void": VOID,
    "wgs84": WGS84,
    "xsd": XSD,
}

METADATA_PREFIXES: dict[str, str] = {
    "adms": ADMS,
    "dcat": DCAT,
    "dcatap": DCATAP,
    "dqv": DQV,
    "ldqd": LDQD,
    "spdx": SPDX,
    "vcard": VCARD,
}
"""Prefixes of the vocabularies that describe a release, and that the data itself does not use."""

RDF_TYPE = RDF + "type"
RDFS_LABEL = RDFS + "label"
RDFS_COMMENT = RDFS + "comment"
RDFS_SUBCLASS = RDFS + "subClassOf"
OWL_ONTOLOGY = OWL + "Ontology"
WIKIDATA_PLACE = "http://www.wikidata.org/prop/direct/P625"
SKOS_ALT_LABEL = SKOS + "altLabel"
SKOS_PREF_LABEL = SKOS + "prefLabel"
SKOS_DEFINITION = SKOS + "definition"
DCTERMS_TITLE = DCTERMS + "title"
DCTERMS_DESCRIPTION = DCTERMS + "description"
DCTERMS_CREATOR = DCTERMS + "creator"
REPLACED_BY = DCTERMS + "isReplacedBy"
OA_HAS_TARGET = OA + "hasTarget"
OA_HAS_SOURCE = OA + "hasSource"
OA_HAS_SELECTOR = OA + "hasSelector"
OA_START = OA + "start"
OA_END = OA + "end"
OA_EXACT = OA + "exact"
OA_POSITION_SELECTOR = OA + "TextPositionSelector"
OA_QUOTE_SELECTOR = OA + "TextQuoteSelector"
PROV_PRIMARY_SOURCE = PROV + "hadPrimarySource"
PROV_DERIVED_FROM = PROV + "wasDerivedFrom"
VANN_PREFIX = VANN + "preferredNamespacePrefix"
VANN_NAMESPACE = VANN + "preferredNamespaceUri"

CLASSES = (RDFS + "Class", OWL + "Class")
"""The classes of classes. A shape that is one looks at its own instances (SHACL, section 2.1.3.3)."""

LANGUAGE_TAGGED = frozenset(
    {
        RDFS_LABEL,
        RDFS_COMMENT,
        SKOS_PREF_LABEL,
        SKOS_ALT_LABEL,
        SKOS_DEFINITION,
        SKOS + "scopeNote",
        SKOS + "editorialNote",
        SKOS + "example",
        SKOS + "note",
        SKOS + "changeNote",
        DCTERMS_TITLE,
        DCTERMS_DESCRIPTION,
        SCHEMA + "name",
        SCHEMA + "alternateName",
        SCHEMA + "description",
    }
)
"""Properties whose literals are read aloud to people and so must say their language."""

MODALITIES = ("asserted", "planned", "expected", "intended", "requested", "conditional", "alleged", "denied")
"""Local names of the closed scheme of modalities: how the speaker puts it."""

PROSPECTIVE = ("planned", "expected", "intended")
"""Modalities whose content reaches the default graph as prospects when the document itself speaks."""

BASES = ("stated", "inferred", "background")
"""Local names of the closed scheme of bases: what a claim rests on."""


def is_fact(modality: str, basis: str, *, own_voice: bool) -> bool:
    """Whether a claim's content is published as the document's own word, in the default graph.

    Own voice, asserted and stated: yes. Own voice, stated, planned, expected or intended: yes (its subjects are
    prospects). Own background likewise. Everything else stays in the claim's graph alone: what a note
    relays of others' words is no more a fact than what a report relays.

    >>> is_fact("planned", "stated", own_voice=True), is_fact("asserted", "inferred", own_voice=True)
    (True, False)
    """
    return own_voice and (modality == "asserted" or modality in PROSPECTIVE) and basis in ("stated", "background")


def closure(start: Iterable[str], beyond: Mapping[str, Iterable[str]]) -> set[str]:
    """Some terms and all that they lead to: the classes above them, say, or below. Circles do no harm.

    >>> sorted(closure(["a"], {"a": ["b"], "b": ["c", "a"]}))
    ['a', 'b', 'c']
    """
    found, waiting = set[str](), list(start)
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting.extend(beyond.get(term, ()))
    return found


@dataclass(frozen=True, slots=True)
class Names:
    """The IRIs minted under one base.

    >>> n = Names("http://localhost:8000/")
    >>> n.passage("report", 5, 9)
    'http://localhost:8000/passage/report/5-9'
    >>> n.local(n.claim("report", "4"))
    'claim/report/4'
    """

    base: str

    @property
    def ontology(self) -> str:
        return self.base + "ontology"

    @property
    def kg(self) -> str:
        """The namespace of our own terms."""
        return self.base + "ontology#"

    @property
    def shapes(self) -> str:
        return self.base + "shapes"

    @property
    def id(self) -> str:
        """The namespace of things."""
        return self.base + "id/"

    @property
    def background(self) -> str:
        return self.base + "graph/background"

    @property
    def genid(self) -> str:
        return self.base + ".well-known/genid/"

    @property
    def catalog(self) -> str:
        """The DCAT catalogue; its fragments are the dataset and what belongs to it."""
        return self.base + "catalog"

    @property
    def dataset(self) -> str:
        """What a release is a version of: the IRI to cite."""
        return self.catalog + "#dataset"

    @property
    def void(self) -> str:
        """The VoID description; its fragments are the parts of the dataset and their measurements."""
        return self.base + ".well-known/void"

    def document(self, name: str) -> str:
        return f"{self.base}document/{name}"

    def claim(self, document: str, number: str) -> str:
        return f"{self.base}claim/{document}/{number}"

    def passage(self, document: str, start: int, end: int) -> str:
        return f"{self.base}passage/{document}/{start}-{end}"

    def comparison(self, digest: str) -> str:
        return f"{self.base}comparison/{digest}"

    def local(self, iri: str) -> str | None:
        """The part after the base, or ``None`` for somebody else's IRI."""
        return iri.removeprefix(self.base) if iri.startswith(self.base) else None

    def curie(self, iri: str) -> str | None:
        """An IRI with the prefix of its vocabulary, or ``None`` where it is in none that is known.

        >>> n = Names("http://localhost:8000/")
        >>> n.curie("http://localhost:8000/ontology#Event"), n.curie("https://example.org/")
        ('kg:Event', None)
        """
        for prefix, namespace in self.prefixes().items():
            if iri.startswith(namespace) and len(iri) > len(namespace):
                return f"{prefix}:{iri.removeprefix(namespace)}"
        return None

    def prefixed(self, iri: str) -> str:
        """The same, in angle brackets where it is in no vocabulary that is known."""
        return self.curie(iri) or f"<{iri}>"

    def prefixes(self) -> dict[str, str]:
        """The prefixes of our own namespaces and of the vocabularies we reuse, for people to read."""
        return {
            "": self.id,
            "doc": self.base + "document/",
            "kg": self.kg,
            **EXTERNAL_PREFIXES,
        }
