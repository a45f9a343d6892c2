/* The runtime lens: who dials whom by which socket on one host, down to the containers, and containerd's namespaces (docs/map.md). */

import { h, s } from '../dom.js';
import { r1, text } from '../marks.js';
import { t, word } from '../strings.js';
import { Board } from './parts.js';

const ROW = 62;
const BOX_H = 34;

/* The places of the stack: clients on top of whom they dial, daemons in a row, then the shims. */
function placeAll(data, W) {
  const daemons = data.daemons.map((one) => one.name);
  const order = ['kubelet', 'cri-dockerd', 'dockerd', 'containerd'].filter((name) => daemons.includes(name));
  const gap = W < 560 ? 26 : 92;
  const last = order.length + 1;
  const w = Math.max(62, Math.min(132, (W - 24 - gap * (last - 1)) / last));
  const at = new Map();
  order.forEach((name, i) => at.set(name, { x: 12 + i * (w + gap), y: 56, w, h: BOX_H }));
  at.set('shim', { x: 12 + order.length * (w + gap), y: 56, w, h: BOX_H });
  return { at, w, gap };
}

function box(place, cls, title, note) {
  return s('g', {}, s('rect', { class: `stack-box ${cls}`, x: r1(place.x), y: place.y, width: r1(place.w), height: place.h, rx: 2 }),
    text(place.x + place.w / 2, place.y + (note ? 15 : 21), 't-part', title, 'middle'), note ? text(place.x + place.w / 2, place.y + 28, 't-meta', note, 'middle') : '');
}

function arrow(from, to, via, wide) {
  const y = from.y + from.h / 2;
  const [x1, x2] = [from.x + from.w, to.x];
  const g = s('g', {}, s('path', { class: 'line stack-line', d: `M${r1(x1)} ${y}H${r1(x2 - 7)}` }), s('path', { class: 'stack-tip', d: `M${r1(x2)} ${y}l-8 -4v8z` }));
  if (wide) g.append(text((x1 + x2) / 2 - 3, y - 6, 't-meta', via, 'middle'));
  return g;
}

/* A link that passes over daemons in between goes below them. */
function detour(from, to, via) {
  const y = from.y + from.h + 16;
  const [x1, x2] = [from.x + from.w / 2, to.x + to.w / 2];
  return s('g', {}, s('path', { class: 'line stack-line', d: `M${r1(x1)} ${from.y + from.h}V${y}H${r1(x2)}V${from.y + from.h + 7}` }), s('path', { class: 'stack-tip', d: `M${r1(x2)} ${from.y + from.h}l-4 8h8z` }), text((x1 + x2) / 2, y + 13, 't-meta', via, 'middle'));
}

