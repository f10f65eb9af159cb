// "I have a copy": finds a document's passages in a copy that the reader has, without sending it anywhere.
//
// The page lists every passage as <li data-length data-rolling data-sha256>, without its words. A copy has other headers
// and other white space, so the positions that the page knows mean nothing in it: a worker (copy.js) searches it.

import { element } from "./lib/dom.js";
import { _ } from "./lib/words.js";

// More characters than any document; a file beyond it was dropped by mistake.
const LONGEST = 20_000_000;

// Milliseconds of work after which the page gets a turn: it must answer to the reader meanwhile.
const TURN = 15;

/** Does something with each, and leaves the page its turns; `false` as soon as it is `wanted` no more. */
async function each(things, wanted, something) {
  let turn = performance.now();
  for (const [index, thing] of things.entries()) {
    if (performance.now() - turn > TURN) {
      // After a frame was drawn: what was added so far is laid out now, and not all of it in the end.
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      if (!wanted()) return false;
      turn = performance.now();
    }
    something(thing, index);
  }
  return wanted();
}

function start(section) {
  const items = [...section.querySelectorAll("[data-sha256]")];
  const passages = items.map(({ dataset: { length, rolling, sha256 } }) => ({
    length: Number(length),
    rolling: parseInt(rolling, 16),
    sha256,
  }));
  const file = element("input", { type: "file", id: "copy-file", accept: ".txt,.md,text/*" });
  const text = element("textarea", { id: "copy-text", rows: 6, spellcheck: "false" });
  const compare = element("button", { type: "button" }, _("Compare"));
  const said = element("p", { class: "copy-result", role: "status" });
  const shown = element("div", { class: "copy-shown", hidden: true });
  section.querySelector(".copy-tool").replaceChildren(
    element("p", {}, element("label", { for: "copy-file" }, `${_("A file of yours")} `), file),
    element("p", {}, element("label", { for: "copy-text" }, _("or its text, pasted")), text),
    element("p", {}, compare),
    said,
    shown,
  );

  // Loaded with the page: when a copy is given, there is no request at all.
  const load = () => new Worker(section.dataset.copyCheck);
  let worker = load();
  let busy = false;
  let newest = 0;

  function check(raw) {
    // What was found in an earlier copy counts no more.
    newest += 1;
    const mine = newest;
    const wanted = () => mine === newest;
    if (busy) {
      worker.terminate();
      worker = load();
    }
    busy = false;
    shown.hidden = true;
    if (raw.length > LONGEST) {
      said.textContent = _("That is longer than any document; is it the right file?");
      return;
    }
    busy = true;
    said.textContent = _("Comparing: {share} %", { share: 0 });
    worker.onerror = () => {
      said.textContent = _("The comparison could not be started; load the page again.");
    };
    worker.onmessage = ({ data }) => {
      if ("share" in data) {
        said.textContent = _("Comparing: {share} %", { share: Math.round(data.share * 100) });
      } else {
        busy = false;
        result(data, wanted);
      }
    };
    worker.postMessage({ raw, passages });
  }

  async function result({ found, paragraphs }, wanted) {
    if (paragraphs.length === 0) {
      said.textContent = _("There is no text in it.");
      return;
    }
    const judged = await each(items, wanted, (item, index) => {
      const verdict = item.querySelector(".verdict") ?? item.appendChild(element("span"));
      verdict.className = `verdict ${found[index] ? "found" : "missing"}`;
      verdict.textContent = found[index] ? _("passage verified in your copy") : _("not found in your copy");
    });
    if (!judged) return;
    section.querySelector(".fingerprints").hidden = false;
    const copy = element("div", { class: "copy-text" });
    shown.replaceChildren(element("h3", {}, _("Your copy")), copy);
    shown.hidden = false;
    const whole = await each(paragraphs, wanted, (pieces) => copy.append(paragraph(pieces)));
    if (!whole) return;
    said.textContent = _("{found} of {all} passages verified in your copy. Nothing was sent anywhere.", {
      found: found.filter(Boolean).length,
      all: passages.length,
    });
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
    check(raw);
  });
}

/** A paragraph of the reader's copy with its verified passages marked. */
function paragraph(pieces) {
  const mark = ([words, depth]) => (depth > 0 ? element("mark", { class: `d${Math.min(depth, 3)}` }, words) : words);
  return element("p", {}, pieces.map(mark));
}

document.querySelectorAll("[data-copy-check]").forEach(start);
