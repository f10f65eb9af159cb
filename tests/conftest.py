"""What all tests share: projects to build from, and the command line as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pyoxigraph import Quad, RdfFormat, parse
from tests.patience import PATIENCE

from kg import build
from kg.build.parse import Sources
from kg.build.shacl import ENGINES
from kg.build.validate import findings_of, read_shapes
from kg.config import DEFAULT_BASE, load
from kg.model import Finding
from kg.release import Release
from kg.shelf import listing
from kg.store.embedded import EmbeddedStore
from kg.vocab import Names

ROOT = Path(__file__).resolve().parent.parent
# No sandbox: tests run as root in containers. The rest keeps the browser from asking its maker for anything.
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
Kg = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure() -> None:
    # An example is not wrong because it takes long.
    settings.register_profile("patient", settings(), deadline=None)
    settings.load_profile("patient")
    # A clock or a base from the tester's shell would change what the tests build.
    for name in ("KG_BASE", "SOURCE_DATE_EPOCH"):
        os.environ.pop(name, None)
    # What a page comes to is waited for as long as a page is: a machine that others use may stand still for a while.
    expect.set_options(timeout=PATIENCE * 1000)


LONGEST = (
    "site/test_kinds",
    "test_faults",
    "test_publishing_faults",
    "site/test_editor",
    "test_cli",
    "test_release",
    "test_watch",
    "store/test_serving",
    "site/test_switch",
    "test_fresh_clone",
    "test_packaging",
    "test_server_faults",
    "build/test_hostile",
    "test_diff",
)
"""Files that take longest, which all processes begin with: so none waits at the end for one that another has."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = {ROOT / f"tests/{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))
    # What runs for minutes on purpose is not a server that hangs.
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def kg() -> Kg:
    """Runs ``kg ARGUMENTS`` as a process; ``cwd`` is the project, ``env`` is added to the environment."""

    def run(
        *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kg.cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=5 * PATIENCE,
            check=False,
        )

    return run


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    """A fresh copy of the project that ``kg init`` writes: the smallest that builds."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "src/kg/starter", project)
    return project


@pytest.fixture
def built(starter: Path) -> Path:
    """The starter project with a first release."""
    assert build.build(load(starter))[0] is not None
    return starter


def intact(project: Path) -> str:
    """Every release that is there verifies, and one is current; returns which."""
    releases = load(project).releases
    assert [row.problem for row in listing(releases) if row.problem] == []
    return Release.open(releases / "current").version


@pytest.fixture(scope="session")
def copy_fair() -> Callable[[Path], Path]:
    """Copies the fair: three reports that differ and agree, with the general ontology and shapes."""

    def copy(project: Path) -> Path:
        shutil.copytree(ROOT / "tests/fixtures/fair", project)
        shutil.copy(ROOT / "ontology/kg.ttl", project / "ontology")
        for name in ("evidence.ttl", "facts.ttl"):
            shutil.copy(ROOT / "shapes" / name, project / "shapes")
        return project

    return copy


@contextmanager
def serving(project: Path, *options: str) -> Iterator[str]:
    """A real ``kg serve`` on a free port; gives its address, which ends in ``/``."""
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", "0", *options]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            if address:
                break
        else:
            pytest.fail("kg serve ended: " + "".join(said))
        try:
            yield address[0] + "/"
        finally:
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """A context manager that runs a real server on a project and gives its address."""
    return serving


@pytest.fixture(scope="session")
def validate() -> Callable[..., list[Finding]]:
    """Validates facts and evidence that fit into memory with the shapes among sources; gives the findings."""

    def run(
        sources: Sources, facts: Sequence[Quad], evidence: Sequence[Quad], engine: str = "compiled"
    ) -> list[Finding]:
        shapes = read_shapes(sources.shapes, engine)
        found: list[Finding] = []
        for graph, data in (("facts", facts), ("evidence", evidence)):
            seeing: Any = list(parse(shapes.seeing[graph], format=RdfFormat.N_QUADS))
            results = ENGINES[engine](data, seeing) if seeing else []
            found += findings_of(results, shapes, lambda _s, _p: {}, {}, Names(DEFAULT_BASE))
        return list(dict.fromkeys(found))

    return run


@pytest.fixture(scope="session")
def quads_of() -> Callable[[Path], set[Quad]]:
    """Builds a project and gives all quads of its release."""

    def run(project: Path, base: str | None = None) -> set[Quad]:
        release, findings = build.build(load(project, base=base))
        assert release is not None, [str(f) for f in findings]
        return set(EmbeddedStore(release.store_path).quads())

    return run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository's own project with its release built, without the report's text."""
    project = tmp_path_factory.mktemp("dataset") / "project"
    project.mkdir()
    shutil.copy(ROOT / "kg.toml", project)
    for name in ("ontology", "shapes", "data"):
        shutil.copytree(ROOT / name, project / name)
    release, findings = build.build(load(project))
    assert release is not None, [str(f) for f in findings]
    return project


@pytest.fixture(scope="session")
def dataset_address(dataset: Path) -> Iterator[str]:
    """The address of a server that shows the repository's own dataset."""
    with serving(dataset) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; none is downloaded. On a person's machine without one, its tests are skipped."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        message = "Chromium is not installed (Debian: apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A fresh page of that browser, without the storage of another test."""
    opened = browser.new_page()
    yield opened
    opened.close()


_CLAIMS = "data/claims/about-kg.trig"
_MORE = """
claim:3 { :python a schema:ComputerLanguage . }
claim:3 a kg:Claim ; rdfs:label "Python is a language."@en ; kg:speaker :kg-authors ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; kg:quote "in Python" .
"""


@dataclass
class Kept:
    """A project with three releases: claim 1 is reworded in the second, claim 2 withdrawn and 3 added in the third."""

    root: Path
    releases: list[Release]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    root = tmp_path_factory.mktemp("kept") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    claims = root / _CLAIMS
    source = claims.read_text(encoding="utf-8")
    reworded = source.replace("The program kg is made", "The program called kg is made")
    made = []
    for text in (source, reworded, reworded[: reworded.index("# A plan")] + _MORE):
        claims.write_text(text, encoding="utf-8")
        release, findings = build.build(load(root))
        assert release is not None, findings
        made.append(release)
        time.sleep(1.1)  # the time of sealing counts whole seconds
    return Kept(root, made)
