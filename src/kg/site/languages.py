"""The languages that pages speak, and which of them a reader wants.

English is the language of the sources; every other one is a catalogue in ``locale/``, a gettext file that is read as
it is. A page is chosen by ``?lang=``, else by ``Accept-Language``; nothing is kept with the reader. A release in a
language that has no catalogue may still be read in it: its labels come in that language, ours in English.

In the sources, texts for readers stand in ``{% trans %}`` of templates, in ``gettext()`` and ``ngettext()``, or in
:func:`marked` where they are written down before anybody reads them; scripts use ``_()`` (``web/src/lib/words.js``).
``make words`` brings the catalogues up to date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from kg import media, translation
from kg.tags import primary

FOLDER = Path(__file__).resolve().parent / "locale"
SOURCE = "en"
"""The language of the texts in the sources."""

CATALOGUES = (SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po")))
PARAMETER = "lang"
HEADER = "Accept-Language"

_LONGEST = 1_000
_SCRIPT = re.compile(r"\.js$")
_ADDRESS = re.compile(r'(<a\b[^>]*?\shref=")((?:[^"#&]|&#?)*)(#[^"]*)?"')
_FORM = re.compile(r'<form\b[^>]*\saction="(?![a-z]+:)[^"]*"[^>]*>')
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_NO_PAGE = re.compile(rf"(?:^|/)(?:static|dumps)/.|\.(?:{'|'.join(media.RDF_BY_EXTENSION)}|json|csv|atom|svg)(?:\?|$)")

marked = translation.marked


class Message(str):
    """A sentence in English, which programs get, that can be told in the reader's language too.

    >>> told = Message("No page {page}.", page=3)
    >>> told, told.in_words({"No page {page}.": "Keine Seite {page}."}.__getitem__)
    ('No page 3.', 'Keine Seite 3.')
    """

    __slots__ = ("_text", "_values")
    _text: str
    _values: Mapping[str, object]

    def __new__(cls, text: str, **values: object) -> Message:
        told = super().__new__(cls, text.format(**values))
        told._text, told._values = text, values
        return told

    def in_words(self, gettext: Callable[[str], str]) -> str:
        """The sentence in the language of a catalogue."""
        return gettext(self._text).format(**self._values)


@dataclass(frozen=True, eq=False)
class Language:
    """``code`` (BCP 47) is what labels are wanted in, ``texts`` the catalogue of what the program says.

    ``name`` is the language's own name; ``scripts`` what the scripts of a page say, nothing where that is in English.
    """

    code: str
    texts: str
    name: str
    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]
    scripts: Markup
    _group: str

    def number(self, count: int) -> str:
        """A count with its digits in groups.

        >>> spoken("en").number(12345), spoken("de").number(12345)
        ('12,345', '12.345')
        """
        text = f"{count:,}"
        return text if self._group == "," else text.replace(",", self._group)

    def decimal(self, number: float, places: int = 1) -> str:
        """A number with so many places behind its point or comma.

        >>> spoken("en").decimal(1234.56), spoken("de").decimal(1234.56)
        ('1,234.6', '1.234,6')
        """
        whole, _, rest = f"{number:,.{places}f}".partition(".")
        return self.number(int(whole.replace(",", ""))) + self._point + rest if rest else whole

    @property
    def _point(self) -> str:
        return str(_locale(self.texts).number_symbols["latn"]["decimal"])

    def months(self, *, short: bool = False) -> Sequence[str]:
        """The names of the months, from January, as they stand in a date."""
        return _months(self.texts, "abbreviated" if short else "wide")

    def country(self, number: str, name: str) -> str:
        """What a country is called that has this number (ISO 3166-1) and this name in English.

        >>> spoken("de").country("792", "Turkey"), spoken("de").country("", "N. Cyprus")
        ('Türkei', 'N. Cyprus')
        """
        if self.texts == SOURCE:
            return name
        codes = get_global("territory_aliases").get(number, ())
        return str(_locale(self.texts).territories.get(codes[0], name)) if codes else name

    def is_own(self, language: str) -> bool:
        """Whether a language tag is of this language, so that pages need not name it."""
        return primary(language) == primary(self.code)


@lru_cache(maxsize=16)
def _months(texts: str, width: str) -> tuple[str, ...]:
    names = _locale(texts).months["format"][width]
    return tuple(str(names[month]) for month in range(1, 13))


@lru_cache(maxsize=64)
def spoken(code: str) -> Language:
    """The language of a code, with English texts where there is no catalogue."""
    texts = primary(code) if primary(code) in CATALOGUES else SOURCE
    translations = _translations(texts)
    return Language(
        code=code,
        texts=texts,
        name=_own_name(code),
        gettext=translations.gettext,
        ngettext=translations.ngettext,
        scripts=_scripts(texts, translations),
        _group=str(_locale(texts).number_symbols["latn"]["group"]),
    )


@lru_cache(maxsize=8)
def offered(own: str) -> tuple[str, ...]:
    """What a site in the language ``own`` can be read in, its own first.

    >>> offered("de")[:2], offered("xx")[:2]
    (('de', 'en'), ('xx', 'en'))
    """
    first = primary(own) if primary(own) in CATALOGUES else own
    return (first, *(code for code in CATALOGUES if code != first))


def wanted(query: str, header: str, codes: Sequence[str]) -> str:
    """Which of ``codes`` a request is answered in: what its query names, else what its header prefers."""
    if PARAMETER + "=" in query:
        named = parse_qs(query).get(PARAMETER, [""])[-1]
        if named in codes:
            return named
    return negotiate(header[:_LONGEST], tuple(codes))


@lru_cache(maxsize=512)
def negotiate(header: str, codes: tuple[str, ...]) -> str:
    """The best of ``codes`` for an ``Accept-Language`` header (RFC 9110, section 12.5.4; RFC 4647, section 3.4).

    >>> negotiate("fr, de-AT;q=0.8, en;q=0.2", ("en", "de")), negotiate("", ("en", "de")), negotiate("xx", ("en", "de"))
    ('de', 'en', 'en')
    """
    ranges = list(parse_accept_header(header, LanguageAccept))
    refused = {tag.lower() for tag, quality in ranges if quality <= 0}
    offer = {code.lower(): code for code in codes if code.lower() not in refused}
    for tag, quality in ranges:  # the most wanted first
        wished = tag.lower() if quality > 0 else ""
        if wished == "*" and offer:
            return next(iter(offer.values()))
        # "de-AT" is served by "de" before any language that is wanted less.
        while wished and wished not in offer:
            wished = wished.rpartition("-")[0]
        if wished:
            return offer[wished]
    return codes[0]


def kept(page: str, code: str) -> str:
    """A page whose links and forms name the language, for a reader who has chosen it by ``?lang=``."""

    def link(found: re.Match[str]) -> str:
        address = found[2]
        if _ELSEWHERE.match(address) or _NO_PAGE.search(address) or f"{PARAMETER}=" in address:
            return found[0]
        if not address and found[3]:
            return found[0]  # a place on this page
        joint = "&amp;" if "?" in address else "?"
        return f'{found[1]}{address}{joint}{PARAMETER}={code}{found[3] or ""}"'

    hidden = f'<input type="hidden" name="{PARAMETER}" value="{code}">'
    return _FORM.sub(lambda found: found[0] + hidden, _ADDRESS.sub(link, page))


@lru_cache(maxsize=8)
def catalogue(texts: str) -> Catalog:
    """A catalogue as it is in ``locale/``."""
    with (FOLDER / f"{texts}.po").open("rb") as file:
        return read_po(file, locale=texts)


def _translations(texts: str) -> NullTranslations:
    if texts == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(texts))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _scripts(texts: str, translations: NullTranslations) -> Markup:
    """What the scripts of a page say, by its English, as a data block that no browser runs."""
    if texts == SOURCE:
        return Markup("")
    found: dict[str, str | dict[str, str]] = {}
    plural = _locale(texts).plural_form
    for message in catalogue(texts):
        if not any(_SCRIPT.search(path) for path, _ in message.locations):
            continue
        if isinstance(message.id, str):
            found[message.id] = translations.gettext(message.id)
        else:
            # By CLDR's names of the forms, which browsers know: gettext's numbers are their own in every language.
            one, many = message.id[:2]
            found[one] = {plural(n): translations.ngettext(one, many, n) for n in range(200, -1, -1)}
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Markup('<script type="application/json" id="words">{}</script>').format(Markup(text))  # noqa: S704 - our texts


@lru_cache(maxsize=16)
def _locale(code: str) -> Locale:
    return Locale.parse(code)


def _own_name(code: str) -> str:
    try:
        return Locale.parse(code, sep="-").display_name or code
    except (ValueError, UnknownLocaleError):
        return code
