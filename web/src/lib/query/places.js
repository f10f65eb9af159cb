// An answer as a map, with the list of its places beside it. The map is that of /map: its script makes a figure movable
// whose list has items with coordinates, and is fetched when it is first needed.

import { element } from "../dom.js";
import { columnsOf, located, naming, spatial } from "./columns.js";
import { irisOf, shown, textOf } from "./terms.js";
import { _, language, ngettext } from "../words.js";

const MOST = 500;
// Lines about one place, where many rows are about it.
const MOST_TOLD = 12;

/** What the map is made of, or null where nothing of the answer has a place: the columns with coordinates, or the things
 *  of a column whose coordinates the release has; `names` knows those of the first rows. */
export function suits(answer, names) {
  const columns = columnsOf(answer);
  const given = spatial(columns);
  const things = given ? null : located(columns, names);
  if (things) return { label: things, others: columns.filter((column) => column !== things), at: (row) => names.at(row[things.at]), things };
  if (!given || !answer.rows.some(given.at)) return null;
  const label = naming(columns, given.columns);
  return { label, others: columns.filter((column) => column !== label && !given.columns.includes(column)), at: given.at };
}

/** The rows of an answer as places: of things, all rows of one are one place. */
function spotsOf(rows, { at, things }) {
  const spots = new Map();
  rows.forEach((row, number) => {
    const where = at(row);
    const key = things ? row[things.at]?.value : number;
    if (where && spots.has(key)) spots.get(key).rows.push(row);
    else if (where) spots.set(key, { at: where, rows: [row] });
  });
  return [...spots.values()];
}

/** Fills a panel. `map` has the addresses of the map's script, its styles, and the land. */
export async function draw(panel, answer, names, suited, map) {
  const { label, others } = suited;
  const rows = suited.things ? answer.rows : answer.rows.filter((row) => suited.at(row));
  const shownRows = rows.slice(0, MOST);
  await Promise.all([names.load(irisOf(shownRows)), loaded(map)]);
  const some = spotsOf(shownRows, suited);
  const items = some.map(({ rows: group, at: [lat, lon] }) => {
    const name = label ? shown(group[0][label.at], names) : `${lat}, ${lon}`;
    const told = group.flatMap((row) => others.filter(({ at }) => row[at] !== null).map(({ name: key, at }) => `${key}: ${textOf(row[at], names)}`));
    const more = [...new Set(told)].slice(0, MOST_TOLD);
    return element("li", { class: "place happened", "data-lat": lat, "data-lon": lon, "data-status": "happened" },
      element("h3", { class: "name" }, element("span", { class: "sign", "aria-hidden": "true" }), name),
      element("p", { class: "beside" }, placeInWords(lat, lon)),
      more.map((text) => element("p", { class: "beside" }, element("bdi", {}, text))));
  });
  const figure = element("figure", { class: "map", "data-map": true, "data-land": `${map.land}?box=${box(some)}` },
    element("div", { class: "drawing" }),
    element("figcaption", { class: "note" }, _("Land and borders: Natural Earth.")));
  const rest = rows.length - shownRows.length;
  panel.replaceChildren(
    element("div", { class: "map-page" },
      element("div", { class: "map-side" }, figure),
      element("section", { "aria-label": _("Places"), class: "place-list" }, element("ul", { class: "places", "data-places": true }, items))),
    ...(rest > 0 ? [element("p", { class: "note" }, ngettext("and {count} more row in the table", "and {count} more rows in the table", rest))] : []),
  );
  figure.dispatchEvent(new CustomEvent("kg:map", { bubbles: true }));
}

/** West, south, east, north of all spots, in whole degrees. */
function box(spots) {
  const [lats, lons] = [0, 1].map((axis) => spots.map(({ at }) => at[axis]));
  const [west, south] = [Math.min(...lons), Math.min(...lats)].map(Math.floor);
  const [east, north] = [Math.max(...lons), Math.max(...lats)].map(Math.ceil);
  return [west, south, east, north].join(",");
}

/** Where a place is, to about ten metres; the twin of kg.site.components.drawing. */
function placeInWords(lat, lon) {
  const degrees = (value) => Math.abs(value).toLocaleString(language, { maximumFractionDigits: 4 });
  const north = lat < 0 ? _("{degrees}° S", { degrees: degrees(lat) }) : _("{degrees}° N", { degrees: degrees(lat) });
  const east = lon < 0 ? _("{degrees}° W", { degrees: degrees(lon) }) : _("{degrees}° E", { degrees: degrees(lon) });
  return `${north}, ${east}`;
}

let loading = null;

/** Fetches the map's script and styles, once. */
function loaded({ script, style }) {
  loading ??= new Promise((resolve, reject) => {
    const styles = element("link", { rel: "stylesheet", href: style });
    const code = element("script", { src: script, load: resolve, error: () => reject(new Error("the map cannot be loaded")) });
    document.head.append(styles, code);
  });
  return loading;
}
