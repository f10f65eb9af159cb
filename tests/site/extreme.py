"""A project as hard to publish as data can be: the voyage, and beside it hostile words and extreme sizes everywhere.

``HOSTILE`` goes wherever a publisher's words go: labels, literals, titles, glosses, terms, shapes, questions, settings.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from kg import text

HARBOUR = Path(__file__).resolve().parent / "fixtures" / "harbour"

VALUES = 10_000
"""Values of one property."""

CROWD = 3_000
"""Things of one class."""

MEGABYTE = 1_000_000
"""Characters of a label."""

HOSTILE = {
    "element": "<img src=x onerror=alert(1)>",
    "drawing": "\"'><svg/onload=alert(1)>",
    "script": "</script></title></textarea><script>alert(1)</script>",
    "cdata": "]]><script>alert(1)</script><![CDATA[",
    "comment": "--><script>alert(1)</script><!--",
    "attribute": "' onmouseover='alert(1)' style='position:fixed' \" autofocus onfocus=\"alert(1)",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}<%= 7 %>",
    "entity": "&lt;b&gt; &#0; &amp;amp; &bogus;",
    "bidi": "abc \u202e drowssap \u2066 open \u200f mark \u202b",
    "unbound": "abc \u2069\u2069 \u202e drowssap",
    "header": 'one", <http://127.0.0.1:9/evil>; rel="stylesheet", "two\r\nSet-Cookie: evil=1\r\n\r\n<b>body</b>',
    "formula": "=HYPERLINK(\"http://127.0.0.1:9/\",'x')",
    "path": "../../../../etc/passwd%00.html?x#y",
    "joined": "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301\u0323 \ufeff\u2028\u2029\x7f\u00ad",
    "stacked": "marks on marks: Z" + "\u0310\u0352\u0357" * 60,
}
"""A name for each way to be hostile, and the words."""

IRIS = (
    "javascript:alert(1)",
    "JavaScript:alert(1)//http://127.0.0.1:9/",
    "data:text/html,%3Cscript%3Ealert(1)%3C/script%3E",
    "vbscript:alert(1)",
    "file:///etc/passwd",
    "blob:http://127.0.0.1:9/x",
    "http://127.0.0.1:9/image.png",
    "urn:example:a",
)
"""Addresses that are no links, but for the one on the web."""

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 5
RIGHT_TO_LEFT = "رصيف الميناء الشمالي القديم عند مصب النهر"

PREFIXES = """@prefix : <id/> .
@prefix claim: <claim/extreme/> .
@prefix doc: <document/> .
@prefix x: <ontology/extreme#> .
@prefix kg: <ontology#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix shapes: <shapes#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix time: <http://www.w3.org/2006/time#> .
@prefix vann: <http://purl.org/vocab/vann/> .
@prefix wgs84: <http://www.w3.org/2003/01/geo/wgs84_pos#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

DOCUMENT = """# A text <script>alert(1)</script> of extremes

The quay has everything that is hostile: <img src=x onerror=alert(1)> and </script> and ]]> and {{ 7 * 7 }}.
The quay has very many values. A crowd of things came. The names are long.
The quay stands at a place and lasted for some time. Somebody denies that it does.
"""


def quoted(words: str) -> str:
    """A literal of Turtle."""
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in words)
    return f'"{escaped}"'


def make(root: Path) -> Path:
    """Write the project into a folder that is not there yet."""
    shutil.copytree(HARBOUR, root)
    shutil.copytree(HARBOUR.parent / "voyage", root, dirs_exist_ok=True)
    _settings(root)
    _terms(root)
    _document(root)
    _claims(root)
    _labels(root)
    return root


def change(root: Path) -> None:
    """What a second release has to say: a claim withdrawn, a claim more."""
    with (root / "data/claims/extreme.trig").open("a", encoding="utf-8") as file:
        file.write(
            f"claim:7 a kg:WithdrawnClaim ; rdfs:label {quoted(HOSTILE['cdata'])}@en ;\n"
            f'    kg:withdrawnOn "2021-02-01"^^xsd:date ; skos:changeNote {quoted(HOSTILE["comment"])}@en .\n'
            f"claim:10 {{ :denial x:hostile {quoted(HOSTILE['element'])} }}\n"
            f"claim:10 a kg:Claim ; rdfs:label {quoted(HOSTILE['script'] + '(10)')}@en ; kg:speaker :mallory ;\n"
            "    kg:modality kg:asserted ; kg:basis kg:stated ; prov:hadPrimarySource doc:extreme ;\n"
            '    kg:quote "Somebody denies that it does" .\n'
        )


