"""Dumps and index: what people download is the release, and its counts are true."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Quad, parse
from rdflib import Graph

from kg import build, media
from kg.build.writing.authority import FILE_TYPES
from kg.build.writing.dumps import CLAIM_COLUMNS, DUMPS
from kg.config import load
from kg.release import Release
from kg.store.embedded import EmbeddedStore


@pytest.fixture(scope="module")
def release(dataset: Path) -> Release:
    return Release.open(dataset / "releases/current")


@pytest.fixture(scope="module")
def quads(release: Release) -> set[Quad]:
    return set(EmbeddedStore(release.store_path).quads(None, None, None, None))


def test_every_dump_is_there_and_says_how_much_it_holds(release: Release) -> None:
    assert {entry.path for entry in release.dumps()} == {f"dumps/{name}" for name in DUMPS}
    assert all(entry.count and entry.size for entry in release.dumps())


def test_every_dump_has_words_for_what_it_holds_and_a_type_of_file() -> None:
    assert {name.partition(".")[0] for name in DUMPS} == set(media.DUMPED)
    assert {name.rpartition(".")[2] for name in DUMPS} <= set(FILE_TYPES)


@pytest.mark.parametrize("extension", ["ttl", "nt", "rdf", "jsonld"])
def test_a_dump_of_facts_is_the_default_graph(extension: str, release: Release, quads: set[Quad]) -> None:
    path = release.path / f"dumps/facts.{extension}"
    triples = {q.triple for q in parse(path=str(path), format=media.RDF_BY_EXTENSION[extension].format)}
    assert triples == {q.triple for q in quads if q.graph_name == DefaultGraph()}
    (entry,) = (e for e in release.dumps() if e.path == f"dumps/facts.{extension}")
    assert entry.count == len(triples)


@pytest.mark.parametrize("extension", ["trig", "nq"])
def test_a_dump_of_everything_is_the_store(extension: str, release: Release, quads: set[Quad]) -> None:
    path = release.path / f"dumps/all.{extension}"
    assert set(parse(path=str(path), format=media.RDF_BY_EXTENSION[extension].format)) == quads
    (entry,) = (e for e in release.dumps() if e.path == f"dumps/all.{extension}")
    assert entry.count == len(quads)


@pytest.mark.parametrize("name", ["facts.ttl", "facts.rdf", "ontology.ttl", "shapes.ttl"])
def test_rdflib_reads_the_dumps_too(name: str, release: Release) -> None:
    graph = Graph().parse(release.path / "dumps" / name)
    (entry,) = (e for e in release.dumps() if e.path == f"dumps/{name}")
    assert len(graph) == entry.count


def test_the_table_of_claims_has_a_row_for_each(release: Release, quads: set[Quad]) -> None:
    with (release.path / "dumps/claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CLAIM_COLUMNS
    graphs = {getattr(q.graph_name, "value", "") for q in quads}
    assert {row["claim"] for row in rows} == {g for g in graphs if "/claim/" in g}
    assert len(rows) == release.manifest.counts["claims"]


def test_the_index_finds_things_by_the_beginning_of_a_word_and_without_accents(starter: Path) -> None:
    labels = starter / "data/entities/labels.ttl"
    labels.write_text(labels.read_text().replace('"Python"@en', '"Pýthon"@en'), encoding="utf-8")
    release, _ = build.build(load(starter))
    assert release is not None
    with closing(sqlite3.connect(f"file:{release.path}/search.sqlite?mode=ro", uri=True)) as database:
        found = database.execute(
            "SELECT iri, kind FROM words JOIN entry ON entry.id = words.rowid WHERE words MATCH 'label:pyth*'"
        ).fetchall()
    assert ("http://localhost:8000/id/python", "thing") in found
