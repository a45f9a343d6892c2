/* The marks of the ship map and the time line: one shape for each state, so that colour is never alone. */

import { s } from './dom.js';

export const r1 = (n) => Math.round(n * 10) / 10;

export function text(x, y, cls, words, anchor) {
  return s('text', { x: r1(x), y: r1(y), class: cls, 'text-anchor': anchor }, words);
}

/** The light of a part: full disc healthy, diamond failing, half disc pending, slashed square stopped, ringed dot standby. */
export function lamp(x, y, state, r = 5) {
  const g = s('g', { class: `lamp is-${state}` });
  if (state === 'failing') {
    g.append(s('path', { class: 'lamp-face', d: `M${x} ${y - r - 1.5}L${x + r + 1.5} ${y}L${x} ${y + r + 1.5}L${x - r - 1.5} ${y}Z` }),
      s('path', { class: 'lamp-mark', d: `M${x} ${y - 3}V${y + 0.6}M${x} ${y + 2.6}V${y + 3}` }));
  } else if (state === 'pending') {
    g.append(s('circle', { class: 'lamp-ring', cx: x, cy: y, r }), s('path', { class: 'lamp-half', d: `M${x} ${y - r}A${r} ${r} 0 0 0 ${x} ${y + r}Z` }));
  } else if (state === 'stopped') {
    g.append(s('rect', { class: 'lamp-ring', x: x - r + 0.5, y: y - r + 0.5, width: 2 * r - 1, height: 2 * r - 1 }),
      s('path', { class: 'lamp-slash', d: `M${x - r + 0.5} ${y + r - 0.5}L${x + r - 0.5} ${y - r + 0.5}` }));
  } else if (state === 'standby') {
    g.append(s('circle', { class: 'lamp-ring', cx: x, cy: y, r }), s('circle', { class: 'lamp-dot', cx: x, cy: y, r: 1.4 }));
  } else {
    g.append(s('circle', { class: 'lamp-face', cx: x, cy: y, r }));
  }
  return g;
}

function ribs(x, y, w, h) {
  const count = Math.max(1, Math.floor(w / 5));
  let d = '';
  for (let k = 1; k < count; k += 1) d += `M${r1(x + (k * w) / count)} ${y + 2}v${h - 4}`;
  return d ? s('path', { class: 'rib', d }) : null;
}

/** A pod is a lashing frame; each container in it is one box with corrugated sides. */
export function pod(x, y, w, h, p, plain = false) {
  const g = s('g', { class: `pod is-${p.state}${p.system ? ' is-system' : ''}` });
  g.append(s('rect', { class: 'pod-frame', x, y, width: w, height: h, rx: 1.5 }));
  const n = Math.min(p.containers || 1, 4);
  const inset = h > 16 ? 3 : 2;
  const gap = 2;
  const bw = (w - 2 * inset - gap * (n - 1)) / n;
  const bh = h - 2 * inset;
  for (let i = 0; i < n; i += 1) {
    const bx = r1(x + inset + i * (bw + gap));
    const by = y + inset;
    if (p.state === 'healthy') {
      g.append(s('rect', { class: 'box', x: bx, y: by, width: r1(bw), height: bh }));
      const lines = plain ? null : ribs(bx, by, bw, bh);
      if (lines) g.append(lines);
    } else if (p.state === 'failing') {
      g.append(s('rect', { class: 'box', x: bx, y: by, width: r1(bw), height: bh }),
        s('path', { class: 'cross', d: `M${bx} ${by}l${r1(bw)} ${bh}M${r1(bx + bw)} ${by}l${r1(-bw)} ${bh}` }));
    } else if (p.state === 'pending') {
      g.append(s('rect', { class: 'fillpart', x: bx, y: r1(by + bh * 0.55), width: r1(bw), height: r1(bh * 0.45) }));
    } else if (p.state === 'stopped') {
      g.append(s('path', { class: 'slash', d: `M${bx} ${r1(by + bh)}l${r1(bw)} ${-bh}` }));
    }
  }
  return g;
}

function hullPath(x, y, w, h, bow) {
  const k = 7;
  return `M${x + k} ${y}H${x + w - bow}C${x + w - bow * 0.42} ${y} ${x + w - 2} ${y + h * 0.3} ${x + w} ${y + h / 2}`
    + `C${x + w - 2} ${y + h * 0.7} ${x + w - bow * 0.42} ${y + h} ${x + w - bow} ${y + h}H${x + k}`
    + `Q${x} ${y + h} ${x} ${y + h - k}V${y + k}Q${x} ${y} ${x + k} ${y}Z`;
}

/** A host: a hull seen from above, or a plain box. */
export function hull(x, y, w, h, bow, state, plain = false) {
  if (plain) return s('g', { class: `hull is-${state}` }, s('rect', { class: 'hull-shell', x, y, width: w, height: h, rx: 2 }));
  return s('g', { class: `hull is-${state}` },
    s('path', { class: 'hull-shell', d: hullPath(x, y, w, h, bow) }), s('path', { class: 'hull-deck', d: hullPath(x + 4, y + 4, w - 10, h - 8, bow - 4) }));
}

