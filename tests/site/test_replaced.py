"""A document that a later version replaces says so, on its page and beside all that rests on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kg import build
from kg.config import load
from kg.site import create_app


@pytest.fixture(params=["dcterms:replaces", "dcterms:isReplacedBy"])
def client(request: pytest.FixtureRequest, tmp_path: Path, copy_fair: Callable[[Path], Path]) -> FlaskClient:
    """The site of the fair, where the observer is a later version of the courier, as one of the two says."""
    project = copy_fair(tmp_path / "project")
    ends = ("observer", "courier") if request.param == "dcterms:replaces" else ("courier", "observer")
    with (project / f"data/documents/{ends[0]}.ttl").open("a", encoding="utf-8") as file:
        file.write(
            "\n@prefix dcterms: <http://purl.org/dc/terms/> .\n"
            f"<document/{ends[0]}> {request.param} <document/{ends[1]}> .\n"
        )
    config = load(project)
    release, findings = build.build(config)
    assert release is not None, [str(f) for f in findings]
    return create_app(release, config).test_client()


def test_what_a_later_version_replaces_says_so_wherever_it_is_named(
    client: FlaskClient, read_html: Callable[[str], Any]
) -> None:
    def read(path: str) -> Any:
        return read_html(client.get(path, headers={"Accept": "text/html"}).text)

    (told,) = read("/document/courier").all("p", class_="replaced")
    assert [a.attributes["href"] for a in told.all("a")] == ["../document/observer"]
    assert read("/document/observer").all("p", class_="replaced") == []
    (told,) = read("/claim/courier/1").all("dd", class_="replaced")
    assert [a.attributes["href"] for a in told.all("a")] == ["../../document/observer"]
    lines = {" ".join(line.text.split()) for line in read("/page/ostby-fair").all("span", class_="doc")}
    assert {"courier (replaced),", "observer,"} <= lines
    assert "observer (replaced)," not in lines
