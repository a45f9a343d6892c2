/* The kube-proxy lens: a node's rules for each Service, and the way that a packet took, hop by hop (docs/map.md). */

import { clockText } from '../clock.js';
import { h } from '../dom.js';
import { t, word } from '../strings.js';
import { Board, eventLink, grid, steps } from './parts.js';

function serviceRow(data, one) {
  const ways = h('ul', { class: 'lens-inner' }, one.ways.map((way) => h('li', {}, `${way.kind} `, h('code', {}, way.address))));
  const more = one.count - one.endpoints.length;
  const ends = one.reject ? h('span', { class: 'st bad' }, t('rule.reject'))
    : h('ul', { class: 'lens-inner' }, one.endpoints.map((e) => h('li', {}, h('code', { title: data.mode === 'iptables' ? e.chain : null }, e.address), e.local ? ` ${t('rule.local')}` : '')), more > 0 ? h('li', {}, t('rule.more', { n: more })) : null);
  const how = [data.mode === 'iptables' ? h('code', {}, one.chain) : '', one.count > 1 ? t('rule.share', { n: one.count }) : '', one.policy && `policy ${one.policy}`, one.affinity ? t('rule.affinity', { n: one.affinity }) : ''].filter(Boolean);
  return { cls: one.reject ? 'is-apart' : '', cells: [`${one.service} (${one.protocol.toUpperCase()})`, ways, h('ul', { class: 'lens-inner' }, how.map((line) => h('li', {}, line))), ends] };
}

function hopWords(hop) {
  const target = hop.to ? `${hop.address} → ${hop.to}` : hop.address ?? '';
  return [target, hop.via && t('hop.via', { host: hop.via }), hop.service, hop.by && typeof hop.by === 'string' ? hop.by : '', hop.netns?.replace(/\/([0-9a-f]{12})[0-9a-f]+$/, '/$1')].filter(Boolean);
}

function walk(packet) {
  const { detail } = packet;
  const hops = detail.hops ?? [];
  const end = detail.error ? { title: detail.error, state: 'bad', word: t('hop.lost'), lines: [] } : { title: detail.to ?? t('hop.there'), state: 'ok', word: t('hop.arrived'), lines: [] };
  return steps(t('hop.title', { to: packet.ref }), [
    { title: detail.from ?? '', state: 'ok', word: t('hop.left'), lines: [h('code', {}, packet.ref)] },
    ...hops.map((hop) => ({ title: hop.host ?? '', state: ['drop', 'reject', 'policy', 'closed port'].includes(hop.what) ? 'bad' : hop.what === 'dnat' ? 'wait' : 'ok', word: word('hop', hop.what), lines: hopWords(hop) })), end]);
}

const packetWords = (packet) => `${packet.detail.from ?? ''} → ${packet.ref}: ${packet.detail.error ?? t('hop.arrived')}`;

function body(data, bench) {
  const last = data.packets.at(-1);
  const others = data.packets.slice(0, -1).reverse();
  return [
    last ? [h('p', { class: 'lens-note' }, eventLink(bench, last.seq), ` ${clockText(last.at)} ${packetWords(last)}`), walk(last)] : h('p', { class: 'lens-none' }, t('hop.none')),
    grid(t('rule.title', { n: data.count }), [t('rule.service'), t('rule.ways'), t('rule.how'), t('rule.ends')], data.services.map((one) => serviceRow(data, one)), t('rule.none')),
    others.length ? h('div', { class: 'lens-block' }, h('h3', {}, t('hop.before')), h('ol', { class: 'lens-events' }, others.map((one) => h('li', {}, eventLink(bench, one.seq), h('span', { class: 'when' }, clockText(one.at)), h('span', {}, packetWords(one)))))) : null,
  ];
}

function words(data) {
  return [h('span', { class: `st ${data.running ? 'ok' : 'bad'}` }, data.running ? t('rule.runs', { mode: data.mode }) : t('rule.stopped')),
    ` · ${t('rule.count', { n: data.rules })}`, data.synced !== null && data.synced !== undefined && data.synced > 0 ? ` · ${t('rule.synced', { when: clockText(data.synced) })}` : '', data.by_hand ? ` · ${t('rule.byhand')}` : ''];
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Board(lens, { cls: 'proxy', label: t('cri.node'), words, body });
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  const hop = (one) => [one.host, word('hop', one.what), ...hopWords(one)].filter(Boolean).join(' ');
  return [
    `${data.about}: ${data.running ? t('rule.runs', { mode: data.mode }) : t('rule.stopped')}, ${t('rule.count', { n: data.rules })}`,
    ...data.services.map((one) => `${one.service}: ${one.ways.map((way) => `${way.kind} ${way.address}`).join(', ')} → ${one.reject ? t('rule.reject') : one.endpoints.map((e) => e.address).join(', ')}`),
    ...data.packets.map((packet) => [packetWords(packet), ...(packet.detail.hops ?? []).map(hop)].join(' · ')),
  ];
}
