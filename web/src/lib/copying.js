// A button that copies a text, and says whether it could.

import { element } from "./dom.js";
import { _ } from "./words.js";

// How long it says so, in milliseconds.
const CONFIRM = 2000;

/** The button; `text()` gives what is copied, at once or later. None where there is no clipboard, which browsers have on https and localhost only. */
export function copyButton(label, attributes, text) {
  if (!navigator.clipboard) return null;
  async function click() {
    try {
      // Given as a promise: a text that comes later would come without the click that allows it.
      const blob = Promise.resolve(text()).then((found) => new Blob([found], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
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
