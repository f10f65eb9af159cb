"""Stage 7: what a release has besides the store: dumps, index, metadata, report (:mod:`write` has the order)."""
