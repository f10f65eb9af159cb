// The ways in which an answer can be looked at, as tabs: a table always, and what its columns suit.

import { element } from "../dom.js";
import * as chart from "./chart.js";
import * as places from "./places.js";
import { mentioned, STEP, Table } from "./table.js";
import * as times from "./times.js";
import { _ } from "../words.js";

const TABLE = "table";
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
// What else there is: name, heading, and the module that says what suits and draws it.
const OTHERS = [["map", _("Map"), places], ["timeline", _("Timeline"), times], ["chart", _("Chart"), chart]];

/** Fills a holder with the views of an answer, and the bar above it with their tabs and with what the table can be asked
 *  for. `chosen(view)` is told which one is looked at. Resolves when it is drawn. */
export async function views(holder, answer, names, { bar, map, wanted, chosen }) {
  // The table needs them in any case, and a map can be made of things that have a place.
  await names.load(mentioned(answer, answer.rows.slice(0, STEP)));
  const table = new Table(answer, names);
  const choice = table.choice();
  const found = [{ view: TABLE, title: _("Table"), draw: (panel) => table.draw(panel) }];
  for (const [view, title, module] of OTHERS) {
    const made = module.suits(answer, names);
    if (made) found.push({ view, title, draw: (panel) => module.draw(panel, answer, names, made, map) });
  }
  const panels = found.map(() => element("div", { class: "view" }));
  const looked = (view) => {
    choice.hidden = view !== TABLE;
  };
  const tabs = found.length > 1 ? tablist(found, panels, { looked, chosen }) : null;
  bar.append(tabs?.list ?? "", choice);
  const first = Math.max(0, found.findIndex(({ view }) => view === wanted));
  // What stood there before stays until there is something in its place.
  if (!tabs) {
    await found[0].draw(panels[0]);
    holder.replaceChildren(panels[0]);
    return;
  }
  // The table asks for names; maps must be in the page, and seen, when they are drawn.
  if (first === 0) await tabs.select(0);
  holder.replaceChildren(...panels);
  if (first > 0) await tabs.select(first);
}

/** Tabs as the ARIA Authoring Practices describe them; a panel is drawn when it is first looked at. */
function tablist(found, panels, { looked, chosen }) {
  const drawn = new Set();
  const buttons = found.map(({ view, title }, at) => {
    panels[at].id = `view-${view}`;
    panels[at].hidden = true;
    panels[at].setAttribute("role", "tabpanel");
    panels[at].setAttribute("aria-labelledby", `tab-${view}`);
    const click = () => {
      select(at);
      chosen(view);
    };
    return element("button", { type: "button", role: "tab", id: `tab-${view}`, "aria-controls": `view-${view}`, click }, title);
  });

  async function select(at) {
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", String(other === at));
      button.tabIndex = other === at ? 0 : -1;
      panels[other].hidden = other !== at;
    });
    looked(found[at].view);
    if (drawn.has(at)) return;
    drawn.add(at);
    try {
      await found[at].draw(panels[at]);
    } catch (error) {
      drawn.delete(at);
      panels[at].replaceChildren(element("p", { class: "note" }, _("This cannot be drawn: {reason}", { reason: error.message })));
    }
  }

  const keydown = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  };
  const list = element("div", { class: "tabs", role: "tablist", "aria-label": _("Ways to look at the answer"), keydown }, buttons);
  return { list, select };
}
