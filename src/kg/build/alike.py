"""Words that stand in a text in other characters: curly quotes for straight ones, soft hyphens, ligatures, capitals.

Who types or copies a quote cannot see most of that. Such words are found, and what they are in the text is said; what
is compared, cited and published is the text as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

from pyoxigraph import Literal

_QUOTES = dict.fromkeys("“”„‟«»〝〞", '"') | dict.fromkeys("‘’‚‛‹›′´`", "'")
_DASHES = dict.fromkeys("‐‑‒–—―−", "-")
_UNSEEN = ("Cf", "Cc", "Zl", "Zp")
"""Categories of characters that nobody sees: soft hyphens, joiners, marks of direction."""
_MOST, _PLACES = 120, 10
"""Characters that are shown, and places that are looked for."""


class _Folds(dict[int, str]):
    """Code point → what it is taken for; nothing for what nobody sees."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        folded = "".join(_PLAIN.get(c, c) for c in unicodedata.normalize("NFKC", character)).casefold()
        if unicodedata.category(character) in _UNSEEN or "\ufe00" <= character <= "\ufe0f":
            folded = ""
        self[point] = folded
        return folded


_PLAIN = _QUOTES | _DASHES
_FOLDS = _Folds()


def spans_alike(words: str, content: str) -> list[tuple[int, int]]:
    """The first places where the words stand, whatever characters they are written in.

    >>> spans_alike('an "office"', "In an “of\\ufb01ce” here, and an «Of\\u00adfice» there.")
    [(3, 13), (24, 36)]
    """
    wanted = words.translate(_FOLDS).strip()
    folded = content.translate(_FOLDS)
    starts: list[int] = []
    while wanted and len(starts) < _PLACES and (at := folded.find(wanted, starts[-1] + 1 if starts else 0)) >= 0:
        starts.append(at)
    firsts = _originals(content, starts)
    lasts = _originals(content, [at + len(wanted) - 1 for at in starts])
    return list(dict.fromkeys((first, last + 1) for first, last in zip(firsts, lasts, strict=True)))


def _originals(content: str, offsets: Sequence[int]) -> Iterator[int]:
    """The characters of a text that those of its folded form come from; ``offsets`` in order."""
    waiting = iter(offsets)
    wanted = next(waiting, None)
    ends = accumulate(len(_FOLDS[ord(c)]) for c in content) if offsets else iter(())
    for index, end in enumerate(ends):
        while wanted is not None and wanted < end:
            yield index
            wanted = next(waiting, None)
        if wanted is None:
            return


def visible(words: str) -> str:
    """Words as Turtle takes them, cut to a length, with what nobody sees as an escape.

    >>> print(visible('A "soft\\u00adhyphen"'))
    "A \\"soft\\u00ADhyphen\\""
    """
    shown = str(Literal(words[:_MOST]))
    return "".join(c if c == " " or c.isprintable() else f"\\u{ord(c):04X}" for c in shown)


def strange(words: str, typed: str) -> str:
    """The signs among ``words`` that were not typed, by name.

    >>> strange("a “word”", 'a "word"')
    'left double quotation mark (U+201C), right double quotation mark (U+201D)'
    """
    signs = dict.fromkeys(c for c in words if c not in typed)
    names = [
        f"{unicodedata.name(c, 'character').lower()} (U+{ord(c):04X})"
        for c in signs
        if not c.isalnum() or unicodedata.normalize("NFKC", c) != c
    ]
    return ", ".join(names[:5]) + (", …" if names[5:] else "")
