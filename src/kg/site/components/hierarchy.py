"""Where a term stands: what is above it and below it, as a tree from the top.

A class or property stands below those that ``rdfs:subClassOf`` and ``rdfs:subPropertyOf`` name; a concept below broader
ones, or below its scheme. A term with several above it stands in the tree once for each of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup
from pyoxigraph import DefaultGraph, NamedNode

from kg import vocab
from kg.model import value_of
from kg.site.components.nodes import Linker
from kg.site.lookups.state import Site

MOST = 200
"""Terms that are drawn."""

NEAR = 4
"""Levels above a term that are drawn, besides the top; those between are counted."""

_BELOW = 6
"""Levels below a term that are drawn."""

_BROADER = (vocab.SKOS + "broader",), (vocab.SKOS + "narrower",)
_IN_SCHEME = (vocab.SKOS + "topConceptOf", vocab.SKOS + "inScheme"), (vocab.SKOS + "hasTopConcept",)
"""Properties that lead up, and their inverses, which lead down."""


class Branch(NamedTuple):
    """A term in the tree; ``here``: it is the one that the page is about. ``more``: so many below are not drawn.

    Where levels between the top and what stands near the term are left out, a branch says how many.
    """

    link: Markup
    here: bool
    below: tuple[Branch, ...]
    more: int = 0


def of(site: Site, linker: Linker, iri: str) -> tuple[Branch, ...]:
    """The trees that a term stands in; none where it stands alone."""
    drawing = _Drawing(site, linker, iri)
    roots = drawing.roots()
    return () if roots == [iri] and not drawing.below(iri) else tuple(drawing.branch(root, ()) for root in roots)


class _Drawing:
    def __init__(self, site: Site, linker: Linker, iri: str) -> None:
        self._site = site
        self._linker = linker
        self._iri = iri
        self._left = MOST
        self._shown = False
        self._above = self._all_above()

    def _all_above(self) -> dict[str, int]:
        """The term and all above it, and how many levels each is away on its shortest way."""
        found = {self._iri: 0}
        waiting = deque(found)
        while waiting and len(found) < MOST:
            term = waiting.popleft()
            for above in self.above(term):
                if above not in found:
                    found[above] = found[term] + 1
                    waiting.append(above)
        return found

    def above(self, iri: str) -> list[str]:
        """The terms directly above one; a scheme only where there is no broader concept."""
        found = self._sorted(self._site.schema.parents.get(iri, ()))
        return found or self._values(iri, *_BROADER) or self._values(iri, *_IN_SCHEME)

    def below(self, iri: str) -> list[str]:
        """The terms directly below one."""
        found = set(self._site.schema.children.get(iri, ()))
        for up, down in (_BROADER, _IN_SCHEME):
            found.update(self._values(iri, down, up))
        return self._sorted(term for term in found if iri in self.above(term))

    def roots(self) -> list[str]:
        """The terms above with nothing above them; in a circle, the term itself."""
        return self._sorted(term for term in self._above if not self.above(term)) or [self._iri]

    def branch(self, iri: str, path: tuple[str, ...]) -> Branch:
        """A term with those of the terms below it that lead to the page's, or that are below that."""
        left_out = 0
        while path and (only := self._only_below(iri, path)) is not None:
            iri, path, left_out = only, (*path, iri), left_out + 1
        branch = self._branch(iri, path)
        if not left_out:
            return branch
        words = self._site.language.ngettext("{count} level between", "{count} levels between", left_out)
        between = Markup('<span class="note">{}</span>').format(
            words.format(count=self._site.language.number(left_out))
        )
        return Branch(between, here=False, below=(branch,))

    def _only_below(self, iri: str, path: tuple[str, ...]) -> str | None:
        """The one term below a term that is far above the page's and leads to nothing but that."""
        if self._above.get(iri, 0) <= NEAR or self._is_scheme(iri):
            return None
        below = [term for term in self.below(iri) if term in self._above and term not in (*path, iri)]
        return below[0] if len(below) == 1 else None

    def _branch(self, iri: str, path: tuple[str, ...]) -> Branch:
        self._left -= 1
        here = iri == self._iri
        inside = here or self._iri in path
        below = [term for term in self.below(iri) if term not in (*path, iri)]
        # A scheme is shown whole: its concepts say what each of them is not.
        wanted = below if inside or self._is_scheme(iri) else [term for term in below if term in self._above]
        again, self._shown = here and self._shown, self._shown or here
        deep = len(path) - path.index(self._iri) if self._iri in path else 0
        room = 0 if again or deep >= _BELOW else max(0, self._left)
        # A way to the page's term is drawn however many stand beside it; where there are very many ways, not each.
        lost = not inside and not self._shown and self._left > -MOST
        drawn = [term for n, term in enumerate(wanted) if n < room or (lost and term in self._above)]
        branches = tuple(self.branch(term, (*path, iri)) for term in drawn)
        link = self._site.labels[iri].html if here else self._linker.term(iri)
        return Branch(link, here, branches, 0 if again else len(wanted) - len(drawn))

    def _is_scheme(self, iri: str) -> bool:
        return vocab.SKOS + "ConceptScheme" in self._site.schema.terms.get(iri, frozenset())

    def _values(self, iri: str, forward: Iterable[str], backward: Iterable[str]) -> list[str]:
        node, default = NamedNode(iri), DefaultGraph()
        found: set[str] = set()
        for predicate in forward:
            quads = self._site.local.quads(node, NamedNode(predicate), None, default)
            found |= {q.object.value for q in quads if isinstance(q.object, NamedNode)}
        for predicate in backward:
            found |= {value_of(q.subject) for q in self._site.local.quads(None, NamedNode(predicate), node, default)}
        return self._sorted(found)

    def _sorted(self, iris: Iterable[str]) -> list[str]:
        # What has no name is described where it is used; it has no place in a tree.
        named = {iri for iri in iris if not iri.startswith(self._site.names.genid)}
        return sorted(named, key=lambda iri: (self._site.labels[iri].key, iri))
