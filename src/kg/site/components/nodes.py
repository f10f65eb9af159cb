"""RDF terms as HTML: every link and every value on a page is made here, escaped, once for each depth of page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from markupsafe import Markup, escape
from pyoxigraph import BlankNode, Literal, NamedNode

from kg import vocab
from kg.caches import Forgetful
from kg.site.answers.links import EXTERNAL_REL, anchor, encode, is_web, page_path
from kg.site.languages import Language, marked
from kg.site.lookups.evidence import Evidence, Source, Span
from kg.site.lookups.labels import Label, Labels, collated, isolated, shorten
from kg.site.lookups.schema import Schema
from kg.vocab import Names

LONGEST_VALUE = 2_000
"""Characters of a literal that a page shows; the data formats have all of it."""

MOST_PASSAGES = 3
"""Passages that one line of evidence names; the others are a click away."""

FEW_LINES = 5
"""Lines of evidence that stand beside a value; the others are folded away."""

MOST_LINES = 50
"""Lines that a page has for one value; the data has all."""

_MOST = 20_000
"""Pieces of HTML of each kind that are remembered."""

_PLAIN = frozenset(
    vocab.XSD + name
    for name in (
        "string",
        "integer",
        "decimal",
        "double",
        "boolean",
        "date",
        "gYear",
        "gYearMonth",
        "dateTime",
        "anyURI",
    )
) | {vocab.RDF + "langString"}
"""Datatypes that need no mention beside a value."""

_BOOLEAN = vocab.XSD + "boolean"
_SAID = {"true": marked("true"), "false": marked("false")}


class Linker:
    """Makes HTML for pages in one language whose way back to the root is ``prefix`` (``"../"`` …)."""

    def __init__(
        self, names: Names, labels: Labels, schema: Schema, evidence: Evidence, prefix: str, *, language: Language
    ) -> None:
        self.prefix = prefix
        self._names = names
        self._labels = labels
        self._schema = schema
        self._evidence = evidence
        self._language = language
        self._links: Forgetful[str, Markup] = Forgetful(_MOST)
        self._says: Forgetful[str, Markup] = Forgetful(_MOST)
        self._lines: Forgetful[tuple[tuple[str, ...], bool], Markup] = Forgetful(_MOST)
        self._terms: Forgetful[tuple[str, str], Markup] = Forgetful(_MOST)
        self._kinds: Forgetful[str, Markup] = Forgetful(_MOST)

    def href(self, iri: str) -> str | None:
        """Where an IRI leads, or ``None`` where it must not be a link."""
        if self._schema.is_term(iri):
            return self.term_href(iri)
        local = self._names.local(iri)
        if local is not None:
            return self.prefix + page_path(local)
        return iri if is_web(iri) else None

    def link(self, iri: str) -> Markup:
        """An IRI by its label."""
        html = self._links.get(iri)
        if html is None:
            html = self._links.keep(iri, self._anchor(iri, self._labels[iri]))
        return html

    def claim(self, source: Source) -> Markup:
        """A claim by its gloss, which is known already."""
        self._labels.of(source.iri, source.glosses)
        return self.link(source.iri)

    def term(self, iri: str, name: str = "", language: str = "") -> Markup:
        """A property, class or concept by its name, leading to its page; ``name`` replaces its label."""
        key = (iri, name)
        html = self._terms.get(key)
        if html is None:
            html = self._terms.keep(key, self._term(iri, name, language))
        return html

    def _term(self, iri: str, name: str, language: str) -> Markup:
        label = self._labels.made(name, language) if name else self._labels[iri]
        return anchor(self.term_href(iri), label.html)

    def term_href(self, iri: str) -> str:
        """The page of a term; that of a class without a name is where everything without one is."""
        if iri.startswith(self._names.genid):
            return self.prefix + page_path(self._names.local(iri) or "")
        curie = self._labels.curie(iri)
        return f"{self.prefix}term/{encode(curie)}" if curie else f"{self.prefix}term/?iri={quote(iri, safe='')}"

    def kind(self, iri: str) -> Markup:
        """A class by its label, leading to its instances."""
        html = self._kinds.get(iri)
        if html is None:
            html = self._kinds.keep(iri, anchor(self.class_href(iri), self._labels[iri].html))
        return html

    def class_href(self, iri: str) -> str:
        curie = self._labels.curie(iri)
        return f"{self.prefix}class/{encode(curie)}" if curie else f"{self.prefix}class/?iri={quote(iri, safe='')}"

    def node(self, node: NamedNode | BlankNode | Literal, length: int = 0) -> Markup:
        """Any term as a value; ``length``: as :func:`literal` has it."""
        if isinstance(node, NamedNode):
            return self.link(node.value)
        if isinstance(node, Literal):
            return literal(node, self._labels, self._language, length)
        return Markup("{}").format(self._language.gettext("something without a name"))

    def says(self, source: Source) -> Markup:
        """One line: how and on what basis, who says it, and where it stands."""
        html = self._says.get(source.iri)
        if html is None:
            html = self._says.keep(source.iri, self._say(source))
        return html

    def evidence(self, sources: Sequence[Source], *, whole: bool = False) -> Markup:
        """A line for each way in which a document says it, however many of its claims do.

        Of many lines the first are shown and the rest folded away; ``whole``: all are shown.
        """
        if len(sources) == 1:
            return self.says(sources[0])
        key = (tuple(source.iri for source in sources), whole)
        html = self._lines.get(key)
        if html is None:
            html = self._lines.keep(key, self._ways(sources, whole=whole))
        return html

    def _ways(self, sources: Sequence[Source], *, whole: bool) -> Markup:
        alike: dict[tuple[str, str, str, str], list[Source]] = {}
        for s in sources:
            alike.setdefault((s.document, s.speaker, s.modality, s.basis), []).append(s)
        ways = list(alike.values())
        # To fold one line away would save nothing.
        few = len(ways) if whole or len(ways) <= FEW_LINES + 1 else FEW_LINES
        return Markup("").join(map(self._line, ways[:few])) + self._folded(ways[few:])

    def _folded(self, ways: Sequence[Sequence[Source]]) -> Markup:
        """Lines behind a summary that says how many there are."""
        if not ways:
            return Markup("")
        number, gettext = self._language.number, self._language.gettext
        lines = Markup("").join(map(self._line, ways[:MOST_LINES]))
        if len(ways) > MOST_LINES:
            rest = gettext("and {count} more; the data has all of them").format(count=number(len(ways) - MOST_LINES))
            lines += Markup('<span class="note">{}</span>').format(rest)
        return Markup('<details class="lines"><summary>{}</summary><div class="evidence">{}</div></details>').format(
            gettext("and {count} more").format(count=number(len(ways))), lines
        )

    def span(self, span: Span) -> Markup:
        """A passage by its place in the document."""
        return anchor(self.href(span.iri) or "", place(span, self._language))

    def _anchor(self, iri: str, label: Label) -> Markup:
        if self._schema.is_term(iri):
            return self.term(iri)
        local = self._names.local(iri)
        if local is not None:
            return anchor(self.prefix + page_path(local), label.html)
        if is_web(iri):
            return Markup('<a href="{}" rel="{}" class="out">{}</a>').format(iri, EXTERNAL_REL, label.html)
        return Markup('<code class="iri">{}</code>').format(shorten(iri, LONGEST_VALUE))

    def _line(self, sources: Sequence[Source]) -> Markup:
        """One line for claims that differ in nothing but their passages; the passages beyond a few are folded away."""
        if len(sources) == 1:
            return self.says(sources[0])
        passages = list(dict.fromkeys(source.spans for source in sources))
        few, rest = passages[:MOST_PASSAGES], passages[MOST_PASSAGES:]
        line = self._say(sources[0], self._where(few))
        if not rest:
            return line
        more = self._language.gettext("and {count} more").format(count=self._language.number(len(rest)))
        return line + Markup('<details class="passages"><summary>{}</summary>{}</details>').format(
            more, self._where(rest)
        )

    def _where(self, claims: Iterable[Sequence[Span]]) -> Markup:
        """The passages of each claim. A place that was named before is not named again, only numbered."""
        named: Counter[str] = Counter()
        found: list[Markup] = []
        for spans in claims:
            between = Markup(" · ")
            for span in spans:
                where = place(span, self._language)
                named[where] += 1
                if named[where] > 1:
                    found.append(
                        Markup(' <a href="{}" aria-label="{}">({})</a>').format(
                            self.href(span.iri),
                            self._language.gettext("{place}, passage {number}").format(
                                place=where, number=named[where]
                            ),
                            named[where],
                        )
                    )
                else:
                    found += (between, self.span(span)) if found else (self.span(span),)
                between = Markup(" {} ").format(self._language.gettext("and"))
        return Markup("").join(found)

    def _say(self, source: Source, where: Markup | None = None) -> Markup:
        labels = self._labels
        claim = self.prefix + page_path(self._names.local(source.iri) or "")
        speaker = self.link(source.speaker)
        if source.speaker != self._evidence.author(source.document):
            relayed = Markup("{}").format(self._language.gettext("according to {speaker}"))
            speaker = relayed.format(speaker=speaker)
        document = anchor(self.href(self._names.document(source.document)) or "", source.document)
        where = self._where([source.spans]) if where is None else where
        if self._evidence.later(source.document):
            replaced = self._language.gettext("replaced")
            document += Markup(' <span class="replaced">({})</span>').format(replaced)
        # Written out, because a page has as many of these lines as values: Markup.format takes four times as long.
        return Markup(  # noqa: S704 - what is not HTML of ours is escaped
            f'<span class="says {source.status}">'
            f'<a class="mark" href="{escape(claim)}" title="{escape(labels.of(source.iri, source.glosses).text)}">'
            f"{labels[source.modality].html} · {labels[source.basis].html}</a> "
            f'<span class="who">{speaker}</span> '
            f'<span class="where"><span class="doc">{document}, </span>{where}</span></span>'
        )


def place(span: Span, language: Language) -> str:
    """Where a passage stands, for people.

    >>> from kg.site.languages import spoken
    >>> place(Span("…", "report", 3, 9, 1, 2, True), spoken("en"))
    '¶ 1, sentence 2'
    """
    gettext = language.gettext
    if span.sentence is None:
        return gettext("characters {start}–{end}").format(start=span.start, end=span.end)
    if span.sentence == 0:
        return gettext("the title")
    if span.paragraph is None:
        return gettext("sentence {number}").format(number=span.sentence)
    return gettext("¶ {paragraph}, sentence {number}").format(paragraph=span.paragraph, number=span.sentence)


def literal(value: Literal, labels: Labels, language: Language, length: int = 0) -> Markup:
    """A literal as text, whatever it holds: rdf:HTML and the like are shown, never interpreted.

    ``length``: of its text, in characters, where not all of that is here.
    """
    text = value.value
    if value.datatype.value == _BOOLEAN and text in _SAID:
        return escape(language.gettext(_SAID[text]))
    shown = isolated(shorten(text, LONGEST_VALUE), value.language)
    if len(text) > LONGEST_VALUE:
        more = language.gettext("({count} characters; all of them are in the data)")
        shown += Markup(' <span class="note">{}</span>').format(more.format(count=language.number(length or len(text))))
    if value.language and not labels.is_own(value.language):
        return shown + Markup(' <span class="lang">{}</span>').format(value.language)
    if value.language or value.datatype.value in _PLAIN:
        return shown
    name = labels.curie(value.datatype.value) or value.datatype.value
    return Markup("{} <code class=datatype>{}</code>").format(shown, shorten(name, 120))


def sort_key(node: NamedNode | BlankNode | Literal, labels: Labels) -> tuple[int, float, str]:
    """Numbers by size, then texts by language, the reader's own first, and by letter, then labels by letter."""
    if isinstance(node, Literal):
        try:
            return 0, float(node.value), node.value
        except ValueError:
            return 1, labels.rank("", node.language or "")[0], collated(node.value) + node.value[:LONGEST_VALUE]
    return 2, 0.0, labels[node.value].key
