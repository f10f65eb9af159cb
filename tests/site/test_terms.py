"""Every term has a page, in its context; shapes are put into words; the document of all terms has a place for each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup
from playwright.sync_api import Browser
from pyoxigraph import DefaultGraph, NamedNode, Quad, QuerySolutions, RdfFormat, Store, parse

from kg import build, vocab
from kg.config import load
from kg.media import RDF
from kg.release import Release
from kg.site import create_app
from kg.site.components import constraints, uses
from kg.site.pages import term

Read = Callable[[str], Any]
BASE = "http://localhost:8000/"
KG = BASE + "ontology#"
A = NamedNode(vocab.RDF_TYPE)


@pytest.fixture(scope="module")
def site_app(dataset: Path) -> Flask:
    return create_app(Release.open(dataset / "releases/current"), load(dataset))


@pytest.fixture(scope="module")
def get(site_app: Flask, read_html: Read) -> Callable[[str], Any]:
    """Reads a page of the dataset's site."""
    client = site_app.test_client(use_cookies=False)

    def read(path: str) -> Any:
        response = client.get(path, headers={"Accept": "text/html"})
        assert response.status_code == 200, (path, response.status_code)
        return read_html(response.text)

    return read


def section(page: Any, heading: str) -> Any:
    """The section of a page by its heading's id."""
    return page.all("section", **{"aria-labelledby": heading})[0]


BLOCKS = ("div", "dl", "dt", "dd", "section", "article", "h2", "h3", "ul", "li", "p")


def words(element: Any) -> str:
    pieces = (piece if isinstance(piece, str) else f" {words(piece)} " if piece.name in BLOCKS else piece.text
              for piece in element.children)  # fmt: skip
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def test_every_term_that_is_described_or_used_has_a_page(site_app: Flask, everything: Store) -> None:
    """Classes and properties of any vocabulary, in every graph; and whatever stands above or below one of them."""
    site = site_app.extensions["kg"]
    kinds = (q.object for q in everything.quads_for_pattern(None, A, None))
    used = {q.predicate.value for q in everything} | {kind.value for kind in kinds if isinstance(kind, NamedNode)}
    described = {iri for iri in (*site.schema.terms, *site.schema.children) if site.schema.is_term(iri)}
    linker, client = site.linker("/"), site_app.test_client(use_cookies=False)
    iris = {iri for iri in used | described if not iri.startswith(site.names.genid)}
    status = {iri: client.get(linker.term_href(iri), headers={"Accept": "text/html"}).status_code for iri in iris}
    assert len(status) > 150
    assert {iri: code for iri, code in status.items() if code != 200} == {}


def test_every_link_to_a_term_leads_to_its_page(get: Callable[[str], Any], site_app: Flask) -> None:
    """From wherever it is shown: nothing links past it into the document, or out of the site."""
    site = site_app.extensions["kg"]
    paths = ("/", "/page/al-qaim-base", "/claim/us-army-iraq-bases/4", "/ontology", "/ontology/military", "/shapes",
             "/term/kg:Event", "/class/kg:Event", "/.well-known/void", "/browse",
             "/search?q=claim&kind=term")  # fmt: skip
    past = []
    for path in paths:
        for a in get(path).all("main")[0].all("a"):
            href = a.attributes["href"]
            target = urljoin(BASE + path[1:], href)
            own = path.startswith("/ontology") and href.startswith("#")
            if site.schema.is_term(unquote(target)) and not own and words(a) != "Where it is defined":
                past.append((path, href))
    # The page of a term leads to its place in the document that defines it, once.
    assert {href for _, href in past} == {"../ontology#Event"}


def test_a_class_stands_in_its_tree(get: Callable[[str], Any]) -> None:
    tree = get("/term/kg:Event").all("div", class_="tree")[0]
    (here,) = tree.all("strong", **{"aria-current": "page"})
    assert words(here) == "event"
    names = [words(e) for e in tree.all() if e.name in ("a", "strong")]
    assert names[:2] == ["activity", "event"]
    assert names.index("attack") < names.index("rocket attack")


