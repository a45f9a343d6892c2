/* The bench beside a lesson: map, inspector, time line, clock and terminals around one connection. The page has one empty element
   (`data-bench`, docs/protocol.md "Page hooks"); everything in it is made here. */

import { TraceStore, travels, warp } from './causes.js';
import { Clock } from './clock.js';
import { Connection } from './connection.js';
import { button, csrfToken, h, icon, memory, watchWidth } from './dom.js';
import { aboutId, factList, mapFacts, partFacts, stateOf, summary } from './facts.js';
import { Lens } from './lens.js';
import { LineStatus } from './linestatus.js';
import { modelOf } from './mapmodel.js';
import { PartDetail } from './partdetail.js';
import { Past } from './past.js';
import { Player } from './player.js';
import { draw, legend } from './shipmap.js';
import { t } from './strings.js';
import { TerminalPanel } from './terminal.js';
import { Watched } from './watched.js';
import { telling, whyList } from './why.js';
import { asText, current, drawTimeline, sentence } from './timeline.js';

const phone = matchMedia('(width < 62rem)');
const short = matchMedia('(height < 58rem)');

export class Bench {
  constructor(element) {
    this.element = element;
    this.plain = memory.get('map') === 'plain';
    this.hosts = (element.dataset.hosts ?? 'controlplane').split(/[\s,]+/).filter(Boolean);
    this.resetUrl = element.dataset.reset ?? '';
    this.home = { path: element.dataset.ws, hosts: this.hosts, reset: this.resetUrl };
    this.build();
    this.start(element.dataset.ws);
  }

  /* ---- what stays while clusters change ---- */

  build() {
    const anchor = this.element.dataset.textAnchor || '#main';
    this.summary = h('p', {});
    const sheet = h('div', { class: 'sheet-bar' }, this.summary,
      h('a', { class: 'btn open', href: `#${this.element.id || 'bench'}` }, t('bench.open')), h('a', { class: 'btn close', href: anchor }, t('bench.close')));
    this.line = new LineStatus((status) => { this.element.dataset.connection = status; }, () => this.connection.connect());
    this.banner = this.line.banner;
    this.notice = h('div', { class: 'banner bench-notice', role: 'status', hidden: true });
    this.watchers = h('div', { class: 'banner bench-watched', role: 'status', hidden: true });
    this.watched = new Watched(this.watchers);
    this.tools = h('div', { class: 'end' });
    this.homeButton = button(t('bench.home'), { class: 'btn is-plain', hidden: true, onclick: () => this.use(this.home.path, this.home) });
    const bar = h('div', { class: 'bar' }, h('h2', {}, t('bench.title')), this.line.word, this.homeButton, this.tools);
    this.map = h('div', { class: 'map-host', id: 'bench-map' }, h('p', { class: 'map-empty' }, t('bench.nomap')));
    this.inspector = h('div', { class: 'inspect', hidden: true });
    this.timeHost = h('div', { class: 'tl-host' });
    this.controls = h('div', { class: 'controls', role: 'toolbar', 'aria-label': t('time.toolbar') });
    this.time = h('div', { class: 'time' }, this.timeHost);
    this.terminals = h('div', {});
    this.above = h('div', { class: 'bench-above' }, h('figure', { class: 'map-box' }, this.map), this.inspector, this.time);
    this.past = new Past(this);
    this.detail = new PartDetail(this);
    this.lens = new Lens(this, this.element.dataset.lensFirst);
    this.popovers = [this.popover('legend'), this.popover('astext'), this.resetSlip(), this.past.slip];
    this.element.replaceChildren(sheet, this.banner, this.watchers, this.notice, this.past.banner, bar, this.lens.tabs, this.above, this.controls, this.terminals, ...this.popovers);
    this.map.addEventListener('shipmap:select', ({ detail }) => this.choose(detail.id));
    this.timeHost.addEventListener('timeline:choose', ({ detail }) => this.showEvent(detail.seq));
    watchWidth(this.map, () => this.drawMap());
    short.addEventListener('change', () => {
      this.drawMap();
      this.paint();
    });
    watchWidth(this.timeHost, () => this.paint());
  }

  popover(name) {
    const slip = h('div', { class: 'slip', id: `bench-${name}`, popover: 'auto', tabindex: '0', role: 'region', 'aria-label': t(`bench.${name}`) });
    slip.addEventListener('beforetoggle', (event) => {
      if (event.newState === 'open') this[`fill_${name}`](slip);
    });
    return slip;
  }

