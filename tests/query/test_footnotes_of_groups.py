"""Footnotes of counts: a row names everything that was counted, and is what the engine says without footnotes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from tests.query.conftest import BASE
from tests.query.footnoting import HARBOUR, LOOSE, PREFIXES, Triple, ask, dataset, rows_in, traced
from tests.query.test_footnotes import claims, groups, solutions

from kg.query.footnotes import NOT_TRACEABLE, Tracer
from kg.query.groups import MOST_ROWS, MOST_WORDS


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT (COUNT(*) AS ?n) { ?x :near ?y }", [("2", "1|2 2")]),
        ("SELECT (COUNT(*) AS ?n) { ?x :nothing ?y }", [("0", "")]),
        ("SELECT ?y (COUNT(?x) AS ?n) { ?x :near ?y } GROUP BY ?y", [("town", "2", "1|2 2")]),
        ("SELECT (COUNT(?x) AS ?n) { ?x :near ?y } GROUP BY ?y", [("2", "1|2 2")]),
        ("SELECT ?y { ?x :near ?y } GROUP BY ?y", [("town", "1|2 2")]),
        ("SELECT ?x (MAX(?n) AS ?most) { ?x :cranes|:near ?n } GROUP BY ?x", None),
        ("SELECT DISTINCT ?x (COUNT(?n) AS ?all) { ?x :cranes|:near ?n } GROUP BY ?x ORDER BY ?x",
            [("pier", "2", "1 1|2"), ("quay", "1", "2")]),
        ("SELECT DISTINCT (COUNT(?n) AS ?all) { ?x :cranes|:folk ?n } GROUP BY ?x", [("1", None)]),
        ("SELECT DISTINCT (COUNT(?n) AS ?all) { ?x :near|:cranes ?n } GROUP BY ?x ORDER BY ?all LIMIT 1 OFFSET 1",
            [("2", "1 1|2")]),
        ("SELECT ?x { ?x :near|^:near ?n } GROUP BY ?x HAVING (COUNT(*) > 1)", None),
        ("SELECT ?s (MAX(?x) AS ?all) { ?x :near ?y OPTIONAL { ?x :cranes ?n } } GROUP BY (STR(?y) AS ?s)",
            [("town", "quay", "1|2 1 2")]),
        ("SELECT (COUNT(*) AS ?all) { ?x :near ?y } GROUP BY STR(?y) (?x = :pier) ORDER BY ?x",
            [("1", None), ("1", None)]),
        ("SELECT ?x (COUNT(*) AS ?all) { ?x :near ?y } GROUP BY ?x ORDER BY DESC(?x) LIMIT 1", [("quay", "1", "2")]),
        ("SELECT ?x (COUNT(*) AS ?all) { ?x :near ?y } GROUP BY ?x HAVING (?x != :quay)", [("pier", "1", "1|2")]),
        ("SELECT ?g (COUNT(*) AS ?all) { GRAPH ?g { ?x :cranes ?n } } GROUP BY ?g ORDER BY ?g",
            [("claim/a/1", "1", "1"), ("claim/a/3", "1", "3")]),
        ("SELECT (GROUP_CONCAT(STR(?n); SEPARATOR='; ') AS ?all) FROM claim:3 { ?x :cranes ?n }", [("5", "3")]),
        ("SELECT (COUNT(DISTINCT ?y) + 1 AS ?n) { ?x :near ?y }", [("2", "1|2 2")]),
        ("SELECT (COUNT(*) AS ?evidence) { ?x :near ?y }", [("2", "1|2 2")]),
        ("SELECT (SAMPLE(?x) AS ?some) { VALUES ?x { :a :a } }", [("a", "")]),
        ("SELECT (COUNT(*) AS ?n) { VALUES ?x { :a :b } } GROUP BY ?x", [("1", ""), ("1", "")]),
    ],
)  # fmt: skip
def test_a_row_has_the_footnotes_of_everything_that_was_counted(query: str, rows: list[tuple[Any, ...]] | None) -> None:
    found = ask(query)
    if rows is None:
        assert all(row[-1].startswith(NOT_TRACEABLE) for row in found)
        assert found
        return
    assert [row[:-1] for row in found] == [row[:-1] for row in rows]
    assert [set(row[-1].split()) for row, known in zip(found, rows, strict=True) if known[-1] is not None] == [
        set(known[-1].split()) for known in rows if known[-1] is not None
    ]


@given(claims, groups(), st.sampled_from(["?x", "?x ?y", "(STR(?x) AS ?s) ?z", ""]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_count_names_what_its_solutions_name(claims: dict[int, tuple[str, set[Triple]]], group: str, by: str) -> None:
    store, keys = dataset(claims, set()), [name for name in ("x", "y", "z", "s") if f"?{name}" in by.split()]
    if by.startswith("("):
        keys = ["s", "z"]
    names = " ".join("?" + key for key in keys)
    counted = f"SELECT {names} (COUNT(*) AS ?number) {{ {group} }} {f'GROUP BY {by}' if by else ''}"
    single = f"SELECT {names.replace('?s', '(STR(?x) AS ?s)')} ?x {{ {group} }}" if "?s" in names else None
    try:
        found, rows = traced(store, counted)
        each, all_rows = traced(store, single or f"SELECT * {{ {group} }}")
    except SyntaxError:
        reject()
    order = sorted(range(len(found.names) - 1), key=found.names.__getitem__)
    assert Counter(tuple(row[i] for i in order) for row in rows) == solutions(store, counted)
    if found.reason or each.reason:
        return
    behind: dict[tuple[Any, ...], set[str]] = {}
    for row in all_rows:
        key = tuple(row[each.names.index(k)] if k in each.names else None for k in keys)
        behind.setdefault(key, set()).update(row[-1].value.split())
    for row in rows:
        key = tuple(row[found.names.index(k)] for k in keys)
        assert set(row[-1].value.split()) == behind.get(key, set()), (counted, key)


def test_groups_whose_names_are_others_each_time_cannot_be_traced() -> None:
    query = f"{PREFIXES} SELECT ?k (COUNT(*) AS ?n) {{ ?x :near ?y }} GROUP BY (UUID() AS ?k)"
    rows = rows_in(Tracer(dataset(HARBOUR, LOOSE), BASE).answer(query, None, None))
    assert [(row[1].value, row[2].value) for row in rows] == [
        ("1", NOT_TRACEABLE + "groups that are others each time")
    ] * 2


def test_more_than_anybody_follows_is_said_and_the_rows_come_all_the_same() -> None:
    many: dict[int, tuple[str, set[Triple]]] = {
        number: ("stated", {("pier", "holds", str(number))}) for number in range(MOST_WORDS + 1)
    }
    store = dataset(many, {("pier", "marked", str(number)) for number in range(MOST_ROWS + 1)})
    (row,) = ask("SELECT (COUNT(*) AS ?n) { :pier :holds ?n }", store)
    assert row == (str(MOST_WORDS + 1), NOT_TRACEABLE + f"more than {MOST_WORDS:,} claims behind one row")
    (row,) = ask(f"SELECT (COUNT(*) AS ?n) {{ :pier :holds ?x FILTER(?x < {MOST_WORDS}) }}", store)
    assert (row[0], {*row[1].split()}) == (str(MOST_WORDS), {str(number) for number in range(MOST_WORDS)})
    (row,) = ask("SELECT (COUNT(*) AS ?n) { :pier :marked ?n }", store)
    assert row == (str(MOST_ROWS + 1), "-")
    rows = ask("SELECT ?n (COUNT(*) AS ?m) { :pier :marked ?n } GROUP BY ?n", store)
    assert len(rows) == MOST_ROWS + 1
    assert rows[0][-1] == NOT_TRACEABLE + f"more than {MOST_ROWS:,} groups"
