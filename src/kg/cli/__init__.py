"""The command line: parse, call, print, exit code; nothing else.

``root`` is the group and what all commands share; ``authoring`` has the commands of whoever writes claims,
``publishing`` those of whoever keeps releases, ``serving`` the one that runs the site, with ``watch`` beside it, and
``endpoints`` those for stores of other servers. ``supervised`` puts bounds on commands that read sources, ``progress``
shows how far a build is.
Commands import what they call, so that `kg serve` does not wait for the tools of `kg build`.

Exit codes: 0 done · 1 findings, or an error of ours (one line on standard error) · 2 the command was misused.
"""

from kg.cli import authoring, publishing, serving
from kg.cli.root import main

__all__ = ["authoring", "main", "publishing", "serving"]
