/* The ladder of Raft's messages: a lane for each member, an arrow for each message in the order in which they were sent. */

import { s } from '../dom.js';
import { r1, text } from '../marks.js';
import { t, word } from '../strings.js';

const STEP = 27;
const LANE = 24;

/** Gives each message a name (`key`) that it keeps from one answer to the next; those that look alike are counted. */
export function nameMessages(messages) {
  const seen = new Map();
  for (const m of messages) {
    const alike = `${m.at}|${m.kind}|${m.from}|${m.to}|${m.index}`;
    seen.set(alike, (seen.get(alike) ?? 0) + 1);
    m.key = `${alike}|${seen.get(alike)}`;
  }
}

/** A message in words. */
export function sentence(m, name) {
  const parts = [t('raft.sends', { from: name(m.from), to: name(m.to), what: word('raft.kind', m.kind) })];
  if (m.entries) parts.push(t('raft.entries', { n: m.entries }));
  if (m.index) parts.push(t('raft.index', { n: m.index }));
  if (m.term) parts.push(`${t('map.term')} ${m.term}`);
  if (!m.sent) parts.push(t('raft.unsent'));
  return parts.join(', ');
}

function kindOf(m) {
  if (!m.sent) return 'lost';
  if (m.kind.includes('vote') || m.kind === 'timeout-now') return 'vote';
  return m.kind.startsWith('heartbeat') ? 'beat' : 'app';
}

function arrow(m, x, y1, y2, here) {
  const half = m.sent ? 1 : 0.5;
  const [ex, ey] = [x + (STEP - 9) * half, y1 + (y2 - y1) * half];
  const g = s('g', { class: `message is-${kindOf(m)}${here ? ' is-now' : ''}` }, s('path', { class: 'message-way', d: `M${r1(x)} ${r1(y1)}L${r1(ex)} ${r1(ey)}` }), s('circle', { class: 'message-from', cx: r1(x), cy: r1(y1), r: 2.4 }));
  const a = Math.atan2(ey - y1, ex - x);
  const tip = (d, l) => `${r1(ex - l * Math.cos(a + d))} ${r1(ey - l * Math.sin(a + d))}`;
  g.append(m.sent ? s('path', { class: m.kind.endsWith('-resp') ? 'message-tip is-open' : 'message-tip', d: `M${tip(0.45, 8)}L${r1(ex)} ${r1(ey)}L${tip(-0.45, 8)}${m.kind.endsWith('-resp') ? '' : 'Z'}` })
    : s('path', { class: 'message-x', d: `M${r1(ex - 4)} ${r1(ey - 4)}l8 8m0 -8l-8 8` }));
  return g;
}

/** Draws the messages up to some after `at`; a click on one calls `choose(index)`. Returns the bottom. */
export function drawLadder(svg, data, at, { x, y, w, name, choose }) {
  const left = x + 22;
  const fit = Math.max(4, Math.floor((w - 30) / STEP));
  const from = Math.max(0, Math.min(at - fit + 3, data.messages.length - fit));
  const shown = data.messages.slice(from, from + fit);
  const g = s('g', { class: 'ladder', 'aria-hidden': 'true' }, text(x, y + 10, 't-part', t('raft.messages')));
  const lane = new Map(data.members.map((m, i) => [m.id, y + 28 + i * LANE]));
  data.members.forEach((m, i) => g.append(text(x + 2, lane.get(m.id) + 4, 't-part', String(i + 1)), s('line', { class: m.state === 'stopped' ? 'lane is-cut' : 'lane', x1: r1(left), x2: r1(x + w), y1: lane.get(m.id), y2: lane.get(m.id) })));
  shown.forEach((m, k) => {
    const [y1, y2] = [lane.get(m.from), lane.get(m.to)];
    if (y1 === undefined || y2 === undefined) return;
    const mx = left + 8 + k * STEP;
    const here = from + k === at;
    const one = arrow(m, mx, y1, y2, here);
    one.append(s('rect', { class: 'hit', x: r1(mx - 6), y: y + 16, width: STEP, height: data.members.length * LANE }), s('title', {}, sentence(m, name)));
    one.addEventListener('click', () => choose(from + k));
    g.append(one);
  });
  const now = data.messages[at];
  const bottom = y + 28 + (data.members.length - 1) * LANE + 24;
  const nx = left + 8 + (at - from) * STEP;
  const late = nx > x + w / 2;
  if (now) g.append(text(late ? Math.min(x + w, nx + STEP) : nx, bottom - 4, 't-now', word('raft.kind', now.kind), late ? 'end' : 'start'));
  svg.append(g);
  return bottom + 2;
}
