"""The recipe with systemd: it is one that systemd reads, and the command in it is one that kg has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
from tests.conftest import ROOT
from tests.store.engines import missing

from kg.cli import main

RECIPE = ROOT / "deploy/kg@.service"


def test_systemd_finds_nothing_wrong_with_the_recipe(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        missing("systemd-analyze is not installed (Debian: apt install systemd)")
    unit = tmp_path / "kg@8001.service"
    program = tmp_path / "kg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit.write_text(RECIPE.read_text("utf-8").replace("/srv/facts/.venv/bin/kg", str(program)), "utf-8")
    done = subprocess.run([str(analyze), "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_command_of_the_recipe_is_one_that_kg_has() -> None:
    [(command, options)] = re.findall(r"^ExecStart=\S+/kg (\w+) (.*)$", RECIPE.read_text("utf-8"), re.MULTILINE)
    found = main.commands[command]
    with click.Context(main) as context:
        made = found.make_context(command, options.replace("%i", "8001").split(), parent=context)
    assert (made.params["host"], made.params["port"], made.params["workers"]) == ("127.0.0.1", 8001, 2)


def test_the_ports_are_those_that_the_recipe_with_nginx_asks() -> None:
    asked = re.findall(r"server 127\.0\.0\.1:(\d+)", (ROOT / "deploy/nginx.conf").read_text("utf-8"))
    assert " ".join(f"kg@{port}" for port in asked) in RECIPE.read_text("utf-8")
