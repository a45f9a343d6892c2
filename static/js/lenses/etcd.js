/* The etcd lens: members and their logs, the messages of Raft between them one by one, and the revisions of keys (docs/map.md). The
   picture is a function of the answer, the width and the message looked at; only messages move. */

import { h, icon, button, s } from '../dom.js';
import { clockText } from '../clock.js';
import { chooser, head } from '../lens.js';
import { lamp, packet, r1, text } from '../marks.js';
import { listen } from '../shipmap.js';
import { t, word } from '../strings.js';
import { drawLadder, nameMessages, sentence } from './etcd-messages.js';
import { drawRevisions, revisionFacts } from './etcd-revisions.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');
const MOVE_MS = 700;
const STEP_NS = 5_000_000_000;
const MOST_QUIET = 8;
const ROW = 44;
const RADIUS = 15;
/* where a message leaves and reaches a member: outside the ring that marks the leader */
const EDGE = RADIUS + 7;

export const nameOf = (data, id) => data.members.find((m) => m.id === id)?.name || id?.slice(0, 6) || '–';
const roleOf = (m) => (m.role ? word('raft.role', m.role) : t('raft.role.away'));

/* ---- members on a ring, and what is under way between them ---- */

function ringPlaces(members, cx, cy, r) {
  return members.map((m, i) => {
    const a = -Math.PI / 2 + (2 * Math.PI * i) / members.length;
    return members.length === 1 ? [cx, cy] : [cx + r * 1.35 * Math.cos(a), cy + r * Math.sin(a)];
  });
}

function links(data, at) {
  const lead = data.members.find((m) => m.role === 'leader');
  const cut = new Set(data.cut.map((pair) => [...pair].sort().join()));
  const out = [];
  data.members.forEach((a, i) => data.members.slice(i + 1).forEach((b, k) => {
    const j = i + 1 + k;
    const gone = cut.has([a.id, b.id].sort().join());
    const away = a.state === 'stopped' || b.state === 'stopped';
    const kind = gone || away ? ' is-cut' : lead && (lead === a || lead === b) ? ' is-replicating' : '';
    const [[x1, y1], [x2, y2]] = [at[i], at[j]];
    out.push(s('line', { class: `peer${kind}`, x1: r1(x1), y1: r1(y1), x2: r1(x2), y2: r1(y2) }));
    if (gone) out.push(s('path', { class: 'peer-x', d: `M${r1((x1 + x2) / 2 - 5)} ${r1((y1 + y2) / 2 - 5)}l10 10m0 -10l-10 10` }));
  }));
  return out;
}

/** Whether a name fits beside its member, in `room` pixels; else it stands below. */
const fitsBeside = (name, room) => name.length * 7 + 6 <= room;

function memberPart(m, i, [x, y], sideways, room, r = RADIUS) {
  const g = s('g', { class: 'part', role: 'button', tabindex: '-1', 'data-id': `${m.host}/etcd`, 'aria-pressed': 'false', 'aria-label': t('raft.member', { name: m.name, role: roleOf(m), state: word('state', m.state), term: m.raft?.term ?? '–' }) },
    s('circle', { class: 'hit', cx: r1(x), cy: r1(y), r: r + 7 }), s('circle', { class: `member is-${m.state} role-${m.role}`, cx: r1(x), cy: r1(y), r }));
  if (m.role === 'leader') g.append(s('circle', { class: 'member-lead', cx: r1(x), cy: r1(y), r: r + 4 }));
  if (m.role.includes('candidate')) g.append(s('circle', { class: 'member-ask', cx: r1(x), cy: r1(y), r: r + 4 }));
  if (m.state === 'stopped' || m.state === 'failing') g.append(s('path', { class: 'member-x', d: `M${r1(x - 5)} ${r1(y - 5)}l10 10m0 -10l-10 10` }));
  else g.append(text(x, y + 4.5, 't-member is-large', String(i + 1), 'middle'));
  const below = sideways !== 0 && !fitsBeside(m.name, room - r - 12);
  const [lx, anchor] = below ? [x, 'middle'] : sideways === 0 ? [x + r + 12, 'start'] : [x + sideways * (r + 12), sideways > 0 ? 'start' : 'end'];
  const ly = below ? y + r + 17 : y;
  g.append(text(lx, ly, 't-part', m.name, anchor), text(lx, ly + 14, 't-meta', roleOf(m), anchor));
  return g;
}

