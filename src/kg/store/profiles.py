"""In what SPARQL engines differ, as data.

=============  ========================================================================================================
``paths``      behind the address that ``kg push --to`` is given: of queries, updates, and of quads sent in bulk ("":
               the address itself)
``secured``    the same path of updates, for those who have credentials
``bulk``       quads are taken as N-Quads (Graph Store Protocol for a whole dataset, which is each engine's own); else
               they are sent as INSERT DATA
``union``      without FROM, a query sees the triples of every graph; else those of the default graph alone
``from_hides`` with FROM and without FROM NAMED there are no named graphs (SPARQL 1.1, section 13.2)
``row_cap``    rows at which the engine cuts as it is shipped, and says nothing in the answer itself; 0: it does not
``batch``      triples of one INSERT DATA
``values``     IRIs in one VALUES block
``timeout``    parameter that shortens its own deadline, the factor from seconds, and the unit behind it; "": none
``auth``       how credentials are sent: "basic", "digest" or "bearer"
``rewrites``   datatypes (local names of XSD) whose literals come back in another form than they went in
``truths``     what it writes for true and false, where that is not their canonical form; releases hold that form
``merges``     in what it takes different literals for one, in words; "": it does not
=============  ========================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """See the module."""

    name: str
    paths: tuple[str, str, str] = ("", "", "")
    secured: str = ""
    bulk: bool = False
    union: bool = False
    from_hides: bool = True
    row_cap: int = 0
    batch: int = 2_000
    values: int = 500
    timeout: tuple[str, int, str] = ("", 1, "")
    auth: str = "basic"
    rewrites: frozenset[str] = frozenset()
    truths: tuple[str, ...] = ()
    merges: str = ""


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="generic"),
        Profile(
            name="oxigraph",
            paths=("query", "update", "store"),
            bulk=True,
            rewrites=frozenset(("integer", "decimal", "double", "float", "boolean", "dateTime", "time")),
        ),
        Profile(
            name="fuseki",
            paths=("query", "update", "data"),
            bulk=True,
            timeout=("timeout", 1, ""),
            rewrites=frozenset(("integer", "decimal", "double", "float", "boolean", "dateTime")),
        ),
        Profile(
            name="virtuoso",
            paths=("sparql", "sparql", ""),
            secured="sparql-auth",
            union=True,
            from_hides=False,
            row_cap=10_000,
            batch=200,
            values=200,
            timeout=("timeout", 1000, ""),
            auth="digest",
            rewrites=frozenset(("integer", "decimal", "double", "float", "boolean", "time")),
            truths=("1", "0"),
            merges="takes true for 1 and false for 0",
        ),
        Profile(name="qlever", union=True, timeout=("timeout", 1, "s"), auth="bearer"),
    )
}
