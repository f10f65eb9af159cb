"""What others wrote, shown on a terminal: names of files, literals, what an endpoint says. None of it may command it.

Control characters move the cursor, rename the window or type for the reader; those that turn the direction of writing
show words in an order in which nobody wrote them. They are shown as Python writes them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import BinaryIO

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""A text without anything that a terminal would obey but line feeds and tabs.

    >>> visible("a\x1b[31mb\u202e\tc"), visible("\u2067x\u2069 é")
    ('a\\x1b[31mb\\u202e\tc', '\\u2067x\\u2069 é')
    """
    return _CONTROL.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


def hand_out(chunks: Iterable[bytes], out: BinaryIO) -> None:
    """Write data in UTF-8: as it is to a file or another program, and as :func:`visible` has it to a terminal."""
    if not out.isatty():
        out.writelines(chunks)
        return
    decoder = codecs.getincrementaldecoder("utf-8")(errors="backslashreplace")
    held = ""
    for chunk in chunks:
        text = held + decoder.decode(chunk)
        held = "\r" if text.endswith("\r") else ""  # of a line's end
        out.write(_shown(text.removesuffix(held)))
    out.write(_shown(held + decoder.decode(b"", final=True)))


def _shown(text: str) -> bytes:
    return visible(text.replace("\r\n", "\n")).encode()
