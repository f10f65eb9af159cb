// What was asked before, kept by the reader's browser and nowhere else. Where the browser keeps nothing (private windows,
// storage switched off or full), it lasts as long as the page.

import { element } from "../dom.js";
import { _, language, number } from "../words.js";

const MOST = 50;
const LONGEST = 20_000; // characters of a query that is kept

/** The first line that says something: a title, or the beginning of the query itself. */
export function summary(query) {
  const title = /^#\s*title:\s*(\S.*)$/im.exec(query);
  if (title) return title[1];
  const body = query.replace(/^\s*(?:(?:PREFIX\s+\S*|BASE)\s+<[^>]*>|#.*)\s*/gim, "").replace(/\s+/g, " ").trim();
  return body.length > 120 ? `${body.slice(0, 119)}…` : body;
}

export class Past {
  #key;
  #asked = [];
  #list = element("ul");
  #title;
  #clear;
  #reopen;

  /** Fills `details`. `reopen(question)` is called when one of them is chosen, `address(question)` gives its link. */
  constructor(details, root, { reopen, address }) {
    this.#key = `kg:queries:${new URL(root).pathname}`;
    this.#reopen = reopen;
    this.address = address;
    const clear = element("button", { type: "button", click: () => this.clear() }, _("Clear"));
    this.#title = details.querySelector("summary");
    this.#clear = clear;
    details.append(this.#list, element("p", {}, clear, element("span", { class: "note" }, ` ${_("Only this browser keeps them.")}`)));
    this.#read();
    this.#show();
  }

  add(question) {
    if (question.query.length > LONGEST) return;
    // Another window may have added some.
    this.#read();
    const others = this.#asked.filter(({ question: other }) => JSON.stringify(other) !== JSON.stringify(question));
    this.#asked = [{ question, at: Date.now() }, ...others].slice(0, MOST);
    this.#write();
    this.#show();
  }

  clear() {
    this.#asked = [];
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // Then nothing is kept there.
    }
    this.#show();
    this.#title.focus();
  }

  #read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#key) ?? "null");
      if (Array.isArray(kept)) this.#asked = kept.filter(({ question }) => typeof question?.query === "string");
    } catch {
      // What this page has asked is still known.
    }
  }

  #write() {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#asked));
    } catch {
      // It lasts as long as the page.
    }
  }

  #show() {
    this.#title.querySelector(".count").textContent = number(this.#asked.length);
    const item = ({ question, at }) => {
      const click = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.#reopen(question);
      };
      const when = new Date(at);
      const time = element("time", { class: "note", datetime: when.toISOString() }, when.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" }));
      return element("li", {}, element("a", { href: this.address(question), click }, summary(question.query)), " ", time);
    };
    this.#list.replaceChildren(...this.#asked.map(item));
    this.#clear.hidden = this.#asked.length === 0;
  }
}
