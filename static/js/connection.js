/* One WebSocket to one cluster (docs/protocol.md). Keeps the cursors, so that each chunk, trace event and view is handed on once and
   in order whatever happens to the line, and keeps each input until the server has acknowledged it. */

const WAITS = [500, 1000, 2000, 4000, 8000];
const QUIET_MS = 25_000;
const PONG_MS = 10_000;
const FINAL_CODES = new Map([[4401, 'login'], [4404, 'not-found'], [4429, 'too-many']]);

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  /* randomUUID exists in secure contexts only; a class server on plain http must work too */
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const x = [...b].map((n) => n.toString(16).padStart(2, '0')).join('');
  return `${x.slice(0, 8)}-${x.slice(8, 12)}-${x.slice(12, 16)}-${x.slice(16, 20)}-${x.slice(20)}`;
}

/**
 * Events (CustomEvent, `detail` is the frame): `status` {status, reason, waitMs}, `state`, `history`, `chunk` (one chunk), `trace` (one
 * event), `batch` (after the chunks or events of one frame), `view`, `ack`, `refused` (an error frame).
 */
export class Connection extends EventTarget {
  constructor(path) {
    super();
    this.path = path;
    this.cursor = 0;
    this.trace = 0;
    this.view = 0;
    this.status = 'new';
    this.tries = 0;
    this.outbox = new Map();
    this.queries = new Map();
    this.wanted = false;
    this.key = `slipway:outbox:${path}`;
    this.restore();
    this.wake = () => {
      if (this.wanted && !this.socket && navigator.onLine !== false) this.connect();
    };
  }

  /* ---- life ---- */

  open() {
    this.wanted = true;
    addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    this.connect();
  }

  close() {
    this.wanted = false;
    removeEventListener('online', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    clearTimeout(this.timer);
    clearTimeout(this.quiet);
    this.socket?.close(1000);
    this.socket = null;
    this.failQueries();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket) return;
    this.setStatus(this.status === 'new' ? 'connecting' : 'lost', '', 0);
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener('open', () => this.opened(socket));
    socket.addEventListener('message', (event) => this.received(socket, event.data));
    socket.addEventListener('close', (event) => this.closed(socket, event.code));
  }

  opened(socket) {
    if (socket !== this.socket) return;
    this.push({ t: 'hello', cursor: this.cursor, trace: this.trace, view: this.view });
    for (const frame of this.outbox.values()) this.push(frame);
    this.listen();
  }

  closed(socket, code) {
    if (socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.quiet);
    this.failQueries();
    if (!this.wanted) return;
    if (FINAL_CODES.has(code) || this.fatal) {
      this.wanted = false;
      this.setStatus('refused', this.fatal || FINAL_CODES.get(code), 0);
      return;
    }
    const wait = WAITS[Math.min(this.tries, WAITS.length - 1)];
    this.tries += 1;
    this.setStatus('lost', '', wait);
    this.timer = setTimeout(() => this.connect(), wait);
  }

