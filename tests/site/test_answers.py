"""Answers in the editor at ``/query``: as table, map, timeline, chart and file; and no data is ever code."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.patience import until
from tests.site.editing import Editor

pytestmark = pytest.mark.browser

BASE = "http://localhost:8000/"
CRANES = f"SELECT ?pier ?n {{ VALUES ?pier {{ <{BASE}id/north-pier> }} ?pier <{BASE}ontology/harbour#cranes> ?n }}"
MILLION = " ".join(f"BIND(CONCAT({','.join([f'?x{i}'] * 10)}) AS ?x{i + 1})" for i in range(6))
JSON = "application/sparql-results+json"


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
    expect(links).to_have_text(["1", "2"])
    expect(editor.answer.locator(".footnotes li")).to_have_count(2)
    expect(editor.answer.locator("#note-2")).to_contain_text("The north pier has four cranes. ")
    links.first.click()
    editor.tab.wait_for_url("**/passage/closed/*")


def test_what_is_not_traceable_is_said_once(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run("SELECT ?n { { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } } }")
    expect(editor.answer).to_contain_text("not traceable to claims: the query has a sub-query")
    expect(editor.answer.locator("thead th")).to_have_text(["n"])


def test_a_count_has_the_footnotes_of_all_that_was_counted(editor: Editor) -> None:
    editor.tab.get_by_label("with footnotes").check()
    editor.run(f"SELECT (COUNT(*) AS ?n) {{ ?pier <{BASE}ontology/harbour#cranes> ?cranes }}")
    expect(editor.answer).to_contain_text("A row that counts or sums has the claims of everything that went into it.")
    expect(editor.answer.locator("td sup a").first).to_be_visible()


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


@pytest.mark.parametrize(
    ("type_", "content", "said"),
    [
        (JSON, '{"head":{"vars":["s"]},"results":{"bindings":[{"s":', "There may be more."),
        ("text/html", "<p>Log in</p>", "What came back is no answer to a query: text/html"),
    ],
)
def test_what_is_no_whole_answer_is_not_said_to_be_empty(editor: Editor, type_: str, content: str, said: str) -> None:
    editor.tab.route("**/sparql?*", lambda route: route.fulfill(body=content, content_type=type_))
    editor.write("SELECT ?s { ?s ?p ?o }")
    editor.content.press("ControlOrMeta+Enter")
    expect(editor.answer).to_contain_text(said)
    expect(editor.answer).not_to_contain_text("Nothing in this release answers that.")
    editor.tab.unroute("**/sparql?*")


@pytest.mark.parametrize("by_link", [False, True])
def test_columns_stand_in_the_order_of_the_query(editor: Editor, by_link: bool) -> None:
    query = "SELECT  DISTINCT * { ?subject ?predicate ?object . ?subject a ?class } LIMIT 2"
    if by_link:
        editor.open(f"query?query={quote(query)}")
    else:
        editor.run(query)
    expect(editor.answer.locator("thead th")).to_have_text(["subject", "predicate", "object", "class"])


def test_the_focus_stays_where_more_rows_are_asked_for(editor: Editor) -> None:
    numbers = " ".join(str(n) for n in range(250))
    editor.run(f"SELECT ?n {{ VALUES ?n {{ {numbers} }} }}")
    more = editor.tab.get_by_role("button", name=re.compile("^Show "))
    more.focus()
    editor.tab.keyboard.press("Enter")
    expect(editor.answer.get_by_role("status")).to_have_text("200 of 250")
    expect(more).to_be_focused()
    editor.tab.keyboard.press("Enter")
    expect(editor.answer.locator("tbody tr")).to_have_count(250)
    expect(editor.tab.get_by_role("region", name="Rows")).to_be_focused()


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
    expect(panel.locator(".places li")).to_have_text(["Lindmar road54.5° N, 10.25° E"])
    editor.run('SELECT ?name ?at { VALUES (?name ?at) { ("x" "POINT(10.5 54.25)") ("y" "POINT(-170 80)") } }')
    expect(editor.view("Map").locator(".places li .beside")).to_have_text(
        [
            "54.25° N, 10.5° E",
            "80° N, 170° W",
        ]
    )


def test_things_whose_coordinates_are_in_the_data_make_a_map(editor: Editor) -> None:
    """No coordinates among the columns: the things of one have some."""
    things = f"VALUES ?what {{ <{BASE}id/road> <{BASE}id/north-pier> }}"
    editor.run(f"SELECT ?what ?n {{ VALUES ?n {{ 1 2 }} {things} }} ORDER BY ?n")
    panel = editor.view("Map")
    expect(panel.locator(".movable path.land")).to_have_count(1)
    expect(panel.locator(".places li")).to_have_text(["Lindmar road54.5° N, 10.25° En: 1n: 2"])
    editor.run(f"SELECT ?what {{ VALUES ?what {{ <{BASE}id/north-pier> }} }}")
    expect(editor.tab.get_by_role("tab")).to_have_count(0)


def test_places_near_each_other_share_a_mark_until_the_map_is_closer(editor: Editor) -> None:
    rows = "('one' 54.1 10.1) ('two' 54.1001 10.1) ('three' 54.2 10.1) ('far' 20.0 -60.5)"
    editor.run(f"SELECT ?name ?lat ?long {{ VALUES (?name ?lat ?long) {{ {rows} }} }}")
    panel = editor.view("Map")
    expect(panel.locator(".pin")).to_have_count(2)
    expect(panel.locator(".pin.many")).to_have_text("3")
    mark = panel.get_by_role("button", name="one two three")
    mark.focus()
    editor.tab.keyboard.press("Enter")
    for name in ("one", "two", "three"):
        expect(panel.locator(".leaflet-popup-content")).to_contain_text(name)
    expect(panel).to_contain_text("20° N, 60.5° W")
    closer = panel.get_by_role("button", name="Zoom in")
    # The two that lie ten metres apart stay one.
    while panel.locator(".pin").count() < 3:
        closer.click()
        expect(editor.tab.locator(".leaflet-zoom-anim")).to_have_count(0)
    expect(panel.locator(".pin.many")).to_have_text("2")


def test_dates_make_a_timeline(editor: Editor) -> None:
    editor.run(f"SELECT ?time ?edtf {{ ?time <{BASE}ontology#edtf> ?edtf }}")
    panel = editor.view("Timeline")
    expect(panel.locator("li .what")).to_have_text(["May 2021", "spring 2022"])
    expect(panel.locator("li .days")).to_have_text(["in May 2021", "between March and May 2022"])
    editor.run('SELECT ?x ?when { VALUES (?x ?when) { ("a" "2020") ("b" "1999-05") } }')
    expect(editor.view("Timeline").locator("li .days")).to_have_text(["in May 1999", "in 2020"])
    editor.run('SELECT ?x ?number { VALUES (?x ?number) { ("a" "2020") ("b" "1999") } }')
    expect(editor.tab.get_by_role("tab")).to_have_count(0)
    editor.run('SELECT ?x ?start ?end { VALUES (?x ?start ?end) { ("a" "2020-01-01" "2020-12-31") } }')
    expect(editor.view("Timeline").locator("li .days")).to_have_text(["throughout 2020"])


def test_numbers_make_a_chart(editor: Editor) -> None:
    editor.run('SELECT ?name ?n { VALUES (?name ?n) { ("up" 4) ("down" -2) ("none" 0) } }')
    panel = editor.view("Chart")
    expect(panel.locator("li")).to_have_text(["up4", "down-2", "none0"])
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
    expect(editor.answer.locator(".download button")).to_have_text(
        [
            "Turtle",
            "N-Triples",
            "RDF/XML",
            "JSON-LD",
            "TriG",
            "N-Quads",
        ]
    )


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


def test_rows_are_copied_for_a_spreadsheet_by_their_names(editor: Editor) -> None:
    editor.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    values = f'(<{BASE}id/north-pier> 4 "a\\tb \\"c\\"") (UNDEF 2.5 "ü")'
    editor.run(f"SELECT ?pier ?n ?note {{ VALUES (?pier ?n ?note) {{ {values} }} }}")
    for plain, pier in ((False, "the north pier"), (True, f"{BASE}id/north-pier")):
        editor.tab.get_by_label("IRIs instead of names").set_checked(plain)
        editor.tab.get_by_role("button", name="Copy rows").click()
        lines = "\n".join(("pier\tn\tnote", f'{pier}\t4\t"a\tb ""c"""', "\t2.5\tü"))
        editor.tab.wait_for_function("async (lines) => await navigator.clipboard.readText() === lines", arg=lines)
    editor.tab.get_by_role("button", name="Copy link").click()
    until(lambda: editor.tab.evaluate("navigator.clipboard.readText()") == editor.tab.url)
