"""``kg serve --watch``: authors see what they saved, or what is wrong with it, and the last good release meanwhile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page
from tests.patience import PATIENCE, until

from kg import findings
from kg.cli.watch import look
from kg.config import load
from kg.findings import Outcome
from kg.model import Place, error
from kg.release import staging, versions
from kg.site.components.watch import Watch

ROOT = Path(__file__).resolve().parent.parent
LABELS = "data/entities/labels.ttl"
BUILT = 3 * PATIENCE
"""Seconds until a build has been noticed, made and shown."""

SLIP = "\n<script>:x rdfs:label ;;. }\n"
Serve = Callable[..., AbstractContextManager[str]]


class Project(NamedTuple):
    """A project that is watched, and its address."""

    root: Path
    address: str

    def save(self, word: str, more: str = "") -> int:
        """Name the thing kg anew, with something after it; returns the number of the last line."""
        path = self.root / LABELS
        kept = path.read_text(encoding="utf-8").partition(SLIP)[0]
        text = re.sub(r':kg rdfs:label "[^"]*"', f':kg rdfs:label "{word}"', kept) + more
        put(path, text)
        return len(text.splitlines())

    def page(self, path: str = "page/kg") -> str:
        request = urllib.request.Request(self.address + path, headers={"Accept": "text/html"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                body: str = answer.read().decode()
        except urllib.error.HTTPError as e:
            body = e.read().decode()
        return body

    def wait_for(self, word: str, *, present: bool = True) -> str:
        return until(lambda: page if (word in (page := self.page())) == present else "", BUILT)


def put(path: Path, text: str) -> None:
    """Write a file at once: whoever looks in between would take half of it for what was saved."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("watched") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    with serve(root, "--watch") as address:
        yield Project(root, address)


def test_what_is_saved_is_shown_and_a_slip_on_every_page_with_its_place_until_it_is_mended(project: Project) -> None:
    project.save("a good name")
    assert 'class="watch' not in project.wait_for("a good name")
    version = (project.root / "releases/current").readlink().name
    line = project.save("a name that is not seen", SLIP)
    project.wait_for("do not build")
    for path in ("", "page/kg", "claim/about-kg/1", "ontology", "nothing-here", "query", f"releases/{version}/page/kg"):
        page = project.page(path)
        assert "The sources do not build: 1 error." in page, path
        assert f"<code>{LABELS}:{line}</code>" in page, path
        assert "unknown prefix" in page or "syntax error" in page, path
        assert "<script>:x" not in page, path
    assert "a good name" in project.page()
    assert (project.root / "releases/current").readlink().name == version
    project.save("a mended name")
    assert "do not build" not in project.wait_for("a mended name")


def test_a_slip_in_the_settings_is_shown_too(project: Project) -> None:
    settings = project.root / "kg.toml"
    good = settings.read_text(encoding="utf-8")
    put(settings, "bass = 1\n" + good)
    page = project.wait_for("do not build")
    assert "<code>kg.toml</code> <strong>error</strong> <bdi>unknown setting &#39;bass&#39;" in page
    put(settings, good.replace("My knowledge graph", "Another title"))
    assert "do not build" not in project.wait_for("Another title")


def test_drafts_do_not_pile_up_and_what_somebody_published_stays(starter: Path, serve: Serve, kg) -> None:
    assert kg("build", cwd=starter).returncode == 0
    before = versions(starter / "releases")
    with serve(starter, "--watch") as address:
        watched = Project(starter, address)
        for turn in range(3):
            watched.save(f"draft {turn}")
            watched.wait_for(f"draft {turn}")
        until(lambda: len(versions(starter / "releases")) == 1 + 2, BUILT)
        until(lambda: kg("build", cwd=starter).returncode == 0, BUILT)  # not while the watcher builds
        published = (starter / "releases/current").readlink().name
        for turn in range(3, 6):
            watched.save(f"draft {turn}")
            watched.wait_for(f"draft {turn}")
    until(lambda: len(versions(starter / "releases")) == 3)  # who watches ends a moment after the server
    kept = versions(starter / "releases")
    assert {*before, published} < set(kept)
    assert (starter / "releases/current").readlink().name in set(kept) - set(before)


def test_a_build_that_another_build_keeps_waiting_is_made_afterwards(project: Project) -> None:
    with staging(load(project.root).releases):
        project.save("after the other build")
        assert "another build is running" in project.wait_for("do not build")
    assert "do not build" not in project.wait_for("after the other build")