function drawRing(g, data, x, y, w, hgt) {
  const n = data.members.length;
  const r = n === 1 ? 0 : Math.min(hgt / 2 - 24, w / 6.2);
  const cx = x + w / 2 - (n === 1 ? 40 : 0);
  const cy = y + hgt / 2 + (n === 3 ? 10 : 0);
  const at = ringPlaces(data.members, cx, cy, r);
  g.append(...links(data, at));
  const flight = s('g', { class: 'flight', 'aria-hidden': 'true' });
  const parts = data.members.map((m, i) => {
    const side = Math.abs(at[i][0] - cx) < 4 ? 0 : Math.sign(at[i][0] - cx);
    return memberPart(m, i, at[i], side, side < 0 ? at[i][0] - x : x + w - at[i][0]);
  });
  g.append(...parts, flight);
  return { at, parts, flight };
}

/** Places messages at part f (0 to 1) of their way; one that could not be sent stops halfway with a cross. */
function placeFlight(ring, data, group, f) {
  ring.flight.replaceChildren();
  const eased = f < 0.5 ? 2 * f * f : 1 - 2 * (1 - f) * (1 - f);
  for (const m of group) {
    const [from, to] = [m.from, m.to].map((id) => ring.at[data.members.findIndex((one) => one.id === id)]);
    if (!from || !to) continue;
    const long = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    const [dx, dy] = [((to[0] - from[0]) / long) * EDGE, ((to[1] - from[1]) / long) * EDGE];
    const [a, b] = [[from[0] + dx, from[1] + dy], [to[0] - dx, to[1] - dy]];
    const far = m.sent ? eased : Math.min(eased, 0.5);
    const kind = !m.sent ? 'error' : m.kind.endsWith('-resp') ? 'watch' : 'write';
    ring.flight.append(s('line', { class: 'peer is-live', x1: r1(a[0]), y1: r1(a[1]), x2: r1(b[0]), y2: r1(b[1]) }), packet(r1(a[0] + (b[0] - a[0]) * far), r1(a[1] + (b[1] - a[1]) * far), kind));
  }
}

/* ---- logs ---- */

/** The indexes that the logs are drawn over: the last ten of the longest. */
function scaleOf(data) {
  const last = Math.max(1, ...data.members.map((m) => m.raft?.last ?? 0));
  return { last, first: Math.max(1, last - 9) };
}

function logRow(m, i, scale, x, y, w) {
  const g = s('g', {}, lamp(r1(x + 6), y + 8, m.state, 4.6), text(x + 17, y + 12, 't-part', `${i + 1} ${m.name}`));
  const raft = m.raft;
  if (!raft) return g;
  const about = [roleOf(m), `${t('map.term')} ${raft.term}`, raft.vote && `${t('raft.voted')} ${m.voted}`].filter(Boolean).join(' · ');
  g.append(text(x + w, y + 12, 't-meta', about, 'end'));
  const step = (w - 4) / 10;
  const bw = Math.max(8, step - 4);
  for (let index = scale.first; index <= scale.last; index += 1) {
    const bx = r1(x + 2 + (index - scale.first) * step);
    const held = raft.entries.find((e) => e.index === index);
    const kind = index > raft.last || index < raft.first ? 'none' : index <= raft.applied ? 'applied' : index <= raft.commit ? 'committed' : 'appended';
    g.append(s('rect', { class: `entry is-${kind}`, x: bx, y: y + 18, width: r1(bw), height: 14, rx: 1 }));
    if (kind === 'committed') g.append(s('rect', { class: 'entry-half', x: bx, y: y + 25, width: r1(bw), height: 7 }));
    if (bw < 22 || kind === 'none') continue;
    if (held && held.kind !== 'normal') g.append(text(bx + bw / 2, y + 29, `t-entry is-${kind}`, word('raft.entry', held.kind), 'middle'));
    else g.append(text(bx + bw / 2, y + 29, `t-entry is-${kind}`, String(index), 'middle'));
  }
  return g;
}

function drawLogs(g, data, x, y, w) {
  const scale = scaleOf(data);
  data.members.forEach((m, i) => g.append(logRow({ ...m, voted: nameOf(data, m.raft?.vote) }, i, scale, x, y + i * ROW, w)));
  const below = y + data.members.length * ROW;
  const item = (kind, at) => [s('rect', { class: `entry is-${kind}`, x: r1(at), y: below - 1, width: 12, height: 10 }), ...(kind === 'committed' ? [s('rect', { class: 'entry-half', x: r1(at), y: below + 4, width: 12, height: 5 })] : []), text(at + 17, below + 8, 't-meta', t(`raft.is.${kind}`))];
  ['applied', 'committed', 'appended'].forEach((kind, k) => g.append(...item(kind, x + 2 + k * (w / 3))));
  return below + 16;
}

/* ---- the lens ---- */

