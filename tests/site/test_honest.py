"""Queries that mean no harm are answered: by the real server, with what the engine by itself answers, none refused."""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyoxigraph import Store
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
# Where `make clients` puts them.
W3C = Path(sys.prefix) / "clients/w3c"
ENOUGH = 1 << 20
"""Bytes of an answer that are read: a query without sense, as some of the W3C's over other data, gives very many."""

QUERY = {"Content-Type": "application/sparql-query"}
PROLOGUE = """BASE <http://localhost:8000/>
PREFIX : <id/> PREFIX kg: <ontology#> PREFIX load: <http://example.org/service#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
# What stands in the braces. Each shows another part of the grammar.
PATTERNS = """\
?s a ?c
?s a ?c ; rdfs:label ?l , ?m .
:north-pier ?p ?o .
?s rdfs:label "north pier"@en
?s ?p 4 ; ?q 5 , -4.5e1 .
?s ?p true , "x"^^xsd:date , '''it's a "SERVICE"''' , \"\"\"LOAD\\n\"\"\"
?s load:service ?load . ?load load:load [] .
?s ?p [ a ?c ] . ?c rdfs:label _:b . _:c ?u ( 1 ?v () )
?s rdfs:label/^rdfs:label ?o
:north-pier (a|kg:speaker)* ?c . :north-pier !(a|^rdfs:label) ?x . ?s kg:mentions+/a? ?y
?s ?p ?o OPTIONAL { ?o a ?c OPTIONAL { ?c rdfs:label ?l } } FILTER(!BOUND(?l) || LANGMATCHES(LANG(?l), "*"))
{ ?s a ?c } UNION { ?s rdfs:label ?l } UNION { }
GRAPH ?g { ?s ?p ?o FILTER(?g != <claim/gazette/1>) }
GRAPH <claim/gazette/1> { ?s ?p ?o }
?s ?p ?o MINUS { ?s a kg:Claim }
?s a ?c FILTER NOT EXISTS { ?s rdfs:label ?l } FILTER EXISTS { ?s ?p ?c }
VALUES (?s ?n) { (:north-pier 1) (UNDEF "two") } ?s ?p ?o
VALUES ?s { :north-pier <id/south-pier> } ?s ?p ?o
?s ?p ?o BIND(STRLEN(STR(?o)) + 1 AS ?n) FILTER(?n > 3 && ?n<100 || ?n IN (1, 2, 3))
?s ?p ?o FILTER REGEX(STR(?o), "^(a|b)+[c-e]{2,3}\\\\.", "i")
?s ?p ?o FILTER(IF(ISIRI(?o), COALESCE(?x, ?o), ?s) = ?o && !ISBLANK(?s) && DATATYPE(?o) NOT IN (xsd:string))
{ SELECT ?s (COUNT(DISTINCT ?o) AS ?many) { ?s ?p ?o } GROUP BY ?s HAVING(COUNT(*) > 1) ORDER BY DESC(?many) LIMIT 5 }
?s ?p ?o . FILTER(xsd:integer(?o) * 2 >= 4 / 2 - 1) FILTER(CONCAT(STR(?s), "#") != "# SERVICE <x> {}")
?s ?p ?o . FILTER(?s = <http://example.org/it's(here)#SERVICE> || ?s != <x>)
?café ?ṕ ?o . ?s load:naïve ?größe . ?s load:a·b load:x%20y\\-z ; load:1a.b ?t
BIND(NOW() AS ?now) BIND(RAND() AS ?dice) BIND(UUID() AS ?id) BIND(SHA256("x") AS ?hash) BIND(BNODE() AS ?b)
?s ?p ?o FILTER(SUBSTR(UCASE(STR(?o)), 1, 3) IN ("THE", "A") && YEAR("2020-01-01T00:00:00Z"^^xsd:dateTime) = 2020)
""".splitlines()
# What stands around it: {} is the pattern in its braces.
AROUND = (
    "SELECT * {}",
    "SELECT DISTINCT ?s {} ORDER BY ?s LIMIT 10 OFFSET 1",
    "SELECT REDUCED ?s WHERE {} ORDER BY DESC(STR(?s)) LIMIT 10",
    "SELECT (COUNT(*) AS ?rows) (GROUP_CONCAT(DISTINCT STR(?s); SEPARATOR=', ') AS ?all) {}",
    "SELECT ?s (SAMPLE(?p) AS ?any) {} GROUP BY ?s HAVING(COUNT(*) > 0)",
    "SELECT * {} VALUES ?s { :north-pier }",
    "SELECT * FROM <claim/gazette/1> FROM NAMED <claim/gazette/2> {}",
    "ASK {}",
    "ASK FROM <claim/gazette/1> {}",
    "CONSTRUCT { ?s a kg:Seen ; load:of _:x } WHERE {} LIMIT 10",
    "DESCRIBE ?s {} LIMIT 3",
    "# SERVICE <http://example.org/> { }\nselect*# LOAD\n{}\n# DROP ALL",
    "SELECT*{ {} UNION {} }",
    "SELECT * { {} OPTIONAL {} } LIMIT 20",
    "SELECT * { { SELECT * {} } } LIMIT 20",
    "SELECT * { ?x a kg:Claim FILTER EXISTS {} } LIMIT 20",
    "SELECT * { ?x a kg:Claim MINUS {} } LIMIT 20",
    "SELECT (EXISTS {} AS ?is) {}",
    "SELECT * { GRAPH ?g {} } LIMIT 20",
)


def ours() -> Iterator[str]:
    for path in sorted((ROOT / "data/queries").glob("*.rq")):
        yield "BASE <http://localhost:8000/>\n" + path.read_text(encoding="utf-8")
    for pattern, around in product(PATTERNS, AROUND):
        yield PROLOGUE + around.replace("{}", f"{{ {pattern} }}")


def w3c() -> Iterator[str]:
    if not W3C.is_dir():
        message = "the W3C's queries are not here: make clients"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    for path in sorted(W3C.rglob("*.rq")):
        with suppress(UnicodeDecodeError):
            text = path.read_text(encoding="utf-8")
            if not re.search(r"\bSERVICE\b", text, re.IGNORECASE):
                yield text


def accepted(query: str) -> bool:
    """Whether the engine by itself accepts a query; it knows none of the functions that some of the W3C's name."""
    try:
        Store().query(query, base_iri="http://localhost:8000/")
    except (SyntaxError, ValueError):
        return False
    except RuntimeError:
        return False
    return True


def refused(address: str, queries: Iterator[str]) -> tuple[int, list[tuple[int, str, str]]]:
    """How many were sent, and those that were not answered."""
    sent, found = 0, []
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)) as connection:
        for query in dict.fromkeys(queries):
            if not accepted(query):
                continue
            sent += 1
            connection.request("POST", "/sparql?evidence=false", query.encode(), QUERY)
            response = connection.getresponse()
            if response.status != 200:
                found.append((response.status, query, json.loads(response.read())["detail"]))
            elif not response.read(ENOUGH) or not response.isclosed():
                connection.close()  # as whoever has seen enough
    return sent, found


def test_five_hundred_queries_of_every_kind_are_answered(address: str) -> None:
    sent, found = refused(address, ours())
    assert found == []
    assert sent >= 500


def test_the_w3cs_queries_are_answered(address: str) -> None:
    sent, found = refused(address, w3c())
    assert found == []
    assert sent >= 500
