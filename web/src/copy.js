// A worker of reader.js: finds a document's passages in a copy of its text, while the page goes on answering.
//
// Asked with `{ raw, passages }`, each passage `{ length, rolling, sha256 }`; it tells `{ share }` from 0 to 1 as it goes on
// and at last `{ found, paragraphs }`: for each passage whether it is there, and the copy's paragraphs as pieces
// `[text, depth]`, depth being the number of passages that cover the piece. No paragraphs: there is no text in it.
//
// The copy is normalised as the build normalises (lib/text.js); candidates are found by the rolling hash, and SHA-256
// confirms. SHA-256 is bundled, because browsers offer theirs on https and localhost only.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { candidates, content } from "./lib/text.js";

/** The offsets of each passage in a text, in the passages' order; `tell` is told the share from 0 to 1. */
function locate(characters, passages, tell) {
  const codePoints = Uint32Array.from(characters, (character) => character.codePointAt(0));
  const byLength = new Map();
  passages.forEach(({ length, rolling }, index) => {
    if (!byLength.has(length)) byLength.set(length, new Map());
    const byHash = byLength.get(length);
    byHash.set(rolling, [...(byHash.get(rolling) ?? []), index]);
  });
  const places = passages.map(() => []);
  let searched = 0;
  for (const [length, byHash] of byLength) {
    tell(searched / byLength.size);
    candidates(codePoints, length, new Set(byHash.keys()), (hash, at) => {
      const digest = bytesToHex(sha256(utf8ToBytes(characters.slice(at, at + length).join(""))));
      for (const index of byHash.get(hash)) if (passages[index].sha256 === digest) places[index].push(at);
    });
    searched += 1;
  }
  return places;
}

/** The paragraphs as pieces `[text, depth]`; where passages overlap, they are cut at each other's ends. */
function pieces(characters, starts, passages, places) {
  const steps = new Map(starts.map((at) => [at, 0]));
  const step = (at, by) => steps.set(at, (steps.get(at) ?? 0) + by);
  places.forEach((offsets, index) => {
    for (const at of offsets) {
      step(at, 1);
      step(at + passages[index].length, -1);
    }
  });
  const first = new Set(starts);
  const paragraphs = [];
  let depth = 0;
  let from = 0;
  for (const at of [...steps.keys(), characters.length].sort((a, b) => a - b)) {
    if (at > from) paragraphs.at(-1).push([characters.slice(from, at).join(""), depth]);
    if (first.has(at)) paragraphs.push([]);
    depth += steps.get(at) ?? 0;
    from = at;
  }
  return paragraphs;
}

globalThis.addEventListener("message", ({ data: { raw, passages } }) => {
  const { characters, starts } = content(raw);
  const places = locate(characters, passages, (share) => postMessage({ share }));
  postMessage({ found: places.map((offsets) => offsets.length > 0), paragraphs: pieces(characters, starts, passages, places) });
});
