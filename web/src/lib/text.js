// The twin of src/kg/text.py: the same rules, held to the same vectors (tests/fixtures/text-vectors.json).
//
// Positions count code points, as there; JavaScript's strings count UTF-16 units, so everything that has a position
// is an array of characters here (one code point each).

export const WHITE_SPACE =
  "\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680" +
  "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000\ufeff";

const words = (text) => new Set(text.split(" "));

const ABBREVIATIONS = words(
  "mr mrs ms dr prof gen lt col maj capt cmdr sgt sen rep gov st vs etc no vol fig al inc ltd co corp jr sr " +
    "adm brig cpl pvt rev hon messrs mme mlle ph.d dept univ approx mt ft ave blvd " +
    "th thos ph chr chas joh jos wm wilh heinr friedr ferd jak geo ew hochw frl wwe " +
    "hr fr dipl ing bzw ca mio mrd tsd evtl ggf usw usf vgl str geb gest inkl exkl zzgl sog allg hl jh jhd",
);
const BEFORE_NUMBERS = words("jan feb mar apr jun jul aug sep sept oct okt nov dec dez nr art abs pp bd kap sec tel");
const BEFORE_ORDINALS = words("der die das des dem den im vom zum zur beim");
const BEHIND_ORDINALS = words(
  "januar jänner februar feber märz april mai juni juli august september oktober november dezember " +
    "jan feb apr jun jul aug sept okt nov dez jahrhundert jahrhunderts jahrhunderte jahrhunderten jh",
);

/** Multiplier of the rolling hash: the 32-bit FNV prime. */
export const ROLLING_BASE = 16777619;

// Not \s: its set is another one.
const SPACE_RUN = new RegExp(`[${WHITE_SPACE}]+`, "gu");
const EDGES = new RegExp(`^[${WHITE_SPACE}]+|[${WHITE_SPACE}]+$`, "gu");
const LINE_END = /\r\n|[\n\r\u0085\u2028\u2029]/u;
const TITLE_LINK = /^\[([^[\]]+)\]\([^()]*\)$/u;
const HEADING = /^#{1,6} /u;
const TERMINATORS = new Set(".!?\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u3002\uff01\uff1f");
const WIDE_TERMINATORS = new Set("\u3002\uff01\uff1f");
const WIDE_OPENING = new Set("\u201c\u3008\u300a\u300c\u300e\u3010\uff08");
const WIDE_CLOSING = new Set("\u201d\u3009\u300b\u300d\u300f\u3011\uff09");
const CLOSERS = new Set("\"')]}\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a\u300d\u300f\uff09");
const OPENERS = new Set("\"'([{\u2018\u201a\u201c\u201e\u00ab\u00bb\u2039\u203a");
const ORDINAL = /^[0-9]{1,2}(?:\.?[/\u2013-][0-9]{1,2})*$/u;
const LETTER = /^\p{L}$/u;

/** NFC, every run of white space one space, trimmed. */
export function normalise(raw) {
  return raw.normalize("NFC").replace(SPACE_RUN, " ").replace(/^ +| +$/gu, "");
}

/** The normalised text as characters, and its sentences: `{ number, paragraph, start, end }`, the title number 0. */
export function parse(raw) {
  const { blocks, hasTitle } = paragraphs(raw);
  const sentences = [];
  const characters = [];
  let number = 0;
  blocks.forEach((block, index) => {
    if (index > 0) characters.push(" ");
    const position = characters.length;
    const text = Array.from(block);
    const paragraph = hasTitle ? index : index + 1;
    if (paragraph === 0) {
      sentences.push({ number: 0, paragraph: 0, start: position, end: position + text.length });
    } else {
      for (const [start, end] of splitSentences(text)) {
        number += 1;
        sentences.push({ number, paragraph, start: position + start, end: position + end });
      }
    }
    for (const character of text) characters.push(character);
  });
  return { characters, sentences };
}

/** The normalised text as characters, and where its paragraphs start: what a search needs, and no sentences. */
export function content(raw) {
  const characters = [];
  const starts = [];
  for (const block of paragraphs(raw).blocks) {
    if (starts.length > 0) characters.push(" ");
    starts.push(characters.length);
    for (const character of block) characters.push(character);
  }
  return { characters, starts };
}

function paragraphs(raw) {
  const groups = [[]];
  for (const line of raw.split(LINE_END)) {
    if (line.replace(EDGES, "") === "") groups.push([]);
    else groups.at(-1).push(line);
  }
  const blocks = groups.filter((group) => group.length > 0);
  let hasTitle = false;
  if (blocks.length > 0) {
    const first = blocks[0][0].replace(EDGES, "");
    const link = TITLE_LINK.exec(first);
    if (link && link[1].replace(EDGES, "") !== "") {
      blocks[0][0] = link[1];
      hasTitle = blocks[0].length === 1;
    } else {
      hasTitle = blocks[0].length === 1 && HEADING.test(first);
    }
  }
  return { blocks: blocks.map((group) => normalise(group.join("\n"))), hasTitle };
}

