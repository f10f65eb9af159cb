"""Stage 3: hold every passage against the document's text, wherever the text is at hand.

A text is looked for by its document's name, ``NAME.txt`` or ``NAME.md``, in ``data/documents`` and in every folder
given with ``--documents``. Where it is found, positions, quotes and fingerprints must fit, and the passage counts as
verified. Where it is not, the passage counts as not checked here; a document whose text may be shown must be there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rapidfuzz import fuzz

from kg import text, vocab
from kg.bounds import doing
from kg.build.alike import spans_alike, strange, visible
from kg.build.collect import Collected
from kg.build.parse import FOLDERS, Unreadable, read_file
from kg.errors import ConfigError, PassageError
from kg.model import Check, Claim, Document, Finding, Passage, Place, error, warning

SUFFIXES = (".txt", ".md")
_MAX_NAME = 255
"""Bytes of a file's name that common file systems take; to ask for a longer one is an error."""
_NEAR = 70
"""Percent of likeness (normalised indel similarity) from which words are offered as the nearest match."""


_SEARCH = 3.0
"""Seconds, as they are estimated, of looking for what slips may have meant: later ones are not looked for."""

_PER_SPAN, _PER_BYTE, _PER_CHARACTER, _PER_FOLD = 1e-6, 2.5e-9, 4e-8, 1e-7
"""Seconds to hash a span and each of its bytes, to compare a character of a text with up to 64 of a quote, and to fold
one."""


@dataclass(slots=True)
class Search:
    """Work is counted and not timed, so that the findings are the same on every machine."""

    left: float = _SEARCH

    def covers(self, seconds: float) -> bool:
        """Whether so much more may be spent."""
        self.left -= seconds
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Grounded:
    """Claims with every quote replaced by a passage; all passages, and what could be said of each.

    ``raw`` holds the texts that are at hand, as they were read, by document name.
    """

    claims: tuple[Claim, ...]
    passages: dict[str, Passage]
    checks: dict[str, Check]
    texts: dict[str, text.Text]
    raw: dict[str, str]
    findings: tuple[Finding, ...]


def find_text(name: str, folders: Iterable[Path]) -> Path | None:
    """The first file that holds the text of the document called ``name``; a link that leads nowhere is one, too."""
    for folder in folders:
        for suffix in SUFFIXES:
            path = folder / (name + suffix)
            if len(os.fsencode(path.name)) <= _MAX_NAME and os.path.lexists(path):
                return path
    return None


def text_folders(root: Path, documents: Sequence[Path]) -> list[Path]:
    """Where texts are looked for, the project's own folder first.

    :raises ConfigError: if one of ``documents`` is no folder.
    """
    for folder in documents:
        if not folder.is_dir():
            raise ConfigError(f"--documents {folder}: is not a folder")
    return [root / FOLDERS["documents"], *documents]


TextAtHand = str | Unreadable


def read_texts(documents: Iterable[str], root: Path, folders: Sequence[Path]) -> dict[str, TextAtHand]:
    """The texts that are at hand of the documents of these names."""
    found: dict[str, TextAtHand] = {}
    for name in documents:
        path = find_text(name, folders)
        if path is None:
            continue
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        read = read_file(path, shown)
        found[name] = read if isinstance(read, Unreadable) else read.decode("utf-8")
    return found


def ground(collected: Collected, base: str, at_hand: Mapping[str, TextAtHand]) -> Grounded:
    """Check every passage against the texts ``at_hand``, and find the words of every ``kg:quote``."""
    findings: list[Finding] = []
    raw: dict[str, str] = {}
    for document in collected.documents.values():
        read = at_hand.get(document.name)
        if isinstance(read, str):
            raw[document.name] = read
        elif read is not None:
            message = f"the text of {document.name} {read.message}"
            findings.append(error("text", message, read.place, document.iri))
        elif document.text_shown:
            file = FOLDERS["documents"] / f"{document.name}.txt"
            message = f"missing document: the text of {document.name} may be shown, so it must be at {file}"
            findings.append(error("missing-document", message, document.place, document.iri))
    texts: dict[str, text.Text] = {}
    for name, content in raw.items():
        doing(f"the text of {name}")
        texts[name] = text.parse(content)
    for name, parsed in texts.items():
        _check_document(collected.documents[name], parsed, findings)
    names = vocab.Names(base)
    search = Search()
    claims, minted = _find_quotes(collected, names, texts, findings, search)
    checking = _Passages(texts, collected.documents, names, findings, search)
    checked = [checking.check(passage) for passage in collected.passages.values()]
    passages = {p.iri: p for p in (*minted, *checked)}
    findings += _cut(texts, collected.documents, passages, names)
    findings = _with_claims(findings, claims, names)
    findings += _uncovered(texts, collected.documents, claims, passages)
    checks = {p.iri: Check.VERIFIED if p.document in texts else Check.NOT_CHECKED for p in passages.values()}
    return Grounded(claims, passages, checks, texts, raw, tuple(findings))


