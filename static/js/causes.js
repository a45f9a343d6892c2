/* Trace events as stories: a root cause (a command, a fault) and everything that follows from it. Pure functions and one store.

   Virtual latencies are milliseconds, so a story is played on a display clock: `warp` gives each event a display time in seconds,
   monotone in virtual time. Positions on the map and the time line are functions of that time alone. */

export const HOP_MIN = 0.35;
export const HOP_MAX = 1.2;
const STEP_MIN = 0.06;
const GAP_MAX = 0.8;
const KEEP = 3000;
const SHOWN = 160;
const DRAWN = new Set(['user', 'apiserver', 'etcd', 'scheduler', 'cm', 'node']);

const CONTROLLER = /(^|-)controller(-manager)?$|^garbage-collector$|^kube-controller-manager/;
const ON_HOST = /^(kubelet|containerd|kube-proxy|systemd|container|cri|runtime)\/([^/]+)/;
const FAILED = /(^|\.)(failed|refused|denied|error|rejected|timeout)$/;

/* What runs in a cluster without saying on which host; a kubelet says it by its user. */
const SOMEWHERE = /^(kubelet|containerd|kube-proxy|coredns|kindnet|flannel|calico|cilium|container)\b/;
const NODE_USER = /^system:node:(.+)$/;

/** Where the actor of an event is: {place, host}. Places: user, apiserver, etcd, scheduler, cm, node, other, none. */
export function placeOf({ actor, detail }) {
  if (actor === 'kube-apiserver' || actor.startsWith('kube-apiserver/')) return { place: 'apiserver', host: '' };
  if (actor === 'etcd' || actor.startsWith('etcd/')) return { place: 'etcd', host: '' };
  if (actor === 'kube-scheduler' || actor.startsWith('kube-scheduler/')) return { place: 'scheduler', host: '' };
  if (CONTROLLER.test(actor)) return { place: 'cm', host: '' };
  const there = ON_HOST.exec(actor);
  if (there) return { place: 'node', host: there[2] };
  const node = NODE_USER.exec(detail?.user ?? '');
  if (node) return { place: 'node', host: node[1] };
  if (SOMEWHERE.test(actor)) return { place: 'other', host: actor };
  if (actor === 'fault') return { place: 'none', host: '' };
  return { place: 'user', host: '' };
}

/** Whether an event says that something went wrong. */
export function failed(event) {
  const detail = event.detail ?? {};
  if (event.action === 'container.exit') return Number(detail.code) !== 0;
  return Boolean(detail.error) || Number(detail.code) >= 400 || FAILED.test(event.action);
}

/** The resource (`pods`) or the first word of what an event is about. */
export function subject(event) {
  const ref = event.ref ?? '';
  if (ref.startsWith('/registry/')) return ref.split('/')[2] ?? '';
  return ref.split('/')[0];
}

/** The few words of an event's flag: its verb and resource, as they are. */
export function flag(event) {
  const { verb, subresource } = event.detail ?? {};
  const [words, about] = [verb ?? event.action.replaceAll('.', ' '), verb || event.ref?.startsWith('/registry/') ? subject(event) : ''];
  return `${words} ${about}${about && subresource ? `/${subresource}` : ''}`.trim();
}

/* What a watch says of a change that reached etcd: the verb of the request behind it tells which of the three it was. */
function watchFlag(change, request) {
  const verb = request?.detail?.verb;
  const type = change.action === 'delete' ? 'DELETED' : verb === 'create' && !request.detail.subresource ? 'ADDED' : 'MODIFIED';
  return `${type} ${subject(change)}`;
}

export class TraceStore {
  constructor() {
    this.events = [];
    this.bySeq = new Map();
    this.roots = new Map();
    this.newest = null;
  }

  /** Adds an event; returns its root's seq. */
  add(event) {
    this.events.push(event);
    this.bySeq.set(event.seq, event);
    const root = this.roots.get(event.cause) ?? event.cause ?? 0;
    const mine = root && this.bySeq.has(root) ? root : event.seq;
    this.roots.set(event.seq, mine);
    if (this.events.length > KEEP) {
      const gone = this.events.shift();
      this.bySeq.delete(gone.seq);
      this.roots.delete(gone.seq);
    }
    return mine;
  }

  rootOf(seq) {
    return this.roots.get(seq) ?? null;
  }

  /** The events of one story, in order. */
  story(root) {
    return this.events.filter((event) => this.roots.get(event.seq) === root);
  }

