"""The command line: every command helps with an example, and does what its help says."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

from kg import build
from kg.cli import main
from kg.config import load

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {"build", "check", "serve", "push", "verify", "query", "cite", "review", "diff", "releases", "init"}


def test_the_commands_are_these() -> None:
    assert set(main.commands) == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_a_command_has_an_example_and_explains_every_option(command: str) -> None:
    answer = CliRunner().invoke(main, [command, "--help"])
    assert answer.exit_code == 0
    assert "Example:    kg " + command in answer.output
    for parameter in main.commands[command].params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), f"{command} {parameter.opts[0]}"


def test_a_terminal_less_build_prints_findings_count_and_release_and_nothing_else(starter: Path, kg) -> None:
    done = kg("build", cwd=starter)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].endswith("2 claims from 1 document, 2 passages verified, 0 not checked here")


def test_verify_says_what_is_intact_and_names_what_is_not(built: Path, kg) -> None:
    done = kg("verify", cwd=built)
    assert done.returncode == 0
    assert done.stdout.strip().endswith("every file as it was sealed")
    (built / "releases/current/dumps/claims.csv").write_text("x")
    done = kg("verify", cwd=built)
    assert done.returncode == 1
    assert "dumps/claims.csv: has 1 bytes where the release was sealed with" in done.stderr
    assert kg("serve", "--port", "0", cwd=built).returncode == 1
    assert "DAMAGED" in kg("releases", cwd=built).stdout


def test_releases_lists_marks_and_activates(starter: Path, kg) -> None:
    assert "no release yet" in kg("releases", cwd=starter).stdout
    kg("build", cwd=starter)
    kg_toml = starter / "kg.toml"
    kg_toml.write_text(kg_toml.read_text().replace("My knowledge graph", "Another"))
    kg("build", cwd=starter)
    rows = kg("releases", cwd=starter).stdout.splitlines()
    assert len(rows) == 2
    assert sum(row.startswith("* ") for row in rows) == 1
    other = next(row.strip() for row in rows if not row.startswith("*"))
    assert kg("releases", "activate", other, cwd=starter).stdout == f"{other} is current\n"
    assert f"* {other}" in kg("releases", cwd=starter).stdout


class Kept(NamedTuple):
    """A project with releases of four days; their versions, the current one last."""

    root: Path
    versions: list[str]

    def releases(self, *arguments: str) -> str:
        """What ``kg releases`` says."""
        return CliRunner().invoke(main, ["--project", str(self.root), "releases", *arguments]).output


@pytest.fixture(scope="module")
def four_days(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    root = tmp_path_factory.mktemp("kept") / "project"
    shutil.copytree(ROOT / "src/kg/starter", root)
    made = []
    for day in range(4):
        then = datetime.fromtimestamp(86400 * day, UTC)
        release, _ = build.build(replace(load(root), title=f"Day {day}", now=then))
        assert release is not None
        made.append(release.version)
    return Kept(root, made)


@pytest.fixture
def kept(four_days: Kept, tmp_path: Path) -> Kept:
    shutil.copytree(four_days.root, tmp_path / "kept", symlinks=True)
    return four_days._replace(root=tmp_path / "kept")


def test_rolling_back_goes_to_the_whole_release_before_and_no_further_than_there_is_one(kept: Kept) -> None:
    first, second, damaged, _ = kept.versions
    (kept.root / "releases" / damaged / "dumps/claims.csv").write_text("x")
    assert kept.releases("rollback") == f"{second} is current\n"
    assert kept.releases("rollback") == f"{first} is current\n"
    assert "there is no whole release before" in kept.releases("rollback")
    assert (kept.root / "releases/current").readlink().name == first


def test_pruning_keeps_the_newest_and_the_current(kept: Kept) -> None:
    first, second, third, last = kept.versions
    kept.releases("activate", first)
    assert kept.releases("prune", "--keep", "2") == f"{second} is gone\n"
    assert [row[2:] for row in kept.releases().splitlines()] == [first, third, last]
    assert "--keep" in kept.releases("prune")


@pytest.mark.parametrize("damaged", ["manifest.json", "seal.json"])
@pytest.mark.parametrize("how", ["cut", "removed"])
def test_a_damaged_current_release_is_listed_left_and_outlived(damaged: str, how: str, kept: Kept, kg) -> None:
    """The whole one before it is all that can be shown: it is not pruned, and one can go back to it."""
    first, second, third, last = kept.versions
    file = kept.root / "releases" / last / damaged
    file.write_text("{") if how == "cut" else file.unlink()
    rows = kept.releases().splitlines()
    assert [row.partition("  DAMAGED: ")[0] for row in rows if "DAMAGED" in row] == [f"* {last}"]
    assert kept.releases("prune", "--keep", "1") == f"{first} is gone\n{second} is gone\n"
    assert kept.releases("rollback") == f"{third} is current\n"
    assert kept.releases("prune", "--keep", "1") == ""  # it was sealed last, and damaged
    assert kg("verify", cwd=kept.root).returncode == 0


def test_a_query_needs_no_prefixes_and_answers_in_the_form_asked_for(built: Path, kg) -> None:
    question = "SELECT ?gloss { ?c a kg:Claim ; rdfs:label ?gloss } ORDER BY ?gloss"
    rows = list(csv.reader(io.StringIO(kg("query", question, cwd=built).stdout)))
    assert rows[0] == ["gloss"]
    assert len(rows) == 3
    answer = json.loads(kg("query", "--format", "json", question, cwd=built).stdout)
    assert len(answer["results"]["bindings"]) == 2
    assert json.loads(kg("query", "ASK { ?c a kg:Claim }", cwd=built).stdout)["boolean"] is True
    turtle = kg("query", "CONSTRUCT WHERE { ?c a kg:Claim }", cwd=built).stdout
    assert turtle.count("a kg:Claim") + turtle.count("ontology#Claim>") >= 2
    assert kg("query", "-q", "claims", cwd=built).stdout.count("\n") == 3
    assert kg("query", "-f", "-", cwd=built, stdin=question).stdout.count("\n") == 3


def test_a_query_names_the_claims_behind_each_row_on_request(built: Path, kg) -> None:
    question = "SELECT ?way (COUNT(?x) AS ?n) { <id/kg> ?way ?x } GROUP BY ?way ORDER BY ?way"
    rows = list(csv.DictReader(io.StringIO(kg("query", "--evidence", question, cwd=built).stdout)))
    stated = {row["way"].rpartition("/")[2]: row["evidence"] for row in rows}
    assert stated["programmingLanguage"] == "http://localhost:8000/claim/about-kg/1"
    done = kg("query", "--evidence", "ASK {}", cwd=built)
    assert (done.returncode, done.stdout, "SELECT" in done.stderr) == (1, "", True)


def test_a_question_is_asked_for_what_is_chosen(starter: Path, kg) -> None:
    (starter / "data/queries/tied.rq").write_text(
        "# title: Who?\n# parameter: what The thing\n# parameter: word A word\n"
        "SELECT ?what ?word { VALUES ?what { <id/kg> <id/python> } VALUES ?word { 'one' } }"
    )
    kg("build", cwd=starter)

    def ask(*choices: str) -> list[tuple[str, str]]:
        options = [option for choice in choices for option in ("--set", choice)]
        rows = csv.DictReader(io.StringIO(kg("query", "-q", "tied", *options, cwd=starter).stdout))
        return [(row["what"].removeprefix("http://localhost:8000/"), row["word"]) for row in rows]

    assert ask() == [("id/kg", "one"), ("id/python", "one")]
    assert ask("what=id/python", 'word=a=b"') == [("id/python", 'a=b"')]
    for choice, message in (
        ("what=id/none", "there is no choice 'id/none' of what; known: id/kg, id/python"),
        ("who=id/kg", "the question tied has no parameter 'who'; known: what, word"),
        ("what", "--set 'what' is not of the form NAME=VALUE"),
    ):
        done = kg("query", "-q", "tied", "--set", choice, cwd=starter)
        assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True), done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["SELECT"], 1, "kg: "),
        (["SELECT ?c {\n  ?c a kg:Claim ;;; ?x }"], 1, "kg: line 2, column "),
        (["SELECT * { SERVICE <http://localhost:1/> { ?s ?p ?o } }"], 1, "SERVICE"),
        (["DELETE WHERE { ?s ?p ?o }"], 1, "kg: "),
        (["SELECT * { ?s ?p ?o }", "--format", "ttl"], 1, "SELECT cannot be written as ttl; choose one of"),
        (["-q", "nothing"], 2, "no question 'nothing' in this release; known: claims"),
        ([], 2, "give one of QUERY, --file and --question"),
        (["ASK {}", "--set", "a=b"], 2, "--set chooses for a parameter of a --question"),
        (["ASK {}", "--evidence", "--endpoint", "http://127.0.0.1:9/"], 2, "goes not with --endpoint"),
        (["ASK {}", "--endpoint", "http://127.0.0.1:9/sparql"], 1, "kg: http://127.0.0.1:9/sparql: "),
    ],
)
def test_a_query_that_cannot_be_answered_gets_one_line(
    arguments: list[str], code: int, message: str, built: Path, kg
) -> None:
    done = kg("query", *arguments, cwd=built)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_serving_says_when_the_base_is_another_than_that_of_the_release(built: Path, kg) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        unchanged = kg("serve", "--port", port, cwd=built).stderr
        changed = kg("serve", "--port", port, cwd=built, env={"KG_BASE": "https://facts.example.org/"}).stderr
    assert unchanged.startswith(f"kg: 127.0.0.1:{port} cannot be listened to")
    assert changed.splitlines()[0] == (
        "kg: this release was built for http://localhost:8000/, and the base is https://facts.example.org/ now: "
        "kg build makes one for it"
    )


@pytest.mark.parametrize(("year", "said"), [(2020, True), (9000, False)])
def test_serving_says_when_the_contact_for_weaknesses_is_out_of_date(year: int, said: bool, starter: Path, kg) -> None:
    contact = f'[security]\ncontact = "mailto:a@example.org"\nexpires = {year}-01-01T00:00:00Z\n'
    with (starter / "kg.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + contact)
    kg("build", cwd=starter)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stderr = kg("serve", "--port", str(taken.getsockname()[1]), cwd=starter).stderr
    assert ("security.expires in kg.toml is over" in stderr) is said


@pytest.mark.parametrize("command", [("check",), ("build",), ("serve", "--port", "0"), ("query", "ASK {}")])
def test_a_limit_of_queries_that_is_none_is_told_by_whichever_command_comes_first(
    command: tuple[str, ...], built: Path, kg
) -> None:
    (built / "kg.toml").write_text("[query]\ndeadline = 120\n", encoding="utf-8")
    done = kg(*command, cwd=built)
    assert done.returncode == 1
    assert re.fullmatch(r"kg: kg\.toml: query\.deadline .*\n", done.stderr), done.stderr


def test_init_refuses_a_folder_that_holds_something(tmp_path: Path, kg) -> None:
    (tmp_path / "mine.txt").write_text("x")
    done = kg("init", ".", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not an empty folder" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_terminal_sees_the_stages_go_by(starter: Path) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "kg.cli", "build"], cwd=starter, stdout=subprocess.PIPE, stderr=follower
    ) as process:
        os.close(follower)
        seen = b""
        while True:
            try:
                chunk = os.read(leader, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        process.communicate()
    os.close(leader)
    for shown in ("documents: 1 of 1 in 0:00", "compare …", "validate …", "write …"):
        assert shown in seen.decode()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_that_refuses_is_one_line_whatever_the_command(number: int) -> None:
    @click.command()
    def write() -> None:
        raise OSError(number, os.strerror(number), "some/file")

    group = type(main)(commands={"write": write})
    done = CliRunner().invoke(group, ["write"])
    assert (done.exit_code, done.output) == (1, f"kg: some/file: cannot be written: {os.strerror(number)}\n")
