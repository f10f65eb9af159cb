// An answer as a timeline, drawn like those of /timeline: a list whose lines have bars, as vague as their times are.

import { drawn, element } from "../dom.js";
import { Axis, inWords, qualified, withDoubt } from "../dates.js";
import { columnsOf, daysOf, naming, temporal } from "./columns.js";
import { irisOf, shown } from "./terms.js";
import { ngettext } from "../words.js";

const MOST = 200;
// Share of the width below which a bar would be too small to see: it becomes a point.
const FULL_ENOUGH = 0.012;
// Share of the width, on a phone, that the words of two ticks need if they face each other.
const ROOM = 0.3;

/** What the timeline is made of, or null where the columns do not suit. */
export function suits(answer) {
  const columns = columnsOf(answer);
  const times = temporal(columns);
  if (times.length === 0) return null;
  const moments = answer.rows.map((row) => momentOf(row, times)).filter(Boolean);
  const label = naming(columns, times);
  moments.sort((a, b) => a.first - b.first || a.last - b.last);
  return moments.length > 0 ? { moments, label } : null;
}

function momentOf(row, times) {
  const [begin, end] = times.map(({ at }) => daysOf(row[at]));
  const doubt = qualified(times.map(({ at }) => row[at]?.value ?? "").join(" "));
  if (times.length === 1) return begin && { row, doubt, first: begin[0], last: begin[1], within: true };
  if (!begin && !end) return null;
  const [first, last] = [(begin ?? end)[0], (end ?? begin)[1]];
  // Bounds say between which days a time lies, ends that it lasts from the one to the other.
  const within = /earliest|latest|first|last/i.test(times[0].name) || !begin || !end;
  return first <= last ? { row, doubt, first, last, within } : null;
}

/** Fills a panel. */
export async function draw(panel, answer, names, { moments, label }) {
  const some = moments.slice(0, MOST);
  await names.load(irisOf(some.map(({ row }) => (label ? [row[label.at]] : []))));
  const [first, last] = [Math.min(...some.map((m) => m.first)), Math.max(...some.map((m) => m.last))];
  const room = Math.max(1, Math.floor((last - first) / 40));
  const axis = new Axis(first - room, last + room);
  const ticks = axis.ticks();
  const lines = some.map((moment) =>
    element("li", { class: "moment stated" },
      element("div", { class: "what" }, label ? shown(moment.row[label.at], names) : ""),
      element("div", { class: "when" }, element("span", { class: "days" }, withDoubt(inWords(moment.first, moment.last, moment.within), moment.doubt))),
      bar(moment, axis, ticks)),
  );
  const rest = moments.length - some.length;
  panel.replaceChildren(
    element("div", { class: "timeline" }, scale(ticks), element("ol", {}, lines)),
    ...(rest > 0 ? [element("p", { class: "note" }, ngettext("and {count} more row in the table", "and {count} more rows in the table", rest))] : []),
  );
}

const percent = (share) => `${(share * 100).toFixed(2)}%`;
const grid = ({ at }) => drawn("line", { x1: percent(at), x2: percent(at), y1: 0, y2: "100%", class: "grid" });

function bar({ first, last, within }, axis, ticks) {
  const [left, right] = [axis.share(first), axis.share(last + 1)];
  const small = first === last || right - left < FULL_ENOUGH;
  const shape = small
    ? drawn("circle", { cx: percent((left + right) / 2), cy: "60%", r: 6, class: "point" })
    : drawn("rect", { x: percent(left), y: "30%", width: percent(right - left), height: "60%", rx: 3, class: within ? "fuzzy" : "full" });
  return drawn("svg", { class: "bar", width: "100%", height: 22, "aria-hidden": "true" }, ticks.map(grid), shape);
}

function scale(ticks) {
  let before = -1;
  const parts = ticks.flatMap((tick) => {
    const atEnd = tick.at > 0.9;
    // At the right edge words stand on the other side of their line, where there is room for two of them.
    if (atEnd && tick.at - before < ROOM) return [grid(tick)];
    before = tick.at;
    const place = { x: percent(tick.at), dx: atEnd ? -4 : 4, "text-anchor": atEnd ? "end" : "start" };
    return [grid(tick), drawn("text", { ...place, y: 13, class: "above" }, tick.above), drawn("text", { ...place, y: 30 }, tick.label)];
  });
  return drawn("svg", { class: "scale", width: "100%", height: 36, "aria-hidden": "true" }, parts);
}
