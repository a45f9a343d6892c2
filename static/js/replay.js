/* The replay of a session: terminals as they stood, the map of the moment, the causal time line of the command, the moments with their
   failures. Everything on the page is a function of one virtual time; playing moves it, at any speed, over silence if wanted. */

import { TraceStore, travels, warp } from './causes.js';
import { clockText } from './clock.js';
import { button, h, icon, watchWidth } from './dom.js';
import { Lens } from './lens.js';
import { modelOf } from './mapmodel.js';
import { draw } from './shipmap.js';
import { t } from './strings.js';
import { current, drawTimeline, sentence } from './timeline.js';

const SPEEDS = [1, 4, 16, 64, 256];
const SILENCE_NS = 3e9;
const LOOK_EVERY_MS = 700;
const SHOWN = 30_000;
const ANSI = /\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r(?!\n)/g;

export class Replay {
  constructor(element) {
    this.element = element;
    this.now = 0;
    this.speed = 16;
    this.playing = false;
    this.looked = -1;
    this.asked = 0;
    this.load();
  }

  async load() {
    this.element.replaceChildren(h('p', { class: 'empty', role: 'status' }, t('bench.connecting')));
    try {
      const answer = await fetch(this.element.dataset.replay, { credentials: 'same-origin' });
      if (!answer.ok) throw new Error(String(answer.status));
      this.take(await answer.json());
    } catch {
      this.element.replaceChildren(h('p', { class: 'empty', role: 'alert' }, t('replay.failed')));
    }
  }

  take(data) {
    this.data = data;
    this.store = new TraceStore();
    for (const event of data.events) this.store.add(event);
    this.stops = [...new Set([...data.chunks.map(([at]) => at), ...data.moments.map(({ at }) => at ?? 0)])].sort((a, b) => a - b);
    this.failures = data.moments.filter(({ failed }) => failed);
    this.build();
    this.seek(Math.max(0, (this.stops[0] ?? 0)));
  }

  build() {
    const { data } = this;
    this.map = h('div', { class: 'map-host' }, h('p', { class: 'map-empty' }, t('bench.nomap')));
    this.timeHost = h('div', { class: 'tl-host' });
    this.lens = this.makeLens();
    this.say = h('p', { class: 'meta replay-say' });
    this.terminals = new Map();
    const names = [...new Set(data.chunks.map(([, terminal]) => terminal))].filter((name) => name !== 'setup');
    const terms = names.map((name) => {
      const pre = h('pre', { tabindex: '0', role: 'group', 'aria-label': t('replay.terminal', { name }) });
      this.terminals.set(name, pre);
      return h('div', { class: 'term is-static', 'data-terminal': name }, h('p', { class: 'term-name' }, name), pre);
    });
    this.face = h('output', { for: 'replay-at' }, '');
    this.slider = h('input', { type: 'range', id: 'replay-at', min: 0, max: Math.max(1, Math.ceil(data.end / 1e9)), step: 1, value: 0, 'aria-label': t('replay.time') });
    this.slider.addEventListener('input', () => { this.hold(); this.seek(Math.min(data.end, Number(this.slider.value) * 1e9)); });
    this.playButton = button('', { class: 'btn is-first', 'data-replay-play': true, onclick: () => (this.playing ? this.hold() : this.play()) });
    this.pass = h('input', { type: 'checkbox', id: 'replay-pass', checked: true });
    this.speeds = SPEEDS.map((speed) => button(`${speed}×`, { 'data-speed': speed, 'aria-pressed': String(speed === this.speed), onclick: () => this.setSpeed(speed) }));
    this.list = h('ol', {}, data.moments.map((moment, i) => h('li', {}, h('button', { type: 'button', class: 'past-moment', 'data-moment': i, onclick: () => { this.hold(); this.seek(this.after(moment)); } },
      h('span', { class: 'when' }, clockText(moment.at ?? 0)), this.words(moment)))));
    const jump = (label, way, kid) => button(label, { 'data-failure': way, disabled: !this.failures.length, onclick: () => this.jump(way) }, kid);
    this.element.replaceChildren(
      data.cut ? h('p', { class: 'banner' }, t('replay.cut')) : '',
      h('div', { class: 'replay' }, h('div', { class: 'replay-map' }, this.lens.tabs, h('figure', { class: 'map-box' }, this.map), this.say, h('div', { class: 'time' }, this.timeHost)),
        h('div', { class: 'replay-terms' }, terms.length ? terms : h('p', { class: 'empty' }, t('replay.nothing'))),
        h('section', { class: 'moments', 'aria-label': t('replay.moments') }, h('h2', {}, t('replay.moments')), this.list)),
      h('section', { class: 'scrub', 'aria-label': t('replay.time') }, h('div', { class: 'controls', role: 'toolbar', 'aria-label': t('replay.playback') },
        jump(t('replay.before'), -1, icon('undo')), this.playButton, jump(t('replay.next'), 1, icon('next')), ...this.speeds,
        h('label', { class: 'row', for: 'replay-pass' }, this.pass, ` ${t('replay.pass')}`)), h('div', { class: 'past-slider' }, this.slider, this.face)));
    watchWidth(this.map, () => this.drawMap());
    watchWidth(this.timeHost, () => this.drawTime());
    this.showPlay();
  }

