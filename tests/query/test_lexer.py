"""What may not run is refused wherever it is a word, and nowhere else."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import QuerySolutions, Store

from kg.errors import QueryRefused
from kg.query.lexer import MAX_LENGTH, Form, inspect

CALL = "<http://127.0.0.1:9/> { ?s ?p ?o }"


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("SELECT * { ?s ?p ?o }", Form.SELECT),
        ("select*{?s ?p ?o}", Form.SELECT),
        ("SELECTDISTINCT?s{?s ?p ?o}", Form.SELECT),
        ("# a comment\n\tASK{}", Form.ASK),
        ("PREFIX:<http://x/>CONSTRUCT WHERE{:a :b :c}", Form.CONSTRUCT),
        ("BASE <http://x/> PREFIX ask: <y#> DESCRIBE ask:x", Form.DESCRIBE),
        ('VERSION "1.2" ASK {}', Form.ASK),
    ],
)
def test_the_form_is_the_first_word_after_the_prologue(query: str, form: Form) -> None:
    assert inspect(query) is form
    Store().query(query)


@pytest.mark.parametrize(
    "pattern",
    [
        "?s ?p 'SERVICE <x> { }'",
        '?s ?p "SERVICE"',
        "?s ?p '''a ' SERVICE '' b'''",
        '?s ?p """ " SERVICE \n LOAD "" """',
        "?s ?p 'it\\'s a SERVICE'",
        "?s ?p '\\\\' # SERVICE\n",
        "?s <http://x/SERVICE> ?o",
        "?s <http://x/#SERVICE> ?o",
        "?s ?p ?o # SERVICE <x> { }\n",
        "?SERVICE ?load $INSERT",
        "?s service:x :SERVICE",
        "?s :SERVICE.x service:SERVICE",
        "_:SERVICE ?p 'x'@service",
        "?s ?p 'x'^^service:LOAD",
        "GRAPH service:x { ?s ?p ?o }",
        "GRAPH ?service { ?s ?p ?o }",
        "?s :a\\'SERVICE\\' ?o",
        "?s\u0301 :a\u00b7b ?o\u203fx . ?s\u0301 service:y\u0301 _:b\u0301",
        "FILTER(?a <?b && ?c> ?d) BIND('x' AS ?e)",
        "FILTER(1<2 || 3>2)",
        "FILTER(?a < <http://x/it's#a(b>)",
        "FILTER(?a IN (<x#y>, <it's>))",
        "VALUES (?a ?b) { (<x#y> <z#y>) (1 <it's>) }",
        "?s <p#q> <it's(here)>",
        "?s ?p '\\u0053ERVICE'",
        '?s ?p "\\u0022"',
    ],
)
def test_words_inside_strings_comments_iris_names_and_variables_are_no_calls(pattern: str) -> None:
    query = f"PREFIX : <http://x/> PREFIX service: <http://x/> SELECT * {{ {pattern} }}"
    assert inspect(query) is Form.SELECT
    Store().query(query, base_iri="http://base/")


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ SERVICE {CALL} }}",
        f"SELECT * {{ service silent {CALL} }}",
        f"SELECT * {{ SeRvIcE{CALL} }}",
        "SELECT * { SERVICE?x{ ?s ?p ?o } }",
        "PREFIX : <http://127.0.0.1:9/> SELECT * { SERVICE:x { ?s ?p ?o } }",
        "PREFIX : <http://127.0.0.1:9/> SELECT * { SERVICE:x # comment\n { ?s ?p ?o } }",
        "PREFIX : <http://127.0.0.1:9/> SELECT * { SERVICESILENT:x { ?s ?p ?o } }",
        f"SELECT * {{ ?s ?p trueSERVICE {CALL} }}",
        f"SELECT * {{ ?s ?p 1SERVICE {CALL} }}",
        f"SELECT * {{ ?s ?p ?o.SERVICE {CALL} }}",
        f"SELECT * {{ OPTIONAL {{ SERVICE {CALL} }} }}",
        f"SELECT * {{ ?s ?p ?o MINUS {{ SERVICE {CALL} }} }}",
        f"SELECT * {{ FILTER EXISTS {{ SERVICE {CALL} }} }}",
        f"SELECT * {{ {{ SELECT * {{ SERVICE {CALL} }} }} }}",
        f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ SERVICE {CALL} }}",
        "SELECT * { VALUES ?x { <http://127.0.0.1:9/> } SERVICE ?x { ?s ?p ?o } }",
        f"SELECT * {{ \\u0053ERVICE {CALL} }}",
        f"SELECT * {{ SERV\\U00000049CE {CALL} }}",
        f"SELECT * {{ ?s ?p '\\u0027 SERVICE {CALL} #' }}",
        f"SELECT * {{ ?s ?p '' SERVICE {CALL} }}",
        f"SELECT * {{ ?s ?p 'a' # '\n SERVICE {CALL} }}",
        f"SELECT * {{ FILTER(?a<'b>c') SERVICE {CALL} FILTER('x'='x') }}",
        f"SELECT * {{ FILTER(?a<?b#>'''\n) SERVICE {CALL} #'''\n }}",
        "INSERT DATA { <a:b> <a:b> 1 }",
        "DELETE WHERE { ?s ?p ?o }",
        "LOAD <http://127.0.0.1:9/>",
        "PREFIX x: <a:b> CLEAR ALL",
        "ASK {} ; DROP ALL",
    ],
)
def test_calls_and_updates_are_refused_however_they_are_spelled(query: str) -> None:
    with pytest.raises(QueryRefused):
        inspect(query)


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("SELECT *\n{ ?s ?p ?o .\n  SERVICE <x> {} }", 3, 3),
        ("ASK {\n'abc\n}", 2, 1),
        ("ASK {\r\n  \\x }", 2, 3),
        ("\nfoo", 2, 1),
        ("PREFIX x: <a:b>\nDROP ALL", 2, 1),
        ("ASK { 'é' \ud800 }", 1, 11),
    ],
)
def test_a_refusal_says_where(query: str, line: int, column: int) -> None:
    with pytest.raises(QueryRefused) as caught:
        inspect(query)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("query", ["", "  \n", "# SELECT", "PREFIX x: <a:b>", "x" * 10, "ASK { '", "ASK { \\ }"])
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused):
        inspect(query)


