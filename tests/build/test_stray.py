"""No file among the sources is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load
from kg.model import Severity


def warnings(project: Path) -> dict[str, str]:
    checked = build.check(load(project))
    assert not checked.failed, checked.findings
    return {f.place.file: f.message for f in checked.findings if f.severity is Severity.WARNING}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("data/documents/stranger.txt", "`kg cite stranger` prints one for stranger.ttl"),
        ("data/documents/stranger.md", "no description names this text"),
        ("data/documents/report.pdf", "the text of a document is NAME.txt or NAME.md"),
        ("data/documents/more/about-kg.txt", "texts lie in data/documents itself"),
        ("data/queries/who.sparql", "a question is a file NAME.rq"),
        ("data/queries/more/who.rq", "questions lie in data/queries itself"),
        ("data/claims/about-kg.txt", "texts lie in data/documents"),
        ("data/entities/labels.tsv", "only .ttl, .trig, .nt, .nq are"),
        ("shapes/mine.shacl", "only .ttl, .trig, .nt, .nq are"),
        ("ontology/terms.yaml", "only .ttl, .trig, .nt, .nq are"),
        ("data/labels.ttl", "RDF belongs into ontology, shapes"),
        ("data/entites/labels.ttl", "data/entities"),
        ("labels.ttl", "RDF belongs into ontology, shapes"),
        ("claims/about-kg.trig", "this folder belongs into data/"),
    ],
)
def test_a_file_that_nothing_reads_is_named_with_what_to_do(file: str, words: str, starter: Path) -> None:
    path = starter / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text")
    found = warnings(starter)
    (named,) = found
    assert file == named or file.startswith(f"{named}/")
    assert words in found[named]


def test_a_second_text_of_a_document_is_named(starter: Path) -> None:
    folder = starter / "data/documents"
    (folder / "about-kg.txt").write_bytes((folder / "about-kg.md").read_bytes())
    assert "about-kg.txt is taken" in warnings(starter)["data/documents/about-kg.md"]


def test_a_link_to_a_folder_is_named(starter: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (starter / "shapes/shared").symlink_to(tmp_path / "shared")
    assert "is a link to a folder" in warnings(starter)["shapes/shared"]


@pytest.mark.parametrize(
    "file", ["README.md", "data/README.md", "data/documents/LICENSE", "shapes/.swp", "data/documents/about-kg.pdf"]
)
def test_notes_and_originals_are_left_alone(file: str, starter: Path) -> None:
    (starter / file).write_text("text")
    assert warnings(starter) == {}


@pytest.mark.parametrize("suffix", ["pdf", "html", "xml", "json", "csv", "zip"])
def test_an_original_beside_its_text_is_left_alone(suffix: str, starter: Path) -> None:
    plain = warnings(starter)
    (starter / f"data/documents/about-kg.{suffix}").write_bytes(b"whatever")
    assert warnings(starter) == plain


def test_what_lies_in_a_hidden_folder_is_not_read(starter: Path) -> None:
    before, plain = build.check(load(starter)).counts, warnings(starter)
    for folder in ("claims", "documents", "queries"):
        (starter / f"data/{folder}/.ipynb_checkpoints").mkdir()
    copy = (starter / "data/claims/about-kg.trig").read_text(encoding="utf-8").replace("claim:1", "claim:77")
    (starter / "data/claims/.ipynb_checkpoints/about-kg-checkpoint.trig").write_text(copy, encoding="utf-8")
    (starter / "data/documents/.ipynb_checkpoints/x.txt").write_text("x", encoding="utf-8")
    (starter / "data/queries/.ipynb_checkpoints/x.rq").write_text("x", encoding="utf-8")
    assert warnings(starter) == plain
    assert build.check(load(starter)).counts == before
