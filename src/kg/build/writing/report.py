"""Stage 7e: ``report.json``, what the build has to say about the release it made.

Members: ``findings`` (warnings and notes, as in ``kg check --format json``); ``counts``; ``classes`` (how many things
the default graph has of each); ``documents`` (by name: claims, passages, sentences or null where the text was not at
hand, sentences_with_claim, checked); ``coverage`` (shares, each ``part`` of ``whole``: see
:mod:`kg.build.writing.coverage`); and last, because there may be millions, ``passages`` (by IRI: "passage verified" or
"not checked here").
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from kg.build.ground import Grounded
from kg.build.writing.content import Content
from kg.model import Finding


def write_report(path: Path, content: Content, findings: Iterable[Finding]) -> None:
    """Write the report, a member after the other, because there may be millions of passages."""
    members: dict[str, Any] = {
        "counts": dict(content.counts),
        "classes": dict(content.tally.kinds),
        "coverage": content.coverage.as_json(),
        "documents": dict(content.reports),
        "findings": [finding.as_json() for finding in findings],
    }
    with path.open("w", encoding="utf-8") as out:
        for name, value in members.items():
            text = json.dumps({name: value}, ensure_ascii=False, indent=1, sort_keys=True)
            out.write(("{" if name == "counts" else ",") + text[1:-2])
        out.write(',\n "passages": {')
        separator = "\n"
        for iri, check in content.passages():
            out.write(f"{separator}  {encode_basestring(iri)}: {encode_basestring(check)}")
            separator = ",\n"
        out.write("}\n}\n" if separator == "\n" else "\n }\n}\n")


def report_of_document(name: str, grounded: Grounded) -> dict[str, Any]:
    """The member of ``documents`` of one document."""
    passages = [p for p in grounded.passages.values() if p.document == name]
    text = grounded.texts.get(name)
    return {
        "claims": sum(claim.document == name for claim in grounded.claims),
        "passages": len(passages),
        "sentences": None if text is None else sum(s.number > 0 for s in text.sentences),
        "sentences_with_claim": len({p.sentence for p in passages if p.sentence}),
        "checked": text is not None,
    }
