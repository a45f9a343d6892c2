/* A terminal drawn by xterm.js. The screen is the server's output plus, below it, an overlay of ours: lines on their way and the line
   that is being edited. Before output is written the overlay is erased, after it the overlay is drawn again; xterm paints whole frames, so
   nobody sees the gap. Echo therefore never waits for the network, and the server's output alone decides what stays on the screen. */

import { FitAddon, SearchAddon, Terminal, Unicode11Addon, WebLinksAddon } from '../vendor/xterm.js';
import { LineEditor } from './lineeditor.js';
import { eraseLaidOut, inColumns, layOut, placeCursor } from './screen.js';
import { t } from './strings.js';

const PROMPT = '\x1b[36m';
const TYPED = '\x1b[1;97m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';
const MAX_SKIPPED = 20;
const PROMPT_PATTERN = /^([^\n]{0,120}?[$#>] )([\s\S]*)$/;

/** How wide xterm's Unicode 11 tables say a character is. */
const cellWidth = (() => {
  let provider = null;
  new Unicode11Addon().activate({ unicode: { register: (one) => { provider = one; } } });
  return (code) => provider.wcwidth(code);
})();

const THEME = {
  foreground: '#d9e5e6', cursor: '#ffd479', cursorAccent: '#0e222c', selectionBackground: '#2f6273',
  black: '#22404d', red: '#ff9d7e', green: '#7fd0a0', yellow: '#f2c261', blue: '#8fb8ff', magenta: '#ffa6d2', cyan: '#7fd0c3', white: '#d9e5e6',
  brightBlack: '#93a9b2', brightRed: '#ffb59d', brightGreen: '#9be3b6', brightYellow: '#ffd88a', brightBlue: '#b0cdff',
  brightMagenta: '#ffc4e1', brightCyan: '#a4e6db', brightWhite: '#ffffff',
};

/** A chunk as it is written: the echo gets the colours of prompt and command, everything else is the program's own. */
export function dress(chunk, prompt) {
  if (chunk.fd !== 0) return chunk.data;
  return chunk.data.split('\n').map((line) => {
    const match = prompt && line.startsWith(prompt) ? [line, prompt, line.slice(prompt.length)] : PROMPT_PATTERN.exec(line);
    return match ? `${PROMPT}${match[1]}${PLAIN}${TYPED}${match[2]}${PLAIN}` : line;
  }).join('\n');
}

export class XtermView {
  /** `hooks`: {complete(line, cursor) → Promise, leave(backwards), say(words), resized(columns, rows)}. */
  constructor(session, element, hooks, { screenReader = false } = {}) {
    this.session = session;
    this.element = element;
    this.hooks = hooks;
    this.editor = new LineEditor();
    this.editor.setHistory(session.history);
    this.startCol = 0;
    this.wrapped = false;
    this.drawn = null;
    this.output = '';
    this.menu = null;
    this.working = false;
    this.dirty = false;
    Terminal.strings.promptLabel = t('term.input');
    Terminal.strings.tooMuchOutput = t('term.toomuch');
    this.term = new Terminal({
      allowProposedApi: true,
      convertEol: true,
      cursorBlink: false,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono') || 'monospace',
      fontSize: 13,
      lineHeight: 1.1,
      minimumContrastRatio: 4.5,
      reflowCursorLine: true,
      screenReaderMode: screenReader,
      scrollback: 5000,
      theme: { ...THEME, background: getComputedStyle(element).backgroundColor },
    });
    this.fitter = new FitAddon();
    this.searcher = new SearchAddon();
    this.term.loadAddon(this.fitter);
    this.term.loadAddon(this.searcher);
    this.term.loadAddon(new Unicode11Addon());
    this.term.unicode.activeVersion = '11';
    this.term.loadAddon(new WebLinksAddon((event, uri) => open(uri, '_blank', 'noopener,noreferrer')));
    this.term.open(element);
    this.term.write('\x1b[?2004h');
    this.term.onData((data) => this.typed(data));
    this.term.attachCustomKeyEventHandler((event) => this.shortcut(event));
    this.listen();
    for (const chunk of session.log) this.take(chunk);
    this.watch();
  }

  listen() {
    const on = (type, fn) => {
      this.session.addEventListener(type, fn);
      return () => this.session.removeEventListener(type, fn);
    };
    this.stops = [
      on('output', (event) => this.take(event.detail)),
      on('change', () => this.refresh()),
      on('history', () => this.editor.setHistory(this.session.history)),
    ];
  }

  dispose() {
    for (const stop of this.stops) stop();
    this.observer.disconnect();
    this.term.dispose();
  }

  focus() {
    this.term.focus();
  }

  get screenReader() {
    return this.term.options.screenReaderMode;
  }

  set screenReader(on) {
    this.term.options.screenReaderMode = on;
  }

  /** Whether everything that came is on the screen. */
  get idle() {
    return !this.working && !this.output && !this.dirty;
  }

  /** All text on the screen and in its scrollback, for tests and for copying. */
  contents() {
    const buffer = this.term.buffer.active;
    const lines = [];
    for (let i = 0; i < buffer.length; i += 1) {
      const line = buffer.getLine(i);
      /* a row that goes on in the next keeps the spaces at its end */
      const text = line.translateToString(!buffer.getLine(i + 1)?.isWrapped);
      if (line.isWrapped && lines.length) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  }

  find(words, backwards = false) {
    return backwards ? this.searcher.findPrevious(words) : this.searcher.findNext(words);
  }

  /* ---- size ---- */

  watch() {
    let timer = 0;
    this.observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => this.fit(), 60);
    });
    this.observer.observe(this.element);
    this.fit();
    document.fonts?.ready.then(() => this.fit());
  }

  fit() {
    const size = this.element.clientWidth ? this.fitter.proposeDimensions() : null;
    if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return;
    const cols = Math.max(20, Math.min(500, size.cols));
    const rows = Math.max(3, Math.min(200, size.rows));
    if (cols === this.term.cols && rows === this.term.rows) {
      this.hooks.resized(cols, Math.max(5, rows));
      return;
    }
    this.toSize = [cols, rows];
    this.hooks.resized(cols, Math.max(5, rows));
    this.work();
  }

  /* ---- writing ---- */

  take(chunk) {
    this.output += dress(chunk, this.session.prompt);
    this.work();
  }

  refresh() {
    this.dirty = true;
    this.work();
  }

  write(data) {
    return new Promise((resolve) => this.term.write(data, resolve));
  }

  /* One round at a time: erase the overlay, write what came, draw the overlay. */
  async work() {
    if (this.working) return;
    this.working = true;
    let skipped = 0;
    try {
      while (this.output || this.dirty || this.toSize) {
        const output = this.output;
        this.output = '';
        this.dirty = false;
        const erase = this.drawn ? eraseLaidOut(this.drawn, this.startCol) : '';
        this.drawn = null;
        if (this.toSize) {
          await this.write(erase);
          this.term.resize(...this.toSize);
          this.toSize = null;
          this.wrapped = false;
          if (output) await this.write(output);
          await this.settle();
        } else if (output) {
          await this.write(erase + (this.wrapped ? output.replace(/^\r?\n/, '') : output));
          await this.settle();
        } else if (erase) {
          await this.write(erase + this.draw());
          continue;
        }
        /* more came meanwhile: the overlay can wait, but not for ever */
        skipped = this.output && skipped < MAX_SKIPPED ? skipped + 1 : 0;
        if (!skipped) await this.write(this.draw());
      }
    } finally {
      this.working = false;
    }
  }

  /* Where output ended. A row that is exactly full is left for the next one, and that is remembered: its newline is then there already. */
  async settle() {
    this.wrapped = this.term.buffer.active.cursorX >= this.term.cols;
    if (this.wrapped) await this.write(' \b');
    this.startCol = this.term.buffer.active.cursorX;
  }

  /* ---- the overlay ---- */

  parts() {
    const { flight, waiting, ready, prompt, known } = this.session;
    const { editor } = this;
    const parts = [];
    for (const item of flight) {
      if (item.lead) parts.push({ text: item.lead, on: PROMPT, off: PLAIN });
      parts.push({ text: `${item.text}\n`, on: TYPED, off: PLAIN });
    }
    if (waiting.length) parts.push({ text: `${t('term.waiting', { n: waiting.length })}\n`, on: DIM, off: PLAIN });
    if (!known || this.session.raw) return parts;
    if (editor.search) {
      const label = t(editor.search.failed ? 'term.search.failed' : 'term.search', { query: editor.search.query });
      parts.push({ text: label, on: PROMPT, off: PLAIN });
    } else if (ready) {
      parts.push({ text: prompt, on: PROMPT, off: PLAIN });
    }
    parts.push({ text: editor.text, on: TYPED, off: PLAIN, cursor: editor.at });
    if (this.menu) parts.push({ text: `\n${this.menu}`, on: DIM, off: PLAIN });
    return parts;
  }

  draw() {
    if (this.term.buffer.active.type === 'alternate') return '';
    const { cols, rows } = this.term;
    let laid = layOut(this.parts(), cols, this.startCol, cellWidth);
    if (laid.endRow >= rows) {
      /* taller than the screen: show the end of it, which is where the cursor is wanted */
      const text = Array.from(this.editor.text).slice(-Math.max(1, (rows - 2) * cols));
      laid = layOut([{ text: text.join(''), on: TYPED, off: PLAIN, cursor: text.length }], cols, this.startCol, cellWidth);
    }
    this.drawn = laid;
    return laid.data + placeCursor(laid);
  }

  /* ---- keys ---- */

  typed(data) {
    if (this.session.raw) {
      this.session.keys(data);
      return;
    }
    const hadMenu = this.menu;
    this.menu = null;
    for (const effect of this.editor.feed(data)) this.perform(effect);
    if (hadMenu || data) this.refresh();
    this.term.scrollToBottom();
  }

  perform(effect) {
    if (effect.type === 'submit') this.session.submit(effect.lines);
    else if (effect.type === 'key') this.session.key(effect.key, effect.text);
    else if (effect.type === 'clear') this.clearScreen();
    else if (effect.type === 'complete') this.complete();
  }

  clearScreen() {
    this.output += '\x1b[H\x1b[2J';
    this.work();
  }

  async complete() {
    const { editor } = this;
    const line = editor.text;
    const at = editor.at;
    const answer = await this.hooks.complete(line, at);
    if (!answer || editor.text !== line || editor.at !== at) return;
    const items = answer.items.map((item) => item.text);
    if (!items.length) return;
    const typed = editor.chars.slice(answer.start, answer.end).join('');
    if (items.length === 1) {
      const last = /[/=:\s]$/.test(items[0]) || editor.chars[answer.end] === ' ';
      editor.replace(answer.start, answer.end, last ? items[0] : `${items[0]} `);
    } else {
      const common = items.reduce((a, b) => {
        let i = 0;
        while (i < a.length && a[i] === b[i]) i += 1;
        return a.slice(0, i);
      });
      if (common.length > typed.length && common.startsWith(typed)) editor.replace(answer.start, answer.end, common);
      const { lines, hidden } = inColumns(items, this.term.cols, cellWidth);
      if (hidden > 0) lines.push(t('term.more', { n: hidden }));
      this.menu = lines.join('\n');
      this.hooks.say(t('term.completions', { list: items.slice(0, 30).join(', ') }));
    }
    this.refresh();
  }

  /* Keys that are the page's and not the shell's. Returns false for those. */
  shortcut(event) {
    if (event.type !== 'keydown' || event.isComposing) return true;
    if (event.key === 'Tab' && this.escaped) {
      event.preventDefault();
      this.escaped = false;
      this.editor.meta = false;
      this.hooks.leave(event.shiftKey);
      return false;
    }
    if (!['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) this.escaped = event.key === 'Escape';
    const ctrl = event.ctrlKey && !event.altKey && !event.metaKey;
    if (ctrl && event.key.toLowerCase() === 'c' && this.term.hasSelection()) {
      event.preventDefault();
      navigator.clipboard?.writeText(this.term.getSelection()).then(() => this.hooks.say(t('copied')), () => {});
      this.term.clearSelection();
      return false;
    }
    /* let the browser paste; xterm hears its paste event */
    if (ctrl && (event.key === 'V' || (event.shiftKey && event.key === 'v'))) return false;
    if (ctrl && event.shiftKey && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      this.hooks.search();
      return false;
    }
    return true;
  }
}
