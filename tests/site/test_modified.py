"""Last-Modified and If-Modified-Since of pages and data (RFC 9110, sections 8.8.2 and 13.1.3)."""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from tests.asking import ask
from tests.patience import until

from kg import activations, build
from kg.config import load
from kg.release import activate, current_version, versions

ROOT = Path(__file__).resolve().parents[2]
EARLIER = "Thu, 01 Jan 1970 00:00:00 GMT"
Headers = http.client.HTTPMessage


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("modified") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    assert build.build(load(root))[0]
    return root


@pytest.fixture(scope="module")
def address(project: Path, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve(project) as started:
        yield started


def dated(address: str, path: str, release: str = "") -> Headers:
    """The headers of an answer of a release, as soon as that is served."""

    def found() -> Headers | None:
        _, headers, _ = ask(address, path)
        there = "Last-Modified" in headers and headers["KG-Release"] in (release or headers["KG-Release"])
        return headers if there else None

    headers = until(found)
    assert headers
    return headers


@pytest.mark.parametrize(
    "path", ["/page/kg", "/data/kg.ttl", "/claim/about-kg/1", "/sitemap.xml", "/document/about-kg"]
)
def test_pages_and_data_say_when_they_last_changed(path: str, address: str) -> None:
    first = dated(address, path)
    changed, etag = first["Last-Modified"], first["ETag"]
    assert parsedate_to_datetime(changed) <= datetime.now(UTC)
    now = format_datetime(datetime.now(UTC), usegmt=True)
    future = "Fri, 31 Dec 2199 00:00:00 GMT"  # no answer can have been given then: it is passed over
    for _ in range(2):  # made, and remembered
        for since, status in ((changed, 304), (now, 304), (EARLIER, 200), ("yesterday", 200), ("", 200), (future, 200)):
            got, headers, body = ask(address, path, If_Modified_Since=since)
            assert (got, headers["ETag"], body == b"") == (status, etag, status == 304), since
        # An ETag says it better (section 13.2.2).
        assert ask(address, path, If_Modified_Since=changed, If_None_Match='"another"')[0] == 200
        assert ask(address, path, If_Modified_Since=EARLIER, If_None_Match=etag)[0] == 304
        assert ask(address, path)[0] == 200


def test_going_back_to_a_release_is_a_change(project: Path, address: str) -> None:
    releases = project / "releases"
    first = current_version(releases)
    settings = (project / "kg.toml").read_text(encoding="utf-8")
    (project / "kg.toml").write_text(settings.replace("title = ", 'title = "Other" # '), encoding="utf-8")
    assert build.build(load(project))[0]
    between = dated(address, "/page/kg", current_version(releases))["Last-Modified"]
    activate(releases, first)
    after = dated(address, "/page/kg", first)["Last-Modified"]
    assert parsedate_to_datetime(between) < parsedate_to_datetime(after)
    assert ask(address, "/page/kg", If_Modified_Since=between)[0] == 200


def test_an_answer_that_does_not_say_yet_when_it_changed_is_not_remembered(project: Path, address: str) -> None:
    releases = project / "releases"
    release = current_version(releases)
    other = next(v for v in versions(releases) if v != release)
    began = time.monotonic()
    activate(releases, other)
    dated(address, "/page/kg", other)
    # Each activation is later than the one before, so that the next one lies ahead of the clock: for longer than this
    # machine needs to show a release.
    ahead = datetime.now(UTC) + timedelta(seconds=3 + 6 * (time.monotonic() - began))
    with (releases / activations.FILE).open("a", encoding="ascii") as file:
        file.write(f"{ahead.isoformat(timespec='microseconds')} {other}\n")
    activate(releases, release)
    while (headers := ask(address, "/page/kg")[1])["KG-Release"] != release:
        time.sleep(0.01)
    assert "Last-Modified" not in headers
    assert "Last-Modified" in dated(address, "/page/kg", release)


def test_what_lies_below_its_release_stays_as_old_as_its_seal(project: Path, address: str) -> None:
    path = f"/releases/{current_version(project / 'releases')}/data/kg.ttl"
    headers = dated(address, path)
    sealed = parsedate_to_datetime(headers["Memento-Datetime"])
    assert parsedate_to_datetime(headers["Last-Modified"]) >= sealed
    assert ask(address, path, If_Modified_Since=headers["Last-Modified"])[0] == 304
