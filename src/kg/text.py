"""Normalised text, paragraphs, sentences, fingerprints: pure functions over ``str``.

The rules (a browser runs the same, held together by ``tests/fixtures/text-vectors.json``):

*Lines.* Text is cut into lines at LF, CR LF, CR, U+0085, U+2028 and U+2029. Where the first line that is not
blank is nothing but one Markdown link, ``[title](target)``, only its title stays.

*Paragraphs* are runs of lines that are not blank. Paragraph 0 is the title: the first paragraph, where it is one
line that was such a link, or a Markdown heading (``# title``). The others count from 1.

*Normalised text* is Unicode NFC, every run of white space (the code points of ``WHITE_SPACE``, no others) one
space, trimmed. Positions are 0-based, half-open, counted in code points of that text.

*Sentences* count from 1 through the document (the title is sentence 0). A sentence ends behind one of ``TERMINATORS``
and any closing quotes or brackets, where white space follows, unless the next character is a lower-case letter (general
category Ll), or the full stop belongs to an abbreviation or a number that goes on: single letters with stops ("U.S.",
"J."), a word of ``ABBREVIATIONS``, one of ``BEFORE_NUMBERS`` before a digit ("Jan. 3"), a German ordinal ("am 3. Mai",
"im 3. Stock"). Behind those of ``WIDE_TERMINATORS``, which are written without a space behind them, a sentence ends
without one, too, but not behind a closing quote, nor within ``WIDE_BRACKETS``. A paragraph's end ends its last
sentence. In doubt two sentences stay one: a passage that is cut in two cannot be cited at all.

*Fingerprints* of a span: ``sha256`` of its UTF-8 bytes (lower-case hex), and ``rolling_hash``, 32 bits, by which a
reader's own copy can be searched for candidates in one pass.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import takewhile

from kg.errors import PassageError

WHITE_SPACE = (
    "\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""The code points that count as white space; Python's ``\\s`` and JavaScript's differ from it and from each other."""

ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof gen lt col maj capt cmdr sgt sen rep gov st vs etc no vol fig al inc ltd co corp jr sr "
    "adm brig cpl pvt rev hon messrs mme mlle ph.d dept univ approx mt ft ave blvd "
    "th thos ph chr chas joh jos wm wilh heinr friedr ferd jak geo ew hochw frl wwe "
    "hr fr dipl ing bzw ca mio mrd tsd evtl ggf usw usf vgl str geb gest inkl exkl zzgl sog allg hl jh jhd".split()
)
"""Words (compared in lower case) whose full stop ends no sentence."""

BEFORE_NUMBERS = frozenset(
    "jan feb mar apr jun jul aug sep sept oct okt nov dec dez nr art abs pp bd kap sec tel".split()
)
"""Words (compared in lower case) whose full stop ends no sentence where a digit follows."""

BEFORE_ORDINALS = frozenset("der die das des dem den im vom zum zur beim".split())
"""German words (compared in lower case) between which and a noun a number of one or two digits is an ordinal."""

BEHIND_ORDINALS = frozenset(
    "januar jänner februar feber märz april mai juni juli august september oktober november dezember "
    "jan feb apr jun jul aug sept okt nov dez jahrhundert jahrhunderts jahrhunderte jahrhunderten jh".split()
)
"""Words (compared in lower case) before which a number of one or two digits with a full stop is an ordinal."""

TERMINATORS = ".!?\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u3002\uff01\uff1f"
"""What ends a sentence: behind the first three, question mark and full stop of Arabic and Urdu, the danda of Hindi, the
full stops of Armenian and Ethiopic, and those of Chinese and Japanese."""

WIDE_TERMINATORS = "\u3002\uff01\uff1f"
"""Those of Chinese and Japanese."""

WIDE_BRACKETS = ("\u201c\u3008\u300a\u300c\u300e\u3010\uff08", "\u201d\u3009\u300b\u300d\u300f\u3011\uff09")
"""The quotation marks, title marks and brackets of these languages, opening and closing."""

_PLACES = 10
"""Places that a message names of words that stand more often."""

ROLLING_BASE = 16777619
"""Multiplier of the rolling hash (the 32-bit FNV prime): odd, so every code point keeps its influence."""

_IN_NUMBERS = ".,"
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\ua9e0-\ua9ff"
    "\uaa60-\uaadf\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai, Japanese and Chinese, which write no spaces between words."""

