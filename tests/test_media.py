"""Content negotiation (RFC 9110, section 12.5.1) and serialising."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from kg import media

OFFERED = ("text/html", "text/turtle", "application/n-triples", "application/ld+json")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/turtle", "text/turtle"),
        ("TEXT/Turtle", "text/turtle"),
        ("text/turtle;charset=utf-8", "text/turtle"),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "application/ld+json"),
        ("text/turtle;version=1.2, */*;q=0.1", "text/turtle"),
        ("text/html;q=0.5, text/turtle;q=0.9", "text/turtle"),
        ("text/*;q=0.3, application/n-triples;q=0.5", "application/n-triples"),
        ("text/html;q=0, */*", "text/turtle"),
        ("*/*;q=0.1, text/html;q=0", "text/turtle"),
        ("application/xml, text/turtle;q=0.001", "text/turtle"),
        ("application/xml", None),
        ("text/turtle;q=0", None),
        ("application/ld+json, text/turtle", "text/turtle"),
        # What Chromium sends to a page.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text/html"),
        # What rdflib sends.
        ("application/rdf+xml;q=0.9, application/xhtml+xml;q=0.5, text/turtle, */*;q=0.1", "text/turtle"),
    ],
)
def test_the_best_of_what_is_offered_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert media.negotiate(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", [";;;", "a", "text/html;q=x", ",,,", 'text/turtle;a="b', "q=1", "*/turtle", "\x00"])
def test_a_broken_accept_header_is_no_error(accept: str) -> None:
    assert media.negotiate(accept, OFFERED) in (None, *OFFERED)


@pytest.mark.parametrize("kind", media.RDF, ids=lambda k: k.extension)
def test_every_format_parses_back_to_the_same_triples(kind: media.RdfMedia) -> None:
    triples = [
        Triple(NamedNode("http://x/a"), NamedNode("http://x/p#q"), value)
        for value in (Literal("ق\n\"'\\", language="ar"), Literal(3), NamedNode("http://x/b c".replace(" ", "%20")))
    ]
    body = media.serialise(triples, kind, {"x": "http://x/"})
    assert {q.triple for q in parse(body, format=kind.format)} == set(triples)


def test_only_used_prefixes_are_declared_sorted_and_repeatable() -> None:
    prefixes = {"z": "http://z/", "x": "http://x/", "y": "http://y/", "": "http://e/"}
    triple = Triple(NamedNode("http://z/a"), NamedNode("http://x/p"), NamedNode("http://e/b"))
    turtle = next(k for k in media.RDF if k.format == RdfFormat.TURTLE)
    body = media.serialise([triple], turtle, prefixes).decode()
    assert body.splitlines()[:3] == [
        "@prefix : <http://e/> .",
        "@prefix x: <http://x/> .",
        "@prefix z: <http://z/> .",
    ]
    assert "y:" not in body


def test_a_literal_of_one_long_word_takes_no_longer_than_any_other() -> None:
    # Looking for prefixes from each of its letters took hours; the test's own timeout says so again.
    turtle = next(k for k in media.RDF if k.format == RdfFormat.TURTLE)
    triple = Triple(NamedNode("http://x/a"), NamedNode("http://x/p"), Literal("y" * 1_000_000))
    assert media.serialise([triple], turtle, {"x": "http://x/", "y": "http://y/"}).startswith(
        b"@prefix x: <http://x/> .\nx:a "
    )
