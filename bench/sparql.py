"""Measures /sparql beside Oxigraph's own server and rdflib-endpoint: same triples, same queries, one after the other.

    python bench/sparql.py [--things 90000]      # part of `make bench`; about 11 quads for each thing

The peers are ``pip install oxigraph "rdflib-endpoint[web]" oxrdflib``, beside this Python or on the path; one that is
not there is left out. Oxigraph's server reads the very files that kg serves; rdflib-endpoint loads the default graph
into memory.
CPU is that of the whole process tree. Ratios are to Oxigraph's server.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store

# Python looks into the folder of the script first; mypy looks elsewhere.
from run import KG, copy_sources, cpu_of_tree, port_of  # type: ignore[import-not-found]

from kg import vocab
from kg.config import load
from kg.release import SEAL, STORE, Release, seal
from kg.store import embedded, stated

BASE = "http://localhost:8000/"
JSON = "application/sparql-results+json"
ROUNDS = 200
PREFIX = f"PREFIX : <{BASE}id/> PREFIX o: <{BASE}ontology#> PREFIX rdfs: <{vocab.RDFS}> "
# Each is asked about another thing every time, so that no memory of answers can help.
SMALL = {
    "lookup": "SELECT * {{ :t{n} ?p ?o }}",
    "join": "SELECT ?l {{ :t{n} o:near ?x . ?x o:near ?y . ?y rdfs:label ?l }}",
    "count": "SELECT (COUNT(*) AS ?c) {{ ?s o:near :t{n} }}",
    "filter": "SELECT ?s ?v {{ ?s o:near :t{n} ; o:size ?v FILTER(?v > 500) }}",
    "CONSTRUCT": "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ VALUES ?s {{ :t{n} }} ?s ?p ?o }}",
}
HEAVY = "SELECT (COUNT(*) AS ?c) { ?a o:near ?b . ?b o:near ?c . ?a o:size ?x . ?c o:size ?y FILTER(?x < ?y) }"
EXPORT = "SELECT ?s ?p ?o { ?s ?p ?o }"
PAGE = "SELECT ?s ?l { ?s o:near ?t . ?t o:size ?n . ?s rdfs:label ?l FILTER(?n > 500) } ORDER BY ?l LIMIT 1000"


@dataclass
class Server:
    """A server that runs: where its endpoint is, and the process to weigh."""

    port: int
    path: str
    process: subprocess.Popen[str]
    connection: http.client.HTTPConnection

    def ask(self, query: str, accept: str = JSON, more: str = "") -> bytes:
        kind = "text/turtle" if query.startswith("CONSTRUCT") else accept
        self.connection.request("GET", f"{self.path}?query={quote(PREFIX + query)}{more}", headers={"Accept": kind})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"port {self.port}: {answer.status} {body[:200]!r}")
        return body


def quads(things: int) -> Iterator[Quad]:
    """So many things with a claim each: three facts, stated in the claim's graph and in the default graph."""
    default = DefaultGraph()
    names = vocab.Names(BASE)
    document, author = NamedNode(names.document("d")), NamedNode(names.id + "author")
    kind, near, size = (NamedNode(i) for i in (vocab.RDF_TYPE, names.kg + "near", names.kg + "size"))
    thing, label = NamedNode(names.kg + "Thing"), NamedNode(vocab.RDFS_LABEL)
    said = {"speaker": author, "modality": NamedNode(names.kg + "asserted"), "basis": NamedNode(names.kg + "stated")}
    yield Quad(document, NamedNode(vocab.DCTERMS_CREATOR), author, default)
    for n in range(things):
        subject, claim = NamedNode(f"{names.id}t{n}"), NamedNode(names.claim("d", str(n)))
        other = NamedNode(f"{names.id}t{n * 7919 % things}")
        for predicate, value in ((kind, thing), (near, other), (size, Literal(n % 1000))):
            yield Quad(subject, predicate, value, default)
            yield Quad(subject, predicate, value, claim)
        yield Quad(subject, label, Literal(f"thing {n}", language="en"), default)
        yield Quad(claim, NamedNode(vocab.PROV_PRIMARY_SOURCE), document, default)
        for name, value in said.items():
            yield Quad(claim, NamedNode(names.kg + name), value, default)


