"""Words that are typed in other characters than the text has, which nobody sees: the build shows how to write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg import build
from kg.config import load

TEXT = (
    "About kg\n\nkg is written in Python, as the “of\ufb01ce” says. The admin\u00adistration – all of it – "
    "said: ‘no’.\nThe “office” too. Zo\u00eb paid 9\u202f000."
)
SLIPS = {
    'the "office" says': (
        '"the “ofﬁce” says" at 39-55',
        "left double quotation mark (U+201C), latin small ligature fi",
    ),
    "The administration": ('"The admin\\u00ADistration" at 57-76', "with soft hyphen (U+00AD)"),
    "all of it - said": ('"all of it – said" at 79-95', "with en dash (U+2013)"),
    "KG is Written": ('"kg is written" at 11-24', ""),
    '"office"': ('"“ofﬁce”" at 43-50, 107-115', "left double quotation mark"),
}


@pytest.fixture
def typeset(starter: Path) -> Path:
    (starter / "data/documents/about-kg.md").write_text("# " + TEXT, "utf-8")
    return starter


@pytest.mark.parametrize("slip", SLIPS)
def test_a_quote_in_other_characters_is_shown_as_it_has_to_be_written(slip: str, typeset: Path) -> None:
    place, signs = SLIPS[slip]
    claims = typeset / "data/claims/about-kg.trig"
    quote = slip.replace('"', '\\"')
    claims.write_text(claims.read_text("utf-8").replace('"kg is written in Python"', f'"{quote}"'), "utf-8")
    [message] = [f.message for f in build.check(load(typeset)).findings if "claim/about-kg/1: quote" in f.message]
    assert f"; in other characters they do: {place}" in message
    assert signs in message
    assert message.endswith(signs) or signs


def test_such_words_are_cited_as_the_text_has_them(typeset: Path, kg) -> None:
    done = kg("cite", "about-kg", 'the "office" says', cwd=typeset)
    assert done.returncode == 0, done.stderr
    assert 'oa:exact "the “ofﬁce” says"' in done.stdout
    assert "“ofﬁce”" in done.stderr
    twice = kg("cite", "about-kg", '"office"', cwd=typeset)
    assert twice.returncode == 1
    assert "at 43-50, 107-115" in twice.stderr
