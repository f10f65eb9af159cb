"""The event stream: whoever follows it from its first node has the dataset, and what became of it."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, parse
from tests.patience import PATIENCE, until

from kg import build, vocab
from kg.config import load
from kg.diff import owner_of
from kg.model import value_of
from kg.release import Release, activate
from kg.site.pages import stream
from kg.site.pages.stream import AS, LDES, TREE

ROOT = Path(__file__).resolve().parents[2]
BASE = "http://localhost:8000/"
CLAIMS = "data/claims/about-kg.trig"
MORE = """
claim:3 { :python a schema:ComputerLanguage . }
claim:3 a kg:Claim ; rdfs:label "Python is a language."@en ; kg:speaker :kg-authors ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:about-kg ; kg:quote "in Python" .
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> list[Release]:
    """Three releases: claim 1 is reworded in the second, claim 2 gone and claim 3 new in the third."""
    root = tmp_path_factory.mktemp("stream") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    source = (root / CLAIMS).read_text(encoding="utf-8")
    reworded = source.replace("The program kg is made", "The program called kg is made")
    made = []
    for text in (source, reworded, reworded[: reworded.index("# A plan")] + MORE):
        (root / CLAIMS).write_text(text, encoding="utf-8")
        release, findings = build.build(load(root))
        assert release is not None, findings
        made.append(release)
    return made


@pytest.fixture(scope="module")
def address(kept: list[Release], serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve(kept[0].path.parents[1]) as started:
        yield started


def get(address: str, iri: str, accept: str = "application/trig") -> tuple[list[Quad], Any]:
    """The quads behind an IRI of the release, asked of the server that is at hand."""
    url = address + iri.removeprefix(BASE)
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=PATIENCE) as answer:
        formats = {"application/trig": RdfFormat.TRIG, "application/n-quads": RdfFormat.N_QUADS}
        return list(parse(answer.read(), format=formats[answer.headers.get_content_type()])), answer.headers


def go_to(release: Release, address: str) -> None:
    """Make a release current, and wait until the server shows it."""
    activate(release.path.parent, release.version)

    def served() -> str:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return str(answer.headers["Kg-Release"])

    until(lambda: served() == release.version)


def values(quads: Iterable[Quad], subject: str, predicate: str) -> list[str]:
    own = NamedNode(subject)
    return [value_of(q.object) for q in quads if q.subject == own and q.predicate.value == predicate]


def walk(address: str) -> tuple[str, list[Quad]]:
    """Everything that can be reached from the first node by ``tree:relation``, as a client of TREE does it."""
    waiting, seen, quads = [f"{BASE}releases/stream"], set(), []
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        found, _ = get(address, node)
        quads += found
        relations = values(found, node, TREE + "relation")
        waiting += [target for relation in relations for target in values(found, relation, TREE + "node")]
    (events,) = {value_of(q.subject) for q in quads if q.object == NamedNode(LDES + "EventStream")}
    return events, quads


def state(events: str, quads: list[Quad]) -> set[Quad]:
    """The newest version of each object, under its own name: what the stream's own description says to do."""
    published, sequence, of = (
        values(quads, events, LDES + f"{p}Path")[0] for p in ("timestamp", "sequence", "versionOf")
    )
    deleted = values(quads, events, LDES + "versionDeleteObject")[0]
    newest: dict[str, tuple[str, str, str]] = {}
    members = set(values(quads, events, TREE + "member"))
    envelope = {published, sequence, of}
    by_subject: dict[str, list[Quad]] = {}
    for q in quads:
        by_subject.setdefault(str(q.subject).strip("<>"), []).append(q)
    for member in members:
        (thing,) = values(by_subject[member], member, of)
        (when,) = values(by_subject[member], member, published)
        (number,) = values(by_subject[member], member, sequence)
        newest[thing] = max(newest.get(thing, ("", "", "")), (when, number, member))
    things = {member: thing for thing, (*_, member) in newest.items()}
    gone = {m for m in things if deleted in values(by_subject[m], m, vocab.RDF_TYPE)}

    def back(node: Any) -> Any:
        if isinstance(node, NamedNode):
            member, hash_, rest = node.value.partition("#")
            whole = things.get(node.value)
            return NamedNode(whole) if whole else NamedNode(things[member] + hash_ + rest) if member in things else node
        return node

    found = set()
    for q in quads:
        graph = q.graph_name.value if isinstance(q.graph_name, NamedNode) else ""
        owner = graph or (q.subject.value if isinstance(q.subject, NamedNode) else "")
        owner = owner if owner in members else owner.partition("#")[0]
        if owner not in things or owner in gone or q.predicate.value in envelope:
            continue
        if q.predicate.value == vocab.RDF_TYPE and isinstance(q.object, NamedNode) and q.object.value.startswith(AS):
            continue
        found.add(Quad(back(q.subject), q.predicate, back(q.object), back(q.graph_name)))
    return found


def says(address: str, events: str, wanted: set[Quad]) -> bool:
    return state(events, walk(address)[1]) == wanted


