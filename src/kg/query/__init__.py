"""Strangers' queries: looked at before they run, and run where they can do no harm.

``lexer`` refuses, ``limits`` and ``fairness`` bound. ``pool`` is what a site calls: over ``session`` and ``exchange``
it gets a ``worker`` from the ``broker``, the one process that has them all; ``confine`` has left a worker nothing but
the open store. ``remote`` asks an endpoint instead. ``footnotes`` adds to each row the claims that made it.
"""
