"""Footnotes of groups: a row of GROUP BY, or of an aggregate, has the words of all that went into it, each once.

Two queries are asked: that for the rows, and that for the solutions behind them, which says of which group each is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pyoxigraph import QuerySolutions

from kg.query.rows import Row
from kg.query.solutions import hand_over
from kg.query.syntax import Untraceable

MOST_ROWS = 10_000
MOST_WORDS = 1_000
"""In one footnote: nobody follows more."""


class Groups:
    """The rows of a query with groups, and what is behind each; ``keys`` are the variables that tell groups apart.

    :raises Untraceable: if there are more than :data:`MOST_ROWS`.
    """

    def __init__(self, rows: QuerySolutions, keys: Sequence[str]) -> None:
        self.names = [variable.value for variable in rows.variables]
        self.rows: list[Row] = []
        self._keys = keys
        hand_over(rows, self._keep)
        self._key = _picked(self.names, keys)
        self._words: dict[tuple[str, ...], dict[str, None]] = {self._key(row): {} for row in self.rows}

    def _keep(self, rows: list[Row]) -> None:
        self.rows += rows
        if len(self.rows) > MOST_ROWS:
            raise Untraceable(f"more than {MOST_ROWS:,} groups")

    def trace(self, solutions: QuerySolutions, words_of: Callable[[Row], Iterable[str]]) -> None:
        """Take in the solutions behind the rows; ``words_of`` gives the words of one.

        :raises Untraceable: if a row has more than :data:`MOST_WORDS`, or none of the solutions is behind it.
        """
        key_of = _picked([variable.value for variable in solutions.variables], self._keys)
        met: set[tuple[str, ...]] = set()

        def take(rows: list[Row]) -> None:
            for row in rows:
                key = key_of(row)
                found = self._words.get(key)
                if found is None:
                    continue  # HAVING or LIMIT has left its group out
                met.add(key)
                found.update(dict.fromkeys(words_of(row)))
                if len(found) > MOST_WORDS:
                    raise Untraceable(f"more than {MOST_WORDS:,} claims behind one row")

        hand_over(solutions, take)
        if self._keys and len(met) < len(self._words):
            raise Untraceable("groups that are others each time")

    def footnote(self, row: Row) -> str:
        return " ".join(self._words[self._key(row)])


def _picked(names: Sequence[str], keys: Sequence[str]) -> Callable[[Row], tuple[str, ...]]:
    places = [names.index(key) for key in keys]
    return lambda row: tuple(row[place] for place in places)