def dataset(release: Release) -> set[Quad]:
    """What a release says of IRIs of ours, without the graph that repeats what background claims say."""
    quads = parse(path=str(release.path / "dumps/all.nq"), format=RdfFormat.N_QUADS)
    return {
        q
        for q in quads
        if owner_of(q).startswith(BASE)
        and (q.graph_name == DefaultGraph() or q.graph_name.value.startswith(f"{BASE}claim/"))
    }


def test_whoever_follows_the_stream_has_the_dataset(kept: list[Release], address: str) -> None:
    events, quads = walk(address)
    assert state(events, quads) == dataset(kept[-1])


def test_members_say_what_became_of_a_claim(kept: list[Release], address: str) -> None:
    _, quads = walk(address)
    kinds: dict[str, Counter[str]] = {}
    for q in quads:
        if q.predicate.value == AS + "object":
            thing = str(q.object).strip("<>").removeprefix(BASE)
            kind = next(k for k in values(quads, str(q.subject).strip("<>"), vocab.RDF_TYPE) if k.startswith(AS))
            kinds.setdefault(thing, Counter())[kind.removeprefix(AS)] += 1
    assert kinds["claim/about-kg/1"]["Create"] == 1
    assert kinds["claim/about-kg/1"]["Update"] >= 1
    assert {name for name, counted in kinds.items() if counted["Delete"]} >= {"claim/about-kg/2"}


def test_a_page_never_changes_and_says_so(kept: list[Release], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{BASE}releases/{kept[1].version}/stream/{kept[0].version}/1"
    quads, headers = get(address, path)
    assert values(quads, path, LDES + "immutable") == ["true"]
    assert "immutable" in headers["Cache-Control"]
    assert headers["ETag"]
    assert "Accept" in headers["Vary"]
    again, _ = get(address, path + ".nq")
    assert set(again) == set(quads)


def test_pages_are_bounded_and_lead_to_the_next(kept: list[Release], address: str) -> None:
    path = f"{BASE}releases/{kept[0].version}/stream/beginning/1"
    quads, _ = get(address, path)
    assert len(values(quads, f"{BASE}releases/stream#events", TREE + "member")) == stream.MEMBERS
    (relation,) = values(quads, path, TREE + "relation")
    assert values(quads, relation, TREE + "node") == [path[:-1] + "2"]


def test_who_has_read_the_stream_learns_that_a_release_was_gone_back_to(kept: list[Release], address: str) -> None:
    folder = kept[0].path.parent
    for _ in range(2):  # there and forth again, twice: no step is taken for one before it
        for wanted in (kept[0], kept[-1]):
            events, before = walk(address)
            activate(folder, wanted.version)
            until(partial(says, address, events, dataset(wanted)))
            _, quads = walk(address)
            # Nothing that a follower has read is gone, or says something else.
            members = set(values(before, events, TREE + "member"))
            assert members < set(values(quads, events, TREE + "member"))
            assert {q for q in before if owner_of(q) in members} <= set(quads)


def test_a_step_that_was_never_taken_has_no_page(kept: list[Release], address: str) -> None:
    path = f"releases/{kept[0].version}/stream/{kept[1].version}/20200101T000000000000Z/1"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address + path, timeout=PATIENCE)
    refused.value.close()
    assert refused.value.code == 404


def test_the_feed_and_the_time_gate_say_which_release_was_current_when(kept: list[Release], address: str) -> None:
    go_to(kept[0], address)
    try:
        with urllib.request.urlopen(f"{address}releases/feed.atom", timeout=PATIENCE) as answer:
            feed = answer.read().decode()
        assert f"{kept[0].version} in place of {kept[-1].version}</title>" in feed
        assert len(set(re.findall("<id>.*</id>", feed))) == feed.count("<id>")
        times = re.findall("<updated>(.*)</updated>", feed)[1:]
        assert times == sorted(times, reverse=True)
        asked = urllib.request.Request(f"{address}timegate/claim/about-kg/1", method="HEAD")
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            assert kept[0].version in answer.url
    finally:
        go_to(kept[-1], address)


def test_without_a_record_of_activations_the_link_says_when(kept: list[Release], address: str) -> None:
    go_to(kept[0], address)
    record = kept[0].path.parent / ".activations"
    lines = record.read_text()
    try:
        for damaged in ("", "nonsense\n", lines[: len(lines) // 2]):
            record.write_text(damaged)
            events, quads = walk(address)
            assert state(events, quads) == dataset(kept[0])
            go_to(kept[0], address)
            assert record.read_text().endswith(f" {kept[0].version}\n")
    finally:
        record.write_text(lines)
        go_to(kept[-1], address)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stream/2000-01-01-000000000000/1", 404),
        ("stream/beginning/0", 404),
        ("stream/beginning/999", 404),
        ("stream/beginning/99999999999999999999", 404),
        ("stream/nonsense/1", 404),
        ("stream/beginning/1.exe", 404),
        ("releases/stream.ttl", 404),
    ],
)
def test_there_is_no_other_page(path: str, status: int, address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address + path, timeout=PATIENCE)
    refused.value.close()
    assert refused.value.code == status