def _with_claims(findings: list[Finding], claims: Iterable[Claim], names: vocab.Names) -> list[Finding]:
    """Findings about passages, with the claims that rest on them: those are what has to be read again."""
    resting: defaultdict[str, list[str]] = defaultdict(list)
    for claim in claims:
        for target in claim.targets:
            resting[target].append(names.local(claim.iri) or claim.iri)
    return [
        replace(f, message=f"{f.message} (on it: {', '.join(resting[f.subject])})") if resting.get(f.subject) else f
        for f in findings
    ]


def _check_document(document: Document, parsed: text.Text, findings: list[Finding]) -> None:
    if document.sha256 and document.sha256 != parsed.sha256:
        message = (
            f"wrong fingerprint: the text of {document.name} has sha256 {parsed.sha256}, "
            f"its description says {document.sha256}: the text was changed, or is another one; "
            "if the change is meant, kg check --fix brings positions and fingerprint up to date"
        )
        findings.append(error("fingerprint", message, document.place, document.iri))


def find_words(words: str, parsed: text.Text, search: Search) -> tuple[int, int]:
    """:meth:`kg.text.Text.find`, with the most similar words that do stand there in the error's message.

    :raises PassageError: as it does.
    """
    try:
        return parsed.find(words)
    except PassageError as e:
        hint = "" if e.positions else _nearest(text.normalise(words), parsed, search)
        raise PassageError(f"{e}{hint}", positions=e.positions) from None


def make_passage(names: vocab.Names, document: str, parsed: text.Text, span: tuple[int, int], place: Place) -> Passage:
    """Describe a span of a text that is at hand.

    :raises PassageError: if the span crosses the boundary of a sentence.
    """
    start, end = span
    sentence = parsed.sentence_at(start, end)
    words = parsed.content[start:end]
    if sentence is None:
        first = parsed.sentence_at(start, start + 1)
        behind = f", behind {parsed.content[max(start, first.end - 30) : first.end]!r}" if first else ""
        message = f"the words cross the end of a sentence{behind}: a passage is at most one; a claim may have two"
        raise PassageError(message)
    return Passage(
        iri=names.passage(document, start, end),
        document=document,
        start=start,
        end=end,
        sha256=text.sha256(words),
        rolling_hash=text.rolling_hash(words),
        paragraph=sentence.paragraph,
        sentence=sentence.number,
        quote=words,
        place=place,
    )


def _find_quotes(
    collected: Collected, names: vocab.Names, texts: dict[str, text.Text], findings: list[Finding], search: Search
) -> tuple[tuple[Claim, ...], list[Passage]]:
    """Claims whose quotes have become targets, and the passages that were made for them."""
    claims, minted = [], []
    for claim in collected.claims:
        targets = list(claim.targets)
        for quote in claim.quotes:
            document = collected.documents.get(claim.document)
            local = names.local(claim.iri)
            if document is None:
                continue
            if not document.text_shown:
                message = f"{local} quotes {claim.document}, whose text may not be shown: cite a passage by position"
                findings.append(error("quote", message, claim.place, claim.iri))
            elif claim.document in texts:
                try:
                    span = find_words(quote, texts[claim.document], search)
                    passage = make_passage(names, claim.document, texts[claim.document], span, claim.place)
                except PassageError as e:
                    message = f"{local}: quote {quote[:60]!r}: {e}"
                    findings.append(error("quote", message, claim.place, claim.iri))
                    continue
                minted.append(passage)
                targets.append(passage.iri)
        claims.append(replace(claim, targets=tuple(dict.fromkeys(targets)), quotes=()))
    return tuple(claims), minted


