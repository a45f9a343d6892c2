/* The causal time line of one story: a lane for each actor, a curve for each cause, a zebra scale, the present in chart magenta.
   `drawTimeline` is a pure function of the warped story, the width and the display time. */

import { failed, laneOf, lanes } from './causes.js';
import { s } from './dom.js';
import { lamp, r1, text } from './marks.js';
import { has, t } from './strings.js';

const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

/** What an event says: a sentence of the page's where it has one for the action (`act.…`), else its words and what it is about, as they are. */
export function sentence(event) {
  const detail = event.detail ?? {};
  const more = detail.reason ?? detail.message ?? detail.error;
  const tail = more && typeof more !== 'object' && more !== true ? `: ${more}` : '';
  const values = { ...detail, verb: detail.verb ?? '', ref: event.ref ?? '', sub: detail.subresource ? `/${detail.subresource}` : '' };
  if (detail.verdicts) values.verdicts = verdicts(detail.verdicts);
  const key = event.actor === 'fault' ? 'act.fault' : `act.${event.action}`;
  if (has(key)) return t(key, { ...values, action: event.action }) + tail;
  return `${detail.verb ? `${detail.verb} ` : `${event.action.replaceAll('.', ' ')} `}${values.ref}${values.sub}`.trim() + tail;
}

/* Why the scheduler passed nodes over: `node01: TaintToleration`. */
function verdicts(table) {
  return Object.entries(table).map(([node, verdict]) => `${node}: ${Array.isArray(verdict) ? verdict[0] : verdict}`).join(', ');
}

/** The name of a lane. */
export function laneName(lane) {
  return lane.host ? lane.host : t(`lane.${lane.place}`);
}

/** `+0.30 s`: virtual time since the story began. */
export function since(event, first) {
  const seconds = (event.at - first.at) / 1e9;
  return t('seconds', { n: seconds < 10 ? seconds.toFixed(3) : seconds.toFixed(1) });
}

/* Virtual seconds → display seconds, between the events of a story. */
function scale(warped) {
  const first = warped.events[0];
  const points = warped.events.map((event) => [(event.at - first.at) / 1e9, warped.at.get(event.seq)]);
  return (seconds) => {
    for (let i = 1; i < points.length; i += 1) {
      const [v1, d1] = points[i];
      const [v0, d0] = points[i - 1];
      if (seconds <= v1) return v1 === v0 ? d1 : d0 + ((seconds - v0) / (v1 - v0)) * (d1 - d0);
    }
    return points.at(-1)[1];
  };
}

/* Ticks of virtual time that lie far enough apart on the display to be read. */
function ticksOf(warped, X, apart) {
  const at = scale(warped);
  const total = (warped.events.at(-1).at - warped.events[0].at) / 1e9;
  const ticks = [[0, X(0)]];
  let last = X(0);
  let now = 0;
  while (now < total && ticks.length < 40) {
    const step = TICKS.find((one) => X(at(Math.min(total, now + one))) - last >= apart || now + one >= total) ?? total;
    now = Math.min(total, Math.round((now + step) * 1e6) / 1e6);
    const x = X(at(now));
    if (x - last >= apart || now >= total) {
      ticks.push([now, x]);
      last = x;
    }
  }
  return ticks;
}

function zebra(svg, ticks, y, end) {
  ticks.forEach(([seconds, x], k) => {
    const to = ticks[k + 1]?.[1] ?? end;
    if (to > x) svg.append(s('rect', { class: k % 2 ? 'zebra is-odd' : 'zebra', x: r1(x), y, width: r1(to - x), height: 5 }));
    if (k === 0 || x - ticks[k - 1][1] >= 34) {
      const label = seconds >= 60 ? `${Math.floor(seconds / 60)}m${Math.round(seconds % 60) || ''}` : String(Number(seconds.toPrecision(3)));
      svg.append(text(x, y + 17, 't-axis', k ? label : t('axis.start'), k ? (k === ticks.length - 1 ? 'end' : 'middle') : 'start'));
    }
  });
}

