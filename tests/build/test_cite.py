"""``kg cite``: the encoder's own tool."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pyoxigraph import Literal, RdfFormat, parse

from kg import build
from kg.config import load

PREFIXES = """
@prefix kg: <ontology#> .
@prefix oa: <http://www.w3.org/ns/oa#> .
"""


def test_a_citation_pasted_into_the_claims_builds_and_is_verified(starter: Path, kg) -> None:
    done = kg("cite", "about-kg", "written in Python", cwd=starter)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "# paragraph 1, sentence 1: kg is written in Python.\n"
    claims = starter / "data/claims/about-kg.trig"
    target = done.stdout.split(" ", 1)[0]
    with claims.open("a") as file:
        file.write(f"{PREFIXES}\n{done.stdout}\nclaim:1 oa:hasTarget {target} .\n")
    release, findings = build.build(load(starter))
    assert release is not None, findings
    iri = f"{release.manifest.base}{target.strip('<>')}"
    report = json.loads((release.path / "report.json").read_text("utf-8"))
    assert report["passages"][iri] == "passage verified"


def test_a_passage_says_position_fingerprint_paragraph_and_sentence(starter: Path, kg) -> None:
    printed = kg("cite", "about-kg", "written in Python", cwd=starter).stdout
    triples = {
        (q.subject.value.rpartition("/")[2], q.predicate.value.rpartition("#")[2], q.object.value)
        for q in parse(PREFIXES + printed, format=RdfFormat.TRIG, base_iri="http://b/")
    }
    start = (starter / "data/documents/about-kg.md").read_text().replace("\n\n", "\n").index("written in Python")
    end = start + len("written in Python")
    span = f"{start}-{end}"
    assert triples >= {
        (span, "sha256", hashlib.sha256(b"written in Python").hexdigest()),
        (span, "paragraph", "1"),
        (span, "sentence", "1"),
        (f"{span}#position", "start", str(start)),
        (f"{span}#position", "end", str(end)),
        (f"{span}#quote", "exact", "written in Python"),
    }


def test_words_of_a_text_that_may_not_be_shown_are_not_printed_as_a_quote(starter: Path, tmp_path: Path, kg) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "memo.txt").write_text("A secret memo. It says little.\n")
    done = kg("cite", "memo", "secret memo", "--documents", folder, cwd=starter)
    assert done.returncode == 0
    assert "secret" not in done.stdout
    assert "oa:exact" not in done.stdout
    assert hashlib.sha256(b"secret memo").hexdigest() in done.stdout


def test_words_that_stand_twice_or_never_or_in_two_sentences_get_one_line(starter: Path, kg) -> None:
    for words, message in {
        "k": "the words stand ",
        "nowhere at all": "the words do not stand in the document",
        "kg is writen in python": 'the words do not stand in the document; nearest: "kg is written in Python." at ',
        "Python. Its": "the words cross the end of a sentence",
        " ": "no words were given",
    }.items():
        done = kg("cite", "about-kg", words, cwd=starter)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith(f"kg: {message}")
        assert len(done.stderr.splitlines()) == 1


def test_a_document_that_is_not_at_hand_is_named_with_a_suggestion(starter: Path, kg) -> None:
    done = kg("cite", "about-gk", "x", cwd=starter)
    assert done.returncode == 1
    assert "missing document: no about-gk.txt or about-gk.md in " in done.stderr
    assert "did you mean about-kg?" in done.stderr


def test_without_words_the_description_of_a_new_document_is_printed(starter: Path, kg) -> None:
    (starter / "data/documents/news.md").write_text("# Some news\n\nIt rained.\n")
    printed = kg("cite", "news", cwd=starter).stdout
    (starter / "data/documents/news.ttl").write_text(printed)
    for guess in ("dcterms:title", "dcterms:creator", "kg:textShown", "dcterms:license"):
        (line,) = (line for line in printed.splitlines() if guess in line)
        assert "  # " in line, f"{guess} is a guess, and says what to put there"
    (starter / "data/entities/news.ttl").write_text(
        "@prefix : <id/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        ':news-author rdfs:label "the author of the news"@en .\n'
    )
    release, findings = build.build(load(starter))
    assert release is not None, findings
    assert [f.rule for f in findings if f.rule == "no-claim"], "its sentence is still without a claim"


def test_a_description_says_the_language_of_the_project_and_is_turtle_whatever_the_name_of_the_text(
    starter: Path, kg
) -> None:
    settings = starter / "kg.toml"
    settings.write_text('language = "de"\n' + settings.read_text("utf-8"), encoding="utf-8")
    (starter / "data/documents/bericht+(2).txt").write_text("Es regnete.\n", encoding="utf-8")
    printed = kg("cite", "bericht+(2)", cwd=starter).stdout
    triples = {
        (q.predicate.value.rpartition("/")[2], q.object) for q in parse(printed, RdfFormat.TURTLE, base_iri="b:/")
    }
    assert ("title", Literal("bericht+(2)", language="de")) in triples


def test_a_text_whose_name_no_address_can_have_is_to_be_renamed(starter: Path, kg) -> None:
    (starter / "data/documents/my report.txt").write_text("It rained.\n", encoding="utf-8")
    assert "`kg cite 'my report'` prints one" in kg("check", cwd=starter).stdout
    for words in ((), ("It rained",)):
        done = kg("cite", "my report", *words, cwd=starter)
        assert done.stdout == ""
        assert done.stderr == (
            "kg: 'my report' cannot be part of an address: give the text another name, such as my-report\n"
        )


def test_words_across_the_end_of_a_sentence_are_told_where_it_ends(starter: Path, kg) -> None:
    assert (
        "cross the end of a sentence, behind 'written in Python.':"
        in kg("cite", "about-kg", "written in Python. Its authors", cwd=starter).stderr
    )


def test_words_of_another_document_are_said_to_stand_there(starter: Path, kg) -> None:
    (starter / "data/documents/news.txt").write_text("It rained in Ghent.\n")
    (starter / "data/documents/broken.txt").write_bytes(b"\xff")
    (starter / "data/documents/a b.txt").write_bytes(b"It rained in Ghent.")
    done = kg("cite", "about-kg", "rained in  Ghent", cwd=starter)
    assert done.stderr == "kg: the words do not stand in the document; they stand in news\n"
    assert kg("cite", "news", "written in Python", cwd=starter).stderr.endswith("; they stand in about-kg\n")
    assert kg("cite", "news", "nowhere at all", cwd=starter).stderr == "kg: the words do not stand in the document\n"
