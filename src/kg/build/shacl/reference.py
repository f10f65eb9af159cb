"""pyshacl: the reference, for all shapes or for those that the compiled engine does not cover."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pyoxigraph import Quad
from pyshacl import validate as run_pyshacl
from rdflib import RDF, RDFS, Graph, URIRef
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result as QueryResult
from rdflib.term import Node

from kg import vocab
from kg.build.shacl.model import SH, Result, to_graph
from kg.errors import BuildError

# It says on standard error what it raises.
logging.getLogger("pyshacl-validate").disabled = True


class ParsedOnce(Graph):
    """The triples of a graph; the text of a query is parsed when it is asked first.

    pyshacl asks the text of a ``sh:sparql`` for every focus node, and rdflib takes longer to parse it than to answer.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph.store, graph.identifier)
        self._prepared: dict[str, Query] = {}

    def query(
        self,
        query_object: str | Query,
        processor: Any = "sparql",
        result: Any = "sparql",
        initNs: Mapping[str, Any] | None = None,  # noqa: N803 - rdflib's names
        *args: Any,
        **options: Any,
    ) -> QueryResult:
        if isinstance(query_object, str) and not initNs:
            text = query_object
            if text not in self._prepared:
                self._prepared[text] = prepareQuery(text, initNs=dict(self.namespaces()))
            query_object = self._prepared[text]
        return super().query(query_object, processor, result, initNs, *args, **options)


def run(data: Graph, shapes: Iterable[Quad], without: Collection[Node] = ()) -> list[Result]:
    """The results of the report; shapes in ``without`` are kept for others to refer to, but have no targets.

    :raises Exception: what pyshacl and rdflib raise on shapes that they cannot use.
    :raises BuildError: if the validation did not end.
    """
    graph = to_graph(shapes)
    classes = {RDFS.Class, *graph.subjects(RDFS.subClassOf, RDFS.Class)}
    for node in without:
        for name in vocab.SH_TARGETS:
            graph.remove((node, URIRef(SH + name), None))
        for class_ in classes:
            graph.remove((node, RDF.type, class_))
    _, results, _ = run_pyshacl(
        ParsedOnce(data), shacl_graph=graph, inference="none", do_owl_imports=False, advanced=False, inplace=True
    )
    if not isinstance(results, Graph):
        raise BuildError(f"the validation did not end: {results!r}")
    return read_report(results)


def read_report(report: Graph) -> list[Result]:
    """The results of a validation report; those that are details of others are inside them (section 3.6.1)."""
    nodes = {
        node for head in report.subjects(RDF.type, _sh("ValidationReport")) for node in _of(report, head, "result")
    }
    return [_result(report, node) for node in nodes]


def _result(report: Graph, node: Node) -> Result:
    def one(name: str) -> Node | None:
        return report.value(node, _sh(name))

    focus, component, severity, shape = map(
        one, ("focusNode", "sourceConstraintComponent", "resultSeverity", "sourceShape")
    )
    if focus is None or component is None or severity is None or shape is None:
        raise BuildError("a validation result that says too little")
    return Result(
        focus=focus,
        path=one("resultPath"),
        value=one("value"),
        component=component,
        severity=severity,
        shape=shape,
        messages=frozenset(_of(report, node, "resultMessage")),
        details=tuple(_result(report, detail) for detail in _of(report, node, "detail")),
    )


def _of(report: Graph, node: Node, name: str) -> list[Node]:
    return list(report.objects(node, _sh(name)))


def _sh(name: str) -> URIRef:
    return URIRef(SH + name)
