"""kg: a publisher for knowledge graphs in which every fact shows where it comes from.

The layout of the package is the pipeline: ``build`` turns sources into a sealed release
(``release``), ``site`` publishes one release, ``query`` shields it from strangers' queries.
Imports go down only (``tests/test_layout.py`` holds this)::

    cli -> build, site -> query, release, store -> media, text, model, config -> vocab, errors
"""
