/* CodeMirror as the bench uses it: YAML, Vim keys, what the API's schemas say, and the keys that leave it. Loaded when the editor is first opened.

   Styles: CodeMirror puts a <style> with the page's nonce into the head; everything else stands in css/editor.css. */

import {
  Compartment, EditorState, EditorView, HighlightStyle, Prec, StateEffect, Vim, acceptCompletion, autocompletion, bracketMatching, closeBrackets, completionKeymap,
  defaultKeymap, diagnosticCount, drawSelection, foldGutter, foldKeymap, highlightActiveLine, highlightActiveLineGutter, highlightSelectionMatches,
  highlightSpecialChars, history, historyKeymap, hoverTooltip, indentLess, indentMore, indentOnInput, indentUnit, keymap, lineNumbers, lintGutter, lintKeymap,
  linter, nextDiagnostic, rectangularSelection, search, searchKeymap, startCompletion, syntaxHighlighting, tags, tooltips, vim, yaml,
} from '../vendor/editor.js';
import { h } from './dom.js';
import { kindAt, mapAt, placeAt, problems, resolved, schemaAt, siblings, typesOf } from './editor-yaml.js';
import { t } from './strings.js';

const LINT_MS = 350;
const LEAVE_MS = 2000;
const refresh = StateEffect.define();

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], class: 'cx-key' },
  { tag: [tags.string, tags.special(tags.string)], class: 'cx-string' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: 'cx-atom' },
  { tag: [tags.comment, tags.lineComment], class: 'cx-comment' },
  { tag: [tags.keyword, tags.meta, tags.labelName, tags.typeName, tags.separator, tags.punctuation], class: 'cx-mark' },
  { tag: tags.invalid, class: 'cx-bad' },
]);

const SEARCH = ['Find', 'Replace', 'next', 'previous', 'all', 'match case', 'regexp', 'by word', 'replace all', 'close', 'current match', 'replaced $ matches',
  'replaced match on line $', 'on line', 'Diagnostics', 'No diagnostics', 'Completions', 'Folded lines', 'Unfolded lines', 'Fold line', 'Unfold line', 'folded code', 'unfold', 'to', 'Control character'];

/* CodeMirror's own words; a phrase that is not here stays English. */
function phrases() {
  return Object.fromEntries([...SEARCH, 'replace'].map((phrase) => [phrase, t(`cm.${phrase.toLowerCase().replaceAll(/[^a-z]+/g, '-').replace(/-$/, '')}`)]));
}

/* The keys of Vim that concern the file are the pane's; Vim is one for all editors of a page. */
let present = null;
function command(name, short, act) {
  Vim.defineEx(name, short, (cm, params) => present && act(present.hooks, (params.argString ?? '').trim() === '!'));
}
command('write', 'w', (hooks, bang) => hooks.save({ force: bang }));
command('wq', 'wq', (hooks, bang) => hooks.save({ force: bang, leave: true }));
command('xit', 'x', (hooks, bang) => hooks.save({ force: bang, leave: true }));
command('quit', 'q', (hooks, bang) => hooks.close(bang));
/* commands of normal mode on a keyboard that writes Korean (two-set layout) */
Vim.langmap('ㅁa,ㅠb,ㅊc,ㅇd,ㄷe,ㄹf,ㅎg,ㅗh,ㅑi,ㅓj,ㅏk,ㅣl,ㅡm,ㅜn,ㅐo,ㅔp,ㅂq,ㄱr,ㄴs,ㅅt,ㅕu,ㅍv,ㅈw,ㅌx,ㅛy,ㅋz,ㅃQ,ㅉW,ㄸE,ㄲR,ㅆT,ㅒO,ㅖP');
Vim.map('ZZ', ':wq<CR>', 'normal');
Vim.map('ZQ', ':q!<CR>', 'normal');