@dataclass(frozen=True, slots=True)
class _Passages:
    """Compares passages with their texts."""

    texts: Mapping[str, text.Text]
    documents: Mapping[str, Document]
    names: vocab.Names
    findings: list[Finding]
    search: Search

    def check(self, passage: Passage) -> Passage:
        """The passage; place numbers that its description leaves out are filled in."""
        short = self.names.local(passage.iri) or passage.iri

        def fail(rule: str, message: str) -> None:
            self.findings.append(error(rule, f"{short}: {message}", passage.place, passage.iri))

        document, parsed = self.documents.get(passage.document), self.texts.get(passage.document)
        if document is None:
            fail("missing-document", f"missing document {passage.document}: describe it in data/documents/")
            return passage
        if passage.quote is not None and not document.text_shown:
            fail("quote", f"the text of {document.name} may not be shown, so it cannot be quoted: remove oa:exact")
        if passage.start >= passage.end:
            fail("position", "the end must be greater than the start")
            return passage
        if parsed is None:
            return passage
        if passage.end > len(parsed.content):
            fail("position", f"the position is past the end: the text has {len(parsed.content)} code points")
            return passage
        if moved := _where_moved(passage, parsed, self.search):
            # That quote and sentence do not fit there either follows from it.
            fail("fingerprint", moved)
            return passage
        _check_span(passage, parsed, fail, self.search)
        return _check_sentence(passage, parsed, fail)


def _check_span(passage: Passage, parsed: text.Text, fail: Callable[[str, str], None], search: Search) -> None:
    """Quote, fingerprints and edges against the words that stand at the passage's position."""
    span = parsed.content[passage.start : passage.end]
    if passage.quote is not None and passage.quote != span:
        fail("quote", _where_is(passage.quote, parsed, search))
    if passage.sha256 and passage.sha256 != text.sha256(span):
        fail("fingerprint", _what_changed(passage, parsed, search))
    elif passage.rolling_hash and passage.rolling_hash != text.rolling_hash(span):
        fail("fingerprint", f"wrong rolling hash: it is {text.rolling_hash(span)}, not {passage.rolling_hash}")
    if span != span.strip(text.WHITE_SPACE):
        fail("position", "begins or ends with white space: a passage is the shortest span")


def _check_sentence(passage: Passage, parsed: text.Text, fail: Callable[[str, str], None]) -> Passage:
    """Paragraph and sentence against the text's; filled in where the description leaves them out."""
    sentence = parsed.sentence_at(passage.start, passage.end)
    if sentence is None:
        first = parsed.sentence_at(passage.start, passage.start + 1)
        at = f" at {first.end}" if first else ""
        fail("position", f"crosses the end of a sentence{at}: a passage is at most one; a claim may have two")
        return passage
    for what, said, actual in (
        ("kg:paragraph", passage.paragraph, sentence.paragraph),
        ("kg:sentence", passage.sentence, sentence.number),
    ):
        if said is not None and said != actual:
            fail("position", f"{what} is {said}, but the span stands in {actual}: kg check --fix writes it")
    return replace(passage, paragraph=sentence.paragraph, sentence=sentence.number)


def _uncovered(
    texts: dict[str, text.Text], documents: dict[str, Document], claims: Iterable[Claim], passages: dict[str, Passage]
) -> Iterator[Finding]:
    """A warning for every sentence (the title aside) that no claim rests on."""
    cited = {
        (passages[target].document, passages[target].sentence)
        for claim in claims
        for target in claim.targets
        if target in passages
    }
    for name, parsed in texts.items():
        for sentence in parsed.sentences:
            if sentence.number and (name, sentence.number) not in cited:
                start, end = sentence.start, sentence.end
                where = f"paragraph {sentence.paragraph}, at {start}-{end}"
                # What may not be shown stands in no report either.
                words = (
                    f": {visible(parsed.content[start : min(end, start + 60)])}" if documents[name].text_shown else ""
                )
                message = f"{name}: no claim rests on sentence {sentence.number} ({where}){words}"
                yield warning("no-claim", message, documents[name].place, documents[name].iri)


