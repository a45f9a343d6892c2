/* The learner's word on who looks at their cluster: names, and whether one of them may type along. It is always shown while it is so. */

import { button, csrfToken, h } from './dom.js';
import { lang, t } from './strings.js';

const GONE_MS = 30_000;

export class Watched {
  constructor(element) {
    this.box = element;
    this.shown = '';
    this.timer = 0;
  }

  /** `by`: [{id, name, asks, types}]. */
  show(by) {
    clearTimeout(this.timer);
    this.timer = by.length ? setTimeout(() => this.show([]), GONE_MS) : 0;
    const now = JSON.stringify(by);
    if (now === this.shown) return;
    this.shown = now;
    this.box.hidden = !by.length;
    this.box.replaceChildren(...by.map((one) => h('span', { class: 'row' }, h('span', {}, t(one.types ? 'watch.types' : one.asks ? 'watch.asks' : 'watch.looks', { name: one.name })),
      one.types || !one.asks ? null : button(t('watch.allow'), { 'data-watch-allow': one.id, onclick: () => this.decide(one.id, 'yes') }),
      one.types || one.asks ? button(t(one.types ? 'watch.end' : 'watch.no'), { onclick: () => this.decide(one.id, 'no') }) : null)));
  }

  async decide(id, grant) {
    await fetch(`/${lang}/watchings/${id}/`, { method: 'POST', body: new URLSearchParams({ grant }), headers: { 'X-CSRFToken': csrfToken() }, credentials: 'same-origin' }).catch(() => null);
  }
}
