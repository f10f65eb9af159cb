"""What a shape says is told in one language of those that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build, vocab
from kg.config import load


@pytest.mark.parametrize("engine", ["compiled", "pyshacl"])
@pytest.mark.parametrize(
    "inner",
    [
        f"sh:property [ sh:path <{vocab.RDFS_LABEL}> ; sh:minLength 999 ]",
        f"sh:sparql [ sh:select 'SELECT $this ?value {{ $this <{vocab.RDF_TYPE}> ?value }}' ]",
    ],
    ids=["core", "query"],
)
@pytest.mark.parametrize(("language", "said"), [("en", "Bad: "), ("de-AT", "Schlecht: "), ("fr", "Bad: ")])
def test_a_shape_speaks_one_language(language: str, said: str, inner: str, engine: str, starter: Path) -> None:
    """The project's, if the shape has it."""
    texts = '"Schlecht: {?value}"@de , "Bad: {?value}"@en , "سيئ: {?value}"@ar'
    (starter / "shapes/evidence-mine.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        f"<shapes#Mine> a sh:NodeShape ; sh:targetClass <ontology#Claim> ; sh:message {texts} ; {inner} .",
        encoding="utf-8",
    )
    settings = starter / "kg.toml"
    settings.write_text(f'language = "{language}"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    found = [f.message for f in build.check(load(starter), engine=engine).findings if f.rule == "shacl"]
    assert found
    for message in found:
        assert message.count(said) == 1, message
        assert sum(message.count(word) for word in ("Bad: ", "Schlecht: ", "سيئ: ")) == 1, message
