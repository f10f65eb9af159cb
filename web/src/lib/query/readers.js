// Readers of answers that arrive in pieces: `push` takes a piece of text, `rows` grows, `complete` says that all is there.

const OPEN = "{".charCodeAt(0);
const CLOSE = "}".charCodeAt(0);
const LIST = "[".charCodeAt(0);
const END = "]".charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);
const ESCAPE = "\\".charCodeAt(0);

// How deep solutions lie in {"results":{"bindings":[{…}]}}.
const SOLUTION = 4;

/** SPARQL 1.1 Query Results JSON (https://www.w3.org/TR/sparql11-results-json/). */
export class BindingsReader {
  rows = [];
  names = [];
  complete = false;
  boolean = undefined;
  #text = "";
  #at = 0;
  #depth = 0;
  #quoted = false;
  #start = 0;
  #bindings = false;
  #headed = false;

  push(piece) {
    this.#text += piece;
    const text = this.#text;
    for (; this.#at < text.length; this.#at += 1) {
      const code = text.charCodeAt(this.#at);
      if (this.#quoted) {
        if (code === ESCAPE) this.#at += 1;
        else if (code === QUOTE) this.#quoted = false;
      } else if (code === QUOTE) {
        this.#quoted = true;
      } else if (code === OPEN || code === LIST) {
        this.#open(text);
      } else if (code === CLOSE || code === END) {
        this.#close(text);
      }
    }
    this.#forget();
  }

  #open(text) {
    this.#depth += 1;
    if (this.#depth === SOLUTION - 1 && /"bindings"\s*:\s*$/.test(text.slice(0, this.#at))) this.#bindings = true;
    if (this.#depth === SOLUTION && this.#bindings) this.#start = this.#at;
    if (this.#depth === 2) this.#start = this.#at;
  }

  #close(text) {
    if (this.#depth === SOLUTION && this.#bindings) {
      const solution = JSON.parse(text.slice(this.#start, this.#at + 1));
      this.rows.push(this.names.map((name) => solution[name] ?? null));
      // The piece ends here, so that what was read can be forgotten.
      this.#start = this.#at + 1;
    } else if (this.#depth === SOLUTION - 1) {
      this.#bindings = false;
    } else if (this.#depth === 2 && !this.#headed) {
      this.#headed = true;
      this.names = JSON.parse(text.slice(this.#start, this.#at + 1)).vars ?? [];
    } else if (this.#depth === 1) {
      this.complete = true;
      const answer = /"boolean"\s*:\s*(true|false)/.exec(text);
      if (answer && this.rows.length === 0) this.boolean = answer[1] === "true";
    }
    this.#depth -= 1;
  }

  #forget() {
    if (!this.#bindings) return;
    // Between solutions everything before is done with; within one, all before its start.
    const keep = this.#depth >= SOLUTION ? this.#start : this.#at;
    this.#text = this.#text.slice(keep);
    this.#at -= keep;
    this.#start = 0;
  }
}

const IRI = "<([^>]*)>";
const BLANK = "(_:\\S+)";
const LITERAL = '"((?:[^"\\\\]|\\\\.)*)"(?:@([A-Za-z0-9-]+)|\\^\\^<([^>]*)>)?';
const TRIPLE = new RegExp(`^\\s*(?:${IRI}|${BLANK})\\s+${IRI}\\s+(?:${IRI}|${BLANK}|${LITERAL})\\s*\\.\\s*$`, "s");
const ESCAPES = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };
const STRING = "http://www.w3.org/2001/XMLSchema#string";

function unescaped(text) {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs, (_, four, eight, one) =>
    one ? (ESCAPES[one] ?? one) : String.fromCodePoint(Number.parseInt(four ?? eight, 16)),
  );
}

function resource(iri, blank) {
  return iri === undefined ? { type: "bnode", value: blank.slice(2) } : { type: "uri", value: unescaped(iri) };
}

/** N-Triples (https://www.w3.org/TR/n-triples/), a row of three terms for each triple. */
export class TriplesReader {
  names = ["subject", "predicate", "object"];
  rows = [];
  #rest = "";

  push(piece) {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) if (line.trim() !== "") this.rows.push(this.#triple(line));
  }

  get complete() {
    return this.#rest === "";
  }

  #triple(line) {
    const found = TRIPLE.exec(line);
    // Triple terms (RDF 1.2) are shown as they are written.
    if (!found) return [{ type: "literal", value: line }, null, null];
    const [, subject, blank, predicate, object, other, text, language, datatype] = found;
    if (text === undefined) return [resource(subject, blank), resource(predicate), resource(object, other)];
    const literal = { type: "literal", value: unescaped(text) };
    if (language) literal["xml:lang"] = language;
    else if (datatype && datatype !== STRING) literal.datatype = unescaped(datatype);
    return [resource(subject, blank), resource(predicate), literal];
  }
}
