"""Pages speak the reader's language, by Accept-Language or ?lang=; what is not translated says in which it is."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from tests.patience import PATIENCE

from kg import media
from kg.config import Config
from kg.release import Release
from kg.site import create_app, languages
from kg.site.serving import answer_cache

Read = Callable[[str], Any]
UNTRANSLATED = next(code for code in ("fr", "it", "nl", "sv") if code not in languages.CATALOGUES)
"""A language that people speak and pages do not."""
CROWD = "http%3A%2F%2Flocalhost%3A8000%2Fontology%2Fharbour%23note"


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT, en;q=0.9", "de"),
        ("", f"{UNTRANSLATED}, en;q=0.5, de;q=0.8", "de"),
        ("", UNTRANSLATED, "en"),
        ("", "*", "en"),
        ("", "de;q=0, en", "en"),
        ("", ";;,=\u00ff", "en"),
        ("?lang=de", "en", "de"),
        ("?lang=en", "de", "en"),
        ("?lang=xx", "de", "de"),
        ("?lang=", "de", "de"),
        ("?lang=en&lang=de", "en", "de"),
    ],
)
def test_a_reader_gets_the_language_that_is_asked_for(
    query: str, header: str, language: str, client: FlaskClient
) -> None:
    response = client.get("/things" + query, headers={"Accept-Language": header})
    assert response.status_code == 200
    assert response.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in response.text
    assert {"Accept", "Accept-Language"} <= set(response.vary)
    assert ("<h1>Dinge " in response.text) == (language == "de")


def test_languages_have_etags_of_their_own(client: FlaskClient) -> None:
    english = client.get("/about")
    german = client.get("/about", headers={"Accept-Language": "de"})
    assert english.headers["ETag"] != german.headers["ETag"]
    again = {"If-None-Match": english.headers["ETag"]}
    assert client.get("/about", headers=again).status_code == 304
    assert client.get("/about", headers={**again, "Accept-Language": "de"}).status_code == 200


def test_rdf_is_the_same_in_every_language(client: FlaskClient) -> None:
    turtle = [client.get("/data/north-pier.ttl", headers={"Accept-Language": code}) for code in ("en", "de")]
    assert turtle[0].data == turtle[1].data
    assert turtle[0].headers["ETag"] == turtle[1].headers["ETag"]
    assert "Accept-Language" not in turtle[0].vary


def test_answers_are_remembered_once_a_language_however_it_is_asked_for() -> None:
    """So the many ways to ask fill no memory, and ``?lang=`` wins over the header."""

    def key(header: str, query: bytes = b"") -> answer_cache.Key | None:
        scope = {"method": "GET", "headers": [(b"accept-language", b"")], "raw_path": b"/", "query_string": query}
        return answer_cache.key(scope, {b"accept-language": header.encode()}, ("en", "de"))

    english = {key(header) for header in ("", "en", "en-GB;q=0.9", "fr", "*", "x" * 5_000)}
    german = {key(header) for header in ("de", "de-CH, it;q=0.5", "xx, de;q=0.1")}
    assert (len(english), len(german), len(english & german)) == (1, 1, 0)
    assert key("de", b"lang=en") != key("de")
    assert key("de", b"lang=en") == key("en", b"lang=en")


@pytest.mark.parametrize("path", ["about", "search.json?q=pier", "page/north-pier"])
def test_the_server_gives_each_reader_a_page_of_theirs(path: str, address: str) -> None:
    """From memory too: asked twice in turn."""
    for _ in range(2):
        for code in ("en", "de"):
            request = urllib.request.Request(address + path, headers={"Accept-Language": code})
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                assert response.headers["Content-Language"] == code
                assert "Accept-Language" in response.headers["Vary"]


def test_each_page_names_itself_in_every_language(client: FlaskClient, read_html: Read) -> None:
    head = read_html(client.get("/search?q=pier&kind=thing").text)
    alternates = {
        link.attributes["hreflang"]: link.attributes["href"]
        for link in head.all("link", rel="alternate")
        if "hreflang" in link.attributes
    }
    address = "http://localhost:8000/search?q=pier&kind=thing"
    named = {code: f"{address}&lang={code}" for code in languages.CATALOGUES}
    assert alternates == {**named, "x-default": address}


def test_a_page_in_a_language_of_its_own_is_canonical(client: FlaskClient) -> None:
    for path, canonical in (
        ("/page/north-pier", "page/north-pier"),
        ("/page/north-pier?lang=de", "page/north-pier?lang=de"),
        ("/about?lang=de", "about?lang=de"),
        ("/about?lang=xx", "about"),
    ):
        link = client.get(path, headers={"Accept": "text/html"}).headers["Link"]
        assert f'<http://localhost:8000/{canonical}>; rel="canonical"' in link


def test_a_language_that_was_chosen_stays(client: FlaskClient, read_html: Read) -> None:
    """Every link to a page names it; links to data, files, other sites and places on the page do not."""
    page = read_html(client.get("/page/north-pier?lang=de").text)
    hrefs = [a.attributes["href"] for a in page.all("a")]
    inside = [h for h in hrefs if not h.startswith(("http:", "https:", "#"))]
    data = [h for h in inside if re.search(rf"\.({'|'.join(media.RDF_BY_EXTENSION)})(\?|$)", h)]
    assert len(data) > 5
    assert {h for h in data if "lang=" in h} == set()
    assert {h for h in set(inside) - set(data) if "lang=" not in h} == set()
    assert [
        i.attributes["value"] for f in page.all("form") for i in f.all("input") if i.attributes.get("name") == "lang"
    ] == ["de"]
    followed = client.get("/browse?lang=de&show=claims").text
    assert "Stöbern" in followed


def test_a_german_page_leads_to_german_pages(client: FlaskClient, read_html: Read) -> None:
    seen: set[str] = set()
    for start in ("/", "/claim/gazette/1", "/term/kg:Event", "/page/hostile"):
        page = read_html(client.get(f"{start}?lang=de", headers={"Accept": "text/html"}).text)
        for a in page.all("a"):
            href = a.attributes["href"]
            if "lang=de" in href and href not in seen and "query?" not in href and not href.startswith("?"):
                seen.add(href)
                base = start.rpartition("/")[0] + "/"
                target = re.sub(r"[^/]+/\.\./", "", base + href) if href.startswith("../") else base + href
                while "/../" in target:
                    target = re.sub(r"/[^/]+/\.\./", "/", target, count=1)
                target = target.replace("/./", "/").partition("#")[0].replace("&amp;", "&")
                response = client.get(target, headers={"Accept": "text/html"}, follow_redirects=False)
                assert response.status_code in (200, 303), (start, href, target)
                if response.status_code == 200:
                    assert response.headers["Content-Language"] == "de", target
    assert len(seen) > 40


def test_a_name_in_another_language_says_so(voyage_client: FlaskClient, read_html: Read) -> None:
    """The reader's language first; what stands in for it has its language and a mark."""
    page = read_html(voyage_client.get("/things", headers={"Accept-Language": "de"}).text)
    names = page.all("bdi")
    assert names
    for name in names:
        language = name.attributes.get("lang", "")
        assert name.has(class_="foreign") == (language not in ("", "de")), name.text
    english = read_html(voyage_client.get("/things").text)
    assert {name.attributes.get("lang") for name in english.all("bdi", class_="foreign")} <= {"ar", "de", "fr", "sv"}


