// An answer as text that spreadsheets take from the clipboard: a line a row, a tabulator between cells.

import { irisOf, isIri } from "./terms.js";

/** The rows that are there, with a head; things by their names, unless the page shows IRIs. */
export async function asText({ names: variables, rows }, names) {
  if (!names.plain) await names.load(irisOf(rows));
  const cell = (term) => {
    if (term === null) return "";
    const text = isIri(term) && !names.plain ? names.text(term.value) : typeof term.value === "string" ? term.value : JSON.stringify(term.value);
    // What would end a cell or a line stands between quotation marks.
    return /[\t\r\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [variables, ...rows.map((row) => row.map(cell))].map((cells) => cells.join("\t")).join("\n");
}
