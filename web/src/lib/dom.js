// Elements made from parts. Text goes in as text nodes and nothing is ever parsed as HTML: it may be the data's.

const SVG = "http://www.w3.org/2000/svg";

function filled(made, attributes, parts) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...parts.flat(Infinity).filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

/** An HTML element. A function among the attributes listens to the event of that name; `null` and `false` leave one out. */
export function element(name, attributes = {}, ...parts) {
  return filled(document.createElement(name), attributes, parts);
}

/** An element of SVG, the same way. */
export function drawn(name, attributes = {}, ...parts) {
  return filled(document.createElementNS(SVG, name), attributes, parts);
}
