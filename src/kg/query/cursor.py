"""The tokens of a query, taken one after the other, with their text."""

from __future__ import annotations

from kg.query.syntax import END, Token, Untraceable, tokens

PAIRS = {"(": ")", "[": "]", "{": "}"}


class Cursor:
    """Stands before the token at number ``at``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [*tokens(text)]
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else END

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def accept(self, *texts: str) -> bool:
        """Take a sign or a keyword if it is next."""
        if self.next.text in texts or self.next.word in texts:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Untraceable(f"syntax that is not read here (near {self.next.text[:30]!r}, where {text} was expected)")

    def since(self, start: int) -> str:
        """The text from a token to the last one taken."""
        return self.text[self.tokens[start].start : self.tokens[self.at - 1].end]

    def unknown(self) -> Untraceable:
        return Untraceable(f"syntax that is not read here (near {self.next.text[:30]!r})")
