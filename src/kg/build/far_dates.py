"""Dates before the year 1 and after 9999, which Python's own do not have, for rdflib and pyshacl.

rdflib turns ``xsd:date`` and ``xsd:dateTime`` into Python's dates, and takes what these cannot be for ill-typed: every
day before our era would be no date. XML Schema (part 2, sections 3.3.7 and 3.3.9) has no such bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Self

from rdflib import XSD, URIRef
from rdflib.term import bind
from rdflib.xsd_datetime import parse_xsd_date

from kg import dates

_TIME = re.compile(r"T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$", re.ASCII)


class _Far:
    """What far days and moments have in common: their text, and their place among each other and Python's dates.

    They are dates of Python to whoever asks for the type (pyshacl does), with a year that means nothing.
    """

    text: str
    place: tuple[int, int]
    """Days since 1970, and seconds of the day."""

    def __str__(self) -> str:
        return self.text

    def _side(self, other: object) -> int:
        """Negative, 0 or positive: before, at or after another date."""
        if isinstance(other, _Far):
            return (self.place > other.place) - (self.place < other.place)
        return -1 if self.place[0] < 0 else 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Far) and self.place == other.place

    def __hash__(self) -> int:
        return hash(self.place)

    def __lt__(self, other: object) -> bool:
        return self._side(other) < 0 if isinstance(other, date) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._side(other) <= 0 if isinstance(other, date) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._side(other) > 0 if isinstance(other, date) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._side(other) >= 0 if isinstance(other, date) else NotImplemented


class FarDay(_Far, date):
    """An ``xsd:date`` in a far year.

    >>> FarDay.of("-0044-03-15") < FarDay.of("-0043-01-01") < date(2000, 1, 1) < FarDay.of("12000-01-01")
    True
    """

    @classmethod
    def of(cls, text: str) -> Self:
        """:raises ValueError: if that is no day, or one that Python has."""
        day, at = cls(1, 1, 1), _days(text)
        if "T" in text:
            raise ValueError(f"no date: {text!r}")
        day.text, day.place = text, (at, 0)
        return day

    def isoformat(self) -> str:
        return self.text


class FarMoment(_Far, datetime):
    """An ``xsd:dateTime`` in a far year; time zones are not applied."""

    @classmethod
    def of(cls, text: str) -> Self:
        """:raises ValueError: if that is no moment, or one that Python has."""
        moment, at, time = cls(1, 1, 1), _days(text), _TIME.search(text)
        hour, minute, second = (int(part) for part in time.groups()) if time else (99, 0, 0)
        if hour > 24 or minute > 59 or second > 59:
            raise ValueError(f"no date and time: {text!r}")
        moment.text, moment.place = text, (at, (hour * 60 + minute) * 60 + second)
        return moment

    def isoformat(self, _sep: str = "T", _timespec: str = "auto") -> str:
        return self.text


def _days(text: str) -> int:
    found = dates.read(text) if re.match(r"-?\d{4,6}-\d\d-\d\d", text) else None
    if found is None or found.first != found.last or 1 <= dates.civil(found.first)[0] <= 9999:
        raise ValueError(f"no far date: {text!r}")
    return found.first


def teach() -> None:
    """Let rdflib, and all that reads with it in this process, take far dates for dates."""
    _teach(XSD.date, parse_xsd_date, FarDay.of)
    _teach(XSD.dateTime, datetime.fromisoformat, FarMoment.of)


def _teach(datatype: URIRef, near: Callable[[str], date | None], far: Callable[[str], date]) -> None:
    def convert(text: str) -> date | None:
        try:
            return near(text)
        except ValueError:
            return far(text)

    bind(datatype, _Far, convert, str)
