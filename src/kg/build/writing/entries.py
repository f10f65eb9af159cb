"""What a run of subjects gives to the index (:mod:`kg.build.writing.index`): rows that name everything by its IRI.

So they stay what they are whatever becomes of other runs. Tables::

    entry(iri, kind, named, label, language, sole, labels, others, texts, sounds)   the last four: words
    name(iri, folded, language)                  class(iri, class)           parent(class, above)
    claim(iri, document, speaker, modality, basis, reviewed)                 author(document, author)
    target(claim, passage)                       passage(iri, paragraph, sentence, verified, sha256, rolling)
    mention(claim, thing)                        compared(claim, comparison) agreement(comparison, documents)
    link(subject, property, object, claim)       value(subject, property, text, datatype)

``kind`` is a number in ``ORDER``; what is not ``named`` is an entry only if something mentions it. ``claim`` of a link
is empty where nobody claims it. Of values, there are those that say when and where. ``sole``: the label is the only one
there is, and all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pyoxigraph import Quad, RdfFormat, parse

from kg import tags, vocab, words
from kg.build.writing.points import COORDINATES
from kg.build.writing.spans import says_when
from kg.build.writing.survey import ABOUT_PASSAGES, Name, Survey, survey

ORDER = ("thing", "document", "term", "claim")
FIELDS = ("document", "speaker", "modality", "basis")

LONGEST = 20_000
"""Characters of a name or a note that are indexed."""

LONGEST_NAME = 200
"""Characters of a folded name that are kept whole."""

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of_lines(facts: bytes, said: bytes, names: vocab.Names, language: str) -> Rows:
    """The rows of sorted lines of the default graph and of claims' graphs."""
    if facts.startswith(f"<{names.base}passage/".encode()):
        # Nobody looks for passages: only what is said of them beside claims is wanted.
        wanted = {f"<{names.kg}{name}>".encode() for name in ABOUT_PASSAGES}
        facts = b"".join(line for line in facts.splitlines(keepends=True) if line.split(b" ", 2)[1] in wanted)
    quads: list[Any] = list(parse(facts, format=RdfFormat.N_TRIPLES))
    with_graph = (line.partition(b" .\t") for line in said.splitlines())
    quads += parse(b"".join(b"%b <%b> .\n" % (t, claim) for t, _, claim in with_graph), format=RdfFormat.N_QUADS)
    return rows_of(quads, names, language)


def rows_of(quads: Iterable[Quad], names: vocab.Names, language: str) -> Rows:
    """The rows of quads; ``language``: that of labels."""
    found = survey(quads, names)
    named = {*found.labels, *found.others, *found.texts, *found.fields}
    subjects = {iri for iri in {*named, *found.types, *found.links} if found.kind(iri)}
    entries = sorted(iri for iri in subjects if _is_entry(found, iri))
    return {
        "entry": [_entry(found, iri, language, named=iri in named) for iri in entries],
        "name": sorted({row for iri in subjects for row in _names(found, iri)}),
        "class": sorted((iri, kind) for iri, kinds in found.types.items() for kind in kinds),
        "parent": sorted((kind, above) for kind, some in found.parents.items() for above in some),
        "claim": sorted(
            (iri, *(fields.get(name, "") for name in FIELDS), int(iri in found.reviewed))
            for iri, fields in found.fields.items()
        ),
        "target": sorted(found.targets),
        "passage": sorted((iri, *_passage(said)) for iri, said in found.passages.items()),
        "author": sorted(found.authors.items()),
        "mention": sorted(found.mentions),
        "compared": sorted((claim, one) for claim, some in found.compared.items() for one in some),
        "agreement": sorted(found.agreement.items()),
        "link": sorted(_links(found)),
        "value": sorted(
            (iri, property_, value.value, value.datatype.value)
            for iri, values in found.values.items()
            for property_, value in values
            if says_when(property_, value, names) or property_ in COORDINATES
        ),
    }


def entry_of(iri: str, names: vocab.Names) -> tuple[Any, ...] | None:
    """The entry of something that is mentioned and that no triple is about; ``None`` if it is nothing to find."""
    found = Survey(names)
    return _entry(found, iri, "", named=False) if found.kind(iri) and _is_entry(found, iri) else None


def _is_entry(found: Survey, iri: str) -> bool:
    return found.kind(iri) != "claim" or iri in found.fields


def _entry(found: Survey, iri: str, language: str, *, named: bool) -> tuple[Any, ...]:
    labels = [text for text, _ in found.labels.get(iri, ())]
    others = [text for text, _ in found.others.get(iri, ())]
    # What has no label is found by its own name.
    labels = labels or ([] if others else [(found.names.local(iri) or "").partition("/")[2]])
    return (
        iri,
        ORDER.index(found.kind(iri)),
        int(named),
        *_label(found, iri, language),
        int(len(labels) == 1 and len(labels[0]) <= LONGEST_NAME and iri in found.labels),
        bag(words.indexed, labels),
        bag(words.indexed, others),
        bag(words.indexed, found.texts.get(iri, ())),
        bag(words.sounds, () if iri in found.fields else (*labels, *others)),
    )


def bag(split: Callable[[str], list[str]], texts: Iterable[str]) -> str:
    """Each word once: how often it stands there does not matter."""
    return " ".join(sorted({word for text in texts for word in split(text[:LONGEST])}))


def folded(text: str) -> str:
    """A name as it is looked for whole; empty if there is no word in it."""
    return " ".join(words.words(text[:LONGEST]))[:LONGEST_NAME]


def _label(found: Survey, iri: str, language: str) -> Name:
    """The label in the language that is wanted, else in none, else in English, else the first."""
    known = found.labels.get(iri) or found.others.get(iri)
    if not known:
        return (found.names.local(iri) or iri).partition("/")[2] or iri, ""
    text, tag = min(known, key=lambda one: tags.order(one, (language,)))
    return text[:LONGEST_NAME], tag


def _passage(said: Mapping[str, str]) -> tuple[int | None, int | None, int, str, str]:
    """Paragraph and sentence, where they are known; whether the words were compared with the text; fingerprints."""
    paragraph, sentence = (int(n) if (n := said.get(name, "")).isdecimal() else None for name in ABOUT_PASSAGES[:2])
    verified = int(said.get("verified") in {"true", "1"})
    return paragraph, sentence, verified, said.get("sha256", ""), said.get("rollingHash", "")


def _names(found: Survey, iri: str) -> Iterator[tuple[str, str, str]]:
    if iri in found.fields:
        return
    for table in (found.labels, found.others):
        for text, language in table.get(iri, ()):
            if name := folded(text):
                yield iri, name, language


def _links(found: Survey) -> Iterator[tuple[str, str, str, str]]:
    for iri, links in found.links.items():
        for property_, value in links:
            for claim in found.sources.get((iri, property_, value)) or [""]:
                yield iri, property_, value, claim
