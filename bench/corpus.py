"""Generates a project of any size: N documents with M claims each, the same for the same numbers.

    python bench/corpus.py FOLDER --documents 1000 --claims 30 [--errors 6] [--conflicts 5] [--seed 1]

Every document is a text of our own making that may be shown, with one sentence a claim, in terms of an ontology of its
own. Names and relations are drawn from a common stock, so that things are shared across documents; of every hundred
figures ``--conflicts`` differ from those of the other documents. ``--errors`` plants so many faults of different kinds,
and prints where, with the rule that finds each.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from kg import text

ROOT = Path(__file__).resolve().parent.parent
PREFIXES = """@prefix : <id/> .
@prefix claim: <claim/{name}/> .
@prefix doc: <document/> .
@prefix kg: <ontology#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix chronicle: <ontology/chronicle#> .
"""
ONTOLOGY = """@prefix chronicle: <ontology/chronicle#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <http://schema.org/> .
<ontology/chronicle> a owl:Ontology ; rdfs:label "Chronicles"@en .
chronicle:Town a owl:Class ; rdfs:label "town"@en ; rdfs:subClassOf schema:Place .
chronicle:Society a owl:Class ; rdfs:label "society"@en ; rdfs:subClassOf schema:Organization .
chronicle:wells a owl:DatatypeProperty ; rdfs:label "wells"@en .
chronicle:seat a owl:ObjectProperty ; rdfs:label "seat"@en .
"""
SHAPES = """@prefix chronicle: <ontology/chronicle#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<shapes#TownWells> a sh:NodeShape ; sh:targetClass chronicle:Town ;
    sh:property [ sh:path chronicle:wells ; sh:maxCount 1 ; sh:datatype xsd:integer ; sh:minInclusive 0 ] ;
    sh:message "A town has one number of wells."@en .
