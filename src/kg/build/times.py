"""Times that claims give: an EDTF text that no calendar has is a slip, and so is one outside of the days beside it.

A shape can hold the form of ``kg:edtf`` alone; that a thirteenth month is none takes a calendar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kg import dates, vocab
from kg.build.collect import Collected
from kg.model import Finding, SourceQuad, error, value_of


def times_can_be(collected: Collected, names: vocab.Names) -> Iterator[Finding]:
    """Every ``kg:edtf`` is a time, and lies within its ``kg:earliest`` and ``kg:latest`` at least in part."""
    for claim in collected.claims:
        times: defaultdict[str, dict[str, SourceQuad]] = defaultdict(dict)
        for q in claim.graph:
            term = q.quad.predicate.value.removeprefix(names.kg)
            if q.quad.predicate.value.startswith(names.kg) and term in ("edtf", "earliest", "latest"):
                times[value_of(q.quad.subject)].setdefault(term, q)
        for iri, said in times.items():
            if "edtf" in said:
                message = _problem({term: value_of(q.quad.object) for term, q in said.items()})
                if message:
                    yield error("time", f"{names.local(iri) or iri}: {message}", said["edtf"].place, iri)


def _problem(said: dict[str, str]) -> str:
    """What is wrong with a time, or nothing."""
    text = said["edtf"]
    if not dates.is_edtf(text):
        return (
            f"{text!r} is no time in the Extended Date/Time Format (kg:edtf): write 2021-05-03, 2021-05, 192X, -0044, "
            "1850~, 2021-05-03/2021-05-09, 1985/.. or [2021-05-03..2021-05-09]"
        )
    days = dates.read(text)
    first, last = (dates.read(said.get(term, "")) for term in ("earliest", "latest"))
    if days and ((first and days.last < first.first) or (last and days.first > last.last)):
        bounds = " to ".join(said.get(term, "…") for term in ("earliest", "latest"))
        return f"kg:edtf {text!r} lies outside of kg:earliest and kg:latest beside it ({bounds})"
    return ""
