"""What is worked out once for a site, and goes with it.

``functools.lru_cache`` on a function of a site would keep the site, and with it the open files of a release that has
been replaced long ago. So what was worked out is kept with the site.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from kg.site.lookups.state import Site

Memos = dict[Callable[..., Any], Callable[..., Any]]
"""By function: the same for one site, with its last results."""

_Parameters = ParamSpec("_Parameters")
_Found = TypeVar("_Found")


def per_site(
    size: int = 1,
) -> Callable[[Callable[Concatenate[Site, _Parameters], _Found]], Callable[Concatenate[Site, _Parameters], _Found]]:
    """Keep the last ``size`` results of a function of a site and of what else is hashable, for each site."""

    def decorate(
        function: Callable[Concatenate[Site, _Parameters], _Found],
    ) -> Callable[Concatenate[Site, _Parameters], _Found]:
        @wraps(function)
        def remembered(site: Site, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Found:
            memo = site.memos.get(function)
            if memo is None:
                memo = site.memos.setdefault(function, lru_cache(maxsize=size)(partial(function, site)))
            found: _Found = memo(*args, **kwargs)
            return found

        return remembered

    return decorate
