/* The ship map: a cluster drawn as a berth plan, hulls seen from above. `draw(host, model, width)` is a pure function of the model
   (mapmodel.js) and the width; `paint(t, travels)` places what moves at display time t (causes.js). Presentation attributes and classes
   only, so that the strict Content-Security-Policy holds. */

import { s } from './dom.js';
import { brackets, compass, hull, lamp, packet, pod, porthole, r1, stow, text } from './marks.js';
import { stateName } from './mapmodel.js';
import { t } from './strings.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');

function part(id, label, ...kids) {
  return s('g', { class: 'part', role: 'button', tabindex: '-1', 'aria-label': label, 'data-id': id, 'aria-pressed': 'false' }, ...kids);
}

/* One drawing under way: the groups and what was placed where. */
class Sheet {
  constructor(model, width, compact) {
    this.model = model;
    this.compact = compact;
    this.plain = model.plain;
    this.W = Math.max(240, Math.round(width));
    this.narrow = this.W < 560;
    this.pad = this.narrow ? 10 : 18;
    this.paths = new Map();
    this.boxes = new Map();
    this.hulls = s('g', { class: 'hulls' });
    this.lines = s('g', { class: 'lines' });
    this.ships = s('g', { class: 'ships' });
  }

  line(id, d, cls = '') {
    const path = s('path', { class: `line ${cls}`, d });
    this.lines.append(path);
    this.paths.set(id, path);
  }

  box(id, x, y, w, h) {
    this.boxes.set(id, [x, y, w, h].map(r1));
  }

  add(...nodes) {
    this.ships.append(...nodes);
  }

  /** A lamp with its name, as one part. */
  lampPart(id, c, hostName, x, y, w, h, dense = false) {
    this.add(part(id, `${hostName} ${c.name}, ${stateName(c.state)}${c.note && c.note !== 'leader' ? `, ${c.note}` : ''}`,
      s('rect', { class: 'hit', x: r1(x), y: r1(y - h / 2), width: r1(w), height: h }), lamp(r1(x + 9), r1(y), c.state, dense ? 4 : 4.6),
      text(x + 19, y + 3.7, dense ? 't-comp is-dense' : 't-comp', c.name)));
    this.box(id, x, y - h / 2 + 1, w, h - 2);
  }

  /** One pod with its title and, where there is room, its name and restarts. */
  podPart(p, hostName, x, y, w, h, named) {
    const words = p.note || stateName(p.state);
    const g = part(p.id, `${p.namespace}/${p.name}, ${words}, ${hostName}`, pod(r1(x), r1(y), r1(w), r1(h), p, this.plain));
    g.append(s('title', {}, `${p.namespace}/${p.name} · ${words}`));
    if (named) {
      const room = Math.floor((w + 3) / 6.65);
      g.append(text(x, y + h + 13, `t-pod is-${p.state}`, p.short.length <= room ? p.short : `…${p.name.slice(1 - room)}`));
    }
    if (p.restarts && h > 20) {
      g.append(s('rect', { class: 'tagbg', x: r1(x + w - 19), y: r1(y - 4), width: 22, height: 13 }), text(x + w - 8, y + 6, 't-tag', `×${p.restarts}`, 'middle'));
    }
    this.add(g);
    this.box(p.id, x - 4, y - 4, w + 8, h + 8);
  }

  /** Pods stowed in a space, with empty bays where there is room. */
  hold(pods, hostName, ax, y, aw, shipH, dense) {
    const named = !dense && pods.length > 0 && aw / pods.length >= 58;
    const high = dense ? shipH - 14 : shipH - (this.compact ? 20 : 26);
    const fit = stow(Math.max(pods.length, 3), aw, named ? 36 : high, named ? 74 : 46, 36);
    const blockH = fit.rows * fit.h + (fit.rows - 1) * fit.gap + (named ? 15 : 0);
    const ay = y + (shipH - blockH) / 2;
    const perRow = Math.max(fit.cols, Math.floor((aw + fit.gap) / (fit.w + fit.gap)));
    for (let k = 0; k < Math.max(pods.length, perRow * fit.rows); k += 1) {
      const bx = ax + (k % perRow) * (fit.w + fit.gap);
      const by = ay + Math.floor(k / perRow) * (fit.h + fit.gap);
      if (pods[k]) this.podPart(pods[k], hostName, bx, by, fit.w, fit.h, named);
      else if (!this.plain && k < perRow * fit.rows) this.add(s('rect', { class: 'bay', x: r1(bx) + 0.5, y: r1(by) + 0.5, width: r1(fit.w) - 1, height: r1(fit.h) - 1 }));
    }
  }
}

