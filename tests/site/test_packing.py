"""Pages and data come as gzip to clients that take it, and their ETags tell the two apart."""

from __future__ import annotations

import gzip
import urllib.request

import pytest
from flask.testing import FlaskClient

PATHS = (
    "/page/north-pier",
    "/data/north-pier.ttl",
    "/browse.json",
    "/search/suggest?q=no",
    "/sitemap.xml",
    "/map/land.svg",
)
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("path", PATHS)
def test_the_packed_answer_is_the_plain_one(path: str, voyage_client: FlaskClient) -> None:
    plain, packed = voyage_client.get(path), voyage_client.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.vary
        assert not answer.headers["ETag"].startswith("W/")
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_each_has_its_own_304(client: FlaskClient) -> None:
    packed = client.get("/page/north-pier", headers=GZIP).headers["ETag"]
    again = client.get("/page/north-pier", headers={**GZIP, "If-None-Match": packed})
    assert again.status_code == 304
    assert "Accept-Encoding" in again.vary
    assert client.get("/page/north-pier", headers={"If-None-Match": packed}).status_code == 200


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity", "*;q=0"])
def test_nobody_gets_gzip_who_does_not_take_it(accepted: str, client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/page/north-pier", headers={"Accept-Encoding": accepted}).headers


def test_the_page_of_the_editor_is_packed_though_nobody_keeps_it(client: FlaskClient) -> None:
    answer = client.get("/query", headers=GZIP)
    assert b'name="query"' in gzip.decompress(answer.data)
    assert "Accept-Encoding" in answer.vary


def test_the_server_remembers_both(address: str) -> None:
    sizes: dict[str, set[int]] = {}
    for accepted in ("gzip", "identity", "gzip", "identity"):
        asked = urllib.request.Request(
            address + "ontology", headers={"Accept-Encoding": accepted, "Accept": "text/html"}
        )
        with urllib.request.urlopen(asked) as answer:
            body = answer.read()
            assert answer.headers["Content-Encoding"] == ("gzip" if accepted == "gzip" else None)
        sizes.setdefault(accepted, set()).add(len(body))
    assert sizes["gzip"] != sizes["identity"]
    ((small,), (large,)) = sizes["gzip"], sizes["identity"]
    assert small * 4 < large
