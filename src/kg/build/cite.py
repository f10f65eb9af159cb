"""The encoder's tool: print a passage, or a document's description, as TriG that is ready to paste."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pyoxigraph import Literal

from kg import text, vocab
from kg.build.alike import spans_alike
from kg.build.ground import SUFFIXES, Search, find_text, find_words, make_passage, text_folders
from kg.build.parse import FOLDERS, FORMATS, read_utf8
from kg.config import Config
from kg.errors import PassageError, SourceError
from kg.model import Passage, Place

_NOT_IN_IRIS = re.compile(r"""[\x00-\x20\x7f-\xa0<>"{}|\\^`#?/%]""")


def read_document(config: Config, name: str, documents: Sequence[Path]) -> text.Text:
    """The text of a document that is at hand.

    :raises PassageError: if no folder has it; the message names those that were looked into. Also for a name that
        cannot be part of an IRI (RFC 3987, section 2.2), as the document's address has it.
    :raises SourceError: if the file cannot be read as UTF-8.
    :raises ConfigError: if one of ``documents`` is no folder.
    """
    if _NOT_IN_IRIS.search(name):
        fitting = _NOT_IN_IRIS.sub("-", name)
        raise PassageError(f"{name!r} cannot be part of an address: give the text another name, such as {fitting}")
    folders = text_folders(config.root, documents)
    path = find_text(name, folders)
    if path is None:
        near = difflib.get_close_matches(name, sorted(_at_hand(folders)), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        places = " or ".join(str(folder) for folder in folders)
        missing = f"missing document: no {name}.txt or {name}.md in {places}"
        if other := next((p for folder in folders for p in sorted(folder.glob("*")) if _is_original(p, name)), None):
            raise PassageError(f"{missing}: save the text of {other.name} as {other.stem}.txt, in UTF-8")
        raise PassageError(f"{missing}{hint} (--documents DIR names another folder)")
    return text.parse(read_utf8(path, str(path)).decode("utf-8"))


def _is_original(path: Path, name: str) -> bool:
    """Whether a file may be what a text was written in: a page, a PDF, a word processor's file."""
    return name in (path.name, path.stem) and path.suffix.lower() not in (*SUFFIXES, *FORMATS) and path.is_file()


def is_shown(config: Config, name: str) -> bool:
    """Whether the text lies in the project's own folder, which holds only what may be shown."""
    return find_text(name, [config.root / FOLDERS["documents"]]) is not None


def cite(config: Config, name: str, words: str, documents: Sequence[Path]) -> tuple[Passage, str, bool]:
    """The passage that the words are, its sentence for the encoder to look at, and whether it may be quoted.

    The words may be written in other characters than the text has; the passage is what the text has.

    :raises PassageError: if the words stand nowhere, twice, or across the end of a sentence.
    """
    parsed = read_document(config, name, documents)
    try:
        start, end = _find(words, parsed)
    except PassageError as e:
        other = "" if e.positions else _elsewhere(config, name, words, documents)
        raise PassageError(f"{e}; they stand in {other}" if other else str(e), positions=e.positions) from None
    passage = make_passage(vocab.Names(config.base), name, parsed, (start, end), Place(name))
    sentence = parsed.sentence_at(start, end)
    return passage, parsed.content[sentence.start : sentence.end] if sentence else "", is_shown(config, name)


def _find(words: str, parsed: text.Text) -> tuple[int, int]:
    """Where the words stand; in other characters, such as curly quotes, if that is one place."""
    try:
        return find_words(words, parsed, Search())
    except PassageError as e:
        spans = [] if e.positions else spans_alike(text.normalise(words), parsed.content)
        if len(spans) != 1:
            raise
        return spans[0]


def _elsewhere(config: Config, name: str, words: str, documents: Sequence[Path]) -> str:
    """Another document at hand that has the words, as they are; those that cannot be read are passed over."""
    wanted = text.normalise(words)
    for other in sorted(_at_hand(text_folders(config.root, documents)) - {name}) if wanted else ():
        with suppress(PassageError, SourceError):
            if wanted in read_document(config, other, documents).content:
                return other
    return ""


def _at_hand(folders: Sequence[Path]) -> set[str]:
    """The names of the texts in folders."""
    return {path.stem for folder in folders for path in folder.glob("*") if path.suffix in SUFFIXES}


def passage_trig(passage: Passage, *, quote: bool) -> str:
    """The passage with relative IRIs, as ``data/claims`` wants it; with its words where they may be shown."""
    iri = f"passage/{passage.document}/{passage.start}-{passage.end}"
    selectors = f"<{iri}#position>" + (f" , <{iri}#quote>" if quote else "")
    lines = [
        f"<{iri}> a kg:Passage ;",
        f"    oa:hasSource <document/{passage.document}> ;",
        f"    oa:hasSelector {selectors} ;",
        f'    kg:sha256 "{passage.sha256}" ;',
        f'    kg:rollingHash "{passage.rolling_hash}" ;',
        f"    kg:paragraph {passage.paragraph} ; kg:sentence {passage.sentence} .",
        f"<{iri}#position> a oa:TextPositionSelector ; oa:start {passage.start} ; oa:end {passage.end} .",
    ]
    if quote:
        lines.append(f"<{iri}#quote> a oa:TextQuoteSelector ; oa:exact {Literal(passage.quote or '')} .")
    return "\n".join(lines)


_MARKS = re.compile(r"(\*\*|\*|`)(\S(?:.*?\S)?)\1")
"""Emphasis and code of Markdown: marks that a title of its own does not have."""
_LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def document_turtle(config: Config, name: str, documents: Sequence[Path]) -> str:
    """A description of a document to complete, as ``data/documents/NAME.ttl`` wants it.

    :raises PassageError: if its text is not at hand.
    """
    parsed, shown = read_document(config, name, documents), is_shown(config, name)
    title = next((parsed.content[s.start : s.end].lstrip("# ") for s in parsed.sentences if s.number == 0), name)
    title = _MARKS.sub(r"\2", title)
    return "\n".join(
        (
            "@prefix kg: <ontology#> .",
            "@prefix dcterms: <http://purl.org/dc/terms/> .",
            "",
            f"<document/{name}> a kg:Document ;",
            f"    dcterms:title {Literal(title)}@{config.language} ;  # the language of the title, as de",
            f"    dcterms:creator <id/{name}-author> ;  # whose own voice the text is; label it in data/entities/",
            f"    kg:textShown {str(shown).lower()} ;  # true only where the text may be republished",
            *([f"    dcterms:license <{_LICENCE}> ;  # an example: write the licence of the text"] if shown else []),
            f'    kg:sha256 "{parsed.sha256}" .',
        )
    )
