"""What tests of the site share: a hostile little project, its release, its site, and pages read as trees."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext
from pyoxigraph import RdfFormat, Store, parse
from tests.site import extreme, kinds
from tests.site.accessible import read_axe
from tests.site.editing import COMPLAIN, Editor
from tests.site.wire import Wire

from kg import build
from kg.config import Config, load
from kg.release import Release
from kg.site import create_app

HARBOUR = Path(__file__).resolve().parent / "fixtures" / "harbour"
MANY = 300
LONG = 100_000

_CROWD_CLAIM = """
claim:9 {{ :crowd harbour:note {notes} . }}
claim:9 a kg:Claim ; rdfs:label "The crowd has many notes."@en ;
    kg:speaker :gazette-author ; kg:modality kg:asserted ; kg:basis kg:stated ;
    prov:hadPrimarySource doc:gazette ; kg:quote "The south pier lies" .
"""


def get(client: FlaskClient, path: str, **headers: str) -> Any:
    """An answer in whole, which there must be."""
    response = client.get(path, headers=headers, buffered=True)
    assert response.status_code == 200, (path, response.status_code)
    return response


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the harbour with a thing of very many values and a very long label."""
    root = tmp_path_factory.mktemp("site") / "harbour"
    shutil.copytree(HARBOUR, root)
    notes = " ,\n".join(f'"note {n}"' for n in range(MANY))
    with (root / "data/claims/gazette.trig").open("a", encoding="utf-8") as file:
        file.write(_CROWD_CLAIM.format(notes=notes))
    with (root / "data/entities/labels.ttl").open("a", encoding="utf-8") as file:
        lines = "\n".join("long " * 20 for _ in range(LONG // 100))
        file.write(f':crowd rdfs:label """{lines}"""@en .\n')
    return root


@pytest.fixture(scope="session")
def config(project: Path) -> Config:
    return load(project)


@pytest.fixture(scope="session")
def release(config: Config) -> Release:
    """The harbour's release."""
    made, findings = build.build(config)
    assert made is not None, [str(finding) for finding in findings]
    return made


@pytest.fixture(scope="session")
def app(release: Release, config: Config) -> Flask:
    return create_app(release, config)


@pytest.fixture(scope="module")
def own(dataset: Path) -> Iterator[FlaskClient]:
    """The site of the repository's own dataset."""
    app = create_app(Release.open(dataset / "releases/current"), load(dataset))
    with app.test_client(use_cookies=False) as client:
        yield client


@pytest.fixture
def forgetting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Flask], None]:
    """Lets an application remember no pages during a test: none from before, and none of the test's for others."""

    def forget(app: Flask) -> None:
        cache = app.extensions["kg"].cache
        monkeypatch.setattr(cache, "get", lambda _key: None)
        monkeypatch.setattr(cache, "put", lambda _key, _body: None)

    return forget


@pytest.fixture(scope="session")
def everything(dataset: Path) -> Store:
    """The dataset of this repository in an engine, from its dump."""
    store = Store()
    store.bulk_extend(parse(path=str(dataset / "releases/current/dumps/all.nq"), format=RdfFormat.N_QUADS))
    return store


class _Client(FlaskClient):
    """Reads every answer to its end, so that files are closed."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, **{"buffered": True, **kwargs})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return _Client(app, use_cookies=False)


@pytest.fixture(scope="session")
def address(release: Release, project: Path, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a real server, ``kg serve``, on the harbour."""
    with serve(project) as address:
        yield address


@pytest.fixture(scope="session")
def voyage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harbour with a voyage: times of every sort, places with coordinates, names in two scripts."""
    root = tmp_path_factory.mktemp("voyage") / "harbour"
    shutil.copytree(HARBOUR, root)
    shutil.copytree(HARBOUR.parent / "voyage", root, dirs_exist_ok=True)
    made, findings = build.build(load(root))
    assert made is not None, [str(finding) for finding in findings]
    return root


@pytest.fixture(scope="session")
def extreme_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of :mod:`tests.site.extreme`, with two releases."""
    root = extreme.make(tmp_path_factory.mktemp("extreme") / "project")
    for later in (False, True):
        if later:
            extreme.change(root)
        made, findings = build.build(load(root))
        assert made is not None, [str(finding) for finding in findings]
    return root


