// What scripts say, in the language of the page: the page has a table of it where that is not English.

const table = JSON.parse(globalThis.document?.getElementById("words")?.textContent ?? "{}");
export const language = globalThis.document?.documentElement.lang || "en";
const plurals = new Intl.PluralRules(language);

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The text in the reader's language; `{name}` in it stands for a value. */
export function _(text, values = {}) {
  return filled(table[text] ?? text, values);
}

/** The text for a number of things, which is `{count}` in it. */
export function ngettext(one, many, count) {
  const form = plurals.select(count);
  const text = table[one]?.[form] ?? (form === "one" ? one : many);
  return filled(text, { count: number(count) });
}

export function number(count) {
  return count.toLocaleString(language);
}

const named = new Map();

/** The names of the months as they stand in a date: "long" or "short". */
export function months(length) {
  if (!named.has(length)) {
    const format = new Intl.DateTimeFormat(language, { day: "numeric", month: length, timeZone: "UTC" });
    const name = (month) => format.formatToParts(Date.UTC(2001, month, 1)).find(({ type }) => type === "month").value;
    named.set(length, [...Array(12).keys()].map(name));
  }
  return named.get(length);
}
