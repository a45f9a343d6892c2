/* A cluster's past (docs/protocol.md, "The past"): undo, looking at an earlier moment on the map, going on from there, and coming back to
   what was left. Nothing of it is lost: going back makes a branch, a cluster of its own with the same beginning. */

import { clockText } from './clock.js';
import { button, csrfToken, h, icon } from './dom.js';
import { t } from './strings.js';

const LOOK_AFTER_MS = 120;

async function ask(url, { method = 'GET', body = null } = {}) {
  const headers = { Accept: 'application/json', ...(method === 'POST' ? { 'X-CSRFToken': csrfToken() } : {}) };
  const answer = await fetch(url, { method, body, headers, credentials: 'same-origin' });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.message || t('past.failed'));
  return found;
}

/* What a moment is called in the list. */
function nameOf({ kind, text }) {
  return kind === 'line' ? h('code', {}, text || '⏎') : h('span', {}, t(kind === 'open' ? 'past.opened' : `past.${kind}`, { what: text }));
}

export class Past {
  constructor(bench) {
    this.bench = bench;
    this.at = null;
    this.moment = '';
    this.asked = 0;
    this.undoButton = button(t('past.undo'), { 'data-undo': true, onclick: () => this.undo() }, icon('undo'));
    this.openButton = button(t('past.open'), { popovertarget: 'bench-past', 'data-past': true }, icon('past'));
    this.banner = h('div', { class: 'banner bench-past', role: 'status', hidden: true });
    this.slip = h('div', { class: 'slip past', id: 'bench-past', popover: 'auto', tabindex: '0', role: 'region', 'aria-label': t('past.title') });
    this.slip.addEventListener('beforetoggle', (event) => {
      if (event.newState === 'open') this.fill();
    });
  }

  /** The buttons for the row of time controls; none for a cluster that cannot be steered. */
  get buttons() {
    return this.bench.resetUrl ? [this.undoButton, this.openButton] : [];
  }

  get looking() {
    return this.at !== null;
  }

  url(name) {
    return this.bench.resetUrl.replace(/reset\/$/, name);
  }

  /* ---- undo, branch, come back ---- */

  undo() {
    return this.change('undo/', null, 'past.undone');
  }

  branch() {
    return this.change('branch/', new URLSearchParams(this.moment), 'past.branched');
  }

  takeUp(id) {
    const here = this.bench.element.dataset.ws.split('/').filter(Boolean).at(-1);
    return this.change('take-up/', null, 'past.back', this.url('take-up/').replace(here, id));
  }

  async change(name, body, done, url = this.url(name)) {
    for (const one of this.buttons) one.disabled = true;
    try {
      const answer = await ask(url, { method: 'POST', body });
      this.slip.hidePopover();
      this.leave();
      this.bench.replace(answer);
      this.bench.tell(t(done));
    } catch (error) {
      this.bench.tell(error.message);
    } finally {
      for (const one of this.buttons) one.disabled = false;
    }
  }

  /* ---- looking ---- */

  async fill() {
    this.slip.replaceChildren(h('h3', {}, t('past.title')), h('p', {}, t('bench.connecting')));
    try {
      const { now, moments, branches } = await ask(this.url('past/'));
      this.draw(now, moments, branches);
    } catch (error) {
      this.slip.replaceChildren(h('h3', {}, t('past.title')), h('p', {}, error.message));
    }
  }

  draw(now, moments, branches) {
    const face = h('output', { for: 'bench-past-at' }, clockText(this.at ?? now));
    const seconds = Math.max(1, Math.ceil(now / 1e9));
    const slider = h('input', { type: 'range', id: 'bench-past-at', min: 0, max: seconds, step: 1, value: Math.round((this.at ?? now) / 1e9), 'aria-valuetext': clockText(this.at ?? now) });
    slider.addEventListener('input', () => {
      const at = Math.min(now, Number(slider.value) * 1e9);
      face.textContent = clockText(at);
      slider.setAttribute('aria-valuetext', clockText(at));
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(`at=${at}`), LOOK_AFTER_MS);
    });
    const choose = (moment) => {
      slider.value = String(Math.round(moment.at / 1e9));
      face.textContent = clockText(moment.at);
      this.look(`before=${moment.seq}`);
    };
    const list = moments.length
      ? h('ol', { class: 'past-moments', tabindex: '0', 'aria-label': t('past.moments') }, [...moments].reverse().map((moment) => h('li', {},
          h('button', { type: 'button', class: 'past-moment', onclick: () => choose(moment) }, h('span', { class: 'when' }, clockText(moment.at)), nameOf(moment)))))
      : h('p', {}, t('past.none'));
    const left = branches.length
      ? [h('h3', {}, t('past.left')), h('ul', { class: 'past-moments' }, branches.map((one) => h('li', {},
          h('button', { type: 'button', class: 'past-moment', onclick: () => this.takeUp(one.id) }, h('span', { class: 'when' }, clockText(one.at)),
            h('span', {}, t('past.branch', { n: one.inputs }), ' ', one.last ? h('code', {}, one.last) : null)))))]
      : [];
    this.choice = h('p', { class: 'row', hidden: !this.looking }, ...this.choices());
    this.slip.replaceChildren(h('h3', {}, t('past.title')), h('p', {}, t('past.what')), this.choice,
      h('label', { class: 'past-slider', for: 'bench-past-at' }, h('span', {}, t('past.slider')), slider, face), list, ...left);
  }

  /* What can be done with the moment that is looked at: the banner has it, and the slip, which may lie over the banner. */
  choices(go = {}, back = {}) {
    return [button(t('past.try'), { class: 'btn is-first', ...go, onclick: () => this.branch() }), button(t('past.return'), { ...back, onclick: () => this.toNow() })];
  }

  /** Shows the map of a moment (`at=` a virtual time, or `before=` an input); the latest question wins. */
  async look(moment) {
    this.asked += 1;
    const mine = this.asked;
    try {
      const found = await ask(`${this.url('past/look/')}?${moment}${this.bench.lens.query}`);
      if (mine !== this.asked) return;
      this.at = found.at;
      this.moment = moment;
      this.banner.replaceChildren(h('span', {}, t('past.looking', { when: clockText(found.at) })), h('span', { class: 'row end' }, this.choices({ 'data-branch': true }, { 'data-now': true })));
      this.banner.hidden = false;
      if (this.choice) this.choice.hidden = false;
      if (found.lens) this.bench.lens.show(found.lens);
      this.bench.showView(found.view);
    } catch (error) {
      if (mine === this.asked) this.bench.tell(error.message);
    }
  }

  /** What a lens shows of the moment that is looked at; null when there is no answer. */
  async through(lens, about) {
    try {
      return (await ask(`${this.url('past/look/')}?${this.moment}&${new URLSearchParams({ lens, about })}`)).lens;
    } catch {
      return null;
    }
  }

  /** The same moment once more, through another lens. */
  again() {
    return this.look(this.moment);
  }

  /** The live map again. */
  toNow() {
    this.leave();
    if (this.slip.matches(':popover-open')) this.fill();
  }

  leave() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.at = null;
    this.banner.hidden = true;
    if (this.bench.live) this.bench.showView(this.bench.live);
    this.bench.lens.soon();
  }
}
