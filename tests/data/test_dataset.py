"""What the claims as a whole must keep to: every sentence encoded, nobody's words in the wrong mouth."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path

import pytest
from pyoxigraph import QuerySolutions, Store

from kg import vocab
from kg.build import check
from kg.config import DEFAULT_BASE, load
from kg.release import Release

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT.parent / "shared/source"
REPORT = SOURCES / "us-army-iraq-bases.txt"
PREFIXES = f"""BASE <{DEFAULT_BASE}>
PREFIX : <id/> PREFIX kg: <ontology#> PREFIX mil: <ontology/military#> PREFIX doc: <document/>
PREFIX rdfs: <{vocab.RDFS}> PREFIX oa: <{vocab.OA}> PREFIX prov: <{vocab.PROV}> PREFIX dcterms: <{vocab.DCTERMS}>
PREFIX schema: <{vocab.SCHEMA}>
"""


def rows(store: Store, text: str) -> list[tuple[str, ...]]:
    found = store.query(PREFIXES + text)
    assert isinstance(found, QuerySolutions)
    names = [variable.value for variable in found.variables]
    return [
        tuple(getattr(solution[name], "value", "").removeprefix(DEFAULT_BASE) for name in names) for solution in found
    ]


def one(store: Store, text: str) -> set[str]:
    return {row[0] for row in rows(store, text)}


def test_every_sentence_of_the_report_has_a_claim(store: Store) -> None:
    """The title and each of the 17 sentences have a claim; with -s the claims are printed by sentence."""
    by_sentence: dict[int, list[str]] = defaultdict(list)
    for sentence, claim, gloss in rows(
        store,
        """SELECT DISTINCT ?sentence ?claim ?gloss WHERE {
          ?claim prov:hadPrimarySource doc:us-army-iraq-bases ; rdfs:label ?gloss ; oa:hasTarget ?passage .
          ?passage kg:sentence ?sentence ; oa:hasSelector ?selector . ?selector oa:start ?start }
          ORDER BY ?sentence ?start""",
    ):
        by_sentence[int(sentence)].append(f"{claim.rpartition('/')[2]}: {gloss}")
    for number, claims in sorted(by_sentence.items()):
        print(f"sentence {number}", *claims, sep="\n    ")  # noqa: T201 - the table is what one looks at
    assert set(by_sentence) == set(range(18))


def test_every_sentence_of_the_note_has_a_claim(release: Release) -> None:
    """The editorial note states nothing that no claim takes up."""
    counted = release.report["documents"]["editorial-note"]
    assert counted["sentences_with_claim"] == counted["sentences"]


def test_the_report_is_fully_encoded(release: Release) -> None:
    """There are at least sixty claims of the report."""
    assert release.report["documents"]["us-army-iraq-bases"]["claims"] >= 60


def test_every_passage_holds_against_the_report() -> None:
    """Where the report is at hand, each position and fingerprint fits it."""
    if not REPORT.exists():
        pytest.skip("the report's text is not at hand: it is not ours to put here")
    checked = check(load(ROOT, environ={}), [SOURCES])
    assert [str(finding) for finding in checked.findings] == []
    assert checked.counts["verified"] == checked.counts["passages"] > 0


def test_no_prospect_comes_back_as_something_that_happened(store: Store) -> None:
    """Over the union of all graphs nothing is both foreseen or only reported, and an event or a state."""
    foreseen = one(
        store,
        """SELECT DISTINCT ?thing WHERE {
          VALUES ?top { kg:Prospect kg:ReportedSituation } ?class rdfs:subClassOf* ?top .
          { ?thing a ?class } UNION { GRAPH ?g { ?thing a ?class } } }""",
    )
    happened = one(
        store,
        """SELECT DISTINCT ?thing WHERE {
          VALUES ?top { kg:Event kg:State schema:Event } ?class rdfs:subClassOf* ?top .
          { ?thing a ?class } UNION { GRAPH ?g { ?thing a ?class } } }""",
    )
    assert len(foreseen) >= 15
    assert len(happened) >= 30
    assert foreseen & happened == set()


@pytest.mark.parametrize("name", ["agent", "object", "recipient", "source", "place", "participant"])
def test_a_plain_query_without_a_class_finds_no_prospect(name: str, store: Store) -> None:
    """Whoever asks for agents, objects or places without naming a class gets happenings only, in any graph."""
    found = one(
        store,
        f"""SELECT DISTINCT ?thing WHERE {{
          {{ ?thing kg:{name} ?value }} UNION {{ GRAPH ?g {{ ?thing kg:{name} ?value }} }}
          FILTER NOT EXISTS {{ ?thing a/rdfs:subClassOf* ?top VALUES ?top {{ kg:Event kg:State }} }} }}""",
    )
    assert found == set()


def test_claims_that_are_not_asserted_speak_of_prospects_groups_and_times_only(store: Store) -> None:
    """No subject in a graph that is planned, expected, intended, requested or conditional is anything else."""
    strange = rows(
        store,
        """SELECT DISTINCT ?claim ?thing WHERE {
          ?claim kg:modality ?modality . FILTER (?modality != kg:asserted)
          GRAPH ?claim { ?thing ?property ?value }
          FILTER NOT EXISTS {
            GRAPH ?claim { ?thing a ?class }
            FILTER (
              EXISTS { ?class rdfs:subClassOf* kg:Prospect } || ?class IN (kg:Group, kg:ReportedSituation)
              || STRSTARTS(STR(?class), "http://www.w3.org/2006/time#")
            )
          } }""",
    )
    assert strange == []


def test_nothing_in_the_report_is_denied_or_alleged(store: Store) -> None:
    """The report denies nothing and hedges nothing, so no claim of it says so."""
    assert one(store, "SELECT ?claim WHERE { ?claim kg:modality ?m . FILTER (?m IN (kg:denied, kg:alleged)) }") == set()


def test_order_in_time_is_never_a_result(store: Store) -> None:
    """What the report puts after the strike is not what it calls a result of it."""
    after = one(store, "SELECT ?e WHERE { ?e kg:after :soleimani-strike }")
    results = one(store, "SELECT ?e WHERE { ?e kg:resultOf :soleimani-strike }")
    assert after & results == set()


def test_rockets_and_dead_belong_to_different_attacks(store: Store) -> None:
    """The counted rockets are those of the later attack, the dead those of the earlier; neither has an attacker."""
    assert one(store, "SELECT ?e WHERE { GRAPH ?g { ?e mil:rocketCount 33 } }") == {"id/second-taji-attack"}
    assert one(store, "SELECT ?e WHERE { GRAPH ?g { ?e mil:killed :two-americans } }") == {"id/first-taji-attack"}
    asked = "SELECT ?who WHERE { GRAPH ?g { ?e kg:agent ?who } VALUES ?e { :first-taji-attack :second-taji-attack } }"
    assert one(store, asked) == set()


def test_nobody_killed_is_called_a_soldier(store: Store) -> None:
    """The only job among the dead of Taji is that of the British medic."""
    asked = """SELECT ?job WHERE {
      GRAPH ?g { :first-taji-attack mil:killed ?dead } GRAPH ?h { ?dead schema:jobTitle ?job } }"""
    assert one(store, asked) == {"medic"}


def test_the_report_does_not_say_that_rockets_hit_basmaya(store: Store) -> None:
    """In the report's claims the attack on Basmaya is an attack, and no rocket attack."""
    asked = """SELECT ?class WHERE {
      ?claim prov:hadPrimarySource doc:us-army-iraq-bases . GRAPH ?claim { :basmaya-attack a ?class } }"""
    assert one(store, asked) == {"ontology/military#Attack"}


