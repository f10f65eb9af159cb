"""Downloads: the files of the release, and nothing else of the machine."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from base64 import b64encode
from pathlib import Path
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kg.config import Config
from kg.release import Release
from kg.site import create_app


def test_the_list_names_every_file_with_size_count_and_hash(client: FlaskClient, release: Release) -> None:
    text = client.get("/dumps/").text
    assert release.dumps()
    for entry in release.dumps():
        assert f'href="../dumps/{entry.path.removeprefix("dumps/")}"' in text
        assert entry.sha256 in text
        assert entry.count is None or f"{entry.count:,}" in text


def test_every_file_is_whole_and_has_its_hash_as_etag(client: FlaskClient, release: Release) -> None:
    for entry in release.dumps():
        response = client.get("/" + entry.path)
        digest = hashlib.sha256(response.data)
        assert response.status_code == 200
        assert digest.hexdigest() == entry.sha256
        assert response.headers["ETag"] == f'"{entry.sha256}"'
        assert response.headers["Repr-Digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"


def test_every_file_has_its_type_with_each_parameter_once(client: FlaskClient, release: Release) -> None:
    types = {entry.path.removeprefix("dumps/"): client.get("/" + entry.path).content_type for entry in release.dumps()}
    assert types["facts.ttl"] == "text/turtle; charset=utf-8"
    assert types["claims.csv"] == "text/csv; charset=utf-8; header=present"
    assert types["facts.nt"] == "application/n-triples"
    assert [name for name, type_ in types.items() if type_.count("charset") > 1] == []
    part = client.get("/dumps/facts.ttl", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content_type) == (206, types["facts.ttl"])


def test_a_range_gives_that_part(client: FlaskClient) -> None:
    whole = client.get("/dumps/facts.nt")
    part = client.get("/dumps/facts.nt", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    stale = client.get("/dumps/facts.nt", headers={"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (stale.status_code, stale.data) == (200, whole.data)
    assert client.get("/dumps/facts.nt", headers={"Range": "bytes=999999999-"}).status_code == 416
    assert client.get("/dumps/facts.nt", headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_only_files_of_the_release_are_there(client: FlaskClient) -> None:
    for path in (
        "/dumps/../manifest.json",
        "/dumps/%2e%2e/manifest.json",
        "/dumps/..%2fstore/CURRENT",
        "/dumps//etc/passwd",
        "/dumps/nothing.ttl",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/nothing.css",
    ):
        assert client.get(path).status_code == 404, path


def test_a_file_of_the_bundle_never_changes_at_its_address(client: FlaskClient) -> None:
    text = client.get("/").text
    address = text.partition('rel="stylesheet" href="')[2].partition('"')[0].removeprefix(".")
    assert client.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in client.get("/static/site.css").headers.get("Cache-Control", "")


def test_scripts_and_styles_come_packed_where_the_client_unpacks(client: FlaskClient) -> None:
    plain = client.get("/static/query.js")
    found = {}
    for accepted in ("gzip", "br, gzip", "br;q=0, gzip", "identity"):
        response = client.get("/static/query.js", headers={"Accept-Encoding": accepted})
        assert response.content_type == plain.content_type
        assert "Accept-Encoding" in response.vary
        found[accepted] = response.headers.get("Content-Encoding"), response.headers["ETag"], len(response.data)
        if found[accepted][0] == "gzip":
            assert gzip.decompress(response.data) == plain.data
    assert [encoding for encoding, _, _ in found.values()] == ["gzip", "br", "gzip", None]
    assert len({etag for _, etag, _ in found.values()}) == 3
    assert found["br, gzip"][2] < found["gzip"][2] < len(plain.data) / 2
    assert client.get("/static/query.js.br").status_code == 404


def test_health_names_the_release(client: FlaskClient, release: Release) -> None:
    assert client.get("/health").json == {"status": "ok", "live": True, "ready": True, "release": release.version}


def test_the_report_for_programs_is_that_of_the_release(client: FlaskClient, release: Release) -> None:
    response = client.get("/report.json")
    assert response.data == (release.path / "report.json").read_bytes()
    assert response.headers["ETag"] == f'"{release.files["report.json"].sha256}"'
    assert response.json is not None
    assert len(response.json["passages"]) == release.manifest.counts["passages"]
    assert {k: v for k, v in response.json.items() if k != "passages"} == release.report
    by_accept = client.get("/report", headers={"Accept": "application/json"})
    assert (by_accept.data, by_accept.content_type) == (response.data, "application/json")
    assert "Accept" in by_accept.headers["Vary"]
    assert client.get("/report", headers={"Accept": "text/html, application/json;q=0.5"}).mimetype == "text/html"


def test_a_site_that_cannot_read_its_release_says_that_it_is_not_ready(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> NoReturn:
        raise OSError("Input/output error")

    monkeypatch.setattr(type(app.extensions["kg"].local), "quads", unreadable)
    response = client.get("/health")
    assert response.status_code == 503
    assert response.get_json() | {"status": "", "release": ""} == {
        "status": "",
        "live": True,
        "ready": False,
        "release": "",
    }


def test_a_file_that_was_cut_or_changed_while_it_is_served_never_looks_whole(
    release: Release, config: Config, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(release.path, tmp_path / "releases" / release.version))
    opened = Release.open(copy)
    app = create_app(opened, config)
    file = copy / "dumps/facts.nt"
    whole = file.read_bytes()
    for damage in (whole[:-100], b"", whole + b"x", whole[:-9] + b"x" + whole[-8:], None):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage)
        for headers in ({}, {"Range": "bytes=0-9"}):
            answer = app.test_client().get("/dumps/facts.nt", headers=headers, buffered=True)
            assert answer.status_code == 500, damage
            assert whole[:20] not in answer.data
    file.write_bytes(whole)
    assert app.test_client().get("/dumps/facts.nt", buffered=True).data == whole, "it was put back"
    app.extensions["kg"].close()


def test_a_text_that_was_changed_while_it_is_served_is_not_shown(
    release: Release, config: Config, tmp_path: Path
) -> None:
    """Passages are spans of it: of another text, they would be other words."""
    copy = Path(shutil.copytree(release.path, tmp_path / "releases" / release.version))
    app = create_app(Release.open(copy), config)
    file = copy / "documents/gazette.txt"
    whole = file.read_bytes()
    assert b"pier" in whole
    file.write_bytes(whole.replace(b"pier", b"bank"))
    for path in ("/document/gazette", "/claim/gazette/1"):
        answer = app.test_client().get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, b"bank" in answer.data) == (500, False), path
    file.write_bytes(whole)
    assert b"pier" in app.test_client().get("/document/gazette", headers={"Accept": "text/html"}).data
    app.extensions["kg"].close()
