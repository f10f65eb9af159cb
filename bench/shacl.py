"""CPU of both SHACL engines on one generated corpus, side by side, with the same results or an error.

    python bench/shacl.py [--documents 100] [--claims 30] [--errors 5] [--compiled-only]

The reference takes seconds for a thousand claims: leave it out for large corpora.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from corpus import generate  # type: ignore[import-not-found]
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from kg.build.assemble import assemble
from kg.build.collect import collect
from kg.build.ground import ground, read_texts, text_folders
from kg.build.parse import parse_sources
from kg.build.shacl import ENGINES, Result, with_details
from kg.build.validate import read_shapes
from kg.config import load

QUERY = """@prefix sh: <http://www.w3.org/ns/shacl#> .
<http://localhost:8000/shapes#Gloss> a sh:NodeShape ; sh:targetClass <http://localhost:8000/ontology#Claim> ;
    sh:sparql [ sh:message "A gloss gives no number of wells."@en ; sh:select '''
        SELECT $this { $this <http://www.w3.org/2000/01/rdf-schema#label> ?gloss
            FILTER(CONTAINS(STR(?gloss), "wells")) }''' ] .
"""
"""A query that is asked of every claim; some fail."""


def graphs(documents: int, claims: int, errors: int) -> list[tuple[list[Quad], list[Quad]]]:
    """Data and shapes as the build validates them: the facts, and the evidence."""
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as scratch:
        generate(Path(scratch), documents=documents, claims=claims)
        config = load(Path(scratch))
        sources = parse_sources(config.root, config.base)
        collected = collect(sources, config.base)
        texts = read_texts(collected.documents, config.root, text_folders(config.root, ()))
        assembled = assemble(sources, collected, ground(collected, config.base, texts), config.base)
    facts = [quad for quad in assembled.quads if not isinstance(quad.graph_name, NamedNode)]
    seeing = read_shapes(sources.shapes, "compiled").seeing
    graphs = {"facts": facts, "evidence": list(assembled.evidence)}
    found = [(data, list(parse(seeing[name], format=RdfFormat.N_QUADS))) for name, data in graphs.items()]
    found[1][1].extend(Quad(*quad) for quad in parse(QUERY, format=RdfFormat.TURTLE))
    return [(spoilt(data, errors), shapes) for data, shapes in found]


def spoilt(data: list[Quad], errors: int) -> list[Quad]:
    """The data with ``errors`` triples spread over it turned into others."""
    for n in range(errors):
        at = len(data) * n // errors
        quad = data[at]
        data[at] = Quad(quad.subject, quad.predicate, NamedNode("urn:spoilt"), quad.graph_name)
    return data


def cpu(work: Callable[[], list[Result]]) -> tuple[float, list[Result]]:
    start = time.process_time()
    results = work()
    return time.process_time() - start, results


def measure(documents: int, claims: int, errors: int, *, alone: bool) -> list[tuple[str, str, str]]:
    """Rows for the table: what, figure, goal."""
    pairs = graphs(documents, claims, errors)
    size = sum(len(data) for data, _ in pairs)
    seconds: dict[str, float] = {}
    answers: dict[str, Counter[Result]] = {}
    for engine in ("compiled",) if alone else ("compiled", "pyshacl"):
        runs = [cpu(lambda engine=engine, pair=pair: ENGINES[engine](*pair)) for pair in pairs]  # type: ignore[misc]
        seconds[engine] = sum(took for took, _ in runs)
        answers[engine] = Counter(with_details(result for _, results in runs for result in results))
    rows = [(f"SHACL of {size:,} triples, {name}, CPU", f"{took:.2f} s", "") for name, took in seconds.items()]
    rows.append(("results", f"{answers['compiled'].total()}", ""))
    rows.append(("peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", ""))
    if not alone:
        if answers["compiled"] != answers["pyshacl"]:
            raise SystemExit("the engines differ")
        rows.append(("pyshacl to compiled", f"{seconds['pyshacl'] / seconds['compiled']:.0f} x", "30 x"))
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--documents", type=int, default=100)
    arguments.add_argument("--claims", type=int, default=30)
    arguments.add_argument("--errors", type=int, default=5)
    arguments.add_argument("--compiled-only", action="store_true")
    given = arguments.parse_args()
    for what, figure, goal in measure(given.documents, given.claims, given.errors, alone=given.compiled_only):
        print(f"{what:<50}  {figure:>10}  {goal}")


if __name__ == "__main__":
    main()
