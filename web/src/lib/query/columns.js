// What the columns of an answer are good for: names, numbers, times, places. Views ask this, and show themselves or not.

import { read } from "../dates.js";
import { isDate, isIri, numberOf } from "./terms.js";

const WKT = /^\s*(?:<[^<>]*>\s*)?POINT\s*(?:Z\s*|M\s*|ZM\s*)?\(\s*(-?[\d.]+)\s+(-?[\d.]+)/i;
const LATITUDE = /(?:^|[_\W])lat(?:itude)?$|Lat(?:itude)?$/;
const LONGITUDE = /(?:^|[_\W])(?:lon|lng|long|longitude)$|(?:Lon|Lng|Long|Longitude)$/;
const BEGIN = /start|begin|from|earliest|first|since/i;
const END = /end|to$|until|latest|last/i;
// Share of a column's values that have to be dates for the column to be one of dates.
const MOST_OF = 0.6;

/** The columns of an answer but for its footnotes: { name, at, values }, the values that are not missing. */
export function columnsOf({ names, rows, note }) {
  return names
    .map((name, at) => ({ name, at, values: rows.map((row) => row[at]).filter((term) => term !== null) }))
    .filter(({ name, values }) => values.length > 0 && name !== note?.variable);
}

function different({ values }) {
  return new Set(values.map(({ value }) => value)).size;
}

/** The column with the most different values, the first of several. */
export function richest(columns) {
  return columns.reduce((best, column) => (best && different(best) >= different(column) ? best : column), undefined);
}

/** The column that names the rows best, among those that are not used for something else: texts before IRIs. */
export function naming(columns, used) {
  const free = columns.filter((column) => !used.includes(column));
  const texts = (column) => column.values.every((term) => !isIri(term) && Number.isNaN(numberOf(term)));
  const iris = (column) => column.values.every(isIri);
  return richest(free.filter(texts)) ?? richest(free.filter(iris)) ?? free[0];
}

export function numeric(columns) {
  return columns.filter(({ values }) => values.every((term) => Number.isFinite(numberOf(term))));
}

/** The days of a literal, as [first, last]: whatever its datatype, its text is nothing but a date. */
export function daysOf(term) {
  return term?.type === "literal" && Number.isNaN(numberOf(term)) ? read(term.value) : null;
}

/** Whether a date is one for sure: a bare year without a datatype might be any number. */
function sure(term) {
  return isDate(term) || /edtf/i.test(term.datatype ?? "") || !/^-?\d{4,6}$/.test(term.value.trim());
}

/** The columns of dates; two of them where they are the two ends of a time. */
export function temporal(columns) {
  const found = columns.filter(({ values }) => {
    const dates = values.filter(daysOf);
    return dates.length >= values.length * MOST_OF && dates.some(sure);
  });
  const ends = [found.find(({ name }) => BEGIN.test(name)), found.find(({ name }) => END.test(name))];
  return ends[0] && ends[1] && ends[0] !== ends[1] ? ends : found.slice(0, 1);
}

/** Where places stand in the rows: { columns, at(row) → [latitude, longitude] or null }; null where there are none. */
export function spatial(columns) {
  const points = columns.find(({ values }) => values.every((term) => WKT.test(term.value)));
  if (points) return { columns: [points], at: (row) => fromWkt(row[points.at]) };
  const numbers = numeric(columns);
  const [lat, lon] = [LATITUDE, LONGITUDE].map((form) => numbers.find(({ name }) => form.test(name)));
  if (!lat || !lon) return null;
  return { columns: [lat, lon], at: (row) => valid(numberOf(row[lat.at]), numberOf(row[lon.at])) };
}

/** The column with the most things whose coordinates are known; nothing where there is none. */
export function located(columns, names) {
  const count = ({ values }) => new Set(values.filter((term) => names.at(term)).map(({ value }) => value)).size;
  const found = columns.map((column) => [column, count(column)]).filter(([, many]) => many > 0);
  return found.reduce((best, other) => (best && best[1] >= other[1] ? best : other), undefined)?.[0];
}

function fromWkt(term) {
  const found = WKT.exec(term?.value ?? "");
  return found && valid(Number(found[2]), Number(found[1]));
}

function valid(lat, lon) {
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
}
