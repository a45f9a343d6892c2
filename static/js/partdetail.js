/* What the inspector tells of a selected part beyond the map: flags, the file that says how it runs, the end of its log. Asked for when a
   part is selected, never before (docs/map.md, "Lenses"). */

import { h } from './dom.js';
import { t } from './strings.js';

const AGAIN_MS = 1500;

function fold(name, label, open, kids, remember) {
  const details = h('details', { open }, h('summary', {}, label), kids);
  details.addEventListener('toggle', () => remember(name, details.open));
  return details;
}

const text = (lines) => h('pre', { class: 'detail-text', tabindex: '0' }, lines);

export class PartDetail {
  constructor(bench) {
    this.bench = bench;
    this.open = new Set();
    this.element = h('div', { class: 'inspect-detail' });
    /* What scheduler, kubelet and the others say about a part that is not well: beside the chain of causes. */
    this.said = h('div', { class: 'inspect-said', 'aria-live': 'polite' });
  }

  /** The element for a part; what was known of it stays until the answer comes. */
  show(id) {
    if (id !== this.id) {
      this.id = id;
      this.told = '';
      this.element.replaceChildren();
      this.said.replaceChildren();
    }
    this.soon();
    return this.element;
  }

  soon() {
    if (this.timer) return;
    const wait = this.told ? Math.max(0, AGAIN_MS - (performance.now() - this.asked)) : 0;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.ask();
    }, wait);
  }

  async ask() {
    const { bench, id } = this;
    this.asked = performance.now();
    const data = bench.past.looking ? await bench.past.through('part', id) : (await bench.connection.lens('part', id))?.data;
    if (!data || id !== this.id || bench.selected !== id) return;
    const told = JSON.stringify({ ...data, at: 0 });
    if (told === this.told) return;
    this.told = told;
    this.draw(data);
  }

  draw(data) {
    const remember = (name, open) => this.open[open ? 'add' : 'delete'](name);
    const one = (name, label, kids) => fold(name, label, this.open.has(name), kids, remember);
    const said = (data.said ?? []).map(({ who, text: words, missing }) => h('p', {}, h('span', { class: 'who' }, who), ` ${missing ? t('detail.missing', { path: missing }) : words}`));
    this.said.replaceChildren(...(said.length ? [h('h3', {}, t('detail.said')), ...said] : []));
    const focused = this.element.contains(document.activeElement) ? [...this.element.querySelectorAll('summary')].indexOf(document.activeElement) : -1;
    this.element.replaceChildren(
      ...(data.flags.length ? [one('flags', t('detail.flags', { n: data.flags.length }), text(data.flags.join('\n')))] : []),
      ...data.files.map((file, i) => one(`file${i}`, file.path, text(file.text))),
      ...(data.log.length ? [one('log', t('detail.log', { of: data.log_of }), text(data.log.join('\n')))] : []));
    if (focused >= 0) this.element.querySelectorAll('summary')[focused]?.focus();
  }
}
