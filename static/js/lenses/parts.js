/* What the lenses in words share: a board with a heading, tables, steps in a row, lists of events. */

import { clockText } from '../clock.js';
import { button, h } from '../dom.js';
import { chooser, head } from '../lens.js';
import { t } from '../strings.js';

/** Virtual time with its milliseconds. */
export function moment(ns) {
  return `${clockText(ns)}.${String(Math.floor(ns / 1e6) % 1000).padStart(3, '0')}`;
}

/** A table with a caption; `columns` are headings, `rows` {cells, cls}; the first cell of a row is its heading. */
export function grid(caption, columns, rows, empty) {
  if (!rows.length) return h('div', { class: 'lens-block' }, h('h3', {}, caption), h('p', { class: 'lens-none' }, empty));
  return h('div', { class: 'lens-block' }, h('div', { class: 'lens-scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', { class: 'lens-table' }, h('caption', {}, caption), h('thead', {}, h('tr', {}, columns.map((one) => h('th', { scope: 'col' }, one)))),
      h('tbody', {}, rows.map(({ cells, cls }) => h('tr', { class: cls || null }, cells.map((cell, i) => (i === 0 ? h('th', { scope: 'row' }, cell) : h('td', {}, cell)))))))));
}

/** Steps one after the other: [{title, state: ok | wait | bad | none | todo, word, lines}]. */
export function steps(label, items) {
  return h('ol', { class: 'lens-steps', 'aria-label': label }, items.map(({ title, state, word, lines, cls }) => h('li', { class: [state && `is-${state}`, cls].filter(Boolean).join(' ') || null },
    h('h3', {}, title), word ? h('p', { class: `st ${state}` }, word) : null, lines.filter(Boolean).map((line) => h('p', {}, line)))));
}

/** A link to a trace event on the time line. */
export function eventLink(bench, seq) {
  return button(`#${seq}`, { class: 'event-link', 'data-key': `#${seq}`, onclick: () => bench.showEvent(seq) });
}

/** A list of events, the newest first: [{seq, at, words}]. */
export function eventList(bench, caption, events, empty) {
  return h('div', { class: 'lens-block' }, h('h3', {}, caption), events.length
    ? h('ol', { class: 'lens-events' }, [...events].reverse().map(({ seq, at, words, cls }) => h('li', { class: cls || null }, eventLink(bench, seq), h('span', { class: 'when' }, moment(at)), h('span', {}, words))))
    : h('p', { class: 'lens-none' }, empty));
}

/** A lens in words: what it is turned to stands in the heading, `body(data)` gives the rest, and the focus stays where it was. */
export class Board {
  constructor(lens, { cls, label, words, body }) {
    this.lens = lens;
    this.parts = { label, words, body };
    this.words = h('span', {});
    this.pick = h('span', {});
    this.content = h('div', { class: 'lens-body' });
    this.element = h('div', { class: `lens lens-${cls}` }, head(this.words, this.pick), this.content);
  }

  draw(data, width) {
    const { label, words, body } = this.parts;
    const turned = JSON.stringify([data.choices, data.about]);
    if (turned !== this.turned) this.pick.replaceChildren(chooser(this.lens, label, data) ?? '');
    this.turned = turned;
    this.words.replaceChildren(...[words(data)].flat().filter((one) => one !== null && one !== undefined));
    const key = this.content.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.content.replaceChildren(...[body(data, this.lens.bench, width)].flat(2).filter(Boolean));
    if (key) this.content.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }
}

/** Whose leader runs: the first words of a component's heading. */
export function leads(data) {
  return data.leader ? h('span', { class: 'st ok' }, t('lens.leads', { host: data.leader })) : h('span', { class: 'st bad' }, t('lens.noleader'));
}

/** The resource of a ref, without the kind where that is plain. */
export function bare(ref) {
  return ref.replace(/^\/registry\//, '');
}