def test_labels_come_in_the_language_of_the_reader(client: FlaskClient, read_html: Read) -> None:
    site = client.application.extensions["kg"]
    names = {code: site.speaking(code).labels[site.names.id + "north-pier"] for code in ("en", "de")}
    assert {code: (label.text, label.language) for code, label in names.items()} == {
        "en": ("the north pier", "en"),
        "de": ("the north pier", "en"),
    }
    ranked = sorted(
        (("a", ""), ("b", "fr"), ("c", "en"), ("d", "de-AT"), ("e", "de")),
        key=lambda t: site.speaking("de").labels.rank(*t),
    )
    assert [language for _, language in ranked] == ["de", "de-AT", "en", "", "fr"]
    heading = read_html(client.get("/page/north-pier", headers={"Accept-Language": "de"}).text).all("h1")[0]
    assert [name.attributes for name in heading.all("bdi")] == [{"lang": "en", "class": "foreign"}]


def test_a_release_in_a_language_without_catalogue_is_read_in_it(release: Release, config: Config) -> None:
    site = create_app(release, replace(config, language=UNTRANSLATED)).test_client(use_cookies=False)
    response = site.get("/things")
    assert '<html lang="en">' in response.text
    assert re.findall(r'hreflang="(\w+)" lang=', response.text) == list(languages.CATALOGUES)
    assert f">{languages.spoken(UNTRANSLATED).name}<" in response.text