  resetSlip() {
    const slip = h('div', { class: 'slip', id: 'bench-reset', popover: 'auto', role: 'dialog', 'aria-label': t('bench.reset') });
    slip.append(h('p', {}, t('bench.reset.ask')), h('div', { class: 'row' },
      button(t('bench.reset.do'), { class: 'btn is-first', 'data-reset-now': true, onclick: () => { slip.hidePopover(); this.reset(); } }),
      button(t('bench.cancel'), { class: 'btn', onclick: () => slip.hidePopover() })));
    return slip;
  }

  fillTools() {
    const opens = (label, name, kid) => button(label, { class: 'btn is-plain', popovertarget: `bench-${name}` }, ...(kid ? [kid] : []));
    this.plainButton = button(t('bench.plain'), { class: 'btn is-plain', 'aria-pressed': String(this.plain), onclick: () => this.togglePlain() });
    const own = this.element.dataset.own?.replace(this.element.dataset.session, this.connection.path.split('/').filter(Boolean).at(-1));
    this.tools.replaceChildren(this.clock.badge, ...(own ? [h('a', { class: 'btn is-plain', href: own, 'aria-label': t('bench.own.long'), title: t('bench.own.long') }, t('bench.own'))] : []),
      ...(this.resetUrl ? [opens(t('bench.reset'), 'reset', icon('reset'))] : []),
      opens(t('bench.legend'), 'legend'), opens(t('bench.astext'), 'astext'), this.plainButton);
    this.playButton = h('button', { type: 'button', class: 'btn', 'data-play': true, onclick: () => this.togglePlay() });
    this.stepButton = button(t('time.step'), { 'data-step': true, onclick: () => this.player.step() }, icon('step'));
    // who watches a learner's cluster steers its time only when they may type, and its past never
    const steering = this.looksOn ? this.clock.buttons : [...this.clock.buttons, ...this.past.buttons];
    if (this.looksOn) for (const one of steering) one.hidden = !this.typesAlong;
    this.controls.replaceChildren(...steering, h('span', { class: 'end' }), this.playButton, this.stepButton);
  }

  /* ---- looking on ---- */

  /** Whether this page watches somebody else's cluster. */
  get looksOn() {
    return this.element.dataset.watching !== undefined;
  }

  /** The learner lets this watcher type along, or no longer. */
  mayType(watchers) {
    const types = Boolean(watchers.find((one) => String(one.id) === this.element.dataset.watching)?.types);
    if (types === Boolean(this.typesAlong)) return;
    this.typesAlong = types;
    for (const one of this.clock.buttons) one.hidden = !types;
    this.letEdit(types);
    this.inspect();
    this.tell(t(types ? 'watch.may' : 'watch.mayno'));
  }

  /* ---- one cluster ---- */

  start(path) {
    this.connection = new Connection(path);
    this.store = new TraceStore();
    this.player = new Player();
    this.clock = new Clock(this.connection);
    this.view = this.live = null;
    this.drawn = null;
    this.selected = null;
    this.chosen = null;
    this.fillTools();
    this.panel = new TerminalPanel(this.terminals, this.connection, this.hosts);
    this.letEdit(!this.looksOn || this.typesAlong);
    this.listen();
    this.lens.start(this.connection, this.clock);
    this.line.show('connecting');
    this.inspect();
    this.paint();
    this.connection.open();
  }

  listen() {
    const { connection } = this;
    connection.addEventListener('status', ({ detail }) => this.line.change(detail));
    connection.addEventListener('state', ({ detail }) => { this.element.dataset.clock = detail.running && detail.speed > 0 ? 'running' : 'paused'; });
    connection.addEventListener('view', ({ detail }) => {
      this.live = detail;
      if (!this.past.looking) this.showView(detail);
    });
    connection.addEventListener('watched', ({ detail }) => (this.looksOn ? this.mayType(detail) : this.watched.show(detail)));
    connection.addEventListener('trace', ({ detail }) => this.store.add(detail));
    connection.addEventListener('batch', ({ detail }) => {
      if (detail.of === 'trace') this.newEvents();
    });
    connection.addEventListener('refused', ({ detail }) => {
      /* that a terminal is open already is what was wanted */
      if (!detail.fatal && detail.reason !== 'rate' && detail.id !== this.panel.asked) this.tell(detail.message || detail.reason);
    });
    this.player.addEventListener('paint', () => this.paint());
    this.player.addEventListener('mode', () => this.showPlay());
  }

  /** The map, the inspector and the summary show this view: the live one, or one of the past. */
  showView(view) {
    this.view = view;
    this.drawMap();
    this.inspect();
    this.showSummary();
  }

