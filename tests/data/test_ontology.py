"""Every term of ours can be understood and reused; what must stay apart is declared apart."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Store

from kg import vocab
from kg.build.parse import parse_sources
from kg.config import DEFAULT_BASE

ROOT = Path(__file__).resolve().parent.parent.parent
KG = DEFAULT_BASE + "ontology#"
MODULES = (DEFAULT_BASE + "ontology", DEFAULT_BASE + "ontology/military")


@cache
def described() -> dict[str, dict[str, list[NamedNode | Literal]]]:
    """Subject → predicate → values, over both modules."""
    found: dict[str, dict[str, list[NamedNode | Literal]]] = defaultdict(lambda: defaultdict(list))
    for q in parse_sources(ROOT, DEFAULT_BASE).ontology:
        value = q.quad.object
        if isinstance(q.quad.subject, NamedNode) and isinstance(value, NamedNode | Literal):
            found[q.quad.subject.value][q.quad.predicate.value].append(value)
    return {subject: dict(values) for subject, values in found.items()}


def terms() -> list[str]:
    return sorted(iri for iri in described() if "#" in iri and iri.startswith(DEFAULT_BASE + "ontology"))


def of_type(kind: str) -> list[str]:
    return [iri for iri in terms() if NamedNode(vocab.OWL + kind) in described()[iri][vocab.RDF_TYPE]]


@pytest.mark.parametrize(
    "predicate",
    [vocab.RDFS_LABEL, vocab.SKOS_DEFINITION, vocab.SKOS + "example", vocab.SKOS + "editorialNote"],
    ids=["label", "definition", "example", "note"],
)
def test_every_term_is_explained_once_in_each_language(predicate: str) -> None:
    """A term has one label, definition, example and note for who encodes in English, and one of each in German."""
    languages = {
        iri: sorted(value.language or "" for value in described()[iri].get(predicate, []) if isinstance(value, Literal))
        for iri in terms()
    }
    assert {iri: tags for iri, tags in languages.items() if tags != ["de", "en"]} == {}


def test_concepts_are_named_and_found_as_skos_has_it() -> None:
    """By their preferred labels, and from their scheme: browsers of vocabularies look for nothing else."""
    concepts = [iri for iri in terms() if NamedNode(vocab.SKOS + "Concept") in described()[iri][vocab.RDF_TYPE]]
    assert len(concepts) > 20
    for iri in concepts:
        said = described()[iri]
        assert set(said[vocab.SKOS_PREF_LABEL]) == set(said[vocab.RDFS_LABEL])
        for scheme in said[vocab.SKOS + "topConceptOf"]:
            assert NamedNode(iri) in described()[str(scheme.value)][vocab.SKOS + "hasTopConcept"]


def test_whatever_has_a_name_has_it_in_both_languages() -> None:
    """Terms of others, modules, shapes with their messages: each in English and in German."""
    sources = parse_sources(ROOT, DEFAULT_BASE)
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for q in (*sources.ontology, *sources.shapes):
        value, predicate = q.quad.object, q.quad.predicate.value
        if isinstance(value, Literal) and predicate in (
            vocab.RDFS_LABEL,
            vocab.SH + "name",
            vocab.SH + "message",
            vocab.DCTERMS_TITLE,
        ):
            names[str(q.quad.subject), predicate].append(value.language or "")
    assert {name: tags for name, tags in names.items() if sorted(tags) != ["de", "en"]} == {}
    assert len(names) > 200


def test_every_term_says_which_module_defines_it() -> None:
    """rdfs:isDefinedBy is the module in whose namespace the term lies."""
    wrong = {
        iri: home
        for iri in terms()
        if (home := [str(value.value) for value in described()[iri].get(vocab.RDFS + "isDefinedBy", [])])
        != [iri.rpartition("#")[0]]
    }
    assert wrong == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_full_metadata(module: str) -> None:
    """Title, description, creator, licence, dates, versions, prefix, namespace, status and citation are given."""
    needed = {
        *(vocab.DCTERMS + name for name in ("title", "description", "creator", "license", "created", "modified")),
        vocab.DCTERMS + "bibliographicCitation",
        vocab.OWL + "versionIRI",
        vocab.OWL + "versionInfo",
        vocab.VANN_PREFIX,
        vocab.VANN_NAMESPACE,
        "http://purl.org/ontology/bibo/status",
    }
    assert needed - set(described()[module]) == set()


def test_the_general_module_knows_no_story() -> None:
    """Nothing in the general module points to the module of one story."""
    pointing = [
        (iri, value.value)
        for iri in terms()
        if iri.startswith(KG)
        for values in described()[iri].values()
        for value in values
        if value.value.startswith(MODULES[1])
    ]
    assert pointing == []


def test_concepts_are_no_properties() -> None:
    """No term is a property and a concept at once: kg:planned is a modality, kg:plannedBy a property."""
    properties = {*of_type("ObjectProperty"), *of_type("DatatypeProperty")}
    concepts = {iri for iri in terms() if NamedNode(vocab.SKOS + "Concept") in described()[iri][vocab.RDF_TYPE]}
    assert properties & concepts == set()


def test_the_closed_schemes_are_those_of_the_build() -> None:
    """The ontology defines exactly the modalities and bases that the build knows."""
    for kind, names in (("Modality", vocab.MODALITIES), ("Basis", vocab.BASES)):
        found = {iri for iri in terms() if NamedNode(KG + kind) in described()[iri][vocab.RDF_TYPE]}
        assert found == {KG + name for name in names}


def test_prospects_and_hearsay_are_disjoint_from_what_happened() -> None:
    """Event and State are each declared disjoint from Prospect and ReportedSituation."""
    for happening in ("Event", "State"):
        apart = {value.value for value in described()[KG + happening][vocab.OWL + "disjointWith"]}
        assert apart >= {KG + "Prospect", KG + "ReportedSituation"}


def test_a_planned_transfer_is_no_transfer(store: Store) -> None:
    """No class lies below both a prospect and a happening."""
    found = store.query(
        f"""PREFIX kg: <{KG}> PREFIX rdfs: <{vocab.RDFS}>
        ASK {{ ?class rdfs:subClassOf+ ?a , ?b
               VALUES ?a {{ kg:Prospect kg:ReportedSituation }} VALUES ?b {{ kg:Event kg:State }} }}"""
    )
    assert not found


def test_alignments_are_stated() -> None:
    """Events are close to those of SEM and CIDOC CRM, and activities of PROV-O; claims are annotations."""
    close = {value.value for value in described()[KG + "Event"][vocab.SKOS + "closeMatch"]}
    assert close >= {
        "http://semanticweb.cs.vu.nl/2009/11/sem/Event",
        "http://www.cidoc-crm.org/cidoc-crm/E5_Event",
    }
    assert NamedNode(vocab.PROV + "Activity") in described()[KG + "Event"][vocab.RDFS_SUBCLASS]
    assert NamedNode(vocab.OA + "Annotation") in described()[KG + "Claim"][vocab.RDFS_SUBCLASS]


def test_every_term_of_the_story_is_used(store: Store) -> None:
    """The small module has no term that neither data nor another term uses."""
    unused = []
    for iri in terms():
        if iri.startswith(MODULES[1] + "#"):
            node = f"<{iri}>"
            asked = (
                f"ASK {{ {{ ?s {node} ?o }} UNION {{ ?s ?p {node} }} UNION {{ GRAPH ?g {{ ?s {node} ?o }} }} "
                f"UNION {{ GRAPH ?h {{ ?s ?q {node} }} }} FILTER (!isBlank(?s)) }}"
            )
            if not store.query(asked):
                unused.append(iri)
    assert unused == []
