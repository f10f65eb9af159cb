"""Checks with the whole graph at hand have time for all of it: a large corpus is not refused for its size."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kg import vocab
from kg.build.lines import SortedFile, write_sorted
from kg.build.passes import validate_rest
from kg.build.passes.validate_rest import Rest
from kg.build.writing.content import Dataset


@pytest.mark.parametrize("triples", [0, 1_000, 20_000])
def test_the_time_for_what_takes_the_whole_graph_grows_with_it(
    triples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate_rest, "MANY", 1_000)
    monkeypatch.setattr(validate_rest, "Clock", lambda seconds, units: (seconds, units))
    iri = "http://localhost:8000/id/a-thing-with-a-name"
    lines = (f"<{iri}-{n:06}> <{vocab.RDFS_LABEL}> <{iri}> .\n".encode() for n in range(triples))
    facts = write_sorted(tmp_path / "facts", lines)
    given: Any = SimpleNamespace(seconds=3)
    anything: Any = None
    made = Rest(
        tables=anything,
        dataset=Dataset(facts, SortedFile(tmp_path / "none"), SortedFile(tmp_path / "none")),
        documents=(),
        names=vocab.Names("http://localhost:8000/"),
        shapes=given,
        superclasses={},
        disputed={},
        store=anything,
        places=anything,
        own=False,
    )
    clock: Any = made.clock
    assert clock[0] == 3
    assert triples / 1_000 * 0.8 <= clock[1] <= triples / 1_000 * 1.5