/* ---- the control-plane ship ---- */

function planeLayout(sheet) {
  const { W, narrow, pad, model, compact } = sheet;
  const cp = model.controlPlane;
  const upper = narrow ? 150 : compact ? 116 : W > 900 ? 156 : 144;
  const extra = cp.components.length || cp.pods.length ? (narrow ? 52 : compact ? 34 : 40) : 0;
  const g = { top: compact ? 38 : 42, upper, extra, x: pad, w: W - 2 * pad, h: upper + extra };
  g.bow = narrow ? 34 : Math.min(96, g.w * 0.13);
  g.cy = g.top + upper / 2;
  g.pr = narrow ? 42 : upper * 0.39;
  g.px = g.x + (narrow ? 56 : 24 + g.pr);
  g.pcy = narrow ? g.cy - 14 : g.cy;
  g.hubR = narrow ? 31 : 36;
  g.hx = narrow ? g.x + g.w * 0.47 : g.x + Math.max(g.w * 0.44, 2 * g.pr + 222);
  g.hubY = g.cy - (narrow ? 14 : 8);
  g.rightX = narrow ? g.hx + g.hubR + 25 : Math.max(g.hx + g.hubR + 46, g.x + g.w * 0.62);
  g.rightW = g.x + g.w - g.bow * (narrow ? 0.6 : 0.72) - g.rightX;
  g.busY = g.top + g.h + (compact ? 12 : 15);
  return g;
}

function drawEtcd(sheet, g) {
  const { etcd } = sheet.model;
  const summary = t('map.etcd.summary', { term: etcd.term, leader: etcd.leader, quorum: etcd.quorum });
  const node = part('etcd', `etcd, ${stateName(etcd.state)}, ${summary}`, porthole(g.px, g.pcy, g.pr, etcd, sheet.plain));
  if (sheet.narrow) {
    node.append(text(g.px, g.top + g.upper - 26, 't-part', 'etcd', 'middle'), text(g.px, g.top + g.upper - 13, 't-meta', `${t('map.term')} ${etcd.term}`, 'middle'));
  } else {
    const x = g.px + g.pr + 12;
    node.append(lamp(x + 5, g.cy - 28, etcd.state), text(x + 16, g.cy - 24, 't-part', 'etcd'), text(x, g.cy - 6, 't-meta', `${t('map.term')} ${etcd.term}`),
      text(x, g.cy + 9, 't-meta', `${t('map.leader')} ${etcd.leader}`), text(x, g.cy + 24, 't-meta', `${t('map.quorum')} ${etcd.quorum}`));
  }
  sheet.add(node);
  sheet.box('etcd', g.px - g.pr - 4, g.pcy - g.pr - 4, 2 * g.pr + 8, 2 * g.pr + 8);
}

function drawHub(sheet, g) {
  const cp = sheet.model.controlPlane;
  const { id, state } = cp.apiserver;
  sheet.add(part(id, `kube-apiserver, ${stateName(state)}`, compass(g.hx, g.hubY, g.hubR, state, sheet.plain),
    text(g.hx, g.hubY - 1, 't-hub', 'API', 'middle'), text(g.hx, g.hubY + 12, 't-hub', 'server', 'middle')));
  if (state !== 'healthy') sheet.add(lamp(r1(g.hx + g.hubR * 0.72), r1(g.hubY - g.hubR * 0.72), state));
  if (cp.rv) sheet.add(text(g.hx + (sheet.narrow ? 5 : 8), g.top + g.upper - (sheet.narrow ? 16 : 13), 't-meta', cp.rv));
  sheet.box(id, g.hx - g.hubR - 4, g.hubY - g.hubR - 4, 2 * g.hubR + 8, 2 * g.hubR + 8);
}

