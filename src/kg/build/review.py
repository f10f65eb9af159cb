"""Reviews: a claim counts as reviewed only while it says what the reviewer read.

Whoever read a claim against its passages a second time records three things: ``kg:reviewedBy``, ``kg:reviewedOn`` and
``kg:reviewedContent``, a fingerprint of the gloss, marks, triples and passages they read (``kg review`` prints it). A
claim that was changed since is an error, because its page would call reviewed what nobody has read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kg import text, vocab
from kg.build.ground import Grounded
from kg.build.parse import FOLDERS
from kg.errors import SourceError
from kg.model import Claim, Finding, error


def content_fingerprint(claim: Claim, grounded: Grounded, names: vocab.Names) -> str:
    """16 hex digits over everything a reviewer reads; the same under any base, and wherever the passages have moved.

    Blank nodes count by what is said of them, not by their labels.
    """
    triples = sorted(
        " ".join("_:" if str(term).startswith("_:") else str(term) for term in q.quad.triple) for q in claim.graph
    )
    passages = sorted(grounded.passages[t].sha256 for t in claim.targets if t in grounded.passages)
    parts = [claim.gloss, f"<{claim.speaker}>", claim.modality, claim.basis, *triples, *passages]
    return text.sha256("\n".join(parts).replace(f"<{names.base}", "<"))[:16]


def stale_reviews(grounded: Grounded, names: vocab.Names) -> Iterator[Finding]:
    """An error for every claim that was changed after its review."""
    for claim in grounded.claims:
        review = claim.review
        if review is not None and review.content and review.content != content_fingerprint(claim, grounded, names):
            short = names.local(claim.iri)
            message = (
                f"{short} was changed after its review of {review.on}: remove the review, or read the claim again "
                f"(kg review {short})"
            )
            yield error("review", message, claim.place, claim.iri)


def review_lines(grounded: Grounded, names: vocab.Names, wanted: Sequence[str], reviewer: str, day: str) -> list[str]:
    """What waits for a reader, a line each; with a reviewer, the reviews of the wanted claims instead.

    :raises SourceError: if a wanted claim is not there.
    """
    claims = {names.local(claim.iri) or claim.iri: claim for claim in grounded.claims}
    for name in wanted:
        if name not in claims:
            raise SourceError(f"there is no {name}", file=FOLDERS["claims"].as_posix())
    if reviewer:
        return [review_turtle(claims[name], grounded, names, reviewer, day) for name in wanted]
    lines = [
        f"{claim.place}: {name}: nobody has reviewed it: {claim.gloss}"
        for name, claim in claims.items()
        if claim.review is None and (not wanted or name in wanted)
    ]
    lines += [str(finding) for finding in stale_reviews(grounded, names)]
    return [*lines, f"{len(lines)} of {len(claims)} claims wait for a reader"]


def review_turtle(claim: Claim, grounded: Grounded, names: vocab.Names, reviewer: str, day: str) -> str:
    """The review of a claim, to paste beside it; ``reviewer`` is the local name of a labelled agent."""
    return (
        f"<{names.local(claim.iri)}> kg:reviewedBy <id/{reviewer}> ; "
        f'kg:reviewedOn "{day}"^^<{vocab.XSD}date> ; '
        f'kg:reviewedContent "{content_fingerprint(claim, grounded, names)}" .'
    )
