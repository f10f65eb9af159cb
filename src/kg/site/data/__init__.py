"""Data about one thing, and about the release, in the forms that clients ask for."""
