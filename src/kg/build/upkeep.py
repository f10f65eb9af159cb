"""After a document changed: rewrite the positions of passages that moved without changing (``kg check --fix``).

Only what ``kg cite`` prints is rewritten, in place and as text, so that comments and layout stay: the passage's IRI
wherever it stands in ``data/claims``, its selector's ``oa:start`` and ``oa:end``, its ``kg:paragraph`` and
``kg:sentence``, these also where words stayed at their place. Once every passage of a document fits its text, the
document's ``kg:sha256`` is that of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kg import text
from kg.build.collect import Collected
from kg.build.ground import Grounded
from kg.build.parse import FOLDERS, FORMATS
from kg.model import Passage


@dataclass(frozen=True, slots=True)
class Move:
    """A passage whose words, or whose sentence's number, are elsewhere now.

    ``sentence`` holds the whole span ``start`` to ``end``.
    """

    passage: Passage
    start: int
    end: int
    sentence: text.Sentence


def moves(grounded: Grounded, described: Mapping[str, Passage]) -> list[Move]:
    """The passages that moved without changing, to one place and no other, in the order of their text.

    ``described``: the passages as the sources have them, by IRI, with the numbers that are said of them.
    """
    found = []
    for passage in sorted(grounded.passages.values(), key=lambda p: (p.document, p.start, p.end)):
        parsed = grounded.texts.get(passage.document)
        if parsed is None:
            continue
        if text.sha256(parsed.content[passage.start : passage.end]) == passage.sha256:
            sentence, said = parsed.sentence_at(passage.start, passage.end), described.get(passage.iri, passage)
            if sentence and (
                said.sentence not in (None, sentence.number) or said.paragraph not in (None, sentence.paragraph)
            ):
                found.append(Move(passage, passage.start, passage.end, sentence))
            continue
        length = passage.end - passage.start
        starts = text.locate(parsed.content, length, passage.sha256)
        sentence = parsed.sentence_at(starts[0], starts[0] + length) if len(starts) == 1 else None
        if sentence is not None:
            found.append(Move(passage, starts[0], starts[0] + length, sentence))
    return found


def fix(root: Path, collected: Collected, grounded: Grounded) -> list[str]:
    """Rewrite the sources under ``root``; returns a line for each thing that was done."""
    moved = moves(grounded, collected.passages)
    by_span = {(m.passage.document, m.passage.start, m.passage.end): m for m in moved}
    for path in sorted((root / FOLDERS["claims"]).rglob("*")):
        if path.suffix in FORMATS and path.is_file():
            source = _read(path)
            if (changed := rewritten(source, by_span)) != source:
                _write(path, changed)
    done = [_said(m) for m in moved]
    return done + _renew_documents(root, collected, grounded, {m.passage.iri for m in moved})


def _said(move: Move) -> str:
    old = move.passage.start, move.passage.end
    where = "" if old == (move.start, move.end) else f"{move.start}-{move.end}, "
    return f"passage/{move.passage.document}/{old[0]}-{old[1]} is now {where or 'in '}sentence {move.sentence.number}"


def rewritten(source: str, by_span: Mapping[tuple[str, int, int], Move]) -> str:
    """A claims file with every moved passage at its new place.

    All at once, because a passage may move to where another one stood.
    """

    def new_iri(match: re.Match[str]) -> str:
        move = by_span.get((match[1], int(match[2]), int(match[3])))
        return f"passage/{match[1]}/{move.start}-{move.end}" if move else match[0]

    def new_description(match: re.Match[str]) -> str:
        move = by_span.get((match["document"], int(match["start"]), int(match["end"])))
        if move is None:
            return match[0]
        numbers = {
            "oa:start": move.start,
            "oa:end": move.end,
            "kg:paragraph": move.sentence.paragraph,
            "kg:sentence": move.sentence.number,
        }
        return re.sub(
            r"(oa:start|oa:end|kg:paragraph|kg:sentence)(\s+)\d+", lambda m: f"{m[1]}{m[2]}{numbers[m[1]]}", match[0]
        )

    return _IRI.sub(new_iri, _DESCRIPTION.sub(new_description, _spelled_out(source, by_span)))


def _spelled_out(source: str, by_span: Mapping[tuple[str, int, int], Move]) -> str:
    """A claims file with every moved passage that is written with a prefix (``p:11-28``) as an IRI."""
    for prefix, document in _PREFIX.findall(source):

        def iri(match: re.Match[str], document: str = document) -> str:
            span = document, int(match[1]), int(match[2])
            return f"<passage/{document}/{match[1]}-{match[2]}>" if span in by_span else match[0]

        source = re.sub(rf"(?<![\w:.<-]){re.escape(prefix)}:(\d+)-(\d+)(?![\w-])", iri, source)
    return source


_PREFIX = re.compile(r"@?prefix\s+([\w.-]*):\s*<passage/([^/#?<>\s]+)/>", re.IGNORECASE)
_IRI = re.compile(r"passage/([^/#?<>\s]+)/(\d+)-(\d+)(?=[>#])")
# From a passage or its selector as subject to the full stop at the end of a line.
_DESCRIPTION = re.compile(
    r"^[ \t]*<passage/(?P<document>[^/#?<>\s]+)/(?P<start>\d+)-(?P<end>\d+)(?:\#position)?>\s+a\s.*?\.[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


def _renew_documents(root: Path, collected: Collected, grounded: Grounded, moved: Iterable[str]) -> list[str]:
    """Give a changed document its new fingerprint if all of its passages fit."""
    fitting = set(moved) | {
        p.iri
        for p in grounded.passages.values()
        if p.document in grounded.texts and text.sha256(grounded.texts[p.document].content[p.start : p.end]) == p.sha256
    }
    done = []
    for name, parsed in sorted(grounded.texts.items()):
        document = collected.documents[name]
        old, new = document.sha256, parsed.sha256
        if old in ("", new) or not all(p.iri in fitting for p in grounded.passages.values() if p.document == name):
            continue
        path = root / document.place.file
        _write(path, _read(path).replace(old, new))
        done.append(f"document/{name} has its new fingerprint, {new}")
    return done


def _read(path: Path) -> str:
    # newline="": a file keeps the line ends it has.
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _write(path: Path, content: str) -> None:
    """Replace a file at once, so that an interruption leaves the old one whole."""
    replacement = path.with_name(f".{path.name}.new")
    replacement.write_text(content, encoding="utf-8", newline="")
    replacement.chmod(path.stat().st_mode)
    replacement.replace(path)
