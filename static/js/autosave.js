/* Quiz answers that are never lost: each change is sent at once; what cannot be sent is kept in this browser and sent again. */

import { csrfToken, memory } from './dom.js';
import { t } from './strings.js';

const PAUSE_MS = 400;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];
const FINAL = new Set([403, 409, 410]);
const SECRET = new Set(['csrfmiddlewaretoken']);

function entries(form) {
  return [...new FormData(form)].filter(([name, value]) => !SECRET.has(name) && typeof value === 'string');
}

function putBack(form, kept) {
  const values = new Map();
  for (const [name, value] of kept) values.set(name, [...(values.get(name) ?? []), value]);
  for (const field of form.elements) {
    if (!field.name || SECRET.has(field.name) || field.type === 'hidden' || field.type === 'submit') continue;
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
    this.version = 0;
    form.addEventListener('input', () => this.changed());
    form.addEventListener('change', () => this.changed());
    form.addEventListener('submit', () => this.keep());
    addEventListener('online', () => this.dirty && this.send());
    addEventListener('pagehide', () => this.keep());
    this.restore();
  }

  restore() {
    const text = memory.get(this.key);
    if (!text) return;
    try {
      putBack(this.form, JSON.parse(text));
      this.form.dispatchEvent(new Event('answers:restored'));
      this.dirty = true;
      this.send();
    } catch {
      memory.set(this.key, null);
    }
  }

  changed() {
    this.dirty = true;
    this.version += 1;
    clearTimeout(this.timer);
    this.show('wait', t('save.sending'));
    this.timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  keep() {
    if (this.dirty) memory.set(this.key, JSON.stringify(entries(this.form)));
  }

  async send() {
    clearTimeout(this.timer);
    const { version } = this;
    this.keep();
    this.show('wait', t('save.sending'));
    let answer = null;
    try {
      answer = await fetch(this.url, {
        method: 'POST', body: new URLSearchParams(entries(this.form)), headers: { 'X-CSRFToken': csrfToken(), 'X-Autosave': '1' }, credentials: 'same-origin',
      });
    } catch {
      answer = null;
    }
    if (version !== this.version) return;
    if (answer?.ok && !answer.redirected) {
      this.tries = 0;
      this.dirty = false;
      memory.set(this.key, null);
      this.show('ok', t('save.saved'));
    } else if (answer && FINAL.has(answer.status)) {
      this.dirty = false;
      memory.set(this.key, null);
      const plain = answer.headers.get('content-type')?.startsWith('text/plain');
      this.show('bad', t('save.refused', { reason: plain ? (await answer.text()).slice(0, 200) : String(answer.status) }));
    } else {
      this.show('wait', t('save.kept'), t('save.kept.more'));
      this.timer = setTimeout(() => this.send(), RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)]);
      this.tries += 1;
    }
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
