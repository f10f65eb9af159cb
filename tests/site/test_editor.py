"""The editor at ``/query`` in a real browser: it helps to write, marks errors, remembers, stops, and needs no mouse."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, expect
from tests.patience import PATIENCE, until
from tests.site.accessible import AXE, OF_LOOKS, RULES
from tests.site.editing import Editor

pytestmark = pytest.mark.browser

BASE = "http://localhost:8000/"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
CRANES = f"SELECT ?pier ?n {{ VALUES ?pier {{ <{BASE}id/north-pier> }} ?pier <{BASE}ontology/harbour#cranes> ?n }}"


WGS84 = "http://www.w3.org/2003/01/geo/wgs84_pos#"
WHERE = f"SELECT ?place ?lat ?long {{ ?place <{WGS84}lat> ?lat ; <{WGS84}long> ?long }}"
WHEN = f"SELECT ?time ?edtf {{ ?time <{BASE}ontology#edtf> ?edtf }}"
HOW_MANY = 'SELECT ?name ?n { VALUES (?name ?n) { ("up" 4) ("down" -2) } }'


# Writing


def test_queries_are_coloured(editor: Editor) -> None:
    editor.write('# why\nPREFIX x: <y:>\nSELECT ?a { ?a a x:B ; x:c 5 , "d"@en }')
    found = {
        kind: editor.tab.locator(f".q-{kind}").all_text_contents()
        for kind in ("comment", "keyword", "variable", "name", "number", "string")
    }
    assert found == {
        "comment": ["# why"],
        "keyword": ["PREFIX", "SELECT", "a"],
        "variable": ["?a", "?a"],
        "name": ["x:", "<y:>", "x:B", "x:c"],
        "number": ["5"],
        "string": ['"d"', "@en"],
    }


def test_prefix_class_property_thing_and_variable_are_completed(editor: Editor) -> None:
    editor.write("SELECT * WHERE {\n  ?ship ")
    editor.tab.keyboard.type("a ")
    editor.choose("pier", "harbour:Pier")
    editor.tab.keyboard.type(" ; ")
    editor.choose("cran", "harbour:cranes")
    editor.tab.keyboard.type(" ?n . ")
    editor.choose("?sh", "?ship")
    editor.tab.keyboard.type(" ")
    editor.choose("kg", "kg:")
    editor.choose("edt", "kg:edtf")
    editor.tab.keyboard.type(" 1 . ")
    # In German, and joined by a hyphen.
    editor.choose("sturmv", "the Petrel")
    editor.tab.keyboard.type(" ")
    editor.choose("harbour:ne", "harbour:nextTo")
    editor.tab.keyboard.type(" ")
    editor.choose("north-pi", "the north pier")
    assert editor.text.splitlines() == [
        f"PREFIX harbour: <{BASE}ontology/harbour#>",
        f"PREFIX kg: <{BASE}ontology#>",
        f"PREFIX : <{BASE}id/>",
        "SELECT * WHERE {",
        "  ?ship a harbour:Pier ; harbour:cranes ?n . ?ship kg:edtf 1 . :petrel harbour:nextTo :north-pier",
    ]


def test_declared_prefixes_are_used_and_odd_names_stay_whole(editor: Editor) -> None:
    editor.write("BASE <http://localhost:8000/>\nPREFIX mine: <id/>\nSELECT * { ?x ?y ")
    editor.choose("petr", "the Petrel")
    editor.tab.keyboard.type(" , ")
    editor.choose("slash", "a name with a slash")
    assert editor.text.splitlines()[2] == f"SELECT * {{ ?x ?y mine:petrel , <{BASE}id/deep/er>"


def test_what_is_not_to_be_completed_is_left_alone(editor: Editor) -> None:
    for text in ("# pier", 'SELECT * { ?x ?y "pier', "SELECT * { ?x <pier"):
        editor.write(text)
        editor.tab.keyboard.type("e", delay=5)
        editor.tab.wait_for_timeout(250)
        expect(editor.options).to_have_count(0)


# Errors


def test_an_error_is_marked_where_it_is(editor: Editor) -> None:
    editor.write("SELECT *\nWHERE { ?é nope:x ?c }")
    editor.content.press("ControlOrMeta+Enter")
    problem = editor.tab.get_by_role("alert")
    expect(problem).to_contain_text("Line 2, column 12: the prefix nope: is not declared")
    expect(editor.tab.locator(".cm-lintRange-error")).to_have_text(["nope:x"])
    editor.tab.get_by_role("button", name="Line 2, column 12").click()
    expect(editor.content).to_be_focused()
    editor.tab.keyboard.type("x")
    expect(editor.tab.locator(".cm-lintRange-error")).to_have_count(0)


def test_a_syntax_error_is_marked_at_the_word_that_has_no_place(editor: Editor) -> None:
    problem = editor.tab.get_by_role("alert")
    for text, place, message in (
        ("SELECT * { ?x taj }", "Line 1, column 15", "“taj” cannot stand here"),
        ("SELECT *\n{ ?s ?p '😀' . ?x }", "Line 2, column 18", "“}” cannot stand here"),
        ("SELECT * { ?s ?p ?o ", "Line 1, column 21", "the query ends too early"),
    ):
        editor.write(text)
        editor.content.press("ControlOrMeta+Enter")
        expect(problem).to_contain_text(f"{place}: syntax error: {message}")
        expect(editor.tab.locator(".cm-lintRange-error")).to_have_count(1)


def test_a_known_prefix_that_is_missing_can_be_declared(editor: Editor) -> None:
    editor.write("SELECT ?n { ?x harbour:cranes ?n }")
    editor.content.press("ControlOrMeta+Enter")
    editor.tab.get_by_role("button", name="Declare harbour: and run").click()
    expect(editor.status).to_have_text(re.compile("^[0-9]+ rows? in "))
    assert editor.text.startswith(f"PREFIX harbour: <{BASE}ontology/harbour#>\nSELECT")


def test_a_problem_of_a_link_is_marked_too(editor: Editor) -> None:
    editor.open("query?query=" + quote("ASK { ?s nope:x 1 }"))
    expect(editor.tab.locator(".cm-lintRange-error")).to_have_text(["nope:x"])


# Links and what was asked before


def test_the_address_reproduces_query_footnotes_dataset_and_view(editor: Editor, browser: Browser) -> None:
    editor.open(f"query?default-graph-uri={quote(BASE + 'graph/background')}")
    editor.tab.get_by_label("with footnotes").check()
    editor.run('SELECT ?x ?n { VALUES (?x ?n) { ("a" 1) ("b" 2) } }')
    editor.view("Chart")
    address = editor.tab.url
    assert {name: values for name, values in parse_qs(urlsplit(address).query).items() if name != "query"} == {
        "default-graph-uri": [BASE + "graph/background"],
        "evidence": ["true"],
        "view": ["chart"],
    }
    other = browser.new_page()
    other.goto(address)
    expect(other.get_by_role("tabpanel", name="Chart").locator("li")).to_have_text(["a1", "b2"])
    expect(other.get_by_label("with footnotes")).to_be_checked()
    other.close()


def test_a_long_query_has_a_link_as_well(editor: Editor) -> None:
    long = "SELECT ?x { VALUES ?x { " + " ".join(f'"value {i:05}"' for i in range(600)) + " } }"
    editor.run(long)
    expect(editor.status).to_have_text(re.compile("^600 rows"))
    address = editor.tab.url
    assert "#query=" in address
    editor.tab.goto("about:blank")
    editor.tab.goto(address)
    expect(editor.status).to_have_text(re.compile("^600 rows"))
    assert editor.text == long


def test_going_back_brings_the_query_before(editor: Editor) -> None:
    editor.run("SELECT (1 AS ?one) {}")
    editor.run("SELECT (2 AS ?two) {}")
    editor.tab.go_back()
    expect(editor.answer.locator("thead th")).to_have_text("one")
    assert editor.text == "SELECT (1 AS ?one) {}"


def test_what_was_asked_is_kept_and_can_be_cleared(editor: Editor) -> None:
    editor.run("SELECT (1 AS ?one) {}")
    editor.run("# title: Two?\nSELECT (2 AS ?two) {}")
    editor.open()
    editor.tab.get_by_text("Your queries 2").click()
    past = editor.tab.locator(".past li a")
    expect(past).to_have_text(["Two?", "SELECT (1 AS ?one) {}"])
    past.last.click()
    expect(editor.answer.locator("thead th")).to_have_text("one")
    editor.tab.get_by_role("button", name="Clear").click()
    expect(editor.tab.get_by_text("Your queries 0")).to_be_visible()
    expect(past).to_have_count(0)
    assert editor.tab.evaluate("localStorage.length") == 0


def test_without_storage_everything_else_works(editor: Editor) -> None:
    editor.tab.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });"
    )
    editor.open()
    editor.run("SELECT (1 AS ?one) {}")
    expect(editor.tab.get_by_text("Your queries 1")).to_be_visible()


def test_a_draft_outlives_a_reload(editor: Editor) -> None:
    editor.write("SELECT ?unfinished {")
    until(lambda: "SELECT ?unfinished {" in editor.tab.evaluate("Object.values(sessionStorage)"))
    editor.open()
    assert editor.text == "SELECT ?unfinished {"


# Stop


LEFT = 'kg_queries_total{outcome="left"}'
KILLED = 'kg_queries_total{outcome="killed_deadline"}'


def metric(address: str, name: str) -> float:
    with urllib.request.urlopen(address + "metrics", timeout=PATIENCE) as response:
        found = re.search(rf"^{re.escape(name)} (\S+)$", response.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


def test_stop_frees_the_worker(editor: Editor) -> None:
    left, killed = metric(editor.root, LEFT), metric(editor.root, KILLED)
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.tab.wait_for_timeout(300)
    editor.tab.get_by_role("button", name="Stop").click()
    expect(editor.status).to_have_text("Stopped.")
    expect(editor.tab.get_by_role("button", name="Run")).to_be_focused()
    until(lambda: metric(editor.root, LEFT) > left)
    until(lambda: metric(editor.root, 'kg_query_workers{state="busy"}') == 0)
    assert metric(editor.root, KILLED) == killed, "it was not its deadline that ended it"
    expect(editor.tab.get_by_role("button", name="Stop")).to_be_hidden()


def test_a_query_to_an_earlier_release_is_stopped_too(editor: Editor, voyage: Path) -> None:
    left = metric(editor.root, LEFT)
    editor.open(f"releases/{(voyage / 'releases/current').resolve().name}/query")
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.tab.wait_for_timeout(300)
    editor.tab.get_by_role("button", name="Stop").click()
    until(lambda: metric(editor.root, LEFT) > left)


def test_running_again_stops_what_runs(editor: Editor) -> None:
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.run("SELECT (1 AS ?one) {}")
    expect(editor.status).to_have_text(re.compile("^1 row in "))
    assert editor.rows() == [["1"]]


# Keyboard, screens, schemes, no scripts


def test_everything_is_done_by_keyboard_and_tab_leaves_the_editor(editor: Editor) -> None:
    press = editor.tab.keyboard.press
    editor.content.focus()
    press("Tab")
    expect(editor.tab.get_by_role("button", name="Run")).to_be_focused()
    press("Tab")
    expect(editor.tab.get_by_label("with footnotes")).to_be_focused()
    press("Shift+Tab")
    press("Shift+Tab")
    expect(editor.content).to_be_focused()
    editor.run('SELECT ?x ?n { VALUES (?x ?n) { ("a" 1) ("b" 2) } }')
    expect(editor.status).to_have_attribute("role", "status")
    table = editor.tab.get_by_role("tab", name="Table")
    table.focus()
    press("ArrowRight")
    expect(editor.tab.get_by_role("tab", name="Chart")).to_be_focused()
    expect(editor.tab.get_by_role("tabpanel", name="Chart")).to_be_visible()


def test_the_form_does_the_same_without_scripts(browser: Browser, voyage_address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(voyage_address + "query")
    tab.get_by_label("A question in SPARQL 1.1").fill(CRANES)
    tab.get_by_label("with footnotes").check()
    tab.get_by_role("button", name="Run", exact=True).click()
    expect(tab.locator("td")).to_have_text(["the north pier", "4", "1 or 2"])
    with tab.expect_navigation():
        tab.get_by_role("button", name="Run a long query").click()
    expect(tab.locator("td")).to_have_text(["the north pier", "4", "1 or 2"])
    tab.get_by_label("A question in SPARQL 1.1").fill("ASK { ?s nope:x 1 }")
    tab.get_by_role("button", name="Run", exact=True).click()
    assert "Line 1, column 10: the prefix nope: is not declared" in (tab.get_by_role("alert").text_content() or "")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(scheme: str, browser: Browser, voyage_address: str) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 780}, color_scheme="dark" if scheme == "dark" else "light"
    )
    editor = Editor(context.new_page(), voyage_address).open()
    over = "document.documentElement.scrollWidth - window.innerWidth"
    assert editor.tab.evaluate(over) <= 0
    point = '"POINT(1 1)"'
    rows = f'("{"long " * 30}" 1 "2020-01" {point}) ("b" 2 "2021-02" {point})'
    editor.run(f"SELECT ?x ?n ?day ?at {{ VALUES (?x ?n ?day ?at) {{ {rows} }} }}")
    for view in ("Table", "Map", "Timeline", "Chart"):
        editor.view(view)
        assert editor.tab.evaluate(over) <= 0, view
    editor.write("SELECT * { ?x ?y ")
    editor.tab.keyboard.type("pier", delay=5)
    completions = editor.tab.get_by_role("listbox", name="Completions")
    completions.wait_for()
    box = completions.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    context.close()


QUERIES = {
    "completion": "SELECT * { ?x ",
    "an error": "SELECT * { ?s ?p }",
    "a prefix to declare": "SELECT * { ?x harbour:cranes ?y }",
    "footnotes": CRANES,
    "map": WHERE,
    "timeline": WHEN,
    "chart": HOW_MANY,
    "history": CRANES,
    "nothing": "SELECT ?x { ?x ?y 'no such text' }",
}
SEEN = {
    "completion": ".cm-tooltip-autocomplete li",
    "an error": ".cm-lintRange-error",
    "a prefix to declare": ".problem button",
    "footnotes": ".footnotes li",
    "map": ".movable .pin",
    "timeline": ".timeline .moment",
    "chart": ".chart .length",
    "history": ".past li",
    "nothing": ".answer .nothing",
}
"""What is there once the editor is in a state."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", QUERIES)
def test_whatever_the_editor_shows_is_accessible(state: str, scheme: str, editor: Editor, axe: str) -> None:
    """In each of its states, in both schemes, and on a phone."""
    editor.tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    if state == "footnotes":
        editor.tab.get_by_label("with footnotes").check()
    editor.write(QUERIES[state])
    editor.tab.keyboard.press("Control+Space" if state == "completion" else "Control+Enter")
    if state in ("map", "timeline", "chart"):
        editor.view(state.capitalize())
    elif state == "history":
        editor.tab.get_by_text("Your queries 1").click()
    expect(editor.tab.locator(SEEN[state]).first).to_be_visible()
    editor.tab.evaluate(axe)
    found = editor.tab.evaluate(AXE, RULES)
    if state == "completion":
        # The arrow keys of the editor move through the list (aria-activedescendant), and scroll it.
        assert [fault for fault in found if not fault.startswith("scrollable-region-focusable #cm-ac-")] == []
        return  # it closes when the window changes
    assert found == []
    editor.tab.set_viewport_size({"width": 360, "height": 800})
    assert editor.tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert editor.tab.evaluate(AXE, OF_LOOKS) == []
