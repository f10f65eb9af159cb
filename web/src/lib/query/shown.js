// The part of the page below the editor: an answer with its notes, links and downloads, or what was wrong.

import { copyButton } from "../copying.js";
import { element } from "../dom.js";
import { parameters } from "./answer.js";
import { asText } from "./copied.js";
import { views } from "./views.js";
import { _, ngettext, number } from "../words.js";

/** Where the page says that a query without GRAPH does not see what others say; a store that kg did not build has none. */
function whose() {
  const heading = document.querySelector("#whose");
  const go = (event) => {
    // A change of the fragment would be taken for a step in the history, and ask the query again.
    event.preventDefault();
    heading.focus();
  };
  return heading && element("a", { href: "#whose", click: go }, _("Perhaps somebody else says it."));
}

/** Shows an answer; resolves when it can be read. What stood there before stays until then. */
export async function shownAnswer(holder, answer, { names, formats, endpoint, asked, address, view, map, chosen }) {
  const bar = element("div", { class: "answer-bar" });
  const body = element("div", { class: "answer-body" });
  const section = element("section", { class: "answer", "aria-labelledby": "answer" },
    element("h2", { id: "answer" }, _("Answer")),
    answer.form === "ASK" || answer.rows.length === 0 ? null : bar,
    notes(answer),
    answer.form === "ASK" ? element("p", { class: "boolean" }, element("strong", {}, answer.boolean ? _("Yes") : _("No"))) : body,
    element("div", { class: "answer-tools" }, download(endpoint, asked, formats), copies(answer, names, address)));
  if (answer.form === "ASK") {
    holder.replaceChildren(section);
  } else if (answer.rows.length === 0) {
    // Of an answer that was cut before its first row, the note above says all that is known.
    if (!answer.broken) body.append(element("p", { class: "nothing" }, _("Nothing in this release answers that."), " ", whose()));
    holder.replaceChildren(section);
  } else {
    const drawing = views(body, answer, names, { bar, map, wanted: view, chosen });
    // A table waits for its names; a map has to be in the page to be drawn.
    if (!view || view === "table") await drawing;
    holder.replaceChildren(section);
    await drawing;
  }
}

function notes({ rows, more, broken, note }) {
  const found = [];
  if (broken) found.push(ngettext("The answer was cut: the connection ended after {count} row. There may be more.", "The answer was cut: the connection ended after {count} rows. There may be more.", rows.length));
  else if (more) found.push(_("Only the first {count} rows are shown; a download has all of them.", { count: number(rows.length) }));
  if (note?.reason) found.push(_("These rows are not traceable to claims: the query has {reason}.", { reason: note.reason }));
  else if (note) {
    // One text each, however long: translators see the whole of it.
    const told = _("In the last column, each number is a claim that states a triple of the row, and leads to its passage; “or” stands between claims that state the same triple, “–” for a triple that no claim states.");
    const more = note.grouped
      ? _("A row that counts or sums has the claims of everything that went into it.")
      : note.distinct && _("With DISTINCT, a row shows one of the ways in which it came about.");
    found.push([told, more || []].flat().join(" "));
  }
  return found.map((text) => element("p", { class: "note" }, text));
}

function download(endpoint, asked, formats) {
  const hidden = [...parameters(asked)].map(([name, value]) => element("input", { type: "hidden", name, value }));
  const buttons = formats.map(([extension, label]) => [element("button", { name: "as", value: extension }, label), " "]);
  return element("form", { class: "download", action: endpoint, method: "post" }, hidden, element("p", {}, `${_("Download as")} `, buttons));
}

/** Buttons that copy the link and the rows. */
function copies(answer, names, address) {
  const rows = answer.rows?.length ? copyButton(_("Copy rows"), { class: "share" }, () => asText(answer, names)) : null;
  return element("p", { class: "copies" }, copyButton(_("Copy link"), { class: "share" }, address), rows);
}

/** Shows a problem; `go` leads to its place in the query, `fixes` ({ name, apply }) mend it. */
export function shownProblem(holder, { title, message, language, line, column }, { go, fixes }) {
  const place = line ? element("button", { type: "button", class: "place-of-error", click: go }, _("Line {line}, column {column}", { line, column: column ?? 1 })) : null;
  holder.replaceChildren(
    element("section", { class: "problem", role: "alert", "aria-labelledby": "problem" },
      element("h2", { id: "problem" }, title),
      element("p", {}, place, place ? ": " : "", element("span", { lang: language || null }, message)),
      fixes.map(({ name, apply }) => element("p", {}, element("button", { type: "button", click: apply }, name)))),
  );
}
