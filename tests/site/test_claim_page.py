"""The page of a claim: everything to judge, to follow, to cite and to object to it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from kg.config import Config, load
from kg.errors import ConfigError
from kg.release import Release
from kg.site import create_app

Read = Callable[[str], Any]
BASE = "http://localhost:8000/"


def section(page: Any, name: str) -> Any:
    (found,) = [s for s in page.all("section") if s.attributes.get("aria-labelledby") == name]
    return found


def rows(part: Any) -> dict[str, str]:
    return {
        " ".join(r.all("dt")[0].text.split()): " ".join(r.all("dd")[0].text.split())
        for r in part.all("div", class_="row")
    }


@pytest.fixture
def open_claim(release: Release, config: Config, read_html: Read) -> Callable[..., Any]:
    """The page of a claim of the harbour, under another address for reports."""

    def get(name: str, report: str = "") -> Any:
        client = create_app(release, dataclasses.replace(config, report=report)).test_client()
        return read_html(client.get(f"/claim/{name}", headers={"Accept": "text/html"}).text)

    return get


# -- what it says ------------------------------------------------------------------------------------------------


def test_a_claim_is_a_sentence_and_a_named_graph(read_page: Read) -> None:
    page = read_page("/claim/gazette/7")
    assert page.all("h1")[0].text == 'Nobody counted <em>anything</em> & "more".'
    rdf = section(page, "what").all("pre")[0].text
    assert rdf.startswith("<http://localhost:8000/claim/gazette/7> {")
    assert "</script><script>alert(1)</script>" in rdf


def test_a_passage_stands_between_the_sentences_around_it(read_page: Read) -> None:
    (quote,) = section(read_page("/claim/gazette/2"), "where").all("blockquote")
    assert quote.all("mark")[0].text == "The harbour board will add a fifth crane in spring"
    assert [s.text for s in quote.all("span", class_="around")] == [
        "The north pier at Lindmar has four cranes.",
        "A pilot, Ada Ström, said the pier is sinking.",
    ]


def test_a_passage_leads_to_its_sentence_in_the_document(read_page: Read) -> None:
    where = section(read_page("/claim/gazette/2"), "where")
    (link,) = [a for a in where.all("a") if a.text == "Read it in the document"]
    assert link.attributes["href"] == "../../document/gazette#s2"
    assert read_page("/document/gazette").all("span", id="s2")


def test_words_that_may_not_be_shown_are_a_place_and_a_fingerprint(read_page: Read) -> None:
    where = section(read_page("/claim/closed/1"), "where")
    assert not where.all("blockquote")
    assert not [a for a in where.all("a") if "#s" in a.attributes["href"]]
    assert "bb4db23cd8d878a048bcaba0748079fce836ecd386ee8d64f1d959178a5feeda" in where.text
    assert "¶ 1, sentence 1" in where.text


def test_a_review_has_its_reader_and_its_day(read_page: Read) -> None:
    found = rows(section(read_page("/claim/gazette/1"), "who"))
    assert found["Review"] == "reviewed by the editors on 1 March 2020"
    assert rows(section(read_page("/claim/gazette/2"), "who"))["Review"].startswith("not reviewed yet")


def test_who_encoded_it_and_when(dataset_page: Read) -> None:
    found = rows(section(dataset_page("/claim/us-army-iraq-bases/22"), "who"))
    assert found["Encoded"] == "by the kg authors on 23 November 2026"


@pytest.fixture(scope="module")
def dataset_page(dataset: Any, read_html: Read) -> Read:
    client = create_app(Release.open(dataset / "releases/current"), load(dataset)).test_client()
    return lambda path: read_html(client.get(path, headers={"Accept": "text/html"}).text)


# -- what was checked --------------------------------------------------------------------------------------------


def test_the_shapes_that_looked_at_it_are_linked(read_page: Read) -> None:
    part = section(read_page("/claim/gazette/1"), "checks")
    assert rows(part) == {"The claim's record": "None.", "What it says": "Pier"}
    (link,) = part.all("a")
    assert link.attributes["href"] == "../../shapes#Pier"
    assert read_page("/shapes").all("article", id="Pier")


def test_the_shapes_of_the_dataset_are_those_of_its_targets(dataset_page: Read) -> None:
    found = rows(section(dataset_page("/claim/us-army-iraq-bases/22"), "checks"))
    assert "Claim" in found["The claim's record"].split(" · ")
    assert "Review" not in found["The claim's record"].split(" · ")
    page = dataset_page("/shapes")
    anchors = {e.attributes.get("id") for e in page.all("article")}
    links = section(dataset_page("/claim/us-army-iraq-bases/22"), "checks").all("a")
    assert {a.attributes["href"].partition("#")[2] for a in links} <= anchors


@pytest.mark.parametrize("name", ["gazette/4", "gazette/8", "gazette/6"], ids=["relayed", "denied", "inferred"])
def test_no_shape_is_said_to_have_seen_what_is_not_published(name: str, read_page: Read) -> None:
    assert rows(section(read_page(f"/claim/{name}"), "checks"))["What it says"].startswith("None: it is not published")


# -- citing and reporting ----------------------------------------------------------------------------------------


def test_a_citation_names_the_claim_the_document_the_release_and_the_iri(read_page: Read, release: Release) -> None:
    (line,) = section(read_page("/claim/gazette/1"), "cite").all("bdi")
    assert line.text == (
        "“The north pier has four cranes.” Claim 1 from “The pier at Lindmar <i>2</i>”. "
        f"In: Lindmar harbour <b>facts</b>, release {release.version}. The kg authors, {release.version[:4]}. "
        "http://localhost:8000/claim/gazette/1"
    )


def test_bibtex_has_the_same_and_nothing_of_it_is_a_command(read_page: Read, release: Release) -> None:
    text = section(read_page("/claim/gazette/7"), "cite").all("pre")[0].text
    assert text.startswith("@misc{gazette:7,\n")
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", text, re.MULTILINE))
    assert fields["title"] == r'{Nobody counted <em>anything</em> \& "more".}'
    assert fields["version"] == release.version
    assert fields["url"] == BASE + "claim/gazette/7"
    opened = re.sub(r"\\.", "", text)
    assert opened.count("{") == opened.count("}")


def test_without_an_address_there_is_no_report_link(open_claim: Any) -> None:
    assert "Report a problem" not in open_claim("gazette/1").text


def report(page: Any) -> str:
    (link,) = [a for a in page.all("a") if a.text == "Report a problem with this claim"]
    return str(link.attributes["href"])


def test_a_report_by_mail_is_begun(open_claim: Any, release: Release) -> None:
    href = report(open_claim("gazette/7", "mailto:facts@example.org"))
    split = urlsplit(href)
    assert (split.scheme, split.path) == ("mailto", "facts@example.org")
    fields = parse_qs(split.query)
    assert fields["subject"] == ["Problem with claim gazette/7"]
    assert f"Claim: {BASE}claim/gazette/7\r\n" in fields["body"][0]
    assert f"Release: {release.version}" in fields["body"][0]
    assert 'Nobody counted <em>anything</em> & "more".' in fields["body"][0]


def test_a_report_on_the_web_fills_in_the_template(open_claim: Any, release: Release) -> None:
    href = report(open_claim("gazette/1", "https://example.org/new?title={title}&about={claim}&in={release}"))
    assert href.startswith("https://example.org/new?title=Problem%20with%20claim%20gazette%2F1&about=http%3A%2F%2F")
    assert unquote(href).endswith(f"&about={BASE}claim/gazette/1&in={release.version}")
    assert report(open_claim("gazette/1", "https://example.org/contact")) == "https://example.org/contact"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "http://example.org/", "facts@example.org", "mailto:a b", "https://x/{nobody}"]
)
def test_an_address_that_pages_cannot_link_to_is_refused(address: str, project: Any) -> None:
    with pytest.raises(ConfigError, match="report"):
        Config(root=project, report=address)


def test_a_claim_that_is_not_there_is_a_clear_answer(client: Any) -> None:
    for name in ("gazette/99", "nobody/1", "gazette", "gazette/1/2", "gazette/%00", "gazette/" + "9" * 3000):
        response = client.get(f"/claim/{name}", headers={"Accept": "application/problem+json"})
        assert response.status_code == 404
        assert "This release has no claim" in response.json["detail"]


# -- evidence beside values --------------------------------------------------------------------------------------


def lines(page: Any, value: str) -> list[tuple[str, str]]:
    """Status and text of each line of evidence beside a value."""
    for item in page.all("li"):
        found = item.all("div", class_="value")
        if found and found[0].text.strip() == value:
            says = item.all("span", class_="says")
            return [(s.attributes["class"].split()[1], " ".join(s.text.split())) for s in says]
    raise AssertionError(f"no value {value}")


def test_what_a_note_relays_is_marked_as_said_by_others(dataset_page: Read) -> None:
    page = dataset_page("/page/second-taji-attack")
    assert [s for s, _ in lines(page, "25")] == ["reported"]
    assert "according to the US-led coalition" in lines(page, "25")[0][1]
    reported = [s for s in page.all("section", class_="said") if "reported" in s.attributes["class"]]
    assert "25" in " ".join(v.text for s in reported for v in s.all("div", class_="value")).split()
    assert [s for s, _ in lines(page, "33")] == ["stated", "reported"]
    assert "according to Iraq's military" in lines(page, "33")[1][1]


def test_claims_that_differ_in_their_passage_only_are_one_line(dataset_page: Read) -> None:
    for name in ("qassem-soleimani", "iraq", "us-led-coalition", "united-states", "al-qaim-base"):
        page = dataset_page(f"/page/{name}")
        for item in page.all("div", class_="evidence"):
            marks = [
                (s.all("a", class_="mark")[0].text, s.all(class_="who")[0].text, s.all(class_="doc")[0].text)
                for s in item.all("span", class_="says")
            ]
            assert len(marks) == len(set(marks)), (name, marks)
    # Two claims give him this title: the test has something to look at.
    (line,) = lines(dataset_page("/page/qassem-soleimani"), "General")
    assert line[1].count("¶") > 1


def test_many_passages_are_folded_away() -> None:
    from kg import vocab
    from kg.site.components.nodes import Linker
    from kg.site.languages import spoken
    from kg.site.lookups.evidence import Source, Span
    from kg.site.lookups.labels import Labels

    class Nothing:
        def quads(self, *_: object) -> Any:
            return iter(())

    class NoTerms:
        def is_term(self, _: str) -> bool:
            return False

    class Authors:
        def author(self, _: str) -> str:
            return BASE + "id/a"

        def later(self, _: str) -> tuple[str, ...]:
            return ()

    english = spoken("en")
    labels = Labels(Nothing(), None, BASE, {}, language=english, own="en")  # type: ignore[arg-type]
    linker = Linker(vocab.Names(BASE), labels, NoTerms(), Authors(), "../", language=english)  # type: ignore[arg-type]
    spans = [Span(f"{BASE}passage/d/{n}-{n + 1}", "d", n, n + 1, 1, n // 3, verified=True) for n in range(7)]
    sources = [
        Source(f"{BASE}claim/d/{n}", "d", str(n), BASE + "id/a", "m", "b", "stated", (spans[n],), reviewed=False)
        for n in range(7)
    ]
    html = linker.evidence([*sources, sources[0]._replace(iri=BASE + "claim/d/again")])
    assert html.count('class="says') == 1
    assert "<details" in html
    assert "and 4 more</summary>" in html
    assert [html.count(f'href="../passage/d/{n}-{n + 1}"') for n in range(7)] == [1] * 7
    many = [sources[0]._replace(iri=f"{BASE}claim/d{n}/1", document=f"d{n}") for n in range(60)]
    folded = linker.evidence(many)
    shown, behind = folded.split("<details")
    assert shown.count('class="says') == 5
    assert "and 55 more</summary>" in behind
    assert behind.count('class="says') == 50
    assert "and 5 more; the data has all of them" in behind
    assert linker.evidence(many, whole=True).count('class="says') == 60
    assert "<details" not in linker.evidence(many[:6])
    few = linker.evidence(sources[3:5])
    assert "<details" not in few
    assert few.count("¶ 1, sentence 1<") == 1
    assert ">(2)</a>" in few
