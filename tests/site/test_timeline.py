"""The timeline: as vague as the data, in order, each bar with its words, its evidence and a real link."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from kg import build, dates
from kg.config import load
from kg.site import create_app
from kg.site.components.drawing import Axis, days_in_words
from kg.site.languages import spoken

Read = Callable[[str], Any]


def moments(page: Any) -> dict[str, Any]:
    """The lines of a timeline by the name of the thing."""
    return {line.all("a")[0].text: line for line in page.all("li", class_="moment")}


def words_of(element: Any) -> str:
    return " ".join(element.text.split())


def test_times_are_said_as_vaguely_as_they_are_known(read_voyage: Read) -> None:
    found = {
        name: words_of(line.all("span", class_="days")[0]) for name, line in moments(read_voyage("/timeline")).items()
    }
    assert found == {
        "the Petrel": "from 1990 to 1992",
        "The pier at Lindmar <i>2</i>": "3 February 2020",
        "the departure of the Petrel": "between 3 and 9 May 2021",
        "the call at Qal'at Salih": "between 3 and 31 May 2021",
        "the grounding of the Petrel": "between 3 and 31 May 2021",
        "The voyage of the Petrel": "1 June 2021",
        "the return of the Petrel": "from March to May 2022",
    }


def test_spans_are_drawn_as_spans_and_days_as_points(read_voyage: Read) -> None:
    lines = moments(read_voyage("/timeline"))
    drawn = {name: (line.all("rect") + line.all("circle"))[0].attributes["class"] for name, line in lines.items()}
    assert drawn["the Petrel"] == "full"
    assert drawn["The voyage of the Petrel"] == "point"
    month = moments(read_voyage("/timeline?from=2021-05&to=2021-06"))
    assert month["the departure of the Petrel"].all("rect")[0].attributes["class"] == "fuzzy"
    (bar,) = month["the departure of the Petrel"].all("rect")
    assert float(bar.attributes["width"].rstrip("%")) == pytest.approx(7 / 32 * 100, abs=1)


def test_plans_hearsay_and_what_was_worked_out_are_marked_in_words(read_voyage: Read) -> None:
    marks = {
        name: [words_of(mark) for mark in line.all("div", class_="when")[0].all("span", class_="mark")]
        for name, line in moments(read_voyage("/timeline")).items()
    }
    assert marks["the departure of the Petrel"] == []
    assert marks["the call at Qal'at Salih"] == ["worked out"]
    assert marks["the return of the Petrel"] == ["Planned or expected"]
    assert marks["the grounding of the Petrel"] == ["Said, not vouched for", "worked out"]


def test_every_line_says_who_says_so(read_voyage: Read) -> None:
    lines = moments(read_voyage("/timeline"))
    assert "a sailor (unnamed)" in lines["the grounding of the Petrel"].text
    assert lines["the Petrel"].has(class_="inferred")
    for name in ("the departure of the Petrel", "the return of the Petrel"):
        assert lines[name].all("span", class_="says"), name


def test_a_part_of_it_can_be_asked_for(voyage_client: FlaskClient, read_voyage: Read) -> None:
    assert list(moments(read_voyage("/timeline?from=2022"))) == ["the return of the Petrel"]
    assert list(moments(read_voyage("/timeline?to=1991-05-05"))) == ["the Petrel"]
    page = read_voyage("/timeline?from=soon")
    assert "“soon” is no date" in page.text
    assert voyage_client.get("/timeline?page=2").status_code == 404


def test_the_same_as_json(voyage_client: FlaskClient) -> None:
    found = voyage_client.get("/timeline?from=2022", headers={"Accept": "application/json"}).json
    assert found is not None
    assert found["moments"] == [
        {
            "iri": "http://localhost:8000/id/return",
            "label": "the return of the Petrel",
            "property": "http://localhost:8000/ontology#foreseenTime",
            "time": "http://localhost:8000/id/next-spring",
            "first": "2022-03-01",
            "last": "2022-05-31",
            "extent": "throughout",
            "approximate": False,
            "uncertain": False,
            "status": "prospect",
            "worked_out": False,
            "claims": ["http://localhost:8000/claim/voyage/3"],
        }
    ]


def test_a_release_without_times_says_so(read_page: Read) -> None:
    assert "The pier at Lindmar" in read_page("/timeline").text
    assert "Nothing is dated then." in read_page("/timeline?from=2100").text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2020-02-29", "29 February 2020"),
        ("2020-02", "in February 2020"),
        ("2020", "in 2020"),
        ("2019/2020", "between 2019 and 2020"),
        ("202X", "between 2020 and 2029"),
        ("[2020-03-30..2020-04-02]", "between 30 March and 2 April 2020"),
        ("[2019-12-30..2020-01-02]", "between 30 December 2019 and 2 January 2020"),
        ("-0043-03-15", "15 March 44 BC"),
        ("2020-03-16T10:00:00Z", "16 March 2020"),
        ("12020-01-01", "1 January 12020"),
    ],
)
def test_dates_of_every_sort_are_read_and_said(text: str, said: str) -> None:
    days = dates.read(text)
    assert days is not None
    assert days_in_words(*days, spoken("en"), within=True) == said


@pytest.mark.parametrize(
    "text", ["", "2020-13", "2019-02-29", "2020-1-1", "../2020", "9999999-01-01", "2020-03-16/2020-03-01"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.read(text) is None


@pytest.mark.parametrize("length", [0, 1, 6, 30, 90, 400, 3000, 40_000, 400_000, 50_000_000])
def test_an_axis_has_a_few_round_marks_however_long_it_is(length: int) -> None:
    axis = Axis(18_000, 18_000 + length)
    ticks = axis.ticks(spoken("en"))
    assert 0 < len(ticks) <= 6 or length < 2
    assert all(0 <= tick.at <= 1 for tick in ticks)
    assert len({(tick.label, tick.above) for tick in ticks}) == len(ticks)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_bars_stay_on_the_page_and_under_their_marks(browser: Browser, voyage_address: str, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(voyage_address + "timeline")
    scale = tab.locator("svg.scale").bounding_box()
    bars = [bar.bounding_box() for bar in tab.locator("li.moment svg.bar").all()]
    over = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    tab.close()
    assert scale is not None
    assert over <= 0
    for bar in bars:
        assert bar is not None
        assert bar["x"] == pytest.approx(scale["x"], abs=1)
        assert bar["width"] == pytest.approx(scale["width"], abs=1)


@pytest.mark.browser
@pytest.mark.parametrize("letters", ["100%", "200%"])
def test_the_words_of_the_scale_stand_below_each_other_however_large(
    browser: Browser, dataset_address: str, letters: str
) -> None:
    tab = browser.new_page()
    tab.goto(dataset_address + "timeline")
    tab.evaluate("size => document.documentElement.style.fontSize = size", letters)
    scale = tab.locator("svg.scale").bounding_box()
    above, label = (tab.locator(f"svg.scale text{kind}").first.bounding_box() for kind in (".above", ":not(.above)"))
    tab.close()
    assert scale
    assert above
    assert label
    assert scale["y"] <= above["y"] + 2
    assert above["y"] + above["height"] <= label["y"] + 2
    assert label["y"] + label["height"] <= scale["y"] + scale["height"] + 2


def test_sources_that_differ_each_have_their_date_and_doubts_are_said(
    tmp_path: Path, voyage: Path, read_html: Read
) -> None:
    root = tmp_path / "project"
    shutil.copytree(voyage, root, ignore=shutil.ignore_patterns("releases"))
    claim = """
