"""The recipe with nginx, run as it stands: a real nginx in front of two real site processes."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.conftest import ROOT
from tests.patience import PATIENCE, free_port, until
from tests.store.engines import missing

from kg import build
from kg.config import load

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

ALL = "SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 60000"
_MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/kg.conf;
}}
"""


LONG = "東京工業高等専門学校" * 4
"""A name whose address has 360 letters, as many a name in another script."""


@dataclass
class Front:
    """nginx and the two sites behind it."""

    port: int
    folder: Path
    project: Path
    sites: list[subprocess.Popen[str]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def get(self, path: str, source: str = "127.0.0.1", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE, source_address=(source, 0))
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        finally:
            connection.close()

    def queries(self, site: int) -> int:
        """How many queries one of the sites has answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[site], timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return sum(int(n) for n in re.findall(r'^kg_queries_total\{outcome="answered"\} (\d+)$', text, re.MULTILINE))

    def purge(self) -> None:
        conf, cache = self.folder / "kg-release.conf", self.folder / "cache"
        script = ROOT / "deploy/purge.sh"
        subprocess.run([str(script), str(self.project / "releases"), str(cache), str(conf)], check=True)

    def reload(self) -> None:
        os.kill(int((self.folder / "nginx.pid").read_text()), signal.SIGHUP)


def start_site(project: Path, port: int) -> subprocess.Popen[str]:
    """A site on a port, in a process group of its own; it is up when this returns."""
    command = [sys.executable, "-m", "kg.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    if not any("http://" in line for line in process.stdout):
        pytest.fail("kg serve ended")
    return process


def kill(process: subprocess.Popen[str], how: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
        os.killpg(process.pid, signal.SIGCONT)  # one that hangs is to hear of it
    process.wait(PATIENCE)
    if process.stdout:
        process.stdout.close()


@contextmanager
def running(folder: Path, project: Path) -> Iterator[Front]:
    """The recipe, with this machine's ports and folders in place of its own."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        missing("nginx is not installed (Debian: apt install nginx)")
    front = Front(free_port(), folder, project, ports=[free_port(), free_port()])
    recipe = (ROOT / "deploy/nginx.conf").read_text()
    for written, here in {
        "127.0.0.1:8001": f"127.0.0.1:{front.ports[0]}",
        "127.0.0.1:8002": f"127.0.0.1:{front.ports[1]}",
        "/etc/nginx/kg-release.conf": f"{folder}/kg-release.conf",
        "/var/cache/nginx/kg": f"{folder}/cache",
        "listen 80;": f"listen 127.0.0.1:{front.port};",
    }.items():
        assert written in recipe
        recipe = recipe.replace(written, here)
    (folder / "kg.conf").write_text(recipe)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user="user root;" if os.getuid() == 0 else ""))
    front.purge()
    with ExitStack() as stack:
        for port in front.ports:
            front.sites.append(start_site(project, port))
            stack.callback(lambda at: kill(front.sites[at], signal.SIGTERM), len(front.sites) - 1)
        process = subprocess.Popen([str(nginx), "-p", str(folder), "-c", str(folder / "nginx.conf")])
        stack.callback(process.wait, PATIENCE)
        stack.callback(process.terminate)
        until(lambda: process.poll() is not None or answers(front))
        assert process.poll() is None, (folder / "error.log").read_text()
        yield front


