/* The controllers lens: one reconcile loop; what it is asked for, what it finds, its queue and what it did (docs/map.md). */

import { clockText } from '../clock.js';
import { h } from '../dom.js';
import { t } from '../strings.js';
import { sentence } from '../timeline.js';
import { Board, eventList, grid, leads, steps } from './parts.js';

const off = (data) => (data.objects ?? []).filter((one) => !one.ok).length;

function loop(data) {
  const apart = off(data);
  return steps(t('loop.title'), [
    { title: t('loop.watch'), lines: [data.objects ? t('loop.objects', { n: data.objects.length }) : t('loop.noobjects')] },
    { title: t('loop.compare'), state: data.objects ? (apart ? 'wait' : 'ok') : 'none', word: data.objects ? (apart ? t('loop.apart', { n: apart }) : t('loop.level')) : t('loop.hidden'), lines: [] },
    { title: t('loop.queue'), state: data.queued ? 'wait' : 'ok', word: data.queued ? t('loop.queued', { n: data.queued }) : t('loop.idle'), lines: [data.next_look ? t('loop.period', { when: clockText(data.next_look) }) : ''] },
    { title: t('loop.act'), lines: [data.actions.length ? sentence(data.actions.at(-1)) : t('loop.noactions')] },
  ]);
}

function objectRow(one) {
  return { cls: one.ok ? '' : 'is-apart', cells: [one.name, one.wanted, one.found, h('span', { class: `st ${one.ok ? 'ok' : 'wait'}` }, one.ok ? t('loop.same') : t('loop.differs')), one.note] };
}

function body(data, bench) {
  const objects = data.objects ? grid(t('loop.compared'), [t('loop.object'), t('loop.wanted'), t('loop.found'), '=', t('loop.note')], data.objects.map(objectRow), t('loop.nothing')) : null;
  const queue = data.queue.length ? grid(t('loop.keys'), [t('loop.key'), t('loop.due'), t('loop.failures')], data.queue.map((q) => ({ cells: [q.key, clockText(q.due), String(q.failures)] })), '') : null;
  return [loop(data), h('div', { class: 'lens-columns' }, objects, h('div', {}, queue, eventList(bench, t('loop.actions'), data.actions.map((e) => ({ ...e, words: sentence(e) })), t('loop.noactions'))))];
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Board(lens, { cls: 'controllers', label: t('loop.controller'), words: (data) => [leads(data), data.account ? [' · ', t('loop.account'), ' ', h('code', {}, `system:serviceaccount:kube-system:${data.account}`)] : ''].flat(), body });
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  return [
    `${data.about}: ${data.leader ? t('lens.leads', { host: data.leader }) : t('lens.noleader')}`,
    ...(data.objects ?? []).map((one) => t('loop.fact', { name: one.name, wanted: one.wanted, found: one.found, note: one.note })),
    ...data.queue.map((q) => `${t('loop.queue')}: ${q.key}, ${clockText(q.due)}, ${t('loop.failures')} ${q.failures}`),
    ...data.actions.map((e) => `${clockText(e.at)} ${sentence(e)}`),
  ];
}
