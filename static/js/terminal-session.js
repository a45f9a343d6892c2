/* One terminal of the cluster as the page knows it, whatever draws it: its output so far, its prompt, the lines on their way.

   A line that the learner typed goes out at once, also to a program in the foreground. Lines that come several at a time (a paste, a Run
   button) go out one by one, each when the shell has finished the one before: a pasted `sleep 5` must not swallow the rest.
   What is on its way is shown by the view below the output until the server's own echo (fd 0) takes its place. */

const KEEP_CHUNKS = 4000;
const KEEP_CHARACTERS = 600_000;
/* keys of a full-screen program: at most one input in so many milliseconds, of at most so many bytes */
const KEYS_PAUSE = 40;
const KEYS_MOST = 8000;
const KEY_ECHO = { 'ctrl-c': '^C', 'ctrl-z': '^Z', 'ctrl-\\': '^\\', 'ctrl-d': '' };

/** Events: `output` (detail: a chunk), `change` (prompt, busy or lines on their way), `history`. */
export class TerminalSession extends EventTarget {
  constructor(connection, name, host) {
    super();
    this.connection = connection;
    this.name = name;
    this.host = host;
    this.prompt = '';
    this.busy = true;
    this.continuation = false;
    /* a full-screen program (vi, less) reads keys: they go to it as they are, a few at a time */
    this.raw = false;
    /* the file of the editor on the screen */
    this.editing = '';
    this.typed = '';
    this.typing = 0;
    this.known = false;
    /* whether a state has come since the last line was echoed: until then nobody knows if the shell is busy */
    this.settled = true;
    this.log = [];
    this.characters = 0;
    this.flight = [];
    this.waiting = [];
    this.history = [];
    this.adopt();
  }

  /* Inputs of this terminal that were not acknowledged before the page was loaded again. */
  adopt() {
    for (const [id, frame] of this.connection.outbox) {
      if (frame.data?.terminal !== this.name) continue;
      if (frame.kind === 'line') this.flight.push({ id, text: frame.data.text, acked: false, lead: '' });
    }
  }

  get ready() {
    return this.known && this.settled && !this.busy && !this.flight.length;
  }

  /* ---- from the learner ---- */

  /** Lines to run. `paced`: each waits for the one before. */
  submit(lines, { paced = lines.length > 1 } = {}) {
    for (const line of lines) if (line.trim()) this.remember(line);
    if (!paced && !this.waiting.length) {
      for (const line of lines) this.send(line);
    } else {
      this.waiting.push(...lines);
      this.pump();
    }
    this.changed();
  }

  key(key, text) {
    if (key === 'ctrl-c' || key === 'ctrl-\\') this.waiting = [];
    const lead = this.ready ? this.prompt : '';
    const id = this.connection.input('key', { terminal: this.name, key });
    const shown = text + KEY_ECHO[key];
    if (shown) this.flight.push({ id, text: shown, partial: text, acked: false, key, lead });
    this.settled = !shown;
    this.changed();
  }

  /** What xterm sends for keys, to a program that reads them. Keys that come close together are one input. */
  keys(data) {
    this.typed += data;
    if (this.typing) return;
    this.flushKeys();
    this.typing = setTimeout(() => {
      this.typing = 0;
      if (this.typed) this.keys('');
    }, KEYS_PAUSE);
  }

  flushKeys() {
    const encoder = new TextEncoder();
    while (this.typed) {
      let piece = this.typed;
      while (encoder.encode(piece).length > KEYS_MOST) piece = Array.from(piece).slice(0, KEYS_MOST / 4).join('');
      this.typed = this.typed.slice(piece.length);
      this.connection.input('keys', { terminal: this.name, data: piece });
    }
  }

  remember(line) {
    if (this.history.at(-1) !== line) this.history.push(line);
    this.dispatchEvent(new Event('history'));
  }

  send(text) {
    const lead = this.ready ? this.prompt : '';
    this.beforeLine?.();
    const id = this.connection.input('line', { terminal: this.name, text });
    this.flight.push({ id, text, acked: false, lead });
    this.settled = false;
  }

  pump() {
    if (this.waiting.length && this.ready) this.send(this.waiting.shift());
  }

  /* ---- from the server ---- */

  take(chunk) {
    if (chunk.fd === 0) {
      /* the server never sees a line that Ctrl-C dropped; who typed it keeps it on the screen */
      const item = this.arrived(chunk.data);
      if (item?.partial) chunk = { ...chunk, data: chunk.data.replace(KEY_ECHO[item.key], item.partial + KEY_ECHO[item.key]) };
    }
    this.log.push(chunk);
    this.characters += chunk.data.length;
    while (this.log.length > KEEP_CHUNKS || this.characters > KEEP_CHARACTERS) this.characters -= this.log.shift().data.length;
    this.dispatchEvent(new CustomEvent('output', { detail: chunk }));
  }

  /* The echo of one or more lines: they and everything sent before them are on the screen now. Returns the last of them. */
  arrived(data) {
    let last = null;
    for (const echo of data.replace(/\r?\n$/, '').split('\n')) {
      const index = this.flight.findIndex((item) => echo.endsWith(item.key ? KEY_ECHO[item.key] : item.text));
      if (index >= 0) last = this.flight.splice(0, index + 1).at(-1);
    }
    return last;
  }

  acked(id) {
    const item = this.flight.find((one) => one.id === id);
    if (item) item.acked = true;
  }

  refused(id) {
    const index = this.flight.findIndex((one) => one.id === id);
    if (index < 0) return false;
    this.flight.splice(index, 1);
    this.settled ||= !this.flight.length;
    this.waiting = [];
    this.changed();
    return true;
  }

  /** The terminal's part of a `state` frame; `pending` is how many inputs have not taken effect. */
  state(view, pending) {
    this.known = true;
    this.host = view.host ?? this.host;
    this.prompt = view.prompt ?? '';
    this.busy = Boolean(view.busy);
    this.continuation = Boolean(view.continuation);
    this.raw = Boolean(view.raw);
    this.editing = view.editing ?? '';
    /* all that was acknowledged has taken effect: what was not echoed never will be */
    if (pending === 0) this.flight = this.flight.filter((item) => !item.acked);
    this.settled ||= !this.flight.length;
    this.pump();
    this.changed();
  }

  setHistory(lines) {
    this.history = [...lines];
    this.dispatchEvent(new Event('history'));
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }
}