_SPACE_RUN = re.compile(f"[{WHITE_SPACE}]+")
_LINE_END = re.compile("\r\n|[\n\r\u0085\u2028\u2029]")
_TITLE_LINK = re.compile(r"\[([^\[\]]+)\]\([^()]*\)")
_HEADING = re.compile(r"#{1,6} ")
_CLOSERS = "\"')]}\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a\u300d\u300f\uff09"
_DEEPER = {sign: step for signs, step in zip(WIDE_BRACKETS, (1, -1), strict=True) for sign in signs}
_ORDINAL = re.compile(r"[0-9]{1,2}(?:\.?[/\u2013-][0-9]{1,2})*")
_LONGEST = max(map(len, BEHIND_ORDINALS)) + 1
_OPENERS = "\"'([{\u2018\u201a\u201c\u201e\u00ab\u00bb\u2039\u203a"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: its number, its paragraph, and its span in the normalised text."""

    number: int
    paragraph: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """A document's normalised text with its sentences in order."""

    content: str
    sentences: tuple[Sentence, ...]

    @property
    def sha256(self) -> str:
        return sha256(self.content)

    def sentence_at(self, start: int, end: int) -> Sentence | None:
        """The sentence that holds the whole span, or ``None`` where it crosses a boundary."""
        at = bisect_right(self.sentences, start, key=lambda sentence: sentence.start) - 1
        return self.sentences[at] if at >= 0 and end <= self.sentences[at].end else None

    def find(self, words: str) -> tuple[int, int]:
        """The only place where ``words`` stand; they are normalised first.

        :returns: start and end, 0-based, half-open, in code points.
        :raises PassageError: if they are empty, stand nowhere, or more than once.

        >>> parse("One two. Two, three.").find("two")
        (4, 7)
        """
        wanted = normalise(words)
        if not wanted:
            raise PassageError("no words were given")
        starts = occurrences(self.content, wanted)
        if not starts:
            raise PassageError("the words do not stand in the document")
        if len(starts) > 1:
            places = ", ".join(f"{s}-{s + len(wanted)}" for s in starts[:_PLACES]) + (" …" if starts[_PLACES:] else "")
            raise PassageError(
                f"the words stand {len(starts)} times in the document, at {places}: cite a few more words",
                positions=starts,
            )
        return starts[0], starts[0] + len(wanted)


def occurrences(content: str, wanted: str) -> tuple[int, ...]:
    """All offsets, overlapping ones included, at which ``wanted`` stands in ``content``."""
    found, at = [], content.find(wanted)
    while at >= 0:
        found.append(at)
        at = content.find(wanted, at + 1)
    return tuple(found)


def cuts_word(content: str, at: int) -> bool:
    """Whether an offset lies within a word or a number, so that what begins or ends there may say something else.

    Letters and digits beside each other are one word, but where no spaces stand between words; a mark belongs to what
    it stands behind, and a comma or point between digits to the number.

    >>> [cuts_word("12 were overruled", at) for at in (1, 2, 3, 12)], cuts_word("1,200", 2), cuts_word("漢字", 1)
    ([True, False, False, True], True, False)
    """
    before, behind = content[max(at - 1, 0) : at], content[at : at + 1]
    if not before or not behind:
        return False
    if before in _IN_NUMBERS and behind.isdecimal():
        return content[max(at - 2, 0) : at - 1].isdecimal()
    if behind in _IN_NUMBERS and before.isdecimal():
        return content[at + 1 : at + 2].isdecimal()
    if unicodedata.category(behind).startswith("M"):
        return True
    parts = all(unicodedata.category(char)[0] in "LMN" for char in (before, behind))
    return parts and not _WITHOUT_SPACES.search(before + behind)


def normalise(raw: str) -> str:
    """NFC, every run of white space one space, trimmed.

    >>> normalise("\\ufeffcafe\\u0301 \\r\\n au\\u00a0lait ")
    'caf\\xe9 au lait'
    """
    return _SPACE_RUN.sub(" ", unicodedata.normalize("NFC", raw)).strip(" ")


def sha256(span: str) -> str:
    """Lower-case hex SHA-256 of the span's UTF-8 bytes.

    >>> sha256("abc")[:8]
    'ba7816bf'
    """
    return hashlib.sha256(span.encode("utf-8")).hexdigest()


def rolling_hash(span: str) -> str:
    """Polynomial hash of the span's code points modulo 2^32, as 8 lower-case hex digits.

    ``h = Σ codepoint[i] · ROLLING_BASE^(n-1-i) mod 2^32`` (Karp and Rabin 1987, with the word size as modulus).

    >>> rolling_hash("ab") == format((97 * ROLLING_BASE + 98) % 2**32, "08x")
    True
    """
    h = 0
    for char in span:
        h = (h * ROLLING_BASE + ord(char)) & 0xFFFFFFFF
    return format(h, "08x")


def locate(content: str, length: int, digest: str) -> tuple[int, ...]:
    """All offsets of spans with ``length`` code points whose SHA-256 is ``digest``, without knowing their words.

    The rolling hash of a span is not needed where SHA-256 is as fast as here; a browser finds candidates by it first.

    >>> locate("one two one", 3, sha256("one"))
    (0, 8)
    """
    return tuple(
        at for at in range(len(content) - length + 1) if length and sha256(content[at : at + length]) == digest
    )


