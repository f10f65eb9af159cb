"""A store is filled a batch of lines after the other, whatever the batches' size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse

from kg.store import embedded


@pytest.mark.parametrize("batch", [1, 100, 1 << 20])
def test_a_store_has_every_line_of_its_files(batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_BATCH", batch)
    triples = "".join(f'<http://e.org/{n}> <http://e.org/p> "é{n}" .\n' for n in range(50)).encode()
    quads = "".join(f'<http://e.org/{n}> <http://e.org/p> "{n}" <http://e.org/g> .\n' for n in range(7)).encode()
    for name, lines in (("facts", triples), ("graphs", quads), ("nothing", b"")):
        (tmp_path / name).write_bytes(lines)
    store = embedded.load(tmp_path / "store", [tmp_path / name for name in ("facts", "nothing", "graphs")])
    expected: Any = parse(triples + quads, format=RdfFormat.N_QUADS)
    assert set(store) == set(expected)
