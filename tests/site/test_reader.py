"""A reader's own copy is compared in the browser: found whatever its layout, and nothing is sent."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kg import build, text
from kg.build.cite import passage_trig
from kg.build.ground import make_passage
from kg.config import load
from kg.model import Place
from kg.vocab import Names

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT.parent / "shared/source/us-army-iraq-bases.txt"
MEMO = """[A memo](#)

The lamp in the hall is on. The lamp in the cellar is off.

Nobody knows why the U.S. lamp flickers \U0001f680 so much.
"""
WORDS = ("The lamp in the hall is on", "lamp in the cellar", "in the cellar is off", "flickers \U0001f680 so much")

pytestmark = pytest.mark.browser


def project_with(root: Path, name: str, content: str, passages: list[tuple[int, int]]) -> Path:
    """The starter project with a claim on a text that may not be shown, resting on all of the passages."""
    shutil.copytree(ROOT / "src/kg/starter", root)
    private = root.parent / f"{name}-private"
    private.mkdir()
    (private / f"{name}.txt").write_text(content, encoding="utf-8")
    (root / f"data/documents/{name}.ttl").write_text(
        f"""@prefix : <id/> . @prefix kg: <ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> .
<document/{name}> a kg:Document ; dcterms:title "{name}"@en ; dcterms:creator :{name}-author ; kg:textShown false ;
    kg:sha256 "{text.parse(content).sha256}" .
"""
    )
    config = load(root)
    parsed = text.parse(content)
    described, targets = [], []
    for start, end in passages:
        # As `kg cite` makes it, without reading the text a thousand times.
        passage = make_passage(Names(config.base), name, parsed, (start, end), Place(name))
        described.append(passage_trig(passage, quote=False))
        targets.append(f"<{passage.iri.removeprefix(config.base)}>")
    (root / f"data/claims/{name}.trig").write_text(
        f"""@prefix : <id/> . @prefix claim: <claim/{name}/> . @prefix doc: <document/> . @prefix kg: <ontology#> .
@prefix oa: <http://www.w3.org/ns/oa#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <http://schema.org/> .
claim:1 {{ :lamp a schema:Product . }}
claim:1 a kg:Claim ; rdfs:label "There is a lamp."@en ; kg:speaker :{name}-author ; kg:modality kg:asserted ;
    kg:basis kg:stated ; prov:hadPrimarySource doc:{name} ; oa:hasTarget {" , ".join(targets)} .
"""
        + "\n".join(described),
        encoding="utf-8",
    )
    (root / f"data/entities/{name}.ttl").write_text(
        f"""@prefix : <id/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:{name}-author rdfs:label "whoever wrote it"@en . :lamp rdfs:label "the lamp"@en .
"""
    )
    release, findings = build.build(config, [private])
    assert release is not None, findings
    return root


@pytest.fixture(scope="module")
def memo(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The address of the page of a memo with four passages, two of which overlap."""
    content = text.parse(MEMO).content
    spans = [(content.index(words), content.index(words) + len(words)) for words in WORDS]
    root = project_with(tmp_path_factory.mktemp("reader") / "project", "memo", MEMO, spans)
    with serve(root) as address:
        yield address + "document/memo"


def compare(tab: Page, address: str, copy: str) -> list[str]:
    """Pastes a copy and gives the verdicts in the order of the text."""
    tab.goto(address)
    tab.evaluate("(copy) => { document.querySelector('#copy-text').value = copy; }", copy)
    tab.get_by_role("button", name="Compare").click()
    expect(tab.locator(".copy-result")).to_contain_text("verified in your copy")
    return [verdict.split()[0] for verdict in tab.locator(".fingerprints .verdict").all_text_contents()]


FOUND, NOT = "passage", "not"


@pytest.mark.parametrize(
    ("copy", "verdicts"),
    [
        (MEMO, [FOUND] * 4),
        (MEMO.replace("[A memo](#)", "THE DAILY LAMP\n\nBy a writer\n\nA memo"), [FOUND] * 4),
        (MEMO.replace("[A memo](#)\n\n", ""), [FOUND] * 4),
        (MEMO.replace("\n\n", "\r\n\r\n\r\n").replace("is on.", "is\u00a0on.\u2028"), [FOUND] * 4),
        (MEMO.replace(" ", "\n"), [FOUND] * 4),
        ("\ufeff" + MEMO, [FOUND] * 4),
        (MEMO[: MEMO.index("Nobody")], [FOUND, FOUND, FOUND, NOT]),
        (MEMO.replace("hall is on", "hall was on"), [NOT, FOUND, FOUND, FOUND]),
        ("Something else altogether.", [NOT] * 4),
    ],
    ids=[
        "same",
        "another header",
        "no header",
        "other line ends",
        "wrapped",
        "mark",
        "a paragraph less",
        "changed",
        "other",
    ],
)
def test_passages_are_found_whatever_the_layout_of_the_copy(
    copy: str, verdicts: list[str], tab: Page, memo: str
) -> None:
    assert compare(tab, memo, copy) == verdicts


def test_nothing_of_the_copy_leaves_the_browser_and_overlaps_are_marked(tab: Page, memo: str) -> None:
    tab.goto(memo)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.evaluate("(copy) => { document.querySelector('#copy-text').value = copy; }", MEMO)
    tab.get_by_role("button", name="Compare").click()
    tab.wait_for_selector(".copy-shown mark")
    # The browser asks for the page's own picture and scripts whenever it likes.
    assert [url for url in asked if "favicon" not in url and "/static/" not in url] == []
    marks = tab.locator(".copy-shown mark").all_text_contents()
    assert "".join(marks).replace(" ", "") == "".join(
        ("The lamp in the hall is on", "lamp in the cellar is off", "flickers \U0001f680 so much")
    ).replace(" ", "")
    assert tab.locator(".copy-shown mark.d2").all_text_contents() == ["in the cellar"]


def test_of_two_copies_the_later_one_counts(tab: Page, memo: str) -> None:
    tab.goto(memo)
    for copy in ("Another lamp. " * 300_000, MEMO):
        tab.locator("#copy-text").evaluate("(area, copy) => { area.value = copy }", copy)
        tab.get_by_role("button", name="Compare").click()
    expect(tab.locator(".copy-result")).to_contain_text("4 of 4 passages verified")
    expect(tab.locator(".copy-text p")).to_have_count(3)


def test_it_works_from_the_keyboard_alone(tab: Page, memo: str) -> None:
    tab.goto(memo)
    tab.locator("#copy-text").focus()
    tab.keyboard.insert_text(MEMO)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    expect(tab.locator(".copy-result")).to_contain_text("4 of 4 passages verified")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (MEMO.encode(), "4 of 4 passages verified"),
        ("The café".encode("latin-1"), "That file is not text in UTF-8."),
        (b"", "There is no text in it."),
        (b" \n\t", "There is no text in it."),
        (b"x" * 20_000_001, "That is longer than any document"),
    ],
    ids=["memo", "latin-1", "empty", "white space", "huge"],
)
def test_a_file_is_read_or_refused_with_the_reason(
    data: bytes, message: str, tab: Page, memo: str, tmp_path: Path
) -> None:
    path = tmp_path / "copy.txt"
    path.write_bytes(data)
    tab.goto(memo)
    tab.locator("#copy-file").set_input_files(path)
    expect(tab.locator(".copy-result")).to_contain_text(message)


