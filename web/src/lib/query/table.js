// An answer as a table, some rows at a time; a column's head sorts by it, once all rows are there.

import { element } from "../dom.js";
import { claimsOf, Footnotes } from "./footnotes.js";
import { irisOf, numberOf, shown, textOf } from "./terms.js";
import { _, ngettext, number } from "../words.js";

/** Rows that are shown at a time. */
export const STEP = 100;
const ORDERS = { ascending: 1, descending: -1 };

/** What an answer needs names for: what its cells and its footnotes mention. */
export function mentioned({ names, note }, rows) {
  if (!note || note.reason) return irisOf(rows);
  const column = names.indexOf(note.variable);
  const claims = claimsOf(rows.map((row) => row[column]));
  return [...irisOf(rows), ...claims];
}

export class Table {
  #answer;
  #names;
  #rows;
  #columns;
  #numeric;
  #drawn = 0;
  #turn = 0;
  #sorted = { column: -1, order: "" };
  #notes = null;
  #body = element("tbody");
  #head = element("tr");
  #button = element("button", { type: "button", click: () => this.#add() });
  #part = element("span", { role: "status" });
  #more = element("p", { class: "more-rows", hidden: true }, this.#button, " ", this.#part);
  #footnotes = element("div");
  #scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": _("Rows") });

  constructor(answer, names) {
    this.#answer = answer;
    this.#names = names;
    this.#rows = answer.rows;
    this.#numeric = answer.names.map((_name, column) => answer.rows.every((row) => row[column] === null || !Number.isNaN(numberOf(row[column]))));
    // Where nothing could be traced, the page says so once.
    this.#columns = answer.names.map((_name, column) => column).filter((column) => !answer.note?.reason || answer.names[column] !== answer.note.variable);
    this.#head.append(...this.#columns.map((column) => this.#heading(answer.names[column], column)));
  }

  /** Fills a panel. */
  async draw(panel) {
    const table = element("table", {}, element("thead", {}, this.#head), this.#body);
    this.#scroll.replaceChildren(table);
    await this.#again();
    panel.replaceChildren(this.#scroll, this.#more, this.#footnotes);
  }

  /** A choice between names and IRIs; empty where there are none. */
  choice() {
    if (irisOf(this.#rows).length === 0) return element("span");
    const change = () => {
      this.#names.plain = box.checked;
      this.#again();
    };
    const box = element("input", { type: "checkbox", checked: this.#names.plain, change });
    return element("p", { class: "plain-choice" }, element("label", {}, box, " ", _("IRIs instead of names")));
  }

  async #again() {
    this.#turn += 1;
    this.#body.replaceChildren();
    this.#drawn = 0;
    this.#notes = this.#answer.note && !this.#answer.note.reason ? new Footnotes(this.#names) : null;
    await this.#add();
  }

  async #add() {
    const turn = this.#turn;
    const rows = this.#rows.slice(this.#drawn, this.#drawn + STEP);
    this.#drawn += rows.length;
    await this.#names.load(mentioned(this.#answer, rows));
    // While names came, the table may have begun anew.
    if (this.#turn !== turn) return;
    this.#body.append(...rows.map((row) => this.#row(row)));
    const left = this.#rows.length - this.#drawn;
    this.#button.textContent = ngettext("Show {count} more row", "Show {count} more rows", Math.min(left, STEP));
    this.#part.textContent = _("{part} of {whole}", { part: number(this.#drawn), whole: number(this.#rows.length) });
    // Who asked for the last rows by keyboard goes on in the table.
    if (left === 0 && document.activeElement === this.#button) this.#scroll.focus();
    this.#more.hidden = left === 0;
    if (this.#notes?.list.firstChild) {
      this.#footnotes.replaceChildren(element("h3", {}, _("Footnotes")), this.#notes.list);
    }
  }

  #row(row) {
    const column = this.#notes ? this.#answer.names.indexOf(this.#answer.note.variable) : -1;
    const cells = this.#columns.map((at) => {
      const term = row[at];
      if (at === column) return element("td", {}, this.#notes.cell(term));
      return element("td", { class: this.#numeric[at] ? "n" : null }, shown(term, this.#names));
    });
    return element("tr", {}, cells);
  }

  #heading(name, column) {
    const numbers = this.#numeric[column];
    const heading = element("th", { scope: "col", class: numbers ? "n" : null });
    const sortable = !this.#answer.more && !this.#answer.broken && this.#answer.rows.length > 1 && name !== this.#answer.note?.variable;
    heading.append(sortable ? element("button", { type: "button", class: "sort", click: () => this.#sort(column) }, name) : name);
    return heading;
  }

  async #sort(column) {
    // From the order of the answer to ascending, descending, and back.
    const before = this.#sorted.column === column ? this.#sorted.order : "";
    const order = { "": "ascending", ascending: "descending", descending: "" }[before];
    this.#sorted = { column, order };
    [...this.#head.children].forEach((heading, at) => {
      if (this.#columns[at] === column && order) heading.setAttribute("aria-sort", order);
      else heading.removeAttribute("aria-sort");
    });
    await this.#names.load(irisOf(this.#answer.rows.map((row) => [row[column]])));
    this.#rows = order ? [...this.#answer.rows].sort((a, b) => ORDERS[order] * compared(a[column], b[column], this.#names)) : this.#answer.rows;
    await this.#again();
  }
}

/** Numbers by size, texts by letter; what is missing comes last. */
function compared(a, b, names) {
  if (a === null || b === null) return (a === null) - (b === null);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return textOf(a, names).localeCompare(textOf(b, names), undefined, { numeric: true });
}
