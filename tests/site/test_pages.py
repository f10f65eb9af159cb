"""What pages say: who says it beside every value, and nothing of the data as code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.config import Config
from kg.release import Release
from kg.site import create_app
from kg.site.components import paging
from kg.site.pages import classes, lists, report

Read = Callable[[str], Any]
STATUSES = {"stated", "prospect", "reported", "inferred", "background", "unclaimed"}


def sections(page: Any) -> dict[str, Any]:
    """The sections of a thing's page by their status."""
    return {next(iter(STATUSES & set(s.attributes["class"].split()))): s for s in page.all("section", class_="said")}


def rows(section: Any) -> dict[str, list[tuple[str, list[str]]]]:
    """Property → values, each with its lines of evidence."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for row in section.all("div", class_="row"):
        name = " ".join(row.all("dt")[0].text.split())
        for item in row.all("ul", class_="values")[0].all("li"):
            lines = [" ".join(line.text.split()) for line in item.all("span", class_="says")]
            found.setdefault(name, []).append((" ".join(item.all("div", class_="value")[0].text.split()), lines))
    return found


def test_every_value_says_who_says_it_how_on_what_basis_and_where(read_page: Read) -> None:
    for status, section in sections(read_page("/page/north-pier")).items():
        for name, values in rows(section).items():
            for value, lines in values:
                assert status == "unclaimed" or lines, (status, name, value)
    stated = rows(sections(read_page("/page/north-pier"))["stated"])
    assert stated["number of cranes"] == [
        (
            "4",
            [
                "asserted · stated the author of the closed report closed, ¶ 1, sentence 1",
                "asserted · stated the author of the Gazette gazette, ¶ 1, sentence 1",
            ],
        )
    ]


def test_ways_of_saying_stand_apart(read_page: Read) -> None:
    found = {status: rows(section) for status, section in sections(read_page("/page/north-pier")).items()}
    assert set(found) == STATUSES
    texts = {status: " ".join(v for values in f.values() for v, _ in values) for status, f in found.items()}
    assert "the plan for a fifth crane" in texts["prospect"]
    assert "it is sinking" in texts["reported"]
    assert "no cranes at all" in texts["reported"]
    assert texts["inferred"] == "5"
    assert texts["background"] == "Lindmar"
    assert "pier one" in texts["unclaimed"]
    for other in ("stated", "inferred", "background"):
        assert "sinking" not in texts[other]
        assert "no cranes" not in texts[other]


def test_the_order_and_the_headings_are_those_of_the_shapes(read_page: Read) -> None:
    section = sections(read_page("/page/north-pier"))["stated"]
    assert [h.text for h in section.all("h3")] == ["Size", "Surroundings", "What links here"]
    assert list(rows(section))[:3] == ["is a", "number of cranes", "next to"]


def test_a_mark_is_a_word_not_only_a_colour(read_page: Read) -> None:
    marks = read_page("/page/north-pier").all(class_="mark")
    assert marks
    for mark in marks:
        assert mark.text.strip()


def test_a_denied_value_says_denied(read_page: Read) -> None:
    values = rows(sections(read_page("/page/north-pier"))["reported"])["note"]
    lines = dict(values)
    assert lines["no cranes at all"][0].startswith("denied · stated")


def test_names_in_other_languages_say_their_language(read_page: Read) -> None:
    found = read_page("/page/north-pier")
    assert [(b.attributes["lang"], b.text) for b in found.all("p", class_="others")[0].all("bdi")] == [
        ("ar", "الرصيف الشمالي"),
        ("fr", "la jetée nord"),
    ]
    assert found.all("h1")[0].all("bdi", lang="en")[0].text == "the north pier"
    assert read_page("/page/south-pier").all("h1")[0].all("bdi", lang="ar")


def test_a_text_that_may_not_be_shown_has_a_place_and_a_fingerprint(read_page: Read) -> None:
    for path in ("/claim/closed/1", "/passage/closed/10-21", "/document/closed"):
        found = read_page(path)
        assert not found.all("blockquote")
        assert "not checked here" in found.text
        assert "passage verified" not in [c.text for c in found.all("span", class_="check")]
    assert "bb4db23cd8d878a048bcaba0748079fce836ecd386ee8d64f1d959178a5feeda" in read_page("/passage/closed/10-21").text


def test_no_page_says_that_a_fact_is_verified(read_page: Read, path: str) -> None:
    assert "fact verified" not in read_page(path).text.lower()


def test_a_shown_text_is_complete_and_its_passages_are_marked(read_page: Read) -> None:
    found = read_page("/document/gazette")
    text = " ".join(" ".join(p.text for p in found.all("p", class_="text")).split())
    assert "The harbour board will add a fifth crane in spring. A pilot, Ada Ström, said the pier is sinking." in text
    marked = [a.text for a in found.all("a", class_="passage-mark")]
    assert marked[:4] == [
        "The north pier at Lindmar has four cranes",
        "The harbour board will ",
        "add a fifth crane",
        " in spring",
    ]
    assert {s.attributes["id"] for s in found.all("span", class_="sentence")} == {f"s{n}" for n in range(6)}


def test_claims_stand_in_the_order_of_the_text(client: FlaskClient, read_page: Read) -> None:
    numbers = ["1", "6", "2", "3", "4", "9", "5", "8", "7"]
    links = read_page("/claims").all("div", class_="gloss")
    gazette = [a.attributes["href"] for d in links for a in d.all("a") if "gazette" in a.attributes["href"]]
    assert [href.rpartition("/")[2] for href in gazette] == numbers
    second = read_page("/claim/gazette/6")
    assert second.all("a", rel="prev")[0].attributes["href"].endswith("gazette/1")
    assert second.all("a", rel="next")[0].attributes["href"].endswith("gazette/2")


def test_the_list_of_claims_has_all_of_them_whatever_page_they_fall_on(app: Flask, release: Release) -> None:
    site = app.extensions["kg"]
    expected = [claim for name in sorted(release.report["documents"]) for claim in site.evidence.of_document(name)]
    members = lists._members(site, "claims")
    assert len(members) == len(expected) == release.manifest.counts["claims"]
    for size in (1, 3, len(expected)):
        assert [claim for at in range(0, len(expected), size) for claim in members[at : at + size]] == expected


def test_the_report_counts_the_things_of_each_class_as_the_store_has_them(app: Flask, release: Release) -> None:
    counted = classes._looked_at(app.extensions["kg"])
    assert counted
    assert release.report["classes"] == counted


def test_the_page_of_the_report_is_cut_where_there_are_many_documents(
    app: Flask,
    release: Release,
    read_page: Read,
    monkeypatch: pytest.MonkeyPatch,
    forgetting: Callable[[Flask], None],
) -> None:
    monkeypatch.setattr(report, "MOST_DOCUMENTS", 1)
    forgetting(app)
    text = read_page("/report").text
    assert f"and {len(release.report['documents']) - 1} more" in text


def test_a_claim_says_whether_it_was_reviewed_and_where_it_was_said(read_page: Read) -> None:
    assert "not reviewed yet" not in read_page("/claim/gazette/1").text
    fourth = read_page("/claim/gazette/4").text
    assert "not reviewed yet" in fourth
    assert "A pilot spoke about the pier." in fourth


def test_many_values_are_cut_and_the_rest_is_a_link_away(read_page: Read) -> None:
    found = read_page("/page/crowd")
    assert len(found.all("h1")[0].text) == 300
    more = next(a for a in found.all("a") if a.text == "and 250 more")
    seen: list[str] = []
    address = "/page/crowd" + more.attributes["href"]
    for _ in range(3):
        listed = read_page(address)
        seen += [v.text for v in listed.all("ul", class_="values")[0].all("div", class_="value")[0].all("div")]
        assert "asserted · stated" in " ".join(listed.text.split())
        following = listed.all("a", rel="next")
        address = "/page/crowd" + following[0].attributes["href"] if following else ""
    assert sorted(seen) == sorted(f"note {n}" for n in range(300))
    assert address == ""


def test_what_is_no_property_has_no_values(client: FlaskClient) -> None:
    assert client.get("/page/crowd?values=not+an+iri").status_code == 404
    assert client.get("/page/crowd?values=http://localhost:8000/ontology/harbour%23note&page=9").status_code == 404


def test_a_class_lists_instances_with_who_says_so(read_page: Read) -> None:
    found = read_page("/class/kg:ReportedSituation")
    assert "the sinking of the pier" in found.text
    assert "alleged · stated" in " ".join(found.text.split())


def test_search_finds_by_the_beginnings_of_words(read_page: Read) -> None:
    assert "the north pier" in read_page("/search?q=nor+pie").text
    assert "Nothing found" in read_page("/search?q=zeppelin").text
    for odd in ('"', "*", "a" * 5000, "NEAR(", "x OR", "%00", "\u202e"):
        read_page("/search?q=" + odd)


# -- hostile data ------------------------------------------------------------------------------------------------


def test_no_element_of_a_page_comes_from_the_data(read_page: Read, path: str) -> None:
    found = read_page(path)
    names = {element.name for element in found.all()}
    assert not names & {"img", "iframe", "object", "embed", "style", "b", "i", "em", "base"}
    drawn = {element.attributes.get("class", "") for element in found.all("svg")}
    assert drawn <= {"", "scale", "bar", "drawing", "neighbours", *(f"bar {status}" for status in STATUSES)}
    assert {use.attributes["href"].rpartition("/")[2] for use in found.all("use")} <= {"land.svg#land"}
    # A block of data is not run (HTML Standard, section 4.12.1).
    run = [
        s for s in found.all("script") if s.attributes.get("type") not in ("application/ld+json", "application/json")
    ]
    scripts = {s.attributes.get("src", "").split("?")[0].rpartition("static/")[2] for s in run}
    assert scripts <= {"site.js", "reader.js", "map.js", "query.js"}
    assert not any(s.text for s in run)
    assert not [a for e in found.all() for a in e.attributes if a.startswith("on") or a == "style"]


def test_only_web_addresses_and_own_pages_are_links(read_page: Read, path: str) -> None:
    links = read_page(path).all("a")
    assert links
    for link in links:
        href = link.attributes["href"]
        if re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
            assert href.startswith(("http://", "https://"))
            assert {"nofollow", "noopener", "external"} <= set(link.attributes["rel"].split())


def test_hostile_values_are_shown_as_they_are(read_page: Read) -> None:
    text = read_page("/page/hostile").text
    for value in (
        "<img src=x onerror=alert(1)>",
        "</script><script>",
        "]]>",
        "{{ 7 * 7 }}",
        "<b>bold</b>",
        "javascript:",
    ):
        assert value in text


def test_text_of_the_data_is_isolated_from_the_page_around_it(read_page: Read, path: str) -> None:
    def outside(element: Any) -> str:
        kept = (
            c if isinstance(c, str) else "" if c.name in ("bdi", "title", "pre") else outside(c)
            for c in element.children
        )
        return "".join(kept)

    assert "\u202e" not in outside(read_page(path))


# -- the form of every page --------------------------------------------------------------------------------------


def test_a_page_has_one_heading_a_title_a_language_and_landmarks(read_page: Read, path: str) -> None:
    found = read_page(path)
    assert len(found.all("h1")) == 1
    assert found.all("h1")[0].text.strip()
    assert found.all("title")[0].text.strip()
    assert found.all("html")[0].attributes["lang"] == "en"
    assert [len(found.all(name)) for name in ("main",)] == [1]
    assert found.all("a", class_="skip")[0].attributes["href"] == "#main"


def test_headings_leave_no_level_out(read_page: Read, path: str) -> None:
    levels = [int(e.name[1]) for e in read_page(path).all() if re.fullmatch("h[1-6]", e.name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_field_has_a_label_and_every_id_is_unique(read_page: Read, path: str) -> None:
    found = read_page(path)
    labelled = {label.attributes["for"] for label in found.all("label")}
    fields = [e for name in ("input", "select", "textarea") for e in found.all(name) if not e.has(type="hidden")]
    assert {f.attributes["id"] for f in fields} <= labelled
    ids = [e.attributes["id"] for e in found.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    named = [e.attributes["aria-labelledby"] for e in found.all() if "aria-labelledby" in e.attributes]
    assert set(named) <= set(ids)


def test_no_element_without_a_role_is_named(read_page: Read, path: str) -> None:
    """Readers of screens pass over such a name (WAI-ARIA 1.2, section 5.2.8.6)."""
    plain = {"code", "del", "div", "em", "ins", "p", "small", "span", "strong", "sub", "sup"}
    names = {"aria-label", "aria-labelledby"}
    found = read_page(path).all()
    assert not [
        e.attributes for e in found if e.name in plain and names & set(e.attributes) and "role" not in e.attributes
    ]


def test_the_classes_that_have_instances_are_listed_with_their_number(client: FlaskClient) -> None:
    page = client.get("/class/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert re.search(r'href="\.\./class/harbour:Pier"[^<]*<.*?<span class="count">\d+</span>', page.text, re.DOTALL)


def test_the_report_leads_to_its_findings(read_page: Read, release: Release) -> None:
    tiles = [tile for list_ in read_page("/report").all("dl", class_="tiles") for tile in list_.all("div")]
    (tile,) = [tile for tile in tiles if tile.all("a", href="#findings")]
    assert tile.all("dd")[0].text == str(len(release.report["findings"]))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "A made-up harbour, made as hard to publish as harbours can be."),
        (
            "/claim/gazette/1",
            "asserted · stated · the author of the Gazette · The pier at Lindmar <i>2</i>, ¶ 1, sentence 1",
        ),
        ("/term/harbour:cranes", "How many cranes stand on it."),
    ],
)
def test_a_link_to_a_page_can_be_shown_with_what_it_says(path: str, said: str, read_page: Read) -> None:
    page = read_page(path)
    told = {meta.attributes.get("property", meta.attributes.get("name")): meta.attributes for meta in page.all("meta")}
    assert told["description"]["content"] == told["og:description"]["content"] == said
    assert told["og:title"]["content"] == page.all("title")[0].text


def test_what_is_told_beside_a_link_to_a_thing_is_short(read_page: Read) -> None:
    for path in ("/page/north-pier", "/page/crowd", "/document/gazette"):
        (told,) = [meta for meta in read_page(path).all("meta") if meta.attributes.get("name") == "description"]
        assert 10 < len(told.attributes["content"]) <= 300


def test_any_page_of_a_long_list_is_one_step_away(
    read_page: Read, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PER_PAGE", 1)
    (form,) = read_page("/claims?page=2&from=here&lang=de").all("form", class_="jump")
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    assert fields == {"from": "here", "lang": "de", "page": "2"}
    (field,) = form.all("input", type="number")
    last = client.get("/claims", query_string={**fields, "page": field.attributes["max"]})
    assert last.status_code == 200
    assert client.get("/claims", query_string={**fields, "page": int(field.attributes["max"]) + 1}).status_code == 404


def test_a_name_of_many_words_is_set_smaller(read_page: Read) -> None:
    assert read_page("/page/crowd").all("h1")[0].attributes == {"class": "long"}
    assert read_page("/page/south-pier").all("h1")[0].attributes == {}


def test_the_foot_of_every_page_has_the_publishers_own_links(release: Release, config: Config, read_html: Any) -> None:
    links = {"Imprint": "https://example.org/imprint?a=1&b=2", "<b>Data</b> protection": "mailto:privacy@example.org"}
    client = create_app(release, replace(config, links=links)).test_client()
    for path in ("/", "/page/north-pier", "/page/nothing"):
        (listed,) = read_html(client.get(path, headers={"Accept": "text/html"}).text).all("ul", class_="links")
        assert {a.text: a.attributes["href"] for a in listed.all("a")} == links


@pytest.mark.parametrize("path", ["/page/north-pier", "/document/gazette", "/document/closed", "/claim/gazette/1"])
def test_what_has_a_history_leads_to_it(path: str, client: FlaskClient, read_page: Callable[[str], Any]) -> None:
    (link,) = [a for a in read_page(path).all("a") if a.text.startswith("History of ")]
    history = urljoin("http://localhost" + path, link.attributes["href"])
    assert "first stated" in client.get(urlsplit(history).path, headers={"Accept": "text/html"}).text
