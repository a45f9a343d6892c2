/* The scheduler lens: what waits, and one decision as a table of the nodes with their verdicts and scores (docs/map.md). */

import { clockText } from '../clock.js';
import { h } from '../dom.js';
import { t, word } from '../strings.js';
import { Board, eventLink, grid, leads } from './parts.js';

/* A plugin's name may be broken between its words. */
function broken(name) {
  return name.split(/(?<=[a-z])(?=[A-Z])/).flatMap((part, i) => (i ? [h('wbr', {}), part] : [part]));
}

function decided(d) {
  return d.node ? t('sched.bound', { pod: d.pod, node: d.node }) : t('sched.unbound', { pod: d.pod });
}

function nodeRow(d, one) {
  const verdict = one.reason ? h('span', { class: 'st bad' }, `${one.plugin}: ${one.reason}`) : h('span', { class: 'st ok' }, t('sched.fits'));
  const scores = d.plugins.map((plugin) => (one.scores ? String(one.scores[plugin.name] ?? 0) : ''));
  return { cls: one.chosen ? 'is-chosen' : '', cells: [one.node, verdict, ...scores, one.scores && d.plugins.length ? h('strong', {}, String(one.total)) : ''] };
}

function table(d) {
  const columns = [t('sched.node'), t('sched.filter'), ...d.plugins.map((p) => h('abbr', { title: p.name }, ...broken(p.name), ` ×${p.weight}`)), t('sched.total')];
  return grid(decided(d), columns, d.nodes.map((one) => nodeRow(d, one)), t('sched.nonodes'));
}

function queueRow(q) {
  const until = q.until ? t(q.where === 'unschedulable' ? 'sched.latest' : 'sched.until', { when: clockText(q.until) }) : '';
  return { cells: [q.pod, word('sched.where', q.where), String(q.attempts), [q.plugins.join(', '), until, q.nominated && t('sched.nominated', { node: q.nominated })].filter(Boolean).join(' · ')] };
}

const queue = (data) => grid(t('sched.queue'), [t('sched.pod'), t('sched.place'), t('sched.attempts'), t('sched.why')], data.queue.map(queueRow), t('sched.empty'));

function body(data, bench) {
  const d = data.decision;
  if (!d) return [h('p', { class: 'lens-none' }, t('sched.none')), queue(data)];
  const notes = [d.alone ? t('sched.alone') : '', d.rejected].filter(Boolean);
  return [table(d), h('p', { class: 'lens-note' }, eventLink(bench, d.seq), ` ${clockText(d.at)} `, notes.join(' · ')), queue(data)];
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Board(lens, { cls: 'scheduler', label: t('sched.pod'), words: (data) => [leads(data), ` · ${t('sched.waiting', { n: data.queue.length })}`], body });
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  const lines = [data.leader ? t('lens.leads', { host: data.leader }) : t('lens.noleader')];
  const d = data.decision;
  if (d) {
    lines.push(decided(d));
    for (const one of d.nodes) {
      const scores = one.scores ? Object.entries(one.scores).map(([name, n]) => `${name} ${n}`).join(', ') : '';
      lines.push(one.reason ? `${one.node}: ${one.plugin}, ${one.reason}` : `${one.node}: ${t('sched.fits')}${scores ? `, ${scores}, ${t('sched.total')} ${one.total}` : ''}`);
    }
    if (d.alone) lines.push(t('sched.alone'));
  }
  return [...lines, ...data.queue.map((q) => queueRow(q).cells.filter(Boolean).join(', '))];
}
