"""The tables of ``kg.toml``, read: every value of the type that its setting has, or one line that says what it must be.

What settings there are, :mod:`kg.config` says: a table is read into the fields of one of its classes, and what a field
is by default says of what type it is.
"""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from ipaddress import ip_network
from math import isnan
from typing import Any, TypeGuard

from pyoxigraph import NamedNode

from kg.errors import ConfigError
from kg.media import NOT_IN_XML

_DAYS = frozenset({"issued", "start", "end"})
_PAGES = frozenset({"homepage", "contact_page", "place", "policy"})


def check_characters(name: str, value: object) -> None:
    """Of all texts in a value: that pages, feeds and dumps in XML can have them.

    :raises ConfigError: naming the setting.
    """
    if isinstance(value, dict):
        for key, one in value.items():
            check_characters(f"{name}.{key}" if name else key, one)
    elif isinstance(value, list):
        for one in value:
            check_characters(name, one)
    elif isinstance(value, str) and (found := NOT_IN_XML.search(value)):
        raise ConfigError(
            f"{name}: the character U+{ord(found[0]):04X} cannot stand in XML (section 2.2): leave it out"
        )


def table(name: str, value: object) -> dict[str, Any]:
    """A copy of a table of this name.

    :raises ConfigError: if it is something else.
    """
    if not isinstance(value, dict):
        raise ConfigError(f"[{name}] must be a table")
    return dict(value)


def known(name: str, kind: type, value: object) -> dict[str, Any]:
    """A table whose settings are fields of ``kind``, a dataclass.

    :raises ConfigError: if it has others, or is no table.
    """
    names = [f.name for f in fields(kind)]
    found = table(name, value)
    for key in found:
        if key not in names:
            raise ConfigError(f"unknown setting {name}.{key}; known: {', '.join(names)}")
    return found


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number: TOML's true, false and nan are none, and Python's are.

    >>> is_number(1), is_number(1.5), is_number(True), is_number(float("nan"))
    (True, True, False, False)
    """
    if isinstance(value, float):
        return not isnan(value)
    return isinstance(value, int) and not isinstance(value, bool)


def numbers(name: str, value: object) -> dict[str, float]:
    """A table of numbers, of whatever names.

    :raises ConfigError: if one is something else.
    """
    found = table(name, value)
    for key, number in found.items():
        if not is_number(number):
            raise ConfigError(f"{name}.{key} must be a number, not {number!r}")
    return found


def texts(name: str, kind: type, value: object) -> dict[str, Any]:
    """A table of texts, days, addresses and lists, as the fields of ``kind`` are.

    :raises ConfigError: if one is something else.
    """
    lists = {f.name for f in fields(kind) if isinstance(f.default, tuple)}
    found = known(name, kind, value)
    return {key: (_list if key in lists else _text)(f"{name}.{key}", key, one) for key, one in found.items()}


def addresses(name: str, value: object) -> dict[str, str]:
    """A table of addresses that pages may link to, of whatever names.

    :raises ConfigError: if one is something else.
    """
    found = table(name, value)
    for key, address in found.items():
        if not isinstance(address, str) or not re.match("(?:https?://|mailto:).", address) or not is_iri(address):
            raise ConfigError(f"{name}.{key} must be an address that starts with https://, http:// or mailto:")
    return found


def networks(name: str, value: object) -> tuple[str, ...]:
    """A list of addresses and networks.

    :raises ConfigError: if it is none.
    """
    if not isinstance(value, list):
        raise ConfigError(f"{name} must be a list of addresses in quotes, not {value!r}")
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            raise ConfigError(f"{name}: {text!r} is neither an address nor a network") from None
    return tuple(value)


def is_line(address: str) -> bool:
    """Whether an address has only characters that IRIs may have (RFC 3987, section 2.2).

    >>> is_line("https://example.org/a?b"), is_line("https://example.org/ a")
    (True, False)
    """
    return not re.search(r'[\s<>"{}|\\^`\x00-\x20]', address)


def is_address(text: str) -> bool:
    """Whether a text is an address on the web, and can be an IRI in data.

    >>> is_address("https://example.org/licence"), is_address("https://example.org/a licence"), is_address("CC BY")
    (True, False, False)
    """
    return re.match("https?://.", text) is not None and is_iri(text)


def is_iri(text: str) -> bool:
    """Whether a text is an IRI, by the engine's word.

    >>> is_iri("mailto:facts@example.org"), is_iri("mailto:100%@example.org")
    (True, False)
    """
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def _list(name: str, key: str, value: object) -> tuple[Any, ...]:
    is_one = is_number if key == "bbox" else _is_text
    if not isinstance(value, list) or not all(map(is_one, value)):
        what = "numbers" if key == "bbox" else "texts in quotes"
        raise ConfigError(f"{name} must be a list of {what}, not {value!r}")
    return tuple(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _text(name: str, key: str, value: object) -> str:
    if isinstance(value, date):  # TOML has dates of its own; datetime is one too
        value = value.isoformat()
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a text in quotes, not {value!r}")
    if key in _DAYS and not _is_day(value):
        raise ConfigError(f"{name} must be a date such as 2030-01-31, not {value!r}")
    if key in _PAGES and not is_address(value):
        raise ConfigError(f"{name} must be an http or https address, not {value!r}")
    return value


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
