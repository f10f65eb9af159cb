"""The layout shows the pipeline: imports go down only, and each outer library stays in its place."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parent.parent / "src"
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((SRC / "kg").rglob("*.py"))
}

# What knows of no stage.
BASICS = {"media", "text", "tags", "words", "dates", "config", "settings", "model", "vocab", "caches", "errors"}

# From the top down. A part imports itself (for a package: its own modules) and what stands below it in this table.
MAY_IMPORT: dict[str, set[str]] = {
    "cli": {
        "terminal",
        "bounds",
        "disk",
        "build",
        "push",
        "diff",
        "site",
        "query",
        "shelf",
        "release",
        "findings",
        "store",
        "config",
        "model",
        "errors",
    },
    "build": {
        "bounds",
        "disk",
        "fixity",
        "query.check",
        "query.lexer",
        "query.parameters",
        "release",
        "store",
        *BASICS,
    },
    "site": {
        *(
            "terminal",
            "activations",
            "bounds",
            "disk",
            "findings",
            "fixity",
            "history",
            "diff",
            "query",
            "release",
            "records",
            "store",
            "translation",
        ),
        *BASICS,
    },
    "push": {"query", "release", "store", "model", "vocab", "errors"},
    "history": {"activations", "disk", "diff", "release", "errors"},
    "diff": {"release", "model", "vocab"},
    "query": {"bounds", "release", "store", "media", "config", "model", "vocab", "caches", "errors"},
    "findings": {"model"},
    "activations": {"disk"},
    "disk": set(),
    "terminal": set(),
    "records": {"errors"},
    "bounds": {"errors"},
    "shelf": {"activations", "release", "records", "errors"},
    "release": {"activations", "disk", "fixity", "records", "config", "model", "errors"},
    "fixity": {"bounds", "model", "errors"},
    "store": {"model", "errors"},
    "media": {"translation", "errors"},
    "text": {"errors"},
    "tags": set(),
    "words": set(),
    "translation": set(),
    "dates": set(),
    "caches": set(),
    "config": {"settings", "errors"},
    "settings": {"media", "errors"},
    "model": {"errors"},
    "vocab": {"errors"},
    "errors": set(),
}
ONLY_IN = {
    "flask": "site",
    "werkzeug": "site",
    "jinja2": "site",
    "gunicorn": "site",
    "click": "cli",
    "pyshacl": "build",
}


def imports(module: str, *, at_run_time: bool = False) -> set[str]:
    """Absolute names of the modules and objects that a module imports, anywhere in its code.

    ``at_run_time``: without those that only the type checker sees.
    """
    found: set[str] = set()
    code = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    blocks = (n for n in ast.walk(code) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    unseen = {id(node) for block in blocks for node in ast.walk(block)} if at_run_time else set()
    for node in ast.walk(code):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part(module: str) -> str:
    return [*module.split("."), ""][1]


def ours(module: str, *, at_run_time: bool = False) -> set[str]:
    """The modules of kg that a module imports, as the longest name that is one; see :func:`imports`."""
    found = set()
    for name in imports(module, at_run_time=at_run_time):
        parts = name.split(".")
        known = [".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in MODULES]
        if known and known[0] != "kg":
            found.add(known[0].removeprefix("kg."))
    return found


def test_every_part_of_the_package_has_its_place_in_the_table() -> None:
    assert {part(module) for module in MODULES if module != "kg"} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", [m for m in MODULES if m != "kg"])
def test_imports_go_down_only(module: str) -> None:
    own = part(module)
    allowed = MAY_IMPORT[own]
    wrong = {name for name in ours(module) if name.split(".")[0] not in allowed | {own} and name not in allowed}
    assert wrong == set()


def test_outer_libraries_stay_in_their_part() -> None:
    wrong = {
        (module, name)
        for module in MODULES
        for name in imports(module)
        if part(module) != ONLY_IN.get(name.split(".")[0], part(module))
    }
    assert wrong == set()


def test_the_environment_is_read_in_config_only() -> None:
    readers = {m for m, path in MODULES.items() if "os.environ" in path.read_text() or "getenv" in path.read_text()}
    assert readers <= {"kg.config"}


def test_stages_read_only_what_earlier_stages_made() -> None:
    # A stage names the earlier stages' values in its signatures; it never calls their functions again.
    order = ["canon", "parse", "collect", "ground", "assemble", "functional", "compare", "rules", "validate"]
    for index, stage in enumerate(order):
        later = set(order[index + 1 :])
        used = {name.removeprefix("build.") for name in ours(f"kg.build.{stage}") if name.startswith("build.")}
        assert used & later == set(), stage


def test_within_the_build_too_imports_go_down_only() -> None:
    """Stages know nobody's order; what writes knows the stages; the passes over all documents know both."""
    stage = {"", "shacl"}
    below = {"": stage, "shacl": stage, "writing": stage, "passes": {*stage, "writing"}, "elsewhere": {"writing"}}
    modules = [module for module in MODULES if module.startswith("kg.build.")]
    assert {_package(module) for module in modules} == set(below)
    wrong = {
        (module, name)
        for module in modules
        for name in ours(module)
        if name.startswith("build.") and _package(f"kg.{name}") not in below[_package(module)] | {_package(module)}
    }
    assert wrong == set()


def test_nothing_of_the_site_is_made_of_pages() -> None:
    """Pages may use each other; what they are made of knows none of them."""
    wrong = {
        (module, name)
        for module in MODULES
        if not module.startswith("kg.site.pages.")
        for name in ours(module)
        if name.startswith("site.pages.")
    }
    assert wrong == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Whoever reads a module finds an end. Imports in functions count, those for types alone do not."""
    waiting = {module: {f"kg.{name}" for name in ours(module, at_run_time=True)} for module in MODULES}
    while ends := {module for module, below in waiting.items() if below.isdisjoint(waiting)}:
        waiting = {module: below for module, below in waiting.items() if module not in ends}
    assert waiting.keys() == set(), "these import each other, or what does"


def _package(module: str) -> str:
    """The folder of ``build/`` that a module of it is in; a folder's name is that of its ``__init__``."""
    first, _, more = module.removeprefix("kg.build.").partition(".")
    return first if more or (SRC / "kg/build" / first).is_dir() else ""


def test_no_module_has_grown_beyond_400_lines() -> None:
    long = {m: n for m, path in MODULES.items() if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400}
    assert long == {}


def test_every_folder_is_searched_for_tests(pytestconfig: pytest.Config) -> None:
    left_out = pytestconfig.getini("norecursedirs")
    holding = {path.parent for place in ("tests", "src/kg") for path in (SRC.parent / place).rglob("*.py")}
    folders = {folder for path in holding for folder in (path, *path.parents) if SRC.parent in folder.parents}
    assert not {f for f in folders if any(fnmatch(f.name, pattern) for pattern in left_out)}