  /* What a lens sees in place of a bench: a past that is always looked at, and nothing to steer. */
  makeLens() {
    const lens = new Lens({
      drawMap: () => this.drawMap(), showEvent: (seq) => this.goTo(seq), choose: () => {}, map: this.map, selected: '', resetUrl: '',
      past: { looking: true, again: () => this.lookAgain() },
    });
    lens.clock = { running: false };
    lens.mark();
    if (lens.name) lens.begin();
    return lens;
  }

  lookAgain() {
    this.looked = -1;
    this.look(true);
  }

  goTo(seq) {
    const event = this.data.events.find((one) => one.seq === seq);
    if (!event) return;
    this.hold();
    this.seek(event.at);
  }

  words(moment) {
    if (moment.kind === 'check') {
      const kind = moment.failed ? 'bad' : 'ok';
      return h('span', {}, h('span', { class: `st ${kind}` }, t(moment.failed ? 'replay.checkfailed' : 'replay.checkpassed', { passed: moment.passed, total: moment.total })), ` ${moment.text}`);
    }
    const words = moment.kind === 'line' ? h('code', {}, moment.text || '⏎') : h('span', {}, t(moment.kind === 'open' ? 'past.opened' : `past.${moment.kind}`, { what: moment.text }));
    return h('span', {}, moment.failed ? h('span', { class: 'st bad' }, h('span', { class: 'vh' }, t('replay.error'))) : null, ' ', words);
  }

  /* A moment is looked at with what came of it, until the next one. */
  after(moment) {
    const at = moment.at ?? 0;
    const next = this.data.moments.find((one) => (one.at ?? 0) > at);
    const end = next ? next.at - 1 : this.data.end;
    const last = this.data.chunks.findLast?.(([when]) => when >= at && when <= Math.min(end, at + 2e9));
    return Math.max(at, last ? last[0] : at);
  }

  /* ---- time ---- */

  setSpeed(speed) {
    this.speed = speed;
    for (const one of this.speeds) one.setAttribute('aria-pressed', String(Number(one.dataset.speed) === speed));
  }

