"""Claims that were withdrawn and things that were merged keep their addresses, and these say so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import RdfFormat, parse

from kg import build
from kg.config import load
from kg.site import create_app

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = "data/claims/about-kg.trig"
LABELS = "data/entities/labels.ttl"
STONE = """
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
claim:9 a kg:WithdrawnClaim ; rdfs:label "kg is written in Fortran."@en ;
    kg:withdrawnOn "2026-06-02"^^xsd:date ; skos:changeNote "It never was."@en .
"""
REPLACED_BY = "<http://purl.org/dc/terms/isReplacedBy>"
MERGED = f"""
:snake rdfs:label "the snake language"@en ; {REPLACED_BY} :python .
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("withdrawn") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    append(root, CLAIMS, STONE)
    append(root, LABELS, MERGED)
    return root


@pytest.fixture(scope="module")
def site(project: Path) -> FlaskClient:
    config = load(project)
    release, findings = build.build(config)
    assert release is not None, findings
    assert findings == ()
    return create_app(release, config).test_client(use_cookies=False)


def append(root: Path, file: str, text: str) -> None:
    with (root / file).open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_a_withdrawn_claim_is_gone_and_says_since_when_and_why(site: FlaskClient) -> None:
    page = site.get("/claim/about-kg/9", headers={"Accept": "text/html"})
    assert page.status_code == 410
    for words in ("kg is written in Fortran.", "2026-06-02", "It never was.", "../../history/claim/about-kg/9"):
        assert words in page.text
    data = site.get("/claim/about-kg/9", headers={"Accept": "text/turtle"})
    assert data.status_code == 410
    said = {q.predicate.value.rpartition("#")[2] for q in parse(data.data, format=RdfFormat.TURTLE)}
    assert {"withdrawnOn", "changeNote", "label"} <= said


def test_a_withdrawn_claim_is_in_no_list(site: FlaskClient) -> None:
    for path in ("/claims", "/document/about-kg"):
        page = site.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "Fortran" not in page.text


def test_a_list_of_things_has_as_many_as_are_counted_and_none_that_was_merged(site: FlaskClient) -> None:
    with site.get("/report.json") as report:
        counted = json.loads(report.data)["counts"]["things"]
    assert json.loads(site.get("/browse.json").data)["count"] == counted
    page = site.get("/things", headers={"Accept": "text/html"}).text
    assert re.search(rf'class="count">\s*{counted}<', page)
    assert "snake" not in page
    pages = re.findall("/page/([^<]+)<", site.get("/sitemap.xml").text)
    assert len(pages) == counted
    assert "snake" not in pages


@pytest.mark.parametrize(
    ("sent", "led_to"),
    [
        ("/page/snake", "../page/python"),
        ("/data/snake.nt", "../data/python.nt"),
        ("/data/snake.jsonld", "../data/python.jsonld"),
    ],
)
def test_a_merged_thing_leads_to_what_is_left(sent: str, led_to: str, site: FlaskClient) -> None:
    answer = site.get(sent)
    assert (answer.status_code, answer.headers["Location"]) == (308, led_to)


def test_the_iri_of_a_merged_thing_leads_to_the_page_of_what_is_left(site: FlaskClient) -> None:
    answer = site.get("/id/snake", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "../page/python")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (CLAIMS, "claim:9 { :kg a schema:Thing }\n", "claim/about-kg/9 is withdrawn: remove its graph"),
        (CLAIMS, 'claim:8 a kg:WithdrawnClaim ; rdfs:label "Nothing."@en .\n', "says when and why it was withdrawn"),
        (LABELS, f":kg {REPLACED_BY} :python .\n", "id/kg was merged into id/python"),
        (LABELS, f":x {REPLACED_BY} :snake .\n", "id/snake was merged itself"),
        (LABELS, f':x {REPLACED_BY} "x" .\n', "from a thing to a thing"),
        (LABELS, f":x {REPLACED_BY} :y .\n", "id/x was merged into id/y, which nobody speaks of"),
    ],
)
def test_a_half_withdrawal_and_a_merge_that_leads_nowhere_stop_the_build(
    file: str, text: str, message: str, project: Path, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    shutil.copytree(project, root, ignore=shutil.ignore_patterns("releases"))
    append(root, file, text)
    release, findings = build.build(load(root))
    assert release is None
    assert any(message in finding.message for finding in findings), findings
