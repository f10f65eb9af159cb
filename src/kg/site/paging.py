"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import request

from kg.site.languages import marked
from kg.site.respond import NO_PAGE, not_found

PER_PAGE = 100
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """One page of a list; pages count from 1."""

    items: Sequence[Item]
    page: int
    pages: int
    count: int

    @property
    def start(self) -> int:
        """The number of the first item, from 1."""
        return (self.page - 1) * PER_PAGE + 1

    def href(self, page: int) -> str:
        """The way to another page of the same list, the other parameters kept."""
        pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "page"]
        return "?" + urlencode([*pairs, ("page", str(page))])

    def address(self, path: str) -> str:
        """The same page of the list at another address."""
        return f"{path}?page={self.page}" if self.page > 1 else path


def wanted_page() -> int:
    """The page that was asked for.

    :raises NotFound: if that is no number from 1.
    """
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0):
        raise not_found(marked("There is no page “{page}”."), page=text[:20])
    return int(text)


def paged(items: Sequence[Item]) -> Listing[Item]:
    """The page of ``items`` that was asked for.

    :raises NotFound: if there is no such page.
    """
    page = wanted_page()
    pages = max(1, -(-len(items) // PER_PAGE))
    if page > pages:
        raise not_found(NO_PAGE, page=page, pages=pages)
    return Listing(items[(page - 1) * PER_PAGE : page * PER_PAGE], page, pages, len(items))
