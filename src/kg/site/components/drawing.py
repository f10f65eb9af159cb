"""A little SVG: what pages draw, as text, with everything from the data escaped.

Widths are per cent of the drawing, so that a picture fits every screen without being scaled and its words stay as large
as the others on the page. Colours and lines come from the stylesheet, by class: pages allow no inline style.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from kg.dates import civil, number, read
from kg.site.languages import Language


def element(name: str, content: Iterable[object] | None = None, **attributes: object) -> Markup:
    """An element; ``class_`` is ``class``, other underscores are hyphens, ``None`` leaves an attribute out.

    >>> element("rect", x="1%", class_='a"b')
    Markup('<rect x="1%" class="a&#34;b"/>')
    >>> element("text", ["<"], text_anchor="end")
    Markup('<text text-anchor="end">&lt;</text>')
    """
    given = "".join(
        f' {_attribute(key)}="{value if isinstance(value, (int, float)) else escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if content is None:
        return Markup(f"<{name}{given}/>")  # noqa: S704 - names are ours, values were escaped
    return Markup(f"<{name}{given}>{''.join(map(escape, content))}</{name}>")  # noqa: S704


@lru_cache(maxsize=256)
def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def percent(share: float) -> str:
    """A share of the width.

    >>> percent(0.125), percent(1)
    ('12.5%', '100%')
    """
    return f"{round(share * 100, 2):g}%"


class Tick(NamedTuple):
    """A mark on an axis of days: where it stands (0 to 1), what it says, and the larger unit where that changes."""

    at: float
    label: str
    above: str


class Axis(NamedTuple):
    """Days from ``first`` to ``last``, both drawn whole."""

    first: int
    last: int

    def share(self, day: float) -> float:
        """Where a day begins, from 0 to 1."""
        return min(1.0, max(0.0, (day - self.first) / (self.last + 1 - self.first)))

    def ticks(self, language: Language, most: int = 6) -> list[Tick]:
        """At most so many marks, at the beginnings of days, months or years."""
        for unit, step in _UNITS:
            # So many begin between the two that they need not be counted.
            if self.last - self.first > (most + 1) * step * _LONGEST[unit]:
                continue
            days = list(_beginnings(unit, step, self.first, self.last, most))
            if len(days) <= most:
                return [self._tick(language, unit, day, days[i - 1] if i else None) for i, day in enumerate(days)]
        return []

    def _tick(self, language: Language, unit: str, day: int, before: int | None) -> Tick:
        year, month, date = civil(day)
        changed = before is None or civil(before)[0] != year
        if unit == "year":
            return Tick(self.share(day), year_name(year, language), "")
        label = language.months(short=True)[month - 1]
        if unit != "month":
            label = language.gettext("{day} {month}").format(day=date, month=label)
        return Tick(self.share(day), label, year_name(year, language) if changed else "")


_LONGEST = {"day": 4, "month": 31, "year": 366}
"""Days from one beginning to the next at most; a step of days may leave some out at the end of a month."""

_UNITS = (
    *(("day", n) for n in (1, 2, 5, 10)),
    *(("month", n) for n in (1, 2, 3, 6)),
    *(("year", m * 10**e) for e in range(6) for m in (1, 2, 5)),
)


def _beginnings(unit: str, step: int, first: int, last: int, most: int) -> Iterator[int]:
    """Round days between two others, one more than wanted at most."""
    year, month, date = civil(first)
    found = 0
    if unit == "day":
        while found <= most:
            day = number(year, month, date)
            # 1, 6, 11 … of each month; the 31st would stand too close to the next 1st.
            if day >= first and (date - 1) % step == 0 and (step == 1 or date <= 28):
                if day > last:
                    return
                found += 1
                yield day
            year, month, date = civil(day + 1)
            if day > last:
                return
        return
    month, year = (month if unit == "month" else 1), year - (year % step if unit == "year" else 0)
    month -= (month - 1) % step if unit == "month" else 0
    while found <= most:
        day = number(year, month)
        if day > last:
            return
        if day >= first:
            found += 1
            yield day
        year, month = (
            (year + step, 1) if unit == "year" else (year + (month - 1 + step) // 12, (month - 1 + step) % 12 + 1)
        )


def year_name(year: int, language: Language) -> str:
    """A year as people write it: there is none called 0 (ISO 8601's 0 is 1 BC), and one of two digits says its era.

    >>> from kg.site.languages import spoken
    >>> [year_name(year, spoken("en")) for year in (2020, 14, 0, -44)]
    ['2020', 'AD 14', '1 BC', '45 BC']
    """
    if year > 99:
        return str(year)
    return (
        language.gettext("AD {year}").format(year=year)
        if year > 0
        else language.gettext("{year} BC").format(year=1 - year)
    )


def days_in_words(first: int, last: int, language: Language, *, within: bool) -> str:
    """What a span says, for people.

    >>> from kg.site.languages import spoken
    >>> english = spoken("en")
    >>> days_in_words(number(2020, 3, 16), number(2020, 3, 16), english, within=True)
    '16 March 2020'
    >>> days_in_words(number(2020, 3, 1), number(2020, 3, 31), english, within=True)
    'in March 2020'
    >>> days_in_words(number(2020, 3, 16), number(2020, 3, 22), english, within=True)
    'between 16 and 22 March 2020'
    >>> days_in_words(number(1990), number(1992, 12, 31), english, within=False)
    'from 1990 to 1992'
    """
    if first == last:
        return _day(first, language)
    gettext = language.gettext
    a, b = civil(first), civil(last)
    whole_months = a[2] == 1 and civil(last + 1)[2] == 1
    if whole_months and a[1] == 1 and b[1] == 12:
        begin, end = year_name(a[0], language), year_name(b[0], language)
        alone = gettext("in {year}") if within else gettext("throughout {year}")
        if begin == end:
            return alone.format(year=begin)
    elif whole_months:
        begin, end = _month(a, language), _month(b, language)
        alone = gettext("in {month}") if within else gettext("throughout {month}")
        if begin == end:
            return alone.format(month=begin)
        begin = language.months()[a[1] - 1] if a[0] == b[0] else begin
    else:
        begin, end = _day(first, language), _day(last, language)
        if a[:2] == b[:2]:
            begin = gettext("{day}").format(day=a[2])
        elif a[0] == b[0]:
            begin = gettext("{day} {month}").format(day=a[2], month=language.months()[a[1] - 1])
    between = gettext("between {begin} and {end}") if within else gettext("from {begin} to {end}")
    return between.format(begin=begin, end=end)


def date_in_words(text: str, language: Language) -> str:
    """A date as people write it; what is no date, as it is.

    >>> from kg.site.languages import spoken
    >>> date_in_words("2020-03-16", spoken("en")), date_in_words("2020", spoken("en")), date_in_words("?", spoken("en"))
    ('16 March 2020', '2020', '?')
    """
    days = read(text)
    return _day(days.first, language) if days and days.first == days.last else text


def moment_in_words(moment: datetime, language: Language) -> str:
    """A moment as people write it, in the time zone that it has, to the minute.

    >>> from kg.site.languages import spoken
    >>> moment_in_words(datetime(2020, 3, 16, 9, 5), spoken("de"))
    '16. März 2020, 09:05'
    """
    return f"{date_in_words(moment.date().isoformat(), language)}, {moment:%H:%M}"


def _day(day: int, language: Language) -> str:
    year, month, date = civil(day)
    return language.gettext("{day} {month} {year}").format(
        day=date, month=language.months()[month - 1], year=year_name(year, language)
    )


def _month(parts: tuple[int, int, int], language: Language) -> str:
    return f"{language.months()[parts[1] - 1]} {year_name(parts[0], language)}"


def place_in_words(lat: float, lon: float, language: Language) -> str:
    """Where a place is, to about ten metres.

    >>> from kg.site.languages import spoken
    >>> place_in_words(52.5205, -13.4, spoken("en")), place_in_words(-0.5, 44.2839999, spoken("de"))
    ('52.5205° N, 13.4° W', '0,5° S, 44,284° O')
    """
    north, south = language.gettext("{degrees}° N"), language.gettext("{degrees}° S")
    east, west = language.gettext("{degrees}° E"), language.gettext("{degrees}° W")
    found = ((lat, south if lat < 0 else north), (lon, west if lon < 0 else east))
    numbers = [language.decimal(abs(angle), 4).rstrip("0").rstrip(".,") for angle, _ in found]
    return ", ".join(said.format(degrees=number) for number, (_, said) in zip(numbers, found, strict=True))