def test_actors_and_receivers_stay_apart(store: Store) -> None:
    """Each plan has the owner its own sentence names, and the hand-over both receivers."""
    owners = set(rows(store, "SELECT ?plan ?who WHERE { ?plan kg:plannedBy ?who }"))
    assert owners == {
        ("id/withdrawal-plan", "id/us-army"),
        ("id/hand-over-plan", "id/united-states"),
        ("id/stay-in-five-bases", "id/united-states"),
        ("id/withdrawal-from-mosul-base", "id/american-forces"),
        ("id/withdrawal-from-kirkuk-compound", "id/american-forces"),
    }
    receivers = one(store, "SELECT ?to WHERE { :hand-over-plan kg:foreseenRecipient ?to }")
    assert receivers == {"id/iraqi-army", "id/iraq"}


def test_eight_bases_are_a_number(store: Store) -> None:
    """The group of eight has no members of its own: which bases they are is not said."""
    assert one(store, "SELECT ?n WHERE { :us-bases-in-iraq kg:memberCount ?n }") == {"8"}
    assert one(store, "SELECT ?m WHERE { GRAPH ?g { :us-bases-in-iraq kg:hasMember ?m } }") == set()


def test_a_city_is_what_the_report_calls_one(store: Store) -> None:
    """The report calls Mosul a city, and never Baghdad."""
    assert one(store, "SELECT ?city WHERE { GRAPH ?g { ?city a schema:City } }") == {"id/mosul"}


def test_whom_and_what_the_report_names_can_be_asked(store: Store) -> None:
    """Every proper name in the report's own voice is a fact, and Kataib Hezbollah's in an official's words."""
    asked = """SELECT ?name WHERE {
      ?claim prov:hadPrimarySource doc:us-army-iraq-bases ; kg:speaker %s .
      GRAPH ?claim { ?thing schema:name ?name } }"""
    assert one(store, asked % ":report-author") == {
        *("United States", "United States Army", "Iran", "Iraq", "Syria", "Iraqi Army", "ISIS", "Al Qaeda"),
        *("al-Qaim", "Taji", "Basmaya", "Baghdad", "Kirkuk", "Mosul", "Middle East", "Iraq-Syria border"),
        *("Qassem Soleimani", "Mike Pompeo"),
    }
    assert one(store, asked % "?who . FILTER (?who != :report-author)") == {"Kataib Hezbollah"}


