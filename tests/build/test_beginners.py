"""What goes wrong in somebody's first hour: each message says what, where, and what to do."""

from __future__ import annotations

import codecs
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse, serialize
from tests.conftest import ROOT

from kg import build
from kg.config import load
from kg.model import Severity

TEXT = "data/documents/about-kg.md"


def said(project: Path, severity: Severity = Severity.ERROR) -> list[str]:
    return [str(f) for f in build.check(load(project)).findings if f.severity is severity]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_text_in_utf_16_is_named_as_that(mark: bytes, starter: Path) -> None:
    (starter / TEXT).write_bytes(mark + "It rained.".encode("utf-16-le"))
    assert said(starter)[0] == (
        f"{TEXT}:1: error: the text of about-kg is UTF-16, and not UTF-8: save the file as UTF-8"
    )


@pytest.mark.parametrize("target", ["about-kg.md", "nowhere.md"], ids=["itself", "nowhere"])
def test_a_text_that_is_a_link_to_nowhere_is_named_as_that(target: str, starter: Path, kg) -> None:
    (starter / TEXT).unlink()
    (starter / TEXT).symlink_to(target)
    assert said(starter)[0] == f"{TEXT}: error: the text of about-kg is a link that leads nowhere"
    assert kg("cite", "about-kg", cwd=starter).stderr == f"kg: {TEXT}: is a link that leads nowhere\n"


@pytest.mark.parametrize("target", ["news.txt", "nowhere.txt"], ids=["itself", "nowhere"])
def test_a_link_to_nowhere_that_no_description_names_is_a_warning(target: str, starter: Path) -> None:
    (starter / "data/documents/news.txt").symlink_to(target)
    (starter / "data/claims/.#about-kg.trig").symlink_to("an.editor@host.123")
    assert said(starter, Severity.WARNING) == ["data/documents/news.txt: warning: is a link that leads nowhere"]


@pytest.mark.parametrize("name", ["news", "news.html"])
def test_a_text_in_another_format_is_to_be_saved_as_plain_text(name: str, starter: Path, kg) -> None:
    (starter / "data/documents/news.html").write_text("<p>It rained.</p>")
    assert kg("cite", name, cwd=starter).stderr.endswith(": save the text of news.html as news.txt, in UTF-8\n")


def test_a_title_is_proposed_without_the_marks_of_markdown(starter: Path, kg) -> None:
    (starter / "data/documents/news.md").write_text("# A fine of **5 * 3** for the *Harbour* and `kg`\n\nIt rained.\n")
    assert '"A fine of 5 * 3 for the Harbour and kg"@en' in kg("cite", "news", cwd=starter).stdout


CLAIMS = "data/claims/about-kg.trig"
GRAPH = "claim:1 { :kg a schema:SoftwareApplication ; schema:programmingLanguage :python . }"


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('written in Python" .', 'written in Python"', "ends in '.', or goes on with ';'"),
        ("kg:basis kg:stated ;", "kg:basis kg:stated", "ends in '.', or goes on with ';'"),
        (GRAPH, GRAPH.rstrip(" }"), "the graph before this is not closed with '}'"),
        ('"kg is', '"the "kg is', 'inside words is not written \\"'),
        ('"kg is', "“kg is", "straight quotation marks"),
        ('"kg is written in Python"', "'kg's'", 'inside words is not written \\"'),
        ("kg is written", "kg is\nwritten", "write a space in a kg:quote"),
        (":python . }", ":the python . }", "a name has a space in it"),
        (":python . }", "python . }", "a name has a prefix, as :name"),
        (":python . }", ":a/python . }", "a name behind a prefix has no '/'"),
        ("schema:programmingLanguage :", "schema:programming language :", "and no spaces"),
        ("{ :kg a", "{ :the kg a", "join its words by hyphens"),
        ("schema:programmingLanguage :python", ":python schema:name :kg", "',' before another value"),
        (":python . }", "2024-03-03 . }", '"2024-03-03"^^xsd:date'),
        (":python . }", ":python , schema:version 3 . }", "or a ';' is missing"),
        (":python . }", ":python , . }", "a value is missing"),
        (":python . }", "TRUE . }", "written small"),
    ],
)
def test_what_breaks_the_grammar_comes_with_what_was_forgotten(old: str, new: str, hint: str, starter: Path) -> None:
    text = (starter / CLAIMS).read_text("utf-8")
    assert old in text
    (starter / CLAIMS).write_text(text.replace(old, new, 1), "utf-8")
    [only] = said(starter)
    assert only.startswith(f"{CLAIMS}:")
    assert ": error: syntax error: " in only
    assert hint in only


@pytest.mark.parametrize(
    ("written", "plain"),
    [("40,000", "40000 or 40.000"), ("4,5", "45 or 4.5"), ("1,234,567.5", "1234567.5 or 1.234567.5"), ("3, 5", "")],
)
def test_a_number_with_a_comma_is_more_than_one_value(written: str, plain: str, starter: Path) -> None:
    """Nothing says so but the page, which shows both."""
    text = (starter / CLAIMS).read_text("utf-8")
    claims = "# 5,000\n" + text.replace(":python . }", f':python ; schema:version {written} ; schema:name "1,5" . }}')
    (starter / CLAIMS).write_text(claims, "utf-8")
    found = [one for one in said(starter, Severity.WARNING) if "more than one value" in one]
    assert [one.partition(": write ")[2].partition(";")[0] for one in found] == ([plain] if plain else [])
    assert all(one.startswith(f"{CLAIMS}:12: ") for one in found)


def test_claims_in_json_ld_are_converted_as_the_guide_says(starter: Path) -> None:
    base = load(starter).base
    claims = starter / CLAIMS
    serialize(parse(path=claims, base_iri=base), starter / "claims.jsonld", RdfFormat.JSON_LD)
    (guide,) = re.findall(
        r"^    (python -c .*) > data/claims/NAME.trig$", (ROOT / "docs/publishing.md").read_text(), re.MULTILINE
    )
    command = shlex.split(guide.replace("https://facts.example.org/", base))
    claims.write_bytes(subprocess.check_output([sys.executable, *command[1:]], cwd=starter))
    assert claims.read_bytes().startswith(b"<")
    (starter / "claims.jsonld").unlink()
    assert build.check(load(starter)).findings == ()


@pytest.mark.parametrize("suffix", ["jsonld", "rdf"])
def test_another_format_of_rdf_is_told_where_the_way_is_written(suffix: str, starter: Path) -> None:
    (starter / f"data/claims/more.{suffix}").write_text("{}")
    assert said(starter)[0].endswith("convert it to Turtle or TriG (docs/publishing.md says how)")


@pytest.mark.parametrize(("prefix", "namespace"), [("kg", "ontology#"), ("town", "…")])
def test_a_question_is_told_how_to_declare_a_prefix(prefix: str, namespace: str, starter: Path) -> None:
    (starter / "data/queries/mine.rq").write_text(f"# title: Mine\nSELECT ?x {{ ?x a {prefix}:Plan }}", "utf-8")
    [only] = said(starter)
    assert only.endswith(f"the prefix {prefix}: is not declared: write PREFIX {prefix}: <{namespace}> before the query")
