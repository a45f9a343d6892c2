/* Virtual time: the badge that runs on between the server's messages, and the buttons that steer it. */

import { button, h, icon } from './dom.js';
import { t } from './strings.js';

const SPEEDS = [1, 10, 100];
const SKIP_NS = 300_000_000_000;
const SEEK_LIMIT_NS = 3_600_000_000_000;

/** `T+00:03:40` of virtual nanoseconds. */
export function clockText(ns) {
  const total = Math.max(0, Math.floor(ns / 1e9));
  const two = (n) => String(n).padStart(2, '0');
  return `T+${two(Math.floor(total / 3600))}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}

export class Clock {
  constructor(connection) {
    this.connection = connection;
    this.base = 0;
    this.heard = performance.now();
    this.speed = 1;
    this.running = false;
    this.seeking = null;
    this.face = h('span', {}, clockText(0));
    this.word = h('span', {}, t('clock.waiting'));
    this.badge = h('span', { class: 'clock', role: 'timer', 'aria-label': t('clock.label') }, this.face, this.word);
    this.buttons = this.build();
    connection.addEventListener('state', ({ detail }) => this.state(detail));
    connection.addEventListener('status', () => this.show());
    for (const type of ['chunk', 'trace', 'view']) connection.addEventListener(type, () => this.found());
    this.timer = setInterval(() => this.tick(), 250);
  }

  build() {
    this.pauseIcon = h('span', { class: 'icon-slot' }, icon('pause'));
    this.pauseWord = h('span', {}, t('time.pause'));
    this.pause = h('button', { type: 'button', class: 'btn', 'data-time': 'pause', onclick: () => this.toggle() }, this.pauseIcon, this.pauseWord);
    this.speedButtons = SPEEDS.map((n) => button(t('time.speed', { n }), {
      'data-time': `speed-${n}`, 'aria-label': t('time.speed.label', { n }), 'aria-pressed': 'false', onclick: () => this.set(n),
    }));
    this.nextWord = h('span', {}, t('time.next'));
    this.next = h('button', { type: 'button', class: 'btn', 'data-time': 'next', 'aria-pressed': 'false', onclick: () => this.seek() }, icon('next'), this.nextWord);
    this.skip = button(t('time.skip'), { 'data-time': 'skip', 'aria-label': t('time.skip.label'), onclick: () => this.connection.input('skip', { ns: SKIP_NS }) });
    return [this.pause, ...this.speedButtons, this.next, this.skip];
  }

  get now() {
    if (!this.running || this.connection.status !== 'online') return this.base;
    return this.base + (performance.now() - this.heard) * 1e6 * this.speed;
  }

  state(frame) {
    this.base = frame.now;
    this.heard = performance.now();
    this.speed = frame.speed;
    this.running = frame.running && frame.speed > 0;
    if (frame.speed > 0 && !this.seeking) this.lastSpeed = frame.speed;
    if (this.seeking && frame.now - this.seeking.from > SEEK_LIMIT_NS) this.found();
    this.show();
  }

  toggle() {
    this.seeking = null;
    this.set(this.speed > 0 ? 0 : this.lastSpeed ?? 1);
  }

  set(value) {
    this.seeking = null;
    this.connection.speed(value);
  }

  /* Fast forward until anything at all happens: output, a trace event, a change on the map. */
  seek() {
    if (this.seeking) {
      this.found();
      return;
    }
    this.seeking = { from: this.base, restore: this.speed };
    this.connection.speed(100);
    this.show();
  }

  found() {
    if (!this.seeking) return;
    const { restore } = this.seeking;
    this.seeking = null;
    this.connection.speed(restore);
    this.show();
  }

  tick() {
    const words = clockText(this.now);
    if (this.face.textContent !== words) this.face.textContent = words;
  }

  show() {
    const online = this.connection.status === 'online';
    const paused = this.speed === 0;
    this.word.textContent = !online ? t('clock.waiting') : paused ? t('clock.paused') : t('time.speed', { n: this.speed });
    this.pauseWord.textContent = t(paused ? 'time.resume' : 'time.pause');
    this.pauseIcon.replaceChildren(icon(paused ? 'play' : 'pause'));
    this.nextWord.textContent = t(this.seeking ? 'time.next.stop' : 'time.next');
    this.next.setAttribute('aria-pressed', String(Boolean(this.seeking)));
    SPEEDS.forEach((n, i) => this.speedButtons[i].setAttribute('aria-pressed', String(!this.seeking && this.speed === n)));
    for (const one of this.buttons) one.disabled = !online;
    this.tick();
  }

  dispose() {
    clearInterval(this.timer);
  }
}