export class CodeView {
  /** `hooks`: {save({leave, force}), close(force), changed(), counted(n), outlines: {outlineOf, describe, kinds}}. */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
    this.vimKeys = new Compartment();
    this.nonce = EditorView.cspNonce.of(document.getElementById('csp-nonce')?.nonce ?? '');
    this.view = new EditorView({ parent: host, extensions: [this.nonce] });
    present = this;
  }

  dispose() {
    if (present === this) present = null;
    this.view.destroy();
  }

  /** A text takes the place of what was there, with a fresh undo history. */
  open(text, { label, kubernetes, vimKeys, readOnly = false }) {
    present = this;
    /* what has both kinds of line ends keeps its carriage returns as characters */
    this.eol = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
    const describes = { tabindex: '0', 'aria-label': label, 'aria-describedby': 'edit-hint', autocapitalize: 'off', autocorrect: 'off', spellcheck: 'false' };
    this.view.setState(EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(EditorView.domEventHandlers({ keydown: (event, view) => this.key(event, view) })),
        this.vimKeys.of(vimKeys ? vim({ status: true }) : []),
        EditorState.lineSeparator.of(this.eol),
        EditorState.phrases.of(phrases()),
        EditorState.readOnly.of(readOnly),
        this.nonce,
        EditorView.contentAttributes.of(describes),
        EditorView.updateListener.of((update) => this.updated(update)),
        tooltips({ position: 'absolute' }),
        lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), drawSelection({ cursorBlinkRate: 0 }), EditorState.allowMultipleSelections.of(true), rectangularSelection(),
        indentOnInput(), indentUnit.of('  '), bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(), search({ top: true }), EditorView.lineWrapping,
        syntaxHighlighting(colours),
        ...(kubernetes ? this.kubernetes() : []),
        keymap.of([
          { key: 'Mod-s', preventDefault: true, run: () => { this.hooks.save({}); return true; } },
          { key: 'Tab', run: (view) => acceptCompletion(view) || this.indent(view), shift: indentLess },
          { key: 'F8', run: nextDiagnostic },
          ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...defaultKeymap,
        ]),
      ],
    }));
    this.hooks.counted(0);
  }

  kubernetes() {
    return [
      yaml(), foldGutter(), lintGutter(),
      linter((view) => this.lint(view), { delay: LINT_MS, needsRefresh: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(refresh))) }),
      autocompletion({ override: [(context) => this.complete(context)], icons: false, maxRenderedOptions: 60 }),
      hoverTooltip((view, pos) => this.hover(view, pos), { hideOnChange: true }),
    ];
  }

  get text() {
    return this.view.state.sliceDoc();
  }

  /** Puts a text into the place of the present one as one change that can be undone. */
  replace(text) {
    const { doc } = this.view.state;
    this.view.dispatch({ changes: { from: 0, to: doc.length, insert: this.view.state.toText(text) }, userEvent: 'input.paste' });
  }

  setVim(on) {
    this.view.dispatch({ effects: this.vimKeys.reconfigure(on ? vim({ status: true }) : []) });
  }

  focus() {
    present = this;
    this.view.focus();
  }

  /** Shows the next thing that is wrong. */
  next() {
    this.view.focus();
    nextDiagnostic(this.view);
  }

  /** An outline has come: what is wrong is looked for again. */
  again() {
    this.view.dispatch({ effects: refresh.of(null) });
  }

  /* Esc and then Tab leaves the editor, whatever Esc has done in it. */
  key(event, view) {
    present = this;
    if (event.key === 'Escape') view.setTabFocusMode(LEAVE_MS);
    return false;
  }

  indent(view) {
    const { state } = view;
    if (state.selection.ranges.some((range) => !range.empty)) return indentMore(view);
    view.dispatch(state.update(state.replaceSelection('  '), { scrollIntoView: true, userEvent: 'input' }));
    return true;
  }

  updated(update) {
    if (update.docChanged) this.hooks.changed();
    this.hooks.counted(diagnosticCount(update.state));
  }

  lint(view) {
    const found = problems(view.state.doc.toString(), (api, kind) => this.hooks.outlines.outlineOf(api, kind));
    return found.map(({ fix, ...one }) => ({
      ...one,
      source: undefined,
      actions: fix ? [{ name: t('check.fix', { text: fix.text }), apply: (target) => target.dispatch({ changes: { from: fix.range[0], to: fix.range[1], insert: fix.text } }) }] : [],
    }));
  }

  /* ---- completion ---- */

  async complete(context) {
    const { doc } = context.state;
    const line = doc.lineAt(context.pos);
    const lines = doc.toString().split('\n');
    const place = placeAt(lines, line.number - 1);
    if (!place || lines[line.number - 1].trimStart().startsWith('#')) return null;
    const before = line.text.slice(0, context.pos - line.from);
    const value = /:\s+([^\s#]*)$/.exec(before.slice(place.at));
    const word = value ? value[1] : /^[^\s:#"'{[]*$/.exec(before.slice(place.at))?.[0];
    if (word === undefined || before.length < place.at || (!word && !context.explicit && !value)) return null;
    const from = context.pos - word.length;
    const options = await this.options(lines, line.number - 1, place, Boolean(value), context.explicit);
    return options.length && !context.aborted ? { from, options, validFor: /^[\w./-]*$/ } : null;
  }

  async options(lines, number, place, value) {
    const { outlines } = this.hooks;
    const { apiVersion, kind } = kindAt(lines, number);
    const top = !place.path.length;
    if (value && top && (place.key === 'kind' || place.key === 'apiVersion')) {
      const kinds = await outlines.kinds();
      const fits = place.key === 'kind' ? kinds.filter(([api]) => !apiVersion || api === apiVersion) : kinds.filter(([, name]) => !kind || name === kind);
      const seen = new Map((fits.length ? fits : kinds).map(([api, name]) => (place.key === 'kind' ? [name, api] : [api, ''])));
      return [...seen].map(([label, detail]) => ({ label, detail, type: 'enum' }));
    }
    const outline = kind && apiVersion ? await outlines.load(apiVersion, kind) : null;
    if (!outline) return top && !value ? ['apiVersion', 'kind', 'metadata', 'spec'].filter((key) => !siblings(lines, number).has(key)).map((label) => this.option(label, `${label}: `)) : [];
    if (value) return this.values(outline, schemaAt(outline, [...place.path, place.key]).schema);
    const map = mapAt(outline, place.path);
    if (place.dashed && map && !map.properties) return this.values(outline, map);
    return this.keys(outline, map, lines, number, place, { apiVersion, kind });
  }

  values(outline, schema) {
    const body = schema ? resolved(outline, schema) : {};
    const words = body.enum ?? (typesOf(outline, body).includes('boolean') ? ['true', 'false'] : []);
    return words.filter((one) => one !== '').map((label) => ({ label: String(label), type: 'enum' }));
  }

  keys(outline, map, lines, number, place, { apiVersion, kind }) {
    const taken = siblings(lines, number);
    const required = new Set(map?.required ?? []);
    return Object.entries(map?.properties ?? {}).filter(([name]) => !taken.has(name)).map(([name, schema]) => {
      const types = typesOf(outline, schema);
      const pad = ' '.repeat(place.at);
      const tail = types.includes('array') ? `\n${pad}- ` : types[0] === 'object' ? `\n${pad}  ` : ' ';
      const { about } = schemaAt(outline, [...place.path, name]);
      return {
        ...this.option(name, `${name}:${tail}`, place.key !== null),
        detail: required.has(name) ? t('edit.required') : types.map((one) => t(`check.a.${one}`)).join('/'),
        boost: required.has(name) ? 2 : 0,
        info: async () => this.sheet(await this.hooks.outlines.describe(apiVersion, kind, about), name),
      };
    });
  }

  /* `bare`: the line has its colon already. */
  option(label, text, bare = false) {
    return {
      label,
      type: 'property',
      apply: (view, completion, from, to) => {
        const insert = view.state.toText(bare ? label : text);
        view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: 'input.complete' });
        if (!bare && text.endsWith(': ')) startCompletion(view);
      },
    };
  }

  /* ---- descriptions ---- */

  async hover(view, pos) {
    const line = view.state.doc.lineAt(pos);
    const lines = view.state.doc.toString().split('\n');
    const place = placeAt(lines, line.number - 1);
    if (!place?.key || pos < line.from + place.at || pos > line.from + place.at + place.key.length) return null;
    const { apiVersion, kind } = kindAt(lines, line.number - 1);
    const outline = kind && apiVersion ? await this.hooks.outlines.load(apiVersion, kind) : null;
    const { about } = outline ? schemaAt(outline, [...place.path, place.key]) : {};
    const told = about ? await this.hooks.outlines.describe(apiVersion, kind, about) : null;
    if (!told?.type) return null;
    return { pos: line.from + place.at, end: line.from + place.at + place.key.length, above: true, create: () => ({ dom: this.sheet(told, place.key) }) };
  }

  /* What the API says of a field: its own words, in English whatever the page's language is. */
  sheet(told, name) {
    if (!told?.type) return null;
    return h('div', { class: 'edit-doc' }, h('p', { class: 'edit-doc-head' }, h('strong', {}, name), ' ', h('code', {}, told.type), told.required ? ` ${t('edit.required')}` : ''),
      told.text ? h('p', { lang: 'en' }, told.text) : null);
  }
}