class EtcdLens {
  constructor(lens) {
    this.lens = lens;
    this.cursor = null;
    this.words = h('span', {});
    this.told = h('p', { class: 'lens-told', role: 'status' });
    this.back = button(t('raft.back'), { class: 'btn', 'data-raft': 'back', onclick: () => this.step(-1) });
    this.next = button(t('raft.next'), { class: 'btn', 'data-raft': 'next', onclick: () => this.step(1) }, icon('step'));
    this.follow = button(t('raft.follow'), { class: 'btn is-plain', 'data-raft': 'follow', onclick: () => this.toEnd() });
    this.pick = h('span', {});
    this.head = head(this.words, this.pick, this.back, this.next, this.follow);
    this.picture = h('div', { class: 'lens-picture' });
    this.element = h('div', { class: 'lens lens-etcd' }, this.head, this.picture, this.told);
    this.seen = '';
  }

  /** The index of the message looked at: the newest unless the learner steps. */
  get at() {
    const { messages } = this.data;
    const found = this.cursor === null ? -1 : messages.findIndex((m) => m.key === this.cursor);
    return found < 0 ? messages.length - 1 : found;
  }

  draw(data, width) {
    nameMessages(data.messages);
    const before = this.data;
    const stood = before && this.cursor !== null ? this.at : -1;
    this.data = data;
    this.width = width;
    if (this.awaiting && data.at > this.awaiting.at) {
      /* time has moved on to the next message: look at the first that is new */
      const known = new Set(this.awaiting.keys);
      const fresh = data.messages.find((m) => !known.has(m.key));
      if (fresh) this.cursor = fresh.key;
      /* what arrived was only taken note of: go on to the next that is sent */
      if (fresh || this.awaiting.left <= 0) this.awaiting = null;
      else this.goOn({ ...this.awaiting, at: data.at, left: this.awaiting.left - 1 });
    } else if (stood >= 0 && !data.messages.some((m) => m.key === this.cursor)) {
      this.cursor = data.messages.length ? data.messages[0].key : null;
    }
    this.render();
    const newest = data.messages.at(-1);
    if (this.cursor === null && newest && newest.key !== this.seen && before) this.move();
    else if (this.cursor === null) this.rest();
    this.seen = newest ? newest.key : '';
  }

  render() {
    const { data, width } = this;
    const W = Math.max(280, Math.round(width));
    const wide = W >= 620;
    const several = data.members.some((m) => m.raft?.peers) && data.members.length > 1;
    const svg = s('svg', { class: 'map lens-svg', width: W, role: 'group', 'aria-label': t('raft.picture') });
    const logsH = data.members.length * ROW + 18;
    const ringH = several ? Math.max(132, Math.min(170, logsH)) : 54;
    const ringW = wide ? Math.min(330, W * 0.4) : W - 20;
    this.ring = drawRing(svg, data, 8, 4, ringW, ringH);
    let bottom = drawLogs(svg, data, wide ? ringW + 22 : 12, wide ? 10 : ringH + 8, wide ? W - ringW - 36 : W - 24);
    bottom = Math.max(bottom, ringH + 4);
    const half = wide && several ? (W - 40) / 2 : W - 24;
    const y = bottom + 8;
    let low = y;
    if (several) low = drawLadder(svg, data, this.at, { x: 12, y, w: half, name: (id) => nameOf(data, id), choose: (i) => this.look(i) });
    if (data.history) {
      const at = wide && several ? { x: 28 + half, y } : { x: 12, y: several ? low + 8 : y };
      low = Math.max(low, drawRevisions(svg, data.history, { ...at, w: half }));
    }
    svg.setAttribute('viewBox', `0 0 ${W} ${Math.ceil(low + 6)}`);
    svg.setAttribute('height', Math.ceil(low + 6));
    const focused = this.picture.contains(document.activeElement) ? document.activeElement.dataset?.id : null;
    this.picture.replaceChildren(svg);
    const { parts } = this.ring;
    listen(svg, parts, (id) => this.select(id));
    const entry = parts.find((p) => p.dataset.id === focused) ?? parts[0];
    entry?.setAttribute('tabindex', '0');
    if (focused) entry?.focus({ preventScroll: true });
    this.select(this.lens.bench.selected, false);
    this.showWords(several);
    this.rest();
  }

  select(id, tell = true) {
    for (const p of this.ring?.parts ?? []) p.setAttribute('aria-pressed', String(p.dataset.id === id));
    if (tell) this.lens.bench.choose(id);
  }