claim:{n} {{ {triples} }}
claim:{n} a kg:Claim ; rdfs:label "Dates, number {n}."@en ; kg:speaker :gazette-author ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:gazette ; kg:quote "The south pier lies" .
"""
    said = [
        ':south-pier schema:startDate "1990"^^xsd:gYear .',
        ':south-pier schema:startDate "1991"^^xsd:gYear .',
        ':south-pier schema:startDate "1991-05-03"^^xsd:date .',
        *(
            f':north-pier time:hasTime :t{n} . :t{n} kg:edtf "{text}" .'
            for n, text in enumerate(("1850~", "1900?", "0014%"))
        ),
    ]
    prefixes = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix schema: <http://schema.org/> .\n"
    prefixes += "@prefix time: <http://www.w3.org/2006/time#> .\n"
    with (root / "data/claims/gazette.trig").open("a", encoding="utf-8") as file:
        file.write(prefixes + "".join(claim.format(n=n + 50, triples=triples) for n, triples in enumerate(said)))
    with (root / "data/entities/labels.ttl").open("a", encoding="utf-8") as file:
        file.write("".join(f':t{n} rdfs:label "time {n}"@en .\n' for n in range(3)))
    made, findings = build.build(load(root))
    assert made is not None, [str(finding) for finding in findings]
    client = create_app(made, load(root)).test_client(use_cookies=False)
    page = read_html(client.get("/timeline", headers={"Accept": "text/html"}).text)
    found = [
        (
            words_of(line.all("span", class_="days")[0]),
            [a.attributes["href"][-2:] for a in line.all("a", class_="mark")],
        )
        for line in page.all("li", class_="moment")
    ]
    assert [pair for pair in found if pair[1] and int(pair[1][0].strip("/")) >= 50] == [
        ("in AD 14 (approximate and uncertain)", ["55"]),
        ("in 1850 (approximate)", ["53"]),
        ("in 1900 (uncertain)", ["54"]),
        ("in 1990", ["50"]),
        ("3 May 1991", ["52"]),
    ]
    data = client.get("/timeline.json").json
    assert data is not None
    assert [(m["approximate"], m["uncertain"]) for m in data["moments"][:3]] == [
        (True, True),
        (True, False),
        (False, True),
    ]
