/* The editor pane of a bench: a file of a terminal's shell, or what the vi or nano on its screen has open (docs/adr/0018).

   It stands above the terminals, in the place of the map, and is loaded when it is first opened. What is saved is an input of the journal, written by a
   program of that shell; how it went comes with the trace. What was not saved is kept in this tab until it is. */

import { button, h, icon, memory } from './dom.js';
import { Chooser } from './editor-chooser.js';
import * as drafts from './editor-drafts.js';
import { Outlines } from './editor-outlines.js';
import { CodeView } from './editor-view.js';
import { extend, lang, t } from './strings.js';

/* whole names: hashed copies are found by them */
extend((await (lang === 'ko' ? import('./i18n/editor-ko.js') : import('./i18n/editor-en.js'))).default);

const TEXT_LIMIT = 48 * 1024;
const FRAME_LIMIT = 65_000;
const DRAFT_MS = 400;
const GRACE_MS = 2000;
const ANYTHING = '*';

function quoted(path) {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

export class EditorPane {
  constructor(bench) {
    this.bench = bench;
    this.file = null;
    this.saving = null;
    this.vimKeys = memory.get('editor-vim') === 'on';
    const sheet = new URL('../css/editor.css', import.meta.url);
    document.head.append(h('link', { rel: 'stylesheet', href: sheet.href }));
    this.build();
    this.code = new CodeView(this.area, {
      save: (how) => this.save(how),
      close: (force) => this.close(force),
      changed: () => this.changed(),
      counted: (n) => this.count(n),
      outlines: {
        outlineOf: (api, kind) => this.outlines.outlineOf(api, kind),
        load: (api, kind) => this.outlines.load(api, kind),
        describe: (api, kind, about) => this.outlines.describe(api, kind, about),
        kinds: () => this.outlines.kinds(),
      },
    });
  }

  build() {
    this.who = h('label', { class: 'edit-who', for: 'edit-path' });
    this.path = h('input', { id: 'edit-path', class: 'edit-path', list: 'edit-paths', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true, placeholder: t('edit.path.example') });
    this.chooser = new Chooser(this.path, { complete: (line) => this.connection.complete(this.terminal, line, line.length), open: (path) => this.openPath(path) });
    this.openButton = button(t('edit.open'), { type: 'submit', class: 'btn' });
    this.form = h('form', { class: 'edit-head' }, this.who, this.path, this.chooser.list, this.openButton,
      button('×', { class: 'btn is-plain edit-close', 'aria-label': t('edit.close'), title: t('edit.close'), onclick: () => this.close() }));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.openPath(this.path.value.trim());
    });
    this.saveButton = button(t('edit.save'), { class: 'btn is-first', 'data-edit-save': true, title: 'Ctrl+S', onclick: () => this.save({}) });
    this.finishButton = button(t('edit.finish'), { class: 'btn is-first', 'data-edit-finish': true, onclick: () => this.save({ leave: true }) });
    this.applyButton = button(t('edit.apply'), { class: 'btn', 'data-edit-apply': true, onclick: () => this.apply() }, icon('run'));
    this.vimButton = button('Vim', { class: 'btn is-plain', 'aria-pressed': String(this.vimKeys), title: t('edit.vim'), onclick: () => this.toggleVim() });
    this.wrong = button('', { class: 'btn is-plain edit-wrong', hidden: true, title: 'F8', onclick: () => this.code.next() });
    this.status = h('p', { class: 'edit-status', role: 'status' });
    this.tools = h('div', { class: 'edit-tools', role: 'toolbar', 'aria-label': t('edit.tools'), hidden: true }, this.finishButton, this.saveButton, this.applyButton, this.vimButton, this.wrong, this.status);
    this.notice = h('div', { class: 'banner edit-notice', role: 'alert', hidden: true });
    this.start = this.chooser.element;
    this.area = h('div', { class: 'edit-area', hidden: true });
    this.hint = h('p', { id: 'edit-hint', class: 'edit-hint', hidden: true }, h('kbd', {}, 'Esc'), h('kbd', {}, 'Tab'), ` ${t('edit.leave')}  `, h('kbd', {}, 'Ctrl'), h('kbd', {}, 'Space'), ` ${t('edit.complete')}  `, h('kbd', {}, 'F8'), ` ${t('edit.next')}`);
    this.element = h('section', { class: 'edit', 'aria-label': t('edit.title'), hidden: true }, this.form, this.notice, this.tools, this.start, this.area, this.hint);
  }

  get panel() {
    return this.bench.panel;
  }

  get dirty() {
    return Boolean(this.file) && !this.area.hidden && this.code.text !== this.file.text;
  }

  /* ---- opening ---- */

  /** Shows the pane for a terminal; `taken`: with what the editor on its screen has. Asks first when something is not saved. */
  async open(terminal, { taken = false, path = '' } = {}) {
    this.show();
    if (this.dirty && (taken || path || terminal !== this.terminal)) {
      this.ask(t('edit.unsaved', { path: this.file.path }), [[t('edit.discard'), () => { this.drop(); this.open(terminal, { taken, path }); }], [t('edit.stay')]]);
      return;
    }
    this.adopt(terminal);
    if (taken) await this.load('', true);
    else if (path) await this.load(path);
    else if (this.file && !this.file.taken) this.code.focus();
    else await this.begin();
  }

  show() {
    const { bench } = this;
    if (this.element.nextSibling !== bench.terminals) bench.terminals.before(this.element);
    this.element.hidden = false;
    bench.element.toggleAttribute('data-editing', true);
  }

  /* The terminal whose shell reads and writes; its connection may be another cluster's than before. */
  adopt(terminal) {
    const { connection } = this.bench;
    if (this.connection !== connection) {
      this.connection = connection;
      this.outlines = new Outlines(connection, () => this.code.again());
      connection.addEventListener('trace', ({ detail }) => this.told(detail));
      connection.addEventListener('ack', ({ detail }) => { if (detail.id === this.saving?.id) this.saving.acked = true; });
      connection.addEventListener('refused', ({ detail }) => this.refused(detail));
      connection.addEventListener('state', ({ detail }) => this.state(detail));
      this.file = null;
    }
    if (terminal !== this.terminal) this.file = null;
    this.terminal = terminal;
  }

  /* Nothing is open yet: where the shell stands, and what is there. */
  async begin() {
    this.face(false);
    this.who.textContent = this.terminal;
    const kept = drafts.of(this.connection.path);
    this.path.value = kept?.terminal === this.terminal ? kept.path : '';
    this.path.focus();
    const data = (await this.connection.file(this.terminal, ''))?.data;
    if (!data || data.why) {
      this.start.replaceChildren(h('p', {}, data ? this.reason({ why: data.why, path: '' }) : t('edit.noanswer')));
      return;
    }
    this.who.textContent = `${data.user}@${data.host}`;
    await this.chooser.show('', data.cwd);
  }

  async openPath(path) {
    if (!path) return;
    if (this.dirty) await this.open(this.terminal, { path });
    else await this.load(path);
  }

  async load(path, taken = false) {
    this.say('', t('edit.opening'));
    const answer = await this.connection.file(this.terminal, path, taken);
    const data = answer?.data;
    if (!data || data.why) {
      this.ask(data ? this.reason(data) : t('edit.noanswer'), []);
      if (!this.file) this.path.focus();
      this.say('', '');
      return;
    }
    this.put({ ...data, terminal: this.terminal, taken });
  }

  /* A file is in the editor now. */
  put(file) {
    this.file = file;
    this.notice.hidden = true;
    this.who.textContent = `${file.user}@${file.host}`;
    this.path.value = file.path;
    const kubernetes = /\.(ya?ml|conf)$/.test(file.path) || /^(apiVersion|kind):/m.test(file.text);
    this.face(true);
    this.code.open(file.text, { label: t('edit.area', { path: file.path }), kubernetes, vimKeys: this.vimKeys });
    this.applyButton.hidden = file.taken || !kubernetes || file.path.startsWith('/etc/');
    this.finishButton.hidden = !file.taken;
    this.saveButton.classList.toggle('is-first', !file.taken);
    this.path.readOnly = file.taken;
    this.openButton.hidden = file.taken;
    this.say('', file.fresh ? t('edit.fresh') : t('edit.opened', { n: file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0) }));
    if (file.taken) this.say('', t('edit.taken', { by: file.by || file.editor }));
    else if (!file.writable) this.ask(t(file.sudo ? 'edit.readonly.sudo' : 'edit.readonly', { user: file.user }), []);
    const kept = drafts.of(this.connection.path);
    if (kept && !file.taken && kept.terminal === file.terminal && kept.path === file.path && kept.text !== file.text) {
      file.version = kept.was;
      this.code.replace(kept.text);
      this.ask(t('edit.draft'), [[t('edit.draft.drop'), () => { this.drop(); this.load(file.path); }]]);
    }
    this.code.focus();
  }

  face(open) {
    this.start.hidden = open;
    for (const part of [this.tools, this.area, this.hint]) part.hidden = !open;
    if (!open) {
      this.notice.hidden = true;
      this.path.readOnly = this.openButton.hidden = false;
    }
  }

  /* ---- saving ---- */

  /** Saves; `leave` closes the pane (and ends an editor that was taken over) after that, `force` overwrites what changed meanwhile. */
  save({ leave = false, force = false, sudo = false, after = null } = {}) {
    if (!this.file || this.saving) return;
    const text = this.code.text;
    const { path, taken, terminal } = this.file;
    const data = { terminal, path, text, was: force ? ANYTHING : this.file.version };
    if (taken) Object.assign(data, { taken, leave });
    if (sudo) data.sudo = true;
    const size = new TextEncoder().encode(text).length;
    if (size > TEXT_LIMIT || new TextEncoder().encode(JSON.stringify(data)).length > FRAME_LIMIT) {
      this.ask(t('edit.toolong', { n: size, most: TEXT_LIMIT }), []);
      return;
    }
    this.notice.hidden = true;
    this.saving = { id: '', text, leave, after, acked: false, file: this.file };
    this.saving.id = this.connection.input('save', data);
    this.say('', t('edit.saving'));
  }

  /* The trace tells how it went. */
  told({ actor, action, ref, detail }) {
    if (actor !== 'terminal' || ref !== this.saving?.file.terminal || (action !== 'saved' && action !== 'unsaved')) return;
    this.settle(action === 'saved' ? { version: detail.version, user: detail.user, bytes: detail.bytes, path: detail.path } : detail);
  }

  settle(result) {
    const { saving } = this;
    if (!saving) return;
    this.saving = this.graced = null;
    clearTimeout(this.grace);
    if (this.file !== saving.file) return;
    if (result.why) {
      this.say('bad', t('edit.notsaved'));
      this.ask(this.reason(result), this.ways(result, saving));
      return;
    }
    Object.assign(this.file, { text: saving.text, version: result.version, path: result.path, fresh: false });
    this.drop(false);
    if (/CustomResourceDefinition/.test(saving.text)) this.outlines.forget();
    this.say('ok', t('edit.saved', { path: result.path, user: result.user, n: result.bytes }));
    saving.after?.();
    this.awaited = saving.leave && this.file.taken ? this.file.terminal : null;
    if (saving.leave) this.close(true);
    else this.changed();
  }

  /* What can be done about a text that was not written. */
  ways({ why }, saving) {
    const again = (how) => () => this.save({ leave: saving.leave, after: saving.after, ...how });
    if (why === 'changed') return [[t('edit.overwrite'), again({ force: true })], [t('edit.theirs'), () => { this.drop(); this.load(this.file.path, this.file.taken); }]];
    if (why === 'refused' && this.file.sudo && !this.file.taken) return [[t('edit.sudo'), again({ sudo: true })]];
    if (why === 'gone') return [[t('edit.asfile'), () => { this.detach(); this.save({ force: true }); }]];
    return [];
  }

  reason({ why, path, message, size }) {
    if (why === 'refused') return t('edit.why.refused', { message: message || path });
    return t(`edit.why.${why}`, { path, n: size ?? 0, most: TEXT_LIMIT });
  }

  refused({ id, message, reason }) {
    if (!this.saving || id !== this.saving.id || reason === 'busy' || reason === 'rate') return;
    this.saving = null;
    this.say('bad', t('edit.notsaved'));
    this.ask(message || reason, []);
  }

  /* A trace event that never comes (the line broke): the file itself says what became of it. */
  state(frame) {
    const { saving } = this;
    if (saving?.acked && !frame.pending && !this.graced) {
      this.graced = saving;
      this.grace = setTimeout(async () => {
        this.graced = null;
        if (this.saving !== saving) return;
        const answer = await this.connection.file(saving.file.terminal, saving.file.path);
        if (this.saving === saving && answer?.data) this.settle(answer.data.text === saving.text ? { ...answer.data, bytes: new TextEncoder().encode(saving.text).length } : { why: 'unknown', path: saving.file.path });
      }, GRACE_MS);
    }
    /* whoever started the editor opens it again when what was written is no good: with its reason, kubectl edit does */
    const awaited = this.awaited && frame.terminals?.[this.awaited];
    if (awaited?.editing && this.element.hidden) this.open(this.awaited, { taken: true });
    if (!awaited?.busy || awaited.editing) this.awaited = null;
    if (this.file?.taken && !this.saving && frame.terminals?.[this.file.terminal]?.editing !== this.file.path) {
      this.detach();
      this.ask(t('edit.why.gone', { path: this.file.path }), this.dirty ? [[t('edit.asfile'), () => this.save({ force: true })]] : []);
    }
  }

  /* The editor in the terminal has ended: what is here is a file like any other. */
  detach() {
    this.file.taken = false;
    this.finishButton.hidden = true;
    this.saveButton.classList.add('is-first');
    this.path.readOnly = this.openButton.hidden = false;
  }

  /** Saves what is not saved, then types `kubectl apply` into the terminal. */
  apply() {
    const run = () => this.panel.run(this.file.terminal, [`kubectl apply -f ${quoted(this.file.path)}`]);
    if (this.dirty || this.file.fresh) this.save({ after: run });
    else run();
  }

  /* ---- what is not saved ---- */

  changed() {
    if (!this.file) return;
    const { dirty } = this;
    this.element.toggleAttribute('data-dirty', dirty);
    if (dirty && !this.saving) this.say('', t('edit.dirty'));
    clearTimeout(this.keeping);
    if (!this.file.taken && dirty) this.keeping = setTimeout(() => this.keep(), DRAFT_MS);
  }

  keep() {
    if (this.dirty && !this.file.taken) drafts.keep(this.connection.path, this.file, this.code.text);
  }

  /* What was not saved is forgotten; `all`: the file too. */
  drop(all = true) {
    clearTimeout(this.keeping);
    drafts.drop(this.connection.path);
    if (all) this.file = null;
  }

  /* ---- words and ways out ---- */

  say(kind, words) {
    this.status.className = kind ? `edit-status st ${kind}` : 'edit-status';
    if (this.status.textContent !== words) this.status.textContent = words;
  }

  /* Something that must be read, with what can be done about it. */
  ask(words, ways) {
    const done = (act) => () => {
      this.notice.hidden = true;
      if (this.file) this.code.focus(); // where the keyboard was
      else this.path.focus();
      act?.();
    };
    this.notice.replaceChildren(h('span', {}, words), h('span', { class: 'row' }, ways.map(([label, act]) => button(label, { class: 'btn', onclick: done(act) })),
      button('×', { class: 'btn is-plain', 'aria-label': t('bench.dismiss'), onclick: done() })));
    this.notice.hidden = false;
  }

  count(n) {
    this.wrong.hidden = !n;
    if (n) this.wrong.textContent = t('edit.wrong', { n });
  }

  toggleVim() {
    this.vimKeys = !this.vimKeys;
    memory.set('editor-vim', this.vimKeys ? 'on' : null);
    this.vimButton.setAttribute('aria-pressed', String(this.vimKeys));
    this.code.setVim(this.vimKeys);
    this.code.focus();
  }

  /** Closes the pane; what is not saved is asked about first. */
  close(force = false) {
    if (this.dirty && !force) {
      this.ask(t('edit.unsaved', { path: this.file.path }), [[t('edit.discard'), () => this.close(true)], [t('edit.stay')]]);
      return;
    }
    this.drop();
    this.leave();
    this.panel.view?.focus();
  }

  /** Hides the pane; what is not saved stays in this tab. */
  leave() {
    if (this.file) this.keep();
    this.file = this.saving = null;
    this.element.hidden = true;
    this.bench.element.toggleAttribute('data-editing', false);
  }
}
