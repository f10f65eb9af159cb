"""Turns a SELECT query into one whose solutions tell which of its triple patterns they matched, and with what.

The new query has the same solutions with more variables: those of all patterns, blank nodes and steps of paths
included, and a *mark* for each OPTIONAL and each branch of a UNION, which is bound where that part matched.

Withdrawing a matched triple must make its solution disappear, or a footnote would claim too much. Where a query is
not built so, it is :class:`~kg.query.syntax.Untraceable`:

- a variable that an OPTIONAL may leave unbound is bound elsewhere too: another triple could give it the same value
- an OPTIONAL that binds no variable of its own leaves the solution as it was, and one of which the query selects none
  leaves the row as it was
- a path that may be no step long, between variables that no triple beside it binds, begins at every node there is
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kg.query.parser import parse
from kg.query.syntax import Graph, Group, Kept, Optional, Part, Pattern, Reach, Select, Triples, Union, Untraceable


@dataclass(frozen=True)
class Plan:
    """What to ask, and how to read the answer.

    ``names``: the variables of the original query; ``patterns`` with the mark that says whether they matched ("":
    always); ``constants``: their terms that are no variables, and ``terms`` a query for what these stand for. With
    ``distinct``, ``limit`` and ``offset`` are left to whoever drops the repetitions. ``default`` are the constants of
    the FROM clauses, ``None`` where the query has no dataset of its own. ``repeated``: constants that no claim may
    state a triple of, for these are not in ``patterns``.

    With groups, ``query`` asks for the solutions of all groups, ``keys`` are the variables that say of which, and
    ``groups`` is the query for the rows, with the keys among its variables.
    """

    query: str
    names: list[str]
    patterns: list[tuple[Pattern, str]]
    constants: list[str]
    terms: str
    distinct: bool
    limit: int | None
    offset: int
    default: list[str] | None
    repeated: list[str]
    groups: str
    keys: list[str]


def plan(text: str) -> Plan:
    """The plan for a query.

    :raises Untraceable: saying why there is none.
    """
    return _Planner(parse(text)).plan()


Scope = tuple[int, ...]
# An item of the SELECT clause that is a variable, by its own name or by another.
_SHOWN = re.compile(r"(?:\(\s*)?[?$](\w+)(?:\s+AS\b|$)", re.IGNORECASE)


class _Planner:
    def __init__(self, select: Select) -> None:
        self.select = select
        self.patterns: list[tuple[Pattern, str]] = []
        self.bound: dict[str, list[Scope]] = {}  # where each variable is bound: the scopes around, from outside
        self.scopes: dict[int, Scope] = {}  # of the group of each OPTIONAL and branch, by its id()
        self.marks = 0
        # What the rows show of the solutions, unless it is everything.
        self.shown = {"?" + m[1] for text, _ in select.items if (m := _SHOWN.match(text))}

    def plan(self) -> Plan:
        select = self.select
        self.survey(select.where, ())
        if select.values:
            self.note(select.values.binds, ())
        self.check(select.where)
        where = self.written(select.where, "")
        names = [name for _, name in select.items] or [v for v in self.bound if v not in select.hidden]
        shown = select.items or [(name, name) for name in names]
        keys = select.grouping.keys if select.grouping else []
        wanted = {v for pattern, mark in self.patterns for v in (*pattern, mark) if v.startswith("?")}
        first = keys if select.grouping else shown
        items = [text for text, _ in first] + sorted(wanted - {name for _, name in first})
        items = items or [f"(1 AS ?{select.unused}m)"]
        groups, last = "", [*self.ending(), *([select.values.text] if select.values else [])]
        if select.grouping:
            by = ["GROUP BY", *(text for text, _ in keys)] if keys else []
            groups = self.asked(
                [text for text, _ in shown] + [name for _, name in keys if name not in names],
                [select.body, *by, select.grouping.having, *last],
            )
            last = []
        default = [iri for named, iri in select.datasets if not named] if select.datasets else None
        constants = {t for pattern, _ in self.patterns for t in pattern if t and not t.startswith("?")}
        ordered = sorted(constants | set(default or ()) | select.repeated)
        asked = " ".join(f"({text} AS ?c{n})" for n, text in enumerate(ordered))
        return Plan(
            query=self.asked(items, [where, *last]),
            names=[name[1:] for name in names],
            patterns=self.patterns,
            constants=ordered,
            terms=f"{select.prologue}\nSELECT {asked} {{}}" if ordered else "",
            distinct=select.distinct,
            limit=select.limit,
            offset=select.offset,
            default=default,
            repeated=sorted(select.repeated),
            groups=groups,
            keys=[name[1:] for _, name in keys],
        )

    def asked(self, items: list[str], rest: list[str]) -> str:
        datasets = [f"FROM {'NAMED ' * named}{iri}" for named, iri in self.select.datasets]
        return "\n".join([self.select.prologue, "SELECT", *items, *datasets, "WHERE", *rest])

    def ending(self) -> list[str]:
        """The order of the rows and, unless repetitions have to be dropped first, which of them."""
        select, found = self.select, [self.select.order]
        if not select.distinct:
            found += [f"LIMIT {select.limit}"] if select.limit is not None else []
            found += [f"OFFSET {select.offset}"] if select.offset else []
        return found

    # Where variables are bound

    def survey(self, group: Group, scope: Scope) -> None:
        for part in group.parts:
            if isinstance(part, Kept):
                self.note(part.binds, scope)
            elif isinstance(part, Triples):
                for pattern in part.patterns:
                    self.note(pattern, scope)
            elif isinstance(part, Reach):
                self.note((part.subject, part.object), scope)
            elif isinstance(part, Graph):
                self.note((part.name,), scope)
            for inner, own in _groups(part):
                inside = (*scope, len(self.scopes) + 1) if own else scope
                if own:
                    self.scopes[id(inner)] = inside
                self.survey(inner, inside)

    def note(self, terms: tuple[str, ...], scope: Scope) -> None:
        for term in terms:
            if term.startswith("?"):
                self.bound.setdefault(term, []).append(scope)

    def is_own(self, variable: str, group: Group) -> bool:
        """Whether a variable is bound nowhere outside a group that has a scope."""
        scope = self.scopes[id(group)]
        return all(other[: len(scope)] == scope for other in self.bound[variable])

    # Whether footnotes can be right

    def check(self, group: Group) -> None:
        sure: set[str] = set()
        for part in group.parts:
            if isinstance(part, Optional):
                self.check_optional(part.group, sure)
            for inner, _ in _groups(part):
                self.check(inner)
            sure |= _sure(part)
        if loose := _unbegun([p for p in group.parts if isinstance(p, Reach) and p.zero], _matched(group)):
            raise Untraceable(f"a property path between variables that no triple beside it binds ({loose.path})")

    def check_optional(self, group: Group, before: set[str]) -> None:
        for variable in sorted(_bindable(group)):
            if variable not in before and not self.is_own(variable, group):
                raise Untraceable(f"{variable}, which an OPTIONAL may leave unbound and another part binds too")
        if not self.brings(group, group):
            raise Untraceable("an OPTIONAL that binds no variable of its own, or none that the query selects")

    def brings(self, part: Part, optional: Group) -> bool:
        """Whether every solution of a part binds a variable that only this OPTIONAL binds, and that the rows show."""
        if isinstance(part, Union):
            return all(self.brings(branch, optional) for branch in part.branches)
        if isinstance(part, Group):
            return any(self.brings(inner, optional) for inner in part.parts)
        if isinstance(part, Graph) and self.brings(part.group, optional):
            return True
        if isinstance(part, Optional):
            return False
        everything = self.select.grouping or not self.select.items
        shown = set(self.bound) - self.select.hidden if everything else self.shown
        return any(v in shown and self.is_own(v, optional) for v in _sure(part))

    # The new text

    def written(self, group: Group, mark: str) -> str:
        """A group with the marks of the parts below it."""
        return "{ " + " ".join(self.part(part, mark) for part in group.parts) + " }"

    def part(self, part: Part, mark: str) -> str:
        if isinstance(part, Kept):
            return part.text
        if isinstance(part, Triples):
            self.patterns += [(pattern, mark) for pattern in part.patterns]
            return " ".join(f"{p.subject} {p.predicate} {p.object} ." for p in part.patterns)
        if isinstance(part, Reach):
            return f"{part.subject} {part.path} {part.object} ."
        if isinstance(part, Graph):
            return f"GRAPH {part.name} {self.written(part.group, mark)}"
        if isinstance(part, Optional):
            return f"OPTIONAL {self.marked(part.group)}"
        if isinstance(part, Union):
            return " UNION ".join(map(self.marked, part.branches))
        return self.written(part, mark)

    def marked(self, group: Group) -> str:
        """A group with a mark: a variable that it alone always binds, or one that is bound for the purpose."""
        for part in group.parts:
            for pattern in part.patterns if isinstance(part, Triples) else ():
                for term in pattern:
                    if term.startswith("?") and self.is_own(term, group):
                        return self.written(group, term)
        self.marks += 1
        mark = f"?{self.select.unused}m{self.marks}"
        return f"{self.written(group, mark)[:-1]} BIND(1 AS {mark}) }}"


def _groups(part: Part) -> Iterator[tuple[Group, bool]]:
    """The groups of a part, and whether each is a scope of its own: may be there or not."""
    if isinstance(part, Optional):
        yield part.group, True
    elif isinstance(part, Union):
        yield from ((branch, True) for branch in part.branches)
    elif isinstance(part, Graph):
        yield part.group, False
    elif isinstance(part, Group):
        yield part, False


def _sure(part: Part) -> set[str]:
    """Variables that every solution of a part binds."""
    if isinstance(part, Triples):
        return {term for pattern in part.patterns for term in pattern if term.startswith("?")}
    if isinstance(part, Kept):
        return set(part.binds) if part.sure else set()
    if isinstance(part, Reach):
        return {term for term in (part.subject, part.object) if term.startswith("?")}
    if isinstance(part, Union):
        return set.intersection(*map(_sure, part.branches))
    if isinstance(part, Graph):
        return _sure(part.group) | ({part.name} if part.name.startswith("?") else set())
    if isinstance(part, Optional):
        return set()
    return set().union(*map(_sure, part.parts))


def _matched(part: Part) -> set[str]:
    """Variables that in every solution of a part stand in a triple of the graph that the part is asked of."""
    if isinstance(part, Triples):
        return _sure(part)
    if isinstance(part, Reach):
        return set() if part.zero else _sure(part)
    if isinstance(part, Union):
        return set.intersection(*map(_matched, part.branches))
    return set().union(*map(_matched, part.parts)) if isinstance(part, Group) else set()


def _unbegun(paths: list[Reach], nodes: set[str]) -> Reach | None:
    """A path that begins and ends at neither a constant nor one of these nodes, nor at the end of another that does."""
    at: dict[str, list[Reach]] = {}
    for path in paths:
        for term in (path.subject, path.object):
            at.setdefault(term, []).append(path)
    waiting = [term for term in at if term in nodes or not term.startswith("?")]
    begun = set(waiting)
    while waiting:
        for path in at[waiting.pop()]:
            found = {path.subject, path.object} - begun
            begun |= found
            waiting += found
    return next((path for path in paths if path.subject not in begun), None)


def _bindable(part: Part) -> set[str]:
    """Variables that some solution of a part binds."""
    if isinstance(part, Kept):
        return set(part.binds)
    if isinstance(part, Group):
        return set().union(*map(_bindable, part.parts))
    return _sure(part).union(*(_bindable(inner) for inner, _ in _groups(part)))