/**
 * Draws a warped story into `host` at display time `now`.
 * `chosen` is the seq of an event to mark, `compact` sets the lanes closer. Clicking an event fires `timeline:choose` with {seq}.
 */
export function drawTimeline(host, warped, width, now, { chosen = null, compact = false } = {}) {
  const W = Math.max(240, Math.round(width));
  const narrow = W < 480;
  const left = narrow ? 84 : 118;
  const right = 18;
  const laneH = compact ? 15 : narrow ? 17 : 18;
  const top = 24;
  const rows = lanes(warped.events);
  const H = top + rows.length * laneH + 26;
  const X = (time) => left + (warped.end ? time / warped.end : 0) * (W - left - right);
  const index = new Map(rows.map((lane, i) => [lane.key, i]));
  const Y = (event) => top + index.get(laneOf(event).key) * laneH + laneH / 2;
  const svg = s('svg', { class: 'tl', viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: 'img', 'aria-label': t('tl.title', { n: warped.events.length }) });
  rows.forEach((lane, i) => {
    const y = top + i * laneH + laneH / 2;
    svg.append(s('path', { class: 'tl-lane', d: `M${left} ${y}H${W - right}` }), text(left - 12, y + 4, 't-lane', laneName(lane), 'end'));
  });
  const bySeq = new Map(warped.events.map((event) => [event.seq, event]));
  for (const event of warped.events) {
    const cause = bySeq.get(event.cause);
    if (!cause) continue;
    const [x1, y1, x2, y2] = [X(warped.at.get(cause.seq)), Y(cause), X(warped.at.get(event.seq)), Y(event)].map(r1);
    const mid = r1((x1 + x2) / 2);
    svg.append(s('path', { class: `tl-cause${warped.at.get(event.seq) > now ? ' is-later' : ''}`, d: `M${x1} ${y1}C${mid} ${y1} ${mid} ${y2} ${x2} ${y2}` }));
  }
  for (const event of warped.events) {
    const time = warped.at.get(event.seq);
    const g = s('g', { class: `tl-event${time > now ? ' is-later' : ''}${event.seq === chosen ? ' is-chosen' : ''}`, 'data-seq': event.seq },
      lamp(r1(X(time)), Y(event), failed(event) ? 'failing' : 'healthy', 4), s('title', {}, `#${event.seq} ${sentence(event)}`));
    if (event.seq === chosen) g.append(s('circle', { class: 'tl-ring', cx: r1(X(time)), cy: Y(event), r: 8 }));
    svg.append(g);
  }
  const ay = top + rows.length * laneH + 4;
  zebra(svg, ticksOf(warped, X, narrow ? 44 : 56), ay, W - right);
  const nx = r1(X(Math.min(now, warped.end)));
  svg.append(s('path', { class: 'tl-now', d: `M${nx} ${top - 4}V${ay + 8}M${nx - 5} ${top - 10}h10l-5 7z` }));
  const here = current(warped, now);
  if (here) {
    const end = nx > W * 0.55;
    const room = Math.floor(((end ? nx : W - nx) - 16) / 6.6);
    const words = `#${here.seq} ${sentence(here)}`;
    svg.append(text(nx + (end ? -10 : 10), top - 7, 't-now', words.length > room ? `${words.slice(0, Math.max(8, room - 1))}…` : words, end ? 'end' : 'start'));
  }
  svg.addEventListener('click', (event) => {
    const hit = event.target.closest('[data-seq]');
    if (hit) host.dispatchEvent(new CustomEvent('timeline:choose', { bubbles: true, detail: { seq: Number(hit.dataset.seq) } }));
  });
  host.replaceChildren(svg);
}

/** The last event at or before a display time. */
export function current(warped, now) {
  let found = null;
  for (const event of warped.events) if (warped.at.get(event.seq) <= now + 1e-9) found = event;
  return found;
}

/** The events of a story as sentences, for "As text": [{seq, when, lane, words, cause}]. */
export function asText(warped) {
  const first = warped.events[0];
  return warped.events.map((event) => ({ seq: event.seq, when: since(event, first), lane: laneName(laneOf(event)), words: sentence(event), cause: event.cause }));
}
