/* Quiz answers that are never lost: each change is sent at once; what cannot be sent is kept in this browser and sent again.
   Only questions that were changed here are sent, each with the revision it was changed from and how long ago: the server keeps the
   later change when two devices answered one question (lessons/quizzes/services.py). */

import { csrfToken, memory } from './dom.js';
import { t } from './strings.js';

const PAUSE_MS = 400;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];
const SECRET = new Set(['csrfmiddlewaretoken', 'then']);
const PATIENCE_MS = 15_000; // a connection that died with the network answers nothing, for minutes
const FINAL = new Set([403, 409, 410]);

/* An id of this browser, and its clock: the server puts what one browser sends in the order in which it was changed there. */
function device() {
  const known = memory.get('answers:device');
  if (known) return known;
  const drawn = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  memory.set('answers:device', drawn);
  return drawn;
}

/** `q.store.1` belongs to the question `q.store`. */
const questionOf = (name) => name.split('.', 2).join('.');

function putBack(form, question, kept) {
  const values = new Map();
  for (const [name, value] of kept) values.set(name, [...(values.get(name) ?? []), value]);
  for (const field of form.elements) {
    if (!field.name || questionOf(field.name) !== question || field.type === 'submit') continue;
    const mine = values.get(field.name);
    if (field.type === 'radio' || field.type === 'checkbox') field.checked = Boolean(mine?.includes(field.value));
    else if (mine) field.value = mine.shift() ?? field.value;
  }
}

export class Autosave {
  constructor(form) {
    this.form = form;
    this.url = form.dataset.autosave;
    this.key = `answers:${this.url}`;
    this.tries = 0;
    this.device = device();
    this.latest = 0;
    this.edited = new Map(); // question → when it was last changed here and not saved since
    form.addEventListener('input', (event) => this.changed(event.target));
    form.addEventListener('change', (event) => this.changed(event.target));
    form.addEventListener('submit', () => this.keep());
    addEventListener('online', () => this.edited.size && this.send());
    addEventListener('pagehide', () => this.keep());
    this.restore();
  }

  restore() {
    const text = memory.get(this.key);
    if (!text) {
      this.form.dataset.saved = 'ok'; // nothing of this page waits; the words are the server's
      return;
    }
    try {
      for (const [question, { at, kept }] of JSON.parse(text)) {
        putBack(this.form, question, kept);
        this.edited.set(question, at);
        this.latest = Math.max(this.latest, at);
      }
      this.form.dispatchEvent(new Event('answers:restored'));
      this.send();
    } catch {
      memory.set(this.key, null);
    }
  }

  changed(field) {
    const name = field?.name || field?.querySelector?.('input[name]')?.name; // a list that was put in another order has no name
    if (!name || SECRET.has(name)) return;
    this.latest = Math.max(Date.now(), this.latest + 1); // two changes are never of one moment
    this.edited.set(questionOf(name), this.latest);
    clearTimeout(this.timer);
    this.show('wait', t('save.sending'));
    this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  entries(question) {
    return [...new FormData(this.form)].filter(([name, value]) => typeof value === 'string' && questionOf(name) === question);
  }

  keep() {
    const rows = [...this.edited].map(([question, at]) => [question, { at, kept: this.entries(question) }]);
    memory.set(this.key, rows.length ? JSON.stringify(rows) : null);
  }

  async send() {
    clearTimeout(this.timer);
    this.keep();
    this.show('wait', t('save.sending'));
    const sent = new Map(this.edited);
    const body = new URLSearchParams({ device: this.device });
    for (const [question, at] of sent) {
      for (const [name, value] of this.entries(question)) body.append(name, value);
      body.append(`${question}.age`, String(Math.max(0, Date.now() - at)));
      body.append(`${question}.at`, String(at));
    }
    let answer = null;
    try {
      answer = await fetch(this.url, {
        method: 'POST', body, headers: { 'X-CSRFToken': csrfToken(), 'X-Autosave': '1' }, credentials: 'same-origin', signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      answer = null;
    }
    if (answer?.ok && !answer.redirected) {
      this.tries = 0;
      this.saved(sent, answer.status === 200 ? await answer.json() : {});
    } else if (answer && FINAL.has(answer.status)) {
      this.edited.clear();
      memory.set(this.key, null);
      const plain = answer.headers.get('content-type')?.startsWith('text/plain');
      this.show('bad', t('save.refused', { reason: plain ? (await answer.text()).slice(0, 200) : String(answer.status) }));
    } else {
      this.show('wait', t('save.kept'), t('save.kept.more'));
      this.timer = setTimeout(() => this.send(), RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)]);
      this.tries += 1;
    }
  }

  /* The overview beside the questions: what the server holds now. */
  overview(answered, flagged) {
    for (const item of document.querySelectorAll('[data-question]')) {
      const has = answered.includes(item.dataset.question);
      const flag = flagged.includes(item.dataset.question);
      const link = item.querySelector('a');
      item.classList.toggle('ans', has);
      item.classList.toggle('flag', flag);
      link.setAttribute('aria-label', `${has ? link.dataset.ans : link.dataset.not}${flag ? `, ${link.dataset.flag}` : ''}`);
    }
    const sum = document.querySelector('[data-answered]');
    if (sum) sum.textContent = sum.textContent.replace(/^\d+/, String(answered.length));
  }

  saved(sent, { revisions = {}, elsewhere = [], left = null, answered = null, flagged = [] }) {
    if (answered) this.overview(answered, flagged);
    for (const [question, at] of sent) if (this.edited.get(question) === at) this.edited.delete(question);
    for (const [question, revision] of Object.entries(revisions)) {
      const seen = this.form.elements[`${question}.seen`];
      if (seen && (sent.has(question) || !this.edited.has(question))) {
        if (!sent.has(question) && seen.value !== String(revision)) continue; // another device answered it: what is shown is older
        seen.value = String(revision);
      }
    }
    this.keep();
    if (left !== null) document.dispatchEvent(new CustomEvent('quiz:left', { detail: left }));
    if (elsewhere.length) this.show('wait', t('save.elsewhere'), t('save.elsewhere.more'));
    else this.show('ok', t('save.saved'));
    if (this.edited.size) this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  show(kind, words, more = '') {
    for (const place of document.querySelectorAll('[data-save-state]')) {
      const mark = document.createElement('span');
      mark.className = `st ${kind}`;
      mark.textContent = words;
      place.replaceChildren(mark, ...(more ? [` ${more}`] : []));
    }
    this.form.dataset.saved = kind;
  }
}
