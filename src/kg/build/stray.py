"""Files among the sources that nothing reads: somebody may take them for part of the release, so each gets a warning.

Notes are left alone: README, LICENSE and the like, hidden files, and what editors leave (``name~``). An original (a
PDF) may lie beside the text that was made from it.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from pathlib import Path

from kg.build.ground import SUFFIXES
from kg.build.parse import FOLDERS, FORMATS, is_hidden, shown_path
from kg.build.queries import QUERIES
from kg.model import Finding, Place, warning

_DATA = Path("data")
_NOTES = ("readme", "license", "licence", "copying", "notice", "changelog", "changes", "notes", "citation", "makefile")
_MISPLACED = {"claims", "documents", "entities", "queries"}


def stray(root: Path, documents: Collection[str]) -> Iterator[Finding]:
    """What is passed over under ``root``; ``documents`` are the names of those that are described."""
    yield from _at_the_top(root)
    if (root / _DATA).is_dir():
        yield from _beside(root)
    yield from _texts(root, documents)
    yield from _questions(root)
    yield from _in_folders(root)
    yield from _broken(root, documents)


def _at_the_top(root: Path) -> Iterator[Finding]:
    for path in sorted(root.iterdir()):
        if path.suffix.lower() in FORMATS and not path.name.startswith("."):
            yield _warning(path, root, f"is not read: {_where_rdf_belongs()}")
        elif path.name in _MISPLACED and path.is_dir() and any(_files(path)):
            yield _warning(path, root, f"is not read: this folder belongs into {_DATA}/")


def _questions(root: Path) -> Iterator[Finding]:
    for path in _files(root / QUERIES):
        if path.suffix != ".rq":
            yield _warning(path, root, "is not read: a question is a file NAME.rq")
        elif path.parent != root / QUERIES:
            yield _warning(path, root, f"is not read: questions lie in {QUERIES} itself")


def _in_folders(root: Path) -> Iterator[Finding]:
    """Texts among RDF, and links that nobody follows; other files are the parser's to refuse."""
    for name in ("ontology", "shapes", "claims", "entities"):
        for path in _files(root / FOLDERS[name]):
            if path.suffix.lower() in (".txt", ".md", ""):
                yield _warning(
                    path, root, f"is not read: only {', '.join(FORMATS)} are, and texts lie in data/documents"
                )
    for folder in (*FOLDERS.values(), QUERIES):
        for path in sorted((root / folder).rglob("*")):
            if path.is_symlink() and path.is_dir():
                yield _warning(path, root, "is a link to a folder: what lies there is not read; copy it here")


def _broken(root: Path, documents: Collection[str]) -> Iterator[Finding]:
    """Links that lead nowhere; of RDF and of texts that a description names they are errors already."""
    for folder in (*FOLDERS.values(), QUERIES):
        for path in sorted((root / folder).rglob("*")):
            named = folder == FOLDERS["documents"] and path.suffix in SUFFIXES and path.stem in documents
            named = named or path.suffix in (*FORMATS, ".rq") or is_hidden(path, root / folder)  # as an editor's locks
            if path.is_symlink() and not path.exists() and not named:
                yield _warning(path, root, "is a link that leads nowhere")


def _beside(root: Path) -> Iterator[Finding]:
    """What lies in ``data/`` and in none of its folders."""
    known = {folder.name for folder in (*FOLDERS.values(), QUERIES) if folder.parent == _DATA}
    for path in sorted((root / _DATA).iterdir()):
        if path.is_dir() and path.name not in known and any(_files(path)):
            yield _warning(path, root, f"is not read: only {', '.join(f'data/{name}' for name in sorted(known))} are")
        elif path.is_file() and not _is_note(path):
            yield _warning(path, root, f"is not read: {_where_rdf_belongs()}, texts into data/documents")


def _texts(root: Path, documents: Collection[str]) -> Iterator[Finding]:
    """Files in ``data/documents`` that are no descriptions and belong to none."""
    top = root / FOLDERS["documents"]
    for path in _files(top):
        if path.suffix.lower() in FORMATS:
            continue
        if path.suffix not in SUFFIXES:
            if path.stem not in documents or not any((top / (path.stem + s)).exists() for s in SUFFIXES):
                yield _warning(path, root, f"is not read: the text of a document is NAME{' or NAME'.join(SUFFIXES)}")
        elif path.parent != top:
            yield _warning(path, root, f"is not read: texts lie in {FOLDERS['documents']} itself")
        elif path.stem not in documents:
            message = (
                f"no description names this text: `kg cite {shlex.quote(path.stem)}` prints one for {path.stem}.ttl; "
                "or take the text out of data/"
            )
            yield _warning(path, root, message)
        elif path.suffix != SUFFIXES[0] and (top / (path.stem + SUFFIXES[0])).exists():
            yield _warning(path, root, f"is not read: {path.stem}{SUFFIXES[0]} is taken for the text of this document")


def _files(folder: Path) -> Iterator[Path]:
    """Files that are no notes, also in folders below."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _is_note(path) and not is_hidden(path, folder):
            yield path


def _is_note(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith("~") or path.stem.lower() in _NOTES


def _where_rdf_belongs() -> str:
    return "RDF belongs into ontology, shapes, data/documents, data/claims or data/entities"


def _warning(path: Path, root: Path, message: str) -> Finding:
    return warning("stray", message, Place(shown_path(path, root)))