def _settings(root: Path) -> None:
    title, description, publisher = (
        HOSTILE[name].replace("\\", "\\\\").replace('"', '\\"') for name in ("script", "drawing", "attribute")
    )
    (root / "kg.toml").write_text(
        f'title = "{title}"\ndescription = "{description}"\npublisher = "{publisher}"\n'
        'license = "https://creativecommons.org/licenses/by/4.0/"\n'
        'report = "mailto:editors@example.org?subject={title}&body={body}"\n'
        f'[catalog]\nkeywords = ["{title}"]\n[serve]\nseconds = 0\nerrors = 0\nat_once = 0\n',
        encoding="utf-8",
    )
    (root / "data/queries/hostile.rq").write_text(
        f"# title: {HOSTILE['element']}\n# description: {HOSTILE['script']}\nSELECT * {{ ?s ?p ?o }} LIMIT 5\n",
        encoding="utf-8",
    )


def _terms(root: Path) -> None:
    label, comment = quoted(HOSTILE["script"]), quoted(HOSTILE["element"])
    lines = [
        "@base <http://localhost:8000/> .",
        PREFIXES,
        f"<ontology/extreme> a owl:Ontology ; rdfs:label {label}@en ; rdfs:comment {comment}@en ;",
        '    vann:preferredNamespacePrefix "x" ; vann:preferredNamespaceUri "ontology/extreme#" .',
        f"x:Thing a owl:Class ; rdfs:label {label}@en ; rdfs:comment {comment}@en .",
        "x:Thing rdfs:subClassOf <javascript:alert(2)> .",
        f"x:hostile a owl:DatatypeProperty ; rdfs:label {comment}@en ; rdfs:comment {label}@en ; rdfs:range x:Thing .",
        'x:value a owl:DatatypeProperty ; rdfs:label "value"@en ; rdfs:comment "One of many."@en .',
        'x:see a owl:ObjectProperty ; rdfs:label "see"@en ; rdfs:comment "Elsewhere."@en .',
        'kg:WithdrawnClaim a owl:Class ; rdfs:label "withdrawn claim"@en ; rdfs:comment "A claim that was."@en .',
        'kg:withdrawnOn a owl:DatatypeProperty ; rdfs:label "withdrawn on"@en ; rdfs:comment "Since when."@en .',
        "x:see rdfs:seeAlso <javascript:alert(3)> .",
        f"x:long a owl:DatatypeProperty ; rdfs:label {quoted(LONG_WORD)}@de ; rdfs:comment {quoted(LONG_WORD)}@de .",
    ]
    (root / "ontology/extreme.ttl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shape = f"""@base <http://localhost:8000/> .
{PREFIXES}
shapes:Hostile a sh:PropertyGroup ; rdfs:label {label}@en ; sh:order 1 .
shapes:Thing a sh:NodeShape ; sh:targetClass x:Thing ; rdfs:label {label}@en ; rdfs:comment {comment}@en ;
    sh:property [ sh:path x:hostile ; sh:name {comment}@en ; sh:description {label}@en ; sh:group shapes:Hostile ;
        sh:order 1 ; sh:message {label}@en ; sh:minLength 0 ] .
"""
    (root / "shapes/extreme.ttl").write_text(shape, encoding="utf-8")


def _document(root: Path) -> None:
    (root / "data/documents/extreme.md").write_text(DOCUMENT, encoding="utf-8")
    (root / "data/documents/extreme.ttl").write_text(
        f"""{PREFIXES}
doc:extreme a kg:Document ; dcterms:title {quoted(HOSTILE["drawing"] + HOSTILE["header"])}@en ;
    dcterms:creator :mallory ; dcterms:license <javascript:alert(4)> ; dcterms:source <data:text/html,x> ;
    kg:textShown true ; dcterms:issued "2021-01-01"^^xsd:date ; kg:sha256 "{text.parse(DOCUMENT).sha256}" .
""",
        encoding="utf-8",
    )


def _claims(root: Path) -> None:
    words = " , ".join(quoted(words) for words in HOSTILE.values())
    typed = f'"<b onclick=alert(1)>bold</b>"^^rdf:HTML , "1"^^<javascript:alert(5)> , {quoted(LONG_WORD)}'
    hostile_things = " , ".join(f":h-{name}" for name in HOSTILE)
    values = " , ".join(f'"value {n}"' for n in range(VALUES))
    crowd = "\n".join(f"    :crowd-{n} a x:Thing ." for n in range(CROWD))
    named = "\n".join(
        f"    :h-{name} a x:Thing ; time:hasTime :some-time ; x:see :quay .\n"
        f"    :h-{name} wgs84:lat {10 + n} ; wgs84:long {20 + 2 * n} ."
        for n, name in enumerate(HOSTILE)
    )
    claims = {
        f"""
    :quay a x:Thing , <javascript:alert(6)> , schema:Place ; x:hostile {words} , {typed} ;
        x:see {" , ".join(f"<{iri}>" for iri in IRIS)} , {hostile_things} , :nothing , :megabyte , :long , :arabic ;
        <javascript:alert> "a value of a property that is no address" .""": "The quay has everything that is hostile",
        f"\n    :quay x:value {values} .\n": "The quay has very many values",
        f"\n{crowd}\n": "A crowd of things came",
        ":megabyte a x:Thing ; x:see :long . :long a x:Thing ; x:long "
        f"{quoted('y' * MEGABYTE)} . :arabic a x:Thing ; x:see :long .": "The names are long",
        f"""
{named}
    :some-time a time:ProperInterval ; kg:edtf "2021-05" .
    :quay wgs84:lat 54.4 ; wgs84:long 10.2 ; time:hasTime :quay-time .
    :quay-time a time:ProperInterval ; kg:earliest "0001-01-01"^^xsd:date ; kg:latest "9999-12-31"^^xsd:date .
    :afar a x:Thing ; wgs84:lat 9999 ; wgs84:long -9999 .
    :nowhere a x:Thing ; wgs84:lat "NaN"^^xsd:double ; wgs84:long "INF"^^xsd:double .
    :long wgs84:lat 54.5 ; wgs84:long 10.3 ; time:hasTime :quay-time .
    :arabic wgs84:lat 54.6 ; wgs84:long 10.4 ; time:hasTime :some-time .
""": "The quay stands at a place and lasted for some time",
    }
    text_ = PREFIXES
    for n, (triples, quote) in enumerate(claims.items(), 1):
        gloss = list(HOSTILE.values())[n] + f" ({n})"
        text_ += f"claim:{n} {{ {triples} }}\nclaim:{n} a kg:Claim ; rdfs:label {quoted(gloss)}@en ; "
        text_ += "kg:speaker :mallory ; kg:modality kg:asserted ; kg:basis kg:stated ;\n"
        text_ += f"    prov:hadPrimarySource doc:extreme ; kg:quote {quoted(quote)} .\n"
    text_ += f"""claim:8 {{ :denial a kg:Statement ; kg:content claim:9 }}
claim:8 a kg:Claim ; rdfs:label "Somebody denies it."@en ; kg:speaker :mallory ;
    kg:modality kg:asserted ; kg:basis kg:stated ; prov:hadPrimarySource doc:extreme ;
    kg:quote "Somebody denies that it does" .
claim:9 {{ :h-script x:value "nothing" }}
claim:9 a kg:Claim ; rdfs:label {quoted(HOSTILE["header"])}@en ; kg:speaker :h-element ;
    kg:modality kg:denied ; kg:basis kg:stated ; prov:hadPrimarySource doc:extreme ;
    kg:quote "Somebody denies that it does" .
"""
    (root / "data/claims/extreme.trig").write_text(text_, encoding="utf-8")


def _labels(root: Path) -> None:
    labels = {f"h-{name}": f"{quoted(words)}@en" for name, words in HOSTILE.items()}
    labels |= {f"crowd-{n}": f'"one of the crowd, number {n}"@en' for n in range(CROWD)}
    labels |= {
        "quay": f'"the quay"@en , {quoted(RIGHT_TO_LEFT)}@ar , {quoted(HOSTILE["bidi"])}@he',
        "mallory": f"{quoted(HOSTILE['element'])}@en",
        "nothing": '"a thing of which nothing is said"@en',
        "megabyte": f"{quoted('long ' * (MEGABYTE // 5))}@en",
        "long": f"{quoted(LONG_WORD)}@de",
        "arabic": f"{quoted(RIGHT_TO_LEFT)}@ar",
        "some-time": '"in May"@en',
        "quay-time": '"for ever"@en',
        "afar": '"beyond the poles"@en',
        "denial": '"a denial"@en',
        "nowhere": '"nowhere"@en',
    }
    lines = [f":{name} rdfs:label {label} ." for name, label in labels.items()]
    lines.append(
        f":quay skos:altLabel {quoted(HOSTILE['drawing'])}@en ; skos:scopeNote {quoted(HOSTILE['script'])}@en ."
    )
    (root / "data/entities/extreme.ttl").write_text(PREFIXES + "\n".join(lines) + "\n", encoding="utf-8")
