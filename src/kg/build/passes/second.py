"""What all parts make together: the dataset, the findings that take all of it, and what is written of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import chain
from pathlib import Path

from pyoxigraph import Store

from kg import vocab
from kg.bounds import doing
from kg.build.ground import find_text
from kg.build.passes import combine
from kg.build.passes.bundles import code, merged_prefixes
from kg.build.passes.entities import Entities, Labels
from kg.build.passes.first import Made, Report
from kg.build.passes.project import Project
from kg.build.passes.shards import Cache
from kg.build.passes.tables import Tables
from kg.build.passes.validate_rest import Rest, check_rest, read_places
from kg.build.rules import check_rules
from kg.build.validate import Disputed, Places, refused_queries
from kg.build.workers import Workers
from kg.build.writing.catalog import latest_day
from kg.build.writing.content import Content, Dataset, Sizes
from kg.build.writing.coverage import measure
from kg.build.writing.dumps import Rendered
from kg.build.writing.render import Rules, Run, graph_last, read_tally, render, runs_of_facts, runs_of_graphs
from kg.build.writing.tally import Tally, add_up
from kg.build.writing.write import display_prefixes
from kg.model import Finding, SourceQuad, has_errors
from kg.release import STORE, verified_store
from kg.store import embedded


@dataclass(slots=True)
class SecondPass:
    """All of a project, for :func:`second_pass` to fill. Valid as long as the folder of ``tables`` is there.

    ``to_write``: a release is wanted, if nothing is wrong.
    """

    project: Project
    made: Made
    cache: Cache
    tables: Tables
    workers: Workers
    report: Report
    entities: Entities
    to_write: bool
    findings: list[Finding] = field(default_factory=list)
    dataset: Dataset = field(init=False)
    labels: Labels = field(init=False)
    _store: Store | None = None
    _facts: Sequence[Run] = ()
    _graphs: Sequence[Run] = ()
    _rendering: Iterator[tuple[Run, Path]] = field(default_factory=lambda: iter(()))
    _stems: dict[Run, Path] = field(default_factory=dict)
    _running: ExitStack = field(default_factory=ExitStack)

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
        declared = merged_prefixes(files, {**self.made.combined.prefixes, **self.entities.prefixes})
        # Ontology and shapes come first in the order of the folders.
        return display_prefixes(self.project.sources, {**declared, **self.project.sources.prefixes}, self.names)

    def opened(self) -> Store:
        """The dataset in a store on disk: that of the build before with what changed, or a new one."""
        if self._store is None:
            path, before, changes = self.tables.path(STORE), self.tables.before, self.tables.changes
            old = verified_store(self.project.config.releases / before.release) if before else None
            if old and "facts" in changes and "graphs" in changes:
                facts, graphs = changes["facts"], changes["graphs"]
                gone, come = ([*f, *map(graph_last, g)] for f, g in zip(facts, graphs, strict=True))
                self._store = embedded.changed(path, old, gone, come)
            else:
                named = self.tables.path("graphs.nq")
                with named.open("wb") as out:
                    out.writelines(map(graph_last, self.dataset.graphs.lines()))
                self._store = embedded.load(path, (self.tables.path("facts"), named))
                named.unlink()
        return self._store

    def store(self) -> Path:
        """The store's folder, closed."""
        self.opened()
        self._store = None
        return self.tables.path(STORE)

    def close(self) -> None:
        """Let go of the store, which must not be written to while its folder is removed, and stop rendering."""
        self._store = None
        self._running.close()

    def counts(self, tally: Tally | None = None) -> dict[str, int]:
        """How much there is of what; ``verified`` counts passages compared with their text in this build.

        What a ``tally`` counted is not counted again.
        """
        combined = self.made.combined
        facts = tally.triples if tally else self.dataset.facts.count()
        stated = tally.covered.named if tally else combine.stated(self.tables, self.names)
        return {
            "documents": len(combined.documents),
            "claims": sum(share.whole for share, _ in combined.shares.values()),
            "passages": combined.passages,
            "verified": combined.verified,
            "things": combine.mentioned(self.tables),
            "facts": stated + combined.nameless,
            "default_graph": facts,
            "quads": facts + self.dataset.graphs.count(),
        }

    def render(self) -> None:
        """Have the runs of the dataset written in the syntaxes of the dumps, while the last checks are made."""
        if not self.to_write or has_errors(self.findings):
            return
        documents = sorted(self.made.combined.documents)
        config, tables = self.project.config, self.tables
        rules = Rules(code(), self.names.base, tuple(sorted(self.prefixes.items())), config.language, self.cache.runs)
        self._facts = [*runs_of_facts(tables.path("facts"), tables.path("said"), documents, rules)]
        self._graphs = [*runs_of_graphs(tables.path("graphs"), documents, rules)]
        runs = [*self._facts, *self._graphs]
        self._rendering = self._running.enter_context(self.workers.begun(render, runs))

    def rendered(self) -> Rendered:
        """What came of that."""
        for run, stem in self._rendering:
            self._stems[run] = stem
            self.report("render", len(self._stems), len(self._facts) + len(self._graphs))
        return Rendered(
            self.dataset, [self._stems[run] for run in self._facts], [self._stems[run] for run in self._graphs]
        )

    def content(self, rendered: Rendered) -> Content:
        """Everything there is to write."""
        combined, project, tables = self.made.combined, self.project, self.tables
        tally, objects_of, objects = add_up(map(read_tally, rendered.facts))
        covered = tally.covered
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
                stated=covered.stated,
                all=tally.triples + covered.unpublished,
                named=self.dataset.graphs.count(),
            ),
            coverage=measure(covered, combined.shares),
            counts=self.counts(tally),
            reports=combined.reports,
            rows=partial(combine.rows, tables),
            stated=tables.merged("stated"),
            passages=partial(combine.passages, tables),
            label=self.labels.of_speaker,
            shapes=project.shapes,
            texts=self.texts,
        )

    def keep(self, release: str) -> None:
        """Leave to the next build what it can start from, and forget what is of no use now."""
        self.tables.keep(self.cache.path, release)
        self.cache.keep(
            self.made.keys,
            [shard.path.name for shard in self.made.shards],
            [stem.name for stem in self._stems.values()],
        )


