/* A terminal without drawing: a log and an input. For readers who prefer it, for screens where xterm.js cannot run, and for phones. */

import { button, h } from './dom.js';
import { t } from './strings.js';

const MAX_CHARACTERS = 200_000;
/* colour and cursor sequences mean nothing here */
const SEQUENCE = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Za-z0-9]|[=>78cDEHMZ])|\x07/g;
const CLEAR = /\x1b\[[23]J/;

/** A chunk's text without colours and movements. */
export function wordsOf(data) {
  return data.replace(SEQUENCE, '').replace(/\r\n/g, '\n').replace(/\r/g, '\n');
}

/** What a chunk writes after it has cleared the screen; null when it does not. */
export function cleared(data) {
  return CLEAR.test(data) ? data.slice(data.search(CLEAR)) : null;
}

export class PlainView {
  /** The same interface as XtermView. */
  constructor(session, element, hooks) {
    this.session = session;
    this.element = element;
    this.hooks = hooks;
    this.place = session.history.length;
    this.log = h('pre', { role: 'log', 'aria-label': t('term.log', { name: session.name }), tabindex: '0' });
    this.way = h('p', { class: 'plain-way', role: 'status' });
    this.lead = h('span', { class: 'p' });
    this.input = h('input', {
      type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', enterkeyhint: 'send', maxlength: 8000,
      'aria-label': t('term.input'), onkeydown: (event) => this.keyed(event), onpaste: (event) => this.pasted(event),
    });
    const form = h('form', { class: 'plain-line', onsubmit: (event) => this.entered(event) }, h('label', {}, this.lead, this.input),
      button(t('term.send'), { type: 'submit', class: 'plain-key' }),
      button('Ctrl-C', { class: 'plain-key', onclick: () => this.key('ctrl-c') }),
      button('Ctrl-D', { class: 'plain-key', onclick: () => this.key('ctrl-d') }));
    element.classList.add('is-plain-view');
    element.append(this.log, this.way, form);
    const on = (type, fn) => {
      session.addEventListener(type, fn);
      return () => session.removeEventListener(type, fn);
    };
    this.stops = [
      on('output', (event) => this.take(event.detail)),
      on('change', () => this.refresh()),
      on('history', () => { this.place = session.history.length; }),
    ];
    for (const chunk of session.log) this.take(chunk);
    this.refresh();
    this.hooks.resized(80, 24);
  }

  dispose() {
    for (const stop of this.stops) stop();
    this.element.classList.remove('is-plain-view');
    this.element.replaceChildren();
  }

  focus() {
    this.input.focus();
  }

  /** What was typed before this view was there. */
  typed(data) {
    this.input.value += data.replace(/[\x00-\x1f\x7f]/g, '');
  }

  contents() {
    return this.log.textContent.trimEnd();
  }

  take(chunk) {
    const rest = cleared(chunk.data);
    if (rest !== null) this.log.replaceChildren();
    const text = wordsOf(rest ?? chunk.data);
    if (!text) return;
    this.log.append(h('span', { class: chunk.fd === 0 ? 'c' : chunk.fd === 2 ? 'e2' : null }, text));
    while (this.log.textContent.length > MAX_CHARACTERS && this.log.firstChild) this.log.firstChild.remove();
    this.log.scrollTop = this.log.scrollHeight;
  }

  refresh() {
    const { flight, waiting, ready, prompt } = this.session;
    const words = flight.map((item) => item.text);
    if (waiting.length) words.push(t('term.waiting', { n: waiting.length }));
    this.way.textContent = words.join('\n');
    this.lead.textContent = ready ? prompt : '';
  }

  key(key) {
    this.session.key(key, key === 'ctrl-c' ? this.input.value : '');
    if (key === 'ctrl-c') this.input.value = '';
    this.input.focus();
  }

  entered(event) {
    event.preventDefault();
    const line = this.input.value;
    this.input.value = '';
    this.session.submit([line]);
  }

  pasted(event) {
    const lines = event.clipboardData.getData('text').replace(/\r\n?/g, '\n').replace(/\n+$/, '').split('\n');
    if (lines.length < 2) return;
    event.preventDefault();
    lines[0] = this.input.value + lines[0];
    this.input.value = '';
    this.session.submit(lines, { paced: true });
  }

  keyed(event) {
    const ctrl = event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) {
      event.preventDefault();
      this.recall(by);
    } else if (ctrl && event.key === 'c' && this.input.selectionStart === this.input.selectionEnd) {
      event.preventDefault();
      this.key('ctrl-c');
    } else if (ctrl && event.key === 'd' && !this.input.value) {
      event.preventDefault();
      this.key('ctrl-d');
    } else if (ctrl && event.code === 'Space') {
      event.preventDefault();
      this.complete();
    }
  }

  recall(by) {
    const { history } = this.session;
    const to = this.place + by;
    if (to < 0 || to > history.length) return;
    this.place = to;
    this.input.value = history[to] ?? '';
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  async complete() {
    const line = this.input.value;
    const at = Array.from(line.slice(0, this.input.selectionStart)).length;
    const answer = await this.hooks.complete(line, at);
    if (!answer || this.input.value !== line) return;
    if (answer.items.length === 1) {
      const chars = Array.from(line);
      chars.splice(answer.start, answer.end - answer.start, answer.items[0].text);
      this.input.value = chars.join('');
    } else if (answer.items.length) {
      this.way.textContent = answer.items.map((item) => item.text).join('  ');
    }
  }
}
