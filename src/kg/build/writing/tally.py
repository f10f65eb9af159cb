"""What there is how much of in the default graph, counted part by part: the figures of VoID and of the catalogue.

A part is a run of sorted N-Triples that has every triple of its subjects, so most counts of parts add up. Objects do
not: they are kept as 64-bit hashes, and counted once all parts are there (ten million different objects come out one
too few once in 400,000 times).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from kg import dates, vocab
from kg.build.lines import groups
from kg.build.vocabulary import LINKS, namespace
from kg.build.writing.coverage import Covered
from kg.build.writing.points import COORDINATES, Box, coordinates

_BUCKETS = 16


@dataclass(slots=True)
class Tally:
    """Counts. ``subjects_of``, ``triples_of``: by property; ``objects`` too: hashes. ``classes``: instances.

    ``kinds``: instances that are things, which evidence and terms are not.
    """

    triples: int = 0
    subjects: int = 0
    things: int = 0
    triples_of: Counter[str] = field(default_factory=Counter)
    subjects_of: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    links: Counter[tuple[str, str]] = field(default_factory=Counter)
    mentioned: Counter[str] = field(default_factory=Counter)
    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    box: Box | None = None
    objects: dict[str, array[int]] = field(default_factory=dict)
    covered: Covered = field(default_factory=Covered)


def count(lines: Iterable[bytes], names: vocab.Names) -> Tally:
    """Count a part's triples."""
    found = Tally()
    objects: dict[bytes, set[bytes]] = defaultdict(set)
    by_property: Counter[bytes] = Counter()
    subjects_of: Counter[bytes] = Counter()
    classes: Counter[bytes] = Counter()
    kinds: Counter[bytes] = Counter()
    for subject, group in groups(lines, b" "):
        found.subjects += 1
        found.triples += len(group)
        is_thing = subject.startswith(b"<" + names.id.encode())
        found.things += is_thing
        seen = set()
        for line in group:
            _, predicate, rest = line.split(b" ", 2)
            value = rest[:-3]
            objects[predicate].add(value)
            by_property[predicate] += 1
            seen.add(predicate)
            if predicate == _TYPE:
                classes[value] += 1
                kinds[value] += is_thing
            elif predicate in _special(names):
                _note(found, subject, predicate, value, names)
        subjects_of.update(seen)
        if seen & _PLACED:
            _place(found, group)
    found.triples_of = Counter({_iri(p): n for p, n in by_property.items()})
    found.subjects_of = Counter({_iri(p): n for p, n in subjects_of.items()})
    found.classes = Counter({_iri(c): n for c, n in classes.items()})
    found.kinds = Counter({_iri(c): n for c, n in kinds.items() if n and c.startswith(b"<")})
    found.objects = {_iri(p): array("Q", sorted(map(_hash, values))) for p, values in objects.items()}
    return found


_TYPE = f"<{vocab.RDF_TYPE}>".encode()
_PLACED = {f"<{iri}>".encode() for iri in COORDINATES}
_LINKS = {f"<{iri}>".encode() for iri in LINKS}
_DAY = re.compile(rb'"(-?\d{4,}-\d\d-\d\d)')
_DATES = tuple(f"^^<{vocab.XSD}{kind}>".encode() for kind in ("date", "dateTime"))


def _special(names: vocab.Names) -> set[bytes]:
    bounds = {f"<{names.kg}{name}>".encode() for name in ("mentions", "earliest", "latest")}
    return _LINKS | bounds


def _note(found: Tally, subject: bytes, predicate: bytes, value: bytes, names: vocab.Names) -> None:
    name, iri = _iri(predicate), _iri(value)
    if name == names.kg + "mentions":
        if iri.startswith(names.id):
            found.mentioned[iri] += 1
    elif predicate in _LINKS:
        ours = _iri(subject).startswith(names.base)
        if value.startswith(b"<") and not iri.startswith(names.base) and ours:
            found.links[name, namespace(iri)] += 1
    elif value.endswith(_DATES):
        day = _DAY.match(value)
        if day:
            found.days[name] = _around(found.days.get(name), day[1].decode(), day[1].decode())


def _around(known: tuple[str, str] | None, first: str, last: str) -> tuple[str, str]:
    """The first and the last of all these days, in the order of time: years before our era count backwards."""
    low, high = known or (first, last)
    return min(low, first, key=_number), max(high, last, key=_number)


@lru_cache(maxsize=10_000)
def _number(day: str) -> int:
    days = dates.read(day)
    return days.first if days else 0


def _place(found: Tally, group: Sequence[bytes]) -> None:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for line in group:
        _, predicate, rest = line.split(b" ", 2)
        if predicate in _PLACED:
            values[_iri(predicate)].append(_text(rest[:-3]))
    found.box = Box.around(found.box, coordinates(values))


def _text(value: bytes) -> str:
    """The lexical form of a literal as N-Triples write it; coordinates hold no escapes worth reading."""
    return value[1 : value.rfind(b'"')].decode() if value.startswith(b'"') else _iri(value)


def _iri(node: bytes) -> str:
    return node[1:-1].decode() if node.startswith(b"<") else node[1 : node.rfind(b'"')].decode()


def _hash(value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=8).digest(), "big")


def add_up(parts: Iterable[Tally]) -> tuple[Tally, Mapping[str, int], int]:
    """The counts of all parts, the number of different objects of each property, and of different objects at all."""
    whole = Tally()
    hashes: dict[str, list[array[int]]] = defaultdict(list)
    for one in parts:
        whole.triples += one.triples
        whole.subjects += one.subjects
        whole.things += one.things
        whole.covered.add(one.covered)
        for name in ("triples_of", "subjects_of", "classes", "kinds", "links", "mentioned"):
            getattr(whole, name).update(getattr(one, name))
        for name, (first, last) in one.days.items():
            whole.days[name] = _around(whole.days.get(name), first, last)
        whole.box = Box.around(whole.box, one.box.corners() if one.box else ())
        for name, values in one.objects.items():
            hashes[name].append(values)
    by_property = {name: sum(_different([values])) for name, values in hashes.items()}
    return whole, by_property, sum(_different(hashes.values()))


def _different(lists: Iterable[Sequence[array[int]]]) -> Iterator[int]:
    """How many different hashes there are, a bucket after the other, so that few are in a set at once."""
    arrays = [one for some in lists for one in some]
    bounds = [bucket << 60 for bucket in range(_BUCKETS)]
    for bucket, low in enumerate(bounds):
        seen: set[int] = set()
        for values in arrays:
            start = bisect_left(values, low)
            end = bisect_left(values, bounds[bucket + 1]) if bucket + 1 < _BUCKETS else len(values)
            seen.update(values[start:end])
        yield len(seen)
