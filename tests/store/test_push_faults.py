"""What comes between while a release is pushed: another push, a rollback, a lossy store, a damaged release."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.store.test_push import BASE, Interrupted, current, push

from kg import push as pushing
from kg.errors import EndpointError, PushError, ReleaseError
from kg.push import rollback
from kg.query.base import Query
from kg.query.remote import RemotePool
from kg.release import Release
from kg.store import slots
from kg.store.endpoint import Endpoint


def empty_other(endpoint: Endpoint) -> slots.Slot:
    """Have the slot that is idle loaded anew by the next push."""
    idle = next(s for s in slots.read(endpoint, BASE).values() if not s.current).slot
    slots.write(endpoint, idle, digest="", state="")
    return idle


def is_whole(endpoint: Endpoint, expected: Release) -> bool:
    """Whether the slot that is current has exactly the quads of a release."""
    state = current(endpoint)
    assert state is not None
    prefix, default = state.slot.prefix, state.slot.default
    text = f'{{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), "{prefix}") || STR(?g) = "{default}") }}'
    (row,) = endpoint.rows(f"SELECT (COUNT(*) AS ?n) {text}")
    quads = (expected.path / "dumps/all.nq").read_bytes().count(b"\n")
    return state.version == expected.version and int(row[0].value) == quads


@pytest.mark.parametrize("moment", ["takes out", "quads", "graphs have", "questions are"])
def test_a_push_that_another_one_overtook_changes_nothing_more(  # noqa: PLR0917 - fixtures
    moment: str, endpoint: Endpoint, release: Release, other: Release, third: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(other, endpoint)
    push(release, endpoint)
    empty_other(endpoint)
    monkeypatch.setattr("kg.push.BULK", 400)
    monkeypatch.setattr("kg.push.NOTED", 1)
    overtaken: list[str] = []

    def overtake(line: str) -> None:
        if moment in line and not overtaken:
            overtaken.append(line)
            push(third, endpoint)

    with pytest.raises(PushError, match="taken by another push"):
        push(other, endpoint, overtake)
    assert overtaken
    assert is_whole(endpoint, third)
    assert rollback(endpoint, BASE).version == release.version
    assert is_whole(endpoint, release)


@pytest.mark.parametrize("faster", ["a push", "a rollback"])
def test_what_became_current_while_a_push_began_is_left_alone(  # noqa: PLR0917 - fixtures
    faster: str, endpoint: Endpoint, release: Release, other: Release, third: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(third, endpoint)
    push(release, endpoint)
    count = pushing._counts

    def counting(counted: Release) -> Counter[str]:
        monkeypatch.setattr(pushing, "_counts", count)
        if faster == "a push":
            push(third, endpoint)
        else:
            rollback(endpoint, BASE)
        return count(counted)

    monkeypatch.setattr(pushing, "_counts", counting)
    with pytest.raises(PushError, match="taken by another push"):
        push(other, endpoint)
    assert is_whole(endpoint, third)


def test_what_a_store_lost_of_a_push_that_was_interrupted_is_loaded_again(
    endpoint: Endpoint, release: Release, other: Release
) -> None:
    push(release, endpoint)
    idle = empty_other(endpoint)

    def stop(line: str) -> None:
        if "graphs have" in line:
            raise Interrupted

    with pytest.raises(Interrupted):
        push(other, endpoint, stop)
    endpoint.update(f"DELETE WHERE {{ GRAPH <{idle.prefix}{BASE}claim/courier/1> {{ ?s ?p ?o }} }}")
    assert push(other, endpoint) == idle
    assert is_whole(endpoint, other)


@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_release_that_is_damaged_while_it_is_pushed_does_not_become_current(
    damage: str, endpoint: Endpoint, release: Release, other: Release, tmp_path: Path
) -> None:
    push(release, endpoint)
    empty_other(endpoint)
    copy = tmp_path / other.version
    shutil.copytree(other.path, copy)
    dump = copy / "dumps/all.nq"

    def break_it(line: str) -> None:
        if "quads" in line and dump.exists():
            dump.write_text(dump.read_text().replace("Ida of Vik", "Ida at Vik"))
            if damage == "removed":
                dump.unlink()

    with pytest.raises(ReleaseError, match=r"all\.nq: (was changed|is missing)"):
        push(Release.open(copy), endpoint, break_it)
    state = current(endpoint)
    assert state is not None
    assert state.version == release.version


def test_a_question_that_the_network_lost_is_asked_again(
    endpoint: Endpoint, release: Release, other: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(release, endpoint)
    empty_other(endpoint)
    run, lost = RemotePool.run, [EndpointError("lost")]

    def losing(self: RemotePool, query: Query, **options: Any) -> Any:
        if lost:
            raise lost.pop()
        return run(self, query, **options)

    monkeypatch.setattr(RemotePool, "run", losing)
    lines: list[str] = []
    push(other, endpoint, lines.append)
    assert any(line.endswith("is asked again: lost") for line in lines)
    assert any("2 of 2 questions are answered as in the release" in line for line in lines)
