"""A newcomer follows `kg init` to the end: build, serve, browse, ask, download, and then their own claim."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path

from tests.patience import PATIENCE


def get(url: str, accept: str = "text/html") -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=PATIENCE) as answer:
        body: bytes = answer.read()
        return body.decode("utf-8")


def test_from_init_to_a_served_claim_of_their_own(tmp_path: Path, kg, serve) -> None:
    said = kg("init", "facts", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    # What it prints next is what one types next.
    assert [line.strip() for line in said.stdout.splitlines()[1:]] == ["cd facts", "kg build", "kg serve"]
    project = tmp_path / "facts"
    assert not any(path.is_symlink() for path in project.rglob("*")), "a project of its own, without links to ours"
    assert kg("build", cwd=project).returncode == 0

    with serve(project) as address:
        home = get(address)
        assert "My knowledge graph" in home
        page = get(address + "id/kg")
        assert "Python" in page
        assert "passage verified" in get(address + "claim/about-kg/1").lower()
        assert "Beruf" in get(address + "term/schema:jobTitle?lang=de"), "terms of others have names in a new project"
        answer = get(
            address + "sparql?query=" + urllib.parse.quote("SELECT * { ?s a <ontology#Plan> }"),
            "application/sparql-results+json",
        )
        assert len(json.loads(answer)["results"]["bindings"]) == 1
        assert "programmingLanguage" in get(address + "dumps/facts.ttl", "*/*")

    (project / "data/documents/rain.txt").write_text("It rained in Ghent on Monday.\n", encoding="utf-8")
    described = kg("cite", "rain", cwd=project).stdout
    (project / "data/documents/rain.ttl").write_text(described, encoding="utf-8")
    (project / "data/claims/rain.trig").write_text(
        """@prefix : <id/> . @prefix claim: <claim/rain/> . @prefix doc: <document/> . @prefix kg: <ontology#> .
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
claim:1 { :rain-in-ghent a kg:Event ; kg:place :ghent . }
claim:1 a kg:Claim ; rdfs:label "There was rain in Ghent."@en ;
    kg:speaker :rain-author ; kg:modality kg:asserted ; kg:basis kg:stated ;
    prov:hadPrimarySource doc:rain ; kg:quote "It rained in Ghent" .
""",
        encoding="utf-8",
    )
    failed = kg("build", cwd=project)
    assert failed.returncode == 1
    missing = set(re.findall(r"error: (id/[\w-]+),? .*has no label", failed.stdout))
    assert missing == {"id/ghent", "id/rain-in-ghent", "id/rain-author"}
    (project / "data/entities/rain.ttl").write_text(
        """@prefix : <id/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:rain-in-ghent rdfs:label "the rain in Ghent"@en . :ghent rdfs:label "Ghent"@en, "Gent"@nl .
:rain-author rdfs:label "whoever wrote about the rain"@en .
""",
        encoding="utf-8",
    )
    built = kg("build", cwd=project)
    assert built.returncode == 0, built.stdout
    with serve(project) as address:
        page = get(address + "id/rain-in-ghent")
        assert "It rained in Ghent" in page
        assert "whoever wrote about the rain" in page
