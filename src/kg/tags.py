"""Language tags (BCP 47): which of several languages is taken, wherever one of them has to be."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def rank(tag: str, wanted: tuple[str, ...]) -> int:
    """The place of a language among all: those that are wanted, in their order, else none, English, any other.

    Less is better. A language that is wanted is followed by its other variants, whatever their region or script.

    >>> [rank(tag, ("de-AT", "fr")) for tag in ("de-AT", "de", "fr", "fr-CA", "", "en-GB", "it")]
    [0, 1, 2, 3, 4, 5, 6]
    """
    one = tag.lower()
    for place, other in enumerate(map(str.lower, wanted)):
        if one == other:
            return 2 * place
        if one and primary(one) == primary(other):
            return 2 * place + 1
    return 2 * len(wanted) + (0 if not one else 1 if primary(one) == "en" else 2)


def order(text: tuple[str, str], wanted: tuple[str, ...]) -> tuple[int, str, str]:
    """What texts with their tags are sorted by; the least is the one that is taken, whatever order they come in.

    >>> min([("Bagdad", "fr"), ("Baghdad", "en")], key=lambda text: order(text, ("de",)))
    ('Baghdad', 'en')
    """
    return rank(text[1], wanted), text[1], text[0]


def primary(tag: str) -> str:
    """The primary language subtag (RFC 5646, section 2.2.1), without region and script.

    >>> primary("zh-Hant-TW")
    'zh'
    """
    return tag.partition("-")[0].lower()
