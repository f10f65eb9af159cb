"""Every error that kg raises on purpose; this module imports nothing.

::

    KgError
    ├── ConfigError          kg.toml, an option or the environment cannot be used
    ├── SourceError          a source file cannot be read or parsed (carries file and line)
    ├── PassageError         words that should be cited are absent, or stand there twice
    ├── BuildError           the build could not finish for a reason outside the sources
    ├── ReleaseError         a release is missing, damaged or not what its manifest says
    ├── PushError            what lies in another server's store is not the release
    └── QueryError           a stranger's query got no answer
        ├── QueryRefused     … because it is not accepted: syntax, SERVICE, depth, update
        ├── QueryKilled      … because it ran into the deadline or the memory limit
        ├── QueryBusy        … because every worker was taken
        ├── QueryLimited     … because the one who asks has asked too much lately
        ├── QueryLeft        … because whoever asked has gone
        └── EndpointError    … because the SPARQL endpoint behind it failed, or sent something else than an answer
            ├── EndpointTimeout  … did not answer in time
            └── EndpointBusy     … asks for a pause, or has failed so often that it gets one

A *finding* about the sources is data, not an error: see :class:`kg.model.Finding`.
HTTP status and exit code are decided at the edge (``site/answers/problems.py``, ``cli/``), not here.
"""

from __future__ import annotations


class KgError(Exception):
    """The root of the tree: catching it catches everything kg raises on purpose."""


class ConfigError(KgError):
    """kg.toml, a command-line option or an environment variable cannot be used."""


class SourceError(KgError):
    """A source file cannot be read or parsed.

    ``file`` is the path as the user knows it, ``line`` counts from 1 (0: the whole file).
    """

    def __init__(self, message: str, *, file: str, line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class PassageError(KgError):
    """Words that should be cited do not stand in the document exactly once.

    ``positions`` are the 0-based code point offsets at which they do stand.
    """

    def __init__(self, message: str, *, positions: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.positions = positions


class BuildError(KgError):
    """The build could not finish for a reason that is not a finding about the sources."""


class ReleaseError(KgError):
    """A release is missing, damaged, or not what its manifest says; ``file`` names the culprit."""

    def __init__(self, message: str, *, file: str = "") -> None:
        super().__init__(message)
        self.file = file


class PushError(KgError):
    """What lies in another server's store is not the release; nothing there was made current."""


class QueryError(KgError):
    """A query got no answer; the subclasses say why."""


class QueryRefused(QueryError):
    """The query is not accepted; nothing was run.

    ``line`` and ``column`` count from 1; 0 where there is no place to point at.
    """

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class QueryKilled(QueryError):
    """The query ran into a limit and its process was ended.

    ``limit`` names it: ``"deadline"``, ``"memory"``, ``"rows"`` or ``"bytes"``.
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class QueryBusy(QueryError):
    """No worker was free in time; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueryLimited(QueryError):
    """Whoever asks has used up a share; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueryLeft(QueryError):
    """Nobody waits for the answer any more."""


class EndpointError(QueryError):
    """A SPARQL endpoint failed, or sent something that is no whole answer. The message does not name its address."""


class EndpointTimeout(EndpointError):
    """A SPARQL endpoint did not answer in time."""


class EndpointBusy(EndpointError):
    """A SPARQL endpoint is left alone for a while; ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
