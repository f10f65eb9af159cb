// Footnotes of an answer (evidence=true): numbers that lead to passages, and below the table what each claim says.
//
// A footnote is one word for each triple of its row, between spaces: the IRIs of claims joined by |, or - for none.

import { element } from "../dom.js";
import { _ } from "../words.js";

const NONE = "-";
const NOT_TRACEABLE = "not traceable:";

/** The claims that a column of footnotes names. */
export function claimsOf(terms) {
  return terms
    .filter((term) => term && !term.value.startsWith(NOT_TRACEABLE))
    .flatMap((term) => term.value.split(/[ |]/))
    .filter((word) => word !== "" && word !== NONE);
}

/** The parts of a text with an element in the place of its `{speaker}`. */
function around(text, part) {
  const [before, after] = text.split("{speaker}");
  return [before, part, after];
}

export class Footnotes {
  #names;
  #numbers = new Map();
  list = element("ol", { class: "footnotes", "aria-label": _("Footnotes") });

  constructor(names) {
    this.#names = names;
  }

  /** A footnote as superscripts; claims that state the same triple stand together. */
  cell(term) {
    if (!term) return "";
    if (term.value.startsWith(NOT_TRACEABLE)) return element("span", { class: "note" }, _("not traceable"));
    const words = [...new Set(term.value.split(" "))].map((word) => this.#word(word));
    return element("sup", {}, words.flatMap((parts, at) => (at > 0 ? [" · ", ...parts] : parts)));
  }

  #word(word) {
    const links = word === NONE ? [] : word.split("|").map((iri) => this.#link(iri)).filter(Boolean);
    if (links.length === 0) return [element("span", { class: "unclaimed", title: _("a triple that no claim states") }, "–")];
    return links.flatMap((link, at) => (at > 0 ? [` ${_("or")} `, link] : [link]));
  }

  #link(iri) {
    const claim = this.#names.claim(iri);
    if (!claim) return null;
    if (!this.#numbers.has(iri)) {
      this.#numbers.set(iri, this.#numbers.size + 1);
      this.list.append(this.#note(iri, claim));
    }
    const page = claim.passages[0]?.page;
    const gloss = this.#names.text(iri);
    const href = page === undefined ? `#note-${this.#numbers.get(iri)}` : this.#names.href(page);
    return element("a", { href, title: gloss }, String(this.#numbers.get(iri)));
  }

  #note(iri, claim) {
    const names = this.#names;
    const { status, modality, basis, speaker, relayed, document, passages } = claim;
    const mark = names.link({ label: `${modality} · ${basis}`, page: names.page(iri) }, { class: "mark" });
    const where = passages.flatMap((passage, at) => [at > 0 ? ` ${_("and")} ` : "", names.link(passage)]);
    const says = element("span", { class: `says ${status}` }, mark, " ",
      element("span", { class: "who" }, relayed ? around(_("according to {speaker}"), names.link(speaker)) : names.link(speaker)), " ",
      element("span", { class: "where" }, element("span", { class: "doc" }, names.link(document), ", "), where));
    return element("li", { id: `note-${this.#numbers.get(iri)}` }, `${names.text(iri)} `, says);
  }
}
