"""What changed between two releases, said by claim and thing, and as a patch that makes one of the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyoxigraph import Quad, RdfFormat, parse

from kg import build, diff
from kg.config import load
from kg.release import Release

CLAIMS = "data/claims/about-kg.trig"
LABELS = "data/entities/labels.ttl"
MORE = """
claim:3 { :python a schema:ComputerLanguage . }
claim:3 a kg:Claim ; rdfs:label "Python is a language."@en ; kg:speaker :kg-authors ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; kg:quote "in Python" .
"""


@pytest.fixture
def two(starter: Path) -> tuple[Release, Release]:
    """A release, and one with a gloss reworded, a label changed, a claim removed and a claim added."""
    config = load(starter)
    old, _ = build.build(config)
    claims = starter / CLAIMS
    source = claims.read_text(encoding="utf-8")
    source = (
        source[: source.index("# A plan")].replace("The program kg is made", "The program called kg is made") + MORE
    )
    claims.write_text(source, encoding="utf-8")
    labels = (starter / LABELS).read_text(encoding="utf-8").replace('"Python"@en', '"the Python language"@en')
    (starter / LABELS).write_text(labels, encoding="utf-8")
    new, findings = build.build(config)
    assert old is not None
    assert new is not None, findings
    return old, new


def quads(release: Release) -> set[Quad]:
    return set(parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS))


def test_claims_and_things_are_named_with_what_became_of_them(two: tuple[Release, Release]) -> None:
    changes = {(c.kind, c.iri.rpartition("/")[2]): (c.what, c.before, c.after) for c in diff.compare(*two).changes}
    first = "is made with the Python language."
    assert changes["claim", "1"] == ("changed", f"The program kg {first}", f"The program called kg {first}")
    assert changes["claim", "2"][0] == "removed"
    assert changes["claim", "3"] == ("added", "", "Python is a language.")
    assert changes["id", "python"] == ("changed", "Python", "the Python language")
    assert changes["id", "plan-for-own-copies"][0] in ("removed", "changed")


def test_a_release_does_not_differ_from_itself(two: tuple[Release, Release]) -> None:
    same = diff.compare(two[0], two[0])
    assert same.changes == same.removed == same.added == ()


def test_the_patch_makes_the_new_release_of_the_old(two: tuple[Release, Release]) -> None:
    old, new = two
    lines = list(diff.as_patch(diff.compare(old, new)))
    assert lines[2] == "TX ."
    assert lines[-1] == "TC ."
    result = quads(old)
    for line in lines[3:-1]:
        (quad,) = parse(line[2:].encode(), format=RdfFormat.N_QUADS)
        if line.startswith("D "):
            result.remove(quad)
        else:
            assert line.startswith("A ")
            assert quad not in result
            result.add(quad)
    assert result == quads(new)


def test_the_command_says_it_in_words_and_as_json(two: tuple[Release, Release], starter: Path, kg) -> None:
    old, new = two
    words = kg("diff", old.version, cwd=starter).stdout.splitlines()
    assert "added: claim <http://localhost:8000/claim/about-kg/3> 'Python is a language.'" in words
    assert words[-1].startswith(f"{len(words) - 1} changes from {old.version} to {new.version}: ")
    answer = json.loads(kg("diff", old.version, new.version, "--format", "json", cwd=starter).stdout)
    assert len(answer["changes"]) == len(words) - 1
    missing = kg("diff", "2000-01-01-000000000000", cwd=starter)
    assert missing.returncode == 1
    assert "no such release; there " in missing.stderr


def test_a_build_says_which_claims_went_without_a_stone(starter: Path, kg) -> None:
    claims = starter / "data/claims/about-kg.trig"
    source = claims.read_text(encoding="utf-8")
    first = kg("build", cwd=starter).stdout
    assert "left no stone" not in first
    claims.write_text(source[: source.index("# A plan")], encoding="utf-8")
    version = first.splitlines()[-1].partition(":")[0]
    assert kg("build", cwd=starter).stdout.splitlines()[-1] == (
        f"(1 claim of {version} left no stone: claim/about-kg/2; their addresses are not found any more, "
        "which a kg:WithdrawnClaim mends)"
    )
    stone = (
        'claim:2 a kg:WithdrawnClaim ; rdfs:label "A plan."@en ; kg:withdrawnOn "2026-06-02"^^xsd:date ;\n'
        '    <http://www.w3.org/2004/02/skos/core#changeNote> "It was none."@en .\n'
    )
    prefix = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    kg("releases", "activate", version, cwd=starter)
    claims.write_text(prefix + source[: source.index("# A plan")] + stone, encoding="utf-8")
    done = kg("build", cwd=starter)
    assert done.returncode == 0, done.stdout
    assert "left no stone" not in done.stdout
