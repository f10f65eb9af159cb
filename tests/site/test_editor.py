"""The editor at ``/query`` in a real browser: it helps to write, runs, stops, shows; and no data is ever code."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.browser

BASE = "http://localhost:8000/"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
CRANES = f"SELECT ?pier ?n {{ VALUES ?pier {{ <{BASE}id/north-pier> }} ?pier <{BASE}ontology/harbour#cranes> ?n }}"
MILLION = " ".join(f"BIND(CONCAT({','.join([f'?x{i}'] * 10)}) AS ?x{i + 1})" for i in range(6))
JSON = "application/sparql-results+json"
COMPLAIN = """
  window.complaints = [];
  addEventListener("securitypolicyviolation", (event) => complaints.push(`${event.violatedDirective} ${event.sample}`));
  addEventListener("error", (event) => complaints.push(event.message));
"""


class Editor:
    """The page, as somebody uses it."""

    def __init__(self, tab: Page, root: str) -> None:
        self.tab = tab
        self.root = root
        self.content = tab.get_by_role("textbox", name="A question in SPARQL 1.1")
        self.status = tab.locator(".query-status")
        self.answer = tab.locator(".answers")
        self.options = tab.get_by_role("listbox", name="Completions").get_by_role("option")

    def open(self, path: str = "query") -> Editor:
        self.tab.goto(self.root + path)
        expect(self.content).to_be_visible()
        return self

    @property
    def text(self) -> str:
        found: str = self.tab.evaluate("document.querySelector('#query').value")
        return found

    def write(self, text: str) -> None:
        """Put a text in place of the one that stands there."""
        self.content.focus()
        self.tab.keyboard.press("ControlOrMeta+a")
        self.tab.keyboard.insert_text(text)

    def choose(self, typed: str, name: str) -> None:
        """Type, and take a suggestion by the keyboard."""
        self.tab.keyboard.type(typed, delay=5)
        wanted = self.options.filter(has_text=name)
        expect(wanted.first).to_be_visible()
        labels = self.options.all_text_contents()
        for _ in range(next(i for i, label in enumerate(labels) if name in label)):
            self.tab.keyboard.press("ArrowDown")
        expect(wanted.first).to_have_attribute("aria-selected", "true")
        # CodeMirror takes no suggestion that appeared under a finger on its way to another key.
        self.tab.wait_for_timeout(100)
        self.tab.keyboard.press("Enter")

    def run(self, text: str = "") -> None:
        if text:
            self.write(text)
        self.content.press("ControlOrMeta+Enter")
        expect(self.status).not_to_have_text(re.compile("^(Running.*)?$"))

    def rows(self) -> list[list[str]]:
        return [row.locator("td").all_text_contents() for row in self.answer.locator("tbody tr").all()]

    def view(self, name: str) -> Locator:
        self.tab.get_by_role("tab", name=name).click()
        return self.tab.get_by_role("tabpanel", name=name)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One cache for all tests here: the scripts are fetched once."""
    opened = browser.new_context()
    opened.add_init_script(COMPLAIN)
    yield opened
    opened.close()


@pytest.fixture
def editor(context: BrowserContext, voyage_address: str) -> Iterator[Editor]:
    """The page at its beginning. Whatever a test does, the policy is kept and nothing fails."""
    tab = context.new_page()
    hosts: set[str] = set()
    tab.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    tab.on("dialog", lambda dialog: pytest.fail(dialog.message))
    yield Editor(tab, voyage_address).open()
    assert tab.evaluate("window.complaints") == []
    assert hosts == {urlsplit(voyage_address).netloc}
    # One test replaces the storage by none.
    tab.evaluate("try { localStorage.clear(); } catch {}")
    tab.close()


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
    assert editor.tab.locator(".cm-lintRange-error").all_text_contents() == ["nope:x"]
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
    assert editor.tab.locator(".cm-lintRange-error").all_text_contents() == ["nope:x"]


# Answers