function drawRoom(sheet, g, c, i, count) {
  const rowH = sheet.narrow ? 50 : Math.min(58, (g.upper - 26) / 2);
  const off = i - (count - 1) / 2;
  const y = g.cy + off * (rowH + 6);
  const w = g.rightW - (sheet.narrow ? 0 : Math.abs(off) * g.bow * 0.2);
  const x = g.rightX;
  const node = part(c.id, `${c.component}, ${stateName(c.state)}, ${c.note}`, s('rect', { class: `room is-${c.state}`, x: r1(x), y: r1(y - rowH / 2), width: r1(w), height: rowH, rx: 2 }));
  const lx = r1(x + 13);
  if (sheet.narrow) {
    node.append(lamp(lx, y - 10, c.state));
    const words = c.label.split(' ');
    words.forEach((one, k) => node.append(text(k === 0 ? lx + 11 : lx - 6, y - 6 + k * 13, 't-part', one)));
    if (words.length === 1) node.append(text(lx - 6, y + 9, 't-meta', c.short));
  } else {
    node.append(lamp(lx, y - 9, c.state), text(lx + 12, y - 5, 't-part', c.label), text(lx - 5, y + 14, 't-meta', c.note));
  }
  sheet.add(node);
  sheet.box(c.id, x - 3, y - rowH / 2 - 3, w + 6, rowH + 6);
  const room = Math.max(0, Math.floor((w - (sheet.narrow ? 70 : 110)) / 26));
  c.queue.slice(0, Math.min(room, 6)).forEach((q, k) => sheet.podPart(q, t('map.nonode'), x + w - 28 - k * 26, y - 18, 20, 16, false));
  roomLine(sheet, g, c, x, y);
}

function roomLine(sheet, g, c, x, y) {
  const mid = (g.hx + g.hubR + x) / 2;
  const off = Math.max(-0.58 * g.hubR, Math.min(0.58 * g.hubR, y - g.hubY));
  const sx = g.hx + Math.sqrt(g.hubR * g.hubR - off * off);
  const y1 = g.hubY + off;
  const k = Math.min(4, Math.abs(y - y1) / 2) * Math.sign(y - y1);
  const cls = c.state === 'stopped' || c.state === 'failing' ? 'is-cut' : '';
  sheet.line(c.line, k === 0 ? `M${r1(sx)} ${r1(y)}H${r1(x)}`
    : `M${r1(sx)} ${r1(y1)}H${r1(mid)}Q${r1(mid + 4)} ${r1(y1)} ${r1(mid + 4)} ${r1(y1 + k)}V${r1(y - k)}Q${r1(mid + 4)} ${r1(y)} ${r1(mid + 8)} ${r1(y)}H${r1(x)}`, cls);
}

function etcdLine(sheet, g) {
  const cut = ['failing', 'stopped'].includes(sheet.model.etcd.state) ? 'is-cut' : '';
  if (sheet.narrow) {
    sheet.line('etcd', `M${r1(g.hx - g.hubR)} ${g.hubY}H${r1(g.px + g.pr)}`, cut);
    return;
  }
  const y = g.cy - Math.min(46, g.pr * 0.8);
  const x = g.hx - g.hubR;
  sheet.line('etcd', `M${r1(x)} ${g.hubY}H${r1(x - 40)}Q${r1(x - 44)} ${g.hubY} ${r1(x - 44)} ${g.hubY - 4}V${r1(y + 4)}Q${r1(x - 44)} ${r1(y)} ${r1(x - 48)} ${r1(y)}`
    + `H${r1(g.px + Math.sqrt(Math.max(0, g.pr * g.pr - (y - g.cy) * (y - g.cy))))}`, cut);
}

/* The lower deck: every host runs a kubelet and a container runtime, the control plane's too. */
function drawLowerDeck(sheet, g) {
  if (!g.extra) return;
  const cp = sheet.model.controlPlane;
  const y0 = g.top + g.upper;
  sheet.add(s('path', { class: 'bulkhead', d: `M${g.x + 4} ${y0}H${r1(g.x + g.w - g.bow * (sheet.plain ? 0.1 : 0.4))}` }));
  const w = sheet.narrow ? 84 : 96;
  const perRow = Math.max(1, Math.floor((g.hx - 14 - g.x - 8) / w));
  const rows = Math.ceil(cp.components.length / perRow);
  cp.components.forEach((c, k) => {
    const row = Math.floor(k / perRow);
    const step = g.extra / (rows + 0.2);
    sheet.lampPart(c.id, c, cp.name, g.x + 10 + (k % perRow) * w, y0 + step * (row + 0.6), w - 4, Math.min(24, step), rows > 1);
  });
  const ax = g.hx + 16;
  if (cp.pods.length) sheet.hold(cp.pods, cp.name, ax, y0, g.x + g.w - g.bow * 0.75 - ax, g.extra, true);
}