def parse(raw: str) -> Text:
    """Read a document: its normalised text, and where its paragraphs and sentences lie.

    >>> [(s.paragraph, s.number) for s in parse("[A title](#)\\n\\nThe U.S. base. It closed.").sentences]
    [(0, 0), (1, 1), (1, 2)]
    """
    blocks, has_title = _paragraphs(raw)
    sentences: list[Sentence] = []
    position, number = 0, 0
    for index, block in enumerate(blocks):
        paragraph = index if has_title else index + 1
        if paragraph == 0:
            sentences.append(Sentence(0, 0, position, position + len(block)))
        else:
            for start, end in split_sentences(block):
                number += 1
                sentences.append(Sentence(number, paragraph, position + start, position + end))
        position += len(block) + 1
    return Text(" ".join(blocks), tuple(sentences))


def content(raw: str) -> str:
    """The normalised text of a document alone: what takes time are its sentences.

    >>> content("[A title](#)\\n\\n One  line. ")
    'A title One line.'
    """
    return " ".join(_paragraphs(raw)[0])


def _paragraphs(raw: str) -> tuple[list[str], bool]:
    """Normalised paragraphs in order, and whether the first is the title."""
    groups: list[list[str]] = [[]]
    for line in _LINE_END.split(raw):
        if line.strip(WHITE_SPACE):
            groups[-1].append(line)
        else:
            groups.append([])
    blocks = [group for group in groups if group]
    has_title = False
    if blocks:
        first = blocks[0][0].strip(WHITE_SPACE)
        link = _TITLE_LINK.fullmatch(first)
        if link and link[1].strip(WHITE_SPACE):
            blocks[0][0] = link[1]
            has_title = len(blocks[0]) == 1
        else:
            has_title = len(blocks[0]) == 1 and _HEADING.match(first) is not None
    return [normalise("\n".join(group)) for group in blocks], has_title


def split_sentences(paragraph: str) -> list[tuple[int, int]]:
    """Spans of the sentences of one normalised paragraph, without the space between them, if there is one.

    >>> split_sentences("The U.S. Army left. Then?")
    [(0, 19), (20, 25)]
    >>> split_sentences("Am 3. Mai um 9. Dann.")
    [(0, 15), (16, 21)]
    >>> split_sentences("\u7070\u3002\u9ed1\u3002")
    [(0, 2), (2, 4)]
    """
    spans, start, at, length, depth = [], 0, 0, len(paragraph), 0
    while at < length:
        if paragraph[at] not in TERMINATORS:
            depth = max(0, depth + _DEEPER.get(paragraph[at], 0))
            at += 1
            continue
        stop = at
        while at < length and paragraph[at] in TERMINATORS:
            at += 1
        wide = paragraph[at - 1] in WIDE_TERMINATORS and not depth
        while at < length and paragraph[at] in _CLOSERS:
            depth, wide = max(0, depth + _DEEPER.get(paragraph[at], 0)), False
            at += 1
        if at < length and paragraph[at] == " ":
            if _ends_sentence(paragraph, start, stop, at):
                spans.append((start, at))
                start, depth = at + 1, 0
        elif at < length and wide:
            spans.append((start, at))
            start = at
    if start < length:
        spans.append((start, length))
    return spans


def _ends_sentence(paragraph: str, start: int, stop: int, space: int) -> bool:
    """Whether the terminator at ``stop``, with white space at ``space``, ends the sentence begun at ``start``."""
    following = paragraph[space + 1 : space + 2]
    if following and unicodedata.category(following) == "Ll":
        return False
    if paragraph[stop] != "." or paragraph[stop + 1] in TERMINATORS:
        return True
    begin = max(paragraph.rfind(" ", start, stop), start - 1) + 1
    word = paragraph[begin : stop + 1].lstrip(_OPENERS)
    name = word[:-1].lower()
    if _is_initials(word) or name in ABBREVIATIONS or (name in BEFORE_NUMBERS and following.isdecimal()):
        return False
    if not _ORDINAL.fullmatch(name):
        return True
    before = paragraph[max(paragraph.rfind(" ", start, max(begin - 1, start)), start - 1) + 1 : max(begin - 1, start)]
    behind = "".join(takewhile(str.isalpha, paragraph[space + 1 : space + 1 + _LONGEST]))
    return before.lower() not in BEFORE_ORDINALS and behind.lower() not in BEHIND_ORDINALS


def _is_initials(word: str) -> bool:
    """Single letters (general category L*), each with a stop behind it: "U.S.", "J."."""
    letters, stops = word[::2], word[1::2]
    return (
        bool(word)
        and len(letters) == len(stops)
        and set(stops) == {"."}
        and all(unicodedata.category(letter).startswith("L") for letter in letters)
    )
