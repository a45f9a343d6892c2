/* "Why": the chain of causes of an event, from what began it to the event itself, in words. Every trace event names its cause, so the
   chain is read, not guessed. */

import { laneOf } from './causes.js';
import { button, h } from './dom.js';
import { t } from './strings.js';
import { laneName, sentence } from './timeline.js';

const FIRST = 2;
const LAST = 6;

/** The events from the root of a story to `event`, in order; those before the oldest that the page holds are missing. */
export function chain(store, event) {
  const found = [event];
  for (let here = event; here.cause && found.length < 200;) {
    here = store.bySeq.get(here.cause);
    if (!here) break;
    found.unshift(here);
  }
  return found;
}

const READS = new Set(['read', 'range']);
const READING = new Set(['get', 'list', 'watch']);

/**
 * The event that says most about a part: what somebody decided or did (a node chosen, a container ended), else the last change.
 * `about` tells which events are about it; undefined when nothing is.
 */
export function telling(store, about) {
  const changes = store.about((event) => about(event) && !READS.has(event.action) && !READING.has(event.detail?.verb), 40);
  const done = changes.filter((event) => !['kube-apiserver', 'etcd'].includes(event.actor.split('/')[0]) && event.action !== 'request');
  return firstOfRun(done) ?? changes.at(-1);
}

/* Of a decision that was made again and again (no node fits, still none), the first: it leads back to what began it. */
function firstOfRun(events) {
  let at = events.length - 1;
  while (at > 0 && events[at].actor === events[at - 1].actor && sentence(events[at]) === sentence(events[at - 1])) at -= 1;
  return events[at];
}

/* Neighbours that say the same are one step for a reader. */
function steps(events) {
  const words = events.map((event) => ({ event, who: laneName(laneOf(event)), what: sentence(event) }));
  return words.filter((one, i) => i === 0 || one.who !== words[i - 1].who || one.what !== words[i - 1].what);
}

/**
 * The answer to "why" about an event as elements: one list item a cause. `choose(seq)` is called when one is clicked.
 */
export function whyList(store, event, choose) {
  const events = chain(store, event);
  const all = steps(events);
  const item = ({ event: one, who, what }, i) => h('li', {}, button(`#${one.seq}`, { class: 'event-link', onclick: () => choose(one.seq) }), ' ',
    h('span', { class: 'who' }, i === 0 && !one.cause ? t('why.begun', { who }) : who), ` ${what}`);
  const hidden = all.length - FIRST - LAST;
  const items = hidden > 1
    ? [...all.slice(0, FIRST).map(item), h('li', { class: 'is-gap' }, t('why.more', { n: hidden })), ...all.slice(-LAST).map((one) => item(one, -1))]
    : all.map(item);
  return h('ol', { class: 'inspect-events why' }, events[0].cause ? h('li', { class: 'is-gap' }, t('why.older')) : null, items);
}
