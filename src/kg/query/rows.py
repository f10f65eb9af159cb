"""Writes solutions that were completed here rather than by the engine, in the four formats of SPARQL results.

A row is a list of texts: terms as TSV writes them (``""``: unbound), because that is how the engine hands rows over
fastest. Terms repeat from row to row, and each text is turned into another format once; all but footnotes, the last
column of an answer that has them: plain strings of which hardly any comes twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, QueryResultsFormat, Triple, parse_query_results

from kg import vocab
from kg.caches import Forgetful
from kg.media import NOT_IN_XML

Node = NamedNode | BlankNode | Literal | Triple
Row = Sequence[str]

_MOST = 20_000
"""Terms of an answer that are remembered as they are written."""

_CSV_QUOTED = re.compile(r'[",\r\n]')
_ESCAPE = re.compile(r'\\(?:([tnrbf"\'\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))')
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}


class Sink(Protocol):
    """A file that takes bytes."""

    def write(self, data: bytes, /) -> int: ...


class Term(NamedTuple):
    """A term: its kind as SPARQL results in JSON name it, and for a literal its language or its datatype's IRI."""

    kind: str
    value: str
    language: str = ""
    datatype: str = ""


def term(text: str) -> Term:
    r"""Read a term of TSV (SPARQL 1.1 Query Results CSV and TSV Formats, section 4).

    >>> term('"a\\tb"@de'), term("4").datatype, term("<a:b>").value
    (Term(kind='literal', value='a\tb', language='de', datatype=''), 'http://www.w3.org/2001/XMLSchema#integer', 'a:b')
    """
    first = text[0]
    if first == "<" and text[1] != "<":
        return Term("uri", text[1:-1])
    if first == '"':
        end = text.rindex('"')
        value, more = text[1:end], text[end + 1 :]
        if "\\" in value:
            value = _ESCAPE.sub(_character, value)
        if more.startswith("@"):
            return Term("literal", value, language=more[1:].partition("--")[0])
        return Term("literal", value, datatype=more[3:-1] or vocab.XSD + "string")
    if first == "_":
        return Term("bnode", text[2:])
    if first == "<":
        return Term("triple", text)
    if text in ("true", "false"):
        return Term("literal", text, datatype=vocab.XSD + "boolean")
    kind = "double" if "e" in text or "E" in text else "decimal" if "." in text else "integer"
    return Term("literal", text, datatype=vocab.XSD + kind)


def nodes(names: Sequence[str], rows: Iterable[Row]) -> Iterator[Sequence[Node | None]]:
    """Rows of texts as rows of terms."""
    lines = ["\t".join("?" + name for name in names), *map("\t".join, rows), ""]
    solutions: Any = parse_query_results("\n".join(lines).encode(), format=QueryResultsFormat.TSV)
    yield from map(tuple, solutions)


def string(value: str) -> str:
    """A plain string as TSV writes it."""
    for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(sign, escaped)
    return f'"{value}"'


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return _ESCAPED.get(match[1], match[1])
    return chr(int(match[2] or match[3], 16))


class Writer:
    """Writes rows to a sink in a format that :data:`kg.media.RESULTS` lists; ``footnotes``: the last column has them.

    >>> import io
    >>> out = io.BytesIO()
    >>> writer = Writer(["x", "y"], out, "text/csv")
    >>> writer.write([['"a, b"', ""], ["<a:b>", "1"]])
    >>> writer.end()
    >>> out.getvalue().decode().splitlines()
    ['x,y', '"a, b",', 'a:b,1']
    """

    def __init__(self, names: Sequence[str], sink: Sink, media_type: str, *, footnotes: bool = False) -> None:
        head, self._row, self._between, self._tail = _FORMATS[media_type](names, footnotes)
        self._sink = sink
        self._begun = False
        sink.write(head.encode())

    def write(self, rows: Iterable[Row]) -> None:
        text = self._between.join(map(self._row, rows))
        if text:
            self._sink.write((self._between * self._begun + text).encode())
            self._begun = True

    def end(self) -> None:
        self._sink.write(self._tail.encode())


def parts(names: Sequence[str], rows: Iterable[Sequence[Node | None]], media_type: str) -> Iterator[bytes]:
    """Rows of terms, piece by piece: the head, each row, the end.

    >>> [*parts(["x", "y"], [[Literal("a"), None], [NamedNode("a:b"), Literal(1)]], "text/tab-separated-values")][1]
    b'"a"\\t\\n'
    """
    head, row, between, tail = _FORMATS[media_type](names, False)
    yield head.encode()
    lead = ""
    for values in rows:
        yield (lead + row([_text(value) for value in values])).encode()
        lead = between
    yield tail.encode()


def _text(node: Node | None) -> str:
    if node is None:
        return ""
    if isinstance(node, Triple):
        inner: tuple[Any, ...] = (node.subject, node.predicate, node.object)
        return f"<<( {' '.join(map(_text, inner))} )>>"
    return str(node)


