"""Parameters of a question are found whatever its text is like, and what is chosen is asked for as it is."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Store

from kg.query.parameters import chosen, find


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX : <http://x/> ASK { VALUES ?a { :b } ?s ?p ?a }",
        "PREFIX ask: <http://x/> SELECT * { VALUES ?a { ask:b } ?s ?p ?a }",
        "PREFIX my-select: <http://x/>\nPREFIX describe.it: <http://y/> ASK { VALUES ?a { my-select:b } ?s ?p ?a }",
        "PREFIX values: <http://x/> SELECT * { ?s values:ask ?a VALUES ?a { values:b } }",
        "# SELECT\nPREFIX : <http://x/#SELECT> BASE <http://x/> SELECT * { VALUES ?a { <b> } ?s ?p ?a }",
        "PREFIX : <http://x/> ASK { VALUES ?a { :b # } 'none\n} ?s ?p ?a }",
        "PREFIX : <http://x/> ASK { VALUES $a{:b} ?s ?p ?a }",
        "PREFIX : <http://x/> ASK { { SELECT ?a { values ?a { :b UNDEF } } } FILTER(?s != 'VALUES ?a { 1 }') }",
    ],
)
def test_the_block_of_a_parameter_is_found(text: str) -> None:
    (parameter,) = find(text, ["a"])
    assert parameter.terms == (NamedNode("http://x/b"),)


def test_escapes_in_a_block_are_read_as_sparql_reads_them() -> None:
    (parameter,) = find(r"PREFIX : <http://x/> ASK { VALUES ?a { :it\'s :no\#1 '}\'' } ?s ?p ?a }", ["a"])
    assert parameter.terms == (NamedNode("http://x/it's"), NamedNode("http://x/no#1"), Literal("}'"))


@pytest.mark.parametrize(
    "text", ['"', "\\", "'''", "}", "\n", "\r", "\x00", "é", "\u2028", "\U0001f6a2", "<http://x/>", "# x", r"\u0022"]
)
def test_a_text_that_is_chosen_is_asked_for_as_it_is(text: str) -> None:
    query = 'SELECT ?a { VALUES ?a { "x" } }'
    found = Store().query(chosen(query, find(query, ["a"]), {"a": Literal(text)}))
    assert [row["a"] for row in found] == [Literal(text)]  # type: ignore[union-attr]  # the solutions of a SELECT
