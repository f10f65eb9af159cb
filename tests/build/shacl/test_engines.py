"""The compiled engine finds what pyshacl finds: on our shapes and fixtures, and on generated shapes and data."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Quad, RdfFormat, parse
from rdflib.plugins.sparql import prepareQuery

from kg import vocab
from kg.build.assemble import skolemise
from kg.build.parse import Sources, parse_sources, read_rdf
from kg.build.shacl import ENGINES, Result, compiled, reference, with_details
from kg.build.validate import GRAPHS, read_shapes
from kg.config import DEFAULT_BASE
from kg.model import Finding

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = sorted((ROOT / "tests/data/fixtures").glob("*.ttl"))
PREFIXES = """@prefix : <urn:x:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


@pytest.fixture(scope="session")
def sources() -> Sources:
    return parse_sources(ROOT, DEFAULT_BASE)


def turtle(text: str) -> list[Quad]:
    return list(parse((PREFIXES + text).encode(), format=RdfFormat.TURTLE))


def found(engine: str, data: list[Quad], shapes: list[Quad]) -> Counter[Result]:
    return Counter(plain(result) for result in with_details(ENGINES[engine](data, shapes)))


def plain(result: Result) -> Result:
    """Without texts of blank nodes: pyshacl cuts and caches them differently with the order in which it meets them."""
    messages = frozenset(message for message in result.messages if "[" not in str(message))
    return replace(result, messages=messages, details=tuple(map(plain, result.details)))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_has_the_same_findings_with_both_engines(fixture: Path, sources: Sources, validate) -> None:
    """Facts and evidence at once: every shape has something to refuse or to pass."""
    problems: list[Finding] = []
    quads = read_rdf(fixture, fixture.name, DEFAULT_BASE, problems)
    described = tuple(q.quad for q in skolemise(quads, vocab.Names(DEFAULT_BASE)))
    with_compiled = validate(sources, described, described, engine="compiled")
    with_pyshacl = validate(sources, described, described, engine="pyshacl")
    assert Counter(with_compiled) == Counter(with_pyshacl)
    assert with_compiled


def test_every_shape_of_ours_is_covered(sources: Sources) -> None:
    """A build of this project never needs the slow engine."""
    shapes = read_shapes(sources.shapes, "compiled")
    for graph in GRAPHS:
        assert compiled([], list(parse(shapes.seeing[graph], format=RdfFormat.N_QUADS))).refused == {}


TERMS = [
    ":a",
    ":b",
    ":c",
    ":d",
    "_:e",
    "1",
    "2",
    "1.5",
    '"x"',
    '"y"@en',
    '"z"@en',
    '"w"@de-AT',
    "true",
    '"01"^^xsd:integer',
]
TERMS += [
    '"q"^^xsd:integer',
    '"2020-01-01"^^xsd:date',
    '"2021-01-01"^^xsd:date',
    '"2020-02-30"^^xsd:date',
    '"300"^^xsd:byte',
]
TERMS += ['"2020-01-01T00:00:00"^^xsd:dateTime', '"xyz"', "1.0e1", '"u"^^:own', ":C"]
SUBJECTS = [term for term in TERMS if term[0] in ":_"]
triples = st.tuples(
    st.sampled_from(SUBJECTS),
    st.sampled_from([":p", ":p", ":q", ":q", ":r", "a", "a", "rdfs:subClassOf"]),
    st.sampled_from(TERMS),
).filter(lambda t: t[1] not in ("a", "rdfs:subClassOf") or t[2][0] in ":_")
graphs = st.lists(triples, min_size=1, max_size=25).map(lambda ts: "".join(f"{s} {p} {o} .\n" for s, p, o in ts))

paths = st.recursive(
    st.sampled_from([":p", ":q", ":r", "[ sh:inversePath :p ]"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"( {' '.join(parts)} )"),
        st.lists(inner, min_size=2, max_size=2).map(lambda parts: f"[ sh:alternativePath ( {' '.join(parts)} ) ]"),
        st.tuples(st.sampled_from(["zeroOrMore", "oneOrMore", "zeroOrOne"]), inner).map(
            lambda pair: f"[ sh:{pair[0]}Path {pair[1]} ]"
        ),
    ),
    max_leaves=3,
)
bounds = st.sampled_from(["1", "1.5", '"2020-06-01"^^xsd:date', '"2020-06-01T00:00:00"^^xsd:dateTime', '"x"'])
constraints = st.one_of(
    st.sampled_from([":C", ":a", ":b", ":C , :a"]).map("sh:class {}".format),
    st.sampled_from(
        "xsd:integer xsd:string xsd:date xsd:byte rdf:langString xsd:decimal :own rdfs:Literal".split()
    ).map("sh:datatype {}".format),
    st.sampled_from(["IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral"]).map(
        "sh:nodeKind sh:{}".format
    ),
    st.tuples(st.sampled_from(["minEx", "maxEx", "minIn", "maxIn"]), bounds).map(lambda t: f"sh:{t[0]}clusive {t[1]}"),
    st.integers(0, 4).map("sh:minLength {}".format),
    st.integers(0, 4).map("sh:maxLength {}".format),
    st.sampled_from(['"^x"', '"[0-9]"', '"X" ; sh:flags "i"', '"x" , "y"', '"a.b" ; sh:flags "s"']).map(
        "sh:pattern {}".format
    ),
    st.sampled_from(['"en"', '"de" "en"', '"de-AT"', '"*"']).map("sh:languageIn ( {} )".format),
    st.lists(st.sampled_from([t for t in TERMS if t[0] != "_"]), max_size=4).map(lambda t: f"sh:in ( {' '.join(t)} )"),
    st.sampled_from(TERMS[:4] + TERMS[5:]).map("sh:hasValue {}".format),
    st.tuples(st.sampled_from(["equals", "disjoint"]), st.sampled_from([":p", ":q", ":p , :r"])).map(
        lambda t: f"sh:{t[0]} {t[1]}"
    ),
)
with_path = st.one_of(
    constraints,
    st.integers(0, 2).map("sh:minCount {}".format),
    st.integers(0, 2).map("sh:maxCount {}".format),
    st.sampled_from(["true", "false", '"1"^^xsd:boolean']).map("sh:uniqueLang {}".format),
    st.tuples(st.sampled_from(["lessThan", "lessThanOrEquals"]), st.sampled_from([":q", ":r"])).map(
        lambda t: f"sh:{t[0]} {t[1]}"
    ),
)
words = st.sampled_from(["", "", 'sh:message "no" ;', "sh:severity sh:Warning ;", "sh:deactivated true ;"])


