/* The revision time line of keys: a lane for each of the keys that changed last, a mark at each revision. */

import { s } from '../dom.js';
import { r1, text } from '../marks.js';
import { t } from '../strings.js';

const LANE = 19;

/** `/registry/pods/default/web-7957885594-ktkml` as its end, in so many characters. */
export function shortKey(key, room) {
  const words = key.replace(/^\/registry\//, '');
  return words.length <= room ? words : `…${words.slice(1 - room)}`;
}

function mark(change, x, y) {
  if (!change.version) return s('g', { class: 'rev is-deleted' }, s('rect', { x: r1(x - 7), y: y - 7, width: 14, height: 14 }), s('path', { d: `M${r1(x - 7)} ${y + 7}l14 -14` }));
  return s('g', { class: `rev${change.version === 1 ? ' is-created' : ''}` }, s('rect', { x: r1(x - 8), y: y - 7, width: 16, height: 14, rx: 1 }), text(x, y + 4, 't-entry', String(change.version), 'middle'));
}

/** One sentence a change. */
export function revisionFacts(history) {
  const lines = history.changes.map((c) => t(c.version ? (c.version === 1 ? 'rev.created' : 'rev.changed') : 'rev.deleted', { revision: c.revision, key: c.key, version: c.version }));
  return history.compacted ? [t('rev.compacted', { n: history.compacted }), ...lines] : lines;
}

/** Draws the changes; returns the bottom. */
export function drawRevisions(svg, history, { x, y, w }) {
  const g = s('g', { class: 'revisions', role: 'img', 'aria-label': t('rev.title') }, text(x, y + 10, 't-part', t('rev.title')));
  if (history.compacted) g.append(text(x + w, y + 10, 't-meta', t('rev.compacted', { n: history.compacted }), 'end'));
  const names = Math.min(w * 0.42, w > 600 ? 330 : 190);
  const room = Math.floor(names / 6.4);
  const fit = Math.max(3, Math.floor((w - names - 16) / 26));
  const changes = history.changes.slice(-fit);
  const keys = history.keys.filter((key) => changes.some((c) => c.key === key));
  const lane = new Map(keys.map((key, i) => [key, y + 28 + i * LANE]));
  if (!keys.length) g.append(text(x, y + 30, 't-meta', t('rev.none')));
  for (const key of keys) {
    g.append(text(x, lane.get(key) + 4, 't-key', shortKey(key, room)), s('line', { class: 'lane', x1: r1(x + names + 4), x2: r1(x + w), y1: lane.get(key), y2: lane.get(key) }));
    g.lastChild.before(s('title', {}, key));
  }
  const bottom = y + 28 + Math.max(0, keys.length - 1) * LANE;
  changes.forEach((c, k) => {
    const cx = x + names + 18 + k * ((w - names - 30) / Math.max(1, changes.length - 1 || 1));
    const one = mark(c, cx, lane.get(c.key));
    one.append(s('title', {}, t(c.version ? 'rev.changed' : 'rev.deleted', { revision: c.revision, key: c.key, version: c.version })));
    g.append(one);
    if (k === 0 || k === changes.length - 1 || (c.gap && k % 2 === 0 && k < changes.length - 2)) g.append(text(cx, bottom + 22, 't-axis', String(c.revision), 'middle'));
  });
  svg.append(g);
  return bottom + (keys.length ? 28 : 10);
}
