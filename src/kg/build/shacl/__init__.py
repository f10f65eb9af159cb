"""SHACL Core and ``sh:sparql`` over many nodes at once, with pyshacl as the reference.

    terms and results      model.py
    the data as tables     data.py, paths.py
    shapes → plans         compile.py, plan.py (values.py, sets.py, nested.py, sparql.py: a function a component)
    queries                expressions.py: on what two SPARQL engines agree
    a part of the data     partial.py: what a build runs
    both engines           run.py: over all data at once, for tests; reference.py
    what does not end      deadline.py

A plan checks one constraint for all focus nodes in one pass. What it cannot do exactly it refuses, and pyshacl checks
that shape; nothing is skipped. Held to pyshacl's results on W3C's test suite and on generated data.
"""

from kg.build.shacl.model import Result, to_graph, to_rdflib, with_details
from kg.build.shacl.run import ENGINES, compiled

__all__ = ["ENGINES", "Result", "compiled", "to_graph", "to_rdflib", "with_details"]
