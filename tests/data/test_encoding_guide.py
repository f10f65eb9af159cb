"""The guide for encoders tells the truth: its examples are the dataset's, and a second story was encoded by it."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import (
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    parse,
)

from kg import vocab
from kg.build import build, check
from kg.config import DEFAULT_BASE, load
from kg.model import Severity
from kg.release import Release

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GUIDE = (ROOT / "docs/encoding.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```turtle\n(.*?)```", GUIDE, re.DOTALL)
GRAPHS = [block for block in BLOCKS if re.match(r"claim:\d+ \{", block)]


def graphs(content: str) -> dict[str, Dataset]:
    """Each named graph of a TriG text, in canonical form."""
    found: dict[str, Dataset] = {}
    for quad in parse(content, format=RdfFormat.TRIG, base_iri=DEFAULT_BASE):
        assert isinstance(quad, Quad)
        if isinstance(quad.graph_name, NamedNode):
            found.setdefault(quad.graph_name.value, Dataset()).add(Quad(quad.subject, quad.predicate, quad.object))
    for dataset in found.values():
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return found


@cache
def own_claims() -> tuple[str, dict[str, Dataset]]:
    """The prefixes of the report's claims, and every claim graph of the two documents."""
    report = (ROOT / "data/claims/us-army-iraq-bases.trig").read_text(encoding="utf-8")
    note = (ROOT / "data/claims/editorial-note.trig").read_text(encoding="utf-8")
    prefixes = "\n".join(line for line in report.splitlines() if line.startswith("@prefix"))
    return prefixes, {**graphs(report), **graphs(note)}


@pytest.mark.parametrize("block", GRAPHS, ids=lambda block: block.split(" ")[0])
def test_an_example_of_the_guide_is_a_claim_of_the_dataset(block: str) -> None:
    """A graph that the guide shows is, triple by triple, one of the dataset."""
    prefixes, known = own_claims()
    documents = ("us-army-iraq-bases", "editorial-note")
    shown = graphs(prefixes + "\n" + block)
    assert len(shown) == 1
    ((name, content),) = shown.items()
    number = name.rpartition("/")[2]
    assert content in [known.get(f"{DEFAULT_BASE}claim/{document}/{number}") for document in documents]


def test_the_module_that_the_guide_shows_works_in_a_new_project(starter: Path) -> None:
    """Terms and shape of the guide are taken, used, and refuse what they say they refuse."""
    declared = "".join(
        f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in vocab.Names("").prefixes().items() if prefix != "doc"
    )
    for name in ("ontology/rivers.ttl", "shapes/rivers.ttl"):
        (block,) = (block for block in BLOCKS if block.startswith(f"# {name}\n"))
        (starter / name).write_text(declared + block, encoding="utf-8")
    claims = starter / "data/claims/about-kg.trig"
    more = "claim:1 { :kg a river:Flood ; river:level 4.1 . }"
    claims.write_text(f"@prefix river: <ontology/rivers#> .\n{claims.read_text()}\n{more}\n")
    wrong = [f for f in check(load(starter, environ={})).findings if f.severity is Severity.ERROR]
    assert [f.message.partition(":")[0] for f in wrong] == ["id/kg"], "an event says who, what, where or when"
    claims.write_text(claims.read_text().replace("river:level 4.1", "river:level 4.1 , 4.2 ; kg:place :python"))
    (finding,) = (f for f in check(load(starter, environ={})).findings if f.severity is Severity.ERROR)
    assert "A flood has one river:level: metres" in finding.message
    claims.write_text(claims.read_text().replace("4.1 , 4.2", "4.1"))
    assert not [f for f in check(load(starter, environ={})).findings if f.severity is Severity.ERROR]


def test_the_claim_that_the_guide_shows_in_full_is_the_datasets(store: Store) -> None:
    """What the guide says about claim 22 is what the release says."""
    prefixes, _ = own_claims()
    (block,) = (block for block in BLOCKS if " a kg:Claim" in block)
    for quad in parse(prefixes + "\n" + block, format=RdfFormat.TRIG, base_iri=DEFAULT_BASE):
        assert isinstance(quad, Quad)
        assert Quad(quad.subject, quad.predicate, quad.object, DefaultGraph()) in store


def test_every_claim_number_in_the_guide_exists() -> None:
    """The guide sends nobody to a claim that is not there."""
    _, known = own_claims()
    numbers = {int(n) for phrase in re.findall(r"\b[Cc]laims? ([\d, and]+)", GUIDE) for n in re.findall(r"\d+", phrase)}
    assert len(numbers) > 10
    assert {n for n in numbers if f"{DEFAULT_BASE}claim/us-army-iraq-bases/{n}" not in known} == set()


def test_the_guide_explains_every_modality_and_basis() -> None:
    """Each concept of the two closed schemes has a row in a table."""
    rows = set(re.findall(r"^\| `kg:(\w+)` \|", GUIDE, re.MULTILINE))
    assert rows == {*vocab.MODALITIES, *vocab.BASES}


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Release:
    project = tmp_path_factory.mktemp("second") / "project"
    shutil.copytree(HERE / "second", project)
    shutil.copy(ROOT / "ontology/kg.ttl", project / "ontology")
    (project / "shapes").mkdir()
    for name in ("evidence.ttl", "facts.ttl"):
        shutil.copy(ROOT / "shapes" / name, project / "shapes")
    made, findings = build(load(project, environ={}))
    assert [str(finding) for finding in findings] == []
    assert made is not None
    return made


def facts(release: Release) -> set[tuple[str, str, str]]:
    """The triples of the default graph, IRIs under the base without it."""
    opened = Store.read_only(str(release.store_path))
    return {
        (_short(q.subject), _short(q.predicate), _short(q.object))
        for q in opened.quads_for_pattern(None, None, None, DefaultGraph())
    }


def _short(term: object) -> str:
    assert isinstance(term, NamedNode | Literal)
    return term.value.removeprefix(DEFAULT_BASE)


def test_another_story_needs_only_a_small_module(second: Release) -> None:
    """A second text, with its own kinds of events, builds with the general ontology and shapes, without a finding."""
    assert second.report["documents"]["pier"]["sentences_with_claim"] == 7


def test_what_is_denied_or_alleged_is_no_fact(second: Release) -> None:
    """The content of denied and alleged claims is in the claims' own graphs and in no other."""
    subjects = {s for s, _, _ in facts(second)}
    assert {"id/storm", "id/longer-way"} <= subjects
    published = {(s, p) for s, p, _ in facts(second) if s in ("id/past-sale", "id/interest-in-pier", "id/sale")}
    assert {p for _, p in published} <= {vocab.RDFS_LABEL}
    opened = Store.read_only(str(second.store_path))
    graph = NamedNode(DEFAULT_BASE + "claim/pier/12")
    assert [_short(q.subject) for q in opened.quads_for_pattern(None, None, None, graph)] == ["id/past-sale"] * 2


def test_the_modality_of_a_denial_is_denied(second: Release) -> None:
    """The claim that the pier was sold is the chairwoman's, and denied."""
    told = facts(second)
    assert ("claim/pier/12", "ontology#modality", "ontology#denied") in told
    assert ("claim/pier/12", "ontology#speaker", "id/chairwoman") in told
    assert ("id/denial", "ontology#content", "claim/pier/12") in told