def test_problems_are_told_in_the_readers_language(client: FlaskClient) -> None:
    response = client.get("/page/nobody", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert response.status_code == 404
    assert "<h1>Nicht gefunden</h1>" in response.text
    assert "<p>Diese Ausgabe hat kein Ding mit dem Namen „nobody“.</p>" in response.text
    # What the engine says of a query is in English, and says so.
    response = client.get("/query?query=SELECT", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert "Die Abfrage wird nicht angenommen" in response.text
    assert re.search(r'<strong>Zeile 1, Spalte \d+:</strong> <span lang="en">', response.text)


def test_programs_get_problems_in_english(client: FlaskClient) -> None:
    """What is searched for in a log, or on the web, is the same everywhere (RFC 9457, section 3.1.3, allows both)."""
    response = client.get("/page/nobody", headers={"Accept": "application/json", "Accept-Language": "de"})
    assert (response.json or {})["title"] == "Not Found"
    assert (response.json or {})["detail"] == "This release has no thing of the name “nobody”."


def test_numbers_are_written_as_in_the_language(client: FlaskClient) -> None:
    for code, said in (("en", "Page 1 of 3"), ("de", "Seite 1 von 3")):
        response = client.get("/page/crowd?values=" + CROWD, headers={"Accept-Language": code})
        assert said in response.text
    assert languages.spoken("de").number(1_234_567) == "1.234.567"


@pytest.mark.browser
def test_the_editor_speaks_german_and_marks_what_the_engine_says(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="de")
    tab = context.new_page()
    tab.goto(address + "query")
    tab.get_by_role("textbox", name="Eine Frage").fill("SELECT * { ?x harbour:cranes ?y }")
    tab.get_by_role("button", name="Ausführen").click()
    expect(tab.get_by_role("heading", name="Die Abfrage wird nicht angenommen")).to_be_visible()
    expect(tab.locator(".problem [lang=en]")).to_have_text("the prefix harbour: is not declared")
    tab.get_by_role("textbox", name="Eine Frage").fill(f'SELECT ?x {{ VALUES ?x {{ "{"x" * 2_001}" }} }}')
    tab.get_by_role("button", name="Ausführen", exact=True).click()
    expect(tab.locator(".answers td")).to_contain_text("(2.001 Zeichen; heruntergeladen sind es alle)")
    context.close()


@pytest.mark.browser
def test_scripts_speak_the_language_of_the_page(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="de-AT")
    tab = context.new_page()
    tab.goto(address + "document/closed")
    expect(tab.get_by_role("button", name="Kopieren").first).to_be_visible()
    expect(tab.get_by_role("button", name="Vergleichen")).to_be_visible()
    tab.get_by_role("combobox").fill("north")
    expect(tab.get_by_role("listbox", name="Vorschläge")).to_be_visible()
    context.close()


@pytest.mark.browser
def test_a_reader_can_change_the_language_and_keeps_it(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address + "page/north-pier")
    tab.get_by_role("link", name="Deutsch").click()
    expect(tab.locator("html")).to_have_attribute("lang", "de")
    tab.get_by_role("link", name="Dinge", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Dinge")
    tab.get_by_role("searchbox").fill("north")
    tab.get_by_role("searchbox").press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Suche")
    assert context.cookies() == []
    context.close()


def test_words_of_the_program_among_the_data_are_german_too(client: FlaskClient, read_html: Read) -> None:
    page = read_html(client.get("/document/closed?lang=de").text)
    said = [dd.text.strip() for dd in page.all("dd")]
    assert "nein" in said
    assert "false" not in said
    files = read_html(client.get("/dumps/?lang=de").text)
    assert [note.text for note in files.all("span", class_="note") if note.has(lang="en")] == []
