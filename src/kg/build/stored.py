"""What of a triple the store keeps: literals in their canonical form, and nothing that a dump could not say."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import cast

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple
from rdflib import Literal as RdflibLiteral
from rdflib import URIRef

from kg import dates, media, vocab
from kg.build import far_dates
from kg.model import Finding, Place, error, value_of, warning

# rdflib logs a traceback for every literal outside its datatype; here that becomes a finding.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)
far_dates.teach()

_ANY = NamedNode("urn:x-kg:any")
_STRING, _INTEGER = vocab.XSD + "string", vocab.XSD + "integer"
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SHOWN = 100
"""Characters of a literal in a message."""

_EXAMPLES = {
    "date": "2024-03-03",
    "dateTime": "2024-03-03T12:00:00Z",
    "gYear": "2024",
    "gYearMonth": "2024-03",
    "decimal": "12.5",
    "integer": "12",
    "boolean": "true",
}
"""How values of datatypes are written that people often write in their own way."""

_YEAR, _CLOCK, _ZONE = r"-?\d{4,6}", r"\d\d:\d\d:\d\d(?:\.\d+)?", r"(?:Z|[+-]\d\d:\d\d)?"
_FORMS = {
    vocab.XSD + kind: re.compile(form + _ZONE, re.ASCII)
    for kind, form in (
        ("gYear", _YEAR),
        ("gYearMonth", rf"{_YEAR}-\d\d"),
        ("date", rf"{_YEAR}-\d\d-\d\d"),
        ("dateTime", rf"{_YEAR}-\d\d-\d\dT{_CLOCK}"),
        ("time", _CLOCK),
    )
}
"""How times are written (XML Schema part 2, sections 3.3.7 to 3.3.11): rdflib reads more of ISO 8601, such as weeks."""

_YEARS = (vocab.XSD + "gYear", vocab.XSD + "gYearMonth")
"""Datatypes that rdflib does not look at."""

_LITERALS = Store()
_CANONICAL: dict[Literal, Literal] = {}


def canonical(literal: Literal) -> Literal:
    """The literal as the store will give it back: ``"01"^^xsd:integer`` becomes ``1``."""
    if literal.language is not None or literal.datatype.value == _STRING:
        return literal
    if literal not in _CANONICAL:
        _LITERALS.add(Quad(_ANY, _ANY, literal))
        kept = next(iter(_LITERALS))
        _LITERALS.remove(kept)  # a seventh of what clear() takes
        _CANONICAL[literal] = cast(Literal, kept.object)
    return _CANONICAL[literal]


_is_xml_property = cache(media.is_xml_property)


def stored(quad: Quad, place: Place, findings: list[Finding]) -> Quad | None:
    """The quad with its literal made canonical, or ``None`` and a finding where it cannot be kept."""
    value = quad.object
    if not _is_xml_property(quad.predicate.value):
        message = f"<{quad.predicate.value}> is no property in RDF/XML (section 8): its IRI must end in a name"
        findings.append(error("property", message, place, value_of(quad.subject)))
        return None
    if isinstance(value, Triple):
        findings.append(error("rdf-1.2", "triple terms are not stored: write a claim instead", place))
        return None
    if not isinstance(value, Literal):
        return quad
    if value.direction is not None:
        findings.append(error("rdf-1.2", "literals with a base direction are not stored", place))
        return None
    # One would spoil a whole dump.
    found = media.NOT_IN_XML.search(value.value)
    if found:
        message = f"the character U+{ord(found[0]):04X} cannot stand in RDF/XML (XML 1.0, section 2.2): leave it out"
        findings.append(error("character", message, place, value_of(quad.subject)))
        return None
    if value.language is not None:
        return quad
    datatype = value.datatype.value
    if datatype == _INTEGER and _CANONICAL_INTEGER.fullmatch(value.value):
        return quad  # the most there are
    if datatype != _STRING and not _is_possible(value.value, datatype):
        kind = datatype.rpartition("#")[2]
        example = f", such as {_EXAMPLES[kind]!r}" if kind in _EXAMPLES else ""
        findings.append(error("literal", f"{_short(value)} is no possible {kind}{example}", place))
        return None
    if quad.predicate.value in vocab.LANGUAGE_TAGGED and datatype == _STRING:
        local = re.split("[#/]", quad.predicate.value)[-1]
        message = f'{local} "{value.value[:60]}" has no language: write "…"@en, or the language it is in'
        findings.append(error("language", message, place, value_of(quad.subject)))
        return None
    kept = canonical(value)
    if kept == value:
        return quad
    findings.append(warning("canonical", f"{_short(value)} is stored as {_short(kept)}", place))
    return Quad(quad.subject, quad.predicate, kept, quad.graph_name)


def _is_possible(text: str, datatype: str) -> bool:
    """Whether a text is in the lexical space of a datatype; of unknown ones every text is."""
    if datatype in _FORMS and not _FORMS[datatype].fullmatch(text):
        return False
    if datatype in _YEARS:
        return dates.read(text) is not None
    return not RdflibLiteral(text, datatype=URIRef(datatype)).ill_typed


def _short(literal: Literal) -> str:
    text = literal.value
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
