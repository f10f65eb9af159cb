// An answer as a map, with the list of its places beside it. The map is that of /map: its script makes a figure movable
// whose list has items with coordinates, and is fetched when it is first needed.

import { element } from "../dom.js";
import { columnsOf, naming, spatial } from "./columns.js";
import { irisOf, shown, textOf } from "./terms.js";
import { _, ngettext } from "../words.js";

const MOST = 500;

/** What the map is made of, or null where the columns do not suit. */
export function suits(answer) {
  const columns = columnsOf(answer);
  const found = spatial(columns);
  if (!found) return null;
  const spots = answer.rows.map((row) => ({ row, at: found.at(row) })).filter(({ at }) => at !== null);
  const label = naming(columns, found.columns);
  const others = columns.filter((column) => column !== label && !found.columns.includes(column));
  return spots.length > 0 ? { spots, label, others } : null;
}

/** Fills a panel. `map` has the addresses of the map's script, its styles, and the land. */
export async function draw(panel, answer, names, { spots, label, others }, map) {
  const some = spots.slice(0, MOST);
  await Promise.all([names.load(irisOf(some.map(({ row }) => row))), loaded(map)]);
  const items = some.map(({ row, at: [lat, lon] }) => {
    const name = label ? shown(row[label.at], names) : `${lat}, ${lon}`;
    const more = others.filter(({ at }) => row[at] !== null).map(({ name: key, at }) => `${key}: ${textOf(row[at], names)}`);
    return element("li", { class: "place happened", "data-lat": lat, "data-lon": lon, "data-status": "happened" },
      element("h3", { class: "name" }, element("span", { class: "sign", "aria-hidden": "true" }), name),
      element("p", { class: "beside" }, [degrees(lat, "NS"), degrees(lon, "EW")].join(", ")),
      more.map((text) => element("p", { class: "beside" }, element("bdi", {}, text))));
  });
  const figure = element("figure", { class: "map", "data-map": true, "data-land": `${map.land}?box=${box(some)}` },
    element("div", { class: "drawing" }),
    element("figcaption", { class: "note" }, _("Land and borders: Natural Earth.")));
  const rest = spots.length - some.length;
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

function degrees(value, [positive, negative]) {
  return `${Number(Math.abs(value).toFixed(4))}° ${value < 0 ? negative : positive}`;
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
