"""Each bad input gets one clear line that says what, where and what to do; nothing of the build is published."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.build.changes import added, replaced

from kg import build, vocab
from kg.config import load
from kg.errors import ConfigError
from kg.model import Severity

CLAIMS = "data/claims/about-kg.trig"
DOCUMENT = "data/documents/about-kg.ttl"
TEXT = "data/documents/about-kg.md"
LABELS = "data/entities/labels.ttl"


def written(file: str, content: bytes) -> Callable[[Path], None]:
    def damage(project: Path) -> None:
        (project / file).write_bytes(content)

    return damage


def removed(file: str) -> Callable[[Path], None]:
    return lambda project: (project / file).unlink()


def gone(folder: str) -> Callable[[Path], None]:
    """A link to a folder that is not there: a disk that is not mounted."""

    def damage(project: Path) -> None:
        shutil.rmtree(project / folder, ignore_errors=True)
        (project / folder).symlink_to("/nowhere/at/all")

    return damage


def a_folder(file: str) -> Callable[[Path], None]:
    def damage(project: Path) -> None:
        (project / file).unlink()
        (project / file).mkdir()

    return damage


def passage(start: int, end: int, sha256: str = "0" * 64, extra: str = "") -> str:
    iri = f"passage/about-kg/{start}-{end}"
    return f"""
    @prefix oa: <http://www.w3.org/ns/oa#> .
    claim:1 oa:hasTarget <{iri}> .
    <{iri}> a kg:Passage ; oa:hasSource doc:about-kg ; oa:hasSelector <{iri}#position> ; kg:sha256 "{sha256}" {extra} .
    <{iri}#position> a oa:TextPositionSelector ; oa:start {start} ; oa:end {end} .
    """


# What is done to the starter project, and the finding it must give: FILE[:LINE]: error: MESSAGE (a pattern).
CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "syntax": (added(LABELS, ":x rdfs:label ;;. }\n"), rf"{LABELS}:\d+: error: syntax error: "),
    "unfinished": (added(CLAIMS, "claim:9 {"), rf"{CLAIMS}:\d+: error: syntax error: "),
    "encoding": (
        added(LABELS, b'\n:x rdfs:label "caf\xe9"@fr .\n'),
        rf"{LABELS}:\d+: error: is not UTF-8 \(byte 0xe9\): save the file as UTF-8",
    ),
    "encoding of a text": (
        written(TEXT, b"caf\xe9\n"),
        rf"{TEXT}:1: error: the text of about-kg is not UTF-8 \(byte 0xe9\)",
    ),
    "unknown prefix": (
        added(LABELS, 'oops:x rdfs:label "x"@en .\n'),
        rf"{LABELS}:\d+: error: unknown prefix 'oops:': declare it with @prefix oops:",
    ),
    "missing text": (
        removed(TEXT),
        rf"{DOCUMENT}:\d+: error: missing document: the text of about-kg may be shown, so it must be at ",
    ),
    "missing document": (
        replaced(CLAIMS, "prov:hadPrimarySource doc:about-kg ;", "prov:hadPrimarySource doc:other ;"),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1 must have doc:about-kg as prov:hadPrimarySource",
    ),
    "undescribed document": (
        removed(DOCUMENT),
        r".*: error: claim/about-kg/1: missing document about-kg: describe it in data/documents/about-kg.ttl",
    ),
    "documents alike": (
        added(
            "data/documents/About-KG.ttl",
            '<document/About-KG> <http://purl.org/dc/terms/creator> <id/x> ; <ontology#sha256> "" ; '
            "<ontology#textShown> false .",
        ),
        rf"{DOCUMENT}:\d+: error: the names About-KG and about-kg differ only in capitals",
    ),
    "quote absent": (
        replaced(CLAIMS, "kg is written in Python", "kg is written in Cobol"),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1: quote 'kg is written in Cobol': the words do not stand in the",
    ),
    "quote twice": (
        replaced(CLAIMS, '"kg is written in Python"', '"k"'),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1: quote 'k': the words stand \d+ times in the document, at 8-9, ",
    ),
    "quote over two sentences": (
        replaced(CLAIMS, '"kg is written in Python"', '"Python. Its authors"'),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1: .*cross the end of a sentence",
    ),
    "position past the end": (
        added(CLAIMS, passage(0, 99999)),
        rf"{CLAIMS}:\d+: error: passage/about-kg/0-99999: the position is past the end: the text has \d+ code points",
    ),
    "position backwards": (
        added(CLAIMS, passage(9, 9)),
        rf"{CLAIMS}:\d+: error: passage/about-kg/9-9: the end must be greater than the start",
    ),
    "wrong fingerprint": (
        added(CLAIMS, passage(11, 13)),
        rf"{CLAIMS}:\d+: error: passage/about-kg/11-13: wrong fingerprint: the text there has [0-9a-f]{{64}}, not 0",
    ),
    "a passage that moved": (
        added(CLAIMS, passage(11, 17, sha256="18885f27b5af9012df19e496460f9294d5ab76128824c6f993787004f6d9a7db")),
        rf"{CLAIMS}:\d+: error: passage/about-kg/11-17: .* moved to 28-34: .*--fix .* \(on it: claim/about-kg/1\)$",
    ),
    "wrong fingerprint of a document": (
        replaced(TEXT, "Python", "Rust"),
        rf"{DOCUMENT}:\d+: error: wrong fingerprint: the text of about-kg has sha256 ",
    ),
    "wrong sentence": (
        added(CLAIMS, passage(11, 13, extra="; kg:sentence 2")),
        rf"{CLAIMS}:\d+: error: passage/about-kg/11-13: kg:sentence is 2, but the span stands in 1",
    ),
    "selector that differs": (
        added(CLAIMS, passage(11, 13).replace("oa:start 11", "oa:start 10")),
        rf"{CLAIMS}:\d+: error: passage/about-kg/11-13 says 11-13, its selector 10-13",
    ),
    "unknown term": (
        replaced(CLAIMS, "a kg:Plan", "a kg:Plam"),
        rf"{CLAIMS}:\d+: error: unknown term ontology#Plam; did you mean ontology#Plan\?",
    ),
    "label without language": (
        added(LABELS, ':kg skos:altLabel "graph publisher" .\n'.replace("skos:", "rdfs:").replace("altL", "l")),
        rf'{LABELS}:\d+: error: label "graph publisher" has no language: write "…"@en',
    ),
    "a character that no XML can hold": (
        added(LABELS, ':kg rdfs:label "one\\u0001two"@en .\n'),
        rf"{LABELS}:\d+: error: the character U\+0001 cannot stand in RDF/XML \(XML 1.0, section 2.2\): leave it out",
    ),
    "a property that no XML can name": (
        added(CLAIMS, 'claim:1 <http://example.org/count(1)> "1" .\n'),
        rf"{CLAIMS}:\d+: error: <http://example.org/count\(1\)> is no property in RDF/XML \(section 8\): its IRI must",
    ),
    "impossible date": (
        added(CLAIMS, 'claim:1 prov:generatedAtTime "2026-02-30"^^<http://www.w3.org/2001/XMLSchema#date> .\n'),
        rf"{CLAIMS}:\d+: error: '2026-02-30' is no possible date",
    ),
    "a folder for a file": (a_folder(CLAIMS), rf"{CLAIMS}: error: is a folder where a file was expected"),
    **{
        f"{folder} that are not there": (
            gone(folder),
            rf"{folder}: error: must be a folder, and is a link to /nowhere/at",
        )
        for folder in ("shapes", "data/queries", "data/entities", "data/documents")
    },
    "a folder for a text": (a_folder(TEXT), rf"{TEXT}: error: the text of about-kg is a folder where a file"),
    "an empty file": (written(CLAIMS, b""), rf"{CLAIMS}: error: is empty"),
    "a file of white space": (written(LABELS, b" \n\n"), rf"{LABELS}: error: is empty"),
    "a file of comments": (written(LABELS, b"# nothing\n"), rf"{LABELS}: error: there is no triple in this file"),
    "no passage": (
        replaced(CLAIMS, 'kg:quote "kg is written in Python"', "rdfs:seeAlso :kg"),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1 has no passage \(oa:hasTarget\)",
    ),
    "a fact outside a claim": (
        added(CLAIMS, ":kg schema:license <https://example.org/> .\n"),
        rf"{CLAIMS}:\d+: error: id/kg is described outside of a claim",
    ),
    "a fact among the labels": (
        added(LABELS, ":kg a rdfs:Resource .\n"),
        rf"{LABELS}:\d+: error: entity files hold labels only; .*needs a claim",
    ),
    "a graph without a claim": (
        added(CLAIMS, "claim:7 { :kg a schema:Thing }\n"),
        rf"{CLAIMS}:\d+: error: the graph claim/about-kg/7 has no claim about it",
    ),
    "unknown modality": (
        replaced(CLAIMS, "kg:modality kg:asserted", "kg:modality kg:Plan"),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1: ontology#Plan is no modality; one of kg:asserted, ",
    ),
    "a shape that asks the network": (
        added(
            "shapes/mine.ttl",
            "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<shapes#Mine> a sh:NodeShape ; sh:targetNode <id/kg> ; "
            'sh:sparql [ sh:select "SELECT $this WHERE { SERVICE <http://localhost:1/> { ?s ?p $this } }" ] .\n',
        ),
        r"shapes/mine.ttl:\d+: error: this query in a shape is not run: ",
    ),
    "a violated shape": (
        replaced(CLAIMS, '"The program kg is made with the Python language."@en', '"No."@en'),
        rf"{CLAIMS}:\d+: error: claim/about-kg/1, rdfs:label.*\[shapes#",
    ),
    "a question with a slip": (
        added("data/queries/claims.rq", "}}\n"),
        r"data/queries/claims.rq:\d+: error: this is not a SPARQL 1.1 query",
    ),
    "a slip behind a very long line": (
        added(LABELS, ':kg rdfs:label "' + "x" * 1_000_000 + '"@en .\n:x rdfs:label ;;. }\n'),
        rf"{LABELS}:10: error: syntax error: ",
    ),
    "a literal of 17 MB": (
        added(LABELS, ':kg rdfs:label "' + "x" * 17_000_000 + '"@en .\n'),
        rf"{LABELS}:9: error: a name or literal is longer than 16 MiB",
    ),
    "a nest that exhausts a stack": (
        added(CLAIMS, "claim:1 rdfs:seeAlso " + "[ rdfs:seeAlso " * 50_000 + '"x"' + " ]" * 50_000 + " .\n"),
        rf"{CLAIMS}:\d+: error: 50000 blank nodes hang together so that they cannot be told apart in 5 seconds",
    ),
    "blank nodes that no algorithm tells apart": (
        added(
            CLAIMS,
            "claim:1 {"
            + "\n".join(f"_:n{i} rdfs:seeAlso _:n{j} ." for i in range(12) for j in range(12) if i != j)
            + "}",
        ),
        rf"{CLAIMS}:\d+: error: \d+ blank nodes hang together",
    ),
    "a slip at the bottom of a deep nest": (
        added(CLAIMS, "claim:1 rdfs:seeAlso " + "[ rdfs:seeAlso " * 100_000 + ":x" + " ]" * 100_000 + " oops .\n"),
        rf"{CLAIMS}:\d+: error: syntax error: ",
    ),
    "a triple term": (
        added(LABELS, ":x rdfs:label <<( :a :b :c )>> .\n"),
        rf"{LABELS}:\d+: error: triple terms are not stored: write a claim instead",
    ),
    "triple terms nested until a parser dies": (
        added(LABELS, ":x rdfs:label " + "<<( :a :b " * 100_000 + ":c" + ")>>" * 100_000 + " .\n"),
        rf"{LABELS}: error: triple terms are not stored: write claims instead",
    ),
    "two labels in one language": (
        added(LABELS, ':kg rdfs:label "KG"@en .\n'),
        rf"{LABELS}:\d+: error: id/kg, rdfs:label: A label says its language, .* \[shapes#LabelLanguage\]",
    ),
    "one label for two things that claims speak of": (
        added(LABELS, ':kg rdfs:label "Kennzahl"@de .\n:python rdfs:label "Kennzahl"@de .\n'),
        rf"{LABELS}:\d+: error: id/kg: Two things have the same label, .*id/kg and http://.*id/python\.",
    ),
    "a time in another format": (
        added(CLAIMS, "claim:1 { :when kg:edtf '2026-5-4' . }\n"),
        rf"{CLAIMS}:\d+: error: id/when: '2026-5-4' is no time in the Extended Date/Time Format",
    ),
    "a prefix that everybody knows": (
        added(LABELS, "skos:x rdfs:label 'x'@en .\n"),
        rf"{LABELS}:\d+: error: unknown prefix 'skos:': declare it with @prefix skos: <{re.escape(vocab.SKOS)}> \.",
    ),
    "a prefix of ours": (
        replaced(CLAIMS, "@prefix kg: <ontology#> .\n", ""),
        rf"{CLAIMS}:\d+: error: unknown prefix 'kg:': declare it with @prefix kg: <ontology#> \.",
    ),
    "another format": (
        added("data/claims/more.jsonld", "{}"),
        r"data/claims/more.jsonld: error: .jsonld is not read here: convert it to Turtle or TriG",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_input_is_found_at_its_place_and_nothing_is_published(case: str, starter: Path) -> None:
    damage, pattern = CASES[case]
    damage(starter)
    release, findings = build.build(load(starter))
    assert release is None
    errors = [str(f) for f in findings if f.severity is Severity.ERROR]
    assert any(re.match(pattern, line) for line in errors), errors
    assert not any("\n" in line for line in errors)
    assert not (starter / "releases").exists()


def test_a_text_that_is_missing_is_said_once_and_not_again_for_every_claim_that_quotes_it(starter: Path) -> None:
    for name in ("missing text", "encoding of a text"):
        CASES[name][0](starter)
        _, findings = build.build(load(starter))
        (only,) = (str(f) for f in findings if f.severity is Severity.ERROR)
        assert re.match(CASES[name][1], only)
        (starter / TEXT).unlink(missing_ok=True)


def test_in_a_folder_of_a_project_its_own_folder_is_named(starter: Path, kg) -> None:
    said = kg("check", cwd=starter / "data").stderr
    assert said == f"kg: kg.toml: not found; {starter} has one: go there, or write `kg -C {starter} …`\n"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("programingLanguage", "did you mean <http://schema.org/programmingLanguage>?"),
        ("zzz", "if it is new there, describe it in ontology/"),
    ],
)
def test_a_slip_in_a_term_of_others_is_a_warning_unless_the_ontology_has_it(
    wrong: str, hint: str, starter: Path
) -> None:
    replaced(CLAIMS, "schema:programmingLanguage", f"schema:{wrong}")(starter)
    (found,) = (f for f in build.check(load(starter)).findings if f.rule == "unknown-term")
    line = (starter / CLAIMS).read_text().split(wrong)[0].count("\n") + 1
    assert str(found) == (
        f"{CLAIMS}:{line}: warning: unknown term <http://schema.org/{wrong}>: that vocabulary has no {wrong}; {hint}"
    )
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    added("ontology/more.ttl", f'<http://schema.org/{wrong}> {label} "a term of ours"@en .\n')(starter)
    assert not [f for f in build.check(load(starter)).findings if f.rule == "unknown-term"]


def test_a_failed_build_leaves_the_previous_release_current(starter: Path) -> None:
    config = load(starter)
    release, _ = build.build(config)
    assert release is not None
    before = sorted(p.name for p in config.releases.iterdir())
    CASES["quote absent"][0](starter)
    assert build.build(config)[0] is None
    assert sorted(p.name for p in config.releases.iterdir()) == before
    assert (config.releases / "current").readlink().name == release.version


@pytest.mark.parametrize(
    "base", ["http://localhost:8000", "localhost:8000/", "ftp://x/", "http://x/?q=/", "http://a b/"]
)
def test_a_base_that_iris_cannot_start_with_is_refused(base: str, starter: Path) -> None:
    with pytest.raises(ConfigError, match="base"):
        load(starter, base=base)


def test_the_command_line_prints_findings_and_a_count_and_no_traceback(starter: Path, kg) -> None:
    CASES["quote absent"][0](starter)
    done = kg("build", cwd=starter)
    assert done.returncode == 1
    assert done.stderr == ""
    *lines, count, last = done.stdout.splitlines()
    assert re.match(CASES["quote absent"][1], lines[0])
    assert (count, last) == ("1 error, 1 warning", "nothing was published")


def test_findings_are_printed_as_json_on_request(starter: Path, kg) -> None:
    CASES["unknown term"][0](starter)
    done = kg("check", "--format", "json", cwd=starter)
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["counts"] == {"error": 1, "warning": 0, "info": 0}
    (finding,) = answer["findings"]
    assert finding["file"] == CLAIMS
    assert finding["line"] > 0
    assert finding["rule"] == "unknown-term"
    assert finding["severity"] == "error"


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["build"], None, "kg: kg.toml: not found; go to the project's folder or name it with `kg -C DIR …`; `kg init"),
        (["build", "--base", "x"], "title = 'x'", "kg: --base: base 'x' must be an absolute http or https address"),
        (["init", "kg.toml/facts"], "title = 'x'", "kg: kg.toml/facts: cannot be written: Not a directory"),
        (["build"], "base = 'http://localhost:8000'", "kg: kg.toml: base 'http://localhost:8000' must end in '/'"),
        (["build"], "base = ", "kg: kg.toml: not TOML"),
        (["build"], "bass = 'x'", "kg: kg.toml: unknown setting 'bass'; known: base, title"),
        (["build", "--documents", "nowhere"], "title = 'x'", "kg: --documents nowhere: is not a folder"),
        (["serve"], "title = 'x'", "there is no release here; `kg build` makes one"),
        (["verify", "2020-01-01-000000000000"], "title = 'x'", "there is no release here"),
    ],
)
def test_a_mistake_outside_the_sources_is_one_line_and_exit_code_1(
    arguments: list[str], content: str | None, message: str, tmp_path: Path, kg
) -> None:
    if content is not None:
        (tmp_path / "kg.toml").write_text(content)
    done = kg(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert len((done.stderr + done.stdout).splitlines()) <= 3