def _cut(
    texts: Mapping[str, text.Text],
    documents: Mapping[str, Document],
    passages: Mapping[str, Passage],
    names: vocab.Names,
) -> Iterator[Finding]:
    """A warning for every passage that begins or ends within a word: "ruled" stands in "overruled", and says more."""
    for passage in passages.values():
        if passage.document not in texts:
            continue
        content = texts[passage.document].content
        for at, how in ((passage.start, "begins"), (passage.end, "ends")):
            if passage.start < passage.end and text.cuts_word(content, at):
                start, end = content.rfind(" ", 0, at) + 1, content.find(" ", at)
                word = content[start : end if end >= 0 else None][:60]
                words = f", {word!r}" if documents[passage.document].text_shown else ""
                message = f"{names.local(passage.iri)}: {how} within a word{words}: cite all of it"
                yield warning("cut", message, passage.place, passage.iri)


def _where_moved(passage: Passage, parsed: text.Text, search: Search) -> str:
    """What is wrong if a passage's words stand elsewhere now; nothing if they stand at their place, or nowhere."""
    length = passage.end - passage.start
    if not passage.sha256 or text.sha256(parsed.content[passage.start : passage.end]) == passage.sha256:
        return ""
    if not search.covers((len(parsed.content) - length) * (_PER_SPAN + length * _PER_BYTE)):
        return ""
    starts = text.locate(parsed.content, length, passage.sha256)
    places = " or ".join(f"{start}-{start + length}" for start in starts)
    hint = "" if starts[1:] else ": kg check --fix writes the new place"
    said = f"wrong fingerprint: these words do not stand there any more, they moved to {places}{hint}"
    return said if starts else ""


def _what_changed(passage: Passage, parsed: text.Text, search: Search) -> str:
    """What is wrong with a fingerprint whose words stand nowhere any more."""
    actual = text.sha256(parsed.content[passage.start : passage.end])
    if search.left < 0:
        said = "where its words stand now was not looked for, after so many others: kg check --fix does"
        return f"wrong fingerprint: the text there has {actual}, not {passage.sha256}; {said}"
    nearest = _nearest(passage.quote, parsed, search) if passage.quote else ""
    if not nearest and passage.sentence is not None and passage.sentence < len(parsed.sentences):
        same = next((s for s in parsed.sentences if s.number == passage.sentence), None)
        nearest = f"; sentence {same.number} stands at {same.start}-{same.end}" if same else ""
    return f"wrong fingerprint: the text there has {actual}, not {passage.sha256}; its words were changed{nearest}"


def _nearest(quote: str, parsed: text.Text, search: Search) -> str:
    """Where words stand that are most like a quote, if any are like enough to be the ones that were meant."""
    folding = len(parsed.content) * _PER_FOLD
    if search.left >= folding and search.covers(folding) and (spans := spans_alike(quote, parsed.content)):
        return _as_it_stands(quote, spans, parsed)
    if not search.covers(len(parsed.content) * (1 + len(quote) // 64) * _PER_CHARACTER):
        return ""
    found = fuzz.partial_ratio_alignment(quote, parsed.content, score_cutoff=_NEAR)
    if found is None or found.src_start == found.src_end:
        return ""
    # The alignment is as long as the quote; whole words are what can be cited.
    start = parsed.content.rfind(" ", 0, found.dest_start + 1) + 1
    end = parsed.content.find(" ", max(found.dest_end - 1, start))
    words = parsed.content[start : end if end >= 0 else None]
    return f"; nearest: {visible(words)} at {start}-{start + len(words)}"


def _as_it_stands(quote: str, spans: Sequence[tuple[int, int]], parsed: text.Text) -> str:
    """The words of a quote in the characters that the text has, as they are at the first of the places."""
    words = parsed.content[slice(*spans[0])]
    places = ", ".join(f"{start}-{end}" for start, end in spans)
    signs = f", with {found}" if (found := strange(words, quote)) else ""
    return f"; in other characters they do: {visible(words)} at {places}{signs}"


def _where_is(quote: str, parsed: text.Text, search: Search) -> str:
    starts = text.occurrences(parsed.content, text.normalise(quote))
    if not starts:
        return f"the quote {quote[:60]!r} does not stand in the document{_nearest(quote, parsed, search)}"
    places = ", ".join(f"{start}-{start + len(text.normalise(quote))}" for start in starts[:10])
    return f"the quote {quote[:60]!r} does not stand there; it stands at {places}"