function picture(data, W) {
  const wide = W >= 560;
  const svg = s('svg', { class: 'map lens-svg', width: W, role: 'img', 'aria-label': t('stack.picture', { host: data.about }) });
  const { at } = placeAll(data, W);
  for (const one of data.daemons) if (at.has(one.name)) svg.append(box(at.get(one.name), one.pid ? 'is-on' : 'is-off', one.name, one.pid ? `pid ${one.pid}` : t('state.stopped')));
  const order = [...at.keys()];
  for (const link of data.links) {
    const [a, b] = [order.indexOf(link.from), order.indexOf(link.to)];
    svg.append(b - a === 1 ? arrow(at.get(link.from), at.get(link.to), link.via.replace(/ \(.*/, '').replace('containerd API', 'API').replace('Docker API', 'API'), wide) : detour(at.get(link.from), at.get(link.to), link.via));
  }
  const shims = data.namespaces.flatMap((one) => one.containers).filter((one) => one.shim);
  const shim = at.get('shim');
  svg.append(box(shim, shims.length ? 'is-on' : 'is-off', 'shim', new Set(shims.map((one) => one.shim)).size ? `×${new Set(shims.map((one) => one.shim)).size} · runc` : 'runc'));
  if (at.has('containerd')) svg.append(arrow(at.get('containerd'), shim, 'ttrpc', wide));
  const sockets = new Map([...data.daemons].filter((one) => one.socket).map((one) => [one.socket, one.name]));
  const dialled = new Map();
  for (const one of data.clients) dialled.set(sockets.get(one.socket) ?? '', [...(dialled.get(sockets.get(one.socket) ?? '') ?? []), one.name]);
  for (const [name, clients] of dialled) {
    const place = at.get(name);
    if (!place) continue;
    svg.append(text(place.x + place.w / 2, 22, 't-user', clients.join(', '), 'middle'), s('path', { class: 'line stack-line', d: `M${r1(place.x + place.w / 2)} 30V48` }), s('path', { class: 'stack-tip', d: `M${r1(place.x + place.w / 2)} 56l-4 -8h8z` }));
  }
  const low = data.links.some((link) => order.indexOf(link.to) - order.indexOf(link.from) !== 1) ? 36 : 6;
  svg.setAttribute('viewBox', `0 0 ${W} ${ROW + BOX_H + low}`);
  svg.setAttribute('height', ROW + BOX_H + low);
  return svg;
}

function containerItem(one) {
  return h('li', {}, h('span', { class: `st ${one.state === 'RUNNING' ? 'ok' : one.state === 'EXITED' ? 'none' : 'wait'}` }, one.name || one.argv || one.id), ' ', h('code', {}, one.id),
    one.shim ? ` ${t('stack.pids', { shim: one.shim, pid: one.pid || '–' })}` : ` ${word('cri.state', one.state)}`, one.pod ? h('span', { class: 'quiet' }, ` ${one.pod}`) : '');
}

function namespaceBlock(one) {
  return h('div', { class: 'lens-block' }, h('h3', {}, h('code', {}, one.name), one.by ? ` ${t('stack.by', { who: one.by })}` : '', ` · ${t('stack.images', { n: one.images })} · ${t('stack.containers', { n: one.count })}`),
    one.containers.length ? h('ul', { class: 'lens-inner' }, one.containers.map(containerItem), one.count > one.containers.length ? h('li', {}, t('rule.more', { n: one.count - one.containers.length })) : null) : h('p', { class: 'lens-none' }, t('stack.empty')));
}

function body(data, bench, width) {
  if (!data.daemons.length) return [h('p', { class: 'lens-none' }, t('stack.none'))];
  const links = h('ul', { class: 'lens-inner lens-sockets' }, data.links.map((link) => h('li', {}, `${link.from} → ${link.to}: ${link.via}, `, h('code', {}, link.socket))),
    data.disabled.includes('cri') && !data.shim ? h('li', {}, h('span', { class: 'st bad' }, t('stack.nocri'))) : null);
  return [picture(data, Math.max(280, Math.round(width || bench.map.clientWidth))), links, h('div', { class: 'lens-columns' }, data.namespaces.map(namespaceBlock))];
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Board(lens, { cls: 'runtime', label: t('stack.host'), words: (data) => [t('stack.words', { host: data.about || '–', n: data.namespaces.reduce((sum, one) => sum + one.running, 0) })], body });
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  return [
    ...data.daemons.map((one) => `${one.name}: ${one.pid ? `pid ${one.pid}` : t('state.stopped')}${one.socket ? `, ${one.socket}` : ''}`),
    ...data.links.map((link) => `${link.from} → ${link.to}: ${link.via}, ${link.socket}`),
    ...(data.clients ?? []).map((one) => `${one.name} → ${one.socket}`),
    ...data.namespaces.flatMap((one) => [`${one.name}: ${t('stack.images', { n: one.images })}, ${t('stack.containers', { n: one.count })}`, ...one.containers.map((c) => `${one.name}: ${c.name || c.argv} ${c.id} ${word('cri.state', c.state)}${c.shim ? ` ${t('stack.pids', { shim: c.shim, pid: c.pid || '–' })}` : ''}`)]),
  ];
}