@pytest.fixture(scope="session")
def extreme_address(extreme_project: Path, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a real server on the extreme project."""
    with serve(extreme_project) as address:
        yield address


@pytest.fixture(scope="session")
def voyage_app(voyage: Path) -> Flask:
    return create_app(Release.open(voyage / "releases/current"), load(voyage))


@pytest.fixture
def voyage_client(voyage_app: Flask) -> FlaskClient:
    return _Client(voyage_app, use_cookies=False)


@pytest.fixture
def read_voyage(voyage_client: FlaskClient) -> Callable[[str], Element]:
    """Reads a page of the voyage's site."""

    def get(path: str) -> Element:
        response = voyage_client.get(path, headers={"Accept": "text/html"})
        assert response.status_code == 200, (path, response.status_code, response.text[:300])
        return read(response.text)

    return get


@pytest.fixture(scope="session")
def voyage_address(voyage: Path, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a real server on the voyage."""
    with serve(voyage) as address:
        yield address


VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "wbr", "source", "embed"})


@dataclass
class Element:
    """An element of a page: enough of a tree to ask simple questions."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def all(self, name: str = "", **attributes: str) -> list[Element]:
        """Elements below this one by name and attributes; ``class_`` asks for one of the classes."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if (not name or child.name == name) and child.has(**attributes):
                    found.append(child)
                found += child.all(name, **attributes)
        return found

    def has(self, **attributes: str) -> bool:
        classes = self.attributes.get("class", "").split()
        return all(
            value in classes if key == "class_" else self.attributes.get(key) == value
            for key, value in attributes.items()
        )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        # Every element is closed by its own end tag: our templates leave none out.
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def close(self) -> None:
        super().close()
        assert [element.name for element in self._open] == ["document"]


def read(html: str) -> Element:
    """A page as a tree; it fails where tags do not nest."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


@pytest.fixture(scope="session")
def read_html() -> Callable[[str], Element]:
    return read


@pytest.fixture
def read_page(client: FlaskClient) -> Callable[[str], Element]:
    """Reads the page at a path."""

    def get(path: str) -> Element:
        response = client.get(path, headers={"Accept": "text/html"})
        assert response.status_code == 200, (path, response.status_code)
        return read(response.text)

    return get


PAGES = kinds.paths(kinds.HARBOUR)


@pytest.fixture(params=PAGES)
def path(request: pytest.FixtureRequest) -> str:
    """Each kind of page in turn."""
    found: str = request.param
    return found


@pytest.fixture(scope="session")
def pages() -> tuple[str, ...]:
    return PAGES


@pytest.fixture(scope="module")
def editing(browser: Browser) -> Iterator[BrowserContext]:
    """One cache for all tests here: the scripts are fetched once."""
    opened = browser.new_context()
    opened.add_init_script(COMPLAIN)
    yield opened
    opened.close()


@pytest.fixture
def editor(editing: BrowserContext, voyage_address: str) -> Iterator[Editor]:
    """The page at its beginning. Whatever a test does, the policy is kept and nothing fails."""
    tab = editing.new_page()
    hosts: set[str] = set()
    tab.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    tab.on("dialog", lambda dialog: pytest.fail(dialog.message))
    yield Editor(tab, voyage_address).open()
    assert tab.evaluate("window.complaints") == []
    assert hosts == {urlsplit(voyage_address).netloc}
    # One test replaces the storage by none.
    tab.evaluate("try { localStorage.clear(); } catch {}")
    tab.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The rules of accessibility."""
    return read_axe()


@pytest.fixture(scope="module")
def wire(address: str) -> Wire:
    """Asks the server by bytes."""
    return Wire(address)
