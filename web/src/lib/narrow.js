// A field above a long list of links that leaves those which have what is typed. Without scripts the list is whole.

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
  const field = document.createElement("input");
  const said = document.createElement("span");
  field.type = "search";
  field.dir = "auto";
  field.placeholder = _("Find among these");
  field.setAttribute("aria-label", _("Find among these"));
  said.className = "unseen";
  said.setAttribute("role", "status");
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
