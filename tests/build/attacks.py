"""Attacks on a build by its sources, as changes to the starter project: :mod:`tests.build.test_hostile` tries them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.build.changes import Change, added

CLAIMS = "data/claims/about-kg.trig"
LABELS = "data/entities/labels.ttl"
TEXT = "data/documents/about-kg.md"
MILLION = 1_000_000
SHAPE = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<shapes#Mine> a sh:NodeShape ; sh:targetNode <id/kg> ; "
OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ALT = "<http://www.w3.org/2004/02/skos/core#altLabel>"


def sparse(file: str) -> Change:
    """A file that is larger than the machine's memory, and takes no room on the disk."""

    def damage(project: Path) -> None:
        with (project / file).open("ab") as stream:
            stream.truncate(1 << 40)

    return damage


def pipe(file: str) -> Change:
    def damage(project: Path) -> None:
        (project / file).unlink()
        os.mkfifo(project / file)

    return damage


def linked(file: str, target: str) -> Change:
    def damage(project: Path) -> None:
        (project / file).unlink(missing_ok=True)
        (project / file).symlink_to(target)

    return damage


def recoded(file: str, encoding: str) -> Change:
    def damage(project: Path) -> None:
        (project / file).write_bytes((project / file).read_text(encoding="utf-8").encode(encoding))

    return damage


def both(*damages: Change) -> Change:
    def damage(project: Path) -> None:
        for one in damages:
            one(project)

    return damage


def shape(text: str) -> Change:
    return added("shapes/mine.ttl", SHAPE + text)


def query_shape(where: str) -> Change:
    return shape(f'\n sh:sparql [ sh:select "SELECT DISTINCT $this ?value {{ $this a ?type . {where} }}" ] .')


LABEL = added(LABELS, f':kg {ALT} "{"a" * 40}!"@en .\n')


def question(text: str) -> Change:
    return added("data/queries/mine.rq", text)


OA = "http://www.w3.org/ns/oa#"
PASSAGE = f"""
claim:1 <{OA}hasTarget> <passage/about-kg/5-900000> .
<passage/about-kg/5-900000> kg:sha256 "{"0" * 64}" ; <{OA}hasSelector> <passage/about-kg/5-900000#s> .
<passage/about-kg/5-900000#s> a <{OA}TextPositionSelector> ; <{OA}start> 5 ; <{OA}end> 900000 .
"""
VALUES = " ".join(f"VALUES ?x{n} {{ {' '.join(map(str, range(60)))} }}" for n in range(9))
ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "aaaaaaaaaa"}">' for n in range(12))

