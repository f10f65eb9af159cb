// "I have a copy": finds a document's passages in a copy that the reader has, without sending it anywhere.
//
// The page lists every passage as <li data-length data-rolling data-sha256>, without its words. The copy is normalised
// as the build normalises (lib/text.js); candidates are found by the rolling hash, and SHA-256 confirms. A copy has
// other headers and other white space, so the positions that the page knows mean nothing in it. SHA-256 is bundled,
// because browsers offer theirs on https and localhost only.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { candidates, content } from "./lib/text.js";
import { _ } from "./lib/words.js";

// More characters than any document; a file beyond it was dropped by mistake.
const LONGEST = 20_000_000;

// Milliseconds of work after which the page gets a turn: it must answer to the reader meanwhile.
const TURN = 30;

const pause = () => new Promise((resolve) => setTimeout(resolve));

/** Every place of every passage in a text: `Map` from the passage to its offsets; `done` is told the share from 0 to 1. */
async function locate(characters, passages, done) {
  const codePoints = Uint32Array.from(characters, (character) => character.codePointAt(0));
  const byLength = new Map();
  for (const passage of passages) {
    if (!byLength.has(passage.length)) byLength.set(passage.length, new Map());
    const byHash = byLength.get(passage.length);
    byHash.set(passage.rolling, [...(byHash.get(passage.rolling) ?? []), passage]);
  }
  const places = new Map(passages.map((passage) => [passage, []]));
  await pause();
  let turn = performance.now();
  let searched = 0;
  for (const [length, byHash] of byLength) {
    if (performance.now() - turn > TURN) {
      done(searched / byLength.size);
      await pause();
      turn = performance.now();
    }
    searched += 1;
    candidates(codePoints, length, new Set(byHash.keys()), (hash, at) => {
      const digest = bytesToHex(sha256(utf8ToBytes(characters.slice(at, at + length).join(""))));
      for (const passage of byHash.get(hash)) if (passage.sha256 === digest) places.get(passage).push(at);
    });
  }
  return places;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function start(section) {
  const passages = [...section.querySelectorAll("[data-sha256]")].map((item) => ({
    item,
    length: Number(item.dataset.length),
    rolling: parseInt(item.dataset.rolling, 16),
    sha256: item.dataset.sha256,
  }));
  const file = element("input", { type: "file", id: "copy-file", accept: ".txt,.md,text/*" });
  const text = element("textarea", { id: "copy-text", rows: 6, spellcheck: false });
  const compare = element("button", { type: "button", textContent: _("Compare") });
  const said = element("p", { className: "copy-result" });
  said.setAttribute("role", "status");
  const shown = element("div", { className: "copy-shown", hidden: true });
  section.querySelector(".copy-tool").replaceChildren(
    element("p", {}, element("label", { htmlFor: "copy-file", textContent: _("A file of yours") + " " }), file),
    element("p", {}, element("label", { htmlFor: "copy-text", textContent: _("or its text, pasted") }), text),
    element("p", {}, compare),
    said,
    shown,
  );

  let newest = 0;

  async function check(raw) {
    newest += 1;
    const mine = newest;
    shown.hidden = true;
    if (raw.length > LONGEST) {
      said.textContent = _("That is longer than any document; is it the right file?");
      return;
    }
    const { characters, starts } = content(raw);
    if (characters.length === 0) {
      said.textContent = _("There is no text in it.");
      return;
    }
    await pause();
    const places = await locate(characters, passages, (share) => {
      said.textContent = _("Comparing: {share} %", { share: Math.round(share * 100) });
    });
    // Another copy was given meanwhile: its result counts.
    if (mine !== newest) return;
    let found = 0;
    for (const [passage, offsets] of places) {
      const verdict = passage.item.querySelector(".verdict") ?? passage.item.appendChild(element("span"));
      verdict.className = `verdict ${offsets.length > 0 ? "found" : "missing"}`;
      verdict.textContent = offsets.length > 0 ? _("passage verified in your copy") : _("not found in your copy");
      found += offsets.length > 0 ? 1 : 0;
    }
    section.querySelector(".fingerprints").hidden = false;
    await pause();
    if (mine !== newest) return;
    said.textContent = _("{found} of {all} passages verified in your copy. Nothing was sent anywhere.", {
      found,
      all: passages.length,
    });
    show(shown, characters, starts, places);
  }

  compare.addEventListener("click", () => check(text.value));
  file.addEventListener("change", async () => {
    if (file.files.length === 0) return;
    let raw;
    try {
      // As the build reads: UTF-8, and nothing that merely looks like it.
      raw = new TextDecoder("utf-8", { fatal: true }).decode(await file.files[0].arrayBuffer());
    } catch {
      said.textContent = _("That file is not text in UTF-8.");
      return;
    }
    await check(raw);
  });
}

/** The reader's own copy, paragraph by paragraph, with every verified passage marked; overlaps are cut at each other's ends. */
function show(shown, characters, starts, places) {
  const edges = new Map(starts.map((at) => [at, []]));
  const note = (at, step, passage) => {
    if (!edges.has(at)) edges.set(at, []);
    edges.get(at).push([step, passage]);
  };
  for (const [passage, offsets] of places) {
    for (const at of offsets) {
      note(at, 1, passage);
      note(at + passage.length, -1, passage);
    }
  }
  const blocks = new Set(starts);
  const paragraphs = [];
  const open = new Set();
  let from = 0;
  for (const at of [...edges.keys(), characters.length].sort((a, b) => a - b)) {
    const piece = characters.slice(from, at).join("");
    if (piece !== "") {
      paragraphs.at(-1).append(
        open.size > 0 ? element("mark", { className: `d${Math.min(open.size, 3)}`, textContent: piece }) : piece,
      );
    }
    if (blocks.has(at)) paragraphs.push(element("p"));
    for (const [step, passage] of edges.get(at) ?? []) {
      if (step > 0) open.add(passage);
      else open.delete(passage);
    }
    from = at;
  }
  shown.replaceChildren(
    element("h3", { textContent: _("Your copy") }),
    element("div", { className: "copy-text" }, ...paragraphs),
  );
  shown.hidden = false;
}

document.querySelectorAll("[data-copy-check]").forEach(start);
