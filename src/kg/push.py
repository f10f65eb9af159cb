"""``kg push``: a release into a quad store of another server, beside the one that is served there.

It goes into the slot that is idle (:mod:`kg.store.slots`), in batches that may come twice; what was loaded is held
against the release, graph by graph, and so are the answers to its questions; then one triple makes it the current one.
Until that moment, nobody sees any of it. The slot before stays, and ``--rollback`` points at it again.

A push takes the slot that it changes, and looks before each step whether it still has it: one that was left behind, or
that runs beside another, never writes into what has become current meanwhile.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from secrets import token_hex

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, parse, serialize

from kg import vocab
from kg.errors import EndpointBusy, EndpointError, EndpointTimeout, PushError, QueryRefused
from kg.model import ExampleQuery
from kg.query.base import Query, Runner
from kg.query.lexer import Form, inspect
from kg.query.limits import Limits
from kg.query.pool import Pool
from kg.query.remote import RemotePool
from kg.release import Release
from kg.store import slots
from kg.store.endpoint import Endpoint
from kg.store.expected import number
from kg.store.slots import LOADING, READY, Slot, SlotState

BULK = 50_000
"""Quads of a batch, where an engine takes N-Quads."""

NOTED = 20
"""After so many batches of INSERT DATA the store is told how far we are; after each, where batches are large."""

_ANY = "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }"
_ALL = "dumps/all.nq"
_JSON = "application/sparql-results+json"
_N_TRIPLES = "application/n-triples"
_STRING = vocab.XSD + "string"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A release on its way into a store. ``accepted``: names of questions that the engine may answer in another way.

    ``say`` is told what is being done. ``datasets``: those of the slots by their names, if they have datasets of their
    own; else slots are graphs of ``endpoint``, which has the pointer.
    """

    release: Release
    endpoint: Endpoint
    limits: Limits
    say: Say
    accepted: Collection[str] = ()
    datasets: Mapping[str, Endpoint] = field(default_factory=dict)
    name: str = field(default_factory=partial(token_hex, 8))
    """Who it is for other pushes."""

    def run(self) -> Slot:
        """Make it the current one; where it stands then.

        :raises PushError: if what was loaded is not the release, or another push has taken the slot; the one before
            stays current.
        :raises ReleaseError: if somebody damaged or removed the release meanwhile.
        :raises EndpointError: if the store fails; the same call goes on from there.
        """
        manifest, version = self.release.manifest, self.release.version
        states = slots.read(self.endpoint, manifest.base)
        current = next((state for state in states.values() if state.current), None)
        if current is not None and current.digest == manifest.digest and current.state == READY:
            self.say(f"slot {current.slot.name} has {version} already, and is current")
            return current.slot
        counts = _counts(self.release)
        idle = _taken(self.endpoint, states, self.name)
        slot = self._moved(idle.slot)
        known = idle.digest == manifest.digest and idle.state in (LOADING, READY) and idle.slot == slot
        if not known or not self._goes_on(slot, idle, counts):
            self._clear(idle.slot, slot)
            self._note(slot, version=version, digest=manifest.digest, state=LOADING, loaded=0, quads=counts.total())
            self._load(slot, 0, counts.total())
            self.verify(slot, counts)
        self.release.compare(_ALL)  # all that was looked at came from there
        self._note(slot, state=READY)
        slots.point(self.endpoint, slot, self.name)
        there = slots.read(self.endpoint, manifest.base)[slot.name]
        if not there.current or there.digest != manifest.digest:
            raise _lost(slot)
        self.say(f"slot {slot.name} is current: {version}")
        return slot

    def _goes_on(self, slot: Slot, idle: SlotState, counts: Counter[str]) -> bool:
        """Load the rest of what an earlier push began; whether the slot then has the release: stores lose things."""
        if idle.state == LOADING:
            self._load(slot, idle.loaded, counts.total())
        try:
            self.verify(slot, counts)
        except PushError as e:
            self.say(f"slot {slot.name}: what an earlier push left there is not the release: {e}. It is loaded anew")
            return False
        return True

    def verify(self, slot: Slot, counts: Counter[str]) -> None:
        """Hold a slot against the release: quads of each graph, no other graph, the answers to the questions.

        :raises PushError: naming what differs.
        """
        self._verify_counts(slot, counts)
        self.say(f"{len(counts):,} graphs have as many quads as in the release")
        local = Pool(self.release.store_path, self.release.manifest.base, self.limits)
        remote = RemotePool(self._store(slot), self.release.manifest.base, self.limits, slot=slot)
        try:
            self._verify_answers(local, remote)
        finally:
            local.close()

    def _note(self, slot: Slot, **values: str | int) -> None:
        """Say something of the slot that is being changed.

        :raises PushError: if another push has taken it.
        """
        slots.write(self.endpoint, slot, self.name, **values)
        self._check(slot)

    def _check(self, slot: Slot) -> None:
        state = slots.read(self.endpoint, slot.base)[slot.name]
        if state.current or state.holder != self.name:
            raise _lost(slot)

    def _moved(self, slot: Slot) -> Slot:
        """The same slot where it is to lie."""
        found = self.datasets.get(slot.name)
        return replace(slot, dataset=found.query_address if found else "")

    def _store(self, slot: Slot) -> Endpoint:
        return self.datasets[slot.name] if slot.dataset else self.endpoint

    def _clear(self, before: Slot, slot: Slot) -> None:
        """Empty a slot, which lay ``before`` where it may not lie any more."""
        store = self._store(slot)
        if slot.dataset and before != slot and store.rows(f"SELECT (1 AS ?any) {{ {_ANY} }} LIMIT 1"):
            raise PushError(f"{slot.dataset} holds something that kg did not put there: a slot needs an empty dataset")
        self._note(before, state="clearing", version="", digest="", loaded=0)
        if slot.dataset and before == slot:
            self.say(f"slot {slot.name}: takes out what it held")
            store.update("DROP ALL")
        else:
            self._drop(replace(slot, dataset=""))
        self._note(slot, dataset=slot.dataset)

    def _drop(self, slot: Slot) -> None:
        step = self.endpoint.profile.values
        while graphs := _graphs(self.endpoint, slot):
            self.say(f"slot {slot.name}: takes out what it held")
            for start in range(0, len(graphs), step):
                dropped = (f"DROP SILENT GRAPH <{name}>" for name in graphs[start : start + step])
                self._check(slot)
                self.endpoint.update(" ; ".join(dropped))

    def _load(self, slot: Slot, begun: int, total: int) -> None:
        """Send the quads behind the first ``begun``, in the order of the dump, which is always the same."""
        store = self._store(slot)
        bulk = store.profile.bulk and bool(store.data_address)
        size, send = (BULK, upload) if bulk else (store.profile.batch, insert)
        quads = _quads(self.release)
        done = sum(1 for _ in islice(quads, begun))
        batches = iter(lambda: list(islice(quads, size)), [])
        for sent, batch in enumerate(batches, start=1):
            self._check(slot)
            send(store, slot, batch)
            done += len(batch)
            if bulk or sent % NOTED == 0:
                self._note(slot, loaded=done)
                self.say(f"slot {slot.name}: {done:,} of {total:,} quads")
        self._note(slot, loaded=done)

    def _verify_counts(self, slot: Slot, counts: Counter[str]) -> None:
        store = self._store(slot)
        wanted = {slot.prefix + name: count for name, count in counts.items() if name}
        found_here = store.rows(f"SELECT (COUNT(*) AS ?n) {{ {slot.facts('?s ?p ?o')} }}")
        facts = [("", number(found_here))] if "" in counts else []
        for name, count in (*facts, *_counted(store, list(wanted))):
            expected = wanted[name] if name else counts[""]
            if count != expected:
                graph = name.removeprefix(slot.prefix) or "the default graph"
                merges = f" (this engine {self.endpoint.profile.merges})" if self.endpoint.profile.merges else ""
                raise PushError(
                    f"{graph} has {count:,} quads in the store and {expected:,} in the release{merges}; "
                    "the release before stays current"
                )
        rows = store.rows(
            "SELECT (COUNT(DISTINCT ?g) AS ?n) "
            f'{{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), "{slot.prefix}")) }}'
        )
        found, expected = number(rows), sum(1 for name in counts if name)
        if found != expected:
            raise PushError(f"the slot has {found:,} named graphs, and the release {expected:,}")

    def _verify_answers(self, local: Runner, remote: Runner) -> None:
        alike, wrong = 0, []
        for question in self.release.queries:
            try:
                differs = self._again(question, local, remote)
            except (EndpointBusy, EndpointTimeout):
                raise
            except (QueryRefused, EndpointError) as e:
                # The engine lacks something that this question needs: it does not mean that data is missing.
                self.say(f"{question.name}: cannot be asked there: {e}")
                continue
            if not differs:
                alike += 1
            elif question.name in self.accepted:
                self.say(f"{question.name}: accepted, though {differs}")
            else:
                wrong.append(f"{question.name}: {differs}")
        self.say(f"{alike} of {len(self.release.queries)} questions are answered as in the release")
        if wrong:
            raise PushError(
                f"the store answers {len(wrong)} questions in another way; the release before stays current. "
                f"{'; '.join(wrong)}. If it is the engine that errs: --accept NAME"
            )

    def _again(self, question: ExampleQuery, local: Runner, remote: Runner) -> str:
        """In what the answers differ; a store or network that failed once is asked once more."""
        try:
            return _difference(question, local, remote)
        except EndpointError as e:
            self.say(f"{question.name}: is asked again: {e}")
        return _difference(question, local, remote)


