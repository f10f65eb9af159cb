"""What the editor at ``/query`` is made of: readers of answers in pieces, and where in a query the cursor stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROWS = [
    {"a": {"type": "literal", "value": '"}]{\\'}, "é😀": {"type": "uri", "value": "x:y"}},
    {},
    {"a": {"type": "literal", "value": '","bindings":[{', "xml:lang": "en"}},
]
SELECT: dict[str, Any] = {"head": {"link": [], "vars": ["a", "é😀"]}, "results": {"bindings": ROWS}}
TRIPLES = (
    '<a:s> <a:p> "é\\n\\"\\u00e9\\U0001F600"@en .\n'
    '_:b0 <a:p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    '<a:s> <a:p> "x"^^<http://www.w3.org/2001/XMLSchema#string> .\n'
    "<a:s> <a:p> _:b1 .\n"
    "<a:s> <a:p> <<( <a:s> <a:p> <a:o> )>> .\n"
)


@pytest.fixture
def parts(tab: Page, web: str) -> Page:
    """A page in which ``window.parts`` has the functions of the modules."""
    tab.goto(web + "favicon.svg")
    tab.evaluate(
        f"""Promise.all(["readers", "tokens", "namespaces"].map((name) => import(`{web}lib/query/${{name}}.js`)))
            .then((modules) => {{ window.parts = Object.assign({{}}, ...modules); }})"""
    )
    return tab


def read(parts: Page, reader: str, text: str, at: int) -> dict[str, Any]:
    found: dict[str, Any] = parts.evaluate(
        """([name, text, at]) => {
            const reader = new parts[name]();
            reader.push(text.slice(0, at));
            const before = { rows: reader.rows.length, complete: reader.complete };
            reader.push(text.slice(at));
            const { names, rows, complete, boolean } = reader;
            return { names, rows, complete, boolean, before };
        }""",
        [reader, text, at],
    )
    return found


def test_solutions_are_read_wherever_the_pieces_are_cut(parts: Page) -> None:
    text = json.dumps(SELECT, ensure_ascii=False, indent=1)
    names: list[str] = SELECT["head"]["vars"]
    expected = [[row.get(name) for name in names] for row in ROWS]
    for at in range(0, len(text), 7):
        found = read(parts, "BindingsReader", text, at)
        assert (found["names"], found["rows"], found["complete"]) == (names, expected, True), at
        assert found["before"]["complete"] is False


def test_yes_and_no_are_told_from_no_rows(parts: Page) -> None:
    for answer in (True, False):
        found = read(parts, "BindingsReader", json.dumps({"head": {}, "boolean": answer}), 5)
        assert found["boolean"] is answer
    none = read(parts, "BindingsReader", json.dumps({"head": {"vars": ["boolean"]}, "results": {"bindings": []}}), 5)
    assert (none.get("boolean"), none["rows"], none["complete"]) == (None, [], True)


def test_triples_are_read_wherever_the_pieces_are_cut(parts: Page) -> None:
    literal = [
        {"type": "literal", "value": 'é\n"é😀', "xml:lang": "en"},
        {"type": "literal", "value": "1", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
        {"type": "literal", "value": "x"},
    ]
    for at in range(0, len(TRIPLES), 5):
        found = read(parts, "TriplesReader", TRIPLES, at)
        assert [row[2] for row in found["rows"][:3]] == literal
        assert found["rows"][1][0] == {"type": "bnode", "value": "b0"}
        assert found["rows"][3][2] == {"type": "bnode", "value": "b1"}
        # What is not known to the reader is shown as it stands.
        assert found["rows"][4] == [{"type": "literal", "value": TRIPLES.splitlines()[4]}, None, None]
        assert found["complete"] is True


PLACES = {
    "": "",
    "SELECT ": "",
    "SELECT * { ": "subject",
    "SELECT * { ?x ": "predicate",
    "SELECT * { ?x a ": "object a",
    "SELECT * { ?x a x:B": "end a",
    "{ ?x x:p 'a'@en ; ": "predicate",
    "{ ?x x:p 'a'^^x:d , ": "object x:p",
    "{ ?x x:p 1.5 . ": "subject",
    "{ ?x x:p/": "predicate x:p",
    "{ ?x x:p/x:q ": "object x:q",
    "{ ?x x:a\\/b ": "object x:a\\/b",
    "{ ?x (x:p|^x:q)+ ": "object )",
    "{ ?x (x:p|": "predicate",
    "{ ?x x:p [ ": "predicate",
    "{ ?x x:p [ x:q ?y ] ": "end x:p",
    "{ [ x:q ?y ] ": "predicate",
    "{ ?x x:p ( ": "object x:p",
    "{ ?x x:p ?y } ORDER BY ": "",
    "{ ?x x:p ?y OPTIONAL { ?x ": "predicate",
    "{ FILTER(?x > ": "",
    "{ ?x x:p ?y FILTER(?x > 3) ": "subject",
    "{ ?x x:p ?y FILTER regex(?y, '}') ?z ": "predicate",
    "{ FILTER NOT EXISTS { ?x ": "predicate",
    "{ BIND(1 AS ?n) ?x ": "predicate",
    "{ VALUES ?x { x:a ": "object",
    "{ VALUES (?x ?y) { ( x:a ": "object",
    "{ VALUES ?x { x:a } ?x ": "predicate",
    "{ GRAPH ?g { ?x ": "predicate",
    "{ GRAPH ": "subject",
    "{ ?x x:p ?y . # . comment {\n ?z ": "predicate",
    "{ ?x <http://example.org/#.> ": "object <http://example.org/#.>",
    "CONSTRUCT { ?x ": "predicate",
}


def test_the_place_behind_an_unfinished_query_is_known(parts: Page) -> None:
    found = parts.evaluate("texts => texts.map(text => parts.placeAfter(text))", list(PLACES))
    places = [f"{place['slot']} {place['predicate']}".strip() for place in found]
    assert dict(zip(PLACES, places, strict=True)) == PLACES


def test_declarations_are_read_and_added_where_they_belong(parts: Page) -> None:
    query = "# a question\nBASE <http://b/>\nprefix : <id/>\nPREFIX x: <http://x#> # why\nSELECT * {}"
    found = parts.evaluate(
        """(query) => {
            const names = new parts.Namespaces("http://site/");
            names.learn({ prefixes: { y: "http://y/", x: "http://other/" }, base: "http://site/" });
            const text = (iri) => names.shorten(iri, query);
            return {
                forms: ["", "ASK {}", "# SELECT\\nPREFIX ask: <x>\\nconstruct {}"].map(parts.formOf),
                known: text("http://b/id/n"),
                missing: text("http://y/n"),
                taken: text("http://other/n"),
                odd: text("http://x#a/b"),
                behind: names.declaration("y", "http://y/", query),
                first: names.declaration("y", "http://y/", "# a\\n\\nSELECT"),
            };
        }""",
        query,
    )
    assert found == {
        "forms": ["", "ASK", "CONSTRUCT"],
        "known": {"text": ":n"},
        "missing": {"text": "y:n", "prefix": "y", "namespace": "http://y/"},
        "taken": {"text": "<http://other/n>"},
        "odd": {"text": "<http://x#a/b>"},
        "behind": {"from": query.index(" # why"), "insert": "\nPREFIX y: <http://y/>"},
        "first": {"from": 5, "insert": "PREFIX y: <http://y/>\n"},
    }
