"""Many documents in two passes: every part by itself (:mod:`first`), then what takes all of them (:mod:`second`).

A part is what speaks of the same documents; the stages in :mod:`kg.build` make it. Parts are kept, and what all of them
say together lies in sorted files, so that a build makes again only what changed.
"""
