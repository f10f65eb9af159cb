"""Long lists, a page at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlencode

from flask import request

from kg.site.answers.respond import not_found
from kg.site.languages import marked

PER_PAGE = 100
Item = TypeVar("Item")
Given_co = TypeVar("Given_co", covariant=True)


class Items(Protocol[Given_co]):
    """A list of which some is read at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Sequence[Given_co]: ...


class Chained(Generic[Item]):
    """Lists one behind the other, of these ``sizes``; ``read`` gives a part of the list with a number, from 0.

    >>> both = Chained([2, 0, 3], lambda number, part: ["ab", "", "cde"][number][part])
    >>> len(both), both[1:4], both[4:9]
    (5, ['b', 'c', 'd'], ['e'])
    """

    def __init__(self, sizes: Iterable[int], read: Callable[[int, slice], Iterable[Item]]) -> None:
        self._ends = list(accumulate(sizes))
        self._read = read

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, part: slice, /) -> Sequence[Item]:
        at, stop, _ = part.indices(len(self))
        found: list[Item] = []
        while at < stop:
            number = bisect_right(self._ends, at)
            end = self._ends[number]
            start = self._ends[number - 1] if number else 0
            found += self._read(number, slice(at - start, min(stop, end) - start))
            at = end
        return found


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """One page of a list; pages count from 1, and have ``size`` items."""

    items: Sequence[Item]
    page: int
    pages: int
    count: int
    size: int

    @property
    def start(self) -> int:
        """The number of the first item, from 1."""
        return (self.page - 1) * self.size + 1

    def href(self, page: int) -> str:
        """The way to another page of the same list, the other parameters kept."""
        return "?" + urlencode([*self.others, ("page", str(page))])

    @property
    def others(self) -> list[tuple[str, str]]:
        """The other parameters of the list, for a form that asks for a page."""
        return [(k, v) for k, v in request.args.items(multi=True) if k != "page"]

    def address(self, path: str) -> str:
        """The same page of the list at another address."""
        return f"{path}?page={self.page}" if self.page > 1 else path


def _wanted() -> int:
    """The page that was asked for.

    :raises NotFound: if that is no number from 1.
    """
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0):
        raise not_found(marked("There is no page “{page}”."), page=text[:20])
    return int(text)


def paged(items: Items[Item], size: int = 0) -> Listing[Item]:
    """The page of ``items`` that was asked for; ``size`` as in :func:`listed`.

    :raises NotFound: if there is no such page.
    """
    return listed(len(items), lambda limit, offset: items[offset : offset + limit], size)


def listed(count: int, read: Callable[[int, int], Sequence[Item]], size: int = 0) -> Listing[Item]:
    """The page that was asked for of a list of so many items; ``read(limit, offset)`` gives some of them.

    ``size``: how many a page has; 0: as many as most lists.

    :raises NotFound: if there is no such page.
    """
    size = size or PER_PAGE
    page, pages = _wanted(), max(1, -(-count // size))
    if page > pages:
        text = marked("There is no page {page} of this list; the last is {pages}.")
        raise not_found(text, page=page, pages=pages)
    return Listing(read(size, (page - 1) * size), page, pages, count, size)
