"""Another release becomes current under load: nothing fails, and no answer mixes two releases."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.asking import ask
from tests.patience import PATIENCE, until

from kg import build
from kg.config import Config, load
from kg.release import activate

ROOT = Path(__file__).resolve().parents[2]
Serve = Callable[..., AbstractContextManager[str]]
LABEL = "SELECT ?l { <id/kg> <http://www.w3.org/2000/01/rdf-schema#label> ?l }"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "src/kg/starter", folder)
    settings = folder / "kg.toml"
    text = settings.read_text(encoding="utf-8")
    # Processes of queries may start slowly where much else runs; whoever has to wait longer than this is told so.
    settings.write_text(text.replace("[query]\n", f"[query]\nwait = {PATIENCE}\n"), encoding="utf-8")
    return folder


def make(config: Config, word: str) -> str:
    """A release whose title and whose label of id/kg both say ``word``; returns its version."""
    labels = config.root / "data/entities/labels.ttl"
    text = re.sub(r':kg rdfs:label "[^"]*"', f':kg rdfs:label "{word}"', labels.read_text(encoding="utf-8"))
    labels.write_text(text, encoding="utf-8")
    release, findings = build.build(replace(config, title=word))
    assert release is not None, findings
    return release.version


class Client(threading.Thread):
    """Asks for pages and answers over one kept-alive connection, and notes what was wrong."""

    def __init__(self, address: str, words: dict[str, str], stop: threading.Event) -> None:
        super().__init__()
        self.host = urllib.parse.urlsplit(address).netloc
        self.words = words
        self.stop = stop
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        with closing(http.client.HTTPConnection(self.host, timeout=PATIENCE)) as connection:
            self.ask(connection)

    def ask(self, connection: http.client.HTTPConnection) -> None:
        paths = ("/", "/page/kg", "/data/kg.ttl", "/sparql?query=" + urllib.parse.quote(LABEL), "/dumps/facts.nt")
        while not self.stop.is_set():
            for path in paths:
                try:
                    connection.request("GET", path, headers={"Accept": "text/html, */*;q=0.5"})
                    answer = connection.getresponse()
                    body = answer.read().decode()
                except (OSError, http.client.HTTPException) as e:
                    self.wrong.append(f"{path}: {e!r}")
                    connection.close()
                    continue
                version = answer.headers["Kg-Release"]
                self.seen[version] += 1
                said = set(re.findall(r"release-(?:one|two)", body))
                if answer.status != 200 or said != {self.words[version]}:
                    self.wrong.append(f"{path}: {answer.status} {version} says {said}")


def all_have_seen(clients: list[Client], version: str) -> bool:
    return all(client.seen[version] for client in clients)


def under_load(project: Path, serve: Serve, seconds: float, every: float) -> None:
    config = load(project)
    words = {make(config, word): word for word in ("release-one", "release-two")}
    versions = list(words)
    stop = threading.Event()
    with serve(project) as address:
        clients = [Client(address, words, stop) for _ in range(4)]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end:
            time.sleep(every)
            activate(config.releases, versions[turn % 2])
            turn += 1
        for version in versions:
            activate(config.releases, version)
            wait_for(address, version)
            until(partial(all_have_seen, clients, version))
        stop.set()
        for client in clients:
            client.join()
    assert [wrong for client in clients for wrong in client.wrong] == []
    seen = sum((client.seen for client in clients), Counter[str]())
    assert set(seen) == set(versions), "both releases were served"


def test_switching_under_load_fails_no_request_and_mixes_no_answer(project: Path, serve: Serve) -> None:
    under_load(project, serve, seconds=5, every=0.7)


@pytest.mark.soak
def test_switching_for_a_minute(project: Path, serve: Serve) -> None:
    under_load(project, serve, seconds=60, every=2)


def served(address: str) -> str:
    return ask(address, "/health")[1]["Kg-Release"]


def wait_for(address: str, version: str) -> None:
    until(lambda: served(address) == version)


PAGES = (
    *("/", "/about", "/page/kg", "/claim/about-kg/1", "/document/about-kg", "/class/", "/class/kg:Claim", "/ontology"),
    *("/term/kg:Claim", "/shapes", "/things", "/claims", "/disagreements", "/catalog", "/.well-known/void", "/search"),
    *("/sitemap.xml", "/browse", "/timeline", "/map", "/query", "/query/terms.json", "/releases/", "/report"),
)
"""What a site works out once for pages like these goes with it."""


def test_a_build_is_served_without_a_restart_and_nobody_has_files_of_the_old_release(
    project: Path, serve: Serve, kg
) -> None:
    config = load(project)
    make(config, "release-one")
    with serve(project) as address:
        for path in (*PAGES, "/sparql?query=" + urllib.parse.quote(LABEL)):
            assert ask(address, path)[0] == 200, path
        text = (project / "kg.toml").read_text()
        (project / "kg.toml").write_text(text.replace("My knowledge graph", "After the build"))
        assert kg("build", cwd=project).returncode == 0
        new = (project / "releases/current").readlink().name
        wait_for(address, new)
        until(lambda: set(_opened(project)) <= {new})


def _opened(project: Path) -> list[str]:
    """The releases of which some process has a file open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        match = re.match(re.escape(str(project)) + r"/releases/([^/]+)/", target)
        if match:
            found.append(match[1])
    return found


def test_a_damaged_release_is_not_switched_to(project: Path, serve: Serve) -> None:
    config = load(project)
    good = make(config, "release-one")
    bad = make(config, "release-two")
    activate(config.releases, good)
    with serve(project) as address:
        whole = (config.releases / bad / "dumps/facts.nt").read_bytes()
        (config.releases / bad / "dumps/facts.nt").write_text("cut")
        activate(config.releases, bad)
        time.sleep(1)
        assert served(address) == good
        # A copy that was still under way is whole later.
        (config.releases / bad / "dumps/facts.nt").write_bytes(whole)
        wait_for(address, bad)
        third = make(config, "release-three")
        wait_for(address, third)


def test_a_pinned_release_stays(project: Path, serve: Serve) -> None:
    config = load(project)
    pinned = make(config, "release-one")
    make(config, "release-two")
    with serve(project, "--release", pinned) as address:
        activate(config.releases, pinned)
        make(config, "release-three")
        time.sleep(1)
        assert served(address) == pinned


def test_sighup_breaks_no_connection_and_the_new_release_is_served(project: Path) -> None:
    config = load(project)
    new, first = make(config, "release-two"), make(config, "release-one")
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            address = process.stdout.readline().split()[0]
            with closing(
                http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=PATIENCE)
            ) as connection:
                for turn in range(20):
                    if turn == 5:
                        activate(config.releases, new)
                    process.send_signal(signal.SIGHUP)
                    connection.request("GET", "/health")
                    answer = connection.getresponse()
                    assert answer.status == 200
                    assert answer.headers["Kg-Release"] in ((first,) if turn < 5 else (first, new))
                    answer.read()
                    time.sleep(0.05)
                wait_for(address, new)
                assert process.poll() is None
        finally:
            process.terminate()
