"""Measures /sparql beside other servers: same triples, same queries, one server after the other.

    python bench/sparql.py [--things 90000] [--rounds 2000]      # part of `make bench`; 11 quads for each thing

The peers are those of ``bench/peers.py`` that are installed. With 90,000 things, 1M quads are on disk. CPU and memory
are those of the whole process tree; requests are sent over one connection, one after the other, and each asks about
another thing, so that no memory of answers can help. Ratios are kg to its peer: below 1, kg is better.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from peers import Ended, Server, servers  # type: ignore[import-not-found]
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

# Python looks into the folder of the script first; mypy looks elsewhere.
from run import KG, copy_sources, cpu_of_tree, family_of  # type: ignore[import-not-found]

from kg import vocab
from kg.config import load
from kg.release import SEAL, STORE, Release, seal
from kg.store import embedded, stated

BASE = "http://localhost:8000/"
PREFIX = f"PREFIX : <{BASE}id/> PREFIX o: <{BASE}ontology#> PREFIX rdfs: <{vocab.RDFS}> "
SMALL = {
    "lookup": "SELECT * {{ :t{n} ?p ?o }}",
    "join": "SELECT ?l {{ :t{n} o:near ?x . ?x o:near ?y . ?y rdfs:label ?l }}",
    "count": "SELECT (COUNT(*) AS ?c) {{ ?s o:near :t{n} }}",
    "filter": "SELECT ?s ?v {{ ?s o:near :t{n} ; o:size ?v FILTER(?v > 500) }}",
    "CONSTRUCT": "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ VALUES ?s {{ :t{n} }} ?s ?p ?o }}",
}
HEAVY = "SELECT (COUNT(*) AS ?n) { ?a o:near ?b . ?b o:near ?c . ?a o:size ?x . ?c o:size ?y FILTER(?x < ?y) }"
RUNAWAY = "SELECT * { ?a o:near ?b . ?c o:size ?d FILTER(STRLEN(STR(?a)) > ?d + 5000) }"  # needs hardly any memory
EXPORT = "SELECT ?s ?p ?o { ?s ?p ?o }"
# First pages of 1,000 rows, from the cheapest that there is to one for which everything has to be sorted.
PAGES = {
    "scan": "SELECT ?s ?t { ?s o:near ?t } LIMIT 1000",
    "join": "SELECT ?s ?l { ?s o:near ?t . ?t o:size ?n . ?s rdfs:label ?l FILTER(?n > 500) } LIMIT 1000",
    "optional": "SELECT ?s ?n ?t { ?s o:size ?n OPTIONAL { ?s o:near ?t } FILTER(?n > 10) } LIMIT 1000",
    "sorted": "SELECT ?s ?l { ?s o:near ?t . ?t o:size ?n . ?s rdfs:label ?l FILTER(?n > 500) } ORDER BY ?l LIMIT 1000",
}
BLOCK = 400  # requests to one server before it is the next one's turn
Figures = dict[str, float]
Noted = tuple[str, float, float, float, float]


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


def measure(running: Mapping[str, Server], things: int, rounds: int) -> dict[str, Figures]:
    """Of each server its figures by name; the unit is part of the name.

    What is small is asked of all in turns, a block at a time, so that a machine that is slow for a while is so for all.
    """
    found: dict[str, Figures] = {name: {} for name in running}
    for what, query in SMALL.items():
        small(running, found, what, lambda n, q=query: q.format(n=n * 7 % things), rounds)  # type: ignore[misc]
    again: dict[str, Figures] = {name: {} for name in running}
    small(running, again, "again", lambda _: SMALL["lookup"].format(n=1), rounds)
    for name in running:
        found[name]["lookup again: CPU ms"] = again[name]["again: CPU ms"]
    # rdflib-endpoint takes minutes for what follows.
    quick = {name: server for name, server in running.items() if name != "rdflib-endpoint"}
    for name, (wall, cpu) in costs(quick, HEAVY, 6).items():
        found[name] |= {"heavy join: s": wall, "heavy join: CPU s": cpu}
    exported: dict[str, list[Figures]] = {name: [] for name in quick}
    for _ in range(3):
        for name, server in quick.items():
            exported[name].append(export(server))
    for name, figures in exported.items():
        found[name] |= {what: statistics.median(each[what] for each in figures) for what in figures[0]}
    for page, query in PAGES.items():
        for name, (wall, cpu) in costs(quick, query, 15).items():
            found[name] |= {f"1,000 rows, {page}: ms": 1000 * wall, f"1,000 rows, {page}: CPU ms": 1000 * cpu}
    for name, server in running.items():
        found[name]["peak memory: MB"] = peak(server)
    return found


def footnotes(server: Server) -> list[Noted]:
    """Of each first page: wall and CPU in ms, plain and with footnotes."""
    found = []
    for name, query in PAGES.items():
        plain = costs({"": server}, query, 15)[""]
        noted = costs({"": server}, query, 15, more="&evidence=true")[""]
        found.append((name, 1000 * plain[0], 1000 * plain[1], 1000 * noted[0], 1000 * noted[1]))
    return found


def different(query: str) -> str:
    """The same query as another text, which no server remembers."""
    return f"{query} #{time.monotonic_ns()}"


def ask(server: Server, query: str, more: str = "") -> bytes:
    accept = ("text/turtle",) if query.startswith("CONSTRUCT") else ()
    return bytes(server.ask(PREFIX + query, *accept, more=more))


def small(
    running: Mapping[str, Server], found: Mapping[str, Figures], what: str, query: Callable[[int], str], rounds: int
) -> None:
    """Put the figures of a small query into ``found``."""
    cpu, times = dict.fromkeys(running, 0.0), {name: list[float]() for name in running}
    for first in range(0, rounds, BLOCK):
        for name, server in running.items():
            for n in range(20):
                ask(server, query(first + n))
            before = cpu_of_tree(server.process)
            for n in range(first + 20, first + 20 + BLOCK):
                start = time.perf_counter()
                ask(server, query(n))
                times[name].append(1000 * (time.perf_counter() - start))
            cpu[name] += cpu_of_tree(server.process) - before
    for name, taken in times.items():
        found[name][f"{what}: CPU ms"] = 1000 * cpu[name] / len(taken)
        found[name][f"{what}: requests/s"] = 1000 * len(taken) / sum(taken)
        found[name][f"{what}: p50 ms"] = statistics.median(taken)
        found[name][f"{what}: p99 ms"] = sorted(taken)[len(taken) * 99 // 100]


def kills(server: Server) -> list[tuple[float, float]]:
    """Of queries that run over a deadline of 1 s: ms from there to the answer, and from that to a new idle worker."""
    metrics = f"http://127.0.0.1:{server.port}/metrics"

    def idle() -> str:
        with urllib.request.urlopen(metrics) as answer:
            return next(str(line) for line in answer.read().decode().splitlines() if 'state="idle"' in line)

    ask(server, SMALL["lookup"].format(n=1))
    all_idle, found = idle(), []
    for _ in range(20):
        start = time.perf_counter()
        answer = server.send(PREFIX + different(RUNAWAY), more="&timeout=1")
        answer.read()
        told = time.perf_counter()
        if answer.status != 503 or told - start < 1:
            raise Ended(f"a query that never ends was answered with {answer.status} after {told - start:.2f} s")
        while idle() != all_idle:
            time.sleep(0.001)
        found.append((1000 * (told - start - 1), 1000 * (time.perf_counter() - told)))
    return found


def costs(running: Mapping[str, Server], query: str, rounds: int, more: str = "") -> dict[str, tuple[float, float]]:
    """Seconds on the clock and of CPU, medians of so many rounds."""
    walls: dict[str, list[float]] = {name: [] for name in running}
    cpus: dict[str, list[float]] = {name: [] for name in running}
    for server in running.values():
        ask(server, different(query), more)
    for _ in range(rounds):
        for name, server in running.items():
            before, start = cpu_of_tree(server.process), time.perf_counter()
            ask(server, different(query), more)
            walls[name].append(time.perf_counter() - start)
            cpus[name].append(cpu_of_tree(server.process) - before)
    return {name: (statistics.median(walls[name]), statistics.median(cpus[name])) for name in running}


def export(server: Server) -> Figures:
    """One answer of all triples, as CSV."""
    before, start = cpu_of_tree(server.process), time.perf_counter()
    answer = server.send(PREFIX + EXPORT, "text/csv")
    size = len(answer.read(1))
    first = time.perf_counter() - start
    while part := answer.read(1 << 18):
        size += len(part)
    seconds = time.perf_counter() - start
    return {
        "export: first byte ms": 1000 * first,
        "export: MB/s": size / seconds / 1e6,
        "export: CPU s": cpu_of_tree(server.process) - before,
    }


def peak(server: Server) -> float:
    """Megabytes that the processes of a server have held at most, summed; pages that they share count for each."""
    total = 0
    for pid in family_of(server.process):
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return total / 1024


def table(things: int, rounds: int) -> None:
    """Measure every server, and print the tables."""
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as folder, ExitStack() as stack:
        scratch = copy_sources(Path(folder))
        limits = "\n[query]\ndeadline = 60\n\n[serve]\nseconds = 0\nat_once = 0\n"
        (scratch / "kg.toml").write_text((scratch / "kg.toml").read_text(encoding="utf-8") + limits, encoding="utf-8")
        release = make_release(scratch, things)
        running: dict[str, Server] = {}
        for name, start in servers(scratch, release):
            try:
                running[name] = stack.enter_context(start())
            except Ended as e:
                print(f"{name} is left out: {e}")
        figures = measure(running, things, rounds)
        notes, ended = footnotes(running["kg"]), kills(running["kg"])
    peers = [name for name in figures if name != "kg"]
    print(f"\n/sparql over {things:,} things ({11 * things:,} quads)")
    print(f"{'':<28}" + "".join(f"{name:>17}" for name in figures) + "".join(f"{'kg : ' + name:>22}" for name in peers))
    for what, ours in figures["kg"].items():
        cells = [f"{figures[n][what]:>17.2f}" if what in figures[n] else f"{'':>17}" for n in figures]
        ratios = [f"{ours / theirs:>22.2f}" if (theirs := figures[n].get(what)) else f"{'':>22}" for n in peers]
        print(f"{what:<28}{''.join(cells)}{''.join(ratios)}")
    print(f"\n{'first 1,000 rows, footnotes':<28}{'plain ms':>17}{'CPU':>9}{'with ms':>17}{'CPU':>9}", end="")
    print(f"{'ratio':>9}{'CPU':>9}")
    for name, wall, cpu, noted, noted_cpu in notes:
        ratios = [
            f"{wanted / plain:>9.2f}" if plain else f"{'':>9}" for wanted, plain in ((noted, wall), (noted_cpu, cpu))
        ]
        print(f"{name:<28}{wall:>17.2f}{cpu:>9.2f}{noted:>17.2f}{noted_cpu:>9.2f}{''.join(ratios)}")
    for what, times in zip(("a deadline to its 503", "its 503 to a new worker"), zip(*ended, strict=True), strict=True):
        print(f"from {what}: median {statistics.median(times):.0f} ms, longest of {len(times)}: {max(times):.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures /sparql beside its peers.")
    parser.add_argument("--things", type=int, default=90_000)
    parser.add_argument("--rounds", type=int, default=2000)
    given = parser.parse_args()
    table(given.things, given.rounds)
