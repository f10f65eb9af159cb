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
