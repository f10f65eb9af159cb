"""What pages read from the index is what the store says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from tests.site.older import older

from kg.errors import ReleaseError
from kg.site.lookups.database import BATCH, Database, batches

BEFORE = "ALTER TABLE claim DROP COLUMN reviewed; ALTER TABLE entry DROP COLUMN sole; DROP TABLE target;"
"""As the index was before it had passages, and labels that stand alone."""


def test_claims_and_labels_are_the_same_from_the_index_and_from_the_store(voyage_app: Flask, tmp_path: Path) -> None:
    site = voyage_app.extensions["kg"]
    without = older(site, tmp_path / "release", BEFORE).extensions["kg"]
    claims = [iri for (iri,) in site.index.rows("SELECT iri FROM entry WHERE kind = 'claim'")]
    read = site.evidence.claims(claims)
    assert read == without.evidence.claims(claims)
    assert {source.reviewed for source in read} == {True, False}
    assert all(source.spans[0].sha256 for source in read)
    entries = [iri for (iri,) in site.index.rows("SELECT iri FROM entry")]
    assert len(entries) > BATCH
    site.labels.expect(entries)
    assert [site.labels[iri] for iri in entries] == [without.labels[iri] for iri in entries]


def test_a_release_from_before_the_index_had_passages_has_the_same_pages(voyage_app: Flask, tmp_path: Path) -> None:
    before, now = (
        older(voyage_app.extensions["kg"], tmp_path / "release", BEFORE).test_client(),
        voyage_app.test_client(),
    )
    things = voyage_app.extensions["kg"].index.rows("SELECT iri FROM entry WHERE kind = 'thing' LIMIT 5")
    assert things
    for (iri,) in things:
        path = "/page/" + iri.rpartition("/id/")[2]
        page = now.get(path)
        assert page.status_code == 200
        assert before.get(path).text == page.text


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, None], ids=["cut", "overwritten", "removed"])
def test_an_index_that_is_damaged_while_it_is_served_is_named_and_read_again(
    damage: bytes | None, voyage_app: Flask, tmp_path: Path
) -> None:
    whole = (voyage_app.extensions["kg"].release.path / "search.sqlite").read_bytes()
    path = tmp_path / "search.sqlite"
    if damage is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(damage or whole[: len(whole) // 4096 // 2 * 4096])
    database = Database(path)
    for _ in range(2):
        with pytest.raises(ReleaseError, match=r"search\.sqlite: was damaged while it was served: "):
            database.rows("SELECT iri, label FROM entry ORDER BY label")
    path.write_bytes(whole)
    assert database.rows("SELECT iri FROM entry")


# Has a page read, the index emptied as cp and shells do it, and the page read again in the same process.
EMPTIED = """
import os, sys
from pathlib import Path
from kg.errors import ReleaseError
from kg.site.lookups.database import Database

path = Path(sys.argv[1])
whole, database, query = path.read_bytes(), Database(path), "SELECT iri, label FROM entry ORDER BY label"
before = database.rows(query)
os.truncate(path, 0)
try:
    database.rows(query)
except ReleaseError as e:
    print(e)
with path.open("r+b") as file:
    file.write(whole)
print(database.rows(query) == before)
"""


def test_a_process_survives_that_its_index_is_emptied(voyage_app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    shutil.copyfile(voyage_app.extensions["kg"].release.path / "search.sqlite", path)
    done = subprocess.run([sys.executable, "-c", EMPTIED, str(path)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: was damaged while it was served: it was cut\nTrue\n"


def test_iris_are_asked_for_so_many_at_a_time() -> None:
    found = list(batches(str(n) for n in range(BATCH + 1)))
    assert [len(some) for some in found] == [BATCH, BATCH]
    assert found[1] == [str(BATCH), *[""] * (BATCH - 1)]
    assert not list(batches(()))