function drawControlPlane(sheet) {
  const cp = sheet.model.controlPlane;
  const g = planeLayout(sheet);
  sheet.hulls.append(hull(g.x, g.top, g.w, g.h, g.bow, cp.state, sheet.plain));
  const b1 = g.hx - g.hubR - (sheet.narrow ? 9 : 30);
  const b2 = g.rightX - (sheet.narrow ? 6 : 18);
  const bottom = g.top + g.upper - (g.extra ? 0 : 4);
  sheet.add(s('path', { class: 'bulkhead', d: `M${r1(b1)} ${g.top + 4}V${bottom}M${r1(b2)} ${g.top + 4}V${bottom}` }),
    text(g.x + 2, g.top - 9, 't-ship', cp.name), text(g.x + g.w - g.bow * 0.5, g.top - 9, `t-note is-${cp.state}`, cp.note, 'end'));
  drawEtcd(sheet, g);
  drawHub(sheet, g);
  cp.rooms.forEach((c, i) => drawRoom(sheet, g, c, i, cp.rooms.length));
  etcdLine(sheet, g);
  drawLowerDeck(sheet, g);
  sheet.line('user', `M${r1(g.hx)} ${g.hubY - g.hubR}V16`);
  sheet.add(s('path', { class: 'gang', d: `M${r1(g.hx - 6)} 8h12l-6 8z` }), text(g.hx + 12, 18, 't-user', sheet.model.user));
  return g;
}

/* ---- the other ships ---- */

function sisterRooms(sheet, node, x, y, w, shipH, dense) {
  const rw = w / 2;
  node.rooms.forEach((c, k) => sheet.lampPart(c.id, { ...c, name: t(`part.${c.component}`) }, node.name, x + (k % 2) * rw, y + shipH / 2 + (k < 2 ? -1 : 1) * (dense ? 11 : 15), rw - 4, 22));
}

function drawShip(sheet, g, node, x, y, w, shipH, dense) {
  const gx = x - 12;
  const bow = dense ? 34 : Math.min(52, w * 0.2);
  const stern = Math.min(98, Math.max(78, w * 0.3));
  sheet.hulls.append(hull(x, y, w, shipH, bow, node.state, sheet.plain));
  sheet.add(text(x + 2, y - 7, 't-ship', node.name), text(x + w - bow * 0.6, y - 7, `t-note is-${node.state}`, node.note, 'end'),
    s('path', { class: 'bulkhead', d: `M${r1(x + stern)} ${y + 4}V${y + shipH - 4}` }));
  const step = dense ? 15.5 : sheet.compact ? 21 : 25;
  const count = node.components.length;
  node.components.forEach((c, k) => sheet.lampPart(c.id, c, node.name, x + 5, y + shipH / 2 + (k - (count - 1) / 2) * step, stern - 7, step, dense));
  const ky = y + shipH / 2 - ((count - 1) / 2) * step;
  const side = gx < g.hx ? -4 : 4;
  const fromY = g.hubY + g.hubR;
  if (sheet.model.controlPlane) sheet.line(`node/${node.name}`, `M${r1(g.hx)} ${fromY}V${g.busY - 4}Q${r1(g.hx)} ${g.busY} ${r1(g.hx + side)} ${g.busY}H${r1(gx - side)}Q${r1(gx)} ${g.busY} ${r1(gx)} ${g.busY + 4}`
    + `V${r1(ky - 4)}Q${r1(gx)} ${r1(ky)} ${r1(gx + 4)} ${r1(ky)}H${r1(x + 8)}`, ['failing', 'stopped'].includes(node.state) ? 'is-cut' : '');
  const ax = x + stern + 10;
  const aw = w - stern - 10 - bow * 0.62;
  if (node.role === 'control-plane') sisterRooms(sheet, node, ax - 2, y, aw, shipH, dense);
  else sheet.hold(node.pods, node.name, ax, y, aw, shipH, dense);
}