def rollback(endpoint: Endpoint, base: str) -> SlotState:
    """Point at the other slot again; what it holds.

    :raises PushError: if it holds no whole release.
    """
    states = slots.read(endpoint, base)
    other = next((s for s in states.values() if not s.current and s.state == READY), None)
    if other is None or not any(s.current for s in states.values()):
        raise PushError("the other slot holds no whole release: there is nothing to go back to")
    name = token_hex(8)
    taken = _taken(endpoint, {other.slot.name: other}, name)
    if taken.state == READY:
        slots.point(endpoint, other.slot, name)
        taken = slots.read(endpoint, base)[other.slot.name]
    if not taken.current or taken.state != READY:
        raise _lost(other.slot)
    return taken


def _taken(endpoint: Endpoint, states: Mapping[str, SlotState], name: str) -> SlotState:
    """The slot that is not current, once nobody else changes it; what is known of it then.

    :raises PushError: if another push was faster.
    """
    idle = next(state.slot for state in states.values() if not state.current)
    slots.take(endpoint, idle, name)
    found = slots.read(endpoint, idle.base)[idle.name]
    if found.current or found.holder != name:
        raise _lost(idle)
    return found


def _lost(slot: Slot) -> PushError:
    return PushError(
        f"slot {slot.name} was taken by another push or rollback meanwhile: nothing more was done here. "
        "Look at what is current, and give the command again if it is not what you want"
    )