def test_a_class_gives_the_query_for_what_is_of_a_narrower_one(get: Callable[[str], Any], everything: Store) -> None:
    (link,) = [a for a in section(get("/term/mil:Attack"), "place").all("a") if "query=" in (a.attributes["href"])]
    found = everything.query(unquote(link.attributes["href"].partition("query=")[2]))
    assert isinstance(found, QuerySolutions)
    things = {row["thing"].value.rpartition("/")[2] for row in found}
    assert things >= {"basmaya-attack", "soleimani-strike"}
    assert not [a for a in get("/term/mil:Strike").all("a") if "subClassOf" in a.attributes.get("href", "")]


def test_a_concept_stands_in_its_scheme(get: Callable[[str], Any]) -> None:
    tree = get("/term/kg:planned").all("div", class_="tree")[0]
    names = [words(e) for e in tree.all() if e.name in ("a", "strong")]
    assert names == ["modalities", *sorted(vocab.MODALITIES)]


def test_a_hierarchy_that_runs_in_a_circle_is_drawn(tmp_path: Path, project: Path) -> None:
    from shutil import copytree

    from kg import build

    copytree(project, tmp_path / "p", ignore=lambda *_: ["releases"])
    with (tmp_path / "p/ontology/kg.ttl").open("a", encoding="utf-8") as file:
        file.write("harbour:A rdfs:subClassOf harbour:B , harbour:C . harbour:B rdfs:subClassOf harbour:A .\n")
        file.write("harbour:C a owl:Class . harbour:A a owl:Class . harbour:B a owl:Class .\n")
    made, findings = build.build(load(tmp_path / "p"))
    assert made is not None, [str(f) for f in findings]
    client = create_app(made, load(tmp_path / "p")).test_client(use_cookies=False)
    for name in ("A", "B", "C"):
        assert client.get(f"/term/harbour:{name}", headers={"Accept": "text/html"}).status_code == 200


def test_uses_are_counted_as_they_are_in_the_data(get: Callable[[str], Any], everything: Store) -> None:
    """Of a class, of a property, and of a concept as a value."""
    page = get("/term/mil:RocketAttack")
    attack = NamedNode(BASE + "ontology/military#RocketAttack")
    facts = {q.subject for q in everything.quads_for_pattern(None, A, attack, DefaultGraph())}
    assert f"{len(facts)} times in what is published as fact" in words(section(page, "uses"))
    planned = list(everything.quads_for_pattern(None, NamedNode(KG + "modality"), NamedNode(KG + "planned"), None))
    shown = words(section(get("/term/kg:planned"), "uses"))
    assert f"As a value of modality {len(planned)} times in what is published as fact" in shown


def test_examples_lead_to_things_and_their_claims(get: Callable[[str], Any], everything: Store) -> None:
    for path, predicate in (("/term/mil:killed", "ontology/military#killed"), ("/term/schema:name", "")):
        property_ = NamedNode(BASE + predicate if predicate else vocab.SCHEMA + "name")
        items = section(get(path), "uses").all("li")
        items = [item for item in items if item.all("div", class_="gloss")]
        assert items
        for item in items:
            subject = item.all("a")[0].attributes["href"].replace("../page/", BASE + "id/")
            claims = [a.attributes["href"] for a in item.all("a", class_="mark")]
            quads = list(everything.quads_for_pattern(NamedNode(subject), property_, None))
            assert quads, subject
            graphs = {q.graph_name.value.removeprefix(BASE) for q in quads if isinstance(q.graph_name, NamedNode)}
            assert claims
            assert {href.removeprefix("../") for href in claims} <= graphs


def test_what_others_would_call_it_is_told(get: Callable[[str], Any]) -> None:
    shown = words(section(get("/term/kg:Event"), "details"))
    assert "close match" in shown
    assert "disjoint with prospect, reported situation" in shown
    # Whichever of the two says so.
    assert "event" in words(section(get("/term/kg:Prospect"), "details"))