function drawShips(sheet, g) {
  const { nodes } = sheet.model;
  const { W, pad } = sheet;
  const n = nodes.length;
  const least = n <= 3 ? 216 : 300;
  const cols = Math.max(1, Math.min(n, Math.floor((W - 2 * pad) / least)));
  const rows = Math.ceil(n / cols) || 0;
  const dense = rows > 3;
  const shipH = dense ? 54 : sheet.compact ? 70 : 88;
  const nameH = sheet.compact ? 18 : 20;
  const gap = 14;
  const colW = (W - 2 * pad - gap * (cols - 1)) / cols;
  const y0 = g.busY + (sheet.compact ? 8 : 12) + nameH;
  const step = shipH + nameH + (sheet.compact ? 8 : 14);
  nodes.forEach((node, i) => drawShip(sheet, g, node, pad + (i % cols) * (colW + gap) + 16, y0 + Math.floor(i / cols) * step, colW - 16, shipH, dense));
  return Math.ceil(n ? y0 + (rows - 1) * step + shipH + (sheet.compact ? 10 : 14) : g.top + g.h + 14);
}

/* ---- what moves ---- */

function lineOf({ place, host }, model) {
  if (place === 'apiserver') return null;
  if (place !== 'node') return place;
  return host === model.controlPlane?.name ? null : `node/${host}`;
}

/** The point and line of a travel at part f (0 to 1) of its way: back along one line to the hub, out along the other. */
function whereabouts(sheet, travel, f) {
  const ids = [lineOf(travel.from, sheet.model), lineOf(travel.to, sheet.model)];
  const legs = [];
  if (ids[0] && sheet.paths.has(ids[0])) legs.push([ids[0], true]);
  if (ids[1] && sheet.paths.has(ids[1])) legs.push([ids[1], false]);
  if (!legs.length) return null;
  const eased = f < 0.5 ? 2 * f * f : 1 - 2 * (1 - f) * (1 - f);
  const along = eased * legs.length;
  const leg = Math.min(legs.length - 1, Math.floor(along));
  const [id, back] = legs[leg];
  const path = sheet.paths.get(id);
  const share = along - leg;
  const point = path.getPointAtLength((back ? 1 - share : share) * path.getTotalLength());
  return { point, id, ids: legs.map(([one]) => one) };
}

/* Inside the control ship a flag flies at the deck's edge, on a pole over its packet: elsewhere it would cover names. */
function drawFlag(sheet, g, travel, at, used) {
  const inside = ['etcd', 'cm', 'scheduler'].includes(at.id);
  const label = travel.count > 1 ? `${travel.label} ×${travel.count}` : travel.label;
  const wide = Array.from(label).length * 6.7 + 10;
  const { x, y } = at.point;
  const within = (left) => Math.max(4, Math.min(sheet.W - wide - 4, left));
  let lx = within(inside ? x - wide / 2 : x + 12 + wide > sheet.W - 4 ? x - 12 - wide : x + 12);
  let ly = inside ? g.top - 6 : at.id === 'user' ? y - 9 : g.busY - 9;
  for (const other of used) {
    if (Math.abs(other.y - ly) >= 18 || lx >= other.x + other.w || other.x >= lx + wide) continue;
    if (inside && other.x + other.w + 3 <= x) lx = within(other.x + other.w + 3);
    else if (inside && other.x - wide >= 7) lx = other.x - wide - 3; else ly = other.y + 20;
  }
  used.push({ x: lx, y: ly, w: wide });
  const pole = s('path', { class: 'flagpole', d: inside ? `M${r1(Math.max(lx, Math.min(lx + wide, x)))} ${r1(ly + 18)}L${r1(x)} ${r1(y - 5)}` : '' });
  return [pole, s('rect', { class: 'flagbg', x: r1(lx), y: r1(ly), width: r1(wide), height: 18, rx: 1 }), text(lx + wide / 2, ly + 13, 't-flag', label, 'middle')];
}

/* ---- the drawing ---- */

