"""Measures the search over an index of any number of names: `python bench/search.py [--labels 1000000]`.

The index is written by the build's own code from generated names: two to four words each, drawn so that few words are
very common and most are rare, as in real names; every fifth has another name, in Arabic letters; every tenth a note.
A figure is the median, over many different searches of one kind, of the CPU time of one search (its files are in
memory by then), with the slowest of twenty behind it. The goal is 20 ms.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from kg import vocab
from kg.build.writing.index import write_index
from kg.site.lookups import index
from kg.site.lookups.database import Database

BASE = "http://localhost:8000/"
SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe fi ga ge go ha he ka ke ki ko la le li lo ma me mi mo na ne ni no".split()
)
LATIN = "qasim karim salim jamil hamid nasir basim majid walid khalid farid rashid".split()
ARABIC = "قاسم كريم سليم جميل حامد ناصر باسم ماجد وليد خالد فريد رشيد".split()
VOCABULARY = 60_000
SEARCHES = 200
GOAL = 20


class Names:
    """The drawing of names: the n-th word of the vocabulary comes up about 1/n as often as the first."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        self.words = sorted(
            {"".join(self.dice.choices(SYLLABLES, k=self.dice.randint(2, 4))) for _ in range(VOCABULARY)}
        )
        self.dice.shuffle(self.words)
        weight, self.weights = 0.0, []
        for n in range(len(self.words)):
            weight += 1 / (n + 5)
            self.weights.append(weight)

    def name(self) -> str:
        drawn = self.dice.choices(self.words, cum_weights=self.weights, k=self.dice.randint(2, 4))
        return " ".join(drawn).capitalize()

    def quads(self, count: int) -> Iterator[Quad]:
        label, other, note = (NamedNode(p) for p in (vocab.RDFS_LABEL, vocab.SKOS_ALT_LABEL, vocab.SKOS + "scopeNote"))
        for n in range(count):
            thing = NamedNode(f"{BASE}id/thing-{n}")
            which = self.dice.randrange(len(LATIN))
            name = self.name() if n % 5 else f"{self.name()} {LATIN[which]}"
            yield Quad(thing, label, Literal(name, language="en"), DefaultGraph())
            if n % 5 == 0:
                yield Quad(thing, other, Literal(ARABIC[which], language="ar"), DefaultGraph())
            if n % 10 == 0:
                yield Quad(thing, note, Literal(f"Near {self.name()}.", language="en"), DefaultGraph())


def kinds(names: Names, labels: list[str]) -> dict[str, Callable[[], str]]:
    """What readers type, by kind; each call gives another one."""
    dice = names.dice
    common = names.words[:3]

    def word() -> str:
        return dice.choice(dice.choice(labels).lower().split())

    return {
        "a whole name": lambda: dice.choice(labels),
        "the beginning of a name, 3 letters": lambda: dice.choice(labels)[:3],
        "the beginning of a name, 6 letters": lambda: dice.choice(labels)[:6],
        "two words of a name, not in their order": lambda: " ".join(reversed(dice.choice(labels).lower().split()[:2])),
        "two words of different names": lambda: f"{word()} {word()}",
        "a word, and how another begins": lambda: f"{word()} {dice.choice(SYLLABLES)}",
        "a very common word": lambda: dice.choice(common),
        "two very common words": lambda: " ".join(dice.sample(common, 2)),
        "one letter": lambda: dice.choice("abdfghklmn"),
        "two single letters": lambda: " ".join(dice.sample("abdfghklmn", 2)),
        "another spelling": lambda: dice.choice(
            ["kassim", "qaseem", "Khaleed", "chalid", "Waleed", "Hameed", "jameel"]
        ),
        "Arabic letters": lambda: dice.choice(ARABIC),
        "Arabic letters of a name written in Latin ones": lambda: "ال" + dice.choice(ARABIC),
        "nothing has it": lambda: "".join(dice.choices("xzwvq", k=7)),
        "nothing has both, one is common": lambda: f"{dice.choice(common)} {''.join(dice.choices('xzwvq', k=7))}",
        "twelve words": lambda: " ".join(word() for _ in range(12)),
    }


def measure(site: Any, ask: Callable[[], str], limit: int) -> tuple[float, float]:
    """Median, and the slowest of twenty, in milliseconds."""
    figures = []
    for _ in range(SEARCHES):
        text = ask()
        start = time.thread_time()
        index.search(site, text, limit=limit)
        figures.append((time.thread_time() - start) * 1000)
    return statistics.median(figures), statistics.quantiles(figures, n=20)[-1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--labels", type=int, default=1_000_000)
    arguments.add_argument("--index", type=Path, help="a folder to keep the index in, and to take it from")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="kg-bench-") as scratch:
        folder = given.index or Path(scratch)
        path, names = folder / "search.sqlite", Names()
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            start = time.perf_counter()
            write_index(path, names.quads(given.labels), vocab.Names(BASE))
            print(f"index written in {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
        database = sqlite3.connect(path)
        sample = "SELECT label FROM entry WHERE id % ? = 0 AND kind = 'thing'"
        labels = [row[0] for row in database.execute(sample, (max(1, given.labels // 1003),))]
        (count,) = database.execute("SELECT count(*) FROM name").fetchone()
        database.close()
        site: Any = SimpleNamespace(index=Database(path), config=SimpleNamespace(language="en"))
        print(f"{count:,} names. Milliseconds of CPU for one search: median (slowest of 20); goal {GOAL}")
        print(f"{'':<50}{'page':>17}{'suggestions':>17}  found")
        for kind, ask in kinds(names, labels).items():
            page, few = measure(site, ask, index.MOST), measure(site, ask, 8)
            found = index.search(site, ask())
            shown = f"{len(found.hits)}{'+' if found.cut else ''}"
            figures = "".join(f"{median:>9.2f} ({slow:5.1f})" for median, slow in (page, few))
            print(f"{kind:<50}{figures}  {shown}")


if __name__ == "__main__":
    main()
