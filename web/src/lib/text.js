// The twin of src/kg/text.py: the same rules, held to the same vectors (tests/fixtures/text-vectors.json).
//
// Positions count code points, as there; JavaScript's strings count UTF-16 units, so everything that has a position
// is an array of characters here (one code point each).

export const WHITE_SPACE =
  "\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680" +
  "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000\ufeff";

const ABBREVIATIONS = new Set(
  "mr mrs ms dr prof gen lt col maj capt cmdr sgt sen rep gov st vs etc no vol fig al inc ltd co corp jr sr".split(" "),
);

/** Multiplier of the rolling hash: the 32-bit FNV prime. */
export const ROLLING_BASE = 16777619;

// Not \s: its set is another one.
const SPACE_RUN = new RegExp(`[${WHITE_SPACE}]+`, "gu");
const EDGES = new RegExp(`^[${WHITE_SPACE}]+|[${WHITE_SPACE}]+$`, "gu");
const LINE_END = /\r\n|[\n\r\u0085\u2028\u2029]/u;
const TITLE_LINK = /^\[([^[\]]+)\]\([^()]*\)$/u;
const HEADING = /^#{1,6} /u;
const TERMINATORS = new Set(".!?");
const CLOSERS = new Set("\"')]}\u2019\u201d\u00bb");
const OPENERS = new Set("\"'([{\u2018\u201c\u00ab");

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
  while (at < length) {
    if (!TERMINATORS.has(paragraph[at])) {
      at += 1;
      continue;
    }
    const stop = at;
    while (at < length && TERMINATORS.has(paragraph[at])) at += 1;
    while (at < length && CLOSERS.has(paragraph[at])) at += 1;
    if (at < length && paragraph[at] === " " && endsSentence(paragraph, start, stop, at)) {
      spans.push([start, at]);
      start = at + 1;
    }
  }
  if (start < length) spans.push([start, length]);
  return spans;
}

function endsSentence(paragraph, start, stop, space) {
  const following = paragraph[space + 1];
  if (following !== undefined && /^\p{Ll}$/u.test(following)) return false;
  if (paragraph[stop] !== "." || TERMINATORS.has(paragraph[stop + 1])) return true;
  let from = stop;
  while (from > start && paragraph[from - 1] !== " ") from -= 1;
  while (from < stop && OPENERS.has(paragraph[from])) from += 1;
  const word = paragraph.slice(from, stop + 1);
  return !(isInitials(word) || ABBREVIATIONS.has(word.slice(0, -1).join("").toLowerCase()));
}

/** Single letters, each with a stop behind it: "U.S.", "J.". */
function isInitials(word) {
  return (
    word.length > 0 &&
    word.length % 2 === 0 &&
    word.every((character, index) => (index % 2 ? character === "." : /^\p{L}$/u.test(character)))
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
