// The part of the page below the editor: an answer with its notes, links and downloads, or what was wrong.

import { counted, element } from "../dom.js";
import { parameters } from "./answer.js";
import { views } from "./views.js";

// How long the button says that it worked, in milliseconds.
const CONFIRM = 2000;

/** Shows an answer; resolves when it can be read. What stood there before stays until then. */
export async function shownAnswer(holder, answer, { names, formats, endpoint, asked, address, view, map, chosen }) {
  const body = element("div", { class: "answer-body" });
  const section = element("section", { class: "answer", "aria-labelledby": "answer" },
    element("h2", { id: "answer" }, "Answer"),
    notes(answer),
    answer.form === "ASK" ? element("p", { class: "boolean" }, element("strong", {}, answer.boolean ? "Yes" : "No")) : body,
    element("div", { class: "answer-tools" }, download(endpoint, asked, formats), share(address)));
  if (answer.form === "ASK") {
    holder.replaceChildren(section);
  } else if (answer.rows.length === 0) {
    body.append(element("p", { class: "nothing" }, "Nothing in this release answers that."));
    holder.replaceChildren(section);
  } else {
    const drawing = views(body, answer, names, { map, wanted: view, chosen });
    // A table waits for its names; a map has to be in the page to be drawn.
    if (!view || view === "table") await drawing;
    holder.replaceChildren(section);
    await drawing;
  }
}

function notes({ rows, more, broken, note }) {
  const found = [];
  if (broken) found.push(`The answer was cut: the connection ended after ${counted(rows.length, "row")}. There may be more.`);
  else if (more) found.push(`Only the first ${counted(rows.length, "row")} are shown; a download has all of them.`);
  if (note?.reason) found.push(`These rows are not traceable to claims: the query has ${note.reason}.`);
  else if (note) {
    const one = note.distinct ? " With DISTINCT, a row shows one of the ways in which it came about." : "";
    found.push(
      "In the last column, each number is a claim that states a triple of the row, and leads to its passage; " +
        `“or” stands between claims that state the same triple, “–” for a triple that no claim states.${one}`,
    );
  }
  return found.map((text) => element("p", { class: "note" }, text));
}

function download(endpoint, asked, formats) {
  const hidden = [...parameters(asked)].map(([name, value]) => element("input", { type: "hidden", name, value }));
  const buttons = formats.map(([extension, label]) => [element("button", { name: "as", value: extension }, label), " "]);
  return element("form", { class: "download", action: endpoint, method: "post" }, hidden, element("p", {}, "Download as ", buttons));
}

function share(address) {
  const copy = element("button", { type: "button", class: "share" }, "Copy link");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address());
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Copying is not allowed";
    }
    setTimeout(() => {
      copy.textContent = "Copy link";
    }, CONFIRM);
  });
  copy.setAttribute("aria-live", "polite");
  // Elsewhere there is no clipboard, and the address bar has the link.
  return navigator.clipboard ? copy : null;
}

/** Shows a problem; `go` leads to its place in the query, `fixes` ({ name, apply }) mend it. */
export function shownProblem(holder, { title, message, line, column }, { go, fixes }) {
  const place = line ? element("button", { type: "button", class: "place-of-error", click: go }, `Line ${line}, column ${column ?? 1}`) : null;
  holder.replaceChildren(
    element("section", { class: "problem", role: "alert", "aria-labelledby": "problem" },
      element("h2", { id: "problem" }, title),
      element("p", {}, place, place ? ": " : "", message),
      fixes.map(({ name, apply }) => element("p", {}, element("button", { type: "button", click: apply }, name)))),
  );
}