  play() {
    if (this.now >= this.data.end) this.seek(this.stops[0] ?? 0);
    this.playing = true;
    this.showPlay();
    let before = performance.now();
    const frame = (real) => {
      if (!this.playing) return;
      const step = Math.min(200, real - before) * 1e6 * this.speed;
      before = real;
      let to = this.now + step;
      if (this.pass.checked) {
        const next = this.stops.find((at) => at > this.now + 1);
        if (next === undefined) to = this.data.end;
        else if (next - this.now > SILENCE_NS) to = Math.max(to, next - 5e8);
      }
      this.seek(Math.min(this.data.end, to));
      if (this.now >= this.data.end) this.hold();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  hold() {
    this.playing = false;
    this.showPlay();
    this.look(true);
  }

  showPlay() {
    this.playButton?.replaceChildren(icon(this.playing ? 'pause' : 'play'), t(this.playing ? 'replay.hold' : 'replay.play'));
  }

  jump(way) {
    this.hold();
    const here = this.now;
    const found = way > 0 ? this.failures.find((one) => this.after(one) > here + 1) : this.failures.findLast((one) => this.after(one) < here - 1);
    if (found) this.seek(this.after(found));
  }

  seek(at) {
    this.now = at;
    this.slider.value = String(Math.round(at / 1e9));
    this.face.textContent = clockText(at);
    this.slider.setAttribute('aria-valuetext', clockText(at));
    this.drawTerminals();
    this.drawTime();
    this.mark();
    this.look(false);
  }

  mark() {
    const here = this.data.moments.findLast?.((one) => (one.at ?? 0) <= this.now);
    const place = String(this.data.moments.indexOf(here));
    for (const one of this.list.querySelectorAll('.past-moment')) {
      if (one.dataset.moment === place) {
        if (one.getAttribute('aria-current') !== 'true') {
          one.setAttribute('aria-current', 'true');
          this.list.scrollTop = Math.max(0, one.offsetTop - this.list.clientHeight / 2);
        }
      } else one.removeAttribute('aria-current');
    }
  }

  /* ---- what is seen ---- */

  drawTerminals() {
    const parts = new Map();
    let newest = '';
    for (const [at, terminal, fd, text] of this.data.chunks) {
      if (at > this.now) break;
      if (!this.terminals.has(terminal)) continue;
      if (!parts.has(terminal)) parts.set(terminal, []);
      parts.get(terminal).push([fd, text.replace(ANSI, '')]);
      newest = terminal;
    }
    for (const [name, pre] of this.terminals) {
      const kids = (parts.get(name) ?? []).slice(-600);
      const size = kids.reduce((sum, [, text]) => sum + text.length, 0);
      const key = `${kids.length}:${size}`;
      if (pre.dataset.key === key) continue;
      pre.dataset.key = key;
      pre.replaceChildren(...kids.map(([fd, text]) => (fd === 2 ? h('span', { class: 'err' }, text) : fd === 0 ? h('span', { class: 'c' }, text) : text.slice(-SHOWN))));
      pre.scrollTop = pre.scrollHeight;
    }
    for (const [name, pre] of this.terminals) pre.parentElement.toggleAttribute('data-newest', name === newest);
  }

  /* The story that was going on at this time, seen up to now. */
  drawTime() {
    const event = this.data.events.findLast?.((one) => one.at <= this.now);
    const root = event ? this.store.rootOf(event.seq) : null;
    if (root === null || root === undefined) {
      this.timeHost.replaceChildren(h('p', { class: 'tl-empty' }, t('bench.noevents')));
      this.story = null;
      return;
    }
    if (root !== this.story?.root) {
      const warped = warp(this.store.story(root));
      this.story = { root, warped, moving: travels(warped) };
    }
    const { warped } = this.story;
    const seen = warped.events.findLast?.((one) => one.at <= this.now) ?? warped.events[0];
    this.shown = warped.at.get(seen.seq) ?? 0;
    if (this.timeHost.clientWidth) drawTimeline(this.timeHost, warped, this.timeHost.clientWidth, this.shown, { compact: true });
    const here = current(warped, this.shown);
    this.say.textContent = here ? `#${here.seq} ${sentence(here)}` : '';
    this.drawn?.paint(this.shown, this.story.moving);
  }

  /** The map of the moment, computed by the server: not for every frame, and always when playing stops. */
  async look(now) {
    if (this.looked === this.now || (this.lookTimer && !now)) return;
    clearTimeout(this.lookTimer);
    this.lookTimer = setTimeout(async () => {
      this.lookTimer = 0;
      this.asked += 1;
      const mine = this.asked;
      const at = Math.round(this.now);
      this.looked = at;
      try {
        const answer = await fetch(`${this.element.dataset.look}?at=${at}${this.lens.query}`, { credentials: 'same-origin' });
        if (!answer.ok || mine !== this.asked) return;
        const found = await answer.json();
        this.view = found.view;
        if (found.lens) this.lens.show(found.lens);
        this.drawMap();
        if (Math.round(this.now) !== at) this.look(false);
      } catch {
        /* the map stays as it was; the next moment asks again */
      }
    }, now ? 0 : LOOK_EVERY_MS);
  }

  drawMap() {
    if (!this.view || !this.map.clientWidth) return;
    if (this.lens.draw(this.map, this.map.clientWidth)) {
      this.drawn = null;
      return;
    }
    this.drawn = draw(this.map, modelOf(this.view, {}), this.map.clientWidth, { compact: true });
    if (this.story) this.drawn.paint(this.shown ?? 0, this.story.moving);
  }
}
