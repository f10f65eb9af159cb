// The twin of kg.dates: dates of XML Schema and EDTF as days since 1970-01-01 (proleptic Gregorian), for any year of up
// to six digits; and of kg.site.drawing: axes of days, and days in words. tests/web/test_dates_twin.py holds them together.

import { _, months } from "./words.js";

const FORM = /^(?<year>-?(?:\d{4,6}|\d{3}X|\d{2}XX))(?:-(?<month>\d\d|XX)(?:-(?<day>\d\d|XX))?)?(?:T[\d:.,]{2,24})?(?:Z|[+-]\d\d:\d\d)?[?~%]?$/;
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const ERA = 146_097; // days in 400 years
const UNITS = [
  ...[1, 2, 5, 10].map((step) => ["day", step]),
  ...[1, 2, 3, 6].map((step) => ["month", step]),
  ...[0, 1, 2, 3, 4, 5].flatMap((e) => [1, 2, 5].map((m) => ["year", m * 10 ** e])),
];

/** The number of a day (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil). */
export function number(year, month = 1, day = 1) {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * ERA + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** [year, month, day] of a number. */
export function civil(day) {
  const moved = day + 719_468;
  const era = Math.floor(moved / ERA);
  const ofEra = moved - era * ERA;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const month = shifted + (shifted < 10 ? 3 : -9);
  return [year + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - Math.floor((153 * shifted + 2) / 5) + 1];
}

function length(year, month) {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : LENGTHS[month - 1];
}

/** The days that a date, an interval a/b or a set [a..b] covers, as [first, last]; null where that is open or no date. */
export function read(given) {
  const text = given.slice(0, 200).trim().slice(0, 100);
  for (const [opening, separator, closing] of [["", "/", ""], ["[", "..", "]"], ["{", "..", "}"]]) {
    if (!text.startsWith(opening) || !text.endsWith(closing)) continue;
    const inner = text.slice(opening.length, text.length - closing.length);
    if (!inner.includes(separator)) continue;
    const ends = inner.split(separator).map(one);
    if (ends.length !== 2 || !ends[0] || !ends[1] || ends[0][0] > ends[1][1]) return null;
    return [ends[0][0], ends[1][1]];
  }
  return one(text);
}

/** Whether a date is said to be approximate, and whether it is said to be uncertain. */
export function qualified(text) {
  return [/[~%]/.test(text), /[?%]/.test(text)];
}

/** Words for a time, with what its text doubts. */
export function withDoubt(when, [about, doubted]) {
  if (about && doubted) return _("{when} (approximate and uncertain)", { when });
  if (about) return _("{when} (approximate)", { when });
  return doubted ? _("{when} (uncertain)", { when }) : when;
}

function one(text) {
  const form = FORM.exec(text)?.groups;
  if (!form) return null;
  const first = Number(form.year.replaceAll("X", "0"));
  const last = Number(form.year.replaceAll("X", "9"));
  const vague = (part) => part === undefined || part === "XX";
  if (vague(form.month)) {
    return vague(form.day) ? [number(Math.min(first, last)), number(Math.max(first, last), 12, 31)] : null;
  }
  const month = Number(form.month);
  if (first !== last || month < 1 || month > 12) return null;
  if (vague(form.day)) return [number(first, month), number(first, month, length(first, month))];
  const day = Number(form.day);
  return day >= 1 && day <= length(first, month) ? [number(first, month, day), number(first, month, day)] : null;
}

/** A year as people write it: there is none called 0, and one of two digits says its era. */
function yearName(year) {
  if (year > 0 && year < 100) return _("AD {year}", { year });
  return year > 0 ? String(year) : _("{year} BC", { year: 1 - year });
}

/** What a span says, for people; `within`: it lies somewhere between these days, rather than lasting throughout. */
export function inWords(first, last, within) {
  const names = months("long");
  const dayName = ([year, month, day]) => _("{day} {month} {year}", { day, month: names[month - 1], year: yearName(year) });
  const [a, b] = [civil(first), civil(last)];
  if (first === last) return dayName(a);
  const wholeMonths = a[2] === 1 && civil(last + 1)[2] === 1;
  let [begin, end] = [dayName(a), dayName(b)];
  if (wholeMonths && a[1] === 1 && b[1] === 12) {
    [begin, end] = [yearName(a[0]), yearName(b[0])];
    if (begin === end) return within ? _("in {year}", { year: begin }) : _("throughout {year}", { year: begin });
  } else if (wholeMonths) {
    [begin, end] = [a, b].map(([year, month]) => `${names[month - 1]} ${yearName(year)}`);
    if (begin === end) return within ? _("in {month}", { month: begin }) : _("throughout {month}", { month: begin });
    if (a[0] === b[0]) begin = names[a[1] - 1];
  } else if (a[0] === b[0]) {
    begin = a[1] === b[1] ? _("{day}", { day: a[2] }) : _("{day} {month}", { day: a[2], month: names[a[1] - 1] });
  }
  return within ? _("between {begin} and {end}", { begin, end }) : _("from {begin} to {end}", { begin, end });
}

/** Days from `first` to `last`, both drawn whole. */
export class Axis {
  constructor(first, last) {
    this.first = first;
    this.last = last;
  }

  /** Where a day begins, from 0 to 1. */
  share(day) {
    return Math.min(1, Math.max(0, (day - this.first) / (this.last + 1 - this.first)));
  }

  /** At most so many marks, at the beginnings of days, months or years: { at, label, above }. */
  ticks(most = 6) {
    for (const [unit, step] of UNITS) {
      const days = beginnings(unit, step, this.first, this.last, most);
      if (days.length <= most) return days.map((day, index) => this.#tick(unit, day, days[index - 1]));
    }
    return [];
  }

  #tick(unit, day, before) {
    const [year, month, date] = civil(day);
    if (unit === "year") return { at: this.share(day), label: yearName(year), above: "" };
    const name = months("short")[month - 1];
    const changed = before === undefined || civil(before)[0] !== year;
    return { at: this.share(day), label: unit === "month" ? name : _("{day} {month}", { day: date, month: name }), above: changed ? yearName(year) : "" };
  }
}

/** Round days between two others, one more than wanted at most. */
function beginnings(unit, step, first, last, most) {
  const found = [];
  if (unit === "day") {
    for (let day = first; day <= last && found.length <= most; day += 1) {
      const date = civil(day)[2];
      // 1, 6, 11 … of each month; the 31st would stand too close to the next 1st.
      if ((date - 1) % step === 0 && (step === 1 || date <= 28)) found.push(day);
    }
    return found;
  }
  const [year, month] = civil(first);
  const months = unit === "year" ? 12 * step : step;
  const start = unit === "year" ? year - (((year % step) + step) % step) : year;
  const inYear = unit === "month" ? month - 1 - ((month - 1) % step) : 0;
  for (let at = start * 12 + inYear; found.length <= most; at += months) {
    const day = number(Math.floor(at / 12), (((at % 12) + 12) % 12) + 1);
    if (day > last) break;
    if (day >= first) found.push(day);
  }
  return found;
}
