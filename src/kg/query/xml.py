"""Keeps an answer in XML well-formed: what XML 1.0 has no way to write is replaced (section 2.2).

A query can make any character, and data of another's store can hold it; the engine writes it as it is, and then no
client can read the whole answer.
"""

from __future__ import annotations

from kg.media import well_formed
from kg.query.rows import Sink

_CUT = (b"\xef\xbf", b"\xef")  # how U+FFFE and U+FFFF begin


class Clean:
    """A file in front of another one, for XML in UTF-8 that ends in a tag."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held = b""

    def write(self, data: bytes) -> int:
        """Pass on what can be written; ``data`` may begin and end inside a character."""
        text = self._held + bytes(data)
        self._held = next((cut for cut in _CUT if text.endswith(cut)), b"")
        if self._held:
            text = text[: -len(self._held)]
        self._sink.write(well_formed(text))
        return len(data)

    def flush(self) -> None:
        """Nothing: the other file says itself when it has enough."""
