/* The API server lens: one request gate by gate, and the last requests to choose from (docs/map.md). */

import { clockText } from '../clock.js';
import { button, h } from '../dom.js';
import { t, word } from '../strings.js';
import { Board, eventLink, moment, steps } from './parts.js';

const ORDER = ['authentication', 'authorization', 'admission', 'storage', 'done'];

/* How far a request came: the state of a gate. */
function stateOf(row, name) {
  const [at, here] = [ORDER.indexOf(row.stage), ORDER.indexOf(name)];
  return at < here ? 'todo' : at === here && row.stage !== 'done' ? 'bad' : 'ok';
}

const what = (row) => `${row.verb} ${row.ref}`;

function gate(row, name, passed, lines) {
  const state = stateOf(row, name);
  const said = { ok: passed, bad: `${t('gate.refused')} ${row.code}`, todo: t('gate.never') }[state];
  return { title: t(`gate.${name}`), state, word: said, lines: state === 'todo' ? [] : [...(state === 'bad' ? [row.message] : []), ...lines(state)] };
}

function authorized(row) {
  if (row.by === 'RBAC') return [row.why.replace(/^RBAC: allowed by /, '')];
  return [row.by === 'masters' ? t('gate.masters') : row.by === 'Node' ? t('gate.node') : t('gate.always')];
}

function admitted(row, state) {
  if (row.reads) return [t('gate.reads')];
  return [row.changed.length ? t('gate.changed', { plugins: row.changed.join(', ') }) : state === 'ok' ? t('gate.unchanged') : '', row.refused && t('gate.by', { plugin: row.refused })];
}

function gates(row) {
  return steps(t('gate.title', { what: what(row) }), [
    gate(row, 'authentication', row.user || t('gate.unknown'), (state) => (state === 'ok' ? [word('gate.how', row.how), row.groups.join(', '), row.acting && t('gate.acting', { user: row.acting })] : [])),
    gate(row, 'authorization', word('gate.mode', row.by), (state) => (state === 'ok' ? authorized(row) : [])),
    gate(row, 'admission', row.reads ? t('gate.skipped') : t('gate.admitted'), (state) => admitted(row, state)),
    gate(row, 'storage', row.reads ? t('gate.read') : row.revision ? t('gate.written', { n: row.revision }) : t('gate.answered'), () => [h('code', {}, row.key)]),
  ]);
}

function list(data, board) {
  const rows = [...data.requests].reverse();
  return h('div', { class: 'lens-block' }, h('h3', {}, t('gate.last')), h('ol', { class: 'lens-requests' }, rows.map((row) => h('li', {},
    button('', { class: 'lens-request', 'data-key': String(row.id), 'aria-pressed': String(row.id === board.chosen(data).id), onclick: () => board.choose(row.id) },
      h('span', { class: 'when' }, moment(row.at)), h('span', { class: 'who' }, row.agent), h('code', {}, what(row)), h('span', { class: `st ${row.code < 400 ? 'ok' : 'bad'}` }, String(row.code)))))));
}

class Requests extends Board {
  constructor(lens) {
    super(lens, { cls: 'apiserver', label: '', words: (data) => this.heading(data), body: (data, bench) => this.body(data, bench) });
    this.id = null;
  }

  chosen(data) {
    return data.requests.find((row) => row.id === this.id) ?? data.requests.at(-1);
  }

  choose(id) {
    this.id = this.data.requests.at(-1).id === id ? null : id;
    this.draw(this.data);
  }

  heading(data) {
    return [h('span', { class: `st ${data.servers.length ? 'ok' : 'bad'}` }, data.servers.length ? data.servers.join(', ') : t('gate.noserver')), ` · ${t('gate.modes')} ${data.modes.join(', ') || '–'} · ${t('gate.plugins', { n: data.plugins.length })}`];
  }

  body(data, bench) {
    this.data = data;
    const row = this.chosen(data);
    if (!row) return [h('p', { class: 'lens-none' }, t('gate.none'))];
    return [h('p', { class: 'lens-note' }, row.event ? eventLink(bench, row.event) : '', ` ${clockText(row.at)} `, h('strong', {}, row.agent), ' ', h('code', {}, what(row))), gates(row), list(data, this)];
  }
}

/** The lens, ready to draw answers. */
export function open(lens) {
  return new Requests(lens);
}

/** Everything the lens shows, one sentence each. */
export function facts(data) {
  if (!data.requests.length) return [t('gate.none')];
  return [...data.requests].reverse().map((row) => {
    const why = row.stage === 'authentication' ? '' : row.stage === 'authorization' ? '' : authorized(row)[0];
    const parts = [`${moment(row.at)} ${row.agent}: ${what(row)}`, row.user, why, row.changed.length ? t('gate.changed', { plugins: row.changed.join(', ') }) : '', row.stage === 'done' ? String(row.code) : `${t(`gate.${row.stage}`)}: ${row.message} (${row.code})`];
    return parts.filter(Boolean).join(' · ');
  });
}
