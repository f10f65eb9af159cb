"""Stage 7e: ``report.json``, what the build has to say about the release it made.

Members: ``findings`` (warnings and notes, as in ``kg check --format json``); ``counts``; ``documents`` (by name:
claims, passages, sentences or null where the text was not at hand, sentences_with_claim, checked); ``passages`` (by
IRI: "passage verified" or "not checked here"); ``coverage`` (shares, each ``part`` of ``whole``: see
:mod:`kg.build.coverage`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyoxigraph import DefaultGraph

from kg.build.assemble import Assembled
from kg.build.collect import Collected
from kg.build.coverage import Coverage
from kg.build.ground import Grounded
from kg.model import Check, Finding


def make_report(
    collected: Collected,
    grounded: Grounded,
    assembled: Assembled,
    coverage: Coverage,
    findings: Iterable[Finding],
) -> dict[str, Any]:
    """The content of ``report.json``."""
    return {
        "findings": [finding.as_json() for finding in findings],
        "counts": counts(grounded, assembled, collected),
        "documents": {name: _document(name, grounded) for name in sorted(collected.documents)},
        "passages": {iri: str(check) for iri, check in sorted(grounded.checks.items())},
        "coverage": coverage.as_json(),
    }


def counts(grounded: Grounded, assembled: Assembled, collected: Collected) -> dict[str, int]:
    """How much there is of what; ``verified`` counts passages compared with their text in this build."""
    things = {
        quad.object
        for quad in assembled.evidence
        if quad.predicate.value.endswith("ontology#mentions") and quad.subject != quad.object
    }
    return {
        "documents": len(collected.documents),
        "claims": len(grounded.claims),
        "passages": len(grounded.passages),
        "verified": sum(check is Check.VERIFIED for check in grounded.checks.values()),
        "things": len(things),
        "facts": len({q.quad.triple for claim in grounded.claims for q in claim.graph}),
        "default_graph": sum(quad.graph_name == DefaultGraph() for quad in assembled.quads),
        "quads": len(assembled.quads),
    }


def _document(name: str, grounded: Grounded) -> dict[str, Any]:
    passages = [p for p in grounded.passages.values() if p.document == name]
    text = grounded.texts.get(name)
    return {
        "claims": sum(claim.document == name for claim in grounded.claims),
        "passages": len(passages),
        "sentences": None if text is None else sum(s.number > 0 for s in text.sentences),
        "sentences_with_claim": len({p.sentence for p in passages if p.sentence}),
        "checked": text is not None,
    }
