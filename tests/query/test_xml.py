"""Answers in XML can be read, whatever a query makes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from kg.errors import QueryRefused
from kg.query.base import Query
from kg.query.pool import Pool


def ask(pool: Pool, text: str, media_type: str) -> bytes:
    with pool.run(Query(text, media_type)) as answer:
        return b"".join(answer.chunks)


@pytest.mark.parametrize("media_type", ["application/sparql-results+xml", "application/rdf+xml"])
def test_an_answer_in_xml_is_well_formed_whatever_characters_it_has(media_type: str, pool: Pool) -> None:
    odd = "a\\u0001\\u000B\\uFFFE\\uFFFFb\\t\\n\u00e9\U0001f600"
    form = "SELECT ?o" if "results" in media_type else "CONSTRUCT { <s> <#p> ?o }"
    long = "\uffee" * 9_000  # begins with the same two bytes as what cannot be written
    query = f'{form} {{ VALUES ?o {{ "{odd}" "{long}{odd}" }} }}'
    values = [element.text or "" for element in ET.fromstring(ask(pool, query, media_type)).iter()]
    found = {value.lstrip("\uffee") for value in values if value.strip()}
    assert found == {"a\ufffd\ufffd\ufffd\ufffdb\t\n\u00e9\U0001f600"}


@pytest.mark.parametrize("local", ["1", "", "a%20", "a(b)"])
def test_a_property_that_rdf_xml_cannot_write_is_refused_by_name(local: str, pool: Pool) -> None:
    query = f"CONSTRUCT {{ <s> <http://example.org/p/{local}> 1 }} {{}}"
    with pytest.raises(QueryRefused, match=re.escape(f"<http://example.org/p/{local}> is no property in RDF/XML")):
        ask(pool, query, "application/rdf+xml")
    assert ask(pool, query, "text/turtle")
