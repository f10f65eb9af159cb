"""Links inside the site are relative and lead somewhere, at whatever address the site is served."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from kg.config import Config
from kg.release import Release
from kg.site import create_app

Read = Callable[[str], Any]
ASKS = ("query", "sparql")
"""Addresses that run queries; their own tests follow them."""


class Crawl:
    """Follows every link from ``start``: ``status`` and ``pages`` by address, ``linked`` with fragments."""

    def __init__(self, client: Client, start: str, read: Read) -> None:
        self.status: dict[str, int] = {}
        self.pages: dict[str, Any] = {}
        self.linked: set[str] = set()
        self.absolute: list[tuple[str, str]] = []
        waiting = [start]
        while waiting:
            address = waiting.pop()
            if address in self.status:
                continue
            split = urlsplit(address)
            response = client.get(
                split.path,
                query_string=split.query,
                base_url=f"{split.scheme}://{split.netloc}/",
                headers={"Accept": "text/html, */*;q=0.1"},
                buffered=True,
            )
            self.status[address] = response.status_code
            if response.status_code == 200 and response.content_type.startswith("text/html"):
                self.pages[address] = read(response.text)
                waiting += self._targets(address)

    def _targets(self, address: str) -> list[str]:
        found = []
        for element in self.pages[address].all():
            for name in ("href", "src", "action"):
                target = element.attributes.get(name)
                if target is None or urlsplit(target).scheme:
                    continue
                if target.startswith("/"):
                    self.absolute.append((address, target))
                full = urljoin(address, target)
                self.linked.add(full)
                # Earlier releases are served around the application: tests/site/test_releases.py follows them.
                served = not re.match(r"/(?:some/where/)?releases/\d", urlsplit(full).path)
                # Every page is there in other languages too: tests/site/test_languages.py follows some of them.
                served = served and "hreflang" not in element.attributes
                # Facets combine without end; tests/site/test_browse.py follows them, and robots need not.
                followed = served and "nofollow" not in element.attributes.get("rel", "").split()
                if followed and urlsplit(full).path.rpartition("/")[2] not in ASKS:
                    found.append(full.partition("#")[0])
        return found


@pytest.fixture(scope="module")
def crawl(app: Flask, read_html: Read) -> Crawl:
    return Crawl(Client(app), "http://facts.example.org/", read_html)


def test_every_link_leads_somewhere(crawl: Crawl) -> None:
    assert {address: status for address, status in crawl.status.items() if status not in (200, 303)} == {}
    assert len(crawl.pages) > 60


def test_every_link_inside_is_relative(crawl: Crawl) -> None:
    assert crawl.absolute == []


def test_every_fragment_is_on_the_page_it_leads_to(crawl: Crawl) -> None:
    missing = []
    for full in crawl.linked:
        address, _, fragment = full.partition("#")
        if fragment and address in crawl.pages:
            ids = {e.attributes.get("id") for e in crawl.pages[address].all()}
            if unquote(fragment) not in ids and not address.rpartition("/")[0].endswith("/gazette"):
                missing.append(full)
    assert missing == []


def test_the_site_works_below_any_path_of_any_host(app: Flask, crawl: Crawl, read_html: Read) -> None:
    mounted = DispatcherMiddleware(NotFound(), {"/some/where": app})
    start = "https://other.example:8443/some/where/"
    below = Crawl(Client(mounted), start, read_html)
    assert below.absolute == []
    assert {urljoin(start, "./" + a.removeprefix("http://facts.example.org/")): s for a, s in crawl.status.items()} == (
        below.status
    )


def test_addresses_in_data_keep_the_base(app: Flask) -> None:
    text = Client(app).get("/data/north-pier.nt", base_url="https://other.example/").text
    assert "<http://localhost:8000/id/north-pier>" in text
    assert "other.example" not in text


def test_links_are_the_same_whichever_page_was_the_first_at_its_depth(
    release: Release, config: Config, client: FlaskClient
) -> None:
    """A list of files asks for no links to things; a page that does comes after it, or before."""
    fresh = create_app(release, config).test_client()
    assert fresh.get("/dumps/", headers={"Accept": "text/html"}).status_code == 200
    page = fresh.get("/page/hostile", headers={"Accept": "text/html"}).text
    assert "../page/it&#39;s(1)!" in page
    assert "&amp;#39;" not in page
    assert page == client.get("/page/hostile", headers={"Accept": "text/html"}).text