def together(parts: list[str]) -> str:
    """One value for each parameter: two would be ill-formed for most."""
    return " ; ".join({part.split()[0]: part for part in parts}.values())


def shape_of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Node shapes and property shapes around simpler shapes."""
    lists = st.lists(inner, min_size=1, max_size=3).map(" ".join)
    logical = st.one_of(
        st.tuples(st.sampled_from(["and", "or", "xone"]), lists).map(lambda t: f"sh:{t[0]} ( {t[1]} )"),
        inner.map("sh:not {}".format),
    )
    properties = (
        st.lists(property_shape(constraints), min_size=1, max_size=2).map(" , ".join).map("sh:property {}".format)
    )
    closed = properties.map(lambda text: f"sh:closed true ; sh:ignoredProperties ( rdf:type ) ; {text}")
    node = st.lists(st.one_of(logical, properties, closed, constraints), min_size=1, max_size=3)
    as_node = st.tuples(words, node).map(lambda t: f"[ {t[0]} {together(t[1])} ]")
    return st.one_of(as_node, property_shape(logical), property_shape(as_node.map("sh:node {}".format)))


def property_shape(more: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    own = st.lists(st.one_of(with_path, more), min_size=1, max_size=3)
    return st.tuples(words, paths, own).map(lambda t: f"[ {t[0]} sh:path {t[1]} ; {together(t[2])} ]")


simple = st.one_of(
    st.lists(constraints, min_size=1, max_size=2).map(lambda parts: f"[ {together(parts)} ]"),
    property_shape(constraints),
)
inner_shapes = st.recursive(simple, shape_of, max_leaves=4)
targets = st.sampled_from(
    [
        "sh:targetClass :C",
        "sh:targetNode :a , :zz , 1",
        "sh:targetSubjectsOf :p",
        "sh:targetObjectsOf :q",
        "a rdfs:Class",
    ]
)
tops = st.one_of(
    st.tuples(targets, inner_shapes.map(lambda text: f"sh:not {text}")),
    st.tuples(targets, inner_shapes.map(lambda text: f"sh:xone ( {text} {text} )")),
    st.tuples(targets, property_shape(simple.map("sh:node [ sh:and ( {} ) ]".format)).map("sh:property {}".format)),
    st.tuples(targets, simple.map(lambda text: text[1:-1])),
    st.tuples(targets, inner_shapes.map(lambda text: f"sh:node [ sh:or ( {text} ) ]")),
    st.tuples(
        targets,
        simple.map(
            lambda text: (
                f"""sh:property [ sh:path :p ; sh:qualifiedValueShape {text} ; sh:qualifiedMinCount 1 ;
                sh:qualifiedMaxCount 1 ; sh:qualifiedValueShapesDisjoint true ] ,
                [ sh:path :q ; sh:qualifiedValueShape [ sh:class :C ] ; sh:qualifiedMinCount 2 ]"""
            )
        ),
    ),
)
shapes = st.lists(tops, min_size=1, max_size=3).map(
    lambda them: "".join(f":S{n} a sh:NodeShape ; {aim} ; {text} .\n" for n, (aim, text) in enumerate(them))
)


def runs(data: str, shape_text: str) -> None:
    text = shape_text.replace("a sh:NodeShape ; ", "") if "sh:path" in shape_text else shape_text
    triples_, shape_triples = turtle(data), turtle(text)
    try:
        reference = found("pyshacl", triples_, shape_triples)
    except Exception as e:  # noqa: BLE001 - any: the other engine must raise the same
        with pytest.raises(type(e)):
            found("compiled", triples_, shape_triples)
        return
    assert found("compiled", triples_, shape_triples) == reference


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(graphs, shapes)
def test_generated_data_have_the_same_results(data: str, shape_text: str) -> None:
    """Whatever shapes and data: the same results, or the same kind of failure."""
    runs(data, shape_text)


def test_the_reference_parses_the_text_of_a_query_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And finds what it finds when it parses it for each focus node."""
    data = turtle("".join(f':n{n} a :C ; :p "{"long" if n % 3 else "x"}" .\n' for n in range(12)))
    query = "SELECT $this ?value WHERE { $this <urn:x:p> ?value FILTER(STRLEN(?value) > 2) }"
    shapes = turtle(f':S sh:targetClass :C ; sh:sparql [ sh:message "long" ; sh:select "{query}" ] .')
    asked: list[str] = []

    def prepared(text: str, **options: Any) -> Any:
        asked.append(text)
        return prepareQuery(text, **options)

    monkeypatch.setattr(reference, "prepareQuery", prepared)
    once = found("pyshacl", data, shapes)
    assert (len(asked), once.total()) == (1, 8)
    monkeypatch.setattr(reference, "ParsedOnce", lambda graph: graph)
    assert found("pyshacl", data, shapes) == once
