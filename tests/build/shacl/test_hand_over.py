"""What the compiled engine cannot do exactly it refuses, says why, and leaves to pyshacl; queries it runs itself."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Quad, RdfFormat, parse
from pyshacl.errors import ConstraintLoadError, ShapeLoadError
from rdflib import URIRef

from kg.build.shacl import ENGINES, compiled, to_graph, with_details
from kg.build.shacl.reference import run

PREFIXES = """@prefix : <urn:x:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""
DATA = """:a a :C ; :p :b , :c ; :n 1 , 2 ; :label "x"@en . :b a :C ; :p :a ; :n 7 ; :label "x"@en .
:c :p _:d ; :n "01"^^xsd:integer . _:d a :C ."""
DECLARED = ':o a owl:Ontology ; sh:declare [ sh:prefix "x" ; sh:namespace "urn:x:"^^xsd:anyURI ] .\n'


def turtle(text: str) -> list[Quad]:
    return list(parse((PREFIXES + text).encode(), format=RdfFormat.TURTLE))


def refused(shapes: str, data: str = DATA) -> dict[str, str]:
    """Local names of refused shapes → reasons; both engines must find the same in any case."""
    triples, shape_triples = turtle(data), turtle(shapes)
    both = [Counter(with_details(engine(triples, shape_triples))) for engine in ENGINES.values()]
    assert both[0] == both[1]
    return {str(n).removeprefix("urn:x:"): why for n, why in compiled(triples, shape_triples).refused.items()}


def query(text: str, more: str = "", target: str = "sh:targetNode :a , :b") -> str:
    return DECLARED + f':S a sh:NodeShape ; {target} ; sh:sparql [ sh:prefixes :o ; {more} sh:select "{text}" ] .'


@pytest.mark.filterwarnings("ignore::pyshacl.errors.ShapeRecursionWarning")
@pytest.mark.parametrize(
    "shapes",
    [
        ":S a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :p ; sh:node :S ] .",
        ":S a sh:NodeShape ; sh:targetClass :C ; sh:not [ sh:or ( :S [ sh:class :C ] ) ] .",
        ":S a sh:NodeShape ; sh:targetNode :c ; sh:property :P . :P sh:path :n ; sh:minCount 9 ; sh:node :S .",
    ],
)
def test_recursion_is_refused(shapes: str) -> None:
    """SHACL leaves recursion undefined: whatever pyshacl makes of it is what the build says."""
    assert refused(shapes, ":a a :C . :c :n 1 .")["S"].startswith("recursion")


def test_a_refused_shape_takes_no_other_with_it() -> None:
    """Shapes beside a refused one stay with the compiled engine, and their results are there once."""
    shapes = """:Bad a sh:NodeShape ; sh:targetClass :C ; sh:pattern "a.b" ; sh:flags "s" ; sh:node :Good .
        :Good a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :n ; sh:maxCount 1 ] ."""
    assert set(refused(shapes)) == {"Bad"}
    assert compiled(turtle(DATA), turtle(shapes)).results.keys() == {URIRef("urn:x:Good")}


def test_custom_components_are_refused() -> None:
    shapes = """:Own a sh:ConstraintComponent ; sh:parameter [ sh:path <http://x.example/most> ] ;
        sh:validator [ a sh:SPARQLAskValidator ; sh:ask "ASK { FILTER (STRLEN(STR($value)) < $most) }" ] .
        :S a sh:NodeShape ; sh:targetNode :a ; <http://x.example/most> 3 ."""
    assert refused(shapes) == {"S": "custom constraint components"}


def test_shapes_nested_deeper_than_the_reference_goes_are_refused() -> None:
    """A tower of twelve shapes, and one that is reached from above and from below."""
    tower = " ".join(f":S{n} a sh:NodeShape ; sh:node :S{n + 1} ." for n in range(12)) + " :S12 sh:class :C ."
    assert set(refused(f"{tower} :S0 sh:targetNode :a . :S12 a sh:NodeShape . :S6 sh:targetNode :b .")) == {"S0"}


