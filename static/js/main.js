/* Every page: theme, language links, copy and run buttons, htmx, forms. A page with a bench loads it from here. */

import { Autosave } from './autosave.js';
import { copyFrom, runFrom } from './copy.js';
import { csrfToken, h, memory } from './dom.js';
import { findKey, findTyped, shutTip } from './find.js';
import { Order } from './order.js';
import { QuizClock } from './quizclock.js';
import { t } from './strings.js';

const THEMES = ['system', 'light', 'dark'];
let bench = null;

/* ---- messages ---- */

function say(words) {
  let place = document.querySelector('[data-notices]');
  if (!place) {
    place = h('div', { class: 'notices', role: 'status', 'data-notices': true });
    document.body.append(place);
  }
  place.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { place.textContent = ''; }, 6000);
}

/* ---- theme and language ---- */

function showTheme(button) {
  const theme = document.documentElement.dataset.theme ?? 'system';
  button.textContent = t(`theme.${THEMES.includes(theme) ? theme : 'system'}`);
  button.hidden = false;
}

function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? 'system') + 1) % THEMES.length];
  if (next === 'system') delete root.dataset.theme;
  else root.dataset.theme = next;
  memory.set('theme', next === 'system' ? null : next);
  document.querySelectorAll('[data-theme-switch]').forEach(showTheme);
}

/* The other language's link goes to the same place of the same page. */
function keepPlace(link) {
  const url = new URL(link.href);
  if (!url.search) url.search = location.search;
  url.hash = location.hash;
  link.href = url.href;
}

/* ---- what a page or a swapped part of it may hold ---- */

const done = new WeakSet();

function once(root, selector, fn) {
  for (const element of root.querySelectorAll(selector)) {
    if (done.has(element)) continue;
    done.add(element);
    fn(element);
  }
}

function equip(root = document) {
  once(root, '[data-theme-switch]', showTheme);
  for (const element of root.querySelectorAll('[data-needs-js][hidden]')) element.hidden = false;
  once(root, 'ol[data-order]', (list) => new Order(list));
  once(root, 'form[data-autosave]', (form) => new Autosave(form));
  once(root, '[data-time-left]', (place) => new QuizClock(place));
  if (!bench) return;
  for (const element of root.querySelectorAll('[data-run][hidden]')) element.hidden = false;
  once(root, '[data-cluster][data-cluster-now]', useCluster);
}

function useCluster({ dataset }) {
  bench.use(dataset.cluster, { hosts: dataset.clusterHosts?.split(/[\s,]+/).filter(Boolean), reset: dataset.clusterReset ?? '' });
}

async function startDesk() {
  const part = document.querySelector('[data-desk]');
  if (part) new (await import('./desk.js')).LivePart(part);
  const replay = document.querySelector('[data-replay]');
  if (replay) replay.replay = new (await import('./replay.js')).Replay(replay);
}

async function startAuthoring() {
  const meta = document.querySelector('meta[name="authoring"]');
  if (meta) (await import('./authoring.js')).watch(meta);
}

async function startBench() {
  const element = document.querySelector('[data-bench][data-ws]');
  if (!element) return;
  const { Bench } = await import('./bench.js');
  bench = new Bench(element);
  element.bench = bench;
  equip();
}

function clicked(event) {
  const hit = (selector) => event.target.closest?.(selector);
  let element;
  if ((element = hit('[data-copy]'))) copyFrom(element, say);
  else if ((element = hit('[data-run]')) && bench) runFrom(element, bench);
  else if ((element = hit('[data-event]')) && bench) {
    event.preventDefault();
    bench.showEvent(Number(element.dataset.event));
  } else if ((element = hit('[data-cluster]')) && bench) {
    useCluster(element);
  } else if (hit('[data-theme-switch]')) nextTheme();
  else if ((element = hit('[data-lang-switch] a'))) keepPlace(element);
  else if (hit('[data-print]')) print();
}

function submitted(event) {
  if (event.target.matches('form[data-quiet]')) {
    event.preventDefault();
    sendQuietly(event.target);
    return;
  }
  if (!event.target.matches('form[data-once]') || event.defaultPrevented) return;
  for (const one of event.target.querySelectorAll('button:not([type="button"])')) setTimeout(() => { one.disabled = true; });
}

/** A form whose page must stay: watching ends with the page, and with it a permission to type. `data-quiet` is what is said when it is sent. */
async function sendQuietly(form) {
  const answer = await fetch(form.action, { method: 'POST', body: new FormData(form), headers: { 'X-CSRFToken': csrfToken(), 'X-Part': 'none' }, credentials: 'same-origin' }).catch(() => null);
  const words = answer?.ok ? form.dataset.quiet : t('net.lost');
  if (bench) bench.tell(words);
  else say(words);
  if (answer?.ok) form.reset();
}

/* ---- htmx 4 (events are htmx:…; 4xx bodies are swapped by itself) ---- */

function listenToHtmx() {
  document.addEventListener('htmx:config:request', ({ detail }) => {
    const request = detail.ctx?.request;
    if (request && !/^(get|head)$/i.test(request.method ?? 'get')) request.headers['X-CSRFToken'] = csrfToken();
  });
  document.addEventListener('htmx:after:swap', () => equip());
  document.addEventListener('htmx:error', () => say(t('net.lost')));
  document.addEventListener('htmx:response:error', ({ detail }) => {
    const status = detail.ctx?.response?.raw?.status ?? detail.ctx?.response?.status ?? '';
    if (status >= 500) say(t('net.refused', { status }));
  });
}

document.addEventListener('click', clicked);
document.addEventListener('input', findTyped);
document.addEventListener('keydown', (event) => {
  if (findKey(event)) event.preventDefault();
  else shutTip(event);
});
document.addEventListener('submit', submitted);
addEventListener('pageshow', (event) => {
  /* back from the next page: buttons that were pressed once work again */
  if (event.persisted) document.querySelectorAll('form[data-once] button[disabled]').forEach((one) => { one.disabled = false; });
});
listenToHtmx();
equip();
startBench();
startDesk();
startAuthoring();

/* A cluster whose page sets it up (a quiz's question) is set up again by loading the page again. */
document.addEventListener('bench:reset', (event) => {
  if (event.target.dataset.reload !== undefined) location.reload();
});
