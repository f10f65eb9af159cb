// What scripts say, in the language of the page: the page has a table of it where that is not English.

const table = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** The text in the reader's language; `{name}` in it stands for a value. */
export function _(text, values = {}) {
  return (table[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