def test_what_only_others_say_is_no_fact(store: Store) -> None:
    """Nothing that is said by somebody else alone stands in the default graph."""
    leaked = rows(
        store,
        """SELECT DISTINCT ?claim ?s ?p ?o WHERE {
          ?claim kg:speaker ?speaker ; prov:hadPrimarySource/dcterms:creator ?author . FILTER (?speaker != ?author)
          GRAPH ?claim { ?s ?p ?o } ?s ?p ?o .
          FILTER NOT EXISTS {
            ?own kg:speaker ?voice ; prov:hadPrimarySource/dcterms:creator ?voice . GRAPH ?own { ?s ?p ?o }
          } }""",
    )
    assert leaked == []


def test_a_review_is_complete(release: Release, store: Store) -> None:
    """A claim that names its reviewer names the day too; a claim without a second reading names neither."""
    half = """SELECT ?claim WHERE { ?claim a kg:Claim .
      FILTER (EXISTS { ?claim kg:reviewedBy ?who } != EXISTS { ?claim kg:reviewedOn ?day }) }"""
    assert one(store, half) == set()


def test_every_claim_says_who_encoded_it_and_when(store: Store) -> None:
    """Encoder and day stand on every claim."""
    asked = """SELECT ?claim WHERE { ?claim a kg:Claim .
      FILTER NOT EXISTS { ?claim dcterms:creator ?who ; dcterms:created ?day } }"""
    assert one(store, asked) == set()


def test_the_table_of_claims_holds_every_claim(release: Release) -> None:
    """claims.csv has a row for each claim of both documents."""
    text = (release.path / "dumps/claims.csv").read_text(encoding="utf-8")
    assert len(list(csv.DictReader(io.StringIO(text)))) == release.report["counts"]["claims"]


def test_no_time_in_any_graph_ends_before_it_begins(store: Store) -> None:
    """Inferred times too, which no shape sees, have an earliest day that is not after the latest."""
    bounds = rows(
        store, "SELECT ?earliest ?latest WHERE { GRAPH ?g { ?time kg:earliest ?earliest ; kg:latest ?latest } }"
    )
    assert len(bounds) >= 10
    assert [pair for pair in bounds if pair[0] > pair[1]] == []


def test_the_background_graph_holds_the_notes_own_word_only(store: Store) -> None:
    """What the note relays of others, such as another number of rockets, is neither fact nor background."""
    assert rows(store, "SELECT ?n WHERE { GRAPH <graph/background> { ?e mil:rocketCountAtLeast ?n } }") == []
    own = """SELECT ?s WHERE { GRAPH <graph/background> { ?s ?p ?o }
      FILTER NOT EXISTS { ?claim kg:basis kg:background ; kg:speaker :kg-authors . GRAPH ?claim { ?s ?p ?o } } }"""
    assert rows(store, own) == []
    assert len(rows(store, "SELECT ?s WHERE { GRAPH <graph/background> { ?s ?p ?o } }")) > 50


def test_what_changed_hands_at_k_1_is_the_coalitions_area(store: Store) -> None:
    """The note says "an area of K-1": the whole base is not given away, and the compound is not taken to be it."""
    area = {"id/coalition-area-of-k-1"}
    assert one(store, "SELECT ?o WHERE { GRAPH ?g { :transfer-of-k-1 kg:object ?o } }") == area
    assert one(store, "SELECT ?o WHERE { GRAPH ?g { :kirkuk-compound kg:takenToBe ?o } }") == area
    assert one(store, "SELECT ?o WHERE { :coalition-area-of-k-1 schema:containedInPlace ?o }") == {"id/k-1-air-base"}


def test_the_stay_is_foreseen_for_the_time_after_the_hand_over(store: Store) -> None:
    """The two plans stand in the order in which the report puts them."""
    asked = "SELECT ?t WHERE { :stay-in-five-bases kg:foreseenTime/<http://www.w3.org/2006/time#after> ?t }"
    assert one(store, asked) == one(store, "SELECT ?t WHERE { :hand-over-plan kg:foreseenTime ?t }") != set()


def test_the_attacks_that_pompeo_speaks_of_are_directed_at_somebody(store: Store) -> None:
    """Whom to protect is part of the demand, in its graph alone."""
    asked = "SELECT ?g ?o WHERE { GRAPH ?g { :attacks-on-coalition mil:directedAt ?o } }"
    assert rows(store, asked) == [("claim/us-army-iraq-bases/91", "id/coalition-forces")]
    assert rows(store, "SELECT ?o WHERE { :attacks-on-coalition mil:directedAt ?o }") == []
