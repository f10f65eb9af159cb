"""``kg check --engine``: the same lines whichever engine is chosen, with the file and line of each violation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import Kg


@pytest.fixture
def broken(kg: Kg, tmp_path: Path) -> Path:
    """A new project in which a day is no day and a plan is nobody's."""
    project = tmp_path / "project"
    kg("init", project, cwd=tmp_path)
    [claims] = (project / "data/claims").glob("*.trig")
    text = claims.read_text("utf-8").replace(" ; kg:plannedBy :kg-authors", "")
    day = 'kg:basis kg:stated ; <http://purl.org/dc/terms/created> "today"'
    claims.write_text(text.replace("kg:basis kg:stated", day), "utf-8")
    return project


def test_both_engines_print_the_same_findings(kg: Kg, broken: Path) -> None:
    reports = [kg("check", "--format", "json", "--engine", engine, cwd=broken) for engine in ("compiled", "pyshacl")]
    assert reports[0].stdout == reports[1].stdout
    assert {report.returncode for report in reports} == {1}
    findings = [f for f in json.loads(reports[0].stdout)["findings"] if f["rule"] == "shacl"]
    assert findings
    assert all(f["file"].startswith("data/claims/") and f["line"] for f in findings)


def test_an_unknown_engine_is_refused(kg: Kg, broken: Path) -> None:
    answer = kg("check", "--engine", "other", cwd=broken)
    assert answer.returncode == 2
    assert "compiled" in answer.stderr
