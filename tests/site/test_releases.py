"""Earlier releases stay readable below their own addresses, and say what became of each thing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from email.message import Message
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from pyoxigraph import RdfFormat, parse
from tests.asking import ask
from tests.conftest import Kept
from werkzeug.http import http_date, parse_date

from kg import build, diff
from kg.config import load
from kg.history import History

ROOT = Path(__file__).resolve().parents[2]
BASE = "http://localhost:8000/"
CLAIMS = "data/claims/about-kg.trig"


@pytest.fixture(scope="module")
def address(kept: Kept, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve(kept.root) as started:
        yield started


def get(url: str, **headers: str) -> tuple[int, Message, str]:
    """Status, headers and text, redirects not followed."""
    status, got, body = ask(url, **headers)
    return status, got, body.decode()


def test_an_earlier_release_is_a_whole_site_below_its_address(kept: Kept, address: str) -> None:
    for release in kept.releases:
        root = f"{address}releases/{release.version}/"
        assert "kg" in get(root, Accept="text/html")[2]
        status, headers, page = get(root + "claim/about-kg/1", Accept="text/html")
        assert status == 200
        assert headers["Kg-Release"] == release.version
        assert ("program called kg" in page) == (release is not kept.releases[0])
        # Whoever looks at it later may find another one current: what it says of itself is true of both.
        assert f"This is the release <code>{release.version}</code>, as it was sealed on" in page
        assert 'href="../../../../claim/about-kg/1">This page as it is now</a>' in page
        status, headers, _ = get(root + "id/kg", Accept="text/turtle")
        assert status == 303
        status, headers, _ = get(urljoin(root + "id/kg", headers["Location"]), Accept="text/turtle")
        assert status == 200
        assert headers["Location"] is None
        answer = get(root + "sparql?query=ASK%7B%3Cclaim/about-kg/2%3E%20%3Fp%20%3Fo%7D", Accept="text/csv, */*")[2]
        assert ("true" in answer) == (release is not kept.releases[2])
        dump = get(root + "dumps/facts.nt")[2]
        assert len(list(parse(dump.encode(), format=RdfFormat.N_TRIPLES))) == release.manifest.counts["default_graph"]


def test_every_link_of_an_earlier_page_stays_in_its_release_or_leads_somewhere(kept: Kept, address: str) -> None:
    root = f"{address}releases/{kept.releases[0].version}/"
    page = get(root + "page/kg", Accept="text/html")[2]
    links = {urljoin(root + "page/kg", link) for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', page)}
    ours = {link.partition("#")[0] for link in links if link.startswith(address)}
    assert len(ours) > 10
    for link in ours:
        status = get(link, Accept="text/html, */*;q=0.5")[0]
        assert status in (200, 303, 307), link


def test_a_release_that_does_not_exist_or_is_damaged_is_not_found(kept: Kept, address: str) -> None:
    assert get(f"{address}releases/2000-01-01-000000000000/page/kg")[0] == 404
    assert get(f"{address}releases/../kg.toml")[0] == 404
    assert get(f"{address}releases/current/page/kg")[0] == 404
    releases = kept.root / "releases"
    damaged = releases / "2001-01-01-0123456789ab"
    shutil.copytree(releases / kept.releases[0].version, damaged)
    (damaged / "dumps/facts.nt").write_text("cut")
    try:
        assert get(f"{address}releases/{damaged.name}/page/kg")[0] == 404
        assert damaged.name not in get(f"{address}releases/")[2]
    finally:
        shutil.rmtree(damaged)


def test_what_is_damaged_or_taken_away_after_it_was_shown_is_named_nowhere(
    kept: Kept, tmp_path: Path, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    root = Path(shutil.copytree(kept.root, tmp_path / "project", symlinks=True))
    (root / "releases/.history.sqlite").unlink(missing_ok=True)
    first, second, _ = (release.version for release in kept.releases)
    with serve(root) as address:
        for version in (first, second):
            assert get(f"{address}releases/{version}/things")[0] == 200
        assert get(address + "releases/feed.atom")[2].count("<entry>") == 3
        shutil.rmtree(root / "releases" / second)
        assert {get(f"{address}releases/{second}/{path}")[0] for path in ("", "things", "dumps/all.nq", "sparql")} == {
            404
        }
        assert get(address + "releases/feed.atom")[2].count("<entry>") == 2
    with (root / "releases" / first / "dumps/claims.csv").open("a") as file:
        file.write("more")
    with serve(root) as address:  # the index knows it, and nobody has looked at it since
        assert first in get(address + "releases/")[2]
        status, _, feed = get(address + "releases/feed.atom")
        assert (status, feed.count("<entry>")) == (200, 1)
        assert first not in get(address + "releases/")[2] + get(address + "releases/stream.trig")[2]
        assert get(f"{address}releases/{first}/things")[0] == 404


def test_the_list_names_every_release_and_what_changed(kept: Kept, address: str) -> None:
    page = get(address + "releases/", Accept="text/html")[2]
    assert [page.count(f'href="../releases/{r.version}/"') for r in kept.releases] == [1, 1, 1]
    old, _, new = (r.version for r in kept.releases)
    changes = get(f"{address}releases/changes?from={old}&to={new}", Accept="text/html")[2]
    for words in ("Python is a language.", "was: <del>", "removed"):
        assert words in changes
    assert get(f"{address}releases/changes?from=x&to=y")[0] == 400
    assert get(f"{address}releases/changes?from=2000-01-01-000000000000&to={new}")[0] == 404


def test_where_every_release_is_damaged_the_list_is_empty(
    starter: Path, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    release, _ = build.build(load(starter))
    assert release is not None
    with serve(starter) as started:
        assert get(started)[0] == 200
        (release.path / "dumps/facts.nt").write_text("")
        for path in ("releases/", "releases/feed.atom", "releases/stream", "timegate/page/kg"):
            assert get(started + path, Accept="*/*")[0] in (200, 302, 404), path


def test_what_changed_is_shown_and_leads_to_the_release_that_has_it(
    kept: Kept, address: str, read_html: Callable[[str], Any]
) -> None:
    old, _, new = kept.releases
    found = diff.compare(old, new)
    here = f"{address}releases/changes?from={old.version}&to={new.version}"
    (changes,) = read_html(get(here, Accept="text/html")[2]).all("ul", class_="changes")
    items = [item for item in changes.children if not isinstance(item, str)]
    assert len(items) == len(found.changes) > 3
    for item, change in zip(items, found.changes, strict=True):
        first = urljoin(here, item.all("a")[0].attributes["href"])
        where = old if change.what == "removed" else new
        assert first.startswith(f"{address}releases/{where.version}/"), change
        assert get(first, Accept="text/html")[0] in (200, 303), change
        counts = [len(item.all("li", class_=kind)) for kind in ("gone", "come")]
        assert counts == [len(change.removed), len(change.added)], change
    # Each line leads to where it is stated: what is gone, to where it was.
    for kind, release in (("gone", old), ("come", new)):
        hrefs = [a.attributes["href"] for line in changes.all("li", class_=kind) for a in line.all("a")]
        ours = [href for href in hrefs if not href.startswith("http")]
        assert len(ours) > 3
        assert all(urljoin(here, href).startswith(f"{address}releases/{release.version}/") for href in ours)
    said = [line.text for line in changes.all("li", class_="come")]
    assert any(line.startswith("+added:") and "Python is a language." in line for line in said), said


def test_a_claims_history_says_when_it_was_stated_changed_and_withdrawn(kept: Kept, address: str) -> None:
    first = get(address + "history/claim/about-kg/1", Accept="text/html")[2]
    assert re.findall(r'<li class="(\w+)"', first) == ["stated", "changed"]
    assert "The program <ins>called </ins>kg is made" in first
    # Not only the gloss may have changed: the rest stands in the list of the two releases' changes.
    (listed,) = re.findall(r'href="([^"]*releases/changes[^"]*)"', first)
    changes = get(urljoin(address + "history/claim/about-kg/1", unescape(listed)), Accept="text/html")[2]
    assert "claim/about-kg/1</code>" in changes
    second = get(address + "history/claim/about-kg/2", Accept="text/html")[2]
    assert re.findall(r'<li class="(\w+)"', second) == ["stated", "withdrawn"]
    assert re.findall(r'<li class="(\w+)"', get(address + "history/page/python")[2]) == ["stated", "changed"]
    assert get(address + "history/claim/about-kg/99")[0] == 404


@pytest.mark.parametrize(
    ("path", "history"),
    [
        ("claim/about-kg/2", "../../history/claim/about-kg/2"),
        ("claim/about-kg/2.ttl", "../../history/claim/about-kg/2"),
        ("passage/about-kg/36-120", "../../history/passage/about-kg/36-120"),
        ("claim/about-kg/99", None),
        ("nothing/like/this", None),
    ],
)
def test_what_only_an_earlier_release_has_is_not_found_but_its_history_is(
    path: str, history: str | None, address: str
) -> None:
    status, _, text = get(address + path, Accept="application/problem+json")
    assert (status, json.loads(text).get("history")) == (404, history)
    page = get(address + path, Accept="text/html")[2]
    assert (f'href="{history}"' in page) == (history is not None)
    assert ("Earlier releases: " in get(address + path, Accept="text/plain")[2]) == (history is not None)
    if history:
        assert get(urljoin(address + path, history), Accept="text/html")[0] == 200


def test_a_claim_that_leaves_its_stone_is_withdrawn_too(starter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = starter / "data/claims/about-kg.trig"
    whole = claims.read_text(encoding="utf-8")
    stone = """<claim/about-kg/2> a kg:WithdrawnClaim ; rdfs:label "It was so."@en ;
        kg:withdrawnOn "2026-06-02"^^<http://www.w3.org/2001/XMLSchema#date> ;
        <http://www.w3.org/2004/02/skos/core#changeNote> "{}"@en .
    """
    without = whole[: whole.index("# A plan")]
    for day, text in enumerate((whole, without + stone.format("Never."), without + stone.format("Never at all."))):
        claims.write_text(text, encoding="utf-8")
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_790_000_000 + day * 86_400))
        release, findings = build.build(load(starter))
        assert release is not None, findings
    with closing(History(starter / "releases")) as history:
        history.update()
        events = history.events(f"{load(starter).base}claim/about-kg/2")
    assert [event.what for event in events] == ["stated", "withdrawn", "changed"]


def test_a_timegate_leads_to_the_version_of_a_time(kept: Kept, address: str) -> None:
    gate = address + "timegate/claim/about-kg/1"
    for index, release in enumerate(kept.releases):
        status, headers, _ = get(gate, Accept_Datetime=http_date(release.sealed_at))
        assert status == 302
        assert "accept-datetime" in headers["Vary"].lower()
        target = urljoin(gate, headers["Location"])
        assert target == f"{address}releases/{release.version}/claim/about-kg/1"
        memento = get(target, Accept="text/html")[1]
        assert parse_date(memento["Memento-Datetime"]) == release.sealed_at.replace(microsecond=0), index
        assert 'rel="original"' in ", ".join(memento.get_all("Link") or [])
    early = http_date(datetime.now(UTC) - timedelta(days=9))
    assert kept.releases[0].version in get(gate, Accept_Datetime=early)[1]["Location"]
    assert kept.releases[2].version in get(gate)[1]["Location"]
    assert get(gate, Accept_Datetime="soon")[0] == 400
    assert get(address + "timegate/claim/about-kg/77")[0] == 404


def test_a_page_says_where_its_versions_are_and_a_version_where_the_page_is(kept: Kept, address: str) -> None:
    for path in ("claim/about-kg/1", "page/kg", "document/about-kg", "claim/about-kg/1.ttl"):
        links = get(address + path, Accept="text/html, */*;q=0.5")[1]["Link"]
        found = dict(re.findall(r'<([^>]*)>; rel="(timegate|timemap)"', links))
        assert sorted(found.values()) == ["timegate", "timemap"], path
        # Programs that follow versions resolve nothing, so these links are whole.
        assert all(target.startswith(BASE) for target in found), path
        assert {get(target.replace(BASE, address))[0] for target in found} == {200, 302}, path
        version = f"{address}releases/{kept.releases[-1].version}/{path}"
        links = ", ".join(get(version, Accept="text/html, */*;q=0.5")[1].get_all("Link") or [])
        relations = dict(re.findall(r'<([^>]*)>; rel="(original|timegate|timemap)"', links))
        assert sorted(relations.values()) == ["original", "timegate", "timemap"], path
        assert {get(target.replace(BASE, address))[0] for target in relations} == {200, 302}, path


@pytest.mark.parametrize(
    ("path", "accept_profile"),
    [
        ("claim/about-kg/1.jsonld?profile=annotation", ""),
        ("claim/about-kg/1.jsonld?profile=annotation", "annotation"),
        ("page/kg?lang=de", ""),
        ("page/kg?values=http://www.w3.org/1999/02/22-rdf-syntax-ns%23type&lang=de", ""),
    ],
)
def test_versions_of_another_form_are_of_that_form(path: str, accept_profile: str, kept: Kept, address: str) -> None:
    asked = path.partition("?")[0] if accept_profile else path
    asking = {"Accept_Profile": accept_profile} if accept_profile else {}
    now = get(address + asked, Accept="text/html, */*;q=0.5", **asking)
    found = dict(re.findall(r'<([^>]*)>; rel="(timegate|timemap)"', now[1]["Link"]))
    gate, listed = (next(target for target, rel in found.items() if rel == name) for name in ("timegate", "timemap"))
    assert (gate, listed) == (f"{BASE}timegate/{path}", f"{BASE}timemap/{path}")
    moved = get(gate.replace(BASE, address), Accept_Datetime=http_date(kept.releases[0].sealed_at))[1]
    version = urljoin(gate, moved["Location"])
    assert version == f"{BASE}releases/{kept.releases[0].version}/{path}"
    assert version in get(listed.replace(BASE, address))[2]
    memento = get(version.replace(BASE, address), Accept="text/html, */*;q=0.5")
    assert memento[1]["Content-Type"] == now[1]["Content-Type"]
    assert memento[1]["Content-Language"] == now[1]["Content-Language"]
    for links in (moved["Link"], ", ".join(memento[1].get_all("Link") or [])):
        assert f'<{BASE}{path}>; rel="original"' in links


def test_what_has_no_versions_names_no_time_gate(kept: Kept, address: str) -> None:
    below = f"{address}releases/{kept.releases[-1].version}/"
    for path in ("", "catalog", "things", "class/kg:Plan"):
        headers = get(below + path, Accept="text/html, */*;q=0.5")[1]
        links = ", ".join(headers.get_all("Link") or [])
        assert f'<{BASE}{path}>; rel="original"' in links, path
        assert not re.search("timegate|timemap", links), path
    # A page of the event stream is a version of nothing.
    headers = get(below + "stream/beginning/1")[1]
    assert "Memento-Datetime" not in headers
    assert "original" not in str(headers.get_all("Link"))


def test_a_version_of_a_name_with_escapes_leads_back_to_that_name(kept: Kept, address: str) -> None:
    version = f"{address}releases/{kept.releases[-1].version}/"
    for name in ("page/%C3%85ngstr%C3%B6m", "page/a%2Fb", "page/a%2520b"):
        links = ", ".join(get(version + name)[1].get_all("Link") or [])
        assert re.findall(r'<([^>]*)>; rel="original"', links) == [BASE + name]
        assert get(f"{version}releases/{name}")[1]["Location"].endswith(f"/releases/{name}"), name
    assert get(f"{address}releases%2F{kept.releases[-1].version}/")[0] == 404, "that is another name"


def test_a_corrected_claim_shows_its_note(starter: Path, serve: Callable[..., AbstractContextManager[str]]) -> None:
    note = '<http://www.w3.org/2004/02/skos/core#changeNote> "It named <b>another</b> program."@en'
    claims = starter / CLAIMS
    source = claims.read_text(encoding="utf-8")
    claims.write_text(source.replace("claim:1 a kg:Claim ;", f"claim:1 a kg:Claim ; {note} ;"), encoding="utf-8")
    release, findings = build.build(load(starter))
    assert release is not None, findings
    with serve(starter) as started:
        page = get(started + "claim/about-kg/1", Accept="text/html")[2]
    correction = page.partition("<dt>Corrected</dt>")[2].partition("</div>")[0]
    assert "It named &lt;b&gt;another&lt;/b&gt; program." in correction
    assert 'href="../../history/claim/about-kg/1"' in correction
    assert page.count("It named") == 1


def test_a_timemap_lists_the_versions_that_have_the_thing(kept: Kept, address: str) -> None:
    status, headers, text = get(address + "timemap/claim/about-kg/2")
    assert status == 200
    assert headers.get_content_type() == "application/link-format"
    assert re.findall(r'rel="((?:first |last )?memento)"', text) == ["first memento", "last memento"]
    links = re.findall(r"<([^>]*)>; rel=\"(?:first |last )?memento\"", text)
    assert [get(link.replace(BASE, address))[0] for link in links] == [200, 200]
    own = re.findall(r'<([^>]*)>; rel="(\w+)"; type="application/link-format"; from="(.*?)"; until="(.*?)"', text)
    first, last = (http_date(release.sealed_at) for release in kept.releases[:2])
    assert own == [(f"{BASE}timemap/claim/about-kg/2", "self", first, last)]
    assert all(link.startswith(BASE) for link in re.findall(r"<([^>]*)>", text))


def test_the_feed_is_atom_with_an_entry_for_each_release(kept: Kept, address: str) -> None:
    status, headers, text = get(address + "releases/feed.atom")
    assert status == 200
    assert headers.get_content_type() == "application/atom+xml"
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring(text)
    entries = feed.findall(atom + "entry")
    assert [e.findtext(atom + "id", "").rstrip("/").rpartition("/")[2] for e in entries] == [
        r.version for r in reversed(kept.releases)
    ]
    assert "Python is a language." in entries[0].findtext(atom + "content", "")


def test_pages_about_releases_are_for_those_who_take_pages(kept: Kept, address: str) -> None:
    first, *_, last = (release.version for release in kept.releases)
    for path in ("releases/", f"releases/changes?from={first}&to={last}", "history/claim/about-kg/1"):
        status, headers, _ = get(address + path, Accept="text/html, */*;q=0.1")
        assert (status, headers.get_content_type()) == (200, "text/html"), path
        assert "Accept" in re.split(", *", headers["Vary"]), path
        assert get(address + path, Accept="text/turtle")[0] == 406, path


def test_what_leads_out_of_an_earlier_release_has_the_headers_of_every_answer(kept: Kept, address: str) -> None:
    status, headers, _ = get(f"{address}releases/{kept.releases[0].version}/releases/feed.atom")
    assert (status, headers["Location"]) == (307, "../../../releases/feed.atom")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_reader_of_feeds_finds_the_feed_by_the_address_of_the_site(kept: Kept, address: str) -> None:
    for path in ("", "dumps/", "releases/", "?lang=de"):
        page = get(address + path, Accept="text/html")[2]
        (found,) = re.findall(r'<link rel="alternate" type="application/atom\+xml" href="([^"]*)"', page)
        assert urljoin(address + path, found) == f"{address}releases/feed.atom", path


def test_what_changes_with_the_releases_is_asked_for_with_its_tag(kept: Kept, address: str) -> None:
    for path in ("releases/feed.atom", "timemap/claim/about-kg/1", "releases/stream"):
        _, headers, first = get(address + path)
        assert headers["Cache-Control"] == "private, no-cache", path
        assert get(address + path, If_None_Match=headers["ETag"])[::2] == (304, ""), path
        assert get(address + path, If_None_Match='"another"')[::2] == (200, first), path