def test_domain_and_range_are_told_from_both_ends(get: Callable[[str], Any]) -> None:
    assert words(section(get("/term/kg:speaker"), "details")).startswith("In detail Said of claim Its values are Agent")
    assert "speaker" in words(section(get("/term/kg:Claim"), "properties"))
    # Of a class above, too.
    assert "agent" in words(section(get("/term/mil:RocketAttack"), "properties"))


def test_a_term_of_another_vocabulary_has_a_page(get: Callable[[str], Any]) -> None:
    page = get("/term/prov:wasDerivedFrom")
    assert "A term of another vocabulary, used here." in page.text
    (out,) = [a for a in page.all("a", class_="out") if a.attributes["href"].startswith("http://www.w3.org/ns/prov#")]
    assert out.attributes["rel"] == "nofollow noopener external"


def test_a_term_without_a_short_name_has_a_page_and_data(site_app: Flask) -> None:
    iri = "http://www.cidoc-crm.org/cidoc-crm/E5_Event"
    client = site_app.test_client(use_cookies=False)
    page = f"/term/?iri={quote(iri, safe='')}"
    assert client.get(page, headers={"Accept": "text/html"}).status_code == 200
    turtle = client.get(page, headers={"Accept": "text/turtle"})
    assert turtle.content_type.startswith("text/turtle")
    assert NamedNode(iri) in {q.object for q in parse(turtle.data, format=RdfFormat.TURTLE)}
    assert client.get(page + "&format=ttl").data == turtle.data


@pytest.mark.parametrize("media", RDF, ids=lambda m: m.extension)
@pytest.mark.parametrize("name", ["kg:Event", "kg:speaker", "kg:planned", "prov:Entity", "rdf:type", "mil:killed"])
def test_the_rdf_is_at_the_same_address_and_of_the_release(
    name: str, media: Any, site_app: Flask, everything: Store
) -> None:
    client = site_app.test_client(use_cookies=False)
    answer = client.get(f"/term/{name}", headers={"Accept": media.media_type})
    assert answer.content_type.startswith(media.media_type)
    assert {"Accept"} <= set(answer.vary)
    assert client.get(f"/term/{name}.{media.extension}").data == answer.data
    found = set(parse(answer.data, format=media.format))
    iri = NamedNode(site_app.extensions["kg"].labels.expand(name))
    assert iri in {n for q in found for n in (q.subject, q.predicate, q.object)}
    known = set(everything) if media.quads else {Quad(*q.triple) for q in everything}
    assert found <= known


@pytest.mark.parametrize(
    "path",
    ["kg:Nothing", "nope:Event", "kg:", "Event", "kg:Event.zip", "?iri=", "?iri=javascript:alert(1)", "?iri=a%20b",
     "?iri=http://www.w3.org/ns/prov%23Entity&format=exe", "%00", "?iri=%3E%22"],
)  # fmt: skip
def test_what_is_no_term_is_not_found(path: str, client: FlaskClient) -> None:
    assert client.get(f"/term/{path}", headers={"Accept": "text/html"}).status_code == 404


def test_a_hash_iri_leads_to_its_place_and_from_there_to_its_page(get: Callable[[str], Any]) -> None:
    """Of each module in its own document, and of every term in the document of all."""
    for document, anchor, page in (
        ("/ontology", "Event", "./term/kg:Event"),
        ("/ontology", "military#Attack", ""),
        ("/ontology/military", "Attack", "../term/mil:Attack"),
    ):
        found = [e for e in get(document).all("article") if e.attributes.get("id") == anchor]
        if page:
            assert [a.attributes["href"] for a in found[0].all("h3")[0].all("a")] == [page]


# -- shapes in words -------------------------------------------------------------------------------------------------

