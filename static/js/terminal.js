/* The terminals of a bench: one tab a host, each a TerminalSession with a view that is made when the tab is first opened.

   Keyboard: Tab goes to the shell, so Esc and then Tab leaves the terminal (Esc, Shift+Tab goes back to the tabs); it says so beside
   the tabs. xterm.js is loaded when somebody comes to the terminals (a page that is read needs none of it); where it cannot run, or the
   learner says so, the plain view takes its place. */

import { button, h, icon, memory } from './dom.js';
import { t } from './strings.js';
import { PlainView } from './terminal-plain.js';
import { TerminalSession } from './terminal-session.js';
import { StillView } from './terminal-still.js';

const RESIZE_MS = 700;

export class TerminalPanel {
  /** `host` is the element to fill; `names` the hosts that get a tab at once. */
  constructor(host, connection, names) {
    this.host = host;
    this.connection = connection;
    this.names = names;
    this.sessions = new Map();
    this.tabs = new Map();
    this.opened = new Set();
    this.sizes = new Map();
    this.plain = memory.get('terminal') === 'plain';
    this.awake = false;
    this.screenReader = memory.get('screen-reader') === 'on';
    this.build();
    this.listen();
    for (const name of names) this.add(name, name);
    if (names.length) this.show(names[0]);
  }

