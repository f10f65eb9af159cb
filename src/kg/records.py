"""The JSON files of a release: read whole, or a report's head; the same content is written as the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kg.errors import ReleaseError

REPORT = "report.json"
LARGEST = 256 << 20
"""Bytes of a file that is read."""


def read_json(path: Path, *, once: bool = False) -> Any:
    """The content of a file; ``once``: no object in it may have two members of a name.

    :raises ReleaseError: if it is missing, cannot be read, or is no JSON.
    """
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > LARGEST):
            raise ReleaseError(f"{path}: is not a regular file of at most {LARGEST >> 20} MiB", file=path.name)
        return json.loads(path.read_bytes(), object_pairs_hook=_once if once else None)
    except FileNotFoundError:
        raise ReleaseError(f"{path}: is missing", file=path.name) from None
    except (OSError, ValueError, RecursionError) as e:
        raise ReleaseError(f"{path}: cannot be read: {e}", file=path.name) from e


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member stands twice in it")
    return found


def json_bytes(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


_PASSAGES = b' "passages": {\n'
"""The line with which the last member of a report begins: nothing within a member stands so far to the left."""


def read_head(path: Path) -> dict[str, Any]:
    """The members of a report before ``passages``, without a look at what follows.

    :raises ReleaseError: if it cannot be read.
    """
    head = bytearray()
    try:
        with path.open("rb") as file:
            for line in file:
                if line == _PASSAGES:
                    head[:] = head.rstrip().removesuffix(b",") + b"}"
                    break
                head += line
        report = json.loads(head)
        if not isinstance(report, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as e:
        raise ReleaseError(f"{path}: cannot be read: {e}", file=path.name) from e
    report.pop("passages", None)
    return report
