// A field above a long list of links that leaves those which have what is typed. Without scripts the list is whole.

import { element } from "./dom.js";
import { _, ngettext } from "./words.js";

// With fewer than this there is nothing to look for.
const FEW = 5;
const MARKS = /\p{M}/gu;

/** A text as it is compared: without case and diacritics, as far as these are marks of their own. */
function folded(text) {
  return text.normalize("NFKD").replace(MARKS, "").toLowerCase();
}

/** Puts the field into an element that holds one list. */
export function narrow(holder) {
  const list = holder.querySelector("ul");
  const items = [...list.children].map((item) => [item, folded(item.querySelector("a").textContent)]);
  if (items.length < FEW) return;
  const called = _("Find among these");
  const field = element("input", { type: "search", dir: "auto", placeholder: called, "aria-label": called });
  const said = element("span", { class: "unseen", role: "status" });
  list.before(field, said);
  field.addEventListener("input", () => {
    const wanted = folded(field.value).split(/\s+/).filter(Boolean);
    let left = 0;
    for (const [item, text] of items) {
      item.hidden = !wanted.every((word) => text.includes(word));
      if (!item.hidden) left += 1;
    }
    said.textContent = ngettext("{count} of them is left", "{count} of them are left", left);
  });
}
