// What the editor offers while somebody writes: variables, prefixes, the terms of the release, its things, keywords.
//
// Terms are few and come once, from /query/terms.json; things are many and are searched for, key by key. A thing is
// found by the words of its name, in any language, joined by hyphens: north-pi finds "the north pier".

import { snippet, startCompletion } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";

import { placeAfter, tokens } from "./tokens.js";
import { _, ngettext, number } from "../words.js";

const MOST_TERMS = 60;
const MOST_THINGS = 12;
const WORD = /(?:[?$]|@)?[\p{L}\p{N}_.:'’-]*$/u;
const QUIET = new Set(["Comment", "String", "IriRef"]);
const TYPES = new Set(["a", "rdf:type", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"]);
const KEYWORDS =
  "SELECT DISTINCT WHERE OPTIONAL FILTER UNION MINUS GRAPH BIND VALUES PREFIX CONSTRUCT ASK DESCRIBE LIMIT OFFSET HAVING AS FROM".split(" ");
const PHRASES = ["ORDER BY", "GROUP BY", "FILTER NOT EXISTS {", "FILTER EXISTS {"];
const FUNCTIONS = (
  "COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR LANG DATATYPE BOUND IRI COALESCE IF CONTAINS STRSTARTS STRENDS " +
  "LCASE UCASE CONCAT REGEX REPLACE STRLEN SUBSTR YEAR MONTH DAY NOW ABS ROUND isIRI isLiteral isNumeric"
).split(" ");
// How the kinds of suggestions follow each other; a higher one comes first.
const RANK = { prefix: 2, term: 1, keyword: 0 };

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** The words of a name: containedInPlace has three. */
function wordsOf(text) {
  return folded(text.replace(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/gu, " ")).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

function matches(known, wanted) {
  return wanted.every((word) => known.some((other) => other.startsWith(word)));
}

/** The classes and properties of the release, by the words of their names. */
export class Terms {
  #iris;

  constructor({ classes, properties }) {
    this.classes = classes.map((term) => this.#known(term, "class"));
    this.properties = properties.map((term) => this.#known(term, "property"));
    this.#iris = new Set([...classes, ...properties].map(({ iri }) => iri));
  }

  has(iri) {
    return this.#iris.has(iri);
  }

  #known(term, kind) {
    const local = /[^#/:]*$/.exec(term.iri)[0];
    return { ...term, kind, words: [...wordsOf(term.label), ...wordsOf(local)], local: folded(local) };
  }

  find(lists, wanted, within) {
    const text = wanted.join("");
    const found = lists.flat().filter((term) => term.iri.startsWith(within) && (matches(term.words, wanted) || term.local.startsWith(text)));
    // Whose whole name was written comes first, then those whose name begins so; else the most used.
    const rank = ({ local }) => (local === text ? 0 : local.startsWith(text) ? 1 : 2);
    return found.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_TERMS);
  }
}

/** The sources of suggestions; `terms` is a promise of Terms. */
export function sources({ terms, namespaces, search }) {
  // Where a property or a class has to stand they come first, elsewhere behind the things.
  return [
    variables,
    prefixes(namespaces),
    termsSource(terms, namespaces, asksForTerms),
    things(terms, namespaces, search),
    termsSource(terms, namespaces, (place) => !asksForTerms(place)),
    keywords,
  ];
}

function asksForTerms({ slot, predicate }) {
  return slot === "predicate" || (slot === "object" && TYPES.has(predicate));
}

let last = { state: null, pos: -1, word: null };

/** What is being written: the word before the cursor, where it stands, or null where nothing is to be offered. */
function written(context) {
  const { state, pos } = context;
  // Every source asks the same.
  if (last.state !== state || last.pos !== pos) last = { state, pos, word: wordBefore(context) };
  return last.word;
}

function wordBefore(context) {
  const node = syntaxTree(context.state).resolveInner(context.pos, -1);
  if (QUIET.has(node.name) && context.pos > node.from) return null;
  const line = context.state.doc.lineAt(context.pos);
  const text = WORD.exec(line.text.slice(0, context.pos - line.from))[0];
  const from = context.pos - text.length;
  const before = context.state.sliceDoc(0, from);
  if (/[<"']$/.test(before) || (text === "" && !context.explicit)) return null;
  return { text, from, before, place: placeAfter(before) };
}

function result(from, options) {
  return options.length > 0 ? { from, options, filter: false } : null;
}

function variables(context) {
  const word = written(context);
  if (!word || !(/^[?$]/.test(word.text) || (word.text === "" && word.place.slot !== "predicate"))) return null;
  const all = tokens(word.before).concat(tokens(context.state.sliceDoc(context.pos)));
  const names = new Set(all.filter(({ kind }) => kind === "variable").map(({ text }) => `?${text.slice(1)}`));
  const wanted = `?${word.text.slice(1)}`;
  const options = [...names].filter((name) => name.startsWith(wanted) && name !== word.text);
  return result(word.from, options.map((label) => ({ label, type: "variable" })));
}

const prefixes = (namespaces) => (context) => {
  const word = written(context);
  if (!word || word.text === "" || /^[?$@]|:/.test(word.text)) return null;
  const text = context.state.doc.toString();
  const { declared, others } = namespaces.of(text);
  const declaring = /\bPREFIX\s+$/i.test(word.before);
  const wanted = (list) => list.filter(([prefix]) => prefix !== "" && prefix.startsWith(word.text));
  if (declaring) {
    const options = wanted(others).map(([prefix, namespace]) => ({ label: `${prefix}: <${namespace}>`, type: "namespace" }));
    return result(word.from, options);
  }
  if (word.place.slot === "") return null;
  const options = wanted([...declared, ...others]).map(([prefix, namespace]) => ({
    label: `${prefix}:`,
    detail: namespace,
    type: "namespace",
    boost: RANK.prefix,
    apply(view, _, from, to) {
      const missing = declared.has(prefix) ? null : namespaces.declaration(prefix, namespace, text);
      write(view, `${prefix}:`, from, to, missing);
      startCompletion(view);
    },
  }));
  return result(word.from, options);
};

/** Puts a term into the query, and a declaration, if it needs one. */
function write(view, text, from, to, declaration) {
  const changes = [{ from, to, insert: text }];
  if (declaration) changes.unshift(declaration);
  const moved = declaration ? declaration.insert.length : 0;
  view.dispatch({ changes, selection: { anchor: from + text.length + moved }, userEvent: "input.complete", scrollIntoView: true });
}

function writeIri(namespaces, iri) {
  return (view, _, from, to) => {
    const text = view.state.doc.toString();
    const short = namespaces.shorten(iri, text);
    const missing = short.namespace ? namespaces.declaration(short.prefix, short.namespace, text) : null;
    write(view, short.text, from, to, missing);
  };
}

/** What stands before and behind the colon, if there is one that is known: the namespace, and the words. */
function asked(word, namespaces, text) {
  const colon = word.text.indexOf(":");
  if (colon < 0) return { within: "", words: wordsOf(word.text), name: word.text };
  const prefix = word.text.slice(0, colon);
  const { declared } = namespaces.of(text);
  const within = declared.get(prefix) ?? namespaces.known.get(prefix);
  const name = word.text.slice(colon + 1);
  return within === undefined ? null : { within, words: wordsOf(name), name };
}

const termsSource = (terms, namespaces, fits) => async (context) => {
  const word = written(context);
  if (!word || /^[?$@]/.test(word.text) || word.place.slot === "" || word.place.slot === "end" || !fits(word.place)) return null;
  const text = context.state.doc.toString();
  const wanted = asked(word, namespaces, text);
  const known = await terms;
  if (!wanted || !known) return null;
  const { slot, predicate } = word.place;
  const { classes, properties } = known;
  let lists = slot === "predicate" ? [properties] : slot === "object" && TYPES.has(predicate) ? [classes] : [classes, properties];
  // Without a word only what surely fits is offered.
  if (word.text === "" && lists.length > 1) lists = [];
  const found = known.find(lists, wanted.words, wanted.within);
  return result(
    word.from,
    found.map((term) => ({
      label: namespaces.shorten(term.iri, text).text,
      detail: term.label,
      info: told(term),
      type: term.kind,
      boost: RANK.term,
      apply: writeIri(namespaces, term.iri),
    })),
  );
};

function told({ meaning, count, kind }) {
  const uses = kind === "class" ? _("{count} of them", { count: number(count) }) : ngettext("in {count} triple", "in {count} triples", count);
  return [meaning, count > 0 ? uses : _("not used in plain facts")].filter(Boolean).join(" · ");
}

const things = (terms, namespaces, search) => async (context) => {
  const word = written(context);
  if (!word || /^[?$@]/.test(word.text) || !["subject", "object"].includes(word.place.slot) || asksForTerms(word.place)) return null;
  const text = context.state.doc.toString();
  const wanted = asked(word, namespaces, text);
  if (!wanted || wanted.name.length < 2) return null;
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort(), { onDocChange: true });
  const found = await search(wanted.name.replace(/[-_.]/g, " "), MOST_THINGS, stop.signal);
  const known = await terms;
  // Claims are asked for by what they say; classes and properties come from their own list, other terms are values.
  const offered = ({ iri, kind }) => kind === "thing" || kind === "document" || (kind === "term" && !known?.has(iri));
  return result(
    word.from,
    found
      .filter((one) => offered(one) && one.iri.startsWith(wanted.within))
      .map((thing) => ({
        label: thing.matched ? `${thing.label} (${thing.matched.label})` : thing.label,
        detail: namespaces.shorten(thing.iri, text).text,
        type: thing.kind,
        apply: writeIri(namespaces, thing.iri),
      })),
  );
};

function keywords(context) {
  const word = written(context);
  if (!word || !/^\p{L}*$/u.test(word.text) || word.text.length < (context.explicit ? 0 : 2)) return null;
  const wanted = word.text.toUpperCase();
  const fitting = (list) => list.filter((label) => label.toUpperCase().startsWith(wanted));
  const options = fitting([...KEYWORDS, ...PHRASES]).map((label) => ({ label, type: "keyword", boost: RANK.keyword }));
  if (word.text !== "") {
    options.push(...fitting(FUNCTIONS).map((label) => ({ label, type: "function", apply: snippet(`${label}(\${})`) })));
  }
  return result(word.from, options);
}
