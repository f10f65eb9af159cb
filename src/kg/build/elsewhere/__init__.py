"""The index of a store that kg did not build, read out of it page by page (:mod:`gather`)."""
