/* Lenses: one component of the cluster from the inside, in place of the ship map (docs/map.md, "Lenses"). The switch, the questions to
   the server while somebody looks, and the module that draws the answer. Nothing is asked while the ship map shows. */

import { button, h, memory } from './dom.js';
import { t } from './strings.js';

/** The lenses in the order of the course; each is drawn by its own module, loaded when it is first looked through. */
export const LENSES = {
  etcd: () => import('./lenses/etcd.js'),
  apiserver: () => import('./lenses/apiserver.js'),
  scheduler: () => import('./lenses/scheduler.js'),
  controllers: () => import('./lenses/controllers.js'),
  kubelet: () => import('./lenses/kubelet.js'),
  'kube-proxy': () => import('./lenses/kube-proxy.js'),
  runtime: () => import('./lenses/runtime.js'),
};
const LEAST_MS = 250;
const EVERY_MS = 1000;

export class Lens {
  /** `wanted` is the lens that the lesson opens with, "" for the ship map; what the learner chose on this page is kept. */
  constructor(bench, wanted = '') {
    this.bench = bench;
    this.key = `lens:${location.pathname}`;
    const kept = memory.get(this.key);
    this.name = kept === 'ships' ? '' : kept in LENSES ? kept : wanted in LENSES ? wanted : '';
    this.about = {};
    this.data = null;
    this.drawing = null;
    this.tabs = this.build();
  }

  build() {
    this.buttons = ['', ...Object.keys(LENSES)].map((name) => button(t(`lens.${name || 'ships'}`), {
      class: 'lens-tab', role: 'radio', 'data-lens': name || 'ships', onclick: () => this.choose(name),
    }));
    const tabs = h('div', { class: 'lens-tabs', role: 'radiogroup', 'aria-label': t('lens.label') }, this.buttons);
    tabs.addEventListener('keydown', (event) => {
      const i = this.buttons.indexOf(document.activeElement);
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: this.buttons.length - 1 }[event.key];
      if (i < 0 || to === undefined) return;
      event.preventDefault();
      const next = this.buttons.at(to % this.buttons.length);
      next.focus();
      next.click();
    });
    return tabs;
  }

  mark() {
    for (const one of this.buttons) {
      const here = one.dataset.lens === (this.name || 'ships');
      one.setAttribute('aria-checked', String(here));
      one.setAttribute('tabindex', here ? '0' : '-1');
      if (here && one.parentElement.scrollWidth > one.parentElement.clientWidth) one.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  }

  choose(name) {
    if (name === this.name) return;
    this.name = name;
    memory.set(this.key, name || 'ships');
    this.mark();
    this.data = null;
    this.begin();
    this.bench.drawMap();
    if (this.bench.past.looking) this.bench.past.again();
  }

  /** What the lens is turned to has been chosen: a host, a controller, a prefix of keys. */
  turn(about) {
    this.about[this.name] = about;
    if (this.bench.past.looking) this.bench.past.again();
    else this.ask();
  }

  /* ---- asking ---- */

  /** A cluster is there: look anew. */
  start(connection, clock) {
    this.stop();
    this.connection = connection;
    this.clock = clock;
    this.data = null;
    for (const type of ['view', 'state']) connection.addEventListener(type, () => this.soon());
    connection.addEventListener('batch', ({ detail }) => detail.of === 'trace' && this.soon());
    this.mark();
    this.begin();
  }

  begin() {
    clearInterval(this.poll);
    this.drawing?.dispose?.();
    this.drawing = null;
    this.module = null;
    const { name } = this;
    if (!name) return;
    this.poll = setInterval(() => this.clock.running && this.soon(), EVERY_MS);
    LENSES[name]().then((module) => {
      if (name !== this.name) return;
      this.module = module;
      this.bench.drawMap();
    });
    this.soon();
  }

  stop() {
    clearInterval(this.poll);
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.asked = 0;
    this.drawing?.dispose?.();
    this.drawing = null;
  }

  soon() {
    if (!this.name || this.waiting || this.bench.past.looking || document.visibilityState === 'hidden') return;
    const since = performance.now() - (this.asked ?? 0);
    this.waiting = setTimeout(() => {
      this.waiting = 0;
      this.ask();
    }, Math.max(0, LEAST_MS - since));
  }

  async ask() {
    const { name } = this;
    if (!name || !this.connection) return;
    this.asked = performance.now();
    const answer = await this.connection.lens(name, this.about[name] ?? '');
    if (name !== this.name || this.bench.past.looking) return;
    if (answer?.data) this.show(answer.data);
    else if (answer?.error && !this.data) this.bench.map.replaceChildren(h('p', { class: 'map-empty' }, t('lens.failed')));
  }

  /** The words of a question about the past that has this lens in it. */
  get query() {
    return this.name ? `&${new URLSearchParams({ lens: this.name, about: this.about[this.name] ?? '' })}` : '';
  }

  /* ---- showing ---- */

  show(data) {
    /* time alone changes no picture: the same answer at another time is not drawn again */
    const text = JSON.stringify({ ...data, at: 0 });
    if (text === this.text && this.drawing && this.data) return;
    this.text = text;
    this.data = data;
    this.bench.drawMap();
  }

  /** Draws into the map's place; false while the ship map is to be drawn. */
  draw(host, width) {
    if (!this.name) return false;
    if (!this.module || !this.data || this.data.lens !== this.name) {
      if (!this.drawing) host.replaceChildren(h('p', { class: 'map-empty' }, t('lens.waiting')));
      return true;
    }
    if (!this.drawing || this.drawing.element.parentElement !== host) {
      this.drawing = this.module.open(this);
      host.replaceChildren(this.drawing.element);
    }
    this.drawing.draw(this.data, width);
    return true;
  }

  /** The facts that the lens shows, one sentence each; null while the ship map shows. */
  facts() {
    return this.name && this.data && this.module ? this.module.facts(this.data) : null;
  }
}

/** A choice of what a lens is turned to, as a labelled select; nothing where there is no choice. */
export function chooser(lens, label, data) {
  if (data.choices.length < 2) return null;
  const select = h('select', { class: 'lens-choice', onchange: () => lens.turn(select.value) }, data.choices.map((one) => h('option', { value: one, selected: one === data.about }, one)));
  return h('label', { class: 'lens-pick' }, h('span', {}, label), select);
}

/** A heading row of a lens: words on the left, controls on the right. */
export function head(words, ...controls) {
  return h('div', { class: 'lens-head' }, h('p', {}, words), h('div', { class: 'lens-controls' }, controls));
}