  showWords(several) {
    const { data } = this;
    if (this.choices !== data.choices.join()) this.pick.replaceChildren(chooser(this.lens, t('raft.cluster'), data) ?? '');
    this.choices = data.choices.join();
    const alive = data.members.filter((m) => m.state === 'healthy' && !m.learner).length;
    const voters = data.members.filter((m) => !m.learner).length;
    this.words.replaceChildren(h('span', { class: `st ${alive >= data.quorum ? 'ok' : 'bad'}` }, t('raft.quorum', { quorum: data.quorum, voters, alive })),
      ` · ${t('map.term')} ${data.term} · ${t('map.leader')} ${data.leader || t('map.noleader')} · ${t('fact.revision')} ${data.revision}`);
    for (const one of [this.back, this.next, this.follow]) one.hidden = !several;
    const { messages } = data;
    this.back.disabled = this.at <= 0;
    this.next.disabled = this.at >= messages.length - 1 && !this.steers;
    this.follow.disabled = this.cursor === null;
    const m = messages[this.at];
    const now = m ? `${t('raft.message', { n: this.at + 1, of: messages.length })} ${clockText(m.at)}.${String(Math.floor(m.at / 1e6) % 1000).padStart(3, '0')}: ${sentence(m, (id) => nameOf(data, id))}` : '';
    const rest = !several ? t('raft.alone') : data.asleep && m?.rest ? t('raft.asleep', { n: data.heartbeat }) : '';
    /* who follows need not hear of every heartbeat; who steps hears each message */
    this.told.setAttribute('aria-live', this.cursor === null ? 'off' : 'polite');
    const words = [now, rest].filter(Boolean).join(' · ');
    if (this.told.textContent !== words) this.told.textContent = words;
  }

  /** Whether time can be moved from here: not in the past, not in another's cluster. */
  get steers() {
    const { bench } = this.lens;
    return Boolean(bench.resetUrl) && !bench.past.looking && bench.connection.status === 'online';
  }

  step(by) {
    const { messages } = this.data;
    const to = this.at + by;
    if (to < 0) return;
    if (to < messages.length) {
      this.look(to);
      return;
    }
    if (!this.steers) return;
    /* the last one that is known: let virtual time pass until the members do something next */
    const { connection, clock } = this.lens.bench;
    if (messages.length) this.cursor = messages.at(-1).key;
    if (clock.speed > 0) connection.speed(0);
    this.goOn({ at: this.data.at, keys: messages.map((m) => m.key), left: MOST_QUIET });
  }

  goOn(awaiting) {
    this.awaiting = awaiting;
    this.lens.bench.connection.input('skip', { ns: STEP_NS, to: 'raft' });
  }

  look(index) {
    const m = this.data.messages[index];
    if (!m) return;
    this.cursor = m.key;
    this.render();
    this.move([m]);
  }

  toEnd() {
    this.cursor = null;
    this.render();
  }

  /* ---- what moves ---- */

  /** The messages that are drawn under way: the one looked at and those that its sender sent at the same moment. */
  get group() {
    const m = this.data.messages[this.at];
    if (!m) return [];
    return this.cursor !== null ? [m] : this.data.messages.filter((one) => one.from === m.from && one.kind === m.kind && Math.abs(one.at - m.at) < 1e6);
  }

  rest() {
    cancelAnimationFrame(this.frame);
    placeFlight(this.ring, this.data, this.group, still.matches ? 0.5 : 1);
  }

  move(group = this.group) {
    cancelAnimationFrame(this.frame);
    if (still.matches) {
      placeFlight(this.ring, this.data, group, 0.5);
      return;
    }
    const begun = performance.now();
    const paint = (now) => {
      const f = Math.min(1, (now - begun) / MOVE_MS);
      placeFlight(this.ring, this.data, group, f);
      if (f < 1) this.frame = requestAnimationFrame(paint);
    };
    paint(begun);
  }

  dispose() {
    cancelAnimationFrame(this.frame);
  }
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new EtcdLens(lens);
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  const lines = [t('fact.etcd', { state: word('state', data.state), term: data.term, leader: data.leader || t('map.noleader'), n: data.members.length, revision: data.revision })];
  for (const m of data.members) {
    lines.push(t('raft.member', { name: m.name, role: roleOf(m), state: word('state', m.state), term: m.raft?.term ?? '–' }));
    if (m.raft) lines.push(t('raft.log', { name: m.name, first: m.raft.first, last: m.raft.last, commit: m.raft.commit, applied: m.raft.applied }));
    if (m.raft?.vote) lines.push(t('raft.vote', { name: m.name, who: nameOf(data, m.raft.vote), term: m.raft.term }));
    for (const alarm of m.alarms ?? []) lines.push(`${m.name}: ${alarm}`);
  }
  for (const [a, b] of data.cut) lines.push(t('raft.cut', { a: nameOf(data, a), b: nameOf(data, b) }));
  for (const m of data.messages.slice(-16)) lines.push(sentence(m, (id) => nameOf(data, id)));
  return [...lines, ...(data.history ? revisionFacts(data.history) : [])];
}