def make_release(scratch: Path, things: int) -> Release:
    """The default dataset's release with another store in it, sealed again."""
    subprocess.run([*KG, "build"], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    config = load(scratch)
    built = Release.open(config.releases / "current")
    staged = config.releases / ".bench"
    shutil.copytree(built.path, staged, ignore=shutil.ignore_patterns(STORE, SEAL))
    embedded.write(staged / STORE, quads(things))
    stated.write(staged / STORE, {vocab.Names(BASE).claim("d", str(n)) for n in range(things)})
    return seal(staged, config, replace(built.manifest, title="A release for measuring"))


@contextmanager
def running(command: list[str], cwd: Path, path: str, port: int | None) -> Iterator[Server]:
    quiet = subprocess.DEVNULL if port else subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = port or port_of(process)
            until_it_listens(found, process)
            with closing(http.client.HTTPConnection("127.0.0.1", found, timeout=300)) as connection:
                yield Server(found, path, process, connection)
        finally:
            process.terminate()


class Ended(Exception):
    """A server ended, or never listened."""


def until_it_listens(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Ended(f"it does not listen on port {port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def installed(name: str) -> str | None:
    return shutil.which(str(Path(sys.executable).parent / name)) or shutil.which(name)


def servers(scratch: Path, release: Release) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and starter of each server that is installed."""
    oxigraph, rdflib_endpoint = installed("oxigraph"), installed("rdflib-endpoint")
    yield "kg", lambda: running([*KG, "serve", "--port", "0", "--workers", "1"], scratch, "/sparql", None)
    if oxigraph:
        port = free_port()
        command = [oxigraph, "serve-read-only", "-l", str(release.store_path), "-b", f"127.0.0.1:{port}"]
        yield "oxigraph", lambda: running(command, scratch, "/query", port)
    if rdflib_endpoint:
        facts = scratch / "facts.nt"
        Store.read_only(str(release.store_path)).dump(str(facts), format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph())
        other = free_port()
        start = [rdflib_endpoint, "serve", "--host", "127.0.0.1", "--port", str(other)]
        yield "rdflib-endpoint", lambda: running([*start, "--store", "Oxigraph", str(facts)], scratch, "/", other)


def measure(server: Server, things: int, *, ours: bool, heavy: bool) -> dict[str, float]:
    """Figures by name; the unit is part of the name."""
    found: dict[str, float] = {}
    for name, query in SMALL.items():
        found[f"{name}, CPU ms"], times = small(server, lambda n, q=query: q.format(n=n * 7 % things))  # type: ignore[misc]
        found[f"{name}, p50 ms"] = statistics.median(times)
        found[f"{name}, p99 ms"] = sorted(times)[len(times) * 99 // 100]
    found["lookup again, CPU ms"], _ = small(server, lambda _: SMALL["lookup"].format(n=1))
    if heavy:
        found["heavy join, s"] = seconds(lambda: server.ask(HEAVY))
        found["export, first byte ms"], found["export, MB/s"] = export(server)
        found["join of 1,000 rows, ms"] = 1000 * seconds(lambda: server.ask(PAGE + f" #{time.monotonic()}"))
        if ours:
            asked = seconds(lambda: server.ask(PAGE + f" #{time.monotonic()}", more="&evidence=true"))
            found["the same with footnotes, ms"] = 1000 * asked
    return found


def small(server: Server, query: Callable[[int], str]) -> tuple[float, list[float]]:
    """CPU milliseconds of a request, and how long each took."""
    for n in range(20):
        server.ask(query(n))
    before, times = cpu_of_tree(server.process), []
    for n in range(20, 20 + ROUNDS):
        start = time.perf_counter()
        server.ask(query(n))
        times.append(1000 * (time.perf_counter() - start))
    return 1000 * (cpu_of_tree(server.process) - before) / ROUNDS, times


def seconds(act: Callable[[], object]) -> float:
    figures = []
    for _ in range(3):
        start = time.perf_counter()
        act()
        figures.append(time.perf_counter() - start)
    return statistics.median(figures)


def export(server: Server) -> tuple[float, float]:
    start = time.perf_counter()
    server.connection.request("GET", f"{server.path}?query={quote(EXPORT)}", headers={"Accept": "text/csv"})
    answer = server.connection.getresponse()
    size = len(answer.read(1))
    first = time.perf_counter() - start
    while part := answer.read(1 << 18):
        size += len(part)
    return 1000 * first, size / (time.perf_counter() - start) / 1e6


def table(things: int) -> None:
    """Measure every server, and print the table."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as folder:
        scratch = copy_sources(Path(folder))
        limits = "\n[query]\ndeadline = 60\n\n[serve]\nseconds = 0\nat_once = 0\n"
        (scratch / "kg.toml").write_text((scratch / "kg.toml").read_text(encoding="utf-8") + limits, encoding="utf-8")
        release = make_release(scratch, things)
        for name, start in servers(scratch, release):
            try:
                with start() as server:  # type: ignore[attr-defined]
                    figures[name] = measure(server, things, ours=name == "kg", heavy=name != "rdflib-endpoint")
            except Ended as e:
                print(f"{name} is left out: {e}")
    print(f"\n/sparql over {things:,} things ({11 * things:,} quads)")
    print(f"{'':<28}" + "".join(f"{name:>17}" for name in figures) + "   kg : oxigraph")
    for what in figures["kg"]:
        cells = [f"{figures[n][what]:>17.2f}" if what in figures[n] else f"{'':>17}" for n in figures]
        peer = figures.get("oxigraph", {}).get(what)
        print(f"{what:<28}" + "".join(cells) + (f"{figures['kg'][what] / peer:>16.2f}" if peer else ""))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures /sparql beside its peers.")
    parser.add_argument("--things", type=int, default=90_000)
    table(parser.parse_args().things)
