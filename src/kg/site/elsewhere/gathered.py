"""Names for a site in front of a store that kg did not build: where IRIs have their page, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from kg.site.lookups.database import Database
from kg.vocab import Names

RESOURCE = "resource"
"""The route for IRIs that lie elsewhere: ``/resource?iri=…``."""


@dataclass(frozen=True, slots=True)
class Anywhere(Names):
    """Every IRI has a page here: below its own path if it lies under the base, else at ``/resource?iri=…``.

    ``taken`` are the first parts of paths that belong to the site itself.

    >>> names = Anywhere("http://example.org/", {"search"})
    >>> names.local("http://example.org/a/b"), names.local("http://example.org/search")
    ('a/b', 'resource?iri=http%3A%2F%2Fexample.org%2Fsearch')
    """

    taken: set[str] = field(default_factory=set, compare=False)

    def local(self, iri: str) -> str | None:
        rest = iri.removeprefix(self.base)
        # A fragment never reaches the server, and a query is not part of a path.
        if rest != iri and rest and not set(rest) & set("?#") and rest.partition("/")[0] not in self.taken:
            return rest
        return f"{RESOURCE}?iri={quote(iri, safe='')}"


_PROPERTY = re.compile(r"(https?://www\.wikidata\.org/)prop/(?:[a-z]+/)*(P[0-9]+)")
"""A property as Wikidata uses it, in one of a dozen forms; its name is that of ``wd:P…``
(https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format, section Prefixes)."""


class Gathered:
    """Labels by IRI, from the index of what was gathered; the store itself is not asked."""

    def __init__(self, index: Database) -> None:
        self._index = index

    def __call__(self, iri: str) -> tuple[str, str] | None:
        """The label and its language; ``None`` where there is none."""
        rows = self._index.rows("SELECT label, language FROM entry WHERE iri = ?", (iri,))
        if not rows and (used := _PROPERTY.fullmatch(iri)):
            return self(f"{used[1]}entity/{used[2]}")
        return (rows[0][0], rows[0][1]) if rows else None
