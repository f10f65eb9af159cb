"""The twin of ``kg.dates`` and of the axes of ``kg.site.components.drawing``, held to what those say."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Page

from kg import dates
from kg.site.components.drawing import Axis, days_in_words
from kg.site.languages import spoken

pytestmark = pytest.mark.browser

PLAIN = """
    2020 2020-03 2020-03-16 2020-02-29 2021-02-29 2020-13 2020-00-01 -0044-03-15 0000 12345 123456-01-01 1234567 20X0
    202X 19XX 2020-XX 2020-XX-XX 2020-XX-05 2020-05-XX 2020-03-16T12:00:00Z 2020-03-16T12:00:00.5+02:00 2020Z 2020?
    2020-03~ 2020% 2020/2022 2020-03/2020-04-15 2022/2020 2020/.. ../2020 [2020..2021] {2020..2021} [2020,2021] 2020-21
    2004-06-XX/2004-07-03 2020/2021/2022 20200316 -XXX 0X00
"""
TEXTS = [*PLAIN.split(), "", " 2020 ", "last week", "2020-03-16 12:00", "²020", "٢٠٢٠", "2020\n", "2" * 300]


@pytest.fixture
def twin(tab: Page, web: str) -> Page:
    """A page in which ``window.twin`` is the module."""
    tab.goto(web + "favicon.svg")
    tab.evaluate(f"import('{web}lib/dates.js').then((module) => {{ window.twin = module; }})")
    return tab


def test_the_same_texts_are_dates_and_cover_the_same_days(twin: Page) -> None:
    found = twin.evaluate("texts => texts.map(text => twin.read(text))", TEXTS)
    expected = [list(days) if (days := dates.read(text)) else None for text in TEXTS]
    assert dict(zip(TEXTS, found, strict=True)) == dict(zip(TEXTS, expected, strict=True))


def test_the_same_texts_are_approximate_and_uncertain(twin: Page) -> None:
    assert twin.evaluate("texts => texts.map(text => twin.qualified(text))", TEXTS) == [
        list(dates.qualified(text)) for text in TEXTS
    ]


def test_days_are_numbered_and_named_alike(twin: Page) -> None:
    chance = random.Random(1)
    days = [chance.randrange(-900_000, 900_000) for _ in range(500)] + [-719_528, -719_163, 0, 11_016]
    found = twin.evaluate("days => days.map(day => [twin.civil(day), twin.number(...twin.civil(day))])", days)
    assert found == [[list(dates.civil(day)), day] for day in days]


def test_axes_have_the_same_marks_and_spans_the_same_words(twin: Page) -> None:
    chance = random.Random(2)
    spans = []
    for length in (0, 3, 12, 40, 200, 1_000, 9_000, 90_000, 900_000):
        for _ in range(20):
            first = chance.randrange(-800_000, 100_000)
            spans.append([first, first + chance.randrange(length + 1)])
    spans += [
        [dates.number(2020), dates.number(2020, 12, 31)],
        [dates.number(2020, 3), dates.number(2020, 5, 31)],
        [-713_000, -712_990],
    ]
    found = twin.evaluate(
        """spans => spans.map(([first, last]) => ({
            ticks: new twin.Axis(first, last).ticks().map(tick => [tick.at, tick.label, tick.above]),
            words: [true, false].map(within => twin.inWords(first, last, within)),
        }))""",
        spans,
    )
    for (first, last), answer in zip(spans, found, strict=True):
        ticks = [[pytest.approx(tick.at), tick.label, tick.above] for tick in Axis(first, last).ticks(spoken("en"))]
        assert answer["ticks"] == ticks, (first, last)
        assert answer["words"] == [days_in_words(first, last, spoken("en"), within=within) for within in (True, False)]