SHAPES = """
@prefix : <shapes#> . @prefix ex: <http://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Words a sh:NodeShape ; sh:targetClass ex:C ; sh:targetNode ex:n ; sh:name "Wörter"@de , "Words"@en ;
    sh:severity sh:Warning ; sh:message "Say it."@en , "Sag es."@de ;
    sh:property [ sh:path ex:p ; sh:minCount 1 ; sh:maxCount 3 ; sh:datatype xsd:date ; sh:minInclusive 4 ] ,
        [ sh:path [ sh:inversePath ex:q ] ; sh:class ex:D ; sh:uniqueLang true ] ,
        [ sh:path ( ex:a [ sh:zeroOrMorePath ex:b ] ) ; sh:in ( ex:x "y" ) ; sh:pattern "^<b>" ] ,
        [ sh:path [ sh:alternativePath ( ex:e ex:f ) ] ; sh:maxCount 0 ] ,
        [ sh:path ex:k ; sh:qualifiedValueShape [ sh:class ex:D ] ; sh:qualifiedMinCount 2 ; ex:odd "kept" ] ;
    sh:or ( [ sh:nodeKind sh:IRI ] [ sh:not [ sh:hasValue ex:v ] ] ) ; sh:closed true ;
    sh:sparql [ sh:select "SELECT $this WHERE { $this ex:p 1 }" ] .
:Off a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:deactivated true ; sh:class ex:D .
:Round a sh:NodeShape ; sh:targetObjectsOf ex:p ; sh:node :Round .
"""


@pytest.fixture
def worded(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, constraints.Shape]]:
    """Shapes of every sort, in the words of a language."""
    site = client.application.extensions["kg"]
    quads = tuple(parse(SHAPES, format=RdfFormat.TURTLE, base_iri=BASE))

    def put(code: str) -> dict[str, constraints.Shape]:
        voice = site.speaking(code)
        monkeypatch.setattr(voice.schema, "shapes", quads)
        voice.memos.clear()
        found = constraints.shapes(voice, voice.linker("../"))
        voice.memos.clear()
        return {shape.anchor: shape for shape in found}

    return put


def said(rule: constraints.Rule) -> str:
    spaced = Markup(re.sub(r"<(?=li|pre)", " <", str(rule.html)))
    return re.sub(r"\s+", " ", spaced.striptags())


def test_every_constraint_is_put_into_words(worded: Callable[[str], dict[str, constraints.Shape]]) -> None:
    shape = worded("en")["Words"]
    assert (shape.name.striptags(), shape.severity) == ("Words", "Warning")
    assert [message.striptags() for message in shape.messages] == ["Say it."]
    assert [said(rule) for rule in shape.targets] == ["every http://example.org/C", "http://example.org/n alone"]
    found = [said(rule).replace("http://example.org/", "") for rule in shape.rules]
    assert sorted(found) == [
        "a query finds nothing wrong SELECT $this WHERE { $this ex:p 1 }",
        "a → b, followed any number of times: each is one of x, y; each matches ^<b>",
        "at least one of these holds: each has an address of its own (IRI) this must not hold: one of them is v",
        "e or f: none",
        "k: odd kept; at least 2: each is of the class D",
        "no other properties than these",
        "p: from 1 to 3; each is of the datatype date; 4 or more",
        "q in the other direction: each is of the class D; at most one for each language",
    ]


def test_shapes_speak_the_readers_language(worded: Callable[[str], dict[str, constraints.Shape]]) -> None:
    shape = worded("de")["Words"]
    assert (shape.name.striptags(), [m.striptags() for m in shape.messages]) == ("Wörter", ["Sag es."])
    assert "gehört zur Klasse" in " ".join(said(rule) for rule in shape.rules)


def test_a_shape_that_is_off_or_refers_to_itself_says_so(
    worded: Callable[[str], dict[str, constraints.Shape]],
) -> None:
    found = worded("en")
    assert found["Off"].deactivated
    assert len(str(found["Round"].rules[0].html)) < 3_000


def test_a_term_has_the_rules_that_speak_of_it(get: Callable[[str], Any]) -> None:
    shown = words(section(get("/term/kg:speaker"), "shapes"))
    assert "Looks at every claim. speaker: exactly 1; each has an address of its own (IRI)" in shown
    assert "modality: exactly 1" not in shown
    # What is checked of a class above is checked of it.
    assert "Target of an attack" in words(section(get("/term/mil:RocketAttack"), "shapes"))


