// Reads an answer of the endpoint while it arrives, and no further than a page can show.
//
// An answer is { form, names, rows, more, broken, note, seconds }: rows are arrays of terms as SPARQL 1.1 Query Results
// JSON writes them, or null; `more` says that rows were left out, `broken` that the connection ended before the answer
// did. An ASK query has { form: "ASK", boolean } instead. What the endpoint refuses is thrown as a Problem.

import { BindingsReader, TriplesReader } from "./readers.js";
import { _ } from "../words.js";

const MOST_ROWS = 1000;
const MOST_CHARACTERS = 16 * 2 ** 20;
// Addresses up to this length are surely taken by servers and what stands before them; longer questions are posted.
const LONGEST_ADDRESS = 4000;

const RESULTS = "application/sparql-results+json";
const TRIPLES = "application/n-triples";

// What the endpoint calls its problems, in English as all programs get it, in the reader's language.
const TITLES = {
  "The query is not accepted": _("The query is not accepted"),
  "The query ran into a limit": _("The query ran into a limit"),
  "Too many queries at once": _("Too many queries at once"),
  "Too many queries from one address": _("Too many queries from one address"),
  "The query could not be answered": _("The query could not be answered"),
};

/** What was wrong, as a problem document (RFC 9457) tells it; `line` and `column` count from 1. */
export class Problem extends Error {
  /** `language`: that of the detail, where it is not the page's. */
  constructor({ title, detail, line, column, language = "en" }) {
    super(detail);
    this.title = TITLES[title] ?? title;
    this.language = language;
    this.line = line;
    this.column = column;
  }
}

/** The parameters of a question, in the protocol's names: { query, evidence, "default-graph-uri": [], … } */
export function parameters(question) {
  return new URLSearchParams(
    Object.entries(question).flatMap(([name, values]) => [values].flat().map((value) => [name, value])),
  );
}

/** Whether an address can hold a question. */
export function fits(question) {
  return parameters(question).toString().length < LONGEST_ADDRESS;
}

/** Asks the endpoint. `progress(rows)` is told the number of rows that have arrived. Aborting `signal` frees the server. */
export async function ask(endpoint, question, signal, progress) {
  const started = performance.now();
  const body = parameters(question);
  const short = fits(question);
  const response = await fetch(short ? `${endpoint}?${body}` : endpoint, {
    method: short ? "GET" : "POST",
    body: short ? null : body,
    headers: { Accept: `${RESULTS}, ${TRIPLES};q=0.9` },
    signal,
  }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: _("No answer"), detail: _("The server cannot be reached, or ended the connection."), language: "" });
  });
  if (!response.ok) throw await refusal(response);
  const answer = await read(response, progress);
  answer.seconds = (performance.now() - started) / 1000;
  return answer;
}

/** The answer to SELECT * with its columns in the order in which the query names them: engines have none. */
export function ordered(answer, query) {
  if (answer.form !== "SELECT" || !/\bselect\s+(?:distinct\s+|reduced\s+)?\*/i.test(query)) return answer;
  const named = answer.names.map((name) => {
    const at = query.search(new RegExp(`[?$]${name}(?![\\p{L}\\p{N}_])`, "u"));
    return at < 0 ? query.length : at;
  });
  const columns = answer.names.map((_name, at) => at).sort((a, b) => named[a] - named[b] || a - b);
  const sorted = (row) => columns.map((at) => row[at]);
  return { ...answer, names: sorted(answer.names), rows: answer.rows.map(sorted) };
}

async function refusal(response) {
  try {
    return new Problem(await response.json());
  } catch {
    return new Problem({ title: _("The server answered {status}", { status: response.status }), detail: response.statusText });
  }
}

async function read(response, progress) {
  const type = response.headers.get("Content-Type") ?? "";
  if (![RESULTS, TRIPLES].some((known) => type.startsWith(known))) {
    // A page of something in between, as a log-in: no row of it is an answer.
    response.body?.cancel().catch(() => {});
    throw new Problem({ title: _("No answer"), detail: _("What came back is no answer to a query: {type}", { type: type || "?" }), language: "" });
  }
  const parser = type.startsWith(RESULTS) ? new BindingsReader() : new TriplesReader();
  const stream = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let characters = 0;
  let broken = false;
  let more = false;
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      parser.push(value);
      progress(parser.rows.length);
      characters += value.length;
      more = parser.rows.length > MOST_ROWS || characters > MOST_CHARACTERS;
      if (more) break;
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // An answer that the server cannot finish ends in a broken connection.
    broken = true;
  }
  // Says that nobody listens any more: the server stops, too.
  if (more) stream.cancel().catch(() => {});
  if (parser.boolean !== undefined) return { form: "ASK", boolean: parser.boolean };
  broken ||= !more && !parser.complete;
  const rows = parser.rows.slice(0, MOST_ROWS);
  const form = type.startsWith(RESULTS) ? "SELECT" : "graph";
  return { form, names: parser.names, rows, more, broken, note: noteOf(response) };
}

/** What the server says of the footnotes: its header is a dictionary of structured fields (RFC 9651). */
function noteOf(response) {
  const header = response.headers.get("Kg-Evidence");
  if (!header) return null;
  const text = (name) => new RegExp(`(?:^|, )${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(header)?.[1].replace(/\\(.)/g, "$1") ?? "";
  const flag = (name) => new RegExp(`(?:^|, )${name}(?:,|$)`).test(header);
  return { variable: text("variable"), reason: text("reason"), distinct: flag("distinct"), grouped: flag("grouped") };
}