<shapes#SocietySeat> a sh:NodeShape ; sh:targetClass chronicle:Society ;
    sh:property [ sh:path chronicle:seat ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ;
    sh:message "A society sits somewhere."@en .
"""
CLAIM = """
claim:{n} {{ {triples} }}
claim:{n} a kg:Claim ; rdfs:label "{gloss}"@en ; kg:speaker :{speaker} ; kg:modality kg:{modality} ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:{name} ; kg:quote "{quote}" .
"""
SYLLABLES = "ba de fi go lu ma ne po ri sa to vu ka le mi no".split()


class Corpus:
    """The drawing of names, and the sentences made from them."""

    def __init__(self, seed: int, documents: int, conflicts: int) -> None:
        self.dice = random.Random(seed)
        self.conflicts = conflicts
        self.towns = self._names(max(20, documents // 10))
        self.agents = self._names(max(20, documents // 5))
        self.labels: dict[str, str] = {}

    def _names(self, count: int) -> list[str]:
        names: set[str] = set()
        while len(names) < count:
            names.add("".join(self.dice.choices(SYLLABLES, k=4)))
        return sorted(names)

    def thing(self, kind: str, name: str) -> str:
        self.labels[f"{kind}-{name}"] = f"{name.capitalize()} ({kind})"
        return f"{kind}-{name}"

    def claim(self, document: str, n: int) -> tuple[str, str, str, str]:
        """Sentence, gloss, triples and modality of the n-th claim of a document."""
        town, agent = self.dice.choice(self.towns), self.dice.choice(self.agents)
        place, who = self.thing("town", town), self.thing("society", agent)
        # What everybody says of a town follows from its name; some documents say something else, each the same always.
        count, differs = crc32(town.encode()) % 90 + 2, crc32(f"{document} {town}".encode())
        count += differs % 9 + 1 if differs % 100 < self.conflicts else 0
        choice = self.dice.randrange(4)
        if choice == 0:
            event = self.thing("fair", f"{document}{n}")
            return (
                f"The society {agent.capitalize()} held fair number {n} in {town.capitalize()}",
                f"Fair {n} of {document} was held in {town.capitalize()}.",
                f":{event} a kg:Event ; kg:agent :{who} ; kg:place :{place} .",
                "asserted",
            )
        if choice == 1:
            plan = self.thing("plan", f"{document}{n}")
            return (
                f"The society {agent.capitalize()} plans visit number {n} to {town.capitalize()}",
                f"Visit {n} of {document} is planned for {town.capitalize()}.",
                f":{plan} a kg:Plan ; kg:plannedBy :{who} ; kg:foreseenPlace :{place} .",
                "planned",
            )
        if choice == 2:
            return (
                f"In entry {n} {town.capitalize()} counts {count} wells",
                f"Entry {n} of {document} gives {town.capitalize()} {count} wells.",
                f":{place} a chronicle:Town ; chronicle:wells {count} .",
                "asserted",
            )
        return (
            f"By entry {n} {agent.capitalize()} sits in {town.capitalize()}",
            f"Entry {n} of {document} seats {agent.capitalize()} in {town.capitalize()}.",
            f":{who} a chronicle:Society ; chronicle:seat :{place} .",
            "asserted",
        )

    def document(self, root: Path, name: str, claims: int) -> None:
        drawn = [self.claim(name, n) for n in range(1, claims + 1)]
        paragraphs = [" ".join(f"{sentence}." for sentence, *_ in drawn[at : at + 5]) for at in range(0, len(drawn), 5)]
        content = f"# Chronicle {name}\n\n" + "\n\n".join(paragraphs) + "\n"
        (root / f"data/documents/{name}.md").write_text(content, encoding="utf-8")
        speaker = f"author-{name}"
        self.labels[speaker] = f"the author of {name}"
        (root / f"data/documents/{name}.ttl").write_text(
            PREFIXES.format(name=name)
            + f'doc:{name} a kg:Document ; dcterms:title "Chronicle {name}"@en ; dcterms:creator :{speaker} ;\n'
            "    dcterms:license <https://creativecommons.org/licenses/by/4.0/> ; kg:textShown true ;\n"
            f'    kg:sha256 "{text.parse(content).sha256}" .\n',
            encoding="utf-8",
        )
        body = "".join(
            CLAIM.format(
                n=n, name=name, gloss=gloss, triples=triples, modality=modality, quote=sentence, speaker=speaker
            )
            for n, (sentence, gloss, triples, modality) in enumerate(drawn, 1)
        )
        (root / f"data/claims/{name}.trig").write_text(PREFIXES.format(name=name) + body, encoding="utf-8")

    def entities(self, root: Path) -> None:
        lines = [f':{thing} rdfs:label "{label}"@en .' for thing, label in sorted(self.labels.items())]
        (root / "data/entities/labels.ttl").write_text(PREFIXES.format(name="x") + "\n".join(lines) + "\n", "utf-8")


FAULTS: dict[str, Callable[[str], str]] = {
    "unknown-term": lambda s: s.replace("kg:modality kg:asserted", "kg:modality kg:assertd", 1),
    "quote": lambda s: s.replace('kg:quote "', 'kg:quote "never ', 1),
    "language": lambda s: s.replace('"@en ; kg:speaker', '" ; kg:speaker', 1),
    "not-asserted": lambda s: s.replace(" a kg:Plan ", " a kg:Event ", 1),
    "shacl": lambda s: s.replace(" chronicle:wells ", " chronicle:wells -", 1),
    "syntax": lambda s: s + "claim:999 {\n",
}
"""Rule that finds it → what is done to a file of claims."""


class Planted(NamedTuple):
    """An error: the file, and the rule that finds it, if no gate is closed before."""

    file: str
    rule: str


def generate(
    root: Path, *, documents: int, claims: int, errors: int = 0, conflicts: int = 5, seed: int = 1
) -> list[Planted]:
    """Write the project into an empty folder; returns the errors that were planted."""
    for folder in ("documents", "claims", "entities", "queries"):
        (root / "data" / folder).mkdir(parents=True)
    for folder in ("ontology", "shapes"):
        (root / folder).mkdir()
    shutil.copy(ROOT / "ontology/kg.ttl", root / "ontology")
    (root / "ontology/chronicle.ttl").write_text(ONTOLOGY, "utf-8")
    for name in ("evidence.ttl", "facts.ttl"):
        shutil.copy(ROOT / "shapes" / name, root / "shapes")
    (root / "shapes/chronicle.ttl").write_text(SHAPES, "utf-8")
    (root / "kg.toml").write_text('title = "A generated corpus"\ndescription = "Measured, not read."\n', "utf-8")
    corpus = Corpus(seed, documents, conflicts)
    names = [f"d{n:06}" for n in range(1, documents + 1)]
    for name in names:
        corpus.document(root, name, claims)
    corpus.entities(root)
    planted = []
    for n in range(errors):
        rule = list(FAULTS)[n % len(FAULTS)]
        # The next document that has something to spoil in this way.
        for name in names[n * documents // errors :]:
            path = root / f"data/claims/{name}.trig"
            spoilt = FAULTS[rule](path.read_text("utf-8"))
            if spoilt != path.read_text("utf-8"):
                path.write_text(spoilt, "utf-8")
                planted.append(Planted(path.relative_to(root).as_posix(), rule))
                break
    return planted


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--documents", type=int, default=1000)
    arguments.add_argument("--claims", type=int, default=30)
    arguments.add_argument("--errors", type=int, default=0)
    arguments.add_argument("--conflicts", type=int, default=5, help="of a hundred figures")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    for planted in generate(
        given.folder,
        documents=given.documents,
        claims=given.claims,
        errors=given.errors,
        conflicts=given.conflicts,
        seed=given.seed,
    ):
        print(f"{planted.file}: {planted.rule}")


if __name__ == "__main__":
    main()
