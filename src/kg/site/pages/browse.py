"""``/browse``: things and claims by kind, document, speaker, modality, basis, independent documents, place and year.

Every combination has an address of its own. What is chosen is counted, and leaves as a page, CSV, JSON, or as the
SPARQL query that asks the same (:mod:`kg.site.components.facets` says what that is). Of data that kg did not build
there are only things, by kind, year, and what they are linked with (:mod:`kg.site.elsewhere.traits`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from markupsafe import Markup

from kg import vocab
from kg.site.answers import variants
from kg.site.answers.address import here
from kg.site.components import facets
from kg.site.components.drawing import year_name
from kg.site.components.facets import MOST_CHOSEN, Chosen, Value
from kg.site.components.nodes import Linker
from kg.site.components.paging import listed
from kg.site.components.rows import kinds_of
from kg.site.elsewhere import traits
from kg.site.elsewhere.traits import iris
from kg.site.languages import marked
from kg.site.lookups.bitmaps import INDEPENDENT
from kg.site.lookups.labels import isolated
from kg.site.lookups.state import Site, current
from kg.site.templating import render

bp = Blueprint("browse", __name__)

MOST_EXPORTED = 10_000
"""Rows of a CSV or JSON; the query in SPARQL has no such limit."""

SHOWN = 8
"""Values of a facet that stand open; the others are a click away."""

LONGEST = 1_000
"""Characters of a value in an address."""

NAMES = {
    "kind": marked("Kind"),
    "document": marked("Document"),
    "speaker": marked("Who says it"),
    "modality": marked("How it is put"),
    "basis": marked("What it rests on"),
    INDEPENDENT: marked("Independent documents"),
    "place": marked("Place"),
    "year": marked("Year"),
}
CSV = "text/csv"
ORDER = "sort"
"""The parameter that names an order."""

ORDERS = {
    "things": {"mentions": marked("the most mentioned first"), "name": marked("by name")},
    "claims": {"name": marked("by their words"), "text": marked("as the texts have them")},
}


class Choice(NamedTuple):
    """A value of a facet as a page shows it: ``href`` chooses it, or leaves it out again where it is chosen."""

    text: Markup
    number: int
    href: str
    chosen: bool


@bp.get("/browse")
@bp.get("/browse.<any(html,csv,json):extension>")
def browse(extension: str | None = None) -> Response:
    """What is chosen, and what else may be."""
    made = (
        variants.page(_html),
        variants.in_json("json", _json),
        variants.Variant("csv", CSV, lambda: _csv().encode()),
    )
    return variants.respond("browse", made, extension)


def _chosen(site: Site) -> Chosen:
    show = "claims" if request.args.get("show") == "claims" and not site.foreign else "things"
    values = {}
    for facet in facets.names(site):
        asked = dict.fromkeys(text[:LONGEST] for text in request.args.getlist(_parameter(site, facet)) if text)
        known = (
            text for text in asked if facets.is_known(site, facet) and (facet not in facets.NUMBERS or _is_number(text))
        )
        values[facet] = tuple(facets.full(site, facet, text) for text in known)[:MOST_CHOSEN]
    order = request.args.get(ORDER, "")
    return Chosen(show, values, order if order in facets.orders(site, show)[1:] else "")


def _parameter(site: Site, facet: str) -> str:
    """What a facet is called in addresses."""
    return facet if facet in NAMES else site.labels.curie(facet) or facet


def _heading(site: Site, facet: str) -> Markup:
    return Markup("{}").format(site.language.gettext(NAMES[facet])) if facet in NAMES else site.labels[facet].html


def _address(site: Site, chosen: Chosen) -> str:
    """The query part of the address of a choice."""
    pairs = [("show", chosen.show)] if chosen.show != "things" else []
    pairs += [(ORDER, chosen.order)] if chosen.order else []
    pairs += [
        (_parameter(site, facet), facets.short(site, facet, value))
        for facet, values in chosen.values.items()
        for value in values
    ]
    return urlencode(pairs, safe="/:")


def _toggled(chosen: Chosen, facet: str, value: str) -> Chosen:
    now = chosen.values[facet]
    changed = tuple(v for v in now if v != value) if value in now else (*now, value)
    return chosen._replace(values={**chosen.values, facet: changed})


def _text(site: Site, facet: str, value: str) -> Markup:
    if facet == "year":
        return isolated(year_name(int(value), site.language), "")
    if facet == INDEPENDENT:
        said = site.language.ngettext("{count} document", "{count} documents", int(value))
        return Markup("{}").format(said.format(count=site.language.number(int(value))))
    return site.labels[value].html


def _named(site: Site, facet: str, value: str) -> dict[str, str]:
    """What a value is called, for programs; a number is its own name."""
    if facet in facets.NUMBERS:
        return {}
    label = site.labels[value]
    return {"label": label.text, "language": label.language}


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) < 7


def _choices(site: Site, chosen: Chosen, facet: str, offered: list[Value]) -> list[Choice]:
    """The values that a facet offers; what is chosen stays, even where nothing has it."""
    if facet == INDEPENDENT and not chosen.values[facet] and [value.value for value in offered] == ["1"]:
        return []  # nothing is stated by several: there is no choice
    missing = [facets.Value(v, 0) for v in chosen.values[facet] if v not in {o.value for o in offered}]
    return [
        Choice(
            text=_text(site, facet, value),
            number=count,
            href="?" + _address(site, _toggled(chosen, facet, value)),
            chosen=value in chosen.values[facet],
        )
        for value, count in (*offered, *missing)
    ]


def _html() -> str:
    site, root = current(), here()
    linker = site.linker(root)
    chosen = _chosen(site)
    counts = facets.Counts(site, chosen)
    count, cut = counts.count()
    found = listed(count, counts.results)
    known = counts.offered()
    offered = {facet: _choices(site, chosen, facet, some.values) for facet, some in known.items()}
    other = chosen._replace(show="things" if chosen.show == "claims" else "claims", order="")
    return render(
        "browse.html",
        root=root,
        headings={facet: _heading(site, facet) for facet in offered},
        shown=SHOWN,
        every={facet: some.every for facet, some in known.items()},
        facets=offered,
        active=[
            (_heading(site, facet), choice) for facet, choices in offered.items() for choice in choices if choice.chosen
        ],
        show=chosen.show,
        other="?" + _address(site, other),
        plain="?" + _address(site, chosen._replace(values={})),
        orders=_orders(site, chosen),
        items=[_item(site, linker, chosen, iri) for iri in found.items],
        list=found,
        cut=cut,
        query=_address(site, chosen),
        sparql=sparql(site, chosen),
    )


def _orders(site: Site, chosen: Chosen) -> list[tuple[str, str, bool]]:
    """What each order is called, the way to it, and whether it is the chosen one."""
    known = facets.orders(site, chosen.show)
    called, now = ORDERS[chosen.show], chosen.order or (known[0] if known else "")
    hrefs = {order: "?" + _address(site, chosen._replace(order=order)) for order in known[1:]}
    usual = "?" + _address(site, chosen._replace(order=""))
    return [(site.language.gettext(called[o]), hrefs.get(o, usual), o == now) for o in known]


def _item(site: Site, linker: Linker, chosen: Chosen, iri: str) -> tuple[Markup, list[Markup], Markup]:
    """A link, kinds, and who says it."""
    if chosen.show == "claims":
        source = site.evidence.claim(iri)
        return linker.link(iri), [], linker.says(source) if source else Markup("")
    types = kinds_of(site, iri)
    return linker.link(iri), [linker.kind(t) for t in sorted(types, key=lambda t: site.labels[t].key)], Markup("")


def _rows(site: Site, chosen: Chosen, counts: facets.Counts) -> Iterable[dict[str, Any]]:
    for iri in counts.results(MOST_EXPORTED, 0):
        label = site.labels[iri]
        row: dict[str, Any] = {"iri": iri, "label": label.text, "language": label.language}
        if chosen.show == "claims":
            source = site.evidence.claim(iri)
            if source:
                row |= {
                    "document": site.names.document(source.document),
                    "speaker": source.speaker,
                    "modality": source.modality,
                    "basis": source.basis,
                    "status": source.status,
                }
        else:
            row["kinds"] = sorted(kinds_of(site, iri))
        yield row


def _csv() -> str:
    """As RFC 4180 has it, the header first; several kinds in one cell stand with spaces between them."""
    site = current()
    chosen = _chosen(site)
    columns = ["iri", "label", "language"]
    columns += ["document", "speaker", "modality", "basis", "status"] if chosen.show == "claims" else ["kinds"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in _rows(site, chosen, facets.Counts(site, chosen)):
        writer.writerow({k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()})
    return text.getvalue()


def _json() -> dict[str, Any]:
    site = current()
    chosen = _chosen(site)
    counts = facets.Counts(site, chosen)
    count, cut = counts.count()
    return {
        "show": chosen.show,
        "chosen": {facet: list(values) for facet, values in chosen.values.items() if values},
        "count": count,
        "more": cut or count > MOST_EXPORTED,
        "sparql": sparql(site, chosen),
        "facets": {
            facet: [{"value": v.value, **_named(site, facet, v.value), "count": v.number} for v in some.values]
            for facet, some in counts.offered().items()
        },
        "results": list(_rows(site, chosen, counts)),
    }


def sparql(site: Site, chosen: Chosen) -> str:
    """The query that asks the same of any engine with this release in it, or of the store behind."""
    if site.foreign:
        return traits.sparql(site, chosen.values)
    lines = [
        f"PREFIX kg: <{site.names.kg}>",
        f"PREFIX prov: <{vocab.PROV}>",
        f"PREFIX rdfs: <{vocab.RDFS}>",
        "",
        f"SELECT DISTINCT ?{'claim' if chosen.show == 'claims' else 'thing'} WHERE {{",
        "  ?claim kg:mentions ?thing .",
    ]
    fields = {
        "document": "prov:hadPrimarySource",
        "speaker": "kg:speaker",
        "modality": "kg:modality",
        "basis": "kg:basis",
    }
    for facet, property_ in fields.items():
        if chosen.values[facet]:
            lines.append(f"  VALUES ?{facet} {{ {iris(chosen.values[facet])} }} ?claim {property_} ?{facet} .")
    if chosen.values[INDEPENDENT]:
        numbers = ", ".join(chosen.values[INDEPENDENT])
        lines += [
            "  OPTIONAL {",
            "    SELECT ?claim (MAX(?number) AS ?most) WHERE {",
            "      ?comparison a kg:Corroboration ; kg:compares ?claim ; kg:independentDocuments ?number .",
            "    } GROUP BY ?claim",
            "  }",
            f"  FILTER (COALESCE(?most, 1) IN ({numbers}))",
        ]
    if chosen.values["kind"]:
        lines.append(f"  VALUES ?kind {{ {iris(chosen.values['kind'])} }} ?type rdfs:subClassOf* ?kind .")
        lines.append("  { ?thing a ?type } UNION { GRAPH ?typed { ?thing a ?type } }")
    if chosen.values["place"]:
        places = iris(chosen.values["place"])
        lines += _in_any_graph(f"VALUES ?place {{ {places} }}", "?thing ?link ?place", f"VALUES ?thing {{ {places} }}")
    if chosen.values["year"]:
        pairs, things = facets.times_of(site, chosen.values["year"])
        times = " ".join(f"(<{property_}> <{time}>)" for property_, time in pairs)
        lines.append("  # The times of the year, as the index worked them out.")
        known = f"VALUES (?dated ?time) {{ {times} }}"
        lines += _in_any_graph(known, "?thing ?dated ?time", f"VALUES ?thing {{ {iris(things)} }}")
    return "\n".join([*lines, "}", ""])


def _in_any_graph(known: str, pattern: str, otherwise: str) -> list[str]:
    return [
        f"  {{ {known} {pattern} }}",
        f"  UNION {{ {known} GRAPH ?said {{ {pattern} }} }}",
        f"  UNION {{ {otherwise} }}",
    ]
