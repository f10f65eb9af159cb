"""Headers of every answer: nothing from elsewhere is loaded, nothing inline is run, no type is guessed."""

from __future__ import annotations

from flask import Flask, Response


def policy(nonce: str = "") -> str:
    """The Content Security Policy (level 3) of an answer; styles with this nonce are applied, if there is one."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'self' 'nonce-{nonce}'" if nonce else "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


POLICY = "Content-Security-Policy"
HEADERS = {
    POLICY: policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


RELEASE = "Kg-Release"
"""Which release an answer is from: it may be replaced between two requests."""


def register(app: Flask) -> None:
    """Put the headers on every answer."""
    headers = {**HEADERS, RELEASE: app.extensions["kg"].release.version}

    @app.after_request
    def add(response: Response) -> Response:
        # A page that needs a nonce has set its own policy.
        own = response.headers.get(POLICY)
        response.headers.update({**headers, POLICY: own} if own else headers)
        # The server dates every answer; werkzeug dates some of them, too.
        response.headers.pop("Date", None)
        return response