def answers(front: Front) -> bool:
    with suppress(OSError):
        return front.get("/health")[0] == 200
    return False


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    project = tmp_path_factory.mktemp("behind") / "project"
    shutil.copytree(ROOT / "src/kg/starter", project, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    settings = (project / "kg.toml").read_text()
    assert "[serve]" not in settings
    # Processes of queries may start slowly where much else runs.
    settings = settings.replace("[query]\n", f"[query]\nwait = {PATIENCE}\n")
    more = '\n[serve]\ntrusted_proxies = ["127.0.0.1"]\nerrors = 3\nat_once = 50\n'
    (project / "kg.toml").write_text(settings + more)
    claims = project / "data/claims/about-kg.trig"
    claims.write_text(claims.read_text().replace(":python .", f":python , <id/{LONG}> .", 1))
    (project / "data/entities/long.ttl").write_text(
        f'<id/{LONG}> <http://www.w3.org/2000/01/rdf-schema#label> "long"@en .'
    )
    assert build.build(load(project))[0] is not None
    with running(tmp_path_factory.mktemp("nginx"), project) as started:
        yield started


def test_slow_clients_end_in_front_of_the_sites(front: Front) -> None:
    """100 half-sent heads, 100 half-sent bodies, 12 that never read."""
    with ExitStack() as stack:

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=20))

        for _ in range(100):
            connect().sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ")
        for _ in range(100):
            connect().sendall(
                b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
                b"Content-Length: 500\r\n\r\nSELECT "
            )
        for _ in range(12):
            reader = connect()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            request = f"GET /sparql?query={quote(ALL)} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n\r\n"
            reader.sendall(request.encode())
        time.sleep(1)
        began = time.monotonic()
        for number in range(20):
            assert front.get(f"/?fresh={number}", Accept=CHROME)[0] == 200
        assert time.monotonic() - began < PATIENCE
        # The twelve answers lie in nginx: nobody has read them, and the workers that made them are free.
        ask = f"/sparql?query={quote('ASK { ?s ?p ?o }')}"
        until(lambda: front.get(ask, source="127.0.0.9")[0] == 200)


@pytest.mark.parametrize(
    "path", ["/search?q=" + "a" * 7_000, "/browse?q=" + "a" * 7_000, "/data/kg.ttl?x=" + "a" * 7_000, "/" * 7_000]
)
def test_a_long_address_takes_no_process_out_of_service(path: str, front: Front) -> None:
    """Links in the head of an answer repeat the address; a head that does not fit counts against the process."""
    for _ in front.sites:
        assert front.get(path)[0] in (200, 406, 414)
    assert {front.get(f"/things?fresh={path[:9]}{number}")[0] for number in range(4)} == {200}


def test_an_answer_with_many_long_links_comes_through(front: Front) -> None:
    for path in ("page", "data"):
        status, headers, _ = front.get(f"/{path}/{quote(LONG)}", Accept="*/*")
        assert (status, len(headers["link"]) > 4_000) == (200, True), path


def test_a_page_is_remembered_for_all_who_ask_alike(front: Front) -> None:
    def cached(path: str, **headers: str) -> str:
        return front.get(path, **headers)[1]["x-cache-status"]

    assert cached("/about", Accept=CHROME) == "MISS"
    assert cached("/about", Accept=FIREFOX) == "HIT"
    assert cached("/about", Accept=CHROME, Accept_Language="en-GB,en;q=0.9,de;q=0.8") == "MISS"
    assert cached("/about", Accept=CHROME, Accept_Language="en") == "HIT"
    assert cached("/about", Accept=CHROME, Accept_Language="de") == "MISS"
    assert cached("/about", Accept=CHROME, Accept_Encoding="gzip, br") == "MISS"
    assert cached("/about", Accept=CHROME, Accept_Encoding="gzip;q=0, br") == "HIT"
    assert cached("/health") == cached("/health") == "MISS"


def test_each_kind_of_client_gets_what_it_accepts(front: Front) -> None:
    thing = re.search(r'href="\./(page/[^"]+)"', front.get("/things", Accept=CHROME)[2].decode())
    assert thing
    address = "/" + thing[1].replace("page/", "id/", 1)
    for _ in range(2):
        found = {
            accept: front.get(address, Accept=accept)[1].get("location", "")
            for accept in (CHROME, "text/turtle", "application/ld+json;q=0.9, text/html;q=0.1")
        }
        assert [where.rpartition(".")[2] if "data/" in where else "page" for where in found.values()] == [
            "page",
            "ttl",
            "jsonld",
        ]
        german = front.get("/about", Accept=CHROME, Accept_Language="de-DE,de;q=0.9")[2]
        assert b'lang="de"' in german
        assert b'lang="de"' not in front.get("/about", Accept=CHROME, Accept_Language="en,de;q=0.9")[2][:300]
        assert front.get(address, Accept="image/png")[0] == 406


