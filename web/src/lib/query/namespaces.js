// Long names and short ones: how an IRI is written in a query, and the declaration that this needs.

import { prologue } from "./tokens.js";

// Local names that can be written without escapes (SPARQL 1.1, PN_LOCAL); others are written as whole IRIs.
const LOCAL = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-])?)?$/u;

export class Namespaces {
  /** Namespaces by prefix, of the release, once they are here; until then the base is only likely. */
  known = new Map();

  constructor(base) {
    this.base = base;
  }

  learn({ prefixes, base }) {
    this.known = new Map(Object.entries(prefixes));
    this.base = base;
  }

  /** What a query has declared, and the known prefixes that it has not. */
  of(text) {
    const { prefixes, end } = prologue(text, this.base);
    const others = [...this.known].filter(([prefix]) => !prefixes.has(prefix));
    return { declared: prefixes, others, end };
  }

  /** The short form of an IRI in a query: { text, prefix, namespace }, the last two where a declaration is missing. */
  shorten(iri, text) {
    const { declared, others } = this.of(text);
    const fitting = (list) =>
      list
        .filter(([, namespace]) => iri.startsWith(namespace) && LOCAL.test(iri.slice(namespace.length)))
        .sort(([, a], [, b]) => b.length - a.length)[0];
    const ready = fitting([...declared]);
    if (ready) return { text: `${ready[0]}:${iri.slice(ready[1].length)}` };
    const missing = fitting(others);
    if (!missing) return { text: `<${iri}>` };
    return { text: `${missing[0]}:${iri.slice(missing[1].length)}`, prefix: missing[0], namespace: missing[1] };
  }

  /** The change to a query that declares a prefix: behind its other declarations, or before its first word. */
  declaration(prefix, namespace, text) {
    const { end } = prologue(text, this.base);
    const line = `PREFIX ${prefix}: <${namespace}>`;
    if (end > 0) return { from: end, insert: `\n${line}` };
    const from = /^(?:[^\S\n]*(?:#[^\n]*)?\n)*/.exec(text)[0].length;
    return { from, insert: `${line}\n` };
  }
}
