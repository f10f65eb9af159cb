// Small help on every page. Nothing here is needed to read: pages work without scripts.

import { copyButton } from "./lib/copying.js";
import { narrow } from "./lib/narrow.js";
import { suggest } from "./lib/suggest.js";
import { _ } from "./lib/words.js";

document.querySelectorAll("form[data-suggest]").forEach(suggest);
document.querySelectorAll(".facet details").forEach(narrow);

// Characters of what is copied that are read out with its button; of more, the heading above is.
const READ_OUT = 100;

/** What says which of several things a button copies. */
function whatIsCopied(element) {
  if (element.textContent.trim().length <= READ_OUT) return element;
  return element.closest("details")?.querySelector("summary") ?? element.closest("section")?.querySelector("h2");
}

/** Puts a button behind an element with `data-copy`; its value is copied, or the element's text if it is empty. */
function addCopyButton(element, number) {
  const button = copyButton(_("Copy"), { class: "copy" }, () => element.dataset.copy || element.textContent.trim());
  if (!button) return;
  const about = whatIsCopied(element);
  if (about) {
    about.id ||= `copied-${number}`;
    button.setAttribute("aria-describedby", about.id);
  }
  element.after(button);
}

document.querySelectorAll("[data-copy]").forEach(addCopyButton);

// On a phone the list of the site's parts is wider than the screen: where the reader is comes into view.
document.querySelector(".site-header nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && target instanceof HTMLTextAreaElement && target.form) {
    event.preventDefault();
    // requestSubmit, unlike submit, checks required fields and lets submit listeners run.
    target.form.requestSubmit();
  }
});