/** The corner brackets of what is selected. */
export function brackets(x, y, w, h) {
  const a = Math.min(7, h / 3, w / 3);
  return s('path', {
    class: 'bracket',
    d: `M${x} ${y + a}V${y}H${x + a}M${x + w - a} ${y}H${x + w}V${y + a}M${x + w} ${y + h - a}V${y + h}H${x + w - a}M${x + a} ${y + h}H${x}V${y + h - a}`,
  });
}

function memberMark(m, x, y, radius, index) {
  const g = s('g', {}, s('circle', { class: `member is-${m.state} role-${m.role}`, cx: r1(x), cy: r1(y), r: radius }));
  if (m.role === 'leader') g.append(s('circle', { class: 'member-lead', cx: r1(x), cy: r1(y), r: radius + 3 }));
  if (m.state !== 'healthy') g.append(s('path', { class: 'member-x', d: `M${r1(x - 3)} ${r1(y - 3)}l6 6m0 -6l-6 6` }));
  else g.append(text(x, y + 3.6, 't-member', String(index + 1), 'middle'));
  return g;
}

/** etcd seen through a porthole: members on a ring, the leader ringed, a line where it replicates. */
export function porthole(cx, cy, r, etcd, plain = false) {
  const g = s('g', { class: 'porthole' }, s('circle', { class: 'rim', cx, cy, r }), s('circle', { class: 'glass', cx, cy, r: r - 6 }));
  for (let i = 0; i < 8 && !plain; i += 1) {
    const a = (Math.PI / 4) * i + Math.PI / 8;
    g.append(s('circle', { class: 'bolt', cx: r1(cx + (r - 3) * Math.cos(a)), cy: r1(cy + (r - 3) * Math.sin(a)), r: 1 }));
  }
  const n = etcd.members.length;
  const ring = n <= 1 ? 0 : (r - 6) * 0.56;
  const at = etcd.members.map((_, i) => {
    const a = -Math.PI / 2 + (2 * Math.PI * i) / n;
    return [cx + ring * Math.cos(a), cy + ring * Math.sin(a)];
  });
  const lead = etcd.members.findIndex((m) => m.role === 'leader');
  at.forEach(([x, y], i) => {
    if (i === lead || lead < 0) return;
    const cut = etcd.members[i].state === 'healthy' ? '' : ' is-cut';
    g.append(s('line', { class: `raft${cut}`, x1: r1(at[lead][0]), y1: r1(at[lead][1]), x2: r1(x), y2: r1(y) }));
  });
  at.forEach(([x, y], i) => g.append(memberMark(etcd.members[i], x, y, Math.max(8, r * 0.19), i)));
  return g;
}

/** The API server: a compass card. */
export function compass(cx, cy, r, state, plain = false) {
  const g = s('g', {}, s('circle', { class: `hub is-${state}`, cx, cy, r }));
  if (plain) return g;
  let ticks = '';
  for (let i = 0; i < 32; i += 1) {
    const a = (Math.PI / 16) * i;
    const len = i % 8 === 0 ? 6 : i % 4 === 0 ? 4 : 2.5;
    ticks += `M${r1(cx + (r - 2) * Math.cos(a))} ${r1(cy + (r - 2) * Math.sin(a))}L${r1(cx + (r - 2 - len) * Math.cos(a))} ${r1(cy + (r - 2 - len) * Math.sin(a))}`;
  }
  g.append(s('path', { class: 'hub-ticks', d: ticks }));
  return g;
}

/** What travels: diamond a request, ring a watch event, cross a failure. */
export function packet(x, y, kind) {
  const cls = `packet kind-${kind}`;
  if (kind === 'watch') return s('circle', { class: cls, cx: x, cy: y, r: 4.5 });
  if (kind === 'error') return s('path', { class: cls, d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` });
  return s('path', { class: cls, d: `M${x} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z` });
}

/** Rows for `count` boxes so that they are as large as the space allows. */
export function stow(count, aw, ah, maxW, maxH) {
  let best = null;
  const gap = 4;
  for (let rows = 1; rows <= 4; rows += 1) {
    const cols = Math.max(1, Math.ceil(count / rows));
    const w = Math.min(maxW, (aw - gap * (cols - 1)) / cols);
    const h = Math.min(maxH, (ah - gap * (rows - 1)) / rows, w * 1.1);
    if (w < 6 || h < 6) continue;
    const score = Math.min(w, h * 1.5);
    if (!best || score > best.score + 0.5) best = { rows, cols, w, h, gap, score };
  }
  return best || { rows: 4, cols: Math.ceil(count / 4), w: 6, h: 6, gap: 2, score: 0 };
}
