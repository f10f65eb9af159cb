// Terms of an answer: what they are, and how a cell shows them.

import { element } from "../dom.js";
import { _, number } from "../words.js";
import { shortened } from "./names.js";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMBERS = new Set(
  ("integer decimal double float long int short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger " +
    "unsignedLong unsignedInt unsignedShort unsignedByte").split(" ").map((name) => XSD + name),
);
const DATES = new Set("date dateTime gYear gYearMonth dateTimeStamp".split(" ").map((name) => XSD + name));
// Datatypes that need no mention beside a value.
const PLAIN = new Set([...NUMBERS, ...DATES, ...["string", "boolean", "anyURI"].map((name) => XSD + name)]);

export const isIri = (term) => term?.type === "uri";
export const isDate = (term) => DATES.has(term?.datatype);

/** A number, or NaN. */
export function numberOf(term) {
  return NUMBERS.has(term?.datatype) ? Number(term.value) : Number.NaN;
}

/** What a term is called, as text. */
export function textOf(term, names) {
  if (term === null) return "";
  return isIri(term) ? names.text(term.value) : shortened(String(term.value));
}

/** A term as a cell shows it. */
export function shown(term, names) {
  if (term === null) return "";
  if (isIri(term)) return names.resource(term.value);
  if (term.type === "bnode") return element("code", {}, `_:${term.value}`);
  if (term.type === "triple" || typeof term.value !== "string") return element("code", {}, shortened(quoted(term)));
  const parts = [element("bdi", { lang: term["xml:lang"] ?? null }, shortened(term.value))];
  // What comes with the page may have been cut already.
  const all = term.length ?? term.value.length;
  if (all > shortened(term.value).length) {
    const said = _("({count} characters; a download has all of them)", { count: number(all) });
    parts.push(element("span", { class: "note" }, ` ${said}`));
  }
  const language = term["xml:lang"];
  if (language && !names.isOwn(language)) parts.push(" ", element("span", { class: "lang" }, language));
  else if (term.datatype && !PLAIN.has(term.datatype)) {
    parts.push(" ", element("code", { class: "datatype" }, /[^#/]*$/.exec(term.datatype)[0].slice(0, 120)));
  }
  return parts;
}

/** A term as Turtle would write it, more or less: triple terms are rare, and shown whole. */
function quoted(term) {
  if (term.type !== "triple") return term.type === "uri" ? `<${term.value}>` : JSON.stringify(term.value);
  if (typeof term.value === "string") return term.value;
  const { subject, predicate, object } = term.value;
  return `<< ${[subject, predicate, object].map(quoted).join(" ")} >>`;
}

/** The IRIs among terms. */
export function irisOf(rows) {
  return rows.flat().filter(isIri).map(({ value }) => value);
}
