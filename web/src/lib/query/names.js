// What the IRIs of an answer are called, and what claims say: asked of the site, once for each.

import { element } from "../dom.js";

const MOST = 500;

export class Names {
  /** Whether IRIs are shown as they are, without their names. */
  plain = false;
  #address;
  #root;
  #language;
  #short;
  #names = new Map();
  #claims = new Map();

  /** `root`: the address of the site, to which pages are relative; `language`: its own, which
   *  need not be named; `short(iri)`: how a query writes it. */
  constructor(address, root, language, short) {
    this.#short = short;
    this.#address = address;
    this.#root = root;
    this.#language = language;
  }

  isOwn(language) {
    return language.split("-")[0].toLowerCase() === this.#language.split("-")[0].toLowerCase();
  }

  /** Learns names; where the site cannot be reached, IRIs stay as they are. */
  async load(iris) {
    const unknown = [...new Set(iris)].filter((iri) => iri.length <= LONGEST && !this.#names.has(iri));
    for (let at = 0; at < unknown.length; at += MOST) {
      const part = unknown.slice(at, at + MOST);
      try {
        const response = await fetch(this.#address, { method: "POST", body: JSON.stringify(part) });
        if (!response.ok) return;
        const { names, claims } = await response.json();
        for (const [iri, name] of Object.entries(names)) this.#names.set(iri, name);
        for (const [iri, claim] of Object.entries(claims)) this.#claims.set(iri, claim);
      } catch {
        return;
      }
    }
  }

  claim(iri) {
    return this.#claims.get(iri);
  }

  text(iri) {
    return this.#names.get(iri)?.label ?? iri;
  }

  page(iri) {
    return this.#names.get(iri)?.page;
  }

  /** Where a thing lies, as [latitude, longitude]; null where that is not known. */
  at(term) {
    return (term?.type === "uri" && this.#names.get(term.value)?.at) || null;
  }

  /** Where a page of the site is. */
  href(page) {
    return new URL(page, this.#root).href;
  }

  /** A name that leads to its page. */
  link({ label, language, page }, attributes = {}) {
    const name = element("bdi", { lang: language }, label);
    return page === undefined ? name : element("a", { href: this.href(page), ...attributes }, name);
  }

  /** An IRI by its name, or as queries write it. Only pages of this site and http(s) addresses are ever links. */
  resource(iri) {
    const known = this.#names.get(iri);
    const name = this.plain ? { page: known?.page, label: shortened(this.#short(iri)) } : known;
    if (name?.page !== undefined) return this.link(name, { title: iri });
    const label = element("bdi", { lang: name?.language }, name?.label ?? iri);
    if (!/^https?:\/\//i.test(iri)) return element("code", { class: "iri" }, shortened(iri));
    return element("a", { href: iri, title: iri, rel: "nofollow noopener external", class: "out" }, label);
  }
}

// Characters of a value that a page shows; downloads have all of it.
const LONGEST = 2000;

export function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
