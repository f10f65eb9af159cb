// Suggestions while typing in a search field: a combobox with a list, as the ARIA Authoring Practices describe it
// ("editable combobox with list autocomplete"; nothing is chosen until the reader moves to it).
//
// The form works without any of this. Suggestions are asked from the form's own address, as JSON.

import { element } from "./dom.js";
import { _ } from "./words.js";

// Milliseconds without a key before the server is asked: a quick typist asks once.
const PAUSE = 120;
const MOST = 8;
const KINDS = { thing: _("Thing"), claim: _("Claim"), document: _("Document"), term: _("Term") };

let forms = 0;

export function suggest(form) {
  const field = form.elements.namedItem("q");
  const address = new URL(form.action);
  const root = new URL("./", address);
  const id = `suggestions-${(forms += 1)}`;
  const list = element("ul", { id, class: "suggestions", role: "listbox", "aria-label": _("Suggestions"), hidden: true });
  const said = element("span", { class: "unseen", role: "status" });
  // A search field has a role of its own that no other may replace (ARIA in HTML).
  field.type = "text";
  field.enterKeyHint = "search";
  for (const [name, value] of Object.entries({
    role: "combobox",
    autocomplete: "off",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
  })) {
    field.setAttribute(name, value);
  }
  const around = element("span", { class: "combobox" });
  field.replaceWith(around);
  around.append(field, list, said);

  let active = -1;
  let waiting = 0;
  let asking = new AbortController();

  const options = () => [...list.children];

  function close() {
    clearTimeout(waiting);
    asking.abort();
    list.hidden = true;
    activate(-1);
    field.setAttribute("aria-expanded", "false");
  }

  function activate(index) {
    active = index;
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    if (index < 0) {
      field.removeAttribute("aria-activedescendant");
    } else {
      field.setAttribute("aria-activedescendant", options()[index].id);
      options()[index].scrollIntoView({ block: "nearest" });
    }
  }

  /** A page's address, in the language that the reader has chosen. */
  function pageOf(result) {
    const page = new URL(result.page, root);
    const language = form.elements.namedItem("lang");
    if (language) page.searchParams.set("lang", language.value);
    return page.href;
  }

  function option(result, index) {
    const { label, language, matched, kind } = result;
    return element(
      "li",
      { id: `${id}-${index}`, role: "option", "aria-selected": "false", "data-href": pageOf(result) },
      element("bdi", { lang: language || null }, label),
      matched && [" ", element("bdi", { class: "note", lang: matched.language || null }, matched.label)],
      " ",
      element("span", { class: "note kind" }, KINDS[kind]),
    );
  }

  function show(found) {
    list.replaceChildren(...found.results.map(option));
    list.hidden = found.results.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    activate(-1);
    const count = found.results.length;
    said.textContent = count === 0 ? _("No suggestions") : _("Suggestions: {count}", { count });
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const text = field.value.trim();
    if (text === "") return close();
    const wanted = new URL(`${address.pathname}.json`, address);
    const language = form.elements.namedItem("lang");
    wanted.search = new URLSearchParams({ q: text, limit: MOST, ...(language ? { lang: language.value } : {}) });
    try {
      const answer = await fetch(wanted, { signal: asking.signal });
      if (answer.ok && document.activeElement === field) show(await answer.json());
    } catch {
      // Aborted by the next key, or no network: the form still searches.
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = options().length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden) {
      event.preventDefault();
      // What the reader moves in stays: a later answer would take away what was chosen.
      clearTimeout(waiting);
      asking.abort();
      // From the field to the first or the last, and back to the field behind the other end.
      activate(((active + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "ArrowDown" && event.altKey === false && field.value.trim() !== "") {
      event.preventDefault();
      ask();
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      location.assign(options()[active].dataset.href);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  // Before the field loses the focus, which would close the list under the pointer.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const chosen = event.target.closest("[role=option]");
    if (chosen) location.assign(chosen.dataset.href);
  });
}
