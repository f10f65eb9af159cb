"""Real SPARQL engines for tests, each on free ports and in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.patience import PATIENCE, free_port

FUSEKI = "5.1.0"
STARTING = 240
"""Seconds: two of them are made of Java, and one of those has to write its files first."""


@dataclass(frozen=True)
class Engine:
    """``address`` is what ``kg push --to`` is given; ``query`` the SPARQL endpoint; ``environ`` has the credentials."""

    name: str
    address: str
    query: str
    environ: Mapping[str, str]


def missing(what: str) -> None:
    """Skip with a word; fail where CI was to install it."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def running(command: list[str], folder: Path, query: str) -> Iterator[None]:
    """A process that is up once its endpoint has answered a query; the first one takes long where Java does it."""
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(command, cwd=folder, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + STARTING
            while True:
                try:
                    urllib.request.urlopen(f"{query}?query=ASK%7B%7D", timeout=PATIENCE).close()
                    break
                except OSError as e:
                    if isinstance(e, urllib.request.HTTPError):
                        break
                    if process.poll() is not None or time.monotonic() > deadline:
                        pytest.fail(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
                    time.sleep(0.1)
            yield
        finally:
            process.kill()


@contextmanager
def oxigraph(folder: Path) -> Iterator[Engine]:
    program = Path(sys.executable).with_name("oxigraph")
    if not program.exists():
        missing("Oxigraph's server is not installed (pip install oxigraph)")
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [str(program), "serve", "--location", str(folder / "data"), "--bind", f"127.0.0.1:{port}"]
    with running(command, folder, address + "query"):
        yield Engine("oxigraph", address, address + "query", {})


_JAVA = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def _fuseki() -> tuple[str, Path]:
    """Java and Fuseki's archive."""
    jar = Path.home() / f".m2/repository/org/apache/jena/jena-fuseki-server/{FUSEKI}/jena-fuseki-server-{FUSEKI}.jar"
    java = shutil.which("java")
    if java is None or not jar.exists():
        missing(
            f"Fuseki is not installed (mvn dependency:get -Dartifact=org.apache.jena:jena-fuseki-server:{FUSEKI} "
            "-Dtransitive=false)"
        )
    return str(java), jar


@contextmanager
def fuseki(folder: Path) -> Iterator[Engine]:
    java, jar = _fuseki()
    port = free_port()
    address = f"http://127.0.0.1:{port}/ds"
    command = [
        java,
        *_JAVA,
        "-jar",
        str(jar),
        "--localhost",
        f"--port={port}",
        "--tdb2",
        "--loc=.",
        "--update",
        "/ds",
    ]
    with running(command, folder, address + "/query"):
        yield Engine("fuseki", address, address + "/query", {})


_DATASET = """
:{name} a fuseki:Service ; fuseki:name "{name}" ; fuseki:dataset [ a ja:MemoryDataset ] ; fuseki:endpoint
    [ fuseki:operation fuseki:query ; fuseki:name "query" ], [ fuseki:operation fuseki:update ; fuseki:name "update" ],
    [ fuseki:operation fuseki:gsp-rw ; fuseki:name "data" ] .
"""


@contextmanager
def datasets(folder: Path, *names: str) -> Iterator[list[str]]:
    """Fuseki with datasets of these names; their addresses."""
    java, jar = _fuseki()
    port = free_port()
    text = """PREFIX fuseki: <http://jena.apache.org/fuseki#> PREFIX : <#>
        PREFIX ja: <http://jena.hpl.hp.com/2005/11/Assembler#>\n"""
    (folder / "config.ttl").write_text(text + "".join(_DATASET.format(name=name) for name in names))
    command = [java, *_JAVA, "-jar", str(jar), "--localhost", f"--port={port}", "--config=config.ttl"]
    with running(command, folder, f"http://127.0.0.1:{port}/{names[0]}/query"):
        yield [f"http://127.0.0.1:{port}/{name}" for name in names]


_VIRTUOSO = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend = 200
[TempDatabase]
DatabaseFile = {folder}/temp.db
TransactionFile = {folder}/temp.trx
[Parameters]
ServerPort = {sql}
DisableUnixSocket = 1
CheckpointInterval = 0
DirsAllowed = {folder}
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = {folder}
ServerThreads = 10
[SPARQL]
ResultSetMaxRows = 10000
MaxQueryCostEstimationTime = 400
MaxQueryExecutionTime = 60
"""


@contextmanager
def virtuoso(folder: Path) -> Iterator[Engine]:
    program = shutil.which("virtuoso-t")
    if program is None:
        missing("Virtuoso is not installed (Debian: apt install virtuoso-opensource)")
    port = free_port()
    ini = folder / "virtuoso.ini"
    ini.write_text(_VIRTUOSO.format(folder=folder, sql=free_port(), http=port))
    address = f"http://127.0.0.1:{port}/"
    environ = {"KG_ENDPOINT_USER": "dba", "KG_ENDPOINT_PASSWORD": "dba"}
    with running([str(program), "+foreground", "+configfile", str(ini)], folder, address + "sparql"):
        yield Engine("virtuoso", address, address + "sparql", environ)


ENGINES: Mapping[str, Callable[[Path], AbstractContextManager[Engine]]] = {
    "oxigraph": oxigraph,
    "fuseki": fuseki,
    "virtuoso": virtuoso,
}
