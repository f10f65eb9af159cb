"""Writes solutions that were made here rather than by the engine, in the four formats of SPARQL results.

Terms repeat from row to row, so each is written once and remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

Node = NamedNode | BlankNode | Literal | Triple
Row = Sequence[Node | None]

_FULL = 20_000
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
# What XML 1.0 has no way to write (section 2.2).
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CSV_QUOTED = re.compile(r'[",\r\n]')


class Sink(Protocol):
    """A file that takes bytes."""

    def write(self, data: bytes, /) -> int: ...


def write(names: Sequence[str], rows: Iterable[Row], sink: Sink, media_type: str) -> None:
    """Write solutions in a format that :data:`kg.media.RESULTS` lists.

    >>> import io
    >>> out = io.BytesIO()
    >>> write(["x", "y"], [[Literal("a, b"), None], [NamedNode("a:b"), Literal(1)]], out, "text/csv")
    >>> out.getvalue().decode().splitlines()
    ['x,y', '"a, b",', 'a:b,1']
    """
    for part in parts(names, rows, media_type):
        sink.write(part)


def parts(names: Sequence[str], rows: Iterable[Row], media_type: str) -> Iterator[bytes]:
    """The same, piece by piece: the head, each row, the end."""
    head, row, between, tail = _FORMATS[media_type](names)
    yield head.encode()
    lead = ""
    for values in rows:
        yield (lead + row(values)).encode()
        lead = between
    yield tail.encode()


_Format = tuple[str, Callable[[Row], str], str, str]  # head, one row, what stands between rows, tail


def _remembering(make: Callable[[Node], str]) -> Callable[[Node], str]:
    known: dict[Node, str] = {}

    def written(node: Node) -> str:
        text = known.get(node)
        if text is None:
            if len(known) >= _FULL:
                known.clear()
            text = known[node] = make(node)
        return text

    return written


def _json(names: Sequence[str]) -> _Format:
    term = _remembering(_json_term)
    keys = [encode_basestring(name) + ":" for name in names]

    def row(values: Row) -> str:
        cells = [key + term(value) for key, value in zip(keys, values, strict=True) if value is not None]
        return "{" + ",".join(cells) + "}"

    variables = ",".join(map(encode_basestring, names))
    return f'{{"head":{{"vars":[{variables}]}},"results":{{"bindings":[', row, ",", "]}}"


def _json_term(node: Node) -> str:
    if isinstance(node, NamedNode):
        return f'{{"type":"uri","value":{encode_basestring(node.value)}}}'
    if isinstance(node, BlankNode):
        return f'{{"type":"bnode","value":{encode_basestring(node.value)}}}'
    if isinstance(node, Triple):
        parts = zip(("subject", "predicate", "object"), (node.subject, node.predicate, node.object), strict=True)
        return '{"type":"triple","value":{' + ",".join(f'"{name}":{_json_term(part)}' for name, part in parts) + "}}"
    more = ""
    if node.language:
        more = f',"xml:lang":{encode_basestring(node.language)}'
    elif node.datatype.value != _XSD_STRING:
        more = f',"datatype":{encode_basestring(node.datatype.value)}'
    return f'{{"type":"literal","value":{encode_basestring(node.value)}{more}}}'


def _xml(names: Sequence[str]) -> _Format:
    term = _remembering(_xml_term)
    opening = [f'<binding name="{_escaped(name)}">' for name in names]

    def row(values: Row) -> str:
        cells = [o + term(v) + "</binding>" for o, v in zip(opening, values, strict=True) if v is not None]
        return "<result>" + "".join(cells) + "</result>"

    variables = "".join(f'<variable name="{_escaped(name)}"/>' for name in names)
    head = '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>'
    return f"{head}{variables}</head><results>", row, "", "</results></sparql>"


def _xml_term(node: Node) -> str:
    if isinstance(node, NamedNode):
        return f"<uri>{_escaped(node.value)}</uri>"
    if isinstance(node, BlankNode):
        return f"<bnode>{_escaped(node.value)}</bnode>"
    if isinstance(node, Triple):
        parts = zip(("subject", "predicate", "object"), (node.subject, node.predicate, node.object), strict=True)
        return "<triple>" + "".join(f"<{name}>{_xml_term(part)}</{name}>" for name, part in parts) + "</triple>"
    more = ""
    if node.language:
        more = f' xml:lang="{_escaped(node.language)}"'
    elif node.datatype.value != _XSD_STRING:
        more = f' datatype="{_escaped(node.datatype.value)}"'
    return f"<literal{more}>{_escaped(node.value)}</literal>"


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _NOT_XML.sub("\ufffd", text).replace("\r", "&#13;")


def _csv(names: Sequence[str]) -> _Format:
    term = _remembering(_csv_term)

    def row(values: Row) -> str:
        return ",".join("" if value is None else term(value) for value in values) + "\r\n"

    return ",".join(names) + "\r\n", row, "", ""


def _csv_term(node: Node) -> str:
    text = str(node) if isinstance(node, BlankNode | Triple) else node.value
    return '"' + text.replace('"', '""') + '"' if _CSV_QUOTED.search(text) else text


def _tsv(names: Sequence[str]) -> _Format:
    term = _remembering(lambda node: str(node).replace("\t", "\\t"))

    def row(values: Row) -> str:
        return "\t".join("" if value is None else term(value) for value in values) + "\n"

    return "\t".join("?" + name for name in names) + "\n", row, "", ""


_FORMATS: MappingProxyType[str, Callable[[Sequence[str]], _Format]] = MappingProxyType(
    {
        "application/sparql-results+json": _json,
        "application/sparql-results+xml": _xml,
        "text/csv": _csv,
        "text/tab-separated-values": _tsv,
    }
)
