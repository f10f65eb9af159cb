"""Where a release's quads are read from: ``base`` is the verb, ``embedded`` the store of the release itself."""
