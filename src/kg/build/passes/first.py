"""All parts: made where they are new, taken from the cache where they are not."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from kg.build.passes.bundles import Planned, guessed, key_of, read, settle
from kg.build.passes.combine import Combined, alike, combine, missing_claims
from kg.build.passes.part import Bundle
from kg.build.passes.project import Project
from kg.build.passes.shards import DAMAGED, Cache, Job, Shard, assemble_shard, divided, run_job
from kg.build.workers import Makers, Workers
from kg.model import Finding

_TOGETHER = 16
"""Documents of a job: a worker is asked rarely enough, and little is lost with one that dies."""

Report = Callable[[str, int, int], None]
"""Is told the stage, how much of it is done, and of how much: see :data:`kg.build.Progress`."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of all files of documents and claims. ``keys`` and ``shards`` are those in use in the cache."""

    combined: Combined
    keys: tuple[str, ...]
    shards: tuple[Shard, ...]
    new: int

    @property
    def claims(self) -> bool:
        """Whether any claim is there."""
        return any(file.startswith("data/claims") for file in self.combined.prefixes)

    @property
    def parsed(self) -> list[Finding]:
        return self.combined.parsed

    @property
    def collected(self) -> list[Finding]:
        combined = self.combined
        return [*combined.collected, *missing_claims(combined), *alike(combined.documents.values())]

    @property
    def checks(self) -> list[Finding]:
        return self.combined.checks


def make_parts(project: Project, cache: Cache, makers: Makers, near: Workers, report: Report) -> Made:
    """Make every part that the cache does not have; what lies on this disk is put together by workers that are near."""
    try:
        return _Making(project, cache, makers, near, report).run()
    except DAMAGED:
        # Something in the cache was cut or changed: without it everything is made again.
        cache.clear()
        return _Making(project, cache, makers, near, report).run()


@dataclass(slots=True)
class _Making:
    project: Project
    cache: Cache
    makers: Makers
    near: Workers
    report: Report
    keys: dict[Planned, str] = field(default_factory=dict)
    new: int = 0

    def run(self) -> Made:
        plans = guessed(self.project.files)
        self._make(plans)
        settled = settle(plans, {plan: self.cache.described[self.keys[plan]] for plan in plans})
        self._make(settled.joined)
        if self.new:
            self.cache.note()
        used = [*settled.kept, *settled.joined]
        order = sorted((min(plan.documents, default=plan.name), self.keys[plan]) for plan in used)
        jobs = list(divided(order, self.cache))
        # Those that are there are looked at, too.
        for done, _ in enumerate(self.near.map(assemble_shard, jobs), 1):
            self.report("gather", done, len(jobs))
        shards = tuple(Shard(job.target) for job in jobs)
        return Made(combine(shards, self.project.config.base), tuple(self.keys.values()), shards, self.new)

    def _make(self, plans: Sequence[Planned]) -> None:
        common = pickle.dumps(self.project.common)
        stream = self._missing(plans)
        jobs = (Job(tuple(some), common) for some in iter(lambda: tuple(islice(stream, _TOGETHER)), ()))
        before = len(self.keys)
        for _, made in self.makers.map(run_job, jobs):
            for key, packed, files in made:
                self.cache.put(key, packed, files)
                self.new += 1
            self.report("documents", len(self.keys) - before, len(plans))

    def _missing(self, plans: Sequence[Planned]) -> Iterator[tuple[str, Bundle]]:
        """The bundles whose parts are to be made; the keys of all are noted."""
        for plan in plans:
            bundle = read(plan, self.project.config.root, self.project.folders)
            self.keys[plan] = key = key_of(bundle, self.project.key)
            if key not in self.cache.described:
                yield key, bundle