  /* A line that went dead without a close is found by a ping that nobody answers. */
  listen() {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.push({ t: 'ping', id: newId() });
      this.quiet = setTimeout(() => {
        const dead = this.socket;
        dead?.close();
        if (dead) this.closed(dead, 1006);
      }, PONG_MS);
    }, QUIET_MS);
  }

  setStatus(status, reason, waitMs) {
    this.status = status;
    this.tell('status', { status, reason, waitMs });
  }

  /* ---- in ---- */

  received(socket, text) {
    if (socket !== this.socket) return;
    this.listen();
    let news;
    try {
      news = JSON.parse(text);
    } catch {
      return;
    }
    for (const frame of Array.isArray(news) ? news : [news]) this[`on_${frame.t}`]?.(frame);
  }

  on_state(frame) {
    this.tries = 0;
    if (this.status !== 'online') this.setStatus('online', '', 0);
    this.tell('state', frame);
  }

  on_history(frame) {
    this.tell('history', frame);
  }

  on_out(frame) {
    for (const chunk of frame.chunks ?? []) {
      if (chunk.cursor <= this.cursor) continue;
      this.cursor = chunk.cursor;
      this.tell('chunk', chunk);
    }
    this.tell('batch', { of: 'out' });
  }

  on_trace(frame) {
    for (const event of frame.events ?? []) {
      if (event.seq <= this.trace) continue;
      this.trace = event.seq;
      this.tell('trace', event);
    }
    this.tell('batch', { of: 'trace' });
  }

  on_watched(frame) {
    this.tell('watched', frame.by ?? []);
  }

  on_view(frame) {
    if (frame.version <= this.view) return;
    this.view = frame.version;
    this.tell('view', frame.view);
  }

  on_ack(frame) {
    if (this.outbox.delete(frame.id)) this.keep();
    this.tell('ack', frame);
  }

  on_completion(frame) {
    this.answered(frame);
  }

  on_lens(frame) {
    this.answered(frame);
  }

  on_file(frame) {
    this.answered(frame);
  }

  on_outline(frame) {
    this.answered(frame);
  }

  answered(frame) {
    this.queries.get(frame.id)?.(frame);
    this.queries.delete(frame.id);
  }

  on_error(frame) {
    if (frame.fatal) this.fatal = frame.reason;
    if (frame.id && this.queries.has(frame.id)) {
      this.queries.get(frame.id)(null);
      this.queries.delete(frame.id);
    }
    /* "busy" is retried by the server itself and "rate" by us; any other refusal is final for that input */
    if (frame.id && frame.reason === 'rate' && this.outbox.has(frame.id)) {
      setTimeout(() => this.outbox.has(frame.id) && this.push(this.outbox.get(frame.id)), 1000);
      return;
    }
    if (frame.id && frame.reason !== 'busy' && this.outbox.delete(frame.id)) this.keep();
    this.tell('refused', frame);
  }

  /* ---- out ---- */

  push(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(frame));
      return true;
    }
    return false;
  }

  /** Adds a row to the journal; returns its id. It is sent again until it is acknowledged. */
  input(kind, data) {
    const frame = { t: 'input', id: newId(), kind, data };
    this.outbox.set(frame.id, frame);
    this.keep();
    if (this.status !== 'new') this.push(frame);
    return frame.id;
  }

  speed(value) {
    return this.push({ t: 'speed', value });
  }

  /** Asks for completions; null when there is no answer. */
  complete(terminal, line, cursor) {
    return this.ask({ t: 'complete', terminal, line, cursor });
  }

  /** Asks what a lens of the map shows; null when there is no answer. */
  lens(name, about) {
    return this.ask({ t: 'lens', name, about });
  }

  /** Asks for a file as a terminal's shell would read it, or (`taken`) for the text of the editor on its screen. */
  file(terminal, path, taken = false) {
    return this.ask({ t: 'file', terminal, path, taken });
  }

  /** Asks for the fields of a kind of the API, for all kinds, or for what there is to say of one field. */
  outline(api = '', kind = '', about = '') {
    return this.ask({ t: 'outline', api, kind, about });
  }

  ask(question) {
    const id = newId();
    if (!this.push({ ...question, id })) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.queries.delete(id);
        resolve(null);
      }, 5000);
      this.queries.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  failQueries() {
    for (const answer of this.queries.values()) answer(null);
    this.queries.clear();
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /* ---- what survives a reload: inputs that nobody has acknowledged ---- */

  keep() {
    try {
      if (this.outbox.size) sessionStorage.setItem(this.key, JSON.stringify([...this.outbox.values()]));
      else sessionStorage.removeItem(this.key);
    } catch {
      /* no storage: they live as long as the page */
      return;
    }
  }

  restore() {
    try {
      for (const frame of JSON.parse(sessionStorage.getItem(this.key) ?? '[]')) this.outbox.set(frame.id, frame);
    } catch {
      return;
    }
  }
}
