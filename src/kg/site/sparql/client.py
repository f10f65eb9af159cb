"""Who asks, for counting what one client may ask (:mod:`kg.query.fairness`).

An IPv4 address is one client; an IPv6 client commonly has a whole /64, so that counts as one. Behind a proxy all
clients have the proxy's address, unless ``trusted_proxies`` names it; then the last address in X-Forwarded-For that
is no trusted proxy itself is the client (everything before it, the client could have made up).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

_REMEMBERED = 4096
_USUAL = 200
"""Characters of X-Forwarded-For: what is longer is not remembered, since anybody can send thousands of those."""


class Clients:
    """See the module."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._proxies = [ip_network(text) for text in trusted_proxies]
        self._remembered = lru_cache(_REMEMBERED)(self._of)

    def of(self, peer: str, forwarded: str) -> str:
        """The client, by the address that is connected and what X-Forwarded-For says ("" where nothing does)."""
        if not self._proxies:
            forwarded = ""
        return (self._remembered if len(forwarded) <= _USUAL else self._of)(peer, forwarded)

    def _of(self, peer: str, forwarded: str) -> str:
        found = peer
        for text in reversed(forwarded.split(",")):
            if not self._is_trusted(found):
                break
            found = text.strip() or found
        try:
            address = ip_address(found)
        except ValueError:
            return peer
        if isinstance(address, IPv6Address):
            return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
        return str(address)

    def _is_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