/** Draws the model into `host` (`compact`: for low windows); returns {paint, select, selected}. `host` fires `shipmap:select` with {id} (null: nothing). */
export function draw(host, model, width, { selected = null, compact = false } = {}) {
  const focused = host.contains(document.activeElement) ? document.activeElement.dataset?.id : null;
  const sheet = new Sheet(model, width, compact);
  if (!model.controlPlane && !model.nodes.length) {
    host.replaceChildren();
    return { paint() {}, select() {}, get selected() { return null; } };
  }
  /* machines without a cluster have no hub to be tied to */
  const g = model.controlPlane ? drawControlPlane(sheet) : { top: 0, h: 0, hx: sheet.W / 2, busY: 4 };
  const H = drawShips(sheet, g);
  const over = s('g', { class: 'over', 'aria-hidden': 'true' });
  const svg = s('svg', { class: `map${model.plain ? ' is-plain' : ''}`, viewBox: `0 0 ${sheet.W} ${H}`, width: sheet.W, height: H, role: 'group', 'aria-label': model.title },
    sheet.hulls, sheet.lines, sheet.ships, over);
  host.replaceChildren(svg);
  const parts = [...svg.querySelectorAll('.part')];
  let last = [0, []];

  function select(id, tell = true) {
    selected = id;
    for (const p of parts) p.setAttribute('aria-pressed', String(p.dataset.id === id));
    paint(...last);
    if (tell) host.dispatchEvent(new CustomEvent('shipmap:select', { bubbles: true, detail: { id } }));
  }

  function paint(at, list) {
    last = [at, list];
    over.replaceChildren();
    for (const path of sheet.paths.values()) path.classList.remove('is-live');
    const used = [];
    for (const travel of list) {
      if (at < travel.t0 || at > travel.t1) continue;
      const place = whereabouts(sheet, travel, still.matches ? 0.5 : (at - travel.t0) / Math.max(0.01, travel.t1 - travel.t0));
      if (!place) continue;
      for (const id of place.ids) sheet.paths.get(id).classList.add('is-live');
      over.append(packet(r1(place.point.x), r1(place.point.y), travel.kind));
      if (used.length < 4) over.append(...drawFlag(sheet, g, travel, place, used));
    }
    const box = selected && sheet.boxes.get(selected);
    if (box) over.append(brackets(...box));
  }

  listen(svg, parts, select);
  const entry = parts.find((p) => p.dataset.id === (focused ?? selected)) ?? parts[0];
  entry?.setAttribute('tabindex', '0');
  for (const p of parts) if (p.dataset.id === selected) p.setAttribute('aria-pressed', 'true');
  if (focused && entry?.dataset.id === focused) entry.focus({ preventScroll: true });
  paint(...last);
  return { paint, select, get selected() { return selected; } };
}

/** Makes the parts of a drawing one stop of Tab: arrows move, Enter or Space selects, Escape clears. */
export function listen(svg, parts, select) {
  svg.addEventListener('click', (event) => {
    const hit = event.target.closest('.part');
    if (hit) select(hit.getAttribute('aria-pressed') === 'true' ? null : hit.dataset.id);
  });
  svg.addEventListener('keydown', (event) => {
    const i = parts.indexOf(document.activeElement);
    if (i < 0) return;
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      const next = parts[(i + move + parts.length) % parts.length];
      parts[i].setAttribute('tabindex', '-1');
      next.setAttribute('tabindex', '0');
      next.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      select(parts[i].dataset.id);
    } else if (event.key === 'Escape') {
      select(null);
    }
  });
}

/** The legend of the map, as list items. */
export function legend(plain) {
  const item = (nodes, words) => {
    const li = document.createElement('li');
    li.append(s('svg', { width: 26, height: 18, viewBox: '0 0 26 18', 'aria-hidden': 'true', class: 'map' }, ...[nodes].flat()), words);
    return li;
  };
  const items = ['healthy', 'pending', 'failing', 'stopped'].map((state) => item([lamp(6, 9, state, 4.5), pod(14, 3, 12, 12, { state }, plain)], stateName(state)));
  const onLine = (kind) => [s('path', { class: 'line is-live', d: 'M0 9H26' }), packet(13, 9, kind)];
  items.push(item(s('path', { class: 'bracket', d: 'M6 8V3H11M15 3H20V8M20 10V15H15M11 15H6V10' }), t('legend.selected')));
  items.push(item(onLine('write'), t('legend.write')), item(onLine('watch'), t('legend.watch')), item(onLine('error'), t('legend.error')));
  items.push(item(lamp(13, 9, 'standby', 4.5), stateName('standby')));
  items.push(item([s('circle', { class: 'member is-healthy', cx: 13, cy: 9, r: 4.5 }), s('circle', { class: 'member-lead', cx: 13, cy: 9, r: 7.5 })], t('legend.leader')));
  return items;
}
