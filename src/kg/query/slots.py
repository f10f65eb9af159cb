"""Rewrites a query on a release so that it asks a slot of a quad store (:mod:`kg.store.slots`), with the same answer.

There the default graph is a named one, and the IRI of every graph has a prefix. Without GRAPH and FROM, naming the
default graph in the request is all (SPARQL 1.1 Protocol, section 2.1.4). With GRAPH

- the pattern of the query is put into ``GRAPH <default graph> { … }``, because a dataset that is named has no other
  named graphs than those it names; not so for engines that do not keep to that
- ``GRAPH <x>`` gets the prefix, and ``GRAPH ?x`` asks with a variable of its own, from which ``?x`` is made

What cannot be asked so is refused, never answered differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from kg.errors import QueryRefused
from kg.query.syntax import Token, Untraceable, tokens
from kg.store.slots import Slot

HIDDEN = "kgslot"
"""What variables start with that a query got here."""

_OPEN, _CLOSE = "{([", "})]"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A query's text, and the dataset to name in the request."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()


def rewrite(
    text: str,
    slot: Slot,
    *,
    from_hides: bool,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> Rewritten:
    """The query to send. The text has passed :func:`kg.query.lexer.inspect`; relative IRIs start at the slot's base.

    >>> rewrite("ASK { ?s ?p ?o }", Slot("http://x/", "a"), from_hides=True).default_graphs
    ('urn:kg:37844e1d35c3:a',)

    :raises QueryRefused: if it cannot be rewritten.
    """
    try:
        return _Rewriting(text, slot).run(from_hides, default_graphs, named_graphs)
    except Untraceable as e:
        raise QueryRefused(f"a store with slots cannot be asked this: it has {e}") from None


class _Rewriting:
    def __init__(self, text: str, slot: Slot) -> None:
        self.text = text
        self.slot = slot
        self.tokens: list[Token] = list(tokens(text))
        self.pairs = self._pairs()
        self.base = slot.base
        self.prefixes: dict[str, str] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.count = 0

    def run(self, from_hides: bool, defaults: Sequence[str], named: Sequence[str]) -> Rewritten:
        start = self._prologue()
        where = self._where(start)
        froms = self._froms(start, where)
        graphs = [i for i, token in enumerate(self.tokens) if token.word == "GRAPH"]
        for at in graphs:
            self._graph(at)
        own = bool(froms or defaults or named)
        if not own and graphs and from_hides:
            self._wrap(where)
        elif not own:
            defaults = ("",)
        return Rewritten(
            self._edited(),
            tuple(self.slot.prefix + iri if iri else self.slot.default for iri in defaults),
            tuple(self.slot.prefix + iri for iri in named),
        )

    def _pairs(self) -> dict[int, int]:
        """Which bracket closes which."""
        pairs: dict[int, int] = {}
        waiting: list[int] = []
        for i, token in enumerate(self.tokens):
            if token.kind == "sign" and token.text in _OPEN:
                waiting.append(i)
            elif token.kind == "sign" and token.text in _CLOSE:
                if not waiting:
                    raise Untraceable("a bracket that was never opened")
                pairs[waiting.pop()] = i
        if waiting:
            raise Untraceable("a bracket that is not closed")
        return pairs

    def _prologue(self) -> int:
        """Read BASE and PREFIX; where the query itself begins."""
        at = 0
        while at < len(self.tokens) and self.tokens[at].word in ("BASE", "PREFIX", "VERSION"):
            word = self.tokens[at].word
            at += 1
            name = ""
            if word == "PREFIX":
                name = self.tokens[at].text
                at += 1
            if word != "VERSION":
                iri = urljoin(self.base, self.tokens[at].text[1:-1])
                if word == "BASE":
                    self.base = iri
                else:
                    self.prefixes[name] = iri
            at += 1
        return at

    def _where(self, start: int) -> int:
        """The brace that opens the pattern of the query; -1 where it has none (DESCRIBE)."""
        groups = []
        at = start
        while at < len(self.tokens):
            if at in self.pairs:
                if self.tokens[at].text == "{" and not self._is_values(at):
                    groups.append(at)
                at = self.pairs[at]
            at += 1
        templates = self.tokens[start].word == "CONSTRUCT" and len(groups) > 1
        return groups[1] if templates else groups[0] if groups else -1

    def _is_values(self, at: int) -> bool:
        """Whether a brace opens the rows of a VALUES clause."""
        before = [token.word for token in self.tokens[max(0, at - 2) : at]]
        return "VALUES" in before or (
            self.tokens[at - 1].text == ")"
            and self._opener(at - 1) > 0
            and self.tokens[self._opener(at - 1) - 1].word == "VALUES"
        )

    def _opener(self, closing: int) -> int:
        return next((opening for opening, closed in self.pairs.items() if closed == closing), 0)

    def _froms(self, start: int, where: int) -> bool:
        found = False
        for i in range(start, where if where > 0 else len(self.tokens)):
            if self.tokens[i].word == "FROM":
                named = self.tokens[i + 1].word == "NAMED"
                self._prefixed(self.tokens[i + 1 + named])
                found = True
        return found

    def _graph(self, at: int) -> None:
        name, opening = self.tokens[at + 1], at + 2
        if opening not in self.pairs:
            raise Untraceable("GRAPH in a place where it is not expected")
        if name.kind != "var":
            self._prefixed(name)
            return
        closing = self.pairs[opening]
        self.count += 1
        variable, prefix = f"?{HIDDEN}{self.count}", self.slot.prefix
        inside = any(token.kind == "var" and token.text[1:] == name.text[1:] for token in self.tokens[opening:closing])
        if inside or self._correlated(at, name.text[1:]):
            made = f'FILTER(STR({variable}) = CONCAT("{prefix}", STR({name.text})))'
        else:
            made = f"BIND(IRI(SUBSTR(STR({variable}), {len(prefix) + 1})) AS {name.text})"
        self._edit(self.tokens[at].start, self.tokens[at].start, "{ ")
        self._edit(name.start, name.end, variable)
        end = self.tokens[closing].end
        self._edit(end, end, f' FILTER(STRSTARTS(STR({variable}), "{prefix}")) {made} }}')

    def _correlated(self, at: int, name: str) -> bool:
        """Whether a variable stands inside an EXISTS and outside of it: then its value comes from there."""
        for opening, closing in self.pairs.items():
            if opening < at < closing and self.tokens[opening - 1].word == "EXISTS":
                others = (*self.tokens[:opening], *self.tokens[closing:])
                if any(token.kind == "var" and token.text[1:] == name for token in others):
                    return True
        return False

    def _wrap(self, where: int) -> None:
        if where < 0:
            raise Untraceable("GRAPH without a pattern")
        closing = self.pairs[where]
        # Expressions outside of the pattern may ask for patterns of their own.
        asking = [i + 1 for i, token in enumerate(self.tokens) if token.word == "EXISTS" and not where < i < closing]
        for opening in (where, *asking):
            start, end = self.tokens[opening].end, self.tokens[self.pairs[opening]].start
            self._edit(start, start, f" GRAPH <{self.slot.default}> {{")
            self._edit(end, end, "} ")

    def _prefixed(self, token: Token) -> None:
        if token.kind == "iri":
            iri = urljoin(self.base, token.text[1:-1])
        elif token.kind == "pname":
            prefix, _, local = token.text.partition(":")
            if prefix + ":" not in self.prefixes or "\\" in local:
                raise Untraceable(f"the name {token.text[:80]!r} for a graph")
            iri = self.prefixes[prefix + ":"] + local
        else:
            raise Untraceable(f"{token.text[:80]!r} in place of a graph's name")
        self._edit(token.start, token.end, f"<{self.slot.prefix}{iri}>")

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.append((start, end, text))

    def _edited(self) -> str:
        """The text with all edits; those at one place in the order in which what they belong to is nested."""
        parts, at = [], 0
        for start, end, text in sorted(self.edits, key=lambda edit: edit[0]):
            parts += [self.text[at:start], text]
            at = end
        return "".join((*parts, self.text[at:]))
