"""Measures pages beside other publishers: the same triples, one server after the other.

    python bench/pages.py [--documents 48] [--cache FOLDER] [--grow 100000]      # part of `make bench`

bench/publishers.py says who they are and installs them. What is not there is left out: `apt install nginx wrk`, and
Node with npm. CPU is that of all processes of a publisher, its database included; rate and latency are those of one
page that is asked for again and again, over four connections (wrk).

``--grow`` measures how the first view of a page costs more with up to so many entities than with a thousand.
What grows is the store: each look-up takes longer the more levels the files have (23 and 31 µs in one run at a thousand
and at a hundred thousand, on a machine that others used too). A page makes some 8 of them at either size, for its own
quads and for the claims behind its neighbours' times. In the index, which has the claims and labels of a page together,
it makes 9 and 10. What a page does besides stays the same.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from operator import truediv
from pathlib import Path

# Python looks into the folder of the script first; mypy looks elsewhere.
from publishers import (  # type: ignore[import-not-found]
    BASE,
    PUBLISHERS,
    Data,
    Ended,
    Publisher,
    connect,
    install,
    kg,
    prepare,
)
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.build.writing.index import write_index
from kg.config import load
from kg.fixity import file_entry
from kg.release import SEAL, STORE, Release, seal
from kg.store import embedded

INDEX = "search.sqlite"
VIEWS = 200
"""Pages, each asked for once."""

FEW = 61
"""Pages that are looked at in releases of several sizes, the first of them only to warm the server up."""

ROUNDS = 5
"""Starts of the server for each size; the figure is the median."""

AGAIN = 500
"""Requests for one page."""

SECONDS = 4


def measure(publisher: Publisher, names: list[str]) -> dict[str, float]:
    """Figures by name; the unit is part of the name."""
    found: dict[str, float] = {}
    with closing(connect(publisher)) as connection:
        for name in names[:10]:
            publisher.fetch(connection, publisher.page(name))
        found["first view, CPU ms"] = first_views(publisher, connection, names[10 : 10 + VIEWS])
        path, _ = publisher.fetch(connection, publisher.page(names[10]))
        figures = []
        for _ in range(3):
            before = publisher.cpu()
            for _ in range(AGAIN):
                publisher.fetch(connection, path)
            figures.append((publisher.cpu() - before) / AGAIN * 1000)
        found["again, CPU ms"] = statistics.median(figures)
    return found | pressed(publisher.port, path)


def first_views(publisher: Publisher, connection: http.client.HTTPConnection, names: list[str]) -> float:
    """Milliseconds of CPU for a page that nobody has asked for before."""
    before = publisher.cpu()
    for name in names:
        publisher.fetch(connection, publisher.page(name))
    return float(publisher.cpu() - before) / len(names) * 1000


def pressed(port: int, path: str) -> dict[str, float]:
    """Rate and latency under wrk, where it is installed."""
    if not shutil.which("wrk"):
        return {}
    command = ["wrk", "-t1", "-c4", f"-d{SECONDS}s", "--latency", "-H", "Accept: text/html"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True)
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    found = {"again, requests/s": float(re.findall(r"Requests/sec:\s*([\d.]+)", done.stdout)[0])}
    for share in ("50", "99"):
        value, unit = re.findall(rf"{share}%\s+([\d.]+)(us|ms|s)", done.stdout)[0]
        found[f"again, p{share} ms"] = float(value) * units[unit]
    return found


def compare(folder: Path, cache: Path, documents: int) -> None:
    """Measure every publisher, and print the table."""
    data = prepare(folder, documents)
    figures: dict[str, dict[str, float]] = {}
    for name, start in PUBLISHERS.items():
        try:
            with start(data, cache) as publisher:
                figures[name] = measure(publisher, data.entities)
        except (Ended, OSError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}")
    print(f"\npages over {data.triples:,} triples, {len(data.entities):,} entities")
    print(f"{'':<22}" + "".join(f"{name:>12}" for name in figures))
    for what in figures["kg"]:
        cells = (f"{figures[n][what]:>12.2f}" if what in figures[n] else f"{'':>12}" for n in figures)
        print(f"{what:<22}" + "".join(cells))


# Growth


def grown(things: int) -> Iterator[Quad]:
    """So many things with a claim each: what a page reads, evidence, links and times included."""
    default, names = DefaultGraph(), vocab.Names(BASE)
    document, author = NamedNode(names.document("d")), NamedNode(names.id + "author")
    kind, near, day = (NamedNode(i) for i in (vocab.RDF_TYPE, names.kg + "near", vocab.SCHEMA + "startDate"))
    date = NamedNode(vocab.XSD + "date")
    said = {"speaker": author, "modality": NamedNode(names.kg + "asserted"), "basis": NamedNode(names.kg + "stated")}
    yield Quad(document, NamedNode(vocab.DCTERMS_CREATOR), author, default)
    for n in range(things):
        subject, claim = NamedNode(f"{names.id}t{n}"), NamedNode(names.claim("d", str(n)))
        passage = NamedNode(f"{BASE}passage/d/{n * 10}-{n * 10 + 9}")
        facts: list[tuple[NamedNode, NamedNode | Literal]] = [(kind, NamedNode(f"{names.kg}Kind{n % 20}"))]
        facts += [(near, NamedNode(f"{names.id}t{other % things}")) for other in (n * 7919 + 1, n * 104_729 + 2)]
        facts += [(day, Literal(f"20{n % 100:02}-0{n % 9 + 1}-1{n % 10}", datatype=date))]
        for predicate, value in facts:
            yield Quad(subject, predicate, value, default)
            yield Quad(subject, predicate, value, claim)
        for thing in dict.fromkeys((subject, *(value for predicate, value in facts if predicate == near))):
            yield Quad(claim, NamedNode(names.kg + "mentions"), thing, default)
        yield Quad(subject, NamedNode(vocab.RDFS_LABEL), Literal(f"thing {n}", language="en"), default)
        yield Quad(claim, NamedNode(vocab.RDFS_LABEL), Literal(f"What is said of {n}.", language="en"), default)
        yield Quad(claim, NamedNode(vocab.RDF_TYPE), NamedNode(names.kg + "Claim"), default)
        yield Quad(claim, NamedNode(vocab.PROV_PRIMARY_SOURCE), document, default)
        yield Quad(claim, NamedNode(vocab.OA_HAS_TARGET), passage, default)
        for name, value in said.items():
            yield Quad(claim, NamedNode(names.kg + name), value, default)
        for name, number in (("paragraph", n // 10 + 1), ("sentence", n % 10 + 1)):
            yield Quad(passage, NamedNode(names.kg + name), Literal(number), default)


def sized(folder: Path, template: Path, things: int) -> Path:
    """A project whose release has so many things, made from the release of a small one."""
    project = folder / str(things)
    shutil.copytree(template, project, ignore=shutil.ignore_patterns("releases"))
    config = load(project)
    built = Release.open(template / "releases/current")
    staged = config.releases / ".bench"
    shutil.copytree(built.path, staged, ignore=shutil.ignore_patterns(STORE, SEAL, INDEX))
    embedded.write(staged / STORE, grown(things))
    write_index(staged / INDEX, grown(things), vocab.Names(BASE))
    files = (file_entry(staged, staged / e.path) if e.path == INDEX else e for e in built.manifest.files)
    seal(staged, config, replace(built.manifest, title=f"{things:,} things", files=tuple(files)))
    return project


def draws(things: int) -> Iterator[list[int]]:
    """Numbers of things: so few that in the smallest release, too, what one page has read helps hardly another."""
    dice = random.Random(1)
    return (dice.sample(range(things), FEW) for _ in range(ROUNDS))


def fresh(data: Data, names: list[str]) -> float:
    """First views of a server that has just started."""
    with kg(data, data.project) as publisher, closing(connect(publisher)) as connection:
        publisher.fetch(connection, publisher.page(names[0]))
        return first_views(publisher, connection, names[1:])


def growth(folder: Path, most: int) -> None:
    """How the first view costs more in a larger release."""
    template = prepare(folder, 4).project
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most]
    data = {things: Data(sized(folder, template, things), folder, 0, []) for things in sizes}
    costs: dict[int, list[float]] = {things: [] for things in sizes}
    for chosen in zip(*map(draws, sizes), strict=True):  # in turns: a machine that is slow for a while is so for all
        for things, numbers in zip(sizes, chosen, strict=True):
            costs[things].append(fresh(data[things], [f"t{n}" for n in numbers]))
    print(f"\n{'entities':>12}{'first view, CPU ms':>22}{'of the smallest':>18}")
    for things in sizes:
        ratio = statistics.median(map(truediv, costs[things], costs[sizes[0]]))
        print(f"{things:>12,}{statistics.median(costs[things]):>22.2f}{ratio:>18.2f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kg-bench"
    arguments.add_argument("--documents", type=int, default=48, help="about 420 triples each")
    arguments.add_argument("--cache", type=Path, default=cache)
    arguments.add_argument("--grow", type=int, default=100_000)
    given = arguments.parse_args()
    install(given.cache)
    with (
        tempfile.TemporaryDirectory(prefix="kg-bench-") as first,
        tempfile.TemporaryDirectory(prefix="kg-bench-") as other,
    ):
        compare(Path(first), given.cache, given.documents)
        growth(Path(other), given.grow)


if __name__ == "__main__":
    main()
