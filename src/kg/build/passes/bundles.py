"""Which files make which part: those that speak of the same documents.

Files called after one document (``NAME.ttl``, ``NAME.trig``, ``NAME.passages.trig``) are taken to be about it. Where it
turns out that a file speaks of others, too, or that two bundles speak of the same document, they become one bundle:
a document is never divided.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import kg
from kg.build.ground import read_texts
from kg.build.parse import SourceFile, Unreadable, read_file
from kg.build.passes.part import Bundle

_CODE = ("*.py", "build/**/*.py")
_LIBRARIES = ("pyoxigraph", "pyshacl", "rapidfuzz", "rdflib")


@dataclass(frozen=True, slots=True)
class Planned:
    """A bundle that has not been read: its documents and files."""

    documents: frozenset[str]
    files: tuple[SourceFile, ...]

    @property
    def name(self) -> str:
        return ", ".join(sorted(self.documents) or [file.shown for file in self.files])


def guessed(files: Iterable[SourceFile]) -> list[Planned]:
    """Files by the names they have before the first full stop."""
    found: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        found[file.path.name.partition(".")[0]].append(file)
    return [Planned(frozenset({name}), tuple(some)) for name, some in sorted(found.items())]


@dataclass(slots=True)
class Settled:
    """Which bundles are as they should be, and which have to be made anew, joined with others."""

    kept: list[Planned] = field(default_factory=list)
    joined: list[Planned] = field(default_factory=list)


def settle(plans: Sequence[Planned], describes: Mapping[Planned, Mapping[str, frozenset[str]]]) -> Settled:
    """Join bundles whose files speak of the same documents; ``describes``: file → documents, by bundle."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for plan in plans:
        for shown, documents in describes[plan].items():
            for document in documents:
                parent[root(f"file {shown}")] = root(f"document {document}")
    groups: dict[str, list[tuple[SourceFile, frozenset[str]]]] = defaultdict(list)
    for plan in plans:
        for file in plan.files:
            groups[root(f"file {file.shown}")].append((file, describes[plan].get(file.shown, frozenset())))
    settled = Settled()
    made = {frozenset(file.shown for file in plan.files): plan for plan in plans}
    for group in groups.values():
        documents = frozenset().union(*(found for _, found in group))
        same = made.get(frozenset(file.shown for file, _ in group))
        if same is not None and documents <= same.documents:
            settled.kept.append(same)
        else:
            files = tuple(sorted((file for file, _ in group), key=lambda f: (f.folder != "documents", f.path)))
            settled.joined.append(Planned(documents, files))
    return settled


def read(plan: Planned, root: Path, folders: Sequence[Path]) -> Bundle:
    """Read a bundle's files and texts."""
    contents = {file.shown: read_file(file.path, file.shown) for file in plan.files}
    return Bundle(plan.documents, plan.files, contents, read_texts(sorted(plan.documents), root, folders))


def key_of(bundle: Bundle, common: str) -> str:
    """What a part depends on, as one sha256; ``common`` is that of what all parts depend on."""
    parts: list[str | bytes] = [common, *sorted(bundle.documents)]
    for file in bundle.files:
        parts += [file.folder, file.shown, _content(bundle.contents[file.shown])]
    for name, text in sorted(bundle.texts.items()):
        parts += [name, _content(text)]
    return _digest(parts)


def key_of_common(base: str, engine: str, language: str, files: Iterable[tuple[str, bytes | Unreadable]]) -> str:
    """Of the code, the libraries, the base, the engine, the language and the files of ontology and shapes."""
    parts: list[str | bytes] = [code(), *(f"{name} {version(name)}" for name in _LIBRARIES), base, engine, language]
    for shown, content in files:
        parts += [shown, _content(content)]
    return _digest(parts)


def _content(content: str | bytes | Unreadable) -> str | bytes:
    return f"! {content.message}" if isinstance(content, Unreadable) else content


def _digest(parts: Iterable[str | bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.hexdigest()


@lru_cache
def code() -> str:
    """The build's own code: what an earlier version made may be another."""
    top = Path(kg.__file__).parent
    return _digest(path.read_bytes() for pattern in _CODE for path in sorted(top.glob(pattern)))


def merged_prefixes(files: Iterable[SourceFile], prefixes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The prefixes of all files; of two that differ the one of the earlier file."""
    found: dict[str, str] = {}
    for file in files:
        for prefix, namespace in prefixes.get(file.shown, {}).items():
            found.setdefault(prefix, namespace)
    return found
