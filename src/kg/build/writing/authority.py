"""Codes of the vocabularies that DCAT-AP 3.0.1 names (its section "Controlled vocabularies"), as ``kg.toml`` uses them.

What kg.toml says in ``[catalog]`` is checked here, so that a slip is a finding and not a wrong catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kg import tags
from kg.config import FILE, Config
from kg.model import Finding, Place, error, warning
from kg.settings import is_address

_EU = "http://publications.europa.eu/resource/authority/"
_PUBLISHER_TYPE = "http://purl.org/adms/publishertype/"
_LICENCE_TYPE = "http://purl.org/adms/licencetype/"

THEME_SCHEME = _EU + "data-theme"
THEMES: Mapping[str, str] = {
    "AGRI": "Agriculture, fisheries, forestry and food",
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "INTR": "International issues",
    "JUST": "Justice, legal system and public safety",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
    "TECH": "Science and technology",
    "TRAN": "Transport",
}
AVAILABILITIES: Mapping[str, str] = {
    "AVAILABLE": "available",
    "EXPERIMENTAL": "experimental",
    "STABLE": "stable",
    "TEMPORARY": "temporary",
}
ACCESS = ("PUBLIC", "RESTRICTED", "NON_PUBLIC")
FREQUENCIES = (
    *("ANNUAL", "ANNUAL_2", "ANNUAL_3", "BIENNIAL", "BIMONTHLY", "BIWEEKLY", "CONT", "DAILY", "DAILY_2", "DECENNIAL"),
    *("HOURLY", "IRREG", "MONTHLY", "MONTHLY_2", "MONTHLY_3", "NEVER", "OTHER", "QUARTERLY", "QUINQUENNIAL"),
    *("TRIENNIAL", "UNKNOWN", "UPDATE_CONT", "WEEKLY", "WEEKLY_2", "WEEKLY_3"),
)
PUBLISHER_TYPES: Mapping[str, str] = {
    "Academia-ScientificOrganisation": "Academia/Scientific organisation",
    "Company": "Company",
    "IndustryConsortium": "Industry consortium",
    "LocalAuthority": "Local authority",
    "NationalAuthority": "National authority",
    "NonGovernmentalOrganisation": "Non-governmental organisation",
    "NonProfitOrganisation": "Non-profit organisation",
    "PrivateIndividual(s)": "Private individual(s)",
    "RegionalAuthority": "Regional authority",
    "StandardisationBody": "Standardisation body",
    "SupraNationalAuthority": "Supra-national authority",
}
FILE_TYPES: Mapping[str, str] = {
    "csv": "CSV",
    "jsonld": "JSON_LD",
    "nq": "RDF_N_QUADS",
    "nt": "RDF_N_TRIPLES",
    "rdf": "RDF_XML",
    "trig": "RDF_TRIG",
    "ttl": "RDF_TURTLE",
}
"""File extension → code of the EU's file types."""

_LANGUAGES = dict(
    zip(
        "ar bg cs da de el en es et fi fr ga hr hu it ja lt lv mt nb nl no pl pt ro ru sk sl sv tr uk zh".split(),
        "ARA BUL CES DAN DEU ELL ENG SPA EST FIN FRA GLE HRV HUN ITA JPN LIT LAV MLT NOB NLD NOR POL POR RON RUS "
        "SLK SLV SWE TUR UKR ZHO".split(),
        strict=True,
    )
)
_CC_PARTS = {
    "by": ("Attribution", "Attribution"),
    "sa": ("ViralEffect-ShareAlike", "Viral effect (a.k.a. Share-alike)"),
    "nc": ("NonCommercialUseOnly", "Non-commercial use only"),
    "nd": ("NoDerivativeWork", "No derivative work"),
    "zero": ("PublicDomain", "Work in the public domain"),
}


def theme(code: str) -> str:
    """The IRI of a theme of the EU's data portals."""
    return f"{THEME_SCHEME}/{code}"


def frequency(code: str) -> str:
    """The IRI of a frequency of publication."""
    return f"{_EU}frequency/{code}"


def access(code: str) -> str:
    """The IRI of who may have the data."""
    return f"{_EU}access-right/{code}"


def availability(code: str) -> str:
    """The IRI of how long a file is planned to be there."""
    return f"{_EU}planned-availability/{code}"


def publisher_type(code: str) -> str:
    """The IRI of a kind of publisher (ADMS)."""
    return _PUBLISHER_TYPE + code


def file_type(extension: str) -> str | None:
    """The IRI of the format of a file, by its extension."""
    code = FILE_TYPES.get(extension)
    return f"{_EU}file-type/{code}" if code else None


def language(tag: str) -> str | None:
    """The IRI of a language by its tag (BCP 47), or ``None`` where the table above does not know it.

    >>> language("en-GB")
    'http://publications.europa.eu/resource/authority/language/ENG'
    """
    code = _LANGUAGES.get(tags.primary(tag))
    return f"{_EU}language/{code}" if code else None


def licence_types(licence: str) -> list[tuple[str, str]]:
    """Kinds (ADMS) of a licence of Creative Commons, as IRI and label: its address says what it asks for.

    >>> [label for _, label in licence_types("https://creativecommons.org/licenses/by-nc/4.0/")]
    ['Attribution', 'Non-commercial use only']
    """
    found = re.match(r"https?://creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/", licence)
    parts = found[1].split("-") if found else []
    return [(_LICENCE_TYPE + _CC_PARTS[p][0], _CC_PARTS[p][1]) for p in parts if p in _CC_PARTS]


def check_catalog(config: Config) -> list[Finding]:
    """What is wrong with the settings of the catalogue, and what DCAT-AP requires that they do not say."""
    place = Place(FILE)
    found = [error("catalog", message, place) for message in _wrong_codes(config)]
    found += [
        warning("catalog", f"{name} is not set; a catalogue without it is not DCAT-AP", place)
        for name in ("title", "description", "publisher")
        if not getattr(config, name).strip()
    ]
    if config.license.strip() and not is_address(config.license.strip()):
        message = f"license {config.license[:100]!r} is no address, so nothing says it: write https://… of its text"
        found.append(warning("catalog", message, place))
    return found


def _wrong_codes(config: Config) -> Iterator[str]:
    said = config.catalog
    for name, values, known in (
        ("themes", said.themes, THEMES),
        ("frequency", (said.frequency,), FREQUENCIES),
        ("availability", (said.availability,), AVAILABILITIES),
        ("access", (said.access,), ACCESS),
        ("publisher_type", (said.publisher_type,), PUBLISHER_TYPES),
    ):
        for value in values:
            if value and value not in known:
                yield f"catalog.{name}: {value!r} is none of {', '.join(sorted(known))}"
