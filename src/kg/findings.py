"""The findings file: what the last build of a watched project found. Build and site meet there, and at a release.

``kg serve --watch`` keeps it at ``releases/.findings.json``, in the form that ``kg build --format json`` prints, and
with the release that was current when the build ended; the site shows it. It is replaced in one step, so that nobody
reads half of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from kg.model import Finding, Place, Severity

FILE = ".findings.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build came to: ``release`` is what it made, empty if it failed; ``token`` tells outcomes apart.

    ``beside`` is the release that was current when the build ended, empty if there was none or it is not said.
    """

    release: str = ""
    findings: tuple[Finding, ...] = ()
    token: str = ""
    beside: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.WARNING)


def as_json(release: str | None, findings: Iterable[Finding]) -> dict[str, Any]:
    """The content of the file."""
    found = list(findings)
    return {
        "release": release,
        "counts": {str(severity): sum(f.severity is severity for f in found) for severity in Severity},
        "findings": [finding.as_json() for finding in found],
    }


def parse(text: str) -> Outcome:
    """Read what :func:`as_json` made.

    :raises ValueError: if it is anything else.

    >>> parse('{"release": "2026-01-31-0123456789ab", "findings": []}').release
    '2026-01-31-0123456789ab'
    """
    try:
        content = json.loads(text)
        findings = tuple(
            Finding(Severity(f["severity"]), f["rule"], f["message"], Place(f["file"], f["line"]), f["subject"])
            for f in content["findings"]
        )
        token = sha256(text.encode()).hexdigest()[:12]
        return Outcome(content["release"] or "", findings, token, content.get("beside") or "")
    except (AttributeError, KeyError, TypeError) as e:
        raise ValueError(f"not the outcome of a build: {e!r}") from e


def write(releases: Path, outcome: Outcome, beside: str) -> None:
    """Put the file in place, atomically; ``beside`` is the current release."""
    content = {**as_json(outcome.release or None, outcome.findings), "beside": beside}
    releases.mkdir(parents=True, exist_ok=True)
    partial = releases / f"{FILE}-{os.getpid()}"
    partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(releases / FILE)