  /** The root of what to show: the newest command or fault that had an effect, else the newest story of some length, else null. */
  latest() {
    let any = null;
    const sizes = new Map();
    for (const event of this.events) {
      const root = this.roots.get(event.seq);
      sizes.set(root, (sizes.get(root) ?? 0) + 1);
    }
    for (let i = this.events.length - 1; i >= 0; i -= 1) {
      const event = this.events[i];
      const root = this.roots.get(event.seq);
      if (root !== event.seq) continue;
      const { place } = placeOf(event);
      if ((place === 'user' || place === 'none') && sizes.get(root) > 1) return root;
      if (sizes.get(root) > 2) any ??= root;
    }
    return any;
  }

  /** The last events about something: by actor place or by part of the ref. */
  about(test, limit = 5) {
    const found = [];
    for (let i = this.events.length - 1; i >= 0 && found.length < limit; i -= 1) if (test(this.events[i])) found.push(this.events[i]);
    return found.reverse();
  }
}

/**
 * The display time of each event of a story, in seconds from its first.
 * Returns {events, at: Map seq → display time, end, hidden}; a long story keeps its latest events.
 */
export function warp(story) {
  const all = [...story].sort((a, b) => a.at - b.at || a.seq - b.seq);
  const events = all.slice(-SHOWN);
  const at = new Map();
  let last = 0;
  let before = null;
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  for (const event of events) {
    let here = 0;
    if (before) {
      const gap = Math.min(GAP_MAX, (event.at - before.at) / 1e9);
      here = last + Math.max(STEP_MIN, gap);
      const cause = bySeq.get(event.cause);
      if (cause) here = Math.max(here, at.get(cause.seq) + (samePlace(cause, event) ? STEP_MIN : HOP_MIN));
    }
    at.set(event.seq, here);
    last = here;
    before = event;
  }
  return { events, at, end: last, hidden: all.length - events.length };
}

function samePlace(a, b) {
  const x = placeOf(a);
  const y = placeOf(b);
  return x.place === y.place && x.host === y.host;
}

/**
 * What travels on the map: one entry for each cause and effect in different places.
 * {from, to (place, host), t0, t1, kind: write | watch | error, label, count, seqs}; those that look the same at the same time are merged.
 */
export function travels(warped) {
  const bySeq = new Map(warped.events.map((event) => [event.seq, event]));
  const list = [];
  for (const event of warped.events) {
    const cause = bySeq.get(event.cause);
    if (!cause || samePlace(cause, event)) continue;
    const from = placeOf(cause);
    const to = placeOf(event);
    if (!DRAWN.has(from.place) || !DRAWN.has(to.place)) continue;
    const t1 = warped.at.get(event.seq);
    const t0 = Math.max(t1 - HOP_MAX, Math.min(warped.at.get(cause.seq), t1 - HOP_MIN));
    const reading = from.place === 'etcd' || (from.place === 'apiserver' && to.place !== 'etcd');
    const kind = failed(event) ? 'error' : reading ? 'watch' : 'write';
    const label = reading && from.place === 'etcd' ? watchFlag(cause, bySeq.get(cause.cause)) : flag(reading ? cause : event);
    const twin = list.findLast?.((one) => one.kind === kind && one.label === label && one.t0 < t0 + 0.25 && t0 < one.t0 + 0.25
      && one.from.place === from.place && one.from.host === from.host && one.to.place === to.place && one.to.host === to.host);
    if (twin) {
      twin.count += 1;
      twin.seqs.push(event.seq);
      twin.t1 = Math.max(twin.t1, t1);
    } else {
      list.push({ from, to, t0, t1, kind, label, count: 1, seqs: [event.seq] });
    }
  }
  return list;
}

/** The lane of the time line for an event: {key, host, place}. */
export function laneOf(event) {
  const { place, host } = placeOf(event);
  if (host) return { key: `${place}/${host}`, host, place };
  return { key: place, host: '', place };
}

const ORDER = ['none', 'user', 'apiserver', 'etcd', 'cm', 'scheduler', 'node', 'other'];

/** The lanes that a story needs, in a fixed order: learner, API server, etcd, controllers, scheduler, then hosts. */
export function lanes(events) {
  const found = new Map();
  for (const event of events) {
    const lane = laneOf(event);
    if (!found.has(lane.key)) found.set(lane.key, lane);
  }
  return [...found.values()].sort((a, b) => ORDER.indexOf(a.place) - ORDER.indexOf(b.place) || a.host.localeCompare(b.host));
}
