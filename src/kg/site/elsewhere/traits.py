"""What ``/browse`` asks the index of data that kg did not build.

There are no claims: the unit is a thing. Facets are ``kind``, ``year``, and the IRIs of the properties that
:mod:`kg.build.elsewhere.browsing` chose. The numbers of the first page are counted beforehand, those under a choice up
to :data:`MOST` things.
"""

# ruff: noqa: S608 - SQL is put together from fixed texts; what readers ask for is always a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kg import vocab
from kg.site.lookups.database import marks
from kg.site.lookups.index import query
from kg.site.lookups.state import Site

MOST = 50_000
"""Things that are counted; a page says where there are more."""

MOST_VALUES = 200
"""Values of a facet that are shown."""

KIND, YEAR = "kind", "year"

Values = Mapping[str, Sequence[str]]
"""What is chosen, by facet."""


def facets(site: Site) -> tuple[str, ...]:
    """All, in the order of the page."""
    return (KIND, *site.release.report["facets"], YEAR)


def results(site: Site, chosen: Values, limit: int, offset: int) -> list[str]:
    """IRIs of the things that have what is chosen."""
    things, known = _things(site, chosen)
    sql = f"SELECT e.iri FROM ({things}) found JOIN entry e ON e.id = found.thing ORDER BY e.id LIMIT ? OFFSET ?"
    return [row[0] for row in query(site, sql, (*known, limit, offset))]


def count(site: Site, chosen: Values) -> tuple[int, bool]:
    """How many there are, and whether there are more than were counted."""
    if not any(chosen.values()):
        return site.release.manifest.counts["things"], False
    things, known = _things(site, chosen)
    found = query(site, f"SELECT count(*) FROM ({things})", known)[0][0]
    return found, found >= MOST


def values(site: Site, chosen: Values) -> dict[str, list[tuple[str, int]]]:
    """The values of every facet under the choices in the others, with their numbers, the most frequent first."""
    known = {facet: wanted for facet, wanted in chosen.items() if wanted}
    found = _counted(site, known, None)
    for facet in known:
        found[facet] = _counted(site, {f: w for f, w in known.items() if f != facet}, facet)[facet]
    return {facet: found[facet] for facet in facets(site)}


def of_value(site: Site, facet: str, value: str, limit: int) -> tuple[list[str], int]:
    """Some things that have a value, and how many there are."""
    number, text = _numbers(site)[facet], "(SELECT id FROM value WHERE text = ?)"
    counted = query(site, f"SELECT things FROM tally WHERE facet = ? AND value = {text}", (number, value))
    sql = (
        "SELECT e.iri FROM trait t JOIN entry e ON e.id = t.thing "
        f"WHERE t.facet = ? AND t.value = {text} ORDER BY t.thing LIMIT ?"
    )
    return [row[0] for row in query(site, sql, (number, value, limit))], counted[0][0] if counted else 0


def sparql(site: Site, chosen: Values) -> str:
    """The query that asks the same of the store behind, at this site's ``/sparql``."""
    lines = []
    for number, (facet, wanted) in enumerate((f, w) for f, w in chosen.items() if w):
        value, graph = f"?value{number}", f"?graph{number}"
        if facet == YEAR:
            properties = [row[0] for row in query(site, "SELECT DISTINCT property FROM span ORDER BY 1")]
            years = (f"STRSTARTS(STR({value}), {_year(year)})" for year in wanted)
            lines += [
                "  # What begins in one year and ends in another has all years between, which this does not find.",
                f"  VALUES ?dated {{ {iris(properties)} }} {_anywhere(site, f'?thing ?dated {value}', graph)}",
                f"  FILTER({' || '.join(years)})",
            ]
            continue
        property_, values = facet, list(wanted)
        if facet == KIND:
            property_ = vocab.RDF_TYPE
            values = sorted({below for kind in wanted for below in site.schema.below(kind)})
        lines.append(
            f"  VALUES {value} {{ {iris(values)} }} {_anywhere(site, f'?thing {iris([property_])} {value}', graph)}"
        )
    if not lines:
        lines.append(f"  {_anywhere(site, '?thing a ?kind', '?graph')}")
    return "\n".join(["SELECT DISTINCT ?thing WHERE {", *lines, "}", ""])


