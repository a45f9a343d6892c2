/* A terminal that nobody has touched yet: its text, its prompt and a cursor, and nothing to download for it. xterm.js weighs more than the
   rest of a lesson's page; it comes when the pointer, a finger or the keyboard comes to the terminals (TerminalPanel.wake), and what is
   typed until it is there is kept for it. The same interface as XtermView. */

import { h } from './dom.js';
import { cleared, wordsOf } from './terminal-plain.js';
import { t } from './strings.js';

const KEYS = { Enter: '\r', Backspace: '\x7f', ArrowUp: '\x1b[A', ArrowDown: '\x1b[B', ArrowRight: '\x1b[C', ArrowLeft: '\x1b[D' };
const MAX_CHARACTERS = 20_000;

export class StillView {
  constructor(session, element, hooks) {
    this.session = session;
    this.element = element;
    /* what was typed and not yet given to the view that takes its place */
    this.typed = '';
    this.text = '';
    this.wake = hooks.wake;
    this.screen = h('pre', {
      class: 'still', role: 'textbox', tabindex: '0', 'aria-label': t('term.input'), 'aria-multiline': 'true',
      onkeydown: (event) => this.keyed(event), onpaste: (event) => this.pasted(event), onfocus: () => hooks.wake(),
    });
    element.append(this.screen);
    const on = (type, fn) => {
      session.addEventListener(type, fn);
      return () => session.removeEventListener(type, fn);
    };
    this.stops = [on('output', (event) => { this.take(event.detail); this.draw(); }), on('change', () => this.draw())];
    for (const chunk of session.log) this.take(chunk);
    this.draw();
  }

  dispose() {
    for (const stop of this.stops) stop();
    this.screen.remove();
  }

  focus() {
    this.screen.focus();
  }

  get focused() {
    return document.activeElement === this.screen;
  }

  contents() {
    return this.screen.textContent.trimEnd();
  }

  find() {
    return false;
  }

  take({ data }) {
    const rest = cleared(data);
    this.text = ((rest === null ? this.text : '') + wordsOf(rest ?? data)).slice(-MAX_CHARACTERS);
  }

  draw() {
    const { flight, ready, prompt, known, raw } = this.session;
    if (raw) this.wake(); // a program draws on the whole screen: only a real one shows that
    const parts = [this.text, ...flight.flatMap((item) => [h('span', { class: 'p' }, item.lead ?? ''), `${item.text}\n`])];
    if (known && !raw) parts.push(h('span', { class: 'p' }, ready ? prompt : ''), this.typed.replace(/[\x00-\x1f\x7f]/g, ''), h('span', { class: 'cur', 'aria-hidden': 'true' }));
    this.screen.replaceChildren(...parts);
    this.screen.scrollTop = this.screen.scrollHeight;
  }

  keyed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const data = KEYS[event.key] ?? (Array.from(event.key).length === 1 ? event.key : '');
    if (!data) return;
    event.preventDefault();
    this.typed += data;
    this.draw();
  }

  pasted(event) {
    event.preventDefault();
    this.typed += `\x1b[200~${event.clipboardData.getData('text')}\x1b[201~`;
  }
}
