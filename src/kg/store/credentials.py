"""Who asks a SPARQL endpoint: a user with a password, or a token."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """A password alone is a token. ``auth``: as in :class:`kg.store.profiles.Profile`."""

    user: str
    password: str
    auth: str = "basic"

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def header(self) -> str:
        """What is sent unasked: a token (RFC 6750), or a user with a password (RFC 7617); empty where nothing is."""
        if not self.user or self.auth == "bearer":
            return f"Bearer {self.password}"
        if self.auth == "basic":
            return f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"
        return ""

    def digest(self, address: str) -> tuple[str, str, str] | None:
        """What is sent when the endpoint at an address asks for it (RFC 7616)."""
        return (address, self.user, self.password) if self.user and self.auth == "digest" else None