_Format = tuple[str, Callable[[Row], str], str, str]  # head, one row, what stands between rows, tail


def _remembering(make: Callable[[Term], str]) -> Callable[[str], str]:
    known: Forgetful[str, str] = Forgetful(_MOST)

    def written(text: str) -> str:
        found = known.get(text)
        if found is None:
            found = known.keep(text, make(term(text)) if text else "")
        return found

    return written


def _json(names: Sequence[str], footnotes: bool) -> _Format:
    written = _remembering(_json_term)
    keys = [encode_basestring(name) + ":" for name in names]
    last = keys.pop() if footnotes else ""

    def row(cells: Row) -> str:
        found = []
        for key, cell in zip(keys, cells, strict=False):
            if cell[:1] == "<" and cell[1] != "<":
                found.append(f'{key}{{"type":"uri","value":"{cell[1:-1]}"}}')  # no IRI holds what JSON escapes
            elif cell:
                found.append(key + written(cell))
        if last:  # What TSV escapes in such a string, JSON escapes in the same way.
            found.append(f'{last}{{"type":"literal","value":{cells[-1]}}}')
        return "{" + ",".join(found) + "}"

    variables = ",".join(map(encode_basestring, names))
    return f'{{"head":{{"vars":[{variables}]}},"results":{{"bindings":[', row, ",", "]}}"


def _json_term(found: Term) -> str:
    if found.kind == "uri":
        return f'{{"type":"uri","value":"{found.value}"}}'
    if found.kind == "triple":
        parts = zip(("subject", "predicate", "object"), _parts(found.value), strict=True)
        return '{"type":"triple","value":{' + ",".join(f'"{name}":{_json_term(part)}' for name, part in parts) + "}}"
    more = ""
    if found.language:
        more = f',"xml:lang":{encode_basestring(found.language)}'
    elif found.datatype and found.datatype != vocab.XSD + "string":
        more = f',"datatype":{encode_basestring(found.datatype)}'
    return f'{{"type":"{found.kind}","value":{encode_basestring(found.value)}{more}}}'


def _xml(names: Sequence[str], footnotes: bool) -> _Format:
    written = _remembering(_xml_term)
    opening = [f'<binding name="{_escaped(name)}">' for name in names]
    last = opening.pop() if footnotes else ""

    def row(cells: Row) -> str:
        found = [o + written(cell) + "</binding>" for o, cell in zip(opening, cells, strict=False) if cell]
        if last:
            found.append(f"{last}{_xml_term(term(cells[-1]))}</binding>")
        return f"<result>{''.join(found)}</result>"

    variables = "".join(f'<variable name="{_escaped(name)}"/>' for name in names)
    head = '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>'
    return f"{head}{variables}</head><results>", row, "", "</results></sparql>"


def _xml_term(found: Term) -> str:
    if found.kind == "triple":
        parts = zip(("subject", "predicate", "object"), _parts(found.value), strict=True)
        return "<triple>" + "".join(f"<{name}>{_xml_term(part)}</{name}>" for name, part in parts) + "</triple>"
    more = ""
    if found.language:
        more = f' xml:lang="{_escaped(found.language)}"'
    elif found.datatype and found.datatype != vocab.XSD + "string":
        more = f' datatype="{_escaped(found.datatype)}"'
    return f"<{found.kind}{more}>{_escaped(found.value)}</{found.kind}>"


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return NOT_IN_XML.sub("\ufffd", text).replace("\r", "&#13;")


def _parts(text: str) -> list[Term]:
    """Subject, predicate and object of a triple term."""
    ((triple,),) = nodes(["x"], [[text]])
    assert isinstance(triple, Triple)
    return [term(_text(part)) for part in (triple.subject, triple.predicate, triple.object)]


def _csv(names: Sequence[str], footnotes: bool) -> _Format:
    written = _remembering(_csv_term)

    def row(cells: Row) -> str:
        found = [*map(written, cells[:-1]), _csv_term(term(cells[-1]))] if footnotes else map(written, cells)
        return ",".join(found) + "\r\n"

    return ",".join(names) + "\r\n", row, "", ""


def _csv_term(found: Term) -> str:
    text = f"_:{found.value}" if found.kind == "bnode" else found.value
    return '"' + text.replace('"', '""') + '"' if _CSV_QUOTED.search(text) else text


def _tsv(names: Sequence[str], footnotes: bool) -> _Format:  # noqa: ARG001 - one signature for all
    return "\t".join("?" + name for name in names) + "\n", lambda cells: "\t".join(cells) + "\n", "", ""


_FORMATS: MappingProxyType[str, Callable[[Sequence[str], bool], _Format]] = MappingProxyType(
    {
        "application/sparql-results+json": _json,
        "application/sparql-results+xml": _xml,
        "text/csv": _csv,
        "text/tab-separated-values": _tsv,
    }
)
