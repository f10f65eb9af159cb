// The editor at /query. Everything here makes the form that the page already has more comfortable; without scripts the
// form asks and the server answers with a page.

import { element } from "./lib/dom.js";
import { ask, fits, ordered, parameters, Problem } from "./lib/query/answer.js";
import { sources, Terms } from "./lib/query/completion.js";
import { editor as makeEditor } from "./lib/query/editor.js";
import { Namespaces } from "./lib/query/namespaces.js";
import { Names } from "./lib/query/names.js";
import { Past } from "./lib/query/past.js";
import { formOf } from "./lib/query/tokens.js";
import { shownAnswer, shownProblem } from "./lib/query/shown.js";
import { _, language, ngettext, number } from "./lib/words.js";

// Set while this script runs for the first time, and only then.
const { nonce } = document.currentScript;
const page = document.querySelector(".query-page");
const form = page.querySelector(".query-form");
const field = form.elements.namedItem("query");
const footnotes = form.elements.namedItem("evidence");
const answers = page.querySelector(".answers");
const data = JSON.parse(document.querySelector(".query-data").textContent);
const root = new URL("./", form.action).href;
const at = (path) => new URL(path, root).href;
const DATASET = ["default-graph-uri", "named-graph-uri"];

const namespaces = new Namespaces(root);
const names = new Names(at("query/names.json"), root, data.language, (iri) => namespaces.shorten(iri, "").text);
const known = fetch(at("query/terms.json"))
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(response.statusText))))
  .then((found) => {
    namespaces.learn(found);
    return new Terms(found);
  })
  // The editor works without; only the terms are not offered.
  .catch(() => null);

async function search(text, limit, signal) {
  const address = `${at("search.json")}?${new URLSearchParams({ q: text, limit, lang: data.language })}`;
  try {
    const response = await fetch(address, { signal });
    return response.ok ? (await response.json()).results : [];
  } catch {
    // The next key was pressed, or there is no network.
    return [];
  }
}

// What is asked, and its address

/** The question that the form holds, by the names of the protocol's parameters. */
function question() {
  const fields = new FormData(form);
  const asked = { query: field.value };
  if (footnotes.checked) asked.evidence = "true";
  for (const name of DATASET) if (fields.has(name)) asked[name] = fields.getAll(name);
  return asked;
}

/** What the endpoint is asked: footnotes belong to rows, and only SELECT has rows. */
function toEndpoint(asked) {
  const { evidence, ...rest } = asked;
  return evidence && formOf(asked.query) === "SELECT" ? asked : rest;
}

/** The link that asks the same again; a long query stands behind the #, which browsers keep to themselves. */
function link(asked, view = "table") {
  const wanted = parameters(view === "table" ? asked : { ...asked, view });
  return `${at("query")}${fits(asked) ? "?" : "#"}${wanted}`;
}

function linked() {
  const { search: query, hash } = location;
  return new URLSearchParams(hash.includes("query=") ? hash.slice(1) : query);
}

/** Puts a question into the form. */
function load(asked) {
  if (editor.text !== asked.query) editor.text = asked.query;
  footnotes.checked = asked.evidence === "true";
  for (const input of form.querySelectorAll("[type=hidden]")) input.remove();
  const inputs = DATASET.flatMap((name) => [asked[name] ?? []].flat().map((value) => element("input", { type: "hidden", name, value })));
  form.append(...inputs);
}

// The page

const status = page.querySelector(".query-status");
const elapsed = element("span", { class: "elapsed", "aria-hidden": "true" });
const stop = element("button", { type: "button", class: "stop", hidden: true, click: () => running?.abort() }, _("Stop"));
const past = new Past(page.querySelector(".past"), root, { reopen: (asked) => open(asked), address: (asked) => link(asked) });

const editor = makeEditor(field, {
  nonce,
  labels: { name: "query-label", help: "query-help" },
  completions: sources({ terms: known, namespaces, search }),
  run: () => form.requestSubmit(),
  changed: () => {
    editor.mark(null);
    keep();
  },
});
document.querySelector("#query-label").addEventListener("click", () => editor.focus());
form.querySelector(".long").remove();
form.querySelector(".run").after(" ", stop, elapsed);

// Asking

let running = null;

function say(text) {
  status.textContent = text;
}

function busy(controller) {
  const started = performance.now();
  stop.hidden = false;
  answers.setAttribute("aria-busy", "true");
  const clock = setInterval(() => {
    elapsed.textContent = `${Math.round((performance.now() - started) / 1000)} s`;
  }, 1000);
  return () => {
    clearInterval(clock);
    if (running !== controller) return;
    running = null;
    elapsed.textContent = "";
    if (document.activeElement === stop) form.querySelector(".run").focus();
    stop.hidden = true;
    answers.removeAttribute("aria-busy");
  };
}