def test_every_shape_is_on_the_page_of_shapes_in_words_and_as_rdf(get: Callable[[str], Any], dataset: Path) -> None:
    named = {
        q.subject.value.removeprefix(BASE + "shapes#")
        for q in parse(path=str(dataset / "releases/current/dumps/shapes.ttl"), format=RdfFormat.TURTLE)
        if isinstance(q.subject, NamedNode) and q.subject.value.startswith(BASE + "shapes#")
    }
    articles = {a.attributes["id"]: a for a in get("/shapes").all("article")}
    assert set(articles) == named
    assert [name for name, a in articles.items() if not a.all("pre") or len(words(a)) < 60] == []


def test_counts_have_a_bound(site_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "MOST", 3)
    site = site_app.extensions["kg"]
    use = uses.of(site, site.linker(""), KG + "speaker")[0]
    assert (use.cut, use.facts) == (True, 3)
    assert term.is_known(site, KG + "speaker")


@pytest.mark.browser
def test_all_terms_print_on_paper_with_nothing_folded_away(browser: Browser, address: str, tmp_path: Path) -> None:
    tab = browser.new_page()
    tab.goto(address + "ontology")
    tab.emulate_media(media="print")
    assert not tab.get_by_role("navigation", name="Site").is_visible()
    tab.pdf(path=str(tmp_path / "ontology.pdf"))
    assert (tmp_path / "ontology.pdf").stat().st_size > 20_000
    hidden = "() => [...document.querySelectorAll('.contents a')].filter((a) => a.getClientRects().length === 0).length"
    assert tab.evaluate(hidden) == 0
    tab.close()


def deep_app(project: Path, root: Path, levels: int, beside: int) -> Any:
    """The harbour with a class so many levels below another, and a scheme of very many concepts."""
    shutil.copytree(project, root, ignore=shutil.ignore_patterns("releases"))
    lines = [
        "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .",
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .",
        '<ontology/deep> a owl:Ontology ; rdfs:label "Deep"@en .',
        '<ontology/deep#Scheme> a skos:ConceptScheme ; rdfs:label "many"@en .',
    ]
    for n in range(levels):
        above = f" ; rdfs:subClassOf <ontology/deep#L{n - 1}>" if n else ""
        lines.append(f'<ontology/deep#L{n}> a owl:Class ; rdfs:label "level {n}"@en{above} .')
    lines += [
        f'<ontology/deep#c{n}> a skos:Concept ; rdfs:label "concept {n:04}"@en ; skos:inScheme <ontology/deep#Scheme> .'
        for n in range(beside)
    ]
    (root / "ontology/deep.ttl").write_text("\n".join(lines), encoding="utf-8")
    made, findings = build.build(load(root))
    assert made is not None, [str(finding) for finding in findings]
    return create_app(made, load(root))


@pytest.fixture(scope="module")
def deep(project: Path, tmp_path_factory: pytest.TempPathFactory, read_html: Read) -> Callable[[str], Any]:
    client = deep_app(project, tmp_path_factory.mktemp("deep") / "project", 40, 300).test_client(use_cookies=False)
    return lambda path: read_html(client.get(path, headers={"Accept": "text/html"}).text).all("div", class_="tree")[0]


def test_a_term_stands_in_its_tree_however_deep(deep: Callable[[str], Any]) -> None:
    tree = deep(f"/term/?iri={quote(BASE + 'ontology/deep#L30', safe='')}")
    assert [item.text for item in tree.all("strong")] == ["level 30"]
    links = [link.text for link in tree.all("a")]
    assert links == ["level 0", *(f"level {n}" for n in (26, 27, 28, 29, 31, 32, 33, 34, 35, 36))]
    assert "25 levels between" in tree.text
    assert "and 1 more" in tree.text


def test_a_concept_is_shown_in_its_scheme_however_many_stand_beside_it(deep: Callable[[str], Any]) -> None:
    tree = deep(f"/term/?iri={quote(BASE + 'ontology/deep#c290', safe='')}")
    assert [item.text for item in tree.all("strong")] == ["concept 0290"]
