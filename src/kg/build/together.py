"""What all parts make together: the dataset, the findings that take all of it, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path

from pyoxigraph import Store

from kg import vocab
from kg.bounds import doing
from kg.build import combine
from kg.build.bundles import order_of
from kg.build.catalog import latest_day
from kg.build.compare import Comparison
from kg.build.content import Content, Dataset, Sizes
from kg.build.coverage import measure
from kg.build.dumps import Rendered
from kg.build.entities import Entities, Labels
from kg.build.ground import find_text
from kg.build.lines import SortedFile, write_sorted
from kg.build.parts import Made
from kg.build.project import Project
from kg.build.render import Run, cuts, render, runs
from kg.build.rest import Whole, check_rest, read_places
from kg.build.rules import check_rules
from kg.build.shards import Cache
from kg.build.tally import add_up
from kg.build.validate import refused_queries
from kg.build.workers import Workers
from kg.build.write import display_prefixes
from kg.model import Finding, SourceQuad
from kg.store import embedded

Report = Callable[[str, int, int], None]


@dataclass(slots=True)
class Together:
    """The whole of a project. Valid as long as its scratch folder is there."""

    project: Project
    made: Made
    cache: Cache
    scratch: Path
    workers: Workers
    report: Report
    entities: Entities
    findings: list[Finding] = field(default_factory=list)
    dataset: Dataset = field(init=False)
    labels: Labels = field(init=False)
    _store: Store | None = None
    _runs: list[str] = field(default_factory=list)

    @property
    def names(self) -> vocab.Names:
        return self.project.names

    @property
    def texts(self) -> dict[str, Path]:
        """Where the texts are that are at hand, by document."""
        found = {name: find_text(name, self.project.folders) for name in self.made.combined.documents}
        return {name: path for name, path in found.items() if path}

    @property
    def prefixes(self) -> dict[str, str]:
        files = (*self.project.files, *self.project.entities)
        declared = order_of(files, {**self.made.combined.prefixes, **self.entities.prefixes})
        # Ontology and shapes come first in the order of the folders.
        return display_prefixes(self.project.sources, {**declared, **self.project.sources.prefixes}, self.names)

    def opened(self) -> Store:
        """The dataset in a store on disk."""
        if self._store is None:
            self._store = embedded.load(self.scratch / "store", (self.scratch / "facts.nt", self.scratch / "named.nq"))
        return self._store

    def store(self) -> Path:
        """The store's folder, closed."""
        self.opened()
        self.close()
        return self.scratch / "store"

    def close(self) -> None:
        """Let go of the store, which must not be written to while its folder is removed."""
        self._store = None

    def counts(self) -> dict[str, int]:
        """How much there is of what; ``verified`` counts passages compared with their text in this build."""
        combined = self.made.combined
        facts = _count(self.dataset.facts.data)
        claimed = sum(self._genid not in line for line in self.dataset.claimed.lines())
        return {
            "documents": len(combined.documents),
            "claims": sum(share.whole for share, _ in combined.shares.values()),
            "passages": combined.passages,
            "verified": combined.verified,
            "things": combine.mentioned(combined),
            "facts": claimed + combined.nameless,
            "default_graph": facts,
            "quads": facts + _count(self.dataset.graphs.data),
        }

    @property
    def _genid(self) -> bytes:
        return f"<{self.names.genid}".encode()

    def rendered(self) -> Rendered:
        """The runs of the dataset in the syntaxes of the dumps."""
        documents = sorted(self.made.combined.documents)
        base, facts, graphs = self.names.base, self.dataset.facts, self.dataset.graphs
        run = partial(runs, base=base, prefixes=self.prefixes, folder=self.cache.runs)
        jobs = [
            *run("facts", self.scratch / "facts.nt", cuts(facts, documents, ("claim", "document", "passage"), base)),
            *run("graphs", self.scratch / "graphs", cuts(graphs, documents, ("claim",), base)),
        ]
        stems: dict[Run, Path] = {}
        for done, (job, stem) in enumerate(self.workers.map(render, jobs), 1):
            stems[job] = stem
            self.report("render", done, len(jobs))
        self._runs = [stem.name for stem in stems.values()]
        by_kind = {kind: [stems[job] for job in jobs if job.kind == kind] for kind in ("facts", "graphs")}
        return Rendered(self.dataset, self.scratch / "named.nq", by_kind["facts"], by_kind["graphs"])

    def content(self, rendered: Rendered) -> Content:
        """Everything there is to write."""
        combined, project = self.made.combined, self.project
        tally, objects_of, objects = add_up(stem.with_suffix(".tally") for stem in rendered.facts)
        coverage, unpublished = measure(self.dataset.facts, self.dataset.claimed, combined.shares, self.names)
        return Content(
            sources=project.sources,
            queries=project.queries,
            names=self.names,
            prefixes=self.prefixes,
            documents=combined.documents,
            modified=max(combined.modified, latest_day(project.sources.ontology, self.names.base)),
            tally=tally,
            sizes=Sizes(
                objects,
                objects_of,
                stated=_count(self.dataset.claimed.data),
                all=tally.triples + unpublished,
                named=_count(self.dataset.graphs.data),
            ),
            coverage=coverage,
            counts=self.counts(),
            reports=combined.reports,
            rows=combine.rows(self.made.shards),
            passages=combine.passages(self.made.shards, self.scratch),
            label=self.labels.of_speaker,
            shapes=project.shapes,
            texts=self.texts,
        )

    def keep(self) -> None:
        """Forget what was made before and is of no use now."""
        self.cache.keep(self.made.keys, [shard.path.name for shard in self.made.shards], self._runs)


