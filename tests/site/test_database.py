"""What pages read from the index is what the store says."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from tests.site.older import older

from kg.site.lookups.database import BATCH, batches

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


def test_iris_are_asked_for_so_many_at_a_time() -> None:
    found = list(batches(str(n) for n in range(BATCH + 1)))
    assert [len(some) for some in found] == [BATCH, BATCH]
    assert found[1] == [str(BATCH), *[""] * (BATCH - 1)]
    assert not list(batches(()))
