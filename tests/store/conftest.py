"""Real engines, each started once a session, and a release to put into them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.patience import PATIENCE
from tests.store.engines import ENGINES, Engine

from kg import build
from kg.config import load
from kg.release import Release
from kg.store.credentials import Credentials
from kg.store.endpoint import Endpoint, writable
from kg.store.profiles import PROFILES


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """Starts the engine of a name at its first use."""
    started: dict[str, Engine] = {}
    with ExitStack() as stack:

        def start(name: str) -> Engine:
            if name not in started:
                started[name] = stack.enter_context(ENGINES[name](tmp_path_factory.mktemp(name)))
            return started[name]

        yield start


@pytest.fixture(scope="session", params=list(ENGINES))
def engine(request: pytest.FixtureRequest, engines: Callable[[str], Engine]) -> Engine:
    """One after the other."""
    return engines(request.param)


@pytest.fixture(scope="session")
def endpoint(engine: Engine) -> Endpoint:
    """The engine, as one who may write."""
    return connect(engine)


def connect(engine: Engine) -> Endpoint:
    """A new connection to an engine, as one who may write."""
    known = engine.environ
    credentials = Credentials(known["KG_ENDPOINT_USER"], known["KG_ENDPOINT_PASSWORD"]) if known else None
    made = writable(engine.address, PROFILES[engine.name], credentials)
    made.seconds = 2 * PATIENCE
    return made


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, copy_fair: Callable[[Path], Path]) -> Path:
    """The fair, with two questions, built."""
    root = copy_fair(tmp_path_factory.mktemp("engines") / "fair")
    (root / "data/queries").mkdir(parents=True, exist_ok=True)
    (root / "data/queries/said.rq").write_text(
        "PREFIX kg: <ontology#>\nSELECT ?claim ?p ?o { ?claim a kg:Claim . GRAPH ?claim { ?s ?p ?o } }\n"
    )
    (root / "data/queries/claims.rq").write_text("PREFIX kg: <ontology#>\nSELECT (COUNT(*) AS ?n) { ?c a kg:Claim }\n")
    assert build.build(load(root))[0] is not None
    return root


@pytest.fixture(scope="session")
def release(project: Path) -> Release:
    return Release.open(load(project).releases / "current")


@pytest.fixture(scope="session")
def other(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The same project a day later: one name has changed, and one question is more."""
    return renamed(project, tmp_path_factory.mktemp("later") / "fair", "Ida of Vik")


@pytest.fixture(scope="session")
def third(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The same with another name."""
    return renamed(project, tmp_path_factory.mktemp("third") / "fair", "Ida at Vik")


def renamed(project: Path, root: Path, name: str) -> Release:
    shutil.copytree(project, root, symlinks=True)
    (root / "data/entities/more.ttl").write_text(
        f'@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n<id/ida-vik> rdfs:label "{name}"@en-GB .\n'
    )
    made, findings = build.build(load(root))
    assert made is not None, [str(finding) for finding in findings]
    return made
