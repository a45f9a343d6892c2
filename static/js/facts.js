/* What the map shows, as facts: the lines of "As text", and what is known about one selected part. Same source, same words. */

import { placeOf } from './causes.js';
import { h, stateWord } from './dom.js';
import { podId, restartsOf } from './mapmodel.js';
import { t, word } from './strings.js';
import { telling } from './why.js';

const KINDS = { healthy: 'ok', pending: 'wait', failing: 'bad', stopped: 'none', standby: 'todo' };
const list = (value) => (Array.isArray(value) ? value : []);

/** The mark and word of a state. */
export function stateOf(state, note) {
  return stateWord(KINDS[state] ?? 'none', note || word('state', state));
}

function noteOf(part) {
  return part.note ? `${word('state', part.state)} (${part.note})` : word('state', part.state);
}

/** Every fact of the map, one sentence each. */
export function mapFacts(view) {
  const lines = [];
  const etcd = view.etcd ?? {};
  lines.push(t('fact.api', { state: word('state', view.apiserver?.state ?? 'stopped'), rv: view.rv || 0 }));
  lines.push(t('fact.etcd', { state: word('state', etcd.state ?? 'stopped'), term: etcd.term ?? 0, leader: etcd.leader || t('map.noleader'), n: list(etcd.members).length, revision: etcd.revision ?? 0 }));
  for (const member of list(etcd.members)) lines.push(t('fact.member', { name: member.name, role: member.role || '–', state: word('state', member.state) }));
  for (const host of list(view.hosts)) {
    lines.push(t('fact.host', { name: host.name, role: word('role', host.role), state: noteOf(host) }));
    for (const c of list(host.components)) lines.push(t('fact.component', { host: host.name, name: c.name || c.id, state: noteOf(c) }));
    for (const pod of list(host.pods)) lines.push(t('fact.pod', { host: host.name, ...podWords(pod) }));
  }
  for (const pod of list(view.pending)) lines.push(t('fact.unplaced', podWords(pod)));
  return lines;
}

function podWords(pod) {
  const restarts = restartsOf(pod);
  return {
    pod: `${pod.namespace}/${pod.name}`,
    state: pod.note || pod.phase || word('state', pod.state),
    containers: list(pod.containers).length,
    restarts: restarts ? `, ${t('fact.restarts', { n: restarts })}` : '',
  };
}

/** One line for a phone's closed sheet. */
export function summary(view) {
  const pods = [...list(view.hosts).flatMap((host) => list(host.pods)), ...list(view.pending)];
  const count = (state) => pods.filter((pod) => pod.state === state).length;
  const words = [t('sum.running', { n: count('healthy') })];
  if (count('pending')) words.push(t('sum.pending', { n: count('pending') }));
  if (count('failing')) words.push(t('sum.failing', { n: count('failing') }));
  return words.join(', ');
}

/* ---- one part ---- */

function partOf(view, id) {
  if (id === 'etcd') return { kind: 'etcd', etcd: view.etcd ?? {}, host: 'controlplane' };
  for (const host of list(view.hosts)) {
    for (const c of list(host.components)) if (`${host.name}/${c.id}` === id) return { kind: 'component', host: host.name, component: c };
    for (const pod of list(host.pods)) if (podId(pod) === id) return { kind: 'pod', host: host.name, pod };
  }
  for (const pod of list(view.pending)) if (podId(pod) === id) return { kind: 'pod', host: '', pod };
  const [host, component] = id.split('/');
  if (component === 'kube-apiserver') return { kind: 'component', host, component: { id: component, name: component, ...view.apiserver } };
  return null;
}

function aboutPart(part) {
  if (part.kind === 'pod') {
    const { namespace, name } = part.pod;
    const ids = [`pods/${namespace}/${name}`, `/registry/pods/${namespace}/${name}`];
    return (event) => ids.some((one) => event.ref === one || event.ref?.startsWith(`${one}/`)) || event.detail?.pod === `${namespace}/${name}`;
  }
  if (part.kind === 'etcd') return (event) => placeOf(event).place === 'etcd';
  const { id } = part.component;
  const place = { 'kube-apiserver': 'apiserver', 'kube-scheduler': 'scheduler', 'kube-controller-manager': 'cm' }[id];
  if (place) return (event) => placeOf(event).place === place;
  return (event) => {
    const { place: where, host } = placeOf(event);
    return where === 'node' && host === part.host && event.actor.startsWith(id);
  };
}

