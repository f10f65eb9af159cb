"""The dataset in schema.org's terms, as JSON-LD inside a page (https://schema.org/Dataset).

The context names the vocabulary itself: a remote one could not be read offline. As in the vocabulary's own context,
what these properties lead to is an address, no text. The block is data, which no browser
runs, so the policy against inline scripts stands; ``<``, ``>`` and ``&`` are escaped, so that no text can end it
(HTML Standard, section 4.12.1.3).
"""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from kg import media, vocab
from kg.settings import is_address
from kg.site.data.metadata import Metadata, read
from kg.site.lookups.memo import per_site
from kg.site.lookups.state import Site

_DCAT, _DCT = vocab.DCAT, vocab.DCTERMS


_CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    **{name: {"@type": "@id"} for name in ("contentUrl", "isBasedOn", "license", "url")},
}


@per_site()
def dataset(site: Site) -> Markup:
    """The content of a ``script`` element of type ``application/ld+json``."""
    text = json.dumps(describe(site), ensure_ascii=False, sort_keys=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


SOURCES = 100
"""Documents that a page says the dataset is based on; ``/catalog`` has all of them."""


def describe(site: Site) -> dict[str, Any]:
    """The description; what is not known is left out."""
    manifest, names = site.release.manifest, site.names
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Dataset",
        "@id": names.dataset,
        "identifier": names.dataset,
        "url": names.base,
        "name": manifest.title,
        "description": manifest.description.strip(),
        "version": site.release.version,
        "license": _licence(manifest.license),
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": names.base + entry.path,
                "contentSize": f"{entry.size} B",
                "encodingFormat": media.of_dump(entry.path),
                "sha256": entry.sha256,
            }
            for entry in site.release.dumps()
        ],
    }
    if manifest.publisher:
        publisher = {"@type": "Organization", "@id": names.catalog + "#publisher", "name": manifest.publisher}
        found |= {"publisher": publisher, "creator": publisher}
    catalog = read(site, "catalog")
    if catalog:
        found |= _catalogued(catalog, site)
    return {key: value for key, value in found.items() if value or value is False}


def _catalogued(catalog: Metadata, site: Site) -> dict[str, Any]:
    """What only the catalogue says."""
    dataset_ = site.names.dataset
    period = catalog.value(dataset_, _DCT + "temporal")
    place = catalog.value(dataset_, _DCT + "spatial")
    box = catalog.box(place)
    found: dict[str, Any] = {
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": site.names.catalog, "url": site.names.catalog},
        "keywords": catalog.values(dataset_, _DCAT + "keyword"),
        "datePublished": catalog.value(dataset_, _DCT + "issued"),
        "dateModified": catalog.value(dataset_, _DCT + "modified"),
        "isBasedOn": catalog.values(dataset_, vocab.PROV + "wasDerivedFrom")[:SOURCES],
    }
    access = catalog.value(dataset_, _DCT + "accessRights")
    if access:
        found["conditionsOfAccess"] = access
        # Of the authority's codes, the one for what everybody may have.
        found["isAccessibleForFree"] = access.endswith("/PUBLIC")
    if period:
        found["temporalCoverage"] = "/".join(catalog.value(period, _DCAT + end) for end in ("startDate", "endDate"))
    if place:
        found["spatialCoverage"] = {"@type": "Place", "@id": place}
    if box:
        west, south, east, north = box
        found["spatialCoverage"]["geo"] = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
    return found


def _licence(text: str) -> str | dict[str, str]:
    """An address as it is; other words are the name of a licence."""
    if not text or is_address(text):
        return text
    return {"@type": "CreativeWork", "name": text}
