/* From the cluster's view (docs/map.md) to what the map draws: pure. Words come from the page's language, Kubernetes' own stay. */

import { t, word } from './strings.js';

const ROOMS = { 'kube-scheduler': 'scheduler', 'kube-controller-manager': 'cm' };
const HOST_PARTS = ['kubelet', 'kube-proxy', 'containerd'];
const SYSTEM = 'kube-system';

const list = (value) => (Array.isArray(value) ? value : []);

/** `web-7c5d8bf9f-7pk4m` → `web…7pk4m`. */
export function shortName(name) {
  const parts = name.split('-');
  if (name.length <= 11 || parts.length < 2) return name.length > 12 ? `${name.slice(0, 11)}…` : name;
  return `${parts[0].slice(0, 6)}…${parts.at(-1).slice(-5)}`;
}

export function podId(pod) {
  return `pod:${pod.namespace}/${pod.name}`;
}

export function restartsOf(pod) {
  return list(pod.containers).reduce((sum, c) => sum + (c.restarts || 0), 0);
}

function cargo(pod) {
  return {
    id: podId(pod),
    name: pod.name,
    namespace: pod.namespace,
    state: pod.state || 'pending',
    note: pod.note || pod.phase || '',
    containers: Math.max(1, list(pod.containers).length),
    restarts: restartsOf(pod) || null,
    short: shortName(pod.name),
    system: pod.namespace === SYSTEM,
  };
}

/* The learner's own pods first, the cluster's after them. */
function cargoOf(host) {
  return list(host.pods).map(cargo).sort((a, b) => a.system - b.system || a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}

function component(host, c) {
  return { id: `${host.name}/${c.id}`, component: c.id, name: c.name || c.id, state: c.state || 'healthy', note: c.note || '' };
}

function hostNote(host) {
  const count = list(host.pods).filter((p) => p.state !== 'stopped').length;
  const bad = list(host.pods).filter((p) => p.state === 'failing').length;
  const ready = host.note && host.note !== 'SchedulingDisabled' ? host.note : host.ready ? 'Ready' : 'NotReady';
  const words = host.role === 'machine' && host.ready ? [t('role.machine')] : [ready];
  if (host.note === 'SchedulingDisabled') words.push(host.note);
  if (count) words.push(bad ? t('map.pods.failing', { n: count, bad }) : t('map.pods', { n: count }));
  return words.join(' · ');
}

function ship(host) {
  const components = list(host.components).map((c) => component(host, c));
  return {
    name: host.name,
    role: host.role,
    state: host.state || 'healthy',
    note: hostNote(host),
    components: components.filter((c) => host.role === 'machine' || HOST_PARTS.includes(c.component)),
    rooms: components.filter((c) => host.role !== 'machine' && !HOST_PARTS.includes(c.component)),
    pods: cargoOf(host),
  };
}

function room(host, id, pending) {
  const found = list(host.components).find((c) => c.id === id);
  const part = found ? component(host, found) : { id: `${host.name}/${id}`, component: id, name: id, state: 'stopped', note: '' };
  const queue = id === 'kube-scheduler' ? pending.map(cargo) : [];
  let note = part.note && part.note !== 'leader' ? part.note : t(`state.${part.state}`);
  if (id === 'kube-scheduler' && queue.length) note = t('map.waiting', { n: queue.length });
  return { ...part, line: ROOMS[id], label: t(`part.${id}`), note, short: note, queue };
}

/** The state that `draw` takes. */
export function modelOf(view, { plain = false } = {}) {
  const hosts = list(view.hosts);
  const main = hosts.find((host) => host.role === 'control-plane') ?? null;
  const others = hosts.filter((host) => host !== main);
  const pending = list(view.pending);
  const etcd = view.etcd ?? {};
  const members = list(etcd.members).map((m) => ({ name: m.name, role: m.role || '', state: m.state || 'stopped' }));
  const own = main ? ship(main) : null;
  return {
    plain,
    title: t(plain ? 'map.title.plain' : 'map.title', { hosts: hosts.length, pods: hosts.reduce((n, x) => n + list(x.pods).length, pending.length) }),
    user: t('map.user'),
    controlPlane: main && {
      name: main.name,
      note: own.note,
      state: own.state,
      rv: view.rv ? `rv ${view.rv}` : '',
      apiserver: { id: `${main.name}/kube-apiserver`, state: view.apiserver?.state || 'healthy' },
      rooms: ['kube-scheduler', 'kube-controller-manager'].map((id) => room(main, id, pending)),
      components: own.components,
      pods: own.pods,
    },
    etcd: {
      id: 'etcd',
      state: etcd.state || 'healthy',
      members,
      term: etcd.term ?? 0,
      leader: etcd.leader || t('map.noleader'),
      quorum: `${members.filter((m) => m.state === 'healthy').length} / ${members.length}`,
      revision: etcd.revision ?? 0,
    },
    nodes: others.map(ship),
    pending: pending.map(cargo),
  };
}

/** The word of a state, for labels. */
export function stateName(state) {
  return word('state', state);
}
