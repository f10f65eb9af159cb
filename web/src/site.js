// Small help on every page. Nothing here is needed to read: pages work without scripts.

import { narrow } from "./lib/narrow.js";
import { suggest } from "./lib/suggest.js";
import { _ } from "./lib/words.js";

document.querySelectorAll("form[data-suggest]").forEach(suggest);
document.querySelectorAll(".facet details").forEach(narrow);

// How long the button says that it worked, in milliseconds.
const CONFIRM = 2000;

// Characters of what is copied that are read out with its button; of more, the heading above is.
const READ_OUT = 100;

/** What says which of several things a button copies. */
function whatIsCopied(element) {
  if (element.textContent.trim().length <= READ_OUT) return element;
  return element.closest("details")?.querySelector("summary") ?? element.closest("section")?.querySelector("h2");
}

/** Puts a button behind an element with `data-copy`; its value is copied, or the element's text if it is empty. */
function addCopyButton(element, number) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = _("Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(element.dataset.copy || element.textContent.trim());
      button.textContent = _("Copied");
    } catch {
      // The reader may have denied access to the clipboard.
      button.textContent = _("Copying is not allowed");
    }
    setTimeout(() => {
      button.textContent = _("Copy");
    }, CONFIRM);
  });
  const about = whatIsCopied(element);
  if (about) {
    about.id ||= `copied-${number}`;
    button.setAttribute("aria-describedby", about.id);
  }
  // Screen readers hear the outcome without moving to the button.
  button.setAttribute("aria-live", "polite");
  element.after(button);
}

// The clipboard exists on https and localhost only; elsewhere a button would do nothing, so there is none.
if (navigator.clipboard) {
  document.querySelectorAll("[data-copy]").forEach(addCopyButton);
}

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
