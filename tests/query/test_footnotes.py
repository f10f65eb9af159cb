"""Footnotes are right: withdraw what they name, and the solution is gone; and they change no answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pyoxigraph import Store
from tests.query.conftest import BASE
from tests.query.footnoting import HARBOUR, KINDS, LOOSE, PREFIXES, PUBLISHED, Triple, ask, claim, dataset, traced

from kg.query.claims import NO_CLAIM
from kg.query.footnotes import NOT_TRACEABLE
from kg.query.parser import parse

# What a footnote says


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT ?x { :pier :cranes ?x }", [("4", "1")]),
        ("SELECT ?x { ?x :near :town } ORDER BY ?x", [("pier", "1|2"), ("quay", "2")]),
        ("SELECT ?x { ?x :near :town ; :label ?l } ORDER BY ?x", [("pier", "1|2 -"), ("quay", "2 -")]),
        ("SELECT ?x { ?x :near/:in :land ; :cranes [] }", [("pier", "1|2 4 1")]),
        ("SELECT ?x { :land ^:in ?x }", [("town", "4")]),
        ("SELECT DISTINCT ?x ?y { ?x :cranes|:folk ?y } ORDER BY ?x", [("pier", "4", "1"), ("town", "900", "4")]),
        ("SELECT DISTINCT ?x { ?x (:near|:in)/:in :land ; :cranes [] }", [("pier", "1|2 4 1")]),
        ("SELECT DISTINCT ?x ?y { ?x :near ?t OPTIONAL { ?t ^(:no|:near) ?y FILTER(?y != ?x) } } ORDER BY ?x",
            [("pier", "quay", "1|2 2"), ("quay", "pier", "2 1|2")]),
        ("SELECT DISTINCT * { GRAPH claim:3 { :pier :cranes|:folk ?n } }", [("5", "3")]),
        ("SELECT ?l { :pier ^(^:in/^(:near)) ?l }", [("land", "1|2 4")]),
        ("SELECT DISTINCT ?y ?z { :pier :near|:cranes ?y, ?z } ORDER BY ?y ?z",
            [("town", "town", "1|2"), ("town", "4", "1|2 1"), ("4", "town", "1 1|2"), ("4", "4", "1")]),
        ("SELECT ?x { ?x :near ?y FILTER NOT EXISTS { ?x :cranes ?n } }", [("quay", "2")]),
        ("SELECT ?x ?n { ?x :near ?y MINUS { ?x :label [] . ?y :no ?y } OPTIONAL { ?x :cranes ?n } } ORDER BY ?x",
            [("pier", "4", "1|2 1"), ("quay", None, "2")]),
        ("SELECT ?x ?n { ?x :near ?y OPTIONAL { ?x :cranes ?n FILTER NOT EXISTS { ?y (:in|!:near)+ :no } } }",
            [("quay", None, "2"), ("pier", "4", "1|2 1")]),
        ("SELECT ?x { ?x :label/:under* :all ; :near ?y } ORDER BY ?x", [("pier", "- 1|2"), ("quay", "- 2")]),
        ("SELECT ?k { :pier (:under|^:over)+ ?k } ORDER BY ?k", [("all", ""), ("harbour", "")]),
        ("SELECT ?x ?k { GRAPH ?g { ?x :cranes 5 . ?x ^:under? ?k } }", [("pier", "pier", "3")]),
        ("SELECT ?x { ?a :under ?b . ?b :under* ?c . ?c (:under?) ?d . ?x :near/:in ?e } LIMIT 1",
            [("pier", "- 1|2 4")]),
        ("SELECT ?x ?y ?n { ?x :near ?y OPTIONAL { ?x :cranes ?n } } ORDER BY ?x",
            [("pier", "town", "4", "1|2 1"), ("quay", "town", None, "2")]),
        ("SELECT ?x { { ?x :cranes 4 } UNION { ?x :folk 900 } } ORDER BY ?x", [("pier", "1"), ("town", "4")]),
        ("SELECT ?x { VALUES ?x { :quay } ?x :near ?y BIND(STR(?y) AS ?z) FILTER(?z != '') }", [("quay", "2")]),
        ("SELECT (?n * 2 AS ?m) { ?x :cranes ?n FILTER(?n<5) }", [("8", "1")]),
        ("SELECT ?n { GRAPH ?g { :pier :cranes ?n } } ORDER BY ?n", [("4", "1"), ("5", "3")]),
        ("SELECT ?n { GRAPH claim:3 { :pier :cranes ?n } }", [("5", "3")]),
        ("SELECT ?n { GRAPH <graph/background> { :town :folk ?n } }", [("900", "4")]),
        ("SELECT ?n FROM claim:3 FROM claim:1 { :pier :cranes ?n } ORDER BY ?n", [("4", "1"), ("5", "3")]),
        ("SELECT ?n FROM <graph/background> { :town :folk ?n }", [("900", "4")]),
        ("SELECT ?n FROM NAMED claim:3 { GRAPH ?g { :pier :cranes ?n } }", [("5", "3")]),
        ("SELECT ?k { claim:1 kg:modality ?k }", [("ontology#asserted", "-")]),
        ("SELECT * { :pier :cranes 4 }", [("1",)]),
        ("SELECT * { }", [("",)]),
        ("SELECT DISTINCT ?y { ?x :near ?y } ORDER BY ?x LIMIT 1", [("town", "1|2")]),
        ("SELECT DISTINCT ?y { ?x :near ?y } OFFSET 1", []),
        ("SELECT ?x { ?x :near :town } ORDER BY DESC(?x) LIMIT 1", [("quay", "2")]),
        ("SELECT ?x { ?x :near :town } VALUES ?x { :quay }", [("quay", "2")]),
        ("SELECT ?x { ?x :near :town FILTER(BOUND(?x) && (BOUND(?x))) } ORDER BY ?x LIMIT 1", [("pier", "1|2")]),
        ("SELECT ?evidence { ?evidence :folk 900 }", [("town", "4")]),
        ("SELECT ?evidence ?n { :town :folk ?n }", [("900", "4")]),
        ("SELECT DISTINCT ?evidence (?n + 1 AS ?m) { :town :folk ?n }", [("901", "4")]),
        ("SELECT ?n ?evidence { :town :folk ?n } ORDER BY ?evidence", [("900", None, "4")]),
        ("SELECT (?n AS ?m) { ?x :near ?y OPTIONAL { ?x :cranes ?n } } ORDER BY ?n", [(None, "2"), ("4", "1|2 1")]),
        ("SELECT ?n { GRAPH ?g { { :pier :cranes ?n } UNION { :town :folk ?n } } } ORDER BY ?n",
            [("4", "1"), ("5", "3"), ("900", "4"), ("900", "4")]),
        ("SELECT ?x { ?x :near :town . ?x :near ?t } ORDER BY ?x LIMIT 1", [("pier", "1|2")]),
    ],
)  # fmt: skip
def test_a_footnote_names_the_claims_of_each_matched_triple(query: str, rows: list[tuple[Any, ...]]) -> None:
    assert ask(query) == rows


def test_a_dataset_of_the_request_counts_instead_of_the_querys(tmp_path: Path) -> None:
    query = "SELECT ?n FROM claim:1 { :pier :cranes ?n }"
    assert ask(query, default=[claim(3).value], named=[]) == [("5", "3")]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT ?x { ?x :near ?y FILTER EXISTS { ?x :cranes ?n } }", "EXISTS"),
        ("SELECT ?x { ?x :near ?y FILTER(?x != :a && NOT EXISTS { ?x :cranes ?n }) }", "EXISTS"),
        ("SELECT ?x { ?x :near ?y FILTER NOT EXISTS { ?x :folk ?n FILTER NOT EXISTS { ?y :no ?n } } }", "EXISTS"),
        ("SELECT ?x { ?x :near ?y MINUS { ?x :near ?z OPTIONAL { ?x :folk ?n } FILTER(?n = 900) } }", "OPTIONAL"),
        ("SELECT ?x { ?x :near ?y FILTER NOT EXISTS { ?x :folk ?n FILTER(COALESCE(?n, 1) = 1) } }", "COALESCE"),
        ("SELECT ?x { ?x :near ?y FILTER(NOT EXISTS { ?x :folk ?n }) }", "EXISTS"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER(!BOUND(?n)) }", "BOUND"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER(BOUND(?n) = false) }", "BOUND"),
        ("SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER((BOUND(?n)) = false) }", "BOUND"),
        ("SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER((((BOUND(?n) && true))) != true) }", "BOUND"),
        ("SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER(STR((BOUND(?n))) = 'false') }", "BOUND"),
        ("SELECT (BOUND(?n) AS ?b) { ?x :near ?y OPTIONAL { ?x :cranes ?n } }", "BOUND"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes ?n } FILTER(COALESCE(?n, 0) = 0) }", "COALESCE"),
        ("SELECT (COUNT(*) AS ?n) { ?x :near* ?y }", "path"),
        ("SELECT ?y { ?x :near ?y } GROUP BY ?y VALUES ?y { :town }", "VALUES"),
        ("SELECT (1 AS ?n) { ?x :near ?y } HAVING (true) VALUES ?z { :town }", "VALUES"),
        ("SELECT (COUNT(BOUND(?n)) AS ?m) { ?x :near ?y OPTIONAL { ?x :cranes ?n } }", "BOUND"),
        ("SELECT ?x { ?x :near* ?y }", "path"),
        ("SELECT ?x { ?x :near+ ?y }", "claims state"),
        ("SELECT ?x { :pier (:under|:near)* ?x }", "claims state"),
        ("SELECT ?x { ?x :cranes ?n . ?n (:under|:folk)* ?k }", "claims state"),
        ("SELECT ?x { ?x :under* ?y }", "no triple beside it binds"),
        ("SELECT ?x { ?x :under* ?y VALUES ?x { :pier } }", "no triple beside it binds"),
        ("SELECT ?x { GRAPH ?g { ?x :cranes ?n } ?x :under? ?y }", "no triple beside it binds"),
        ("SELECT ?x ?y { ?x :label ?l OPTIONAL { ?x :under* ?y } }", "no triple beside it binds"),
        ("SELECT ?x { ?x (!:no)* :town . ?x :label ?l }", "path"),
        ("SELECT DISTINCT ?x { ?x (:near|^:in) ?y }", "path"),
        ("SELECT ?x { ?x :near|:in ?y }", "no DISTINCT"),
        ("SELECT DISTINCT ?x { ?x (:near/:in)|:in ?y }", "path"),
        ("SELECT DISTINCT ?x { ?x :near|:in/:in ?y }", "path"),
        ("SELECT DISTINCT ?x { ?x :near/:in|:in ?y }", "path"),
        ("SELECT DISTINCT ?x { ?x ((:near|:in)|:in) ?y }", "path"),
        ("SELECT ?x { ?x !:near ?y }", "path"),
        ("SELECT ?x { ?x :near ?y { SELECT ?x { ?x :cranes ?n } } }", "sub-query"),
        ("SELECT ?x { GRAPH ?g { } :pier :near ?x }", "GRAPH"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes ?n } OPTIONAL { ?x :folk ?n } }", "?n"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes 4 } }", "OPTIONAL"),
        ("SELECT ?x { ?x :near ?y OPTIONAL { ?x :cranes ?n } }", "selects"),
        ("SELECT (STR(?n) AS ?m) { ?x :near ?y OPTIONAL { ?x :cranes ?n } }", "selects"),
        ("SELECT ?x ?evidence { ?x :near? ?y }", "path"),
        ("SELECT * { GRAPH ?g { { } UNION { :town :folk ?n } } }", "GRAPH"),
        ("SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n OPTIONAL { ?y :folk ?f } } }", "?y"),
        ("SELECT * { VALUES (?x ?n) { (:pier UNDEF) } OPTIONAL { ?x :cranes ?n } }", "?n"),
    ],
)
def test_what_cannot_be_traced_says_so_in_every_row(query: str, reason: str) -> None:
    store = dataset(HARBOUR, LOOSE)
    plain: Any = store.query(PREFIXES + query, base_iri=BASE)
    rows = ask(query, store)
    assert len(rows) == len(list(plain))
    assert rows
    for row in rows:
        assert row[-1].startswith(NOT_TRACEABLE)
        assert reason in row[-1]


def test_a_query_that_is_wrong_is_refused_as_without_footnotes() -> None:
    with pytest.raises(SyntaxError, match="1:"):
        ask("SELECT ?x { ?x :near }")
    for query in (
        "SELECT * { _:a :near ?x OPTIONAL { _:a :cranes ?y } }",
        "SELECT * { ?x :near ?y ?x :cranes ?n }",
        "SELECT * { ?x :near ?y } LIMIT 1 LIMIT 2",
        "SELECT ?x ?x { ?x :near ?y }",
        "SELECT * { nope:a :near ?y }",
    ):
        with pytest.raises(SyntaxError):
            ask(query)
    with pytest.raises(ValueError, match="SELECT"):
        ask("ASK { }")


# The property


NAMES = ("a", "b", "c")
PREDICATES = ("p", "q")
VALUES = (*NAMES, "1", "2")
VARIABLES = ("?x", "?y", "?z")

names = st.sampled_from(NAMES)
triples = st.tuples(names, st.sampled_from(PREDICATES), st.sampled_from(VALUES))
claims = st.dictionaries(
    st.integers(1, 6), st.tuples(st.sampled_from([*KINDS]), st.sets(triples, min_size=1, max_size=4)), max_size=6
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    subject = draw(st.sampled_from([*VARIABLES, *VARIABLES, ":a", ":b", "[]"]))
    predicate = draw(st.sampled_from([":p", ":q", ":p", ":q", "?r", "^:p", ":p/:q"]))
    value = draw(st.sampled_from([*VARIABLES, *VARIABLES, ":a", ":b", "1", "[ :p ?w ]", "_:l"]))
    value = value.replace("_:l", f"_:l{draw(st.integers(0, 10**9))}")
    return f"{subject} {predicate} {value} . "


@st.composite
def groups(draw: st.DrawFn, depth: int = 2, *, optionals: bool = True) -> str:
    """A group.

    Where branches of a UNION hold an OPTIONAL, a variable tells them apart: a solution that lost its optional part is
    not to be taken for one of the other branch.
    """
    parts = draw(st.lists(patterns(), min_size=1, max_size=2))
    if depth:
        kinds = [kind for kind in KINDS_OF_PART if optionals or kind != "optional"]
        for kind in draw(st.lists(st.sampled_from(kinds), max_size=2)):
            number = draw(st.integers(0, 10**9))
            if kind == "optional":
                own = draw(st.sampled_from([f"?x :q ?o{number} .", f"?y :p ?o{number} .", ""]))
                parts.append(f"OPTIONAL {{ {own} {draw(groups(depth - 1, optionals=optionals))} }} ")
            elif kind == "union":
                inner = optionals and draw(st.booleans())
                one, two = (draw(groups(depth - 1, optionals=inner)) for _ in range(2))
                marks = [f"BIND({n} AS ?u{number})" * inner for n in (1, 2)]
                parts.append(f"{{ {one} {marks[0]} }} UNION {{ {two} {marks[1]} }} ")
            elif kind == "group":
                parts.append(f"{{ {draw(groups(depth - 1, optionals=optionals))} }} ")
            elif kind == "graph":
                parts.append(f"GRAPH ?g{number % 2} {{ {draw(patterns())} }} ")
            else:
                parts.append(draw(st.sampled_from(SMALL[kind])).replace("?new", f"?n{number}"))
    return "".join(parts)


KINDS_OF_PART = ("optional", "optional", "union", "group", "filter", "values", "bind", "graph")
SMALL = {
    "filter": ["FILTER(?x != ?y) ", "FILTER(isIRI(?y)) ", "FILTER(BOUND(?z)) ", "FILTER(?y<2) "],
    "values": ["VALUES ?x { :a :b } ", "VALUES (?x ?y) { (:a UNDEF) (:b 1) } "],
    "bind": ["BIND(STR(?x) AS ?new) ", "BIND(?y + 1 AS ?new) "],
}


def solutions(store: Store, query: str) -> Counter[tuple[Any, ...]]:
    results: Any = store.query(PREFIXES + query, base_iri=BASE)
    names = sorted(v.value for v in results.variables)
    return Counter(tuple(row[name] for name in names) for row in results)


@given(claims, st.sets(triples, max_size=2), groups())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_withdrawing_the_claims_of_one_triple_removes_the_solution(
    claims: dict[int, tuple[str, set[Triple]]], loose: set[Triple], group: str
) -> None:
    # A triple that is also published by nobody's claim stays when claims go: the build refuses that.
    stated = {t for kind, triples in claims.values() if kind in PUBLISHED for t in triples}
    try:
        check(claims, loose - stated, f"SELECT * {{ {group} }}")
    except SyntaxError:  # the same number was drawn twice
        reject()


@given(claims, groups(), st.lists(st.sampled_from(["?x", "?y", "?z", "?none"]), min_size=1, unique=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_query_selects_changes_no_footnote(
    claims: dict[int, tuple[str, set[Triple]]], group: str, selected: list[str]
) -> None:
    store = dataset(claims, set())

    def rows(items: str) -> tuple[str, Counter[tuple[Any, ...]]]:
        found, rows = traced(store, f"SELECT {items} {{ {group} }}")
        kept = [found.names.index(name[1:]) if name[1:] in found.names else None for name in selected]
        return found.reason, Counter(tuple(None if i is None else row[i] for i in (*kept, -1)) for row in rows)

    try:
        reason, some = rows(" ".join(selected))
        _, everything = rows("*")
    except SyntaxError:
        reject()
    assert reason or some == everything


@given(claims, groups(), st.sampled_from([":p|:q", "(:q|:p)", "^(:p|:q)", "(:p|:q)/:q"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_alternatives_change_no_answer(claims: dict[int, tuple[str, set[Triple]]], group: str, path: str) -> None:
    query = f"SELECT DISTINCT * {{ {group.replace(' :p ', f' {path} ')} }}"
    store = dataset(claims, set())
    try:
        found, rows = traced(store, query)
    except SyntaxError:
        reject()
    order = sorted(range(len(found.names) - 1), key=found.names.__getitem__)
    assert Counter(tuple(row[i] for i in order) for row in rows) == solutions(store, query)


@given(claims, st.sets(st.tuples(names, st.just("k"), names), max_size=4), groups(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_property_holds_beside_what_is_missing_and_along_paths_of_any_length(
    claims: dict[int, tuple[str, set[Triple]]], loose: set[Triple], group: str, data: st.DataObject
) -> None:
    """A solution is gone; where something has to be missing, the same values may come about in another way then."""
    more = data.draw(st.lists(st.sampled_from(MISSING + REACHING), min_size=1, max_size=2))
    text = f"SELECT * {{ {group} {' '.join(more)} }}"
    try:
        check(claims, loose, text, missing=any(part in MISSING for part in more))
    except SyntaxError:
        reject()


MISSING = [
    "FILTER NOT EXISTS { ?x :p ?y }",
    "FILTER NOT EXISTS { ?x :q ?new . ?new (:p|:k)* :a }",
    "FILTER NOT EXISTS { { ?y :p ?x } UNION { GRAPH ?new { ?x :q ?y } } }",
    "MINUS { ?x :q ?y }",
    "MINUS { ?x :p/:k* ?z }",
]
REACHING = ["?x :k* :a .", "?x :k+ ?above .", ":a ^:k? ?y .", "?x :p ?w . ?w (:k|^:k)* ?above .", "?y :q/:k? ?above ."]


def check(claims: dict[int, tuple[str, set[Triple]]], loose: set[Triple], query: str, *, missing: bool = False) -> bool:
    """Withdraws, for the first rows, the claims of each word by themselves; gives whether the query was traceable.

    Where something is ``missing``, the same row with the same footnote must be gone, else the row.
    """
    store = dataset(claims, loose)
    before = solutions(store, query)
    found, rows = traced(store, query)
    names = found.names
    order = sorted(range(len(names) - 1), key=names.__getitem__)
    keys = [tuple(row[i] for i in order) for row in rows]
    assert Counter(keys) == before, "footnotes change no answer"
    if found.reason:
        return False
    for key, row in list(zip(keys, rows, strict=True))[:6]:
        footnote: Any = row[-1]
        for word in footnote.value.split():
            if word != NO_CLAIM:
                left = dataset(claims, loose, set(word.split("|")))
                if missing:
                    assert traced(left, query)[1].count(row) < rows.count(row), (query, row, word)
                else:
                    assert solutions(left, query)[key] < before[key], (query, key, word)
    return True


ODD = """\
SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n OPTIONAL { ?x :label ?l } } }
SELECT * { ?x :near ?y OPTIONAL { ?x :cranes ?n } OPTIONAL { ?y :folk ?f } FILTER(?n > 3 || ?f = 900) }
SELECT * { ?x :near ?y OPTIONAL { ?y :folk ?f FILTER(?f > 1 && ?x != :quay) } }
SELECT * { ?x :near ?y OPTIONAL { { ?x :cranes ?n } UNION { ?x :label ?l } } }
SELECT * { ?x :near ?y OPTIONAL { ?x :cranes 4 BIND(true AS ?four) } }
SELECT * { ?x :near ?y OPTIONAL { GRAPH ?g { ?x :cranes ?n } } }
SELECT * { OPTIONAL { :pier :cranes ?n } OPTIONAL { :town :folk ?f } }
SELECT * { OPTIONAL { :pier :nothing ?n } ?x :near ?y }
SELECT * { { OPTIONAL { :pier :cranes ?n } } ?x :near ?y }
SELECT * { { ?x :near ?y } UNION { ?x :near ?y } UNION { ?x :near :town BIND(:town AS ?y) } }
SELECT * { { ?x :near ?y } UNION { } }
SELECT * { { ?x :cranes ?n } UNION { ?x :folk ?n } ?x :near ?y }
SELECT * { VALUES (?x ?n) { (:pier UNDEF) (UNDEF 4) (:quay 5) } ?x :cranes ?n }
SELECT * { ?x :near ?y } VALUES (?x ?y) { (:pier UNDEF) (UNDEF :town) }
SELECT * { VALUES ?x { :pier :pier } ?x :near ?y }
SELECT * { ?x :near ?y VALUES () { () () } }
SELECT * { ?x :near ?y BIND(1/0 AS ?e) BIND(?e + 1 AS ?f) }
SELECT * { BIND(:pier AS ?x) ?x :near ?y . ?y ^:near ?z . ?z :near/:in ?l }
SELECT * { ?x ^:in/^:near ?y . ?y a ?z }
SELECT * { ?x ?p ?y . ?y ?p ?x }
SELECT * { ?x ?p ?p }
SELECT * { ?x :near ?y . ?x :near ?y ; :near ?y , ?y }
SELECT * { [ :near ?y ; :cranes [] ] . _:a :near ?y . _:a :label ?l }
SELECT * { ?x :near [] . [] :near ?x }
SELECT * { [] :near [ :in ?l ; :folk ?f ] }
SELECT * { GRAPH ?g { ?x :near ?y } ?x :near ?y }
SELECT * { GRAPH ?g { ?x :near ?y . ?x :cranes ?n } FILTER(?g != claim:1) }
SELECT * { GRAPH ?g { ?x :near ?y OPTIONAL { ?x :cranes ?n } } }
SELECT * { GRAPH ?g { ?x :near ?y } GRAPH ?h { ?x :near ?y } }
SELECT * { GRAPH ?g { GRAPH claim:3 { ?x :near ?y } ?x :cranes ?n } }
SELECT * { ?g kg:basis kg:stated GRAPH ?g { ?x :near ?y } }
SELECT * FROM claim:1 FROM claim:2 FROM <graph/background> { ?x :near/:in ?y }
SELECT * FROM claim:1 FROM NAMED claim:3 { ?x :near ?y GRAPH ?g { ?x :near ?y } }
SELECT * FROM NAMED claim:2 { GRAPH ?g { ?x :near ?y } }
SELECT * { FILTER(?n > 3) ?x :cranes ?n { ?x :near ?y FILTER(?y = :town) } }
SELECT * { ?x :near ?y { ?x :near ?y { ?x :cranes ?n } } }
SELECT * { ?x :cranes 04 . ?x :cranes 4 , '4'^^<http://www.w3.org/2001/XMLSchema#integer> }
SELECT * { :pier :cranes 99 }
SELECT * { ?x :near ?y FILTER(?x IN (:pier, ?y) || STR(?y) != '\u0041') } # } OPTIONAL { ?x :no ?no }
SELECT REDUCED * { ?x :near ?y }
SELECT * { ?x :near ?y } ORDER BY DESC(STR(?x)) ?y
SELECT * { ?x :near ?y FILTER(BOUND(?x)) OPTIONAL { ?x :cranes ?n } FILTER((BOUND(?n)) && (?n > 3 || BOUND(?y))) }
SELECT * { ?x :near ?y FILTER BOUND(?y) }
SELECT * { $x :near $y OPTIONAL { ?x :cranes $n } }
SELECT * { ( ) :near ?y }
SELECT ?x ?y ?n ?m { ?x :near ?y OPTIONAL { ?x :cranes ?n } BIND(IF(?n > 3, 'many', 'few') AS ?m) }""".splitlines()


@pytest.mark.parametrize("query", ODD)
def test_the_property_holds_for_odd_queries(query: str) -> None:
    assert check(HARBOUR, LOOSE, query), "it is traceable"


def test_names_that_the_query_has_are_left_alone_however_long_and_many() -> None:
    for names in (["kg_" + "_" * 60_000], ["kg_", *(f"kg{n}_" for n in range(500))], ["kg_m1", "kg0_b1", "kg2_"]):
        select = parse(f"SELECT * {{ ?s ?p ?o FILTER({' + '.join('?' + name for name in names)} > 1) }}")
        assert not any(name.startswith(select.unused) for name in names)
        assert len(select.unused) < 8, "it stands in every pattern"
