"""Sources as an attack: one clear line and exit code 1, within a gigabyte and ten seconds of CPU, and no network.

Each case is a process of its own, which is measured when it has ended.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse
from tests.build.attacks import CASES, CLAIMS, LABELS, MILLION, QUICK, question
from tests.build.changes import added

from kg.build import check
from kg.build.limit import MOST
from kg.build.parse import read_rdf
from kg.config import load
from kg.errors import SourceError
from kg.model import Severity

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1_000_000
"""Kilobytes that a build may take at most."""
SECONDS = 10


class Listener:
    """Counts whoever connects."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.hits += 1

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def build(project: Path, *options: str) -> tuple[int, str]:
    """Build in a process: exit code and what it said. Fails if it took too much."""
    said = project.parent / "said"
    with said.open("wb") as output:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "kg.cli", "--project", str(project), "build", *options],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)],
        )
        _, status, used = os.wait4(pid, 0)
    text = said.read_text(encoding="utf-8", errors="replace")
    assert used.ru_maxrss < MEMORY, used.ru_maxrss
    # What it has waited for counts too: its children's seconds are in its own.
    assert used.ru_utime + used.ru_stime < SECONDS
    assert "Traceback" not in text
    return os.waitstatus_to_exitcode(status), text


def refused(case: str, project: Path, listener: Listener) -> None:
    damage, pattern = CASES[case]
    damage(project)
    for path in project.rglob("*"):
        if path.is_file() and path.stat().st_size < MILLION and b"{url}" in (text := path.read_bytes()):
            path.write_bytes(text.replace(b"{url}", listener.url.encode()))
    code, said = build(project)
    assert code == 1
    assert re.search("^" + pattern, said, re.MULTILINE), said[:1000]
    assert listener.hits == 0
    assert not (project / "releases").exists()


@pytest.mark.parametrize("case", QUICK)
def test_an_attack_gets_one_clear_line(case: str, starter: Path, listener: Listener) -> None:
    refused(case, starter, listener)


@pytest.mark.soak
@pytest.mark.parametrize("case", [case for case in CASES if case not in QUICK])
def test_every_attack_gets_one_clear_line(case: str, starter: Path, listener: Listener) -> None:
    refused(case, starter, listener)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["compiled", "pyshacl"])
def test_imports_and_contexts_and_graphs_of_elsewhere_are_never_fetched(
    engine: str, starter: Path, listener: Listener
) -> None:
    owl = "<http://www.w3.org/2002/07/owl#{}>"
    imports = f"<{{}}x> a {owl.format('Ontology')} ; {owl.format('imports')} <{listener.url}o.ttl> .\n"
    for folder in ("ontology", "shapes"):
        added(f"{folder}/imports.ttl", imports.format(folder + "/"))(starter)
    question(f"SELECT * FROM <{listener.url}> FROM NAMED <{listener.url}n> {{ GRAPH ?g {{ ?s ?p ?o }} }}")(starter)
    added(LABELS, f"@base <{listener.url}> . <x> rdfs:label 'somebody else'@en .\n")(starter)
    code, said = build(starter, "--engine", engine)
    assert code in (0, 1), said
    assert listener.hits == 0


@pytest.mark.soak
def test_ten_thousand_classes_that_are_all_below_each_other_build(starter: Path) -> None:
    below = "<ontology#T{}> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <ontology#T{}> .\n"
    added("ontology/more.ttl", "".join(below.format(n, (n + 1) % 10_000) for n in range(10_000)))(starter)
    assert build(starter)[0] == 0


@pytest.mark.soak
def test_twenty_thousand_values_of_one_thing_build(starter: Path) -> None:
    values = " , ".join(f'"{n}"^^<http://www.w3.org/2001/XMLSchema#integer>' for n in range(20_000))
    added(CLAIMS, f"claim:1 {{ :kg schema:position {values} }}\n")(starter)
    assert build(starter)[0] == 0


@pytest.mark.soak
def test_a_loop_of_folders_is_walked_once(starter: Path) -> None:
    (starter / "ontology/loop").symlink_to("..")
    assert build(starter)[0] == 0


def test_of_thousands_of_errors_the_first_are_listed_and_the_last_line_says_so(starter: Path) -> None:
    added(CLAIMS, "".join(f"claim:1 kg:t{n} :x{n} .\n" for n in range(3000)))(starter)
    findings = check(load(starter)).findings
    assert [f.rule for f in findings] == ["unknown-term"] * MOST + ["more"]
    last = f"{CLAIMS}:1025: error: there are more than 1000 errors: those from here on are not listed"
    assert str(findings[-1]) == last


def test_results_of_a_shape_beyond_the_first_keep_their_severity(starter: Path) -> None:
    added(CLAIMS, "".join(f'claim:1 <http://purl.org/dc/terms/created> "{n}" .\n' for n in range(1500)))(starter)
    findings = check(load(starter)).findings
    assert len(findings) == MOST + 1
    assert {f.severity for f in findings} == {Severity.ERROR}


def test_a_byte_order_mark_changes_nothing(starter: Path, tmp_path: Path) -> None:
    plain = read_rdf(starter / CLAIMS, CLAIMS, "http://localhost:8000/", [])
    (starter / CLAIMS).write_bytes(b"\xef\xbb\xbf" + (starter / CLAIMS).read_bytes())
    marked = read_rdf(starter / CLAIMS, CLAIMS, "http://localhost:8000/", [])
    assert [str(q.quad) for q in marked] == [str(q.quad) for q in plain]


def test_a_file_cut_at_any_byte_is_refused_or_was_cut_between_statements(starter: Path) -> None:
    base = "http://localhost:8000/"
    path = starter / CLAIMS
    whole = path.read_bytes()
    head = b"".join(line for line in whole.splitlines(keepends=True) if line.startswith(b"@prefix"))
    everything = [str(q) for q in parse(whole, format=RdfFormat.TRIG, base_iri=base)]
    taken = 0
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with suppress(SourceError):
            found = [str(q.quad) for q in read_rdf(path, CLAIMS, base, [])]
            taken += 1
            # What was read is what stands there: the rest of the file, read alone, has all that is missing.
            in_comment = whole[:size].rpartition(b"\n")[2].startswith(b"#")
            rest = head + b"#" * in_comment + whole[size:]
            assert found + [str(q) for q in parse(rest, format=RdfFormat.TRIG, base_iri=base)] == everything, size
    assert 3 < taken < len(whole) / 2


@pytest.mark.soak
def test_a_project_cut_at_any_byte_builds_or_says_what_is_wrong(starter: Path) -> None:
    for file in (CLAIMS, LABELS, "data/documents/about-kg.ttl", "kg.toml"):
        whole = (starter / file).read_bytes()
        for size in range(0, len(whole), 97):
            (starter / file).write_bytes(whole[:size])
            code, said = build(starter)
            assert code in (0, 1), (file, size)
            assert code == 0 or re.search(r"error|kg: ", said), (file, size)
            shutil.rmtree(starter / "releases", ignore_errors=True)
        (starter / file).write_bytes(whole)