def test_a_megabyte_and_a_thousand_passages_leave_the_page_responsive(
    tab: Page, tmp_path: Path, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    sentences = [
        f"Entry number {n} of the long list says that lamp {n * 7919 % 10007} stands in room {n}."
        for n in range(13_000)
    ]
    content = "\n\n".join(" ".join(sentences[at : at + 20]) for at in range(0, len(sentences), 20))
    parsed = text.parse(content)
    chosen = parsed.sentences[:: len(parsed.sentences) // 1000][:1000]
    # Of many lengths, as passages are.
    cut = [parsed.content[s.start : s.end - n % 40].rstrip() for n, s in enumerate(chosen)]
    spans = [(s.start, s.start + len(words)) for s, words in zip(chosen, cut, strict=True)]
    root = project_with(tmp_path / "project", "long", content, spans)
    with serve(root) as address:
        tab.goto(address + "document/long")
        tab.evaluate(
            """(copy) => {
                document.querySelector('#copy-text').value = copy;
                window.longest = window.turns = 0;
                let before = performance.now();
                setInterval(() => {
                    const now = performance.now();
                    window.turns += 1;
                    window.longest = Math.max(window.longest, now - before);
                    before = now;
                }, 10);
            }""",
            content,
        )
        started = tab.evaluate("performance.now()")
        tab.get_by_role("button", name="Compare").click()
        expect(tab.locator(".copy-result")).to_contain_text("1000 of 1000 passages verified", timeout=60_000)
        seconds = (tab.evaluate("performance.now()") - started) / 1000
        sys.stdout.write(f"1 MB, 1,000 passages: {seconds:.2f} s, longest pause {tab.evaluate('longest'):.0f} ms\n")
        # Frozen means: for as long as the whole comparison takes.
        assert tab.evaluate("turns") >= 10
        assert tab.evaluate("longest") < max(1500, seconds * 1000 / 2)
        assert tab.locator(".copy-text p").count() == len(content.split("\n\n"))


def test_the_report_is_found_in_a_copy_of_it(
    tab: Page, dataset: Path, serve: Callable[..., AbstractContextManager[str]]
) -> None:
    if not REPORT.exists():
        pytest.skip("the report is not at hand: its text is not ours to republish")
    copy = REPORT.read_text(encoding="utf-8")
    with serve(dataset) as address:
        verdicts = compare(tab, address + "document/us-army-iraq-bases", copy)
        assert len(verdicts) > 90
        assert set(verdicts) == {FOUND}
        verdicts = compare(tab, address + "document/us-army-iraq-bases", copy.replace("Taji", "Balad"))
        assert NOT in verdicts
        assert FOUND in verdicts