async function run(view = "") {
  const asked = question();
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const done = busy(controller);
  const address = link(asked, view || "table");
  if (address !== location.href) history.pushState(null, "", address);
  editor.mark(null);
  say(_("Running …"));
  past.add(asked);
  try {
    const answer = await ask(at("sparql"), toEndpoint(asked), controller.signal, (rows) => {
      if (rows > 0) elapsed.textContent = _("{count} rows so far", { count: number(rows) });
    });
    if (running === controller) await show(answer, asked, view);
  } catch (error) {
    if (running !== controller) return;
    if (error.name === "AbortError") say(_("Stopped."));
    else if (error instanceof Problem) refuse(error);
    else throw error;
  } finally {
    done();
  }
}

async function show(answer, asked, view) {
  const many = answer.rows ? howMany(answer) : answer.boolean ? _("Yes") : _("No");
  const taken = answer.seconds === undefined ? many : _("{answer} in {time}", { answer: many, time: inSeconds(answer.seconds) });
  await shownAnswer(answers, ordered(answer, asked.query), {
    names,
    formats: data.formats[answer.form],
    endpoint: at("sparql"),
    asked: toEndpoint(asked),
    address: () => location.href,
    view,
    map: { script: at(data.map[0]), style: at(data.map[1]), land: at("map/basemap.json") },
    chosen: (other) => history.replaceState(null, "", link(asked, other)),
  });
  say(answer.broken ? `${taken}; ${_("then the connection ended")}` : taken);
}

function howMany({ rows, more }) {
  if (more) return ngettext("The first {count} row", "The first {count} rows", rows.length);
  return ngettext("{count} row", "{count} rows", rows.length);
}

function inSeconds(seconds) {
  const places = seconds < 0.095 ? 2 : seconds < 9.95 ? 1 : 0;
  return `${Math.max(seconds, 0.01).toLocaleString(language, { minimumFractionDigits: places, maximumFractionDigits: places })} s`;
}

/** A syntax error where it is: the engine says how far it came, the editor's grammar which word has no place. */
function located(problem) {
  const fault = problem.line && problem.message.startsWith("syntax error") ? editor.fault() : null;
  if (!fault) return problem;
  const { word, line, column } = fault;
  const detail = word ? _("syntax error: “{word}” cannot stand here", { word }) : _("syntax error: the query ends too early");
  return new Problem({ title: problem.title, detail, line, column, language: "" });
}

/** Says what is wrong, at its place, and how it may be mended. */
function refuse(refusal) {
  const problem = located(refusal);
  const fixes = mendings(problem);
  editor.mark(problem, fixes);
  say("");
  shownProblem(answers, problem, {
    go: () => {
      editor.mark(problem, fixes);
      editor.focus();
    },
    fixes: fixes.map(({ name, change }) => ({
      name: _("{change} and run", { change: name }),
      apply: () => {
        editor.view.dispatch({ changes: change });
        run();
      },
    })),
  });
}

/** A prefix that is used, not declared, and known here can be declared. */
function mendings({ message }) {
  const prefix = /^the prefix (\S*): is not declared$/.exec(message)?.[1];
  const namespace = namespaces.known.get(prefix);
  if (namespace === undefined) return [];
  return [{ name: _("Declare {prefix}:", { prefix }), change: namespaces.declaration(prefix, namespace, editor.text) }];
}

function open(asked, view = "") {
  load(asked);
  run(view);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});

page.querySelector(".questions").addEventListener("click", (event) => {
  const chosen = event.target.closest("li > a[href*='query?']");
  if (!chosen || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const asked = question();
  open({ ...asked, query: new URL(chosen.href).searchParams.get("query") });
  page.scrollIntoView({ block: "start" });
});

addEventListener("popstate", () => {
  const wanted = linked();
  if (wanted.has("query")) open(asking(wanted), wanted.get("view") ?? "");
});

/** The question of a link. */
function asking(wanted) {
  const asked = { query: wanted.get("query") };
  if (wanted.get("evidence") === "true") asked.evidence = "true";
  for (const name of DATASET) if (wanted.has(name)) asked[name] = wanted.getAll(name);
  return asked;
}

// What was written and not yet asked, as long as the tab is open

const DRAFT = `kg:draft:${new URL(root).pathname}`;
let keeping = 0;

function keep() {
  clearTimeout(keeping);
  keeping = setTimeout(() => {
    try {
      sessionStorage.setItem(DRAFT, editor.text);
    } catch {
      // Then it is lost when the page is.
    }
  }, 300);
}

function draft() {
  try {
    return sessionStorage.getItem(DRAFT);
  } catch {
    return null;
  }
}

// The page as it came: with an answer, with a problem, with a question behind the #, or new.

if (data.answer) {
  const { boolean, vars, rows, more, note } = data.answer;
  const answer = boolean === undefined
    ? { form: data.form === "SELECT" ? "SELECT" : "graph", names: vars, rows, more, note }
    : { form: "ASK", boolean };
  show(answer, question(), linked().get("view") ?? "");
} else if (data.problem) {
  refuse(new Problem(data.problem));
} else if (location.hash.includes("query=")) {
  open(asking(linked()), linked().get("view") ?? "");
} else if (draft()) {
  editor.text = draft();
}
