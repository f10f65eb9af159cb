"""Starts the servers that ``bench/sparql.py`` compares: kg, and of the others those that are installed.

============== ============================================== ==================================================
name           where it comes from                            where its triples are
============== ============================================== ==================================================
oxigraph       ``pip install oxigraph``                       the very files that kg serves
rdflib-endpoint ``pip install rdflib-endpoint[web] oxrdflib``  in memory (oxrdflib)
fuseki         jena-fuseki-server, a .jar; needs Java 17      on disk (TDB2); ``FUSEKI_JAR`` says where the .jar is
virtuoso       Debian: ``apt install virtuoso-opensource``    on disk
============== ============================================== ==================================================

All but kg and oxigraph get the default graph only: no query of the bench asks for another.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pyoxigraph import DefaultGraph, RdfFormat, Store

# Python looks into the folder of the script first; mypy looks elsewhere.
from run import KG, port_of  # type: ignore[import-not-found]

from kg.release import Release

JSON = "application/sparql-results+json"


@dataclass
class Server:
    """A server that runs: where its endpoint is, and the process to weigh."""

    port: int
    path: str
    process: subprocess.Popen[str]
    connection: http.client.HTTPConnection

    def send(self, query: str, accept: str = JSON, more: str = "") -> http.client.HTTPResponse:
        address = f"{self.path}?query={quote(query)}{more}"
        for _ in range(2):
            with suppress(http.client.RemoteDisconnected, BrokenPipeError):  # it was idle for longer than it may be
                self.connection.request("GET", address, headers={"Accept": accept})
                return self.connection.getresponse()
            self.connection.close()
        raise Ended(f"port {self.port}: it hangs up")

    def ask(self, query: str, accept: str = JSON, more: str = "") -> bytes:
        answer = self.send(query, accept, more)
        body = answer.read()
        if answer.status != 200:
            raise Ended(f"port {self.port}: {answer.status} {body[:200]!r}")
        return body


class Ended(Exception):
    """A server ended, never listened, or does not answer."""


Start = Callable[[], AbstractContextManager[Server]]


def servers(scratch: Path, release: Release) -> Iterator[tuple[str, Start]]:
    """Name and starter of each server that is installed, kg first."""
    yield "kg", lambda: running([*KG, "serve", "--port", "0", "--workers", "1"], scratch, "/sparql", None)
    oxigraph, rdflib_endpoint = _installed("oxigraph"), _installed("rdflib-endpoint")
    fuseki, virtuoso = os.environ.get("FUSEKI_JAR"), _installed("virtuoso-t")
    if oxigraph:
        port = free_port()
        command = [oxigraph, "serve-read-only", "-l", str(release.store_path), "-b", f"127.0.0.1:{port}"]
        yield "oxigraph", lambda: running(command, scratch, "/query", port)
    facts = scratch / "facts.nt"
    if rdflib_endpoint or fuseki or virtuoso:
        Store.read_only(str(release.store_path)).dump(str(facts), format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph())
    if rdflib_endpoint:
        other = free_port()
        start = [rdflib_endpoint, "serve", "--host", "127.0.0.1", "--port", str(other), "--store", "Oxigraph"]
        yield "rdflib-endpoint", lambda: running([*start, str(facts)], scratch, "/", other)
    if fuseki:
        yield "fuseki", lambda: _fuseki(Path(fuseki), scratch, facts)
    if virtuoso:
        yield "virtuoso", lambda: _virtuoso(virtuoso, scratch, facts)


@contextmanager
def running(command: list[str], cwd: Path, path: str, port: int | None) -> Iterator[Server]:
    """A server that listens on a port, or prints an address with one."""
    out = subprocess.DEVNULL if port else subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, stdout=out, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = port or port_of(process)
            until_it_listens(found, process)
            with closing(http.client.HTTPConnection("127.0.0.1", found, timeout=300)) as connection:
                yield Server(found, path, process, connection)
        finally:
            process.terminate()


@contextmanager
def _fuseki(jar: Path, scratch: Path, facts: Path) -> Iterator[Server]:
    database = scratch / "tdb2"
    if not database.exists():
        load = ["java", "-cp", str(jar), "tdb2.tdbloader", "--loc", str(database), str(facts)]
        subprocess.run(load, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port = free_port()
    command = ["java", "-jar", str(jar), "--localhost", f"--port={port}", f"--loc={database}", "/ds"]
    with running(command, scratch, "/ds/query", port) as server:
        _until_it_answers(server)
        yield server


VIRTUOSO = """[Parameters]
ServerPort = {sql}
DirsAllowed = {folder}
NumberOfBuffers = 85000
MaxDirtyBuffers = 65000
[HTTPServer]
ServerPort = {http}
ServerRoot = {folder}
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
TransactionFile = {folder}/virtuoso.trx
[SPARQL]
ResultSetMaxRows = 10000000
MaxQueryExecutionTime = 300
"""


@contextmanager
def _virtuoso(program: str, scratch: Path, facts: Path) -> Iterator[Server]:
    folder = scratch / "virtuoso"
    folder.mkdir(exist_ok=True)
    sql, http_port = free_port(), free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(VIRTUOSO.format(sql=sql, http=http_port, folder=folder), encoding="utf-8")
    shutil.copy(facts, folder)
    with running([program, "+foreground", "+configfile", str(settings)], folder, "/sparql", http_port) as server:
        load = f"ld_dir('{folder}', 'facts.nt', 'urn:facts'); rdf_loader_run(); checkpoint;"
        isql = shutil.which("isql-vt") or shutil.which("isql") or "isql-vt"
        done = subprocess.run(
            [isql, str(sql), "dba", "dba", f"exec={load}"], capture_output=True, text=True, check=False
        )
        if done.returncode or "Error" in done.stdout + done.stderr:
            raise Ended(f"it does not load: {(done.stderr or done.stdout)[:200]}")
        _until_it_answers(server)
        yield server


def until_it_listens(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Ended(f"it does not listen on port {port}")


def _until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            server.ask("ASK {}")
        except (Ended, OSError, http.client.HTTPException):
            server.connection.close()
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise Ended("it does not answer") from None
            time.sleep(0.5)
        else:
            return


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _installed(name: str) -> str | None:
    return shutil.which(str(Path(sys.executable).parent / name)) or shutil.which(name)
