"""Stage 7d: the catalogue, by DCAT-AP 3.0.1 (https://semiceu.github.io/DCAT-AP/releases/3.0.1/).

A catalogue of one dataset, with a distribution for every file and the SPARQL endpoint as a data service. What nobody
said is left out; where ``kg.toml`` gives no dates and no box, the dates and coordinates of the default graph do.
Concepts and schemes of others carry the names that the profile's shapes ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyoxigraph import Literal, NamedNode, Triple

from kg import media, vocab
from kg.build.writing import authority
from kg.build.writing.content import Content
from kg.build.writing.statements import Statements, english, typed
from kg.config import Config
from kg.model import FileEntry, SourceQuad, value_of
from kg.settings import is_address

_DCAT, _DCT, _FOAF = vocab.DCAT, vocab.DCTERMS, vocab.FOAF
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_PROTOCOL = "https://www.w3.org/TR/sparql11-protocol/"
_WKT = NamedNode(vocab.GEO + "wktLiteral")


def describe_catalog(content: Content, config: Config, dumps: Sequence[FileEntry]) -> set[Triple]:
    """The catalogue as triples."""
    return _Catalogue(content, config).describe(dumps)


class _Catalogue:
    def __init__(self, content: Content, config: Config) -> None:
        self.content = content
        self.config = config
        self.said = config.catalog
        self.names = content.names
        self.graph = Statements(config.language)

    def describe(self, dumps: Sequence[FileEntry]) -> set[Triple]:
        catalog, dataset, service = self.names.catalog, self.names.dataset, self.names.base + "sparql"
        self._catalog(catalog, dataset, service)
        self._dataset(dataset)
        self._service(service, dataset)
        for entry in dumps:
            self._distribution(dataset, entry)
        self._access(dataset, service)
        self._publisher(catalog, dataset, service)
        self._contact(dataset, service)
        self._themes(catalog, dataset, service)
        self._place(catalog, dataset)
        self._period(dataset)
        return self.graph.triples

    # -- the three resources -------------------------------------------------------------------------------------

    def _catalog(self, catalog: str, dataset: str, service: str) -> None:
        say = self.graph.say
        self.graph.is_a(catalog, _DCAT + "Catalog")
        self._described(catalog, self.config.title)
        say(catalog, _DCAT + "dataset", dataset)
        say(catalog, _DCAT + "service", service)
        self._document(catalog, _FOAF + "homepage", self.names.base)

    def _dataset(self, dataset: str) -> None:
        say = self.graph.say
        self.graph.is_a(dataset, _DCAT + "Dataset")
        self._described(dataset, self.config.title)
        say(dataset, _DCT + "identifier", Literal(dataset))
        say(dataset, _DCT + "bibliographicCitation", self.graph.text(self._citation(dataset)))
        self._document(dataset, _DCAT + "landingPage", self.names.base)
        self._document(dataset, _FOAF + "page", self.names.base + "report")
        say(dataset, vocab.RDFS + "seeAlso", self.names.void)
        say(dataset, vocab.PROV + "wasDerivedFrom", *(d.iri for d in self.content.documents.values()))
        say(dataset, _DCT + "conformsTo", self.names.ontology)
        self.graph.is_a(self.names.ontology, _DCT + "Standard")
        if self.said.frequency:
            frequency = authority.frequency(self.said.frequency)
            say(dataset, _DCT + "accrualPeriodicity", frequency)
            self.graph.is_a(frequency, _DCT + "Frequency")

    def _service(self, service: str, dataset: str) -> None:
        say = self.graph.say
        self.graph.is_a(service, _DCAT + "DataService")
        title = f"{self.config.title}: SPARQL"
        say(service, vocab.DCTERMS_TITLE, self.graph.text(title))
        say(service, vocab.DCTERMS_DESCRIPTION, english("Answers queries over the dataset by the SPARQL 1.1 Protocol."))
        say(service, _DCAT + "endpointURL", service)
        say(service, _DCAT + "endpointDescription", service)
        say(service, _DCAT + "servesDataset", dataset)
        self._document(service, _DCAT + "landingPage", self.names.base + "query")
        say(service, _DCT + "conformsTo", _PROTOCOL)
        self.graph.is_a(_PROTOCOL, _DCT + "Standard")
        self._licensed(service)

    def _described(self, resource: str, title: str) -> None:
        """What the catalogue and the dataset have in common."""
        say = self.graph.say
        say(resource, vocab.DCTERMS_TITLE, self.graph.text(title))
        say(resource, vocab.DCTERMS_DESCRIPTION, self.graph.text(self.config.description.strip()))
        self._licensed(resource)
        if self.said.issued:
            say(resource, _DCT + "issued", typed(self.said.issued, "date"))
        modified = self.content.modified
        if modified:
            say(resource, _DCT + "modified", typed(modified, "date"))
        language = authority.language(self.config.language)
        if language:
            say(resource, _DCT + "language", language)
            self.graph.is_a(language, _DCT + "LinguisticSystem")

    def _licensed(self, resource: str) -> None:
        licence = self.config.license.strip()
        if is_address(licence):
            self.graph.say(resource, _DCT + "license", licence)
            self.graph.is_a(licence, _DCT + "LicenseDocument")
            for kind, label in authority.licence_types(licence):
                self.graph.say(licence, _DCT + "type", kind)
                self._concept(kind, label)
        elif licence:
            rights = self.names.catalog + "#rights"
            self.graph.say(resource, _DCT + "rights", rights)
            self.graph.is_a(rights, _DCT + "RightsStatement")
            self.graph.say(rights, vocab.RDFS_LABEL, self.graph.text(licence))

    def _citation(self, dataset: str) -> str:
        """Publisher (year): title. Address. What is not known is left out."""
        year = f" ({self.said.issued[:4]})" if self.said.issued else ""
        who = self.config.publisher.strip()
        return f"{who}{year}: {self.config.title}. {dataset}" if who else f"{self.config.title}{year}. {dataset}"

    # -- files ---------------------------------------------------------------------------------------------------

    def _distribution(self, dataset: str, entry: FileEntry) -> None:
        name = entry.path.removeprefix("dumps/")
        stem, _, extension = name.partition(".")
        node, say = f"{self.names.catalog}#{name}", self.graph.say
        say(dataset, _DCAT + "distribution", node)
        self.graph.is_a(node, _DCAT + "Distribution")
        say(node, vocab.DCTERMS_TITLE, Literal(name))
        say(node, vocab.DCTERMS_DESCRIPTION, english(media.DUMPED[stem]) if stem in media.DUMPED else None)
        say(node, _DCAT + "accessURL", self.names.base + "dumps/")
        say(node, _DCAT + "downloadURL", self.names.base + entry.path)
        say(node, _DCAT + "byteSize", typed(str(entry.size), "nonNegativeInteger"))
        self._licensed(node)
        rdf = media.RDF_BY_EXTENSION.get(extension)
        media_type = _MEDIA_TYPES + (rdf.media_type if rdf else "text/csv")
        say(node, _DCAT + "mediaType", media_type)
        self.graph.is_a(media_type, _DCT + "MediaType")
        file_type = authority.file_type(extension)
        if file_type:
            say(node, _DCT + "format", file_type)
            self.graph.is_a(file_type, _DCT + "MediaTypeOrExtent")
        checksum = f"{node}-sha256"
        say(node, vocab.SPDX + "checksum", checksum)
        self.graph.is_a(checksum, vocab.SPDX + "Checksum")
        say(checksum, vocab.SPDX + "algorithm", vocab.SPDX + "checksumAlgorithm_sha256")
        say(checksum, vocab.SPDX + "checksumValue", typed(entry.sha256, "hexBinary"))
        if self.said.availability:
            availability = authority.availability(self.said.availability)
            say(node, vocab.DCATAP + "availability", availability)
            self._concept(availability, authority.AVAILABILITIES[self.said.availability])

    # -- who, about what, where, when ----------------------------------------------------------------------------

    def _publisher(self, *resources: str) -> None:
        if not self.config.publisher.strip():
            return
        node, say = self.names.catalog + "#publisher", self.graph.say
        for resource in resources:
            say(resource, _DCT + "publisher", node)
        self.graph.is_a(node, _FOAF + "Agent")
        say(node, _FOAF + "name", Literal(self.config.publisher.strip()))
        if self.said.homepage:
            self._document(node, _FOAF + "homepage", self.said.homepage)
        if self.said.publisher_type:
            kind = authority.publisher_type(self.said.publisher_type)
            say(node, _DCT + "type", kind)
            self._concept(kind, authority.PUBLISHER_TYPES[self.said.publisher_type])

    def _contact(self, *resources: str) -> None:
        """Whom to ask; where nobody is named, the publisher at the address of this site."""
        said = self.said
        name = said.contact or self.config.publisher.strip()
        if not name:
            return
        node, say = self.names.catalog + "#contact", self.graph.say
        for resource in resources:
            say(resource, _DCAT + "contactPoint", node)
        self.graph.is_a(node, vocab.VCARD + "Kind")
        say(node, vocab.VCARD + "fn", Literal(name))
        say(node, vocab.VCARD + "hasEmail", f"mailto:{said.email}" if said.email else None)
        page = said.contact_page or (None if said.email else said.homepage or self.names.base)
        say(node, vocab.VCARD + "hasURL", page)

    def _access(self, *resources: str) -> None:
        if self.said.access:
            access = authority.access(self.said.access)
            for resource in resources:
                self.graph.say(resource, _DCT + "accessRights", access)
            self.graph.is_a(access, _DCT + "RightsStatement")

    def _themes(self, catalog: str, *resources: str) -> None:
        say = self.graph.say
        for resource in resources:
            say(resource, _DCAT + "keyword", *(self.graph.text(word) for word in self.said.keywords))
            say(resource, _DCAT + "theme", *map(authority.theme, self.said.themes))
        for code in self.said.themes:
            self._concept(authority.theme(code), authority.THEMES[code])
            say(authority.theme(code), vocab.SKOS + "inScheme", authority.THEME_SCHEME)
        if self.said.themes:
            say(catalog, _DCAT + "themeTaxonomy", authority.THEME_SCHEME)
            self.graph.is_a(authority.THEME_SCHEME, vocab.SKOS + "ConceptScheme")
            say(authority.THEME_SCHEME, vocab.DCTERMS_TITLE, english("Data theme"))

    def _place(self, *resources: str) -> None:
        found = self.content.tally.box
        box: tuple[float, ...] = self.said.bbox or (found if found and found.has_area else ())
        if not box and not self.said.place:
            return
        node, say = self.said.place or self.names.catalog + "#place", self.graph.say
        for resource in resources:
            say(resource, _DCT + "spatial", node)
        self.graph.is_a(node, _DCT + "Location")
        if box:
            west, south, east, north = (f"{degrees:.5f}".rstrip("0").rstrip(".") for degrees in box)
            ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
            say(node, _DCAT + "bbox", Literal(f"POLYGON(({ring}))", datatype=_WKT))
            centre = f"POINT({(box[0] + box[2]) / 2:.5f} {(box[1] + box[3]) / 2:.5f})"
            say(node, _DCAT + "centroid", Literal(centre, datatype=_WKT))

    def _period(self, dataset: str) -> None:
        start, end = self.said.start, self.said.end
        if not start:
            days, kg = self.content.tally.days, self.names.kg
            if kg + "earliest" not in days or kg + "latest" not in days:
                return
            start, end = days[kg + "earliest"][0], days[kg + "latest"][1]
        node, say = self.names.catalog + "#period", self.graph.say
        say(dataset, _DCT + "temporal", node)
        self.graph.is_a(node, _DCT + "PeriodOfTime")
        say(node, _DCAT + "startDate", typed(start, "date"))
        say(node, _DCAT + "endDate", typed(end, "date"))

    # -- parts ---------------------------------------------------------------------------------------------------

    def _concept(self, iri: str, label: str) -> None:
        self.graph.is_a(iri, vocab.SKOS + "Concept")
        self.graph.say(iri, vocab.SKOS_PREF_LABEL, english(label))

    def _document(self, subject: str, predicate: str, page: str) -> None:
        self.graph.say(subject, predicate, page)
        self.graph.is_a(page, _FOAF + "Document")


def latest_day(quads: Iterable[SourceQuad], base: str) -> str:
    """The latest day on which a claim was made or reviewed, or a term changed; empty where nothing says so."""
    when = {_DCT + "created", _DCT + "modified", vocab.Names(base).kg + "reviewedOn"}
    return max((_day(q.quad.object) for q in quads if q.quad.predicate.value in when), default="")


def _day(node: object) -> str:
    """The day of a date or of a date and time; empty for anything else."""
    dated = isinstance(node, Literal) and node.datatype.value in (vocab.XSD + "date", vocab.XSD + "dateTime")
    return value_of(node)[:10] if dated else ""