  build() {
    this.list = h('div', { class: 'tab-list', role: 'tablist', 'aria-label': t('term.tabs') });
    this.list.addEventListener('keydown', (event) => this.arrow(event));
    this.readerButton = button(t('term.reader'), { class: 'tail-key', 'aria-pressed': String(this.screenReader), onclick: () => this.toggleReader() });
    this.plainButton = button(t('term.plain'), { class: 'tail-key', 'aria-pressed': String(this.plain), onclick: () => this.togglePlain() });
    this.splitButton = button(t('term.split'), { class: 'tail-key is-split-key', 'aria-pressed': 'false', title: t('term.split.long'), hidden: true, onclick: () => this.toggleSplit() });
    this.growButton = button(t('term.grow'), { class: 'tail-key is-grow', 'aria-pressed': 'false', onclick: () => this.toggleGrow() }, icon('grow'));
    this.editButton = button('', { class: 'tail-key is-edit', hidden: true, 'aria-keyshortcuts': 'Alt+Shift+E', onclick: () => this.edit() });
    const leave = h('span', { class: 'tail is-key' }, h('kbd', {}, 'Esc'), h('kbd', {}, 'Tab'), ` ${t('term.leave')}`);
    this.finder = this.buildFinder();
    this.panels = h('div', { class: 'term-panels' });
    this.live = h('p', { class: 'vh', role: 'status' });
    this.host.classList.add('term');
    for (const coming of ['pointerenter', 'focusin']) this.host.addEventListener(coming, () => this.wake());
    this.host.addEventListener('keydown', (event) => {
      if (!event.altKey || !event.shiftKey || event.code !== 'KeyE' || this.editButton.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      this.edit();
    }, { capture: true });
    this.host.replaceChildren(h('div', { class: 'tabs' }, this.list, this.editButton, leave, this.readerButton, this.plainButton, this.splitButton, this.growButton), this.finder, this.panels, this.live);
  }

  buildFinder() {
    const input = h('input', { type: 'search', 'aria-label': t('term.find'), placeholder: t('term.find') });
    const form = h('form', { class: 'term-find', hidden: true }, input,
      button(t('term.find.previous'), { class: 'plain-key', onclick: () => this.view?.find(input.value, true) }),
      button(t('term.find.next'), { type: 'submit', class: 'plain-key' }));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.view?.find(input.value);
    });
    form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      form.hidden = true;
      this.view?.focus();
    });
    return form;
  }

  listen() {
    const { connection } = this;
    connection.addEventListener('chunk', ({ detail }) => this.session(detail.terminal).take(detail));
    connection.addEventListener('history', ({ detail }) => {
      for (const [name, lines] of Object.entries(detail.terminals ?? {})) this.session(name).setHistory(lines);
    });
    connection.addEventListener('ack', ({ detail }) => {
      for (const session of this.sessions.values()) session.acked(detail.id);
    });
    connection.addEventListener('refused', ({ detail }) => {
      if (detail.id && detail.reason !== 'busy' && detail.reason !== 'rate') for (const session of this.sessions.values()) session.refused(detail.id);
    });
    connection.addEventListener('state', ({ detail }) => this.state(detail));
  }

  state(frame) {
    const terminals = frame.terminals ?? {};
    this.hosts = terminals;
    for (const [name, view] of Object.entries(terminals)) {
      this.opened.add(name);
      this.session(name, view.host).state(view, frame.pending ?? 0);
    }
    /* a cluster that is still being made has none yet: its own come by themselves */
    for (const name of [this.current, this.beside]) {
      if (name && this.there && !terminals[name]) this.openOnServer(name);
      if (name) this.sendSize(name);
    }
    this.offer();
  }

  /* ---- the page's editor (bench.js sets `onEdit`) ---- */

  /** Opens the editor on files of the front terminal's shell, or takes over the editor on its screen. */
  edit() {
    this.onEdit?.(this.current, Boolean(this.sessions.get(this.current)?.editing));
  }

  /* The button says what it would open; that an editor has begun is told once. */
  offer() {
    if (!this.onEdit) {
      this.editButton.hidden = true;
      return;
    }
    const editing = this.sessions.get(this.current)?.editing ?? '';
    const words = editing ? t('term.take') : t('term.edit');
    this.editButton.hidden = !this.there;
    if (this.offered === `${this.current} ${editing}`) return;
    this.offered = `${this.current} ${editing}`;
    this.editButton.classList.toggle('is-offered', Boolean(editing));
    this.editButton.title = editing ? t('term.take.long', { path: editing }) : t('term.edit.long');
    this.editButton.replaceChildren(icon('edit'), h('span', {}, words));
    if (editing) this.say(t('term.take.said', { path: editing }));
  }

  /* ---- tabs ---- */

  session(name, hostName) {
    if (!this.sessions.has(name)) this.add(name, hostName ?? name);
    return this.sessions.get(name);
  }

  add(name, hostName) {
    if (this.sessions.has(name)) return;
    const session = new TerminalSession(this.connection, name, hostName);
    /* a command runs on the terminal as it is now */
    session.beforeLine = () => this.sendSize(name, true);
    this.sessions.set(name, session);
    const tab = h('button', {
      type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, 'aria-selected': 'false', tabindex: '-1', onclick: () => this.show(name, true),
    }, name);
    const panel = h('div', { class: 'term-panel', role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}`, hidden: true });
    panel.addEventListener('focusin', () => {
      if (name === this.beside) this.show(name);
    });
    this.list.append(tab);
    this.panels.append(panel);
    this.tabs.set(name, { tab, panel, view: null });
    this.splitButton.hidden = this.tabs.size < 2;
    if (!this.current) this.show(name);
  }

  arrow(event) {
    const names = [...this.tabs.keys()];
    const at = names.indexOf(this.current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length];
    this.show(name);
    this.tabs.get(name).tab.focus();
  }

  /** Whether the cluster is made: it then has a terminal at least. */
  get there() {
    return Boolean(this.hosts && Object.keys(this.hosts).length);
  }

  get view() {
    return this.tabs.get(this.current)?.view ?? null;
  }

  /** Brings a host's terminal to the front; opens it in the cluster if nobody has. */
  async show(name, focus = false) {
    if (!this.tabs.has(name)) this.add(name, name);
    if (name === this.beside) this.beside = this.current; // the two change places
    this.current = name;
    for (const [other, { tab, panel }] of this.tabs) {
      const chosen = other === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.setAttribute('tabindex', chosen ? '0' : '-1');
      panel.hidden = !chosen && other !== this.beside;
      panel.classList.toggle('is-front', chosen);
    }
    if (this.there && !this.hosts[name]) this.openOnServer(name);
    this.offer();
    await this.makeView(name);
    if (focus) this.view?.focus();
    if (this.beside) await this.makeView(this.beside);
  }

  /** Shows the next tab's terminal beside the front one, or no longer; the one that has the keyboard is the front one. */
  async toggleSplit() {
    const names = [...this.tabs.keys()];
    this.beside = this.beside || names.length < 2 ? null : names[(names.indexOf(this.current) + 1) % names.length];
    this.splitButton.setAttribute('aria-pressed', String(Boolean(this.beside)));
    this.panels.classList.toggle('is-split', Boolean(this.beside));
    if (this.beside && this.there && !this.hosts[this.beside]) this.openOnServer(this.beside);
    await this.show(this.current, true);
  }

  openOnServer(name) {
    if (this.opened.has(name)) return;
    this.opened.add(name);
    this.asked = this.connection.input('open', { terminal: name, host: this.sessions.get(name).host });
  }

  async makeView(name) {
    const entry = this.tabs.get(name);
    if (entry.view || entry.making) return entry.view ?? entry.making;
    const hooks = {
      complete: (line, cursor) => this.connection.complete(name, line, cursor),
      leave: (backwards) => this.leave(name, backwards),
      resized: (columns, rows) => this.resized(name, columns, rows),
      say: (words) => this.say(words),
      search: () => this.openFinder(),
      wake: () => this.wake(),
    };
    const session = this.sessions.get(name);
    entry.making = this.viewFor(entry, session, hooks);
    entry.view = await entry.making;
    entry.making = null;
    return entry.view;
  }

  async viewFor(entry, session, hooks) {
    if (!this.plain && !this.awake) return new StillView(session, entry.panel, hooks);
    if (!this.plain) {
      try {
        const { XtermView } = await import('./terminal-xterm.js');
        return new XtermView(session, entry.panel, hooks, { screenReader: this.screenReader });
      } catch (error) {
        console.warn('xterm.js does not run here; using the plain terminal', error);
        entry.panel.replaceChildren();
      }
    }
    return new PlainView(session, entry.panel, hooks);
  }

  /** Somebody comes to the terminals: those that stand still become real ones, with what was typed meanwhile. */
  wake() {
    this.waking ??= import('./terminal-xterm.js').catch(() => null).then(() => this.awaken());
    return this.waking;
  }

  async awaken() {
    this.awake = true;
    for (const [name, entry] of this.tabs) {
      const still = entry.making ? await entry.making : entry.view;
      if (!(still instanceof StillView)) continue;
      const { focused, typed } = still;
      still.dispose();
      entry.view = null;
      const view = await this.makeView(name);
      if (focused) view.focus();
      if (typed) view.typed(typed);
    }
  }

  /* ---- what buttons and the page do ---- */

  /** Types lines into a host's terminal and runs them. */
  async run(name, lines) {
    this.wake();
    await this.show(name ?? this.names[0] ?? this.current);
    const session = this.sessions.get(this.current);
    session.submit(lines, { paced: true });
    this.say(t('term.ran', { name: this.current, command: lines[0] }));
  }

  say(words) {
    this.live.textContent = '';
    requestAnimationFrame(() => { this.live.textContent = words; });
  }

  leave(name, backwards) {
    const { tab } = this.tabs.get(name);
    if (backwards) {
      tab.focus();
      return;
    }
    /* the first thing after the terminals that can have the focus, else the tabs */
    const all = [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')];
    const next = all.find((el) => this.host.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING && !this.host.contains(el)
      && !el.disabled && el.getClientRects().length);
    (next ?? tab).focus();
  }

  openFinder() {
    if (this.plain) return;
    this.finder.hidden = false;
    this.finder.querySelector('input').focus();
  }

  toggleReader() {
    this.screenReader = !this.screenReader;
    memory.set('screen-reader', this.screenReader ? 'on' : null);
    this.readerButton.setAttribute('aria-pressed', String(this.screenReader));
    for (const { view } of this.tabs.values()) if (view) view.screenReader = this.screenReader;
  }

  togglePlain() {
    this.plain = !this.plain;
    memory.set('terminal', this.plain ? 'plain' : null);
    this.plainButton.setAttribute('aria-pressed', String(this.plain));
    for (const entry of this.tabs.values()) {
      entry.view?.dispose();
      entry.view = null;
      entry.panel.replaceChildren();
    }
    this.show(this.current, true);
  }

  toggleGrow() {
    const bench = this.host.closest('[data-bench]');
    const grown = bench?.toggleAttribute('data-grown') ?? false;
    this.growButton.setAttribute('aria-pressed', String(grown));
  }

  /* ---- size: a resize is a journal row, so only a size that stays and is new is sent ---- */

  resized(name, columns, rows) {
    const entry = this.sizes.get(name) ?? {};
    clearTimeout(entry.timer);
    entry.size = `${columns}x${rows}`;
    entry.lasted = false;
    entry.timer = setTimeout(() => {
      entry.lasted = true;
      this.sendSize(name);
    }, RESIZE_MS);
    this.sizes.set(name, entry);
  }

  sendSize(name, atOnce = false) {
    const entry = this.sizes.get(name);
    if (entry && atOnce) entry.lasted = true;
    const key = `size:${this.connection.path}:${name}`;
    if (!entry?.lasted || !this.hosts?.[name] || memory.get(key) === entry.size) return;
    memory.set(key, entry.size);
    const [columns, rows] = entry.size.split('x').map(Number);
    this.connection.input('resize', { terminal: name, columns, rows });
  }

  dispose() {
    for (const { view } of this.tabs.values()) view?.dispose();
    for (const entry of this.sizes.values()) clearTimeout(entry.timer);
  }
}