def together(whole: Together) -> Together:
    """Put everything together, and check what takes all of it."""
    doing("all documents together")
    project, made, entities, scratch = whole.project, whole.made, whole.entities, whole.scratch
    whole.labels = Labels(entities, project.sources.ontology)
    whole.report("compare", 0, 0)
    comparison = combine.compared(made.combined, entities, whole.labels, project.common, scratch)
    ontology = [q.quad for q in project.terms]
    whole.dataset = combine.put_together(made.combined, entities, ontology, comparison, scratch)
    terms = write_sorted(scratch / "places-of-terms", _lines_of(project.terms))
    asked = combine.asked(made.combined, entities, terms, project.names)
    whole.findings += check_rules(asked, project.config.base)
    whole.report("validate", 0, 0)
    whole.findings += _validated(whole, comparison, terms)
    return whole


def _lines_of(quads: Iterable[SourceQuad]) -> Iterator[bytes]:
    return (f"{q.quad.triple} .\t{q.place.line}\t{q.place.file}\n".encode() for q in quads)


def _validated(whole: Together, comparison: Comparison, terms: SortedFile) -> list[Finding]:
    project, combined = whole.project, whole.made.combined
    shapes = project.common.shapes
    refused = list(refused_queries(shapes.quads))
    if refused:
        return refused
    shapes_places = write_sorted(whole.scratch / "places-of-shapes", _lines_of(project.sources.shapes))
    files = [*(shard.lines("places") for shard in whole.made.shards), whole.entities.places, terms, shapes_places]

    def lines(prefix: bytes) -> chain[bytes]:
        return chain.from_iterable(file.starting(prefix) for file in files)

    data = Whole(
        dataset=whole.dataset,
        path=whole.scratch / "facts.nt",
        names=whole.names,
        shapes=shapes,
        superclasses=_hierarchy(project.common.superclasses, combined.subclasses),
        compared=comparison.quads,
        disputed=comparison.disputed,
        store=whole.opened,
        places=lru_cache(maxsize=1000)(partial(read_places, lines)),
        own=bool(combined.subclasses),
    )
    more, instead = check_rest(data, combined.checked, whole.workers)
    graphs = {"evidence"} if data.own else {"facts", "evidence"}
    own = (f for key, some in combined.findings.items() if key[0] in graphs and key not in instead for f in some)
    return [f for f in (*own, *more) if f.subject not in combined.known]


def _hierarchy(
    superclasses: Mapping[str, Collection[str]], more: Iterable[tuple[str, str]]
) -> dict[str, frozenset[str]]:
    found = {class_: frozenset(above) for class_, above in superclasses.items()}
    for class_, above in more:
        found[class_] = found.get(class_, frozenset()) | {above}
    return found


def _count(data: object) -> int:
    """How many lines there are."""
    view = memoryview(data)  # type: ignore[arg-type]
    return sum(bytes(view[at : at + _CHUNK]).count(b"\n") for at in range(0, len(view), _CHUNK))


_CHUNK = 1 << 24
