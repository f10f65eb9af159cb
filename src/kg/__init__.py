"""kg: a publisher for knowledge graphs in which every fact shows where it comes from.

The layout of the package is the pipeline: ``build`` turns sources into a sealed release (``release``), ``site``
publishes one release, ``query`` shields it from strangers' queries, ``store`` is where both read quads from, ``push``
puts a release into a store of another server. ``docs/source.md`` says where everything is.

Imports go down only (``tests/test_layout.py`` holds this)::

    cli -> build, site, push -> query -> release, store -> media, text, model, config -> vocab, errors
"""