def test_an_example_question_is_one_click_away(editor: Editor) -> None:
    editor.tab.get_by_role("link", name="How many cranes stand on each pier?").click()
    expect(editor.status).to_have_text(re.compile(r"^[0-9]+ rows? in [0-9.]+ s$"))
    assert "harbour:cranes" in editor.text
    assert editor.tab.get_by_role("link", name="the north pier").get_attribute("href") == (
        editor.root + "page/north-pier"
    )


def test_footnotes_open_their_passages(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run(CRANES)
    links = editor.answer.locator("td sup a")
    expect(links.first).to_be_visible()
    assert [re.sub(r"[0-9]+-[0-9]+$", "", link.get_attribute("href") or "") for link in links.all()] == [
        f"{editor.root}passage/closed/",
        f"{editor.root}passage/gazette/",
    ]
    assert links.all_text_contents() == ["1", "2"]
    expect(editor.answer.locator(".footnotes li")).to_have_count(2)
    expect(editor.answer.locator("#note-2")).to_contain_text("The north pier has four cranes. ")
    links.first.click()
    editor.tab.wait_for_url("**/passage/closed/*")


def test_what_is_not_traceable_is_said_once(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    expect(editor.answer).to_contain_text("not traceable to claims: the query has an aggregate (COUNT)")
    assert editor.answer.locator("thead th").all_text_contents() == ["n"]


def test_the_other_forms_have_answers_too_with_footnotes_asked_for(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run("ASK { ?s ?p ?o }")
    expect(editor.answer.locator(".boolean")).to_have_text("Yes")
    editor.run(f"CONSTRUCT {{ <a:b> <c:d> 'é\\n\"' , 'x'@ar , 5 }} WHERE {{ <{BASE}id/north-pier> a ?c }} LIMIT 9")
    expect(editor.answer.locator("thead th").first).to_have_text("subject")
    assert {row[2] for row in editor.rows()} == {"5", 'é\n"', "x ar"}
    editor.run("SELECT ?x { ?x <a:b> <c:d> }")
    expect(editor.answer).to_contain_text("Nothing in this release answers that.")
    address = editor.tab.url
    editor.answer.get_by_role("link", name="Perhaps somebody else says it.").click()
    expect(editor.tab.locator("#whose")).to_be_focused()
    assert editor.tab.url == address


def test_only_so_many_rows_are_read_and_shown(editor: Editor) -> None:
    editor.run("SELECT ?s ?p ?o { ?s ?p ?o . ?other a ?kind }")
    expect(editor.status).to_have_text(re.compile("^The first 1,000 rows in "))
    expect(editor.answer).to_contain_text("Only the first 1,000 rows are shown; a download has all of them.")
    assert len(editor.rows()) == 100
    editor.tab.get_by_role("button", name="Show 100 more rows").click()
    expect(editor.answer.locator("tbody tr")).to_have_count(200)


def test_things_are_shown_by_name_or_by_iri(editor: Editor) -> None:
    editor.run(f"SELECT * {{ VALUES ?x {{ <{BASE}id/north-pier> <{BASE}id/deep/er> <http://example.org/x> }} }}")
    assert [row[0] for row in editor.rows()] == ["the north pier", "a name with a slash", "http://example.org/x"]
    editor.tab.get_by_label("IRIs instead of names").check()
    expect(editor.answer.locator("td").first).to_have_text(":north-pier")
    assert [row[0] for row in editor.rows()] == [":north-pier", f"<{BASE}id/deep/er>", "<http://example.org/x>"]
    assert editor.answer.locator("td a").first.get_attribute("href") == editor.root + "page/north-pier"


def test_an_answer_that_was_cut_does_not_look_whole(editor: Editor) -> None:
    cut = '{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"a"}}'
    editor.tab.route("**/sparql?*", lambda route: route.fulfill(body=cut, content_type=JSON))
    editor.run("SELECT ?x { ?x ?y ?z }")
    expect(editor.status).to_have_text(re.compile("^1 row in .*; then the connection ended$"))
    expect(editor.answer).to_contain_text("The answer was cut: the connection ended after 1 row. There may be more.")


def test_a_column_sorts_by_numbers_and_back(editor: Editor) -> None:
    editor.run("SELECT ?n { VALUES ?n { 10 9 100 } }")
    for order, expected in (
        ("ascending", ["9", "10", "100"]),
        ("descending", ["100", "10", "9"]),
        (None, ["10", "9", "100"]),
    ):
        editor.tab.get_by_role("button", name="n", exact=True).click()
        if order:
            expect(editor.answer.locator("th")).to_have_attribute("aria-sort", order)
        else:
            expect(editor.answer.locator("th")).not_to_have_attribute("aria-sort", re.compile("."))
        assert [row[0] for row in editor.rows()] == expected


def test_points_make_a_map(editor: Editor) -> None:
    wgs84 = "http://www.w3.org/2003/01/geo/wgs84_pos#"
    editor.run(f"SELECT ?place ?lat ?long {{ ?place <{wgs84}lat> ?lat ; <{wgs84}long> ?long }}")
    panel = editor.view("Map")
    expect(panel.locator(".movable path.land")).to_have_count(1)
    expect(panel.get_by_role("button", name="Lindmar road")).to_be_visible()
    assert panel.locator(".places li").all_text_contents() == ["Lindmar road54.5° N, 10.25° E"]
    editor.run('SELECT ?name ?at { VALUES (?name ?at) { ("x" "POINT(10.5 54.25)") ("y" "POINT(-170 80)") } }')
    assert editor.view("Map").locator(".places li .beside").all_text_contents() == [
        "54.25° N, 10.5° E",
        "80° N, 170° W",
    ]


def test_dates_make_a_timeline(editor: Editor) -> None:
    editor.run(f"SELECT ?time ?edtf {{ ?time <{BASE}ontology#edtf> ?edtf }}")
    panel = editor.view("Timeline")
    assert panel.locator("li .what").all_text_contents() == ["May 2021", "spring 2022"]
    assert panel.locator("li .days").all_text_contents() == ["in May 2021", "between March 2022 and May 2022"]
    editor.run('SELECT ?x ?when { VALUES (?x ?when) { ("a" "2020") ("b" "1999-05") } }')
    assert editor.view("Timeline").locator("li .days").all_text_contents() == ["in May 1999", "in 2020"]
    editor.run('SELECT ?x ?number { VALUES (?x ?number) { ("a" "2020") ("b" "1999") } }')
    expect(editor.tab.get_by_role("tab")).to_have_count(0)
    editor.run('SELECT ?x ?start ?end { VALUES (?x ?start ?end) { ("a" "2020-01-01" "2020-12-31") } }')
    assert editor.view("Timeline").locator("li .days").all_text_contents() == ["throughout 2020"]


def test_numbers_make_a_chart(editor: Editor) -> None:
    editor.run('SELECT ?name ?n { VALUES (?name ?n) { ("up" 4) ("down" -2) ("none" 0) } }')
    panel = editor.view("Chart")
    assert panel.locator("li").all_text_contents() == ["up4", "down-2", "none0"]
    shares = [float((rect.get_attribute("width") or "").rstrip("%")) for rect in panel.locator("rect").all()]
    assert shares == [66.67, 33.33, 0.2]


def test_every_format_can_be_downloaded(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run(CRANES)
    for name, extension in (("JSON", "srj"), ("XML", "srx"), ("CSV", "csv"), ("TSV", "tsv")):
        with editor.tab.expect_download() as downloading:
            editor.tab.get_by_role("button", name=name, exact=True).click()
        assert downloading.value.suggested_filename == f"answer.{extension}"
        assert "evidence" in downloading.value.path().read_text(encoding="utf-8").partition("\n")[0]
    editor.run("CONSTRUCT WHERE { ?s ?p ?o }")
    assert editor.answer.locator(".download button").all_text_contents() == [
        "Turtle",
        "N-Triples",
        "RDF/XML",
        "JSON-LD",
        "TriG",
        "N-Quads",
    ]


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
    assert past.all_text_contents() == ["Two?", "SELECT (1 AS ?one) {}"]
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
    editor.tab.wait_for_timeout(400)
    editor.open()
    assert editor.text == "SELECT ?unfinished {"


# Stop


def metric(address: str, name: str) -> float:
    with urllib.request.urlopen(address + "metrics", timeout=10) as response:
        found = re.search(rf"^{re.escape(name)} (\S+)$", response.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


def test_stop_frees_the_worker(editor: Editor) -> None:
    left = 'kg_queries_total{outcome="left"}'
    before = metric(editor.root, left)
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.tab.wait_for_timeout(300)
    started = time.monotonic()
    editor.tab.get_by_role("button", name="Stop").click()
    expect(editor.status).to_have_text("Stopped.")
    expect(editor.tab.get_by_role("button", name="Run")).to_be_focused()
    while metric(editor.root, left) == before:
        # The query's own deadline is 10 seconds.
        assert time.monotonic() - started < 5, "the server has not noticed"
        time.sleep(0.05)
    assert metric(editor.root, 'kg_query_workers{state="busy"}') == 0
    expect(editor.tab.get_by_role("button", name="Stop")).to_be_hidden()


def test_a_query_to_an_earlier_release_is_stopped_too(editor: Editor, voyage: Path) -> None:
    left = 'kg_queries_total{outcome="left"}'
    before = metric(editor.root, left)
    editor.open(f"releases/{(voyage / 'releases/current').resolve().name}/query")
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.tab.wait_for_timeout(300)
    started = time.monotonic()
    editor.tab.get_by_role("button", name="Stop").click()
    while metric(editor.root, left) == before:
        assert time.monotonic() - started < 5, "the server has not noticed"
        time.sleep(0.05)


def test_running_again_stops_what_runs(editor: Editor) -> None:
    editor.write(ENDLESS)
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.status).to_have_text("Running …")
    editor.run("SELECT (1 AS ?one) {}")
    expect(editor.status).to_have_text(re.compile("^1 row in "))
    assert editor.rows() == [["1"]]


# Hostile data

HOSTILE = """SELECT ?x {{ {{ VALUES ?x {{
  "<img src=x onerror=alert(1)>" "</script><script>alert(2)</script>" "\\u202Edesrever"
  <javascript:alert(3)> <data:text/html,x> <http://example.org/onclick=alert(4)> "<b>"@en
  "<i>x</i>"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML> "x"^^<javascript:alert(5)> <{base}id/hostile>
}} }} UNION {{ BIND("a" AS ?x0) {million} BIND(?x6 AS ?x) }} }}"""


@pytest.mark.parametrize("by_link", [True, False])
def test_hostile_values_are_text_and_never_links(editor: Editor, by_link: bool) -> None:
    query = HOSTILE.format(base=BASE, million=MILLION)
    if by_link:
        editor.open("query?query=" + quote(query))
    else:
        editor.run(query)
    expect(editor.status).to_have_text(re.compile("^11 rows"))
    cells = {row[0] for row in editor.rows()}
    assert cells >= {
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(2)</script>",
        "\u202edesrever",
        "javascript:alert(3)",
    }
    (long,) = (cell for cell in cells if "1,000,000 characters" in cell)
    assert len(long) < 3000
    assert editor.answer.locator("td :is(img, script, b, i)").count() == 0
    hrefs = {link.get_attribute("href") for link in editor.answer.locator("td a").all()}
    assert hrefs == {"http://example.org/onclick=alert(4)", editor.root + "page/hostile"}
    assert editor.answer.locator("td bdi").first.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"


def test_hostile_labels_are_text_among_the_suggestions(editor: Editor) -> None:
    editor.write("SELECT * { ?x ?y ")
    editor.tab.keyboard.type("onerror", delay=5)
    expect(editor.options.first).to_contain_text("<img src=x onerror=alert(1)>")
    assert editor.tab.locator(".cm-tooltip img").count() == 0
    editor.tab.keyboard.press("Escape")
    editor.write("SELECT ?x { ?x ?y \u202e'z' }")
    expect(editor.tab.locator(".cm-specialChar")).to_have_count(1)


def test_hostile_values_on_map_timeline_and_chart_are_text(editor: Editor) -> None:
    row = '"<img src=x onerror=alert(1)>" "2020" "POINT(1 1)" 5 "<script>alert(2)</script>"'
    rows = f"({row}) ({row})"
    date = f'BIND("2020-05-0{5}"^^<http://www.w3.org/2001/XMLSchema#date> AS ?day)'
    editor.run(f"SELECT ?name ?at ?n ?more ?day {{ VALUES (?name ?year ?at ?n ?more) {{ {rows} }} {date} }}")
    for view in ("Map", "Timeline", "Chart"):
        panel = editor.view(view)
        expect(panel).to_contain_text("<img src=x onerror=alert(1)>")
        assert panel.locator("img, script").count() == 0


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
    assert tab.locator("td").all_text_contents() == ["the north pier", "4", "1 or 2"]
    tab.get_by_role("button", name="Run a long query").click()
    assert tab.locator("td").all_text_contents() == ["the north pier", "4", "1 or 2"]
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
    box = editor.tab.get_by_role("listbox", name="Completions").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    context.close()


# What the server gives


def test_only_this_page_has_a_nonce_and_it_is_new_each_time(voyage_client: FlaskClient) -> None:
    found = set()
    for _ in range(2):
        response = voyage_client.get("/query")
        assert response.headers["Cache-Control"] == "no-store"
        nonces = re.findall(r"'nonce-([\w-]{16,})'", response.headers["Content-Security-Policy"])
        assert len(nonces) == 1
        assert f'nonce="{nonces[0]}"' in response.text
        found.add(nonces[0])
    assert len(found) == 2
    for path in ("/", "/search", "/map", "/sparql", "/query?query=1&query=2"):
        response = voyage_client.get(path, headers={"Accept": "text/html"})
        assert "nonce" not in response.headers["Content-Security-Policy"] + response.text, path


def test_terms_have_counts_and_meanings_the_most_used_first(voyage_client: FlaskClient) -> None:
    response = voyage_client.get("/query/terms.json")
    assert response.headers["ETag"]
    found = response.json
    assert found is not None
    assert found["base"] == BASE
    assert found["prefixes"]["harbour"] == BASE + "ontology/harbour#"
    for kind in ("classes", "properties"):
        counts = [term["count"] for term in found[kind]]
        assert counts == sorted(counts, reverse=True)
    properties = {term["iri"]: term for term in found["properties"]}
    assert properties[BASE + "ontology#edtf"] == {
        "iri": BASE + "ontology#edtf",
        "label": "EDTF",
        "count": 2,
        "meaning": "In the Extended Date/Time Format.",
    }


def test_names_are_given_for_any_iri_and_claims_say_who_says_it(client: FlaskClient) -> None:
    asked = [BASE + "id/north-pier", BASE + "claim/gazette/1", "javascript:x", "no iri", ""]
    found = client.post("/query/names.json", data=json.dumps(asked)).json
    assert found is not None
    assert set(found["names"]) == set(asked)
    assert found["names"][asked[0]] == {"label": "the north pier", "language": "en", "page": "page/north-pier"}
    assert "page" not in found["names"]["javascript:x"]
    assert set(found["claims"]) == {BASE + "claim/gazette/1"}
    assert found["claims"][asked[1]]["passages"][0]["page"].startswith("passage/gazette/")


@pytest.mark.parametrize("body", ["", "{}", '["a", 1]', json.dumps(["a"] * 501), "[" * 100_000])
def test_what_is_no_list_of_iris_is_refused(body: str, client: FlaskClient) -> None:
    response = client.post("/query/names.json", data=body)
    assert response.status_code == 400
    assert "at most 500 IRIs" in response.text
