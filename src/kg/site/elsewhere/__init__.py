"""A site in front of a store that kg did not build."""
