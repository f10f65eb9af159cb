"""The example questions have exactly the answers written down in ``answers/NAME.csv``.

IRIs under the base are written without it; an unbound variable is an empty field; the order of rows does not count.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, Store

from kg.release import Release

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMES = sorted(path.stem for path in (ROOT / "data/queries").glob("*.rq"))
Rows = tuple[list[str], Counter[tuple[str, ...]]]


def answer(store: Store, text: str, base: str) -> Rows:
    """Variables in order, and how often each row comes back."""
    found = store.query(text)
    assert isinstance(found, QuerySolutions)
    variables = [variable.value for variable in found.variables]
    rows: Counter[tuple[str, ...]] = Counter()
    for solution in found:
        terms = [solution[name] for name in variables]
        rows[tuple(_field(term, base) for term in terms)] += 1
    return variables, rows


def _field(term: object, base: str) -> str:
    if term is None:
        return ""
    assert isinstance(term, NamedNode | BlankNode | Literal)
    return term.value.removeprefix(base)


def expected(name: str) -> Rows:
    with (HERE / "answers" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, Counter(map(tuple, rows))


@pytest.mark.parametrize("name", NAMES)
def test_a_question_has_exactly_the_answer_written_down(name: str, release: Release, store: Store) -> None:
    """An example question gives the rows of its answer file, no more and no fewer."""
    query = next(query for query in release.queries if query.name == name)
    assert answer(store, query.text, release.manifest.base) == expected(name)


def test_every_question_has_an_answer_and_every_answer_a_question() -> None:
    """No answer file is left over, and no question is unchecked."""
    assert sorted(path.stem for path in (HERE / "answers").glob("*.csv")) == NAMES


def test_there_are_twenty_questions_with_title_and_description(release: Release) -> None:
    """At least twenty questions, each of which says in words what it asks."""
    assert len(release.queries) >= 20
    assert [query.name for query in release.queries if query.title == query.name or not query.description] == []


def test_titles_tell_questions_apart(release: Release) -> None:
    """No two questions are called the same on the page that lists them."""
    titles = [query.title for query in release.queries]
    assert len(titles) == len(set(titles))
