"""Dates as day numbers: days since 1970-01-01 in the proleptic Gregorian calendar, for any year of up to six digits.

Python's own dates end at the years 1 and 9999; data does not. Dates are read from the lexical forms of XML Schema
(``xsd:date``, ``gYear``, ``gYearMonth``, ``dateTime``; part 2, section 3.3) and from the levels 0 and 1 of the Extended
Date/Time Format (ISO 8601-2), as far as they have a first and a last day. A day is where its text says it is: time
zones are not applied.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(
    r"(?P<year>-?(?:\d{4,6}|\d{3}X|\d{2}XX))(?:-(?P<month>\d\d|XX)(?:-(?P<day>\d\d|XX))?)?"
    r"(?:T[\d:.,]{2,24})?(?:Z|[+-]\d\d:\d\d)?[?~%]?",
    re.ASCII,
)
_EDTF = re.compile(
    r"[?~%]?(?P<year>-?[0-9X]{4})(?:-[?~%]?(?P<month>[0-9X]{2})(?:-[?~%]?(?P<day>[0-9X]{2}))?)?"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:Z|[+-]\d\d(?::\d\d)?)?)?[?~%]?",
    re.ASCII,
)
_LONG_YEAR = re.compile(r"Y-?\d{5,}[?~%]?", re.ASCII)
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ERA = 146_097
"""Days in 400 years."""


class Days(NamedTuple):
    """A first and a last day, both included."""

    first: int
    last: int


def number(year: int, month: int = 1, day: int = 1) -> int:
    """The number of a day (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*, ``days_from_civil``).

    >>> number(1970), number(2000, 3), number(0, 12, 31), number(-45, 3, 15)
    (0, 11017, -719163, -735891)
    """
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * _ERA + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a number (the same source, ``civil_from_days``).

    >>> civil(0), civil(11017), civil(number(-45, 3, 15))
    ((1970, 1, 1), (2000, 3, 1), (-45, 3, 15))
    """
    era, of_era = divmod(day + 719_468, _ERA)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def length(year: int, month: int) -> int:
    """Days in a month."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _MONTHS[month - 1]


def read(text: str) -> Days | None:
    """The days that a date, an interval ``a/b`` or a set ``[a..b]`` covers; ``None`` where that is open or no date.

    >>> read("2020-03-16") == Days(number(2020, 3, 16), number(2020, 3, 16))
    True
    >>> read("2020-03") == read("2020-03-01/2020-03-31") == read("[2020-03-01..2020-03-31]")
    True
    >>> read("202X") == read("2020/2029"), read("2020-02-30"), read("2020/.."), read("last week")
    (True, None, None, None)
    """
    text = text.strip()[:100]
    for opening, separator, closing in (("", "/", ""), ("[", "..", "]"), ("{", "..", "}")):
        inner = text.removeprefix(opening).removesuffix(closing)
        if separator in inner and text == opening + inner + closing:
            ends = [_one(part) for part in inner.split(separator)]
            if len(ends) != 2 or not ends[0] or not ends[1] or ends[0].first > ends[1].last:
                return None
            return Days(ends[0].first, ends[1].last)
    return _one(text)


def is_edtf(text: str) -> bool:
    """Whether a text is a time of the Extended Date/Time Format (ISO 8601-2) that there can be.

    Levels 0 and 1 as a whole; of level 2 sets, and qualified or unspecified parts. Months from 21 on are seasons
    and the like (section 4.8).

    >>> all(map(is_edtf, ("1985", "-0044-03-15", "192X", "1984~", "2001-21", "1985/..", "[..1760-12,1762]", "Y-17000")))
    True
    >>> any(map(is_edtf, ("2024-13-45", "2023-02-29", "1985-4", "/", "[1985", "3 March 2024", "1990/1985")))
    False
    """
    if "/" in text:
        ends = text.split("/")
        known = [end for end in ends if end not in ("", "..")]
        first, last = _one(ends[0]), _one(ends[-1])
        in_order = first is None or last is None or first.first <= last.last
        return len(ends) == 2 and bool(known) and all(map(_can_be, known)) and in_order
    if text[:1] in ("[", "{") and text[-1:] == {"[": "]", "{": "}"}[text[0]]:
        inner = text[1:-1].removeprefix("..").removesuffix("..")
        return all(map(_can_be, re.split(r",|\.\.", inner)))
    return _can_be(text)


def _can_be(text: str) -> bool:
    """Whether a text is one date of EDTF, with a month and a day that the calendar has."""
    form = _EDTF.fullmatch(text)
    if form is None:
        return _LONG_YEAR.fullmatch(text) is not None
    month, day = form["month"] or "XX", form["day"] or "XX"
    if "X" in month:
        in_month = 31
    elif 1 <= int(month) <= 12:
        in_month = length(2000 if "X" in form["year"] else int(form["year"]), int(month))
    else:
        return 21 <= int(month) <= 41 and form["day"] is None and form["hour"] is None
    if form["hour"] and ("X" in day or int(form["hour"]) > 24 or int(form["minute"]) > 59 or int(form["second"]) > 60):
        return False
    return "X" in day or 1 <= int(day) <= in_month


def qualified(text: str) -> tuple[bool, bool]:
    """Whether a date is said to be approximate, and whether it is said to be uncertain (ISO 8601-2, section 8.2).

    >>> qualified("1850~"), qualified("1850?/1860"), qualified("1850%"), qualified("1850")
    ((True, False), (False, True), (True, True), (False, False))
    """
    return "~" in text or "%" in text, "?" in text or "%" in text


def _one(text: str) -> Days | None:
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    first, last = int(form["year"].replace("X", "0")), int(form["year"].replace("X", "9"))
    if form["month"] in (None, "XX"):
        # The digits 21 to 24 would be seasons, whose days no standard fixes.
        return Days(number(min(first, last)), number(max(first, last), 12, 31)) if form["day"] in (None, "XX") else None
    month = int(form["month"])
    if first != last or not 1 <= month <= 12:
        return None
    if form["day"] in (None, "XX"):
        return Days(number(first, month), number(first, month, length(first, month)))
    day = int(form["day"])
    return Days(number(first, month, day), number(first, month, day)) if 1 <= day <= length(first, month) else None
