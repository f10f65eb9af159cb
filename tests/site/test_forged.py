"""Releases that verify and were not made by kg: refused before they are shown, in a line that names the file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.asking import ask
from tests.patience import PATIENCE, until
from tests.site.forged import Change, forge, indexed, reported, written

from kg.config import Config, load
from kg.errors import ReleaseError
from kg.release import Release, activate
from kg.site import create_app
from kg.site.serving.switch import Switch

TABLES = ("entry", "name", "words", "value", "claim", "target", "mention", "trait", "link", "span", "point")
JUNK = b"\xff\x00<<<{"

FORGED: dict[str, tuple[Change, str]] = {
    "an index of nothing": (written("search.sqlite", b""), "search.sqlite"),
    "an index that is a text": (written("search.sqlite", b"x" * 9_000), "search.sqlite"),
    "no index": (written("search.sqlite", None), "search.sqlite"),
    **{f"an index without {table}": (indexed(f"DROP TABLE {table}"), "search.sqlite") for table in TABLES},
    "an index without a column": (indexed("ALTER TABLE span DROP COLUMN how"), "search.sqlite"),
    "an index without entries": (indexed("DELETE FROM entry"), "search.sqlite"),
    "an index that never ends": (
        indexed(
            "DROP TABLE point",
            "CREATE VIEW point AS WITH RECURSIVE n(thing) AS (SELECT 1 UNION ALL SELECT thing + 1 FROM n) "
            "SELECT thing, 0 lat, 0 lon, '' node FROM n",
        ),
        "search.sqlite",
    ),
    "a report that is a list": (written("report.json", b"[]"), "report.json"),
    **{
        f"{name} {value} in the report": (reported(name, *value), "report.json")
        for name in ("counts", "documents", "findings")
        for value in ((), (None,), ([1],), ({"a": {"b": 1}},))
    },
    "classes that are a number": (reported("classes", 7), "report.json"),
    "shares that are a list": (reported("coverage", []), "report.json"),
    "an ontology that is none": (written("dumps/ontology.ttl", JUNK), "ontology.ttl"),
    "no shapes": (written("dumps/shapes.ttl", None), "shapes.ttl"),
}

MEMBERS: list[dict[str, Any]] = [
    {"base": "javascript:alert(1)"},
    {"base": ""},
    {"base": "http://localhost:8000"},
    {"counts": {}},
    {"prefixes": {"a b": "x"}},
]


@pytest.mark.parametrize("name", FORGED)
def test_a_release_of_something_else_is_not_shown(name: str, release: Release, config: Config, tmp_path: Path) -> None:
    change, file = FORGED[name]
    forged = Release.open(forge(release.path, tmp_path, change))
    with pytest.raises(ReleaseError, match=rf"{file}: (was sealed with what no build of kg writes|cannot be read)"):
        create_app(forged, config)


@pytest.mark.parametrize("members", MEMBERS, ids=str)
def test_a_manifest_of_something_else_is_not_shown(
    members: dict[str, Any], release: Release, config: Config, tmp_path: Path
) -> None:
    forged = Release.open(forge(release.path, tmp_path, lambda _: None, **members))
    with pytest.raises(ReleaseError, match=r"manifest\.json: was sealed with what no build of kg writes"):
        create_app(forged, config)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (written("documents/gazette.txt", JUNK), "/document/gazette"),
        (written("queries/cranes.rq", JUNK), "/questions"),
        (written("metadata/void.ttl", JUNK), "/.well-known/void"),
        (indexed("DELETE FROM value"), "/claim/gazette/1"),
        (indexed("UPDATE entry SET label = CAST(x'ff' AS TEXT)"), "/search?q=pier"),
    ],
    ids=["text", "question", "statistics", "values", "labels"],
)
def test_what_is_found_out_later_is_a_problem_with_a_line_in_the_log(  # noqa: PLR0917 - fixtures
    change: Change, path: str, release: Release, config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Release.open(forge(release.path, tmp_path, change)), config)
    answer = app.test_client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text
    (record,) = caplog.records
    assert record.exc_info is None
    assert "ReleaseError: " in record.getMessage()


def test_kg_serve_refuses_a_forged_release_in_a_line_and_does_not_switch_to_one(
    built: Path, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    releases = load(built).releases
    good = (releases / "current").resolve()
    forged = forge(good, releases, indexed("DROP TABLE claim"))
    another = forge(good, releases, lambda _: None, title="Another")
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0", "--workers", "1", "--release", forged.name]
    done = subprocess.run(command, cwd=built, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("search.sqlite: was sealed with what no build of kg writes: claim has no ") == 1
    with serve(built) as address:
        activate(releases, forged.name)
        assert ask(address, "/page/kg")[0] == 200
        activate(releases, another.name)
        until(lambda: b"Another" in ask(address, "/")[2])


def test_whatever_a_release_fails_with_the_next_one_is_switched_to(release: Release, config: Config) -> None:
    current = ["first"]

    def make(version: str) -> Any:
        if version == "odd":
            raise ValueError("nobody thought of that")
        return create_app(release, config)

    switch = Switch(make, lambda: current[0], "first")
    try:
        current[0] = "odd"
        until(lambda: switch._refused == "odd")
        assert switch.current.version == "first"
        current[0] = "second"
        until(lambda: switch.current.version == "second")
    finally:
        switch.close()