def test_ill_formed_shapes_fail_in_the_words_of_the_reference() -> None:
    for shapes in (":S sh:targetNode :a ; sh:minCount 1 .", ":S sh:targetNode :a ; sh:path :p , :q ; sh:minCount 1 ."):
        messages = []
        for engine in ENGINES.values():
            with pytest.raises((ShapeLoadError, ConstraintLoadError)) as caught:
                engine(turtle(DATA), turtle(shapes))
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $this ?value WHERE { $this x:p ?value . ?value a x:C }",
        "SELECT $this (COUNT(DISTINCT ?v) AS ?value) WHERE { $this x:n ?v } GROUP BY $this HAVING (COUNT(?v) > 1)",
        "SELECT $this (?l AS ?value) WHERE { $this x:label ?l . ?o x:label ?l FILTER (STR(?o) < STR($this)) }",
        "SELECT $this WHERE { FILTER NOT EXISTS { $this x:q ?any } }",
        "SELECT $this ?value WHERE { { $this x:p ?value } UNION { ?value x:p $this } }",
        "SELECT $this ?v WHERE { $this x:p ?v OPTIONAL { ?v x:q ?w } }",
        "SELECT $this ?value WHERE { $this x:p ?value ; x:n ?n FILTER (?value != $this && ?n + 1 > 2) }",
        "SELECT $this (SUM(?n) AS ?value) WHERE { $this x:n ?n } GROUP BY $this HAVING (SUM(?n) > 2)",
    ],
)
@pytest.mark.parametrize("target", ["sh:targetNode :a , :b", "sh:targetClass :C", "sh:targetNode :zz"])
def test_queries_are_run_by_the_engine(text: str, target: str) -> None:
    """Pre-binding of $this, messages with values, rows that bind the same: as pyshacl has them."""
    message = 'sh:message "{$this} has {?value}, {?v}"@en , "plain" ;'
    data = DATA.replace("_:d a :C .", "").replace(":p _:d ; ", "").replace('"01"^^xsd:integer', "5")
    assert refused(query(text, message, target), data) == {}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $this WHERE { $this x:n ?n FILTER (REGEX(STR(?n), '7')) }",
        "SELECT $this WHERE { $this x:n ?n . { SELECT $this WHERE { $this x:p ?p } } }",
        "SELECT $this (COUNT(?n) AS ?value) WHERE { $this x:n ?n }",
        "SELECT $this ?path WHERE { $this ?path ?n }",
        "SELECT ?value WHERE { ?value x:n 7 }",
        "SELECT $this (AVG(?n) AS ?value) WHERE { $this x:n ?n } GROUP BY $this",
        "SELECT $this WHERE { $this x:n ?n ; x:p ?p FILTER (?n < ?p) }",
        "SELECT $this WHERE { $this x:label ?n FILTER (?n = 'x') }",
        "SELECT $this WHERE { $this x:label ?n FILTER (?n) }",
        "SELECT $this WHERE { $this x:n ?n FILTER (?n < 1.5) }",
    ],
)
def test_queries_on_which_two_engines_may_differ_are_refused(text: str) -> None:
    data = DATA.replace('"01"^^xsd:integer', "5")
    assert set(refused(query(text), data)) == {"S"}


def test_a_query_over_literals_that_the_store_rewrites_is_refused() -> None:
    """``"01"^^xsd:integer`` would come back as 1, in values and messages."""
    assert refused(query("SELECT $this (?n AS ?value) WHERE { $this x:n ?n }"), DATA) == {
        "S": "literals that the store rewrites"
    }


def test_ill_typed_and_uncommon_literals_keep_their_lexical_forms() -> None:
    """No literal goes through the store on its way to a result."""
    data = ':a :p "01"^^xsd:integer , "x"^^xsd:integer , "2020-02-30"^^xsd:date , 1 , "1"@EN , "1" , 1.0 .'
    assert (
        refused(
            ":S a sh:NodeShape ; sh:targetNode :a ; sh:property [ sh:path :p ; sh:datatype xsd:integer ;"
            ' sh:in ( 1 ) ; sh:maxInclusive 0 ; sh:languageIn ( "en" ) ] .',
            data,
        )
        == {}
    )


TERMS = [
    ":a",
    ":b",
    "1",
    "2",
    "10",
    "1.5",
    '"x"',
    '"x"@en',
    "true",
    '"2020-01-01"^^xsd:date',
    '"u"^^:own',
    '"q"^^xsd:integer',
]
TESTS = [
    "?v = ?w", "?v != ?w", "?v < ?w", "?v >= 2", "STRSTARTS(STR(?v), STR(?w))", "STR(?v) < STR(?w)", "ISLITERAL(?v)",
    "SAMETERM(?v, ?w)", "COALESCE(?v, 1) < ?w", "BOUND(?value)", "?v + 1 > ?w", "?v != $this", "?v", "!(?v = ?w)",
    "?v < ?w || STR(?v) = 'x'", "ISIRI(?v) && ?w > 1",
]  # fmt: skip
BINDS = ["", "BIND (?v AS ?value)", "BIND (COALESCE(?w, 0) AS ?value)"]
BINDS += ["OPTIONAL { $this x:r ?value FILTER (?value = ?w) }"]
kinds = st.sampled_from([TERMS, TERMS[:2], TERMS[2:5], TERMS[:5]])
subjects, predicates = st.sampled_from([":a", ":b"]), st.sampled_from([":p", ":q", ":r"])
data_ = kinds.flatmap(lambda ts: st.lists(st.tuples(subjects, predicates, st.sampled_from(ts)), min_size=2))


@settings(max_examples=200, deadline=None)
@given(data_, st.sampled_from(TESTS), st.sampled_from(BINDS))
def test_a_query_that_is_not_refused_has_the_same_rows(data: list[tuple[str, str, str]], test: str, bind: str) -> None:
    """Where the kinds of terms make a difference between engines, the data decide who runs the query."""
    triples = turtle("".join(f"{s} {p} {o} .\n" for s, p, o in data))
    shapes = turtle(query(f"SELECT $this ?value ?v WHERE {{ $this x:p ?v . $this x:q ?w . {bind} FILTER ({test}) }}"))
    checked = compiled(triples, shapes)
    if not checked.refused:
        assert Counter(checked.all_results()) == Counter(run(to_graph(triples), shapes))