def test_a_client_cannot_pass_for_another_by_what_it_says_of_itself(front: Front) -> None:
    bad = f"/sparql?query={quote('SELECT nonsense')}"
    codes = [front.get(bad, source="127.0.0.5", X_Forwarded_For=f"192.0.2.{n}")[0] for n in range(12)]
    assert codes[:3] == [400] * 3
    assert codes[-1] == 429
    # Whoever comes from another address is another client.
    assert front.get(bad, source="127.0.0.6", X_Forwarded_For="127.0.0.5")[0] == 400


def test_a_new_release_is_remembered_alone(front: Front) -> None:
    old = front.get("/", Accept=CHROME)[1]["kg-release"]
    until(lambda: front.get("/", Accept=CHROME)[1]["x-cache-status"] == "HIT")
    labels = next((front.project / "data/entities").glob("*.ttl"))
    labels.write_text(
        labels.read_text() + '\n<id/another> <http://www.w3.org/2000/01/rdf-schema#label> "another"@en .\n'
    )
    assert build.build(load(front.project))[0] is not None
    new = (front.project / "releases/current").readlink().name
    assert new != old
    until(lambda: {front.get("/health?now")[2].count(new.encode()) for _ in range(6)} == {1})
    # Until nginx is told, it keeps nothing of the new release.
    for _ in range(2):
        headers = front.get("/class/", Accept=CHROME)[1]
        assert (headers["kg-release"], headers["x-cache-status"]) == (new, "MISS")
    front.purge()
    front.reload()
    until(lambda: front.get("/", Accept=CHROME)[1]["x-cache-status"] == "HIT")
    assert front.get("/", Accept=CHROME)[1]["kg-release"] == new
    kept = b"".join(path.read_bytes()[:4096] for path in (front.folder / "cache").rglob("*") if path.is_file())
    assert f"KEY: {new}|".encode() in kept
    assert f"KEY: {old}|".encode() not in kept


def test_no_request_fails_when_a_process_is_killed_under_load(front: Front) -> None:
    faults: list[object] = []
    done = [0]
    stop = threading.Event()

    def load_it(number: int) -> None:
        while not stop.is_set():
            done[0] += 1
            query = quote(f"SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER(?s != <urn:{done[0]}>) }}")
            for path in (f"/?load={number}-{done[0]}", f"/sparql?query={query}"):
                try:
                    status, _, body = front.get(path, source=f"127.0.1.{number + 1}", Accept="text/html, */*;q=0.1")
                    if status != 200 or not body:
                        faults.append((path, status))
                except (OSError, http.client.HTTPException) as e:
                    faults.append((path, e))

    threads = [threading.Thread(target=load_it, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: done[0] > 40, 3 * PATIENCE)
    kill(front.sites[0], signal.SIGKILL)
    before = done[0]
    until(lambda: done[0] > before + 40, 3 * PATIENCE)
    front.sites[0] = start_site(front.project, front.ports[0])
    until(lambda: front.queries(0) > 20, 3 * PATIENCE)  # nginx has found it again
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []


def test_what_a_process_left_after_a_while_is_answered_too(front: Front) -> None:
    """One that hangs, and then dies, while it has requests: neither pages nor queries by POST are lost."""
    found: list[int] = []

    def ask(number: int) -> None:
        body = f"SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER(?s != <urn:left:{number}>) }}"
        connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE)
        with closing(connection):
            connection.request("POST", "/sparql", body, {"Content-Type": "application/sparql-query"})
            found.append(connection.getresponse().status)
        found.append(front.get(f"/?left={number}", Accept=CHROME)[0])

    os.killpg(front.sites[1].pid, signal.SIGSTOP)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(6)
    until(lambda: len(found) > 0)
    assert len(found) < 12  # some wait for the one that hangs
    kill(front.sites[1], signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert found == [200] * 12
    front.sites[1] = start_site(front.project, front.ports[1])
