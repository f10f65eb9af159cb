"""The documentation is a contract: every route, option and setting stands in it, and its links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from kg import media
from kg.cli import main
from kg.config import Build, Catalog, Security, Serve, load
from kg.query.limits import Limits
from kg.release import Release
from kg.site import BLUEPRINTS, create_app
from kg.store.profiles import PROFILES

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_command_and_option_is_in_the_reference() -> None:
    rows = {m[1]: m[0] for m in re.finditer(r"^\| `kg (\w+).*$", REFERENCE, re.MULTILINE)}
    assert set(rows) == set(main.commands)
    for name, command in main.commands.items():
        within = command.commands.values() if isinstance(command, click.Group) else ()
        parameters = [p for c in (command, *within) for p in c.params]
        options = {max(p.opts, key=len) for p in parameters if isinstance(p, click.Option)}
        assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", rows[name])) == options, name


def test_every_route_is_in_the_reference(dataset: Path) -> None:
    app = create_app(Release.open(dataset / "releases/current"), load(dataset))
    documented = set(re.findall(r"`/([\w.-]*)", REFERENCE))
    for rule in app.url_map.iter_rules():
        listed = re.match(r"/<any\(([\w,]+)\)", rule.rule)
        first = set(listed[1].split(",")) if listed else {re.match(r"/([\w.-]*)", rule.rule)[1]}  # type: ignore[index]
        names = {re.sub(r"\.$", "", name) for name in first}
        assert names <= documented, rule.rule


def test_every_extension_is_in_the_reference() -> None:
    assert f".html .{' .'.join(media.RDF_BY_EXTENSION)}" in " ".join(REFERENCE.replace("`", "").split())


def test_what_engines_differ_in_has_a_column_for_each_profile() -> None:
    text = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
    head = text.partition("`--engine-profile` says how:\n\n| |")[2].partition("\n")[0]
    assert {name.strip() for name in head.strip(" |").split("|")} == set(PROFILES)


def test_every_setting_is_in_the_reference() -> None:
    documented = set(re.findall(r"`(\w+)`", REFERENCE))
    assert {f.name for kind in (Limits, Build, Catalog, Security, Serve) for f in fields(kind)} <= documented
    assert {"base", "title", "description", "license", "publisher", "language", "report"} <= documented
    assert {"KG_BASE", "KG_ENDPOINT_USER", "KG_ENDPOINT_PASSWORD", "XDG_CACHE_HOME", "SOURCE_DATE_EPOCH"} <= documented


@pytest.mark.parametrize("document", PAGES, ids=lambda p: p.name)
def test_links_between_documents_lead_to_files(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert {t for t in targets if not (document.parent / t).exists()} == set()


def test_the_map_of_the_source_names_every_module_that_has_no_routes_and_none_that_is_gone() -> None:
    source = ROOT / "src/kg"
    text = (ROOT / "docs/source.md").read_text(encoding="utf-8")
    named = {Path(name).name for name in re.findall(r"`([\w./]+\.py)`", text)}
    present = {path.name for folder in (source, ROOT / "tests") for path in folder.rglob("*.py")}
    assert named - present == set()
    # Of modules with routes it says where their list is.
    modules = {path.name for path in source.rglob("*.py")} - {f"{name.rpartition('.')[2]}.py" for name in BLUEPRINTS}
    assert modules - named - {"__init__.py", "__main__.py"} == set(), "say in docs/source.md what they are for"


def test_every_page_is_registered() -> None:
    pages = {f"kg.site.pages.{path.stem}" for path in (ROOT / "src/kg/site/pages").glob("[!_]*.py")}
    assert pages - set(BLUEPRINTS) == set(), "name them in kg.site.BLUEPRINTS"


def test_the_readme_says_where_the_command_comes_from_before_it_uses_it() -> None:
    commands = re.findall(r"^ {4}(\S+.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    first = next(n for n, line in enumerate(commands) if line.startswith("kg "))
    assert "source .venv/bin/activate" in commands[:first]


@pytest.mark.parametrize("document", PAGES, ids=lambda p: p.name)
def test_commands_that_the_documents_show_exist(document: Path) -> None:
    # In a block of code, or within a sentence.
    shown = re.findall(r"(?:^ {4}|`)kg ([a-z]+)((?: +[^\s`]+)*)", document.read_text(encoding="utf-8"), re.MULTILINE)
    for name, rest in shown:
        assert name in main.commands
        command = main.commands[name]
        within = command.commands.values() if isinstance(command, click.Group) else ()
        known = {o for c in (command, *within) for p in c.params for o in p.opts}
        options = set(re.findall(r"(?<!\S)--?[a-z]+(?:-[a-z]+)*", rest.partition("#")[0]))
        assert options <= known, f"kg {name}{rest}"


def test_the_readmes_claim_is_the_datasets_and_its_query_gives_what_is_shown(dataset: Path, kg) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    claims = "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "data/claims").glob("*.trig")))
    snippets = [body for language, body in blocks if language == "trig"]
    assert len(snippets) == 2
    for snippet in snippets:
        assert snippet in claims
    ((query, answer),) = [
        (body, blocks[index + 1][1]) for index, (language, body) in enumerate(blocks) if language == "sparql"
    ]
    done = kg("query", query, cwd=dataset)
    assert done.stdout == answer, done.stderr
