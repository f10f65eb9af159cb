"""A project as it is read first: what all parts share, and which files there are for parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pyoxigraph import Quad

from kg import vocab
from kg.bounds import processors
from kg.build.assemble import skolemise
from kg.build.collect import collect
from kg.build.declared import below_themselves, datatypes
from kg.build.functional import single_valued, superclasses
from kg.build.outside import outside
from kg.build.parse import (
    FOLDERS,
    SourceFile,
    Sources,
    list_files,
    no_claims,
    parse_files,
    read_file,
)
from kg.build.passes.bundles import key_of_common
from kg.build.passes.part import Common
from kg.build.queries import read_queries
from kg.build.rules import what_happened
from kg.build.terms import terms_of
from kg.build.validate import read_shapes
from kg.config import Config
from kg.model import ExampleQuery, Finding, Place, SourceQuad, error, warning

MANY = 64
"""Files of claims from which it pays to start processes, and to keep what they made."""

_OF_MANY = 4
"""How much more memory than a worker the process may have that puts many documents together."""

_SHAPES = 15_000
"""Triples of shapes that can be read in a second of CPU at most: some three times as many as on a slow machine."""

_MEMORY = 64
"""Bytes of memory at least for each byte of ontology and shapes, which are held whole, as triples with their lines."""


@dataclass(frozen=True, slots=True)
class Project:
    """``sources``: ontology and shapes. ``queries``: the questions. ``files``: of documents and claims.

    ``entities``: files of labels.

    ``key`` stands for all that ``common`` was made from. ``terms``: the ontology's triples as they are published.
    """

    config: Config
    folders: tuple[Path, ...]
    sources: Sources
    queries: tuple[ExampleQuery, ...]
    common: Common
    key: str
    terms: tuple[SourceQuad, ...]
    files: tuple[SourceFile, ...]
    entities: tuple[SourceFile, ...]
    parsed: tuple[Finding, ...]
    collected: tuple[Finding, ...]

    @property
    def names(self) -> vocab.Names:
        return vocab.Names(self.config.base)

    @property
    def no_claims(self) -> Finding:
        return no_claims()

    @property
    def shapes(self) -> tuple[Quad, ...]:
        return tuple(q.quad for q in self.sources.shapes)

    def workers(self, wanted: int | None) -> int:
        """How many processes make the parts."""
        if wanted is not None:
            return wanted
        return processors() if self.has_many else 0

    @property
    def has_many(self) -> bool:
        return _has_many(self.files)

    @property
    def memory(self) -> int:
        """Bytes that the process may have that puts everything together."""
        return _memory(self.config, self.files)


def read_project(config: Config, folders: Sequence[Path], engine: str) -> Project:
    """Read ontology, shapes and questions, and list everything else."""
    findings: list[Finding] = []
    root, base = config.root, config.base
    files = {
        folder: tuple(list_files(root, folder, findings))
        for folder in ("ontology", "shapes", "documents", "claims", "entities")
    }
    shared = _that_fit((*files["ontology"], *files["shapes"]), _memory(config, files["claims"]), findings)
    contents = {file.shown: read_file(file.path, file.shown) for file in shared}
    sources = parse_files(shared, base, contents)
    sources = _quick_enough(sources, config, findings)
    findings += sources.findings
    if not sources.shapes and not findings:
        message = "there is no shape here, so nothing holds facts and claims to rules; kg init writes those of kg"
        findings.append(warning("no-shapes", message, Place(FOLDERS["shapes"].as_posix())))
    queries = read_queries(root, base, findings)
    names = vocab.Names(base)
    above = superclasses(sources)
    return Project(
        config=config,
        folders=tuple(folders),
        sources=sources,
        queries=queries,
        common=Common(
            base=base,
            terms=terms_of(sources, base),
            happened=what_happened(sources, names),
            single=single_valued(sources),
            superclasses=above,
            datatypes=datatypes(sources.ontology, names),
            shapes=read_shapes(sources.shapes, engine, config.build.seconds, config.language),
        ),
        key=key_of_common(base, engine, config.language, sorted(contents.items())),
        terms=tuple(skolemise(sources.ontology, names)),
        files=(*files["documents"], *files["claims"]),
        entities=files["entities"],
        parsed=tuple(findings),
        collected=(
            *collect(sources, base).findings,
            *outside(sources, above, names),
            *below_themselves(sources.ontology, above, names),
        ),
    )


def _has_many(files: Iterable[SourceFile]) -> bool:
    return sum(file.folder == "claims" for file in files) >= MANY


def _memory(config: Config, files: Iterable[SourceFile]) -> int:
    return config.build.bytes * (_OF_MANY if _has_many(files) else 1)


def _quick_enough(sources: Sources, config: Config, findings: list[Finding]) -> Sources:
    """The sources, without shapes and with a finding where reading these would take all of their time."""
    most = int(_SHAPES * config.build.seconds)
    if len(sources.shapes) <= most:
        return sources
    message = (
        f"the shapes have {len(sources.shapes)} triples; more than {most} cannot be read in {config.build.seconds:g} "
        "seconds of CPU: divide them, or say more `seconds` under [build] in kg.toml"
    )
    findings.append(error("shape", message, sources.shapes[most].place))
    return replace(sources, shapes=())


def _that_fit(files: tuple[SourceFile, ...], memory: int, findings: list[Finding]) -> tuple[SourceFile, ...]:
    """The files, or none and a finding: what memory is too small for would only be noticed when it has run out."""
    size = 0
    for file in files:
        size += file.path.stat().st_size if file.path.is_file() else 0
        if size * _MEMORY > memory:
            message = (
                f"with this file, ontology and shapes have {size // 1_000_000} MB, "
                f"which take {size * _MEMORY >> 20} MiB of memory: take out what is not used, or say a larger `memory` "
                "under [build] in kg.toml"
            )
            findings.append(error("memory", message, Place(file.shown)))
            return ()
    return files