/** Whether an event is about a pod that is not on the map any more, by the pod's id there. */
export function aboutId(id) {
  const name = id.replace(/^pod:/, '');
  return (event) => [`pods/${name}`, `/registry/pods/${name}`].some((one) => event.ref === one || event.ref?.startsWith(`${one}/`));
}

function commandsFor(part, main) {
  if (part.kind === 'pod') {
    const { namespace, name } = part.pod;
    const ns = namespace === 'default' ? '' : ` -n ${namespace}`;
    const started = list(part.pod.containers).some((c) => c.state !== 'waiting');
    return [[main, `kubectl describe pod ${name}${ns}`], ...(started ? [[main, `kubectl logs ${name}${ns}`]] : [])];
  }
  if (part.kind === 'etcd') return [[main, 'kubectl get pods -n kube-system -l component=etcd -o wide']];
  const { pod, id } = part.component;
  if (pod) {
    const [namespace, name] = pod.split('/');
    return [[main, `kubectl describe pod ${name} -n ${namespace}`], [main, `kubectl logs ${name} -n ${namespace} --tail=20`]];
  }
  return [[part.host, `ps aux | grep ${id}`]];
}

function rowsFor(part, view) {
  if (part.kind === 'etcd') {
    const { etcd } = part;
    return [[t('map.term'), etcd.term ?? 0], [t('map.leader'), etcd.leader || t('map.noleader')], [t('fact.revision'), etcd.revision ?? 0],
      [t('map.quorum'), `${list(etcd.members).filter((m) => m.state === 'healthy').length} / ${list(etcd.members).length}`]];
  }
  if (part.kind === 'component') {
    const c = part.component;
    return [[t('fact.on'), part.host], ...(c.pod ? [[t('fact.runsas'), c.pod]] : c.unit ? [[t('fact.runsas'), c.unit]] : []),
      ...(c.id === 'kube-apiserver' ? [['resourceVersion', view.rv || 0]] : [])];
  }
  const { pod } = part;
  return [[t('fact.on'), part.host || t('map.nonode')], ['phase', pod.phase || '–'], ...(pod.ip ? [['IP', pod.ip]] : []), ...(pod.owner ? [[t('fact.owner'), pod.owner]] : []),
    ...list(pod.containers).map((c) => [c.name, [c.image, c.state, c.note, c.restarts ? `×${c.restarts}` : ''].filter(Boolean).join(' · ')])];
}

/**
 * What is known about a part: {title, state, note, what, rows: [[name, value]], events, commands: [[host, command]]}, or null when it is gone.
 */
export function partFacts(view, id, store) {
  const part = partOf(view, id);
  if (!part) return null;
  const main = list(view.hosts).find((host) => host.role === 'control-plane')?.name ?? list(view.hosts)[0]?.name ?? '';
  const it = part.pod ?? part.component ?? part.etcd;
  const what = part.kind === 'pod' ? 'pod' : part.kind === 'etcd' ? 'etcd' : part.component.id;
  const note = part.kind === 'pod' ? it.note || it.phase : it.note && it.note !== 'leader' ? it.note : '';
  return {
    title: part.pod?.name ?? part.component?.name ?? 'etcd',
    state: it.state ?? 'stopped',
    note,
    what: t(`what.${what}`),
    rows: rowsFor(part, view),
    events: store.about(aboutPart(part), 4),
    /* what a stopped component did last does not say why it stopped */
    telling: part.kind === 'component' && part.component.state === 'stopped' ? undefined : telling(store, aboutPart(part)),
    commands: commandsFor(part, main),
  };
}

/** A list of "name: value" pairs. */
export function factList(rows) {
  return h('dl', {}, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]));
}

