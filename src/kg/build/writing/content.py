"""What the writers of a release read from: sorted files, and values that are small beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Quad

from kg import vocab
from kg.build.lines import SortedFile
from kg.build.parse import Sources
from kg.build.writing.coverage import Coverage
from kg.build.writing.tally import Tally
from kg.model import Check, Document, ExampleQuery


@dataclass(frozen=True, slots=True)
class Dataset:
    """The dataset as sorted files.

    ``facts``: the default graph's triples. ``graphs``: the quads of all others, the graph first. ``said``: the triples
    of claims' graphs, each with its claim.
    """

    facts: SortedFile
    graphs: SortedFile
    said: SortedFile


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts beside those of the tally; ``objects_of`` by property, all of the default graph but ``stated``, ``all``.

    ``stated``: different triples of claims' graphs; ``all``: of any graph; ``named``: quads of the graphs with a name.
    """

    objects: int
    objects_of: Mapping[str, int]
    stated: int
    all: int
    named: int


@dataclass(frozen=True, slots=True)
class Content:
    """Everything there is to write. ``sources`` are the ontology and the shapes, ``queries`` the questions.

    ``rows`` gives the lines of all claims (speaker, CSV before and behind it), ``passages`` every passage with what was
    checked, in their order; ``stated`` are the claims that state facts, with the keys of their triples; ``texts`` says
    where those are that are at hand.
    """

    sources: Sources
    queries: tuple[ExampleQuery, ...]
    names: vocab.Names
    prefixes: Mapping[str, str]
    documents: Mapping[str, Document]
    modified: str
    tally: Tally
    sizes: Sizes
    coverage: Coverage
    counts: Mapping[str, int]
    reports: Mapping[str, Mapping[str, object]]
    rows: Callable[[], Iterable[tuple[str, str, str]]]
    stated: SortedFile
    passages: Callable[[], Iterable[tuple[str, Check]]]
    label: Callable[[str], str | None]
    shapes: tuple[Quad, ...]
    texts: Mapping[str, Path]
