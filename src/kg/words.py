"""Words as searches compare them: folded, so that spelling, marks and scripts stand less in the way.

*Folding* takes away case, diacritics and vowel signs (Unicode NFKD without the categories Mn, Mc and Cf), apostrophes
and the signs that stand for ayn and hamza in transliterations, and makes one letter of those that only differ by
custom (``ø`` and ``o``; the forms of the Arabic alif; the digits of all scripts). So "al-Qā’im" is "al-Qaim".

*A word* is a run of letters and digits; a Chinese or Japanese character is a word of its own, because these scripts
put no space between words. What a hyphen joins is indexed in parts and as one ("al-qaim": al, qaim, alqaim).

*The sound* of a word is its consonants, with those that transliterations mix up made one, whatever the script:
"Qaim", "Kaim" and "القائم" have the same.

*The stem* of a word is what is left without the endings by which English and German change it ("votes", "Angriffen").
"""

from __future__ import annotations

import re
import unicodedata

_DROPPED = dict.fromkeys(map(ord, "'`´’‘‛ʼʻʽʾʿʹʺ′＇\u0640\u0621"))
_CUSTOM = str.maketrans(
    {
        "ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h",
        "\u0671": "\u0627", "\u0649": "\u064a", "\u0629": "\u0647", "\u06a9": "\u0643", "\u06cc": "\u064a",
    }
)  # fmt: skip
_MARKS = frozenset({"Mn", "Mc", "Cf"})
_CHARACTER = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CHARACTER}]|(?:(?![{_CHARACTER}])[^\W_])+")
_JOINED = re.compile(r"[^\W_]+(?:[-\u2010\u2011][^\W_]+)+")

_OWNED = re.compile(r"(?<=[^\W_])(?:['’ʼ][sS]|(?<=[sS])['’ʼ])(?![^\W_])")
_ELIDED = re.compile(r"(?<![^\W_])(?:[cdjlmnst]|qu)['’ʼ](?=[^\W_]{3})", re.IGNORECASE)

_ARABIC = str.maketrans(dict(zip("ابتثجحخدذرزسشصضطظعغفقكلمنهويپگچژ", "abttghkddrssssdtsagfkklmnhwypgss", strict=True)))
_PAIRS = (("kh", "k"), ("gh", "g"), ("ph", "f"), ("sh", "s"), ("ch", "s"), ("th", "t"), ("dh", "d"), ("ck", "k"))
_ALIKE = str.maketrans({"q": "k", "c": "k", "z": "s", "j": "g", "v": "f", "x": "k"})
_SILENT = frozenset("aeiouyhw")
_ENDINGS = ("ies", "ing", "ern", "ed", "en", "er", "es", "e", "n", "s")
_SHORTEST_STEM = 4
_ARTICLES = frozenset({"al", "el", "ul", "the", "la", "le", "der", "die", "das"})


def fold(text: str) -> str:
    """A text without what searches overlook; its words are not cut apart yet.

    >>> fold("al-Qā’im"), fold("Ström"), fold("أَلقَائِم") == fold("القائم")
    ('al-qaim', 'strom', True)
    """
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    plain = unicodedata.normalize("NFKD", text.translate(_DROPPED).casefold())
    kept = (str(unicodedata.decimal(c, c)) for c in plain if unicodedata.category(c) not in _MARKS)
    return "".join(kept).translate(_CUSTOM | _DROPPED)


def words(text: str) -> list[str]:
    """The words of a text, folded, in order.

    >>> words("The U.S. bases at al-Qa'im, 基地")
    ['the', 'u', 's', 'bases', 'at', 'al', 'qaim', '基', '地']
    """
    return _WORD.findall(fold(text))


def indexed(text: str) -> list[str]:
    """The words that a text is found by: also the joined form of what a hyphen joins.

    >>> indexed("al-Qaim (base)")
    ['al', 'qaim', 'base', 'alqaim']
    """
    folded = fold(text)
    return [*_WORD.findall(folded), *("".join(_WORD.findall(run)) for run in _JOINED.findall(folded))]


def bare(text: str) -> str:
    """A text without the endings and the articles that an apostrophe joins to names, in English, French and Italian.

    >>> bare("Soleimani's death"), bare("the forces’ bases"), bare("l'Iraq"), bare("Qal'at")
    ('Soleimani death', 'the forces bases', 'Iraq', "Qal'at")
    """
    return _ELIDED.sub("", _OWNED.sub("", text))


def stem(word: str) -> str:
    """What a folded word begins with in its other forms; the word itself if it is short or has no such ending.

    >>> stem("statements"), stem("parties"), stem("relocated"), stem("angriffen"), stem("iran"), stem("bases")
    ('statement', 'part', 'relocat', 'angriff', 'iran', 'base')
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def sounds(text: str) -> list[str]:
    """The sounds of a text's words; articles and words of one consonant have none.

    >>> sounds("Al-Qaim"), sounds("Kaïm"), sounds("القائم"), sounds("Soleimani"), sounds("سليماني")
    (['km'], ['km'], ['km'], ['slmn'], ['slmn'])
    """
    found = (_sound(word) for word in words(text) if word not in _ARTICLES)
    return [sound for sound in found if len(sound) > 1]


def _sound(word: str) -> str:
    if word.startswith("\u0627\u0644") and len(word) > 4:  # the Arabic article is written as one with its word
        word = word[2:]
    latin = word.translate(_ARABIC)
    for pair, single in _PAIRS:
        latin = latin.replace(pair, single)
    latin = re.sub(r"(.)\1+", r"\1", latin).translate(_ALIKE)
    first = "a" if latin[:1] in _SILENT - {"h", "w"} else latin[:1]
    return first + "".join(letter for letter in latin[1:] if letter not in _SILENT)
