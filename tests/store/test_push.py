"""kg push: loaded beside what is current, verified, current at once; interrupted, damaged, taken back."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.asking import ask
from tests.conftest import Kg
from tests.patience import until
from tests.store.engines import Engine, datasets

from kg.config import load
from kg.errors import PushError
from kg.push import Push, rollback
from kg.query.base import Query
from kg.query.limits import Limits
from kg.query.remote import RemotePool
from kg.release import Release
from kg.site import create_app
from kg.site.lookups.state import Behind
from kg.store import slots
from kg.store.endpoint import Endpoint, writable
from kg.store.profiles import PROFILES

BASE = "http://localhost:8000/"


def current(endpoint: Endpoint) -> slots.SlotState | None:
    return next((state for state in slots.read(endpoint, BASE).values() if state.current), None)


def push(release: Release, endpoint: Endpoint, say: Callable[[str], None] = lambda _: None) -> slots.Slot:
    return Push(release=release, endpoint=endpoint, limits=Limits(), say=say).run()


def names(endpoint: Endpoint) -> int:
    """How often the new name is there, for whoever asks through the pointer."""
    state = current(endpoint)
    assert state is not None
    pool = RemotePool(endpoint, BASE, Limits(), slot=state.slot)
    text = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(STR(?o) = 'Ida of Vik') }"
    with pool.run(Query(text, "application/sparql-results+json")) as answer:
        found = json.loads(b"".join(answer.chunks))
    return int(found["results"]["bindings"][0]["n"]["value"])


class Interrupted(Exception):
    pass


def test_a_release_becomes_current_at_once_and_can_be_taken_back(
    endpoint: Endpoint, release: Release, other: Release
) -> None:
    first = push(release, endpoint)
    seen = []
    second = push(other, endpoint, lambda _: seen.append((current(endpoint), names(endpoint))))
    assert {first.name, second.name} == {"a", "b"}
    assert seen
    assert {(state.slot, count) for state, count in seen[:-1] if state} == {(first, 0)}
    assert names(endpoint) == 1
    assert rollback(endpoint, BASE).version == release.version
    assert names(endpoint) == 0
    assert rollback(endpoint, BASE).version == other.version
    assert names(endpoint) == 1
    assert push(other, endpoint) == second  # nothing to do


def test_a_push_that_was_interrupted_goes_on(
    endpoint: Endpoint, release: Release, other: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(release, endpoint)
    # The other slot is emptied by hand, so that there is something to load.
    idle = next(s for s in slots.read(endpoint, BASE).values() if not s.current)
    slots.write(endpoint, idle.slot, digest="", state="")
    monkeypatch.setattr("kg.push.BULK", 400)
    monkeypatch.setattr("kg.push.NOTED", 1)
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if "quads" in line:
            raise Interrupted

    with pytest.raises(Interrupted):
        push(other, endpoint, stop)
    assert slots.read(endpoint, BASE)[idle.slot.name].loaded > 0
    assert names(endpoint) == 0
    lines.clear()
    assert push(other, endpoint, lines.append) == idle.slot
    assert not any("takes out" in line for line in lines)
    assert names(endpoint) == 1


DAMAGE = {
    "a graph is missing": "DELETE WHERE {{ GRAPH <{prefix}{base}claim/courier/1> {{ ?s ?p ?o }} }}",
    "a graph is more": "INSERT DATA {{ GRAPH <{prefix}urn:stray> {{ <urn:a> <urn:b> <urn:c> }} }}",
    "a value is another": """
        DELETE {{ GRAPH <{default}> {{ ?s a ?o }} }} INSERT {{ GRAPH <{default}> {{ ?s a <urn:another> }} }}
        WHERE {{ GRAPH <{default}> {{ ?s a ?o . ?s <{base}ontology#speaker> ?who }} }}""",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_what_is_not_the_release_never_becomes_current(
    endpoint: Endpoint, release: Release, other: Release, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(release, endpoint)
    idle = next(s for s in slots.read(endpoint, BASE).values() if not s.current).slot
    slots.write(endpoint, idle, digest="", state="")
    load_quads = Push._load

    def damaged(self: Push, slot: slots.Slot, begun: int, total: int) -> None:
        load_quads(self, slot, begun, total)
        endpoint.update(damage.format(prefix=slot.prefix, default=slot.default, base=BASE))

    monkeypatch.setattr(Push, "_load", damaged)
    with pytest.raises(PushError):
        push(other, endpoint)
    state = current(endpoint)
    assert state is not None
    assert state.version == release.version
    slots.write(endpoint, idle, digest="", state="")


def test_without_another_release_there_is_nothing_to_go_back_to(endpoint: Endpoint) -> None:
    with pytest.raises(PushError, match="nothing to go back to"):
        rollback(endpoint, "http://nowhere.example.org/")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Endpoint]]:
    """Three datasets of one server: for the pointer, and for two slots."""
    with datasets(tmp_path_factory.mktemp("three"), "pointer", "one", "two") as addresses:
        yield [writable(address, PROFILES["fuseki"], None) for address in addresses]


def test_each_slot_may_be_a_dataset_of_its_own(
    three: list[Endpoint], project: Path, release: Release, other: Release
) -> None:
    pointer, one, two = three
    by_name = {"a": one, "b": two}

    def pushed(wanted: Release) -> slots.Slot:
        return Push(release=wanted, endpoint=pointer, limits=Limits(), say=lambda _: None, datasets=by_name).run()

    def quads(endpoint: Endpoint) -> int:
        text = "SELECT (COUNT(*) AS ?n) { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
        return int(endpoint.rows(text)[0][0].value)

    two.update("INSERT DATA { <urn:a> <urn:b> <urn:c> }")
    first = pushed(release)
    assert first.dataset == one.query_address
    assert quads(one) == (release.path / "dumps/all.nq").read_bytes().count(b"\n")
    # Graphs have their own names there, for whoever asks the dataset past the site.
    assert one.rows(f"SELECT ?s {{ GRAPH <{BASE}claim/courier/1> {{ ?s ?p ?o }} }}")
    with pytest.raises(PushError, match="did not put there"):
        pushed(other)
    two.update("DROP ALL")
    second = pushed(other)
    assert second.dataset == two.query_address
    state = current(pointer)
    assert state is not None
    assert (state.slot, state.version) == (second, other.version)
    assert rollback(pointer, BASE).slot == first
    # What is idle is taken out and loaded anew, and nothing but the slots' datasets is touched.
    slots.write(pointer, second, digest="", state="")
    assert pushed(other) == second
    assert quads(two) == (other.path / "dumps/all.nq").read_bytes().count(b"\n")

    config = load(project)
    home = create_app(release, config)
    away = create_app(release, config, behind=Behind(pointer.beside(first.dataset), first))
    graph = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g"
    for address in ("/page/ida-vik", "/data/ida-vik.trig", "/claim/courier/1", "/claim/courier/1.ttl", "/class/"):
        answers = [app.test_client().get(address, headers={"Accept": "text/html"}) for app in (home, away)]
        assert answers[0].status_code == 200
        assert answers[0].data == answers[1].data, address
    answers = [
        app.test_client().post("/sparql", data={"query": graph}, headers={"Accept": "text/csv"}) for app in (home, away)
    ]
    assert answers[0].data == answers[1].data
    assert answers[0].data.count(b"\n") > 1
    for app in (home, away):
        app.extensions["kg"].close()


def test_the_command_line_pushes_into_datasets_and_serves_them(
    three: list[Endpoint],
    project: Path,
    kg: Kg,
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    to = [endpoint.query_address.removesuffix("/query") for endpoint in three]
    profile = ("--engine-profile", "fuseki")
    for endpoint in three:
        endpoint.update("DROP ALL")
    done = kg("push", "--to", to[0], "--slot", to[1], "--slot", to[2], *profile, cwd=project)
    assert done.returncode == 0, done.stderr
    assert three[1].rows("SELECT ?s { ?s ?p ?o } LIMIT 1")
    with serve(project, "--endpoint", three[0].query_address, *profile) as address:
        assert get(address + "page/ida-vik")[0] == 200
    for wrong in (to[1:2], [to[1], to[1]], [to[0], to[1]]):
        options = [part for dataset in wrong for part in ("--slot", dataset)]
        assert kg("push", "--to", to[0], *options, *profile, cwd=project).returncode == 2


def get(address: str) -> tuple[int, str]:
    status, _, body = ask(address, Accept="text/html")
    return status, body.decode()


def test_a_release_of_another_base_is_served_as_the_push_says(
    engines: Callable[[str], Engine],
    kg: Kg,
    built: Path,
    serve: Callable[..., AbstractContextManager[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, profile = engines("oxigraph"), ("--engine-profile", "oxigraph")
    assert kg("build", "--base", "https://facts.example.org/", cwd=built).returncode == 0
    done = kg("push", "--to", engine.address, *profile, cwd=built)
    said = re.search(r"to serve it: KG_BASE=(\S+) kg serve ", done.stdout)
    assert said, done.stdout + done.stderr
    monkeypatch.setenv("KG_BASE", said[1])
    with serve(built, "--endpoint", engine.query, *profile) as address:
        assert "claim/about-kg/1" in get(address + "data/kg.ttl")[1]
    assert kg("push", "--to", engine.address, *profile, "--rollback", cwd=built).returncode == 1  # there is no other


def test_the_command_line_pushes_serves_and_goes_back(  # noqa: PLR0917 - fixtures
    engines: Callable[[str], Engine],
    project: Path,
    other: Release,
    kg: Kg,
    serve: Callable[..., AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    engine = engines("oxigraph")
    root = tmp_path / "fair"
    shutil.copytree(project, root, symlinks=True)
    shutil.copytree(other.path, root / "releases" / other.version)
    first = (root / "releases/current").readlink().name
    profile = ("--engine-profile", "oxigraph")
    env = {"KG_ENDPOINT_USER": "me", "KG_ENDPOINT_PASSWORD": "hunter2"}
    said = ""
    for version in (first, other.version):
        done = kg("push", "--to", engine.address, *profile, "--release", version, cwd=root, env=env)
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    assert "hunter2" not in said
    with serve(root, "--endpoint", engine.query, *profile) as address:
        assert "Ida of Vik" in get(address + "data/ida-vik.ttl")[1]
        assert kg("push", "--to", engine.address, *profile, "--rollback", cwd=root).returncode == 0
        until(lambda: "Ida of Vik" not in get(address + "data/ida-vik.ttl")[1])
        assert first in get(address + "health")[1]