  /** Another cluster takes the place of this one. */
  use(path, { hosts, reset } = {}) {
    this.editor?.leave();
    this.connection.close();
    this.clock.dispose();
    this.panel.dispose();
    this.player.stop();
    this.lens.stop();
    if (hosts?.length) this.hosts = hosts;
    if (reset !== undefined) this.resetUrl = reset;
    this.element.dataset.ws = path;
    this.homeButton.hidden = path === this.home.path;
    this.map.replaceChildren(h('p', { class: 'map-empty' }, t('bench.nomap')));
    const fresh = h('div', {});
    this.terminals.replaceWith(fresh);
    this.terminals = fresh;
    this.start(path);
  }

  async reset() {
    try {
      const answer = await fetch(this.resetUrl, { method: 'POST', headers: { 'X-CSRFToken': csrfToken(), Accept: 'application/json' }, credentials: 'same-origin' });
      if (!answer.ok) throw new Error(String(answer.status));
      this.past.leave();
      this.replace(await answer.json());
      this.tell(t('bench.reset.done'));
    } catch {
      this.tell(t('bench.reset.failed'));
    }
  }

  /** The server has put another cluster into this one's place: a new one, or one with another past. */
  replace({ id, ws }) {
    const old = this.element.dataset.ws;
    const reset = this.resetUrl.replace(old.split('/').filter(Boolean).at(-1), id);
    if (old === this.home.path) this.home = { ...this.home, path: ws, reset };
    this.use(ws, { reset });
    this.element.dispatchEvent(new CustomEvent('bench:reset', { bubbles: true, detail: { id, ws } }));
  }

  /** Says something that the learner should read, until it is closed. */
  tell(words) {
    this.notice.replaceChildren(h('span', {}, words), button('×', { class: 'btn is-plain', 'aria-label': t('bench.dismiss'), onclick: () => { this.notice.hidden = true; } }));
    this.notice.hidden = false;
  }

  /* ---- map ---- */

  drawMap() {
    if (!this.view || !this.map.clientWidth) return;
    if (this.lens.draw(this.map, this.map.clientWidth)) {
      this.drawn = this.lens.drawing;
      return;
    }
    this.drawn = draw(this.map, modelOf(this.view, { plain: this.plain }), this.map.clientWidth, { selected: this.selected, compact: short.matches });
    this.paint();
  }

  togglePlain() {
    this.plain = !this.plain;
    memory.set('map', this.plain ? 'plain' : null);
    this.plainButton.setAttribute('aria-pressed', String(this.plain));
    this.drawMap();
  }

  choose(id) {
    this.selected = id;
    this.inspect();
  }

  inspect() {
    const open = Boolean(this.selected && this.view);
    this.inspector.hidden = !open;
    if (!open) return;
    const facts = partFacts(this.view, this.selected, this.store);
    if (!facts) {
      this.inspector.replaceChildren(h('div', { class: 'inspect-main' }, h('p', {}, t('fact.gone')), ...this.why(telling(this.store, aboutId(this.selected)))), this.closeInspector());
      return;
    }
    const events = facts.events.length
      ? h('ol', { class: 'inspect-events' }, facts.events.map((event) => h('li', {}, button(`#${event.seq}`, { class: 'event-link', onclick: () => this.showEvent(event.seq) }), ` ${sentence(event)}`)))
      : h('p', {}, t('fact.none'));
    const offered = this.looksOn && !this.typesAlong ? [] : facts.commands;
    const commands = h('div', { class: 'row' }, offered.map(([host, command]) => button(command, {
      class: 'btn is-command', 'aria-label': t('term.run', { name: host, command }), onclick: () => this.run(host, [command]),
    }, icon('run'))));
    this.inspector.replaceChildren(
      h('div', { class: 'inspect-main' }, h('p', {}, h('strong', {}, facts.title), ' ', stateOf(facts.state, facts.note)), this.detail.said, h('p', {}, facts.what), factList(facts.rows), ...this.why(facts.telling)),
      h('div', { class: 'inspect-more' }, ...(offered.length ? [h('h3', {}, t('fact.look')), commands] : []), h('h3', {}, t('fact.last')), events), this.closeInspector(), this.detail.show(this.selected));
  }

  /* The causes of an event, from what began it. */
  why(event) {
    return event ? [h('h3', {}, t('why.title', { seq: event.seq })), whyList(this.store, event, (seq) => this.showEvent(seq))] : [];
  }

