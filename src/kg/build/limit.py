"""How many findings of one file are listed: whoever mends the first thousand sees the next.

Printing a million of them would not be all that they cost: each is compared with what it may have been meant to be,
looked up in the sources for its line, sorted, and kept in the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kg.model import Finding, Severity

MOST = 1000
"""Findings of a severity in one file, and of one shape."""

NAMED = 5
"""Names in one finding."""

RULE = "more"
"""The rule of the finding that stands for all that are left out."""


class Limit:
    """Takes findings one by one, and gives back those that are listed; in place of the others, one that says so."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, Severity]] = Counter()
        self._said: set[tuple[str, Severity]] = set()

    @property
    def is_full(self) -> bool:
        """Whether some errors are left out."""
        return any(severity is Severity.ERROR for _, severity in self._said)

    def __call__(self, finding: Finding) -> Finding | None:
        key = (finding.place.file, finding.severity)
        if finding.rule != RULE:
            self._taken[key] += 1
            if self._taken[key] <= MOST:
                return finding
        if key in self._said:
            return None
        self._said.add(key)
        return left_out(finding)


def left_out(finding: Finding) -> Finding:
    """What is said from this finding on; it closes the same gate."""
    message = f"there are more than {MOST} {finding.severity}s: those from here on are not listed"
    return replace(finding, rule=RULE, message=message, subject="")


def listed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings of each file.

    >>> from kg.model import Place, error
    >>> found = list(listed(error("syntax", str(n), Place("a.ttl", n)) for n in range(1, 5000)))
    >>> len(found), str(found[-1])
    (1001, 'a.ttl:1001: error: there are more than 1000 errors: those from here on are not listed')
    """
    limit = Limit()
    return (kept for finding in findings if (kept := limit(finding)))


def first_named(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are.

    >>> first_named([f"claim/letter/{n}" for n in range(1, 99)])
    'claim/letter/1, claim/letter/2, claim/letter/3, claim/letter/4, claim/letter/5 and 93 more'
    """
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
