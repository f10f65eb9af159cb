"""The publishers that pages are measured beside: each is a context manager over the data and the cache.

Peers are installed into the cache, never beside kg: SHMARQL, Datasette and Oxigraph's server by pip, Trifid (in front
of Oxigraph's server) by npm. nginx, with a file as large as the page of kg, is the limit.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

# Python looks into the folder of the script first; mypy looks elsewhere.
import corpus  # type: ignore[import-not-found]
from peers import Ended, free_port, until_it_listens  # type: ignore[import-not-found]
from pyoxigraph import Literal, NamedNode, RdfFormat, parse
from run import KG, cpu_of_tree, port_of  # type: ignore[import-not-found]

BASE = "http://localhost:8000/"
PYTHON_PEERS = ("shmarql==0.68", "fastlite", "datasette==0.65.5", "oxigraph==0.5.13")
"""SHMARQL needs fastlite and does not say so. Its next versions (0.69, 0.70) show no thing: the page is a coroutine."""

TRIFID = "trifid@5.3.0"
HTML = {"Accept": "text/html"}
HOPS = 4
"""Redirects that are followed: a page counts with what leads to it."""

_SAMPLE = 100
"""Pages of kg among which the one in the middle is as large as nginx's file."""


@dataclass
class Publisher:
    """A server that runs: its processes, and the path of an entity's page by the entity's name."""

    port: int
    processes: list[subprocess.Popen[str]]
    page: Callable[[str], str]

    def cpu(self) -> float:
        return float(sum(cpu_of_tree(process) for process in self.processes))

    def fetch(self, connection: http.client.HTTPConnection, path: str) -> tuple[str, bytes]:
        """The page at a path, redirects followed, and where it was found."""
        for _ in range(HOPS):
            connection.request("GET", path, headers=HTML)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                return path, body
            if not 300 <= answer.status < 400:
                raise Ended(f"{path}: {answer.status}")
            path = _below(urljoin(path, answer.headers["Location"]))
        raise Ended(f"{path}: redirects without end")


def connect(publisher: Publisher) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", publisher.port, timeout=60)


def _below(address: str) -> str:
    url = urlsplit(address)
    return url.path + (f"?{url.query}" if url.query else "")


@dataclass(frozen=True)
class Data:
    """What is published: kg's project with its release, the default graph as N-Triples, names of entities."""

    project: Path
    facts: Path
    triples: int
    entities: list[str]


def prepare(folder: Path, documents: int) -> Data:
    """A generated corpus with its release."""
    project = folder / "project"
    project.mkdir()
    corpus.generate(project, documents=documents, claims=15)
    subprocess.run([*KG, "build"], cwd=project, check=True, stdout=subprocess.DEVNULL)
    facts = project / "releases/current/dumps/facts.nt"
    text = facts.read_text(encoding="utf-8")
    entities = sorted(set(re.findall(rf"^<{BASE}id/([^>]+)>", text, re.MULTILINE)))
    random.Random(1).shuffle(entities)
    return Data(project, facts, text.count("\n"), entities)


