"""How tests ask a server that runs, where nothing may be followed, tidied up or taken for an error on the way."""

from __future__ import annotations

import http.client
from contextlib import closing
from urllib.parse import urlsplit

from tests.patience import PATIENCE


def ask(
    address: str, path: str = "", method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and content of an answer; raises where it breaks off.

    Without a ``path``, the address is asked for as it is. ``headers`` have ``_`` in place of ``-``.
    """
    host = urlsplit(address).netloc
    with closing(http.client.HTTPConnection(host, timeout=PATIENCE)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path or address.partition(host)[2], body, named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
