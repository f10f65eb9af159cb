"""When things were: the days that the data's times cover, worked out where the data gives them by other times.

A time's days come, in this order, from

1. ``kg:earliest`` and ``kg:latest``: it lies *within* them, no more is known,
2. ``kg:edtf`` (an interval ``a/b`` lasts *throughout*), and OWL-Time's ``inXSDDate`` and its kin,
3. ``time:hasBeginning`` and ``time:hasEnd``: it lasts *throughout*,
4. other times, by OWL-Time's relations (section 4.2 of the recommendation): what is during March 2020 and after a time
   that begins on the 16th, lies within 16 to 31 March. Only where both a first and a last day come out.

A thing has the times that any of its properties leads to, and the dates among its own values. Nothing else is known
about the properties, so this works for every vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyoxigraph import Literal

from kg import dates, vocab
from kg.build.writing.survey import Survey
from kg.dates import Days

WITHIN, THROUGHOUT = "within", "throughout"
_DEPTH = 6
_STEPS = 10_000
"""Times that are looked at for the sake of one: a web of relations must not cost more than its worth."""

_T = vocab.TIME
_POSITIONS = tuple(
    _T + name for name in ("inXSDDate", "inXSDDateTimeStamp", "inXSDDateTime", "inXSDgYearMonth", "inXSDgYear")
)
DATES = tuple(vocab.XSD + name for name in ("date", "dateTime", "dateTimeStamp", "gYear", "gYearMonth"))
"""Datatypes of dates."""

_INSIDE = frozenset(_T + name for name in ("intervalDuring", "intervalIn", "intervalStarts", "intervalFinishes"))
_EQUAL = frozenset(_T + name for name in ("intervalEquals", "equals"))
_AFTER = frozenset(_T + name for name in ("after", "intervalAfter", "intervalMetBy"))
_BEFORE = frozenset(_T + name for name in ("before", "intervalBefore", "intervalMeets"))
_ENDS = (
    (vocab.SCHEMA + "startDate", vocab.SCHEMA + "endDate"),
    (vocab.SCHEMA_HTTPS + "startDate", vocab.SCHEMA_HTTPS + "endDate"),
    (vocab.PROV + "startedAtTime", vocab.PROV + "endedAtTime"),
)
"""Pairs of dates that say how long a thing lasted."""


def says_when(property_: str, value: Literal, names: vocab.Names) -> bool:
    """Whether a value can be the days of something, or one of their bounds."""
    own = (names.kg + name for name in ("earliest", "latest", "edtf"))
    return value.datatype.value in DATES or property_ in _POSITIONS or property_ in own


class Span(NamedTuple):
    """Days, whether a time lies ``within`` them or lasts ``throughout``, and whether they were worked out."""

    days: Days
    how: str
    worked_out: bool = False


class Timed(NamedTuple):
    """A thing with a time: by which property, and which time that is (``""``: the value is a date itself)."""

    thing: str
    property: str
    time: str
    span: Span


def timed(found: Survey) -> list[Timed]:
    """Every thing's times, sorted."""
    times = _Times(found)
    rows = {
        Timed(iri, property_, value, span)
        for iri, links in found.links.items()
        if iri.startswith(found.names.id) and not times.is_time(iri)
        for property_, value in links
        if (span := times.span(value)) is not None
    }
    for iri, values in found.values.items():
        if found.kind(iri) == "document" or (iri.startswith(found.names.id) and not times.is_time(iri)):
            rows.update(_dated(found, iri, values))
    return sorted(rows)


def _dated(found: Survey, iri: str, values: set[tuple[str, Literal]]) -> Iterator[Timed]:
    is_thing = found.kind(iri) == "thing"
    texts = (
        (property_, value.value)
        for property_, value in sorted(values, key=str)
        if value.datatype.value in DATES
        and (is_thing or property_ in (vocab.DCTERMS + "issued", vocab.DCTERMS + "date"))
    )
    return (Timed(iri, property_, "", span) for property_, span in dated(texts))


