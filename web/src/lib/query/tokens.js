// The words of a query, and where among them the cursor stands.
//
// The editor's own grammar colours complete queries well; a query that somebody is writing is none, so what stands
// before the cursor is read here, token by token, and nothing behind it counts.

const TOKEN = new RegExp(
  [
    "(?<space>(?:\\s|#[^\\r\\n]*)+)",
    "(?<iri><[^<>\"{}|^`\\\\\\s]*>)",
    "(?<variable>[?$][\\p{L}\\p{N}_]+)",
    "(?<string>\"\"\"(?:[^\"\\\\]|\\\\.|\"(?!\"\"))*(?:\"\"\"|$)|'''(?:[^'\\\\]|\\\\.|'(?!''))*(?:'''|$)" +
      "|\"(?:[^\"\\\\\\r\\n]|\\\\.)*(?:\"|$)|'(?:[^'\\\\\\r\\n]|\\\\.)*(?:'|$))",
    "(?<suffix>@[A-Za-z][A-Za-z0-9-]*|\\^\\^)",
    "(?<name>(?:[\\p{L}][\\p{L}\\p{N}_.-]*)?:(?:(?:[\\p{L}\\p{N}_:.%-]|\\\\.)*(?:[\\p{L}\\p{N}_:%-]|\\\\.))?|_:[\\p{L}\\p{N}_.-]+)",
    "(?<number>[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)",
    "(?<word>[\\p{L}_][\\p{L}\\p{N}_-]*)",
    "(?<sign>&&|\\|\\||!=|<=|>=|.)",
  ].join("|"),
  "suy",
);

/** The tokens of a text, without white space and comments: { kind, text, from, to }. */
export function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let match; TOKEN.lastIndex < text.length && (match = TOKEN.exec(text)); ) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    if (kind !== "space") found.push({ kind, text: match[0], from: match.index, to: TOKEN.lastIndex });
  }
  return found;
}

/** What a query declares: { prefixes: namespaces by prefix, end: where the last declaration ends, base }. */
export function prologue(text, base) {
  const declared = { prefixes: new Map(), end: 0, base };
  const all = tokens(text);
  for (let at = 0; at < all.length; ) {
    const keyword = all[at].kind === "word" ? all[at].text.toUpperCase() : "";
    const iri = all[at + (keyword === "PREFIX" ? 2 : 1)];
    if (!["PREFIX", "BASE"].includes(keyword) || iri?.kind !== "iri") break;
    const absolute = resolved(iri.text.slice(1, -1), declared.base);
    if (keyword === "BASE") declared.base = absolute;
    else declared.prefixes.set(all[at + 1].text.slice(0, -1), absolute);
    declared.end = iri.to;
    at += keyword === "PREFIX" ? 3 : 2;
  }
  return declared;
}

function resolved(iri, base) {
  try {
    return new URL(iri, base).href;
  } catch {
    return iri;
  }
}

/** How many brackets are open at the end of a text, one more where a `;` or `,` says that it goes on. */
export function depthAfter(text) {
  let depth = 0;
  let last = "";
  for (const { text: word } of tokens(text)) {
    if ("{[(".includes(word)) depth += 1;
    else if ("}])".includes(word)) depth -= 1;
    last = word;
  }
  return Math.max(0, depth) + (last === ";" || last === "," ? 1 : 0);
}

/** The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE; "" where it has none yet. */
export function formOf(text) {
  const found = tokens(text).find(({ kind, text: word }) => kind === "word" && FORMS.has(word.toUpperCase()));
  return found?.text.toUpperCase() ?? "";
}

const FORMS = new Set(["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]);
const SLOTS = ["subject", "predicate", "object", "end"];
// Keywords with which a new pattern may begin.
const BEGIN = new Set(["OPTIONAL", "WHERE", "UNION", "MINUS", "EXISTS", "NOT", "SELECT", "ASK", "CONSTRUCT", "DISTINCT", "REDUCED"]);
const EXPRESSIONS = new Set(["FILTER", "BIND", "VALUES"]);
const TERMS = new Set(["iri", "name", "variable", "string", "number", "word"]);

/**
 * Where a term would stand that is written at the end of a text: { slot, predicate }.
 *
 * `slot` is "subject", "predicate", "object" or "end" (behind an object), or "" outside of patterns; `predicate` is the
 * text of the predicate before an object.
 */
export function placeAfter(text) {
  const outside = { slot: null, predicate: "" };
  let now = outside;
  const around = [];
  let before = "";
  for (const { kind, text: word } of tokens(text)) {
    if (word === "{") {
      around.push(now);
      // Between the braces of VALUES stand values only.
      now = now.expression ? { slot: 2, predicate: "", values: true } : { slot: 0, predicate: "" };
    } else if (word === "[") {
      around.push(now);
      now = { slot: 1, predicate: "" };
    } else if (word === "(") {
      around.push(now);
      // In a predicate's place it is a path; behind a predicate a list of objects; else an expression.
      now = now.slot === 1 || now.slot === 2 ? { ...now, path: now.slot === 1 } : { ...outside };
    } else if (word === "}") {
      around.pop();
      now = around.length > 0 ? { slot: 0, predicate: "" } : { ...outside };
    } else if (word === "]" || word === ")") {
      now = behind(now, around.pop() ?? { ...outside });
    } else if (now.slot !== null) {
      now = next(now, kind, word, before);
    }
    before = word;
  }
  return { slot: now.slot === null ? "" : SLOTS[now.slot], predicate: now.predicate };
}

/** Behind a closing bracket: `inner` stood in it, `outer` before it. */
function behind(inner, outer) {
  if (outer.slot === null || outer.values) return outer;
  if (outer.expression === "VALUES") return outer;
  if (outer.expression) return { slot: 0, predicate: "" };
  if (inner.path) return { slot: 2, predicate: ")" };
  return { ...outer, slot: Math.min(outer.slot + 1, SLOTS.length - 1) };
}

function next(now, kind, word, before) {
  if (now.values) return now;
  if (word === ".") return { slot: 0, predicate: "" };
  if (word === ";") return { slot: 1, predicate: "" };
  if (word === ",") return { ...now, slot: 2 };
  if (now.slot === 2 && (word === "/" || word === "|" || word === "^")) return { ...now, slot: 1 };
  if (kind === "suffix" || before === "^^" || !TERMS.has(kind)) return now;
  if (kind === "word" && word !== "a") {
    const keyword = word.toUpperCase();
    if (BEGIN.has(keyword)) return { slot: 0, predicate: "" };
    if (EXPRESSIONS.has(keyword)) return { slot: 0, predicate: "", expression: keyword };
    if (keyword === "GRAPH" || keyword === "SERVICE") return { slot: 0, predicate: "" };
    if (now.slot === 0) return now;
  }
  if (now.path) return now;
  if (now.slot === 1) return { slot: 2, predicate: word };
  return { ...now, slot: Math.min(now.slot + 1, 3) };
}