CASES: dict[str, tuple[Change, str]] = {
    "blank nodes nested a million deep": (
        added(CLAIMS, "claim:1 rdfs:seeAlso " + "[ rdfs:seeAlso " * MILLION + ":x" + " ]" * MILLION + " .\n"),
        rf"{CLAIMS}:\d+: error: more than 100000 triples in this file have a subject without a name",
    ),
    "lists nested a million deep": (
        added(LABELS, ":x rdfs:seeAlso " + "(" * MILLION + ")" * MILLION + " .\n"),
        rf"{LABELS}:\d+: error: more than 100000 triples",
    ),
    "a list of a million": (
        added(CLAIMS, "claim:1 rdfs:seeAlso (" + " 1" * MILLION + ") .\n"),
        rf"{CLAIMS}:\d+: error: more than 100000 triples",
    ),
    "braces a million deep": (added(CLAIMS, "{" * MILLION), rf"{CLAIMS}:\d+: error: syntax error"),
    "triples in triples a million deep": (
        added(LABELS, "<< " * MILLION + ":a :b :c" + " >>" * MILLION + " :p :o .\n"),
        rf"{LABELS}:\d+: error: syntax error",
    ),
    "a question nested a million deep": (
        question("SELECT * " + "{" * 400_000 + "}" * 400_000),
        r"data/queries/mine.rq:1: error: .*128",
    ),
    "a question of parentheses": (
        question("SELECT * { FILTER(" + "(" * 400_000 + "1" + ")" * 400_000 + ") }"),
        r"data/queries/mine.rq:1: error: .*128",
    ),
    "a question that never ends": (
        question(f"SELECT (COUNT(*) AS ?n) {{ {VALUES} }}"),
        r"data/queries/mine.rq: error: the engine cannot read this in 5 seconds",
    ),
    "a question that calls": (
        question("ASK { SERVICE SILENT <{url}> { ?s ?p ?o } }"),
        r"data/queries/mine.rq:1: error: SERVICE is not allowed here",
    ),
    "settings nested deep": (added("kg.toml", "\nx = " + "[" * 200_000), r"kg: .*kg.toml: nests too deep"),
    "settings without end": (sparse("kg.toml"), r"kg: .*kg.toml: is not a regular file of at most"),
    "settings that are a pipe": (pipe("kg.toml"), r"kg: .*kg.toml: is not a regular file of at most"),
    "labels without end": (sparse(LABELS), rf"{LABELS}: error: is larger than 256 MiB"),
    "a text without end": (sparse(TEXT), rf"{TEXT}: error: the text of about-kg is larger than 256 MiB"),
    "a question without end": (sparse("data/queries/claims.rq"), r"data/queries/claims.rq: error: is larger than"),
    "labels that are a pipe": (pipe(LABELS), rf"{LABELS}: error: is not a regular file"),
    "a text that is a pipe": (pipe(TEXT), rf"{TEXT}: error: the text of about-kg is not a regular file"),
    "a question that is a pipe": (pipe("data/queries/claims.rq"), r"data/queries/claims.rq: error: is not a regular"),
    "an unknown term in each of 100,000 lines": (
        added(CLAIMS, "".join(f"claim:1 kg:t{n} :x{n} .\n" for n in range(100_000))),
        rf"{CLAIMS}:1025: error: there are more than 1000 errors",
    ),
    "50,000 results of a shape": (
        added(CLAIMS, "".join(f'claim:1 <http://purl.org/dc/terms/created> "{n}" .\n' for n in range(50_000))),
        rf"{CLAIMS}:\d+: error: there are more than 1000 errors",
    ),
    "200,000 literals that are none": (
        added(LABELS, f':kg {ALT} "x"^^<http://www.w3.org/2001/XMLSchema#date> .\n' * 200_000),
        rf"{LABELS}:1009: error: there are more than 1000 errors",
    ),
    "200,000 facts among the labels": (
        added(LABELS, "".join(f":x{n} rdfs:seeAlso :kg .\n" for n in range(200_000))),
        rf"{LABELS}:1009: error: there are more than 1000 errors",
    ),
    "a list of 30,000 values in a shape": (
        shape("sh:in (" + "".join(f"\n<id/x{n}>" for n in range(30_000)) + ") ."),
        r"shapes/mine.ttl:\d+: error: the shapes have 6\d{4} triples; more than 45000 cannot be read in 3 seconds",
    ),
    "a passage as long as its text, which has another": (
        both(
            added(TEXT, "word and " * 200_000),
            added(CLAIMS, PASSAGE),
        ),
        rf"{CLAIMS}:\d+: error: passage/about-kg/5-900000: wrong fingerprint: .*was not looked for",
    ),
    "a million classes": (
        added("ontology/more.ttl", "".join(f"<ontology#T{n}> a <{OWL}Class> .\n" for n in range(MILLION))),
        r"ontology/more.ttl: error: with this file, ontology and shapes have 6\d MB, which take \d+ MiB",
    ),
    "a number of 900,000 digits": (added("kg.toml", "\nx = " + "9" * 900_000), r"kg: .*kg.toml: not TOML: .*digits"),
    "a list of shapes that leads back to itself": (
        shape("sh:in _:l . _:l <{rdf}first> 1 ; <{rdf}rest> _:l .".replace("{rdf}", RDF)),
        r"shapes/mine.ttl:2: error: a list in this shape cannot be read",
    ),
    "a shape that leads back to itself": (
        shape("sh:node <shapes#Mine> ."),
        r"shapes/mine.ttl:2: error: this shape leads back to itself",
    ),
    "a count that is none": (
        shape("sh:property [\n sh:path <id/x> ; sh:maxCount -1 ] ."),
        r"shapes/mine.ttl:3: error: a shape cannot be used: .*must be an integer >= 0",
    ),
    "a path that leads back to itself": (
        shape("sh:property [ sh:minCount 1 ; sh:path _:p ] . _:p sh:inversePath _:p ."),
        r"shapes/mine.ttl:2: error: a shape cannot be used",
    ),
    "a name that no file can have": (
        added("data/documents/more.ttl", f"<document/{'x' * 300}> <http://purl.org/dc/terms/title> 'x'@en ."),
        r"data/documents/more.ttl:1: error: the name xxxxxxxxxxxxxxxxxxxx… is longer than 200 bytes",
    ),
    "a name of two lines": (
        added("data/claims/a\nb.trig", "x"),
        r"data/claims/a\\nb.trig: error: has a name with control characters",
    ),
    "a name that is not UTF-8": (
        added("data/queries/a\udcff.rq", "x"),
        r"data/queries/a\\udcff.rq: error: has a name with control characters, or one that is not UTF-8",
    ),
    "a device": (linked(LABELS, "/dev/zero"), rf"{LABELS}: error: is not a regular file"),
    "a link to itself": (linked(LABELS, "labels.ttl"), rf"{LABELS}: error: is a link that leads nowhere"),
    "gzip": (added("data/claims/more.trig.gz", b"\x1f\x8b"), r"data/claims/more.trig.gz: error: .gz is not read here"),
    "an archive": (added("ontology/up.zip", b"PK\x03\x04../../x"), r"ontology/up.zip: error: .zip is not read here"),
    "an extension in capitals": (added("ontology/more.TTL", "x"), r"ontology/more.TTL: error: .TTL is not read here"),
    "an entity bomb": (
        added("ontology/bomb.rdf", f"<!DOCTYPE r [{ENTITIES}]><r>&a11;</r>"),
        r"ontology/bomb.rdf: error: .rdf is not read here",
    ),
    "an external entity": (
        added("ontology/x.owl", '<!DOCTYPE r [<!ENTITY x SYSTEM "{url}">]><r>&x;</r>'),
        r"ontology/x.owl: error: .owl is not read here",
    ),
    "a remote context": (
        added("data/claims/x.jsonld", '{"@context": "{url}"}'),
        r"data/claims/x.jsonld: error: .jsonld",
    ),
    "a service in a shape": (
        added(
            "shapes/mine.ttl", SHAPE + 'sh:sparql [ sh:select "SELECT $this { SERVICE <{url}> { ?s ?p $this } }" ] .'
        ),
        r"shapes/mine.ttl:\d+: error: this query in a shape is not run: SERVICE",
    ),
    "a target that calls": (
        added(
            "shapes/mine.ttl", SHAPE + 'sh:target [ sh:select "SELECT ?this { SERVICE <{url}> { ?this ?p ?o } }" ] .'
        ),
        r"shapes/mine.ttl:\d+: error: ",
    ),
    "a script in a shape": (
        added(
            "shapes/mine.ttl", SHAPE + 'sh:js [ sh:jsLibrary [ sh:jsLibraryURL "{url}" ] ; sh:jsFunctionName "f" ] .'
        ),
        r"shapes/mine.ttl:\d+: error: sh:js is not applied here",
    ),
    "a rule in a shape": (
        added("shapes/mine.ttl", SHAPE + "sh:rule [ sh:subject sh:this ; sh:predicate sh:name ; sh:object 1 ] ."),
        r"shapes/mine.ttl:\d+: error: sh:rule is not applied here",
    ),
    "shapes in shapes": (
        added("shapes/mine.ttl", SHAPE + "sh:not [ " * 3_000 + "sh:nodeKind sh:IRI" + " ]" * 3_000 + " ."),
        r"shapes/mine.ttl.*: error: ",
    ),
    "a pattern that never ends": (
        both(LABEL, shape(f'sh:property [\n sh:path {ALT} ; sh:pattern "(a+)+$" ] .')),
        r"shapes/mine.ttl:3: error: the check of this shape was stopped after 3 s",
    ),
    "a pattern in a query that never ends": (
        both(LABEL, query_shape("$this ?p ?value FILTER regex(str(?value), '(a+)+$')")),
        r"shapes/mine.ttl:2: error: the check of this shape was stopped after 3 s",
    ),
    "a query in a shape that never ends": (
        query_shape(
            " ".join(f"?a{n} a ?b{n} ." for n in range(9)) + "FILTER(sameTerm(?a0, ?a8) && sameTerm(?b0, ?a7))"
        ),
        r"kg: shapes/mine.ttl:2: this did not end in time",
    ),
    "a pattern that is none": (
        shape(f'sh:property [ sh:path {ALT} ; sh:pattern "(a" ] .'),
        r"shapes/mine.ttl:2: error: a pattern in this shape is no regular expression",
    ),
    "a pattern nested deep": (
        shape(f'sh:property [ sh:path {ALT} ; sh:pattern "{"(" * 20_000}{")" * 20_000}" ] .'),
        r"shapes/mine.ttl:2: error: this shape cannot be checked: something in it nests too deep",
    ),
    "literals beyond what a parser takes": (
        added(LABELS, f':kg {ALT} "{"x" * (17 << 20)}"@en .\n'),
        rf"{LABELS}:9: error: a name or literal is longer than 16 MiB",
    ),
    "claims that fill the memory": (
        both(
            added("kg.toml", "\n[build]\nmemory = 250\n"),  # less is full sooner
            added(CLAIMS, "claim:1 {" + "".join(f":kg rdfs:seeAlso :x{n} .\n" for n in range(1_000_000)) + "}"),
        ),
        rf"kg: {CLAIMS}: this needs more memory than a build may take",
    ),
    "a text that fills the memory": (
        added(TEXT, "w.\n\n" * 40_000_000),
        r"kg: the text of about-kg: this needs more memory than a build may take",
    ),
    "UTF-16": (
        recoded(CLAIMS, "utf-16"),
        rf"{CLAIMS}:1: error: is not UTF-8",
    ),
    "half of a pair": (added(LABELS, b':x rdfs:label "a\xed\xa0\x80"@en .\n'), rf"{LABELS}:\d+: error: is not UTF-8"),
}
"""What is done to the project, and the line that it must give; ``{url}`` becomes a server that counts who asks."""

QUICK = [
    *(
        "blank nodes nested a million deep",
        "a question nested a million deep",
        "a question that calls",
        "labels without end",
    ),
    *(
        "settings that are a pipe",
        "a text that is a pipe",
        "gzip",
        "a remote context",
        "a script in a shape",
        "settings nested deep",
        "a pattern that never ends",
        "a query in a shape that never ends",
        "a text that fills the memory",
    ),
]
"""Those that are tried whenever the tests run; the others take minutes together."""