def dated(values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Span]]:
    """A thing's own dates, by the properties and texts of them; one beginning and one end make one span.

    Where sources differ, each date stands for itself. A date and its year do not differ: the date is known.
    """
    found: dict[str, set[Days]] = {}
    for property_, text in values:
        days = dates.read(text)
        if days:
            found.setdefault(property_, set()).add(days)
    known = {property_: _closest(days) for property_, days in found.items()}
    for begin, end in _ENDS:
        if len(known.get(begin, ())) == len(known.get(end, ())) == 1 and known[begin][0].first <= known[end][0].last:
            yield begin, Span(Days(known.pop(begin)[0].first, known.pop(end)[0].last), THROUGHOUT)
    for property_, all_ in known.items():
        yield from ((property_, Span(days, WITHIN)) for days in all_)


def _closest(found: set[Days]) -> list[Days]:
    """Those within which no other lies, in order.

    >>> year, day = dates.read("1990"), dates.read("1990-05-03")
    >>> _closest({year, day}) == [day]
    True
    """
    kept: list[Days] = []
    # From the last beginning back, and of the same beginning the shortest first: what lies within one comes before it.
    for days in sorted(found, key=lambda d: (-d.first, d.last)):
        if not kept or days.last < kept[-1].last:
            kept.append(days)
    return kept[::-1]


class _Times:
    """The spans of times, each worked out once."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._spans: dict[str, Span | None] = {}
        self._steps = 0

    def is_time(self, iri: str) -> bool:
        """Whether something is a time itself, and so no thing that has one."""
        return any(kind.startswith(_T) for kind in self._found.types.get(iri, ())) or self._given(iri) is not None

    def span(self, iri: str, depth: int = 0) -> Span | None:
        """The days of a time, or ``None``."""
        if iri in self._spans:
            return self._spans[iri]
        self._steps = 0 if depth == 0 else self._steps + 1
        span = self._given(iri)
        if span is None and depth < _DEPTH and self._steps < _STEPS and iri in self._found.links:
            self._spans[iri] = None  # times that are given by each other
            span = self._from_ends(iri, depth) or self._from_relations(iri, depth)
        if depth == 0:
            self._spans[iri] = span
        else:
            # Cut off by the depth, it might have come out otherwise: worked out anew when it is asked for itself.
            self._spans.pop(iri, None)
        return span

    def _given(self, iri: str) -> Span | None:
        values: dict[str, str] = {}
        for property_, value in sorted(self._found.values.get(iri, ()), key=str):
            values.setdefault(property_, value.value)
        kg = self._found.names.kg
        bounds = [dates.read(values[kg + name]) for name in ("earliest", "latest") if kg + name in values]
        if len(bounds) == 2 and bounds[0] and bounds[1] and bounds[0].first <= bounds[1].last:
            return Span(Days(bounds[0].first, bounds[1].last), WITHIN)
        for property_ in (kg + "edtf", *_POSITIONS):
            text = values.get(property_, "")
            days = dates.read(text)
            if days:
                # An interval of EDTF is an extent; a set, one of its days (ISO 8601-2, sections 4.4 and 6).
                return Span(days, THROUGHOUT if "/" in text else WITHIN)
        return None

    def _from_ends(self, iri: str, depth: int) -> Span | None:
        ends: dict[str, Span] = {}
        for property_, value in sorted(self._found.links[iri]):
            span = self.span(value, depth + 1) if property_ in (_T + "hasBeginning", _T + "hasEnd") else None
            if span:
                ends.setdefault(property_, span)
        begin, end = ends.get(_T + "hasBeginning"), ends.get(_T + "hasEnd")
        if begin is None or end is None or begin.days.first > end.days.last:
            return None
        return Span(Days(begin.days.first, end.days.last), THROUGHOUT, begin.worked_out or end.worked_out)

    def _from_relations(self, iri: str, depth: int) -> Span | None:
        first: list[int] = []
        last: list[int] = []
        for property_, value in sorted(self._found.links[iri]):
            if property_ not in _INSIDE | _EQUAL | _AFTER | _BEFORE:
                continue
            span = self.span(value, depth + 1)
            if span is None:
                continue
            if property_ not in _BEFORE:
                first.append(span.days.first)
            if property_ not in _AFTER:
                last.append(span.days.last)
        if not first or not last or max(first) > min(last):
            return None
        return Span(Days(max(first), min(last)), WITHIN, worked_out=True)