@contextmanager
def process(
    command: list[str], cwd: Path, port: int, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A server that listens on a port."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        try:
            until_it_listens(port, started)
            yield started
        finally:
            started.terminate()


@contextmanager
def kg(data: Data, cache: Path) -> Iterator[Publisher]:  # noqa: ARG001 - as the others
    command = [*KG, "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(command, cwd=data.project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        try:
            yield Publisher(port_of(p), [p], lambda name: f"/page/{name}")
        finally:
            p.terminate()


@contextmanager
def shmarql(data: Data, cache: Path) -> Iterator[Publisher]:
    port = free_port()
    env = {"SITE_URI": BASE, "DATA_LOAD_PATHS": str(data.facts), "PORT": str(port)}
    command = [str(cache / "python/bin/uvicorn"), "shmarql.main:app", "--port", str(port), "--log-level", "warning"]
    with process(command, data.project, port, env) as p:
        yield Publisher(port, [p], lambda name: f"/id/{name}")


@contextmanager
def trifid(data: Data, cache: Path) -> Iterator[Publisher]:
    """Trifid, as its example has it, in front of Oxigraph's server."""
    database, port = free_port(), free_port()
    store = data.project / "oxigraph"
    oxigraph = str(cache / "python/bin/oxigraph")
    if not store.exists():
        load_ = [oxigraph, "load", "--location", str(store), "--file", str(data.facts)]
        subprocess.run(load_, check=True, capture_output=True)
    config = data.project / "trifid.yaml"
    config.write_text(
        f"""server:
  logLevel: error
  listener:
    port: {port}
globals:
  datasetBaseUrl: {BASE}
  endpoints:
    default:
      url: /query
plugins:
  entity-renderer:
    module: "@zazuko/trifid-entity-renderer"
    config:
      followRedirects: true
  sparql-proxy:
    module: "@zazuko/trifid-plugin-sparql-proxy"
    paths: /query
    config:
      endpointUrl: http://127.0.0.1:{database}/query
""",
        encoding="utf-8",
    )
    with ExitStack() as stack:
        serve = [oxigraph, "serve-read-only", "--location", str(store), "--bind", f"127.0.0.1:{database}"]
        behind = stack.enter_context(process(serve, data.project, database))
        command = ["node", str(cache / "trifid/node_modules/trifid/server.js"), "--config", str(config)]
        front = stack.enter_context(process(command, cache / "trifid", port))
        yield Publisher(port, [front, behind], lambda name: f"/id/{name}")


@contextmanager
def datasette(data: Data, cache: Path) -> Iterator[Publisher]:
    """A row for each entity, a column for each property."""
    port, path = free_port(), data.project / "entities.db"
    path.unlink(missing_ok=True)
    rows: dict[str, dict[str, str]] = {}
    for quad in parse(path=str(data.facts), format=RdfFormat.N_TRIPLES):
        name = str(quad.subject.value) if isinstance(quad.subject, NamedNode) else ""
        if name.startswith(f"{BASE}id/") and isinstance(quad.object, NamedNode | Literal):
            row = rows.setdefault(name.removeprefix(f"{BASE}id/"), {})
            column = re.split("[#/]", quad.predicate.value)[-1]
            row[column] = "\n".join(filter(None, (row.get(column), quad.object.value)))
    columns = sorted({column for row in rows.values() for column in row})
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE thing(name TEXT PRIMARY KEY, {', '.join(f'[{c}] TEXT' for c in columns)})")
        marks = ",".join("?" * (len(columns) + 1))
        values = ((name, *(row.get(column) for column in columns)) for name, row in rows.items())
        database.executemany(f"INSERT INTO thing VALUES ({marks})", values)
    command = [str(cache / "python/bin/datasette"), "serve", "-i", str(path), "--port", str(port)]
    with process(command, data.project, port) as p:
        yield Publisher(port, [p], lambda name: f"/entities/thing/{quote(name, safe='')}")


@contextmanager
def nginx(data: Data, cache: Path) -> Iterator[Publisher]:  # noqa: ARG001 - as the others
    """A file as large as kg's page of an entity in the middle, whatever is asked for."""
    port = free_port()
    with kg(data, data.project) as ours, closing(connect(ours)) as connection:
        pages = sorted((ours.fetch(connection, ours.page(name))[1] for name in data.entities[:_SAMPLE]), key=len)
    folder = data.project / "static"
    folder.mkdir(exist_ok=True)
    (folder / "page.html").write_bytes(pages[len(pages) // 2])
    config = data.project / "nginx.conf"
    config.write_text(
        f"""user root; worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{ access_log off; default_type text/html; sendfile on; keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port}; root {folder}; location / {{ try_files /page.html =404; }} }} }}
""",
        encoding="utf-8",
    )
    with process(["nginx", "-c", str(config)], data.project, port) as p:
        yield Publisher(port, [p], lambda name: f"/{name}")


PUBLISHERS = {"kg": kg, "Trifid": trifid, "SHMARQL": shmarql, "Datasette": datasette, "nginx": nginx}


def install(cache: Path) -> None:
    """Put the peers into the cache, where they are not there yet."""
    done = cache / "installed"
    wanted = "\n".join((*PYTHON_PEERS, TRIFID))
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return
    print(f"Installing {', '.join((*PYTHON_PEERS, TRIFID))} into {cache} ...")
    python, node = cache / "python", cache / "trifid"
    node.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
    subprocess.run([python / "bin/pip", "install", "--quiet", *PYTHON_PEERS], check=True)
    (node / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    if shutil.which("npm"):
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", TRIFID], cwd=node, check=True)
    done.write_text(wanted, encoding="utf-8")