def _counted(site: Site, chosen: Values, facet: str | None) -> dict[str, list[tuple[str, int]]]:
    """Values with their numbers, of one facet or of all, among the things that have what is chosen."""
    numbers = _numbers(site)
    only = "" if facet is None else "AND t.facet = ?"
    asked = [] if facet is None else [numbers[facet]]
    if any(chosen.values()):
        things, known = _things(site, chosen)
        joined = f"({things}) f CROSS JOIN trait t ON t.thing = f.thing {only}"
        inner = f"SELECT t.facet, t.value, count(*) AS n FROM {joined} GROUP BY 1, 2"
        asked = [*known, *asked]
    else:
        inner = f"SELECT t.facet, t.value, t.things AS n FROM tally t WHERE 1 {only}"
    ranked = f"SELECT *, row_number() OVER (PARTITION BY facet ORDER BY n DESC, value) AS place FROM ({inner})"
    sql = f"SELECT r.facet, v.text, n FROM ({ranked}) r JOIN value v ON v.id = r.value WHERE place <= {MOST_VALUES}"
    names = {number: name for name, number in numbers.items()}
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for number, text, n in query(site, sql, asked):
        found[names[number]].append((text, n))
    for name, here in found.items():
        here.sort(key=lambda pair: (int(pair[0]), "") if name == YEAR else (-pair[1], pair[0]))
    return found


def _numbers(site: Site) -> dict[str, str]:
    """What the index calls the facets."""
    own = {iri: str(number) for number, iri in enumerate(site.release.report["facets"])}
    return {KIND: KIND, **own, YEAR: YEAR}


def _things(site: Site, chosen: Values) -> tuple[str, list[str]]:
    """SQL for the entries that have what is chosen, with its parameters; the rarest choice is looked for first."""
    numbers = _numbers(site)
    asked = [(numbers[facet], list(wanted)) for facet, wanted in chosen.items() if wanted]
    if not asked:
        return f"SELECT id AS thing FROM entry LIMIT {MOST}", []
    asked.sort(key=lambda choice: _tallied(site, *choice))
    (facet, first), *others = asked
    known, conditions = [facet, *first], []
    for other, wanted in others:
        conditions.append(
            f"AND EXISTS (SELECT 1 FROM trait o WHERE o.thing = t.thing AND o.facet = ? AND o.value IN {_ids(wanted)})"
        )
        known += [other, *wanted]
    where = f"t.facet = ? AND t.value IN {_ids(first)} {' '.join(conditions)}"
    return f"SELECT DISTINCT t.thing FROM trait t WHERE {where} LIMIT {MOST}", known


def _tallied(site: Site, facet: str, wanted: list[str]) -> int:
    sql = f"SELECT coalesce(sum(things), 0) FROM tally WHERE facet = ? AND value IN {_ids(wanted)}"
    number: int = query(site, sql, (facet, *wanted))[0][0]
    return number


def _ids(wanted: Sequence[str]) -> str:
    """SQL for what the index has for some values."""
    return f"(SELECT id FROM value WHERE text IN ({marks(wanted)}))"


def _anywhere(site: Site, terms: str, graph: str) -> str:
    """A pattern over all that is shown. Chosen graphs are the default graph of queries here."""
    behind = site.behind
    if behind is None or behind.graphs or behind.endpoint.profile.union:
        return f"{{ {terms} }}"
    return f"{{ {{ {terms} }} UNION {{ GRAPH {graph} {{ {terms} }} }} }}"


def _year(year: str) -> str:
    """How texts of dates of a year begin (XML Schema part 2, section 3.2.9)."""
    return f'"{"-" * year.startswith("-")}{year.removeprefix("-"):0>4}"'


def iris(values: Iterable[str]) -> str:
    """IRIs for a query. What could end one early is no IRI, and finds nothing (SPARQL 1.1, IRIREF)."""
    return " ".join(f"<{value}>" for value in values if not set(value) & set('<>"{}|^`\\') and min(value) > " ")
