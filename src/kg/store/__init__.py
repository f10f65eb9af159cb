"""Where quads are read from.

``base`` is the verb. ``embedded`` is the store of a release itself, ``remote`` any SPARQL 1.1 endpoint: ``profiles``
says in what engines differ, ``endpoint`` asks one of them, ``transport`` and ``breaker`` bound what that may cost,
``slots`` is how a release lies in it beside the next one.
"""
