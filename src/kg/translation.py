"""Texts for readers that stand in Python before anybody reads them; their translations: :mod:`kg.site.languages`."""

from __future__ import annotations


def marked(text: str) -> str:
    """The text itself: it is in the catalogues, and is translated where it is shown."""
    return text