  closeInspector() {
    return button('×', { class: 'btn is-plain inspect-close', 'aria-label': t('fact.close'), onclick: () => {
      this.selected = null;
      this.drawn?.select?.(null);
      this.inspect();
      this.map.querySelector('.part[tabindex="0"]')?.focus();
    } });
  }

  /* ---- trace ---- */

  newEvents() {
    const root = this.store.latest();
    if (root === null) return;
    if (root !== this.player.root) this.chosen = null;
    this.showStory(root);
    this.inspect();
    this.showSummary();
  }

  showStory(root) {
    const story = this.store.story(root);
    if (!story.length) return;
    const warped = warp(story);
    this.moving = travels(warped);
    this.player.show(root, warped);
    this.showPlay();
  }

  /** Evidence: one trace event, marked on the time line. */
  showEvent(seq) {
    const root = this.store.rootOf(seq);
    if (root === null) {
      this.tell(t('bench.gone', { seq }));
      return false;
    }
    this.chosen = seq;
    this.player.hold();
    this.showStory(root);
    this.player.seek(this.player.warped.at.get(seq) ?? this.player.warped.end);
    return true;
  }

  togglePlay() {
    if (this.player.playing) this.player.hold();
    else if (this.player.warped && this.player.now < this.player.end) this.player.play();
    else this.player.again();
  }

  showPlay() {
    const { playing } = this.player;
    this.playButton.replaceChildren(icon(playing ? 'pause' : 'play'), t(playing ? 'time.hold' : 'time.play'));
    const none = !this.player.warped;
    this.playButton.disabled = none;
    this.stepButton.disabled = none;
  }

  paint() {
    const { warped, now } = this.player;
    if (warped) drawTimeline(this.timeHost, warped, this.timeHost.clientWidth, now, { chosen: this.chosen, compact: short.matches });
    else this.timeHost.replaceChildren(h('p', { class: 'tl-empty' }, t('bench.noevents')));
    this.drawn?.paint?.(now, warped ? this.moving : []);
    if (!warped) this.showPlay();
    this.showLast();
  }

  showLast() {
    const { warped, now } = this.player;
    const event = warped && current(warped, now);
    const words = event ? `#${event.seq} ${sentence(event)}` : '';
    const span = this.summary.querySelector('span');
    if (span && span.textContent !== words) span.textContent = words;
  }

  showSummary() {
    this.summary.replaceChildren(this.view ? summary(this.view) : t('bench.connecting'), h('span', {}));
    this.showLast();
  }

  /* ---- slips ---- */

  fill_legend(slip) {
    slip.replaceChildren(h('h3', {}, t('bench.legend')), h('ul', { class: 'legend' }, legend(this.plain)));
  }

  fill_astext(slip) {
    const through = this.lens.facts();
    slip.replaceChildren(...(through ? [h('h3', {}, t('lens.text', { name: t(`lens.${this.lens.name}`) })), h('ul', { class: 'plain lens-facts' }, through.map((line) => h('li', {}, line)))] : []),
      h('h3', {}, t('bench.maptext')), this.view ? h('ul', { class: 'plain' }, mapFacts(this.view).map((line) => h('li', {}, line))) : h('p', {}, t('bench.nomap')),
      h('h3', {}, t('bench.events')), this.eventList());
  }

  eventList() {
    const { warped } = this.player;
    if (!warped) return h('p', {}, t('bench.noevents'));
    return h('div', {}, warped.hidden ? h('p', {}, t('bench.earlier', { n: warped.hidden })) : null,
      h('ol', {}, asText(warped).map((one) => h('li', {}, `${one.when} `, h('code', {}, `#${one.seq}`), ` ${one.lane}: ${one.words}`, one.cause ? ` ${t('bench.cause', { seq: one.cause })}` : ''))));
  }

  /* ---- the editor ---- */

  letEdit(may) {
    this.panel.onEdit = may ? (terminal, taken) => this.edit(terminal, taken) : null;
    this.panel.offer();
  }

  /** Opens the editor, which is loaded now if it was not, on files of a terminal's shell; `taken`: on what the editor on its screen has. */
  async edit(terminal, taken = false, path = '') {
    try {
      const { EditorPane } = await import('./editor.js');
      this.editor ??= new EditorPane(this);
      await this.editor.open(terminal, { taken, path });
    } catch (error) {
      console.warn('the editor cannot be loaded', error);
      this.tell(t('bench.noeditor'));
    }
  }

  /* ---- for the page ---- */

  /** Types lines into the terminal of a host. */
  run(host, lines) {
    const id = this.element.id || 'bench';
    if (phone.matches && location.hash !== `#${id}`) location.hash = id;
    return this.panel.run(host, lines);
  }
}