/** Spans of the sentences of one normalised paragraph, given as characters. */
function splitSentences(paragraph) {
  const spans = [];
  const { length } = paragraph;
  let start = 0;
  let at = 0;
  let depth = 0;
  while (at < length) {
    if (!TERMINATORS.has(paragraph[at])) {
      depth = deeper(depth, paragraph[at]);
      at += 1;
      continue;
    }
    const stop = at;
    while (at < length && TERMINATORS.has(paragraph[at])) at += 1;
    let wide = WIDE_TERMINATORS.has(paragraph[at - 1]) && depth === 0;
    while (at < length && CLOSERS.has(paragraph[at])) {
      depth = deeper(depth, paragraph[at]);
      wide = false;
      at += 1;
    }
    if (at < length && paragraph[at] === " ") {
      if (endsSentence(paragraph, start, stop, at)) {
        spans.push([start, at]);
        start = at + 1;
        depth = 0;
      }
    } else if (at < length && wide) {
      spans.push([start, at]);
      start = at;
    }
  }
  if (start < length) spans.push([start, length]);
  return spans;
}

/** How many brackets of Chinese and Japanese are open behind a character. */
function deeper(depth, character) {
  if (WIDE_OPENING.has(character)) return depth + 1;
  return WIDE_CLOSING.has(character) ? Math.max(0, depth - 1) : depth;
}

function endsSentence(paragraph, start, stop, space) {
  const following = paragraph[space + 1];
  if (following !== undefined && /^\p{Ll}$/u.test(following)) return false;
  if (paragraph[stop] !== "." || TERMINATORS.has(paragraph[stop + 1])) return true;
  const begin = wordStart(paragraph, start, stop);
  let from = begin;
  while (from < stop && OPENERS.has(paragraph[from])) from += 1;
  const word = paragraph.slice(from, stop + 1);
  const name = word.slice(0, -1).join("").toLowerCase();
  if (isInitials(word) || ABBREVIATIONS.has(name)) return false;
  if (BEFORE_NUMBERS.has(name) && /^\p{Nd}$/u.test(following ?? "")) return false;
  if (!ORDINAL.test(name)) return true;
  const before = paragraph.slice(wordStart(paragraph, start, Math.max(begin - 1, start)), Math.max(begin - 1, start));
  let end = space + 1;
  while (end < paragraph.length && LETTER.test(paragraph[end])) end += 1;
  const behind = paragraph.slice(space + 1, end);
  return !BEFORE_ORDINALS.has(before.join("").toLowerCase()) && !BEHIND_ORDINALS.has(behind.join("").toLowerCase());
}

/** Where the word that ends before `end` begins, not before `start`. */
function wordStart(paragraph, start, end) {
  let from = end;
  while (from > start && paragraph[from - 1] !== " ") from -= 1;
  return from;
}

/** Single letters, each with a stop behind it: "U.S.", "J.". */
function isInitials(word) {
  return (
    word.length > 0 &&
    word.length % 2 === 0 &&
    word.every((character, index) => (index % 2 ? character === "." : LETTER.test(character)))
  );
}

/** Polynomial hash of the characters' code points modulo 2^32, as an unsigned number. */
export function rollingHash(characters) {
  let hash = 0;
  for (const character of characters) hash = (Math.imul(hash, ROLLING_BASE) + character.codePointAt(0)) >>> 0;
  return hash;
}

/**
 * Offsets at which spans of one length have one of the wanted hashes: candidates, not yet confirmed.
 *
 * `codePoints` is a Uint32Array of the text, `wanted` a Set of unsigned numbers; calls `found(hash, offset)`.
 */
export function candidates(codePoints, length, wanted, found) {
  if (length < 1 || length > codePoints.length) return;
  // Nearly every offset is none: the hash's upper half, looked up in an array, tells most of them sooner than the Set.
  const likely = new Uint8Array(2 ** 16);
  for (const hash of wanted) likely[hash >>> 16] = 1;
  let hash = 0;
  let highest = 1;
  for (let at = 0; at < length; at += 1) {
    hash = (Math.imul(hash, ROLLING_BASE) + codePoints[at]) >>> 0;
    if (at > 0) highest = Math.imul(highest, ROLLING_BASE) >>> 0;
  }
  for (let at = 0; ; at += 1) {
    if (likely[hash >>> 16] === 1 && wanted.has(hash)) found(hash, at);
    if (at + length >= codePoints.length) return;
    const without = (hash - Math.imul(highest, codePoints[at])) >>> 0;
    hash = (Math.imul(without, ROLLING_BASE) + codePoints[at + length]) >>> 0;
  }
}