def _quads(release: Release) -> Iterator[Quad]:
    try:
        yield from parse(path=str(release.path / _ALL), format=RdfFormat.N_QUADS)
    except (OSError, SyntaxError):
        release.compare(_ALL)
        raise


def _counts(release: Release) -> Counter[str]:
    """Quads by graph; "" is the default graph."""
    return Counter("" if isinstance(q.graph_name, DefaultGraph) else q.graph_name.value for q in _quads(release))


def _graphs(endpoint: Endpoint, slot: Slot) -> list[str]:
    """Some graphs that a slot has, by the names that the store has for them; none: it is empty."""
    rows = endpoint.rows(
        "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } "
        f'FILTER(STRSTARTS(STR(?g), "{slot.prefix}") || STR(?g) = "{slot.default}") }} LIMIT 2000'
    )
    return [row[0].value for row in rows]


def _counted(endpoint: Endpoint, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Graphs with the number of their quads."""
    step = endpoint.profile.values
    for start in range(0, len(names), step):
        values = " ".join(f"<{name}>" for name in names[start : start + step])
        rows = endpoint.rows(
            f"SELECT ?g (COUNT(*) AS ?n) {{ VALUES ?g {{ {values} }} GRAPH ?g {{ ?s ?p ?o }} }} GROUP BY ?g"
        )
        found = {g.value: number([[n]]) for g, n in rows if g is not None}
        yield from ((name, found.get(name, 0)) for name in names[start : start + step])


def _placed(slot: Slot, quad: Quad) -> Quad:
    if isinstance(quad.graph_name, DefaultGraph):
        graph = quad.graph_name if slot.dataset else NamedNode(slot.default)
    else:
        graph = NamedNode(slot.prefix + quad.graph_name.value)
    return Quad(quad.subject, quad.predicate, quad.object, graph)


def upload(endpoint: Endpoint, slot: Slot, batch: Iterable[Quad]) -> None:
    """Add quads to a slot as N-Quads."""
    buffer = io.BytesIO()
    serialize((_placed(slot, quad) for quad in batch), buffer, format=RdfFormat.N_QUADS)
    endpoint.upload(buffer.getvalue())


def insert(endpoint: Endpoint, slot: Slot, batch: Iterable[Quad]) -> None:
    """Add quads to a slot by SPARQL Update."""
    batch = list(batch)
    iris = {term.value for q in batch for term in (q.subject, q.predicate, q.object) if isinstance(term, NamedNode)}
    by_graph: dict[str, list[str]] = {}
    for quad in batch:
        text = str(quad.object)
        if isinstance(quad.object, Literal) and text.endswith('"') and quad.object.value in iris:
            # Virtuoso 7 takes a plain text for an IRI that has the same letters in the same update.
            text += f"^^<{_STRING}>"
        line = f"{quad.subject} {quad.predicate} {text} ."
        graph = _placed(slot, quad).graph_name
        by_graph.setdefault("" if isinstance(graph, DefaultGraph) else f"GRAPH {graph}", []).append(line)
    graphs = (f"{name} {{ {' '.join(lines)} }}" if name else " ".join(lines) for name, lines in by_graph.items())
    endpoint.update(f"INSERT DATA {{ {' '.join(graphs)} }}")


def _difference(question: ExampleQuery, local: Runner, remote: Runner) -> str:
    """In what the answers differ; nothing, where they do not."""
    form = inspect(question.text, depth=local.limits.depth)
    media_type = _JSON if form in (Form.SELECT, Form.ASK) else _N_TRIPLES
    query = Query(question.text, media_type)
    expected, found = _answer(query, local), _answer(query, remote)
    if re.search(r"\bLIMIT\b", question.text, re.IGNORECASE):
        # Which rows are the first, engines see differently.
        expected, found = Counter({"rows": expected.total()}), Counter({"rows": found.total()})
    missing, more = (expected - found).total(), (found - expected).total()
    return f"{missing:,} rows of the release are missing and {more:,} are not in it" if missing or more else ""


def _answer(query: Query, pool: Runner) -> Counter[str]:
    """An answer as a multiset of rows, each written so that it does not depend on how an engine spells values."""
    with pool.run(query) as answer:
        body = b"".join(answer.chunks)
    if query.media_type == _N_TRIPLES:
        triples = parse(body, RdfFormat.N_TRIPLES)
        return Counter(f"{q.subject} {q.predicate} {_spelled(q.object)}" for q in triples)
    found = json.loads(body)
    if "boolean" in found:
        return Counter({str(found["boolean"]): 1})
    return Counter(json.dumps(_row(row), sort_keys=True) for row in found["results"]["bindings"])


def _row(row: dict[str, dict[str, str]]) -> dict[str, str]:
    terms = {}
    for name, term in row.items():
        if term["type"] == "literal":
            language = term.get("xml:lang")
            kind = NamedNode(term.get("datatype", _STRING))
            literal = Literal(term["value"], language=language) if language else Literal(term["value"], datatype=kind)
            terms[name] = _spelled(literal)
        else:
            terms[name] = "_:" if term["type"] == "bnode" else str(term["value"])
    return terms


_BOOLEAN = {"true": "1", "false": "0"}


def _spelled(term: object) -> str:
    """A term by its value: engines write numbers and truth values in forms of their own."""
    if not isinstance(term, Literal):
        return str(term)
    if term.language:
        return f"{term.value}@{term.language.lower()}"
    text = _BOOLEAN.get(term.value, term.value) if term.datatype.value.endswith("#boolean") else term.value
    try:
        return repr(float(text))
    except ValueError:
        return text
