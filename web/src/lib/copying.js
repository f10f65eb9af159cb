// A button that copies a text, and says whether it could.

import { element } from "./dom.js";
import { _ } from "./words.js";

// How long it says so, in milliseconds.
const CONFIRM = 2000;

/** The button; `text()` gives what is copied. None where there is no clipboard, which browsers have on https and localhost only. */
export function copyButton(label, attributes, text) {
  if (!navigator.clipboard) return null;
  async function click() {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = _("Copied");
    } catch {
      // The reader may have denied access to the clipboard.
      button.textContent = _("Copying is not allowed");
    }
    setTimeout(() => {
      button.textContent = label;
    }, CONFIRM);
  }
  // Screen readers hear the outcome without moving to the button.
  const button = element("button", { type: "button", "aria-live": "polite", ...attributes, click }, label);
  return button;
}