NESTED = {
    "{": "ASK {opening}{closing}",
    "(": "ASK {{ FILTER{opening}1{closing} }}",
    "[": "ASK {{ {opening} ?p ?o {closing} }}",
}
PAIRS = {"{": "}", "(": ")", "[": "]"}


@pytest.mark.parametrize("bracket", PAIRS)
def test_depth_128_is_let_through_and_129_is_not(bracket: str) -> None:
    inside = 128 - (bracket != "{")
    query = NESTED[bracket].format(opening=bracket * inside, closing=PAIRS[bracket] * inside)
    deeper = NESTED[bracket].format(opening=bracket * (inside + 1), closing=PAIRS[bracket] * (inside + 1))
    assert inspect(query) is Form.ASK
    with pytest.raises(QueryRefused, match="deeper than 128"):
        inspect(deeper)
    assert inspect(deeper, depth=129) is Form.ASK


@pytest.mark.parametrize("count", [3_000, 100_000, 1_000_000, 5_000_000])
@pytest.mark.parametrize("unit", ["{", "(", "[", "<<", "!", "- ", "<<(", "{[(", "^", "!\n#(\n"])
def test_too_deep_is_refused_without_reading_on(unit: str, count: int) -> None:
    query = "ASK { " + unit * (count // len(unit))
    start = time.process_time()
    with pytest.raises(QueryRefused):
        inspect(query)
    # Reading five million characters takes seconds.
    assert time.process_time() - start < 0.5


def test_brackets_that_close_do_not_add_up() -> None:
    assert inspect("ASK { " + "{} () [] " * 5_000 + "}") is Form.ASK


def test_an_operator_that_looks_like_an_iri_hides_no_brackets() -> None:
    # For a parser that expects an operator this nests; for one that reads IRIs it does not.
    with pytest.raises(QueryRefused):
        inspect("ASK { FILTER(" + "1<((2>1&&" * 3_000 + ") }")


UNITS = [
    "?a",
    "{}",
    "a.",
    "a ",
    "'",
    '""',
    "<a",
    "<a>",
    "#\n",
    "a:b ",
    "_:",
    "1",
    "é:",
    "'''",
    "a-",
    "<<a>>",
    "%",
    "\\u0041",
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit: str) -> None:
    query = ("ASK { " + unit * MAX_LENGTH)[:MAX_LENGTH]
    start = time.process_time()
    with contextlib.suppress(QueryRefused):
        inspect(query)
    assert time.process_time() - start < 3  # a quadratic pass takes hours


def test_a_longer_query_is_refused() -> None:
    with pytest.raises(QueryRefused, match=str(MAX_LENGTH)):
        inspect("ASK { '" + "x" * MAX_LENGTH + "' }")


_WORDS = """SELECT ASK SERVICE service SILENT { } ( ) < > <a> ' " ''' \\ \\u0027 # ?x : a:b _: 1 &&"""
PIECES = st.sampled_from([*_WORDS.split(), *"|| ! << >> . , @en ^^ é".split(), "\n", " ", "\x00"])


@given(st.lists(PIECES, max_size=40))
def test_anything_is_either_a_form_or_a_refusal(pieces: list[str]) -> None:
    with contextlib.suppress(QueryRefused):
        assert isinstance(inspect("".join(pieces)), Form)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_every_text_can_stand_in_a_string(text: str) -> None:
    escaped = "".join(f"\\{c}" if c in "\\'\"" else {"\n": "\\n", "\r": "\\r"}.get(c, c) for c in text)
    query = f"SELECT (\"{escaped}\" AS ?a) ('{escaped}' AS ?b) {{}}"
    assert inspect(query) is Form.SELECT
    answer = Store().query(query)
    assert isinstance(answer, QuerySolutions)
    assert next(answer)["a"].value == text


@given(st.lists(PIECES, max_size=25))
def test_what_the_engine_would_call_never_passes(pieces: list[str]) -> None:
    # The engine refuses port 1 by itself, in words of its own, so that nothing is ever sent.
    query = "PREFIX : <http://127.0.0.1:1/> PREFIX a: <http://127.0.0.1:1/> ASK { " + " ".join(pieces) + " }"
    try:
        inspect(query)
    except QueryRefused:
        return
    try:
        Store().query(query, base_iri="http://127.0.0.1:1/")
    except OSError as e:
        raise AssertionError("the engine tried to call") from e
    except (SyntaxError, ValueError):
        pass


@given(st.sampled_from(["", "SELECT * {", "PREFIX a: <http://x/>\nASK {"]), st.lists(PIECES, max_size=25))
def test_a_text_that_needs_no_tokens_is_judged_as_by_its_tokens(opening: str, pieces: list[str]) -> None:
    query = opening + " ".join(pieces)
    with_tokens = query + "\n# é"  # which is no ASCII
    found = [judgement(text) for text in (query, with_tokens)]
    if Form in map(type, found):
        assert found[0] == found[1] or "cannot stand here" in str(found[1])  # which the engine will say too


def judgement(query: str) -> Form | str:
    try:
        return inspect(query)
    except QueryRefused as e:
        return str(e)


@pytest.mark.parametrize("depth", [4, 128])
@pytest.mark.parametrize("unit", ["{", "(", "[", "<<", "!", "^", "+", "-"])
def test_the_bound_of_depth_is_exact_without_tokens(unit: str, depth: int) -> None:
    assert inspect("ASK " + unit * depth, depth=depth) is Form.ASK
    with pytest.raises(QueryRefused, match="deeper"):
        inspect("ASK " + unit * (depth + 1), depth=depth)
