// An answer as a bar chart: a list whose lines have a name, a number and a bar. The list is the picture, so nothing is
// in the one that is not in the other.

import { drawn, element } from "../dom.js";
import { columnsOf, naming, numeric, richest, spatial } from "./columns.js";
import { irisOf, numberOf, shown } from "./terms.js";
import { _, language, ngettext } from "../words.js";

const MOST = 60;

/** What the chart is made of, or null where the columns do not suit. */
export function suits(answer) {
  const columns = columnsOf(answer);
  // Nobody compares longitudes by the length of bars.
  const located = spatial(columns)?.columns ?? [];
  const numbers = numeric(columns).filter((column) => !located.includes(column));
  const label = naming(columns, numbers);
  return answer.rows.length > 1 && numbers.length > 0 && label ? { numbers, label } : null;
}

/** Fills a panel. */
export async function draw(panel, answer, names, { numbers, label }) {
  await names.load(irisOf(answer.rows.slice(0, MOST).map((row) => [row[label.at]])));
  const holder = element("div");
  const show = (column) => holder.replaceChildren(...bars(answer, names, label, column));
  const first = richest(numbers);
  show(first);
  panel.replaceChildren(...(numbers.length > 1 ? [choice(numbers, first, show)] : []), holder);
}

function choice(numbers, first, show) {
  const options = numbers.map((column) => element("option", { selected: column === first }, column.name));
  const select = element("select", { change: () => show(numbers[select.selectedIndex]) }, options);
  return element("p", { class: "chart-choice" }, element("label", {}, _("Length of the bars:"), " ", select));
}

function bars(answer, names, label, column) {
  const rows = answer.rows.filter((row) => row[column.at] !== null);
  const values = rows.slice(0, MOST).map((row) => numberOf(row[column.at]));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const share = (value) => (high === low ? 0 : (value - low) / (high - low));
  const lines = rows.slice(0, MOST).map((row, at) => {
    const [from, to] = [share(Math.min(0, values[at])), share(Math.max(0, values[at]))];
    return element("li", {},
      element("span", { class: "what" }, shown(row[label.at], names)),
      bar(from, to, share(0), low < 0),
      element("span", { class: "n" }, values[at].toLocaleString(language, { maximumFractionDigits: 6 })));
  });
  const rest = rows.length - lines.length;
  const list = element("ol", { class: "chart", "aria-label": _("{numbers} by {names}", { numbers: column.name, names: label.name }) }, lines);
  return [list, ...(rest > 0 ? [element("p", { class: "note" }, ngettext("and {count} more row in the table", "and {count} more rows in the table", rest))] : [])];
}

function bar(from, to, zero, signed) {
  const percent = (part) => `${(part * 100).toFixed(2)}%`;
  // Zero has a bar that can be seen, too.
  const box = drawn("rect", { x: percent(from), y: "15%", width: percent(Math.max(to - from, 0.002)), height: "70%", rx: 2, class: "length" });
  const line = signed ? drawn("line", { x1: percent(zero), x2: percent(zero), y1: 0, y2: "100%", class: "grid" }) : null;
  return drawn("svg", { class: "bar", width: "100%", height: 20, "aria-hidden": "true" }, box, line);
}