def test_a_tab_shows_what_is_saved_by_itself(project: Project, tab: Page) -> None:
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    project.save("before")
    project.wait_for("before")
    tab.goto(project.address + "page/kg")
    project.save("by itself")
    tab.get_by_role("heading", name="by itself").wait_for(timeout=BUILT * 1000)
    project.save("unseen", SLIP)
    tab.get_by_text("The sources do not build").wait_for(timeout=BUILT * 1000)
    # What somebody is typing is not taken away.
    tab.locator("#site-q").fill("half a wor")
    project.save("mended")
    project.wait_for("mended")
    tab.wait_for_timeout(2000)
    assert tab.locator("#site-q").input_value() == "half a wor"
    assert said == []


@contextmanager
def started(project: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "kg.cli", "serve", "--watch", "--port", "0"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def watchers(project: Path) -> set[int]:
    """Processes that watch a project or build it."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if (folder / "cwd").readlink() == project and (
                b"build" in words or any(b"kg.cli.watch" in w for w in words)
            ):
                found.add(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_who_watches_ends_with_the_server(stop: signal.Signals, starter: Path) -> None:
    with started(starter) as process:
        assert process.stdout
        assert "release" in process.stdout.readline()
        process.stdout.readline()
        assert watchers(starter)
        process.send_signal(stop)
        process.wait(timeout=PATIENCE)
        until(lambda: not watchers(starter))


def test_sources_that_never_built_are_told_of_and_served_once_they_do(starter: Path) -> None:
    labels = starter / LABELS
    good = labels.read_text(encoding="utf-8")
    labels.write_text(good + SLIP, encoding="utf-8")
    with started(starter) as process:
        assert process.stderr
        assert process.stdout
        assert f"{LABELS}:{len((good + SLIP).splitlines())}: error: syntax error" in process.stderr.readline()
        put(labels, good)
        assert "release" in process.stdout.readline()


def test_a_server_that_does_not_watch_has_nothing_of_it(starter: Path, serve: Serve, kg) -> None:
    kg("build", cwd=starter)
    (starter / "releases/.findings.json").write_text(json.dumps({"release": None, "findings": []}), encoding="utf-8")
    with serve(starter) as address:
        plain = Project(starter, address)
        assert "watch" not in plain.page()
        assert "404" in plain.page("watch.json") or "Not Found" in plain.page("watch.json")


def test_what_a_build_found_is_not_said_of_a_release_that_came_after_it(tmp_path: Path) -> None:
    watch, current = Watch(tmp_path), tmp_path / "current"
    slip = Outcome(findings=(error("parse", "a slip", Place("data/a.ttl", 1)),))
    current.symlink_to("first")
    findings.write(tmp_path, slip, "first")
    assert watch.outcome().errors == slip.findings
    state = watch.state("first")
    # The next build is whole, and nobody has heard of it yet.
    current.unlink()
    current.symlink_to("second")
    assert watch.outcome() == Outcome()
    assert watch.state("first") != state
    findings.write(tmp_path, slip, "second")
    assert watch.outcome().errors == slip.findings


def test_a_look_notices_whatever_happens_to_a_source(starter: Path) -> None:
    seen = [look(starter, [])]

    def changed() -> bool:
        seen.append(look(starter, []))
        return seen[-1] != seen[-2]

    text = starter / "data/documents/about-kg.md"
    assert not changed()
    (starter / "data/documents/.about-kg.md.swp").write_text("an editor's")
    assert not changed()
    times = text.stat().st_atime_ns, text.stat().st_mtime_ns
    text.write_text(text.read_text(encoding="utf-8").swapcase(), encoding="utf-8")
    assert changed()
    replaced = text.with_suffix(".new")
    replaced.write_text(text.read_text(encoding="utf-8"), encoding="utf-8")
    os.utime(replaced, ns=times)
    replaced.replace(text)
    assert changed()
    text.unlink()
    assert changed()
    (starter / "data/queries/deep").mkdir(parents=True)
    (starter / "data/queries/deep/new.rq").write_text("ASK {}")
    assert changed()


@pytest.mark.parametrize("options", [("--watch", "--release", "2026-01-31-0123456789ab"), ("--documents", ".")])
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], starter: Path, kg) -> None:
    assert kg("serve", *options, cwd=starter).returncode == 2
