// The text field as an editor: CodeMirror 6 with SPARQL's grammar. The text field stays, hidden, and always has the text,
// so that the form it belongs to works as it did.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentService, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import {
  drawSelection,
  dropCursor,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { styleTags, tagHighlighter, tags } from "@lezer/highlight";
import { SparqlLanguage } from "codemirror-lang-sparql";

import { element } from "../dom.js";
import { depthAfter } from "./tokens.js";

// Names of classes; what they look like stands in style/editor.css.
const COLOURS = tagHighlighter([
  { tag: tags.keyword, class: "q-keyword" },
  { tag: tags.variableName, class: "q-variable" },
  { tag: [tags.string, tags.annotation], class: "q-string" },
  { tag: [tags.number, tags.bool], class: "q-number" },
  { tag: tags.comment, class: "q-comment" },
  { tag: [tags.namespace, tags.url, tags.typeName], class: "q-name" },
]);

// What the grammar leaves without a colour.
const SPARQL = SparqlLanguage.configure({
  props: [
    styleTags({
      "Pname_ns Pname_ln": tags.namespace,
      A_predicate: tags.keyword,
      Langtag: tags.annotation,
      "IntegerPositive DecimalPositive DoublePositive IntegerNegative DecimalNegative DoubleNegative": tags.number,
    }),
  ],
});

// Columns a line goes in for each bracket that is open; a query that somebody is writing is too broken for its grammar.
const INDENT = 2;
const INDENTS = indentService.of((context, at) => {
  const closes = /^\s*[}\])]/.test(context.textAfterPos(at));
  return Math.max(0, depthAfter(context.state.sliceDoc(0, at)) - (closes ? 1 : 0)) * INDENT;
});

// Chrome keeps the looks of text that is typed over, as a style attribute that the page's policy refuses, and complains.
// So what replaces a selection is put there by CodeMirror.
const REPLACING = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main } = view.state.selection;
    if (event.inputType !== "insertText" || !event.data || main.empty || view.composing) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, event.data, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

// What stands behind a suggestion, for those who do not know its colour.
const KINDS = { class: "class", property: "property", thing: "thing", document: "document", term: "term", namespace: "prefix" };

/** The kind of a suggestion as CodeMirror draws it. */
function kindOf({ type }) {
  if (!KINDS[type]) return null;
  return element("span", { class: "q-kind" }, KINDS[type]);
}

/** `run` is called by Ctrl+Enter (Cmd+Enter), `changed` after each change; `labels`: ids of what names the editor. */
export function editor(field, { nonce, labels, completions, run, changed }) {
  const view = new EditorView({
    state: EditorState.create({
      doc: field.value,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (run(), true) }])),
        lineNumbers(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        dropCursor(),
        EditorState.allowMultipleSelections.of(true),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        REPLACING,
        EditorView.lineWrapping,
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({
          "aria-labelledby": labels.name,
          "aria-describedby": labels.help,
          autocapitalize: "off",
          spellcheck: "false",
        }),
        new LanguageSupport(SPARQL, [SPARQL.data.of({ commentTokens: { line: "#" }, indentOnInput: /^\s*[}\])]$/ }), INDENTS]),
        syntaxHighlighting(COLOURS),
        autocompletion({
          override: completions,
          icons: false,
          // Milliseconds that suggestions wait for those that are searched for, so that the list does not jump.
          updateSyncTime: 200,
          tooltipClass: () => "q-completion",
          optionClass: ({ type }) => `q-${type}`,
          addToOptions: [{ render: kindOf, position: 90 }],
        }),
        // Tab is not among the keys: it leaves the editor, as it leaves every field.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          field.value = update.state.doc.toString();
          changed();
        }),
      ],
    }),
  });
  field.hidden = true;
  field.required = false;
  field.before(view.dom);

  return {
    view,
    focus: () => view.focus(),
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
    },
    /** The first word that SPARQL's grammar has no place for: { line, column, word }, or null. `word` is "" at the end. */
    fault() {
      const { doc } = view.state;
      let from = -1;
      SPARQL.parser.parse(doc.toString()).iterate({
        enter: (node) => {
          if (node.type.isError && from < 0) from = node.from;
          return from < 0;
        },
      });
      if (from < 0) return null;
      const rest = doc.sliceString(from);
      const at = from + rest.length - rest.trimStart().length;
      const line = doc.lineAt(at);
      const word = /^(?:[?$]?[\p{L}\p{N}_:.-]+|.)?/su.exec(doc.sliceString(at))[0];
      return { line: line.number, column: [...line.text.slice(0, at - line.from)].length + 1, word };
    },
    /** Marks what is wrong where a problem says so, and puts the cursor there. `fixes`: { name, change } that mend it. */
    mark(problem, fixes = []) {
      const found = problem?.line ? [diagnostic(view.state.doc, problem, fixes)] : [];
      view.dispatch(setDiagnostics(view.state, found));
      if (found.length > 0) view.dispatch({ selection: { anchor: found[0].from }, scrollIntoView: true });
    },
  };
}

/** A problem as CodeMirror marks it: at least one character, at most one word. */
function diagnostic(doc, { line, column, message }, fixes) {
  const at = doc.line(Math.min(line, doc.lines));
  // Columns count characters; JavaScript counts the halves of those beyond U+FFFF.
  const ahead = [...at.text].slice(0, (column ?? 1) - 1).join("").length;
  let from = Math.min(at.from + ahead, at.to);
  const word = /^[^\s{}()[\],;]+/.exec(doc.sliceString(from, at.to))?.[0] ?? "";
  let to = from + Math.max(word.length, 1);
  if (to > doc.length || from === at.to) {
    to = Math.max(at.to, Math.min(1, doc.length));
    from = Math.max(to - 1, 0);
  }
  const actions = fixes.map(({ name, change }) => ({
    name,
    apply: (view) => view.dispatch({ changes: change, userEvent: "input.fix" }),
  }));
  return { from, to, severity: "error", message, actions };
}
