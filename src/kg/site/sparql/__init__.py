"""``/sparql`` for programs, ``/query`` for people; the queries themselves run in :mod:`kg.query`."""