def second_pass(all_: SecondPass) -> SecondPass:
    """Put everything together, and check what takes all of it."""
    doing("all documents together")
    project, made, entities, tables = all_.project, all_.made, all_.entities, all_.tables
    tables.begin(made.shards)
    all_.labels = Labels(entities, project.sources.ontology)
    all_.report("compare", 0, 0)
    disputed = combine.compared(made.combined, tables, entities, all_.labels, project.common)
    tables.write("terms", (f"{q.quad.triple} .\n".encode() for q in project.terms))
    tables.write("places-of-terms", _lines_of(project.terms))
    all_.dataset = combine.put_together(tables, project.names)
    asked = combine.asked(made.combined, tables, entities, project.names)
    all_.findings += check_rules(asked, project.config.base)
    all_.report("validate", 0, 0)
    all_.findings += _validated(all_, disputed)
    return all_


def _lines_of(quads: Iterable[SourceQuad]) -> Iterator[bytes]:
    return (f"{q.quad.triple} .\t{q.place.line}\t{q.place.file}\n".encode() for q in quads)


def _validated(all_: SecondPass, disputed: Disputed) -> list[Finding]:
    project, combined, tables = all_.project, all_.made.combined, all_.tables
    shapes = project.common.shapes
    refused = list(refused_queries(shapes.quads))
    if refused:
        return refused
    tables.write("places-of-shapes", _lines_of(project.sources.shapes))

    # What many documents speak of has its lines in as many shards, and there may be a thousand such findings.
    opened = cache(lambda shard: shard.lines("places"))

    @lru_cache(maxsize=1000)
    def places(subject: str, predicate: str) -> Places:
        about = f"{subject} {predicate} ".encode() if predicate else f"{subject} ".encode()
        ours = map(opened, combine.shards_about(subject, predicate, combined, tables, all_.names))
        more = (tables.file(name) for name in (*combine.PLACED, "places-of-shapes"))
        return read_places(chain.from_iterable(file.starting(about) for file in chain(ours, more)))

    rest = Rest(
        tables=tables,
        dataset=all_.dataset,
        documents=sorted(combined.documents),
        names=all_.names,
        shapes=shapes,
        superclasses=_hierarchy(project.common.superclasses, combined.subclasses),
        disputed=disputed,
        store=all_.opened,
        places=places,
        own=bool(combined.subclasses),
    )
    more, instead = check_rest(rest, combined.checked, all_.workers, meanwhile=all_.render)
    graphs = {"evidence"} if rest.own else {"facts", "evidence"}
    own = (f for key, some in combined.findings.items() if key[0] in graphs and key not in instead for f in some)
    return [f for f in (*own, *more) if f.subject not in combined.known]


def _hierarchy(
    superclasses: Mapping[str, Collection[str]], more: Iterable[tuple[str, str]]
) -> dict[str, frozenset[str]]:
    found = {class_: frozenset(above) for class_, above in superclasses.items()}
    for class_, above in more:
        found[class_] = found.get(class_, frozenset()) | {above}
    return found
