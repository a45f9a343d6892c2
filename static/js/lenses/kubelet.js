/* The kubelet lens: the pods of one node as its kubelet keeps them, and what it asked of the runtime over CRI (docs/map.md). */

import { clockText } from '../clock.js';
import { h } from '../dom.js';
import { t, word } from '../strings.js';
import { sentence } from '../timeline.js';
import { Board, eventList, grid } from './parts.js';

const LIGHT = { CONTAINER_RUNNING: 'ok', RUNNING: 'ok', EXITED: 'none', CREATED: 'wait' };

function containerWords(c) {
  const probes = Object.entries(c.probes).filter(([, result]) => result === false).map(([kind]) => t('cri.probe', { kind }));
  return [c.reason || word('cri.state', c.state || 'WAITING'), c.restarts ? `×${c.restarts}` : '', c.again ? t('cri.again', { when: clockText(c.again) }) : '', ...probes].filter(Boolean).join(' · ');
}

function containers(pod) {
  return h('ul', { class: 'lens-inner' }, pod.containers.map((c) => h('li', {}, h('span', { class: `st ${c.reason ? 'bad' : LIGHT[c.state] ?? 'wait'}` }, c.name), ' ', c.id ? h('code', {}, c.id) : '', ` ${containerWords(c)}`)));
}

function podRow(pod) {
  const sandbox = pod.sandbox ? h('span', { class: `st ${pod.sandbox_state === 'READY' ? 'ok' : 'none'}` }, pod.sandbox) : t('cri.nosandbox');
  return { cells: [pod.pod, [t(`cri.from.${pod.source}`), pod.work === 'sync' ? pod.phase : word('cri.work', pod.work)].filter(Boolean).join(' · '), [sandbox, pod.ip ? ` ${pod.ip}` : ''], containers(pod)] };
}

function words(data) {
  const parts = [h('span', { class: `st ${data.running ? 'ok' : 'bad'}` }, data.running ? t('cri.runs') : t('cri.stopped'))];
  if (data.socket) parts.push(' · CRI ', h('code', {}, data.socket));
  if (data.manifests) parts.push(` · ${t('cri.static')} `, h('code', {}, data.manifests));
  if (data.lease) parts.push(` · ${t('cri.lease', { when: data.lease.slice(11, 19) })}`);
  return parts;
}

function callWords(call) {
  if (!call.cri.length) return sentence(call);
  const about = call.action === 'container.start' ? (call.detail.image ?? '').replace(/^sha256:(.{12}).*/, '$1') : call.detail.ip ?? '';
  return h('span', {}, h('code', { class: 'cri' }, call.cri.join(', ')), ` ${call.ref}${about && !call.ref.includes(about) ? `, ${about}` : ''}`);
}

function body(data, bench) {
  return [h('div', { class: 'lens-columns' },
    grid(t('cri.pods', { n: data.count ?? 0 }), [t('cri.pod'), t('cri.sync'), t('cri.sandbox'), t('cri.containers')], data.pods.map(podRow), t('cri.nopods')),
    eventList(bench, t('cri.calls'), data.calls.map((call) => ({ ...call, words: callWords(call), cls: call.cri.length ? 'is-cri' : '' })), t('cri.nocalls')))];
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Board(lens, { cls: 'kubelet', label: t('cri.node'), words, body });
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  return [
    `${data.about}: ${data.running ? t('cri.runs') : t('cri.stopped')}`,
    ...data.pods.map((pod) => `${pod.pod}: ${t(`cri.from.${pod.source}`)}, ${pod.sandbox || t('cri.nosandbox')}, ${pod.containers.map((c) => `${c.name} ${containerWords(c)}`).join(', ')}`),
    ...data.calls.map((call) => `${clockText(call.at)} ${call.cri.join(', ')} ${sentence(call)}`.replace('  ', ' ')),
  ];
}
