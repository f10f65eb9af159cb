"""Every kind of page that the site has, by the route that makes it: tests walk these lists.

A route that stands in none of them fails :mod:`tests.site.test_kinds`, so that no page goes unlooked at.
"""

from __future__ import annotations

HARBOUR: dict[str, tuple[str, ...]] = {
    "home.home": ("/",),
    "home.about": ("/about",),
    "things.page": ("/page/north-pier", "/page/hostile", "/page/crowd", "/page/south-pier"),
    "claims.claim": ("/claim/gazette/1", "/claim/gazette/4", "/claim/gazette/7", "/claim/closed/1"),
    "documents.document": ("/document/gazette", "/document/closed"),
    "documents.passage": ("/passage/gazette/22-63", "/passage/closed/10-21"),
    "classes.instances": ("/class/", "/class/harbour:Pier", "/class/kg:ReportedSituation"),
    "ontology.ontology": ("/ontology",),
    "ontology.module": ("/ontology/harbour",),
    "term.term": ("/term/harbour:Pier", "/term/harbour:cranes"),
    "shapes.shapes": ("/shapes",),
    "anything.graph": ("/graph/background",),
    "lists.listing": ("/things", "/documents", "/claims"),
    "disagreements.listing": ("/disagreements", "/corroborations"),
    "dumps.dumps": ("/dumps/",),
    "report.report": ("/report",),
    "catalog.catalog": ("/catalog",),
    "catalog.void": ("/.well-known/void",),
    "releases.releases": ("/releases/",),
    "releases.history": ("/history/id/north-pier", "/history/claim/gazette/1"),
    "search.search": ("/search", "/search?q=pier", "/search?q=pier&kind=thing&modality=denied"),
    "browse.browse": ("/browse", "/browse?show=claims&modality=ontology%23denied"),
    "timeline.timeline": ("/timeline",),
    "map.map_": ("/map",),
    "sparql.page": ("/query", "/query?query=SELECT%20*%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%205"),
    "questions.listing": ("/questions",),
    "questions.question": ("/question/cranes",),
}
"""Pages of the harbour, whose release is the only one."""

EXTREME: dict[str, tuple[str, ...]] = {
    "home.home": ("/",),
    "home.about": ("/about",),
    "things.page": (
        "/page/quay",
        "/page/quay?values=http://localhost:8000/ontology/extreme%23value&page=3",
        "/page/megabyte",
        "/page/long",
        "/page/arabic",
        "/page/h-script",
        "/page/nothing",
    ),
    "claims.claim": (
        "/claim/extreme/1",
        "/claim/extreme/2",
        "/claim/extreme/3",
        "/claim/extreme/9",
        "/claim/extreme/7",
    ),
    "documents.document": ("/document/extreme", "/document/closed"),
    "documents.passage": ("/passage/gazette/22-63",),
    "classes.instances": ("/class/", "/class/x:Thing", "/class/?iri=javascript%3Aalert%286%29"),
    "ontology.ontology": ("/ontology",),
    "ontology.module": ("/ontology/extreme",),
    "term.term": ("/term/x:Thing", "/term/x:hostile", "/term/?iri=javascript%3Aalert%282%29"),
    "shapes.shapes": ("/shapes",),
    "anything.graph": ("/graph/background",),
    "lists.listing": ("/things?page=9", "/documents", "/claims"),
    "disagreements.listing": ("/disagreements",),
    "dumps.dumps": ("/dumps/",),
    "report.report": ("/report",),
    "catalog.catalog": ("/catalog",),
    "catalog.void": ("/.well-known/void",),
    "releases.releases": ("/releases/",),
    "releases.history": ("/history/claim/extreme/9",),
    "search.search": ("/search?q=alert", "/search?q=%3C/script%3E%3Cscript%3Ealert(1)"),
    "browse.browse": ("/browse", "/browse?show=claims&speaker=id/mallory", "/browse?kind=javascript:alert(6)"),
    "timeline.timeline": ("/timeline", "/timeline?from=%3Cscript%3E"),
    "map.map_": ("/map",),
    "sparql.page": ("/query", "/query?query=SELECT%20*%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%2050"),
    "questions.listing": ("/questions",),
    "questions.question": ("/question/hostile",),
    "problems": ("/page/%3Cscript%3Ealert(1)%3C/script%3E", "/query?query=%3Cscript%3Ealert(1)%3C/script%3E"),
}
"""Pages of the extreme project (:mod:`tests.site.extreme`), which has two releases; ``problems``: error pages."""

FOUND: tuple[str, ...] = ("releases.changes", "disagreements.comparison", "anything.anything")
"""Routes whose pages have addresses that only the release knows: tests follow a link to them."""

FOREIGN: tuple[str, ...] = ("resource.resource",)
"""Routes of a site in front of somebody else's store, which their own tests look at."""

NO_PAGES = frozenset(
    {
        *("home.favicon", "home.health", "home.metrics", "home.robots", "home.static"),
        *("things.thing", "things.data", "dumps.dump", "report.report_json", "sparql.endpoint"),
        *("discovery.badge", "discovery.security", "discovery.sitemap", "search.opensearch", "search.suggest"),
        *("releases.feed", "releases.timegate", "releases.timemap", "stream.stream", "stream.page"),
        *("map.land", "map.land_svg", "editor.terms", "editor.names"),
    }
)
"""Routes that lead elsewhere, or whose answers are for programs."""


def paths(kinds: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(path for found in kinds.values() for path in found)
