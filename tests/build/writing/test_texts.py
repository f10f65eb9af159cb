"""The texts of a release are those that its passages were compared with."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load
from kg.errors import BuildError

TEXT = "data/documents/about-kg.md"


def test_a_text_that_is_saved_while_it_is_built_is_not_published(starter: Path) -> None:
    """Passages are positions: in another text, other words stand there."""

    def saved(stage: str, _done: int, _of: int) -> None:
        if stage == "write":
            path = starter / TEXT
            path.write_text(path.read_text(encoding="utf-8").replace("kg is", "kg was never"), encoding="utf-8")

    with pytest.raises(BuildError, match=rf"{TEXT}: was changed while it was built: build once more"):
        build.build(load(starter), progress=saved)
    assert not (starter / "releases/current").exists()
