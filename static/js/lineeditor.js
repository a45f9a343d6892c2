/* The editing of one command line, in the manner of readline's emacs mode: pure, without DOM and network, so that echo is local.

   `feed(data)` takes what a terminal sends for keys (characters, control characters, escape sequences, bracketed paste) and returns
   a list of effects for the owner: {type: "submit", lines}, {type: "key", key}, {type: "complete"}, {type: "clear"}, {type: "bell"}.
   The line is kept as an array of code points' strings, so that a syllable or an emoji is one step of the cursor. */

const KEYS = {
  '\x01': 'home', '\x02': 'left', '\x04': 'ctrl-d', '\x03': 'ctrl-c', '\x05': 'end', '\x06': 'right', '\x07': 'abort', '\x08': 'rubout',
  '\t': 'complete', '\n': 'enter', '\x0b': 'kill-end', '\x0c': 'clear', '\r': 'enter', '\x0e': 'down', '\x10': 'up', '\x12': 'search',
  '\x14': 'transpose', '\x15': 'kill-start', '\x17': 'kill-word', '\x19': 'yank', '\x1a': 'ctrl-z', '\x1c': 'ctrl-\\', '\x1f': 'undo',
  '\x7f': 'rubout',
};
const SEQUENCES = {
  '[A': 'up', '[B': 'down', '[C': 'right', '[D': 'left', '[H': 'home', '[F': 'end', OA: 'up', OB: 'down', OC: 'right', OD: 'left', OH: 'home',
  OF: 'end', '[1~': 'home', '[4~': 'end', '[7~': 'home', '[8~': 'end', '[3~': 'delete', '[1;5C': 'word-right', '[1;5D': 'word-left',
  '[1;3C': 'word-right', '[1;3D': 'word-left', '[3;5~': 'delete-word', '[3;3~': 'delete-word', b: 'word-left', f: 'word-right',
  d: 'delete-word', '\x7f': 'rubout-word', '\x08': 'rubout-word', '.': 'last-argument', _: 'last-argument', '\x1b': 'none',
};
const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const MAX_LINE = 8000;
const MAX_HISTORY = 1000;
const wordChar = (c) => /[\p{L}\p{N}]/u.test(c ?? '');

export class LineEditor {
  constructor() {
    this.chars = [];
    this.at = 0;
    this.kill = [];
    this.killing = false;
    this.history = [];
    this.place = 0;
    this.draft = [];
    this.search = null;
    this.undoStack = [];
    this.argument = null;
    this.partial = '';
  }

  get text() {
    return this.chars.join('');
  }

  /** Code points before the cursor, as text. */
  get before() {
    return this.chars.slice(0, this.at).join('');
  }

  set(text, at = null) {
    this.chars = Array.from(text);
    this.at = at === null ? this.chars.length : Math.min(at, this.chars.length);
  }

  clear() {
    this.set('');
    this.search = null;
    this.place = this.history.length;
    this.undoStack = [];
  }

  setHistory(lines) {
    this.history = lines.slice(-MAX_HISTORY);
    this.place = this.history.length;
  }

  remember(line) {
    if (line.trim() && this.history.at(-1) !== line) this.history.push(line);
    if (this.history.length > MAX_HISTORY) this.history.shift();
    this.place = this.history.length;
  }

  /** Puts `text` in place of the code points `start` to `end`. */
  replace(start, end, text) {
    const put = Array.from(text);
    this.mark();
    this.chars.splice(start, end - start, ...put);
    this.at = start + put.length;
  }

  /* ---- keys in ---- */

  feed(data) {
    const effects = [];
    let rest = this.partial + data;
    this.partial = '';
    while (rest) {
      if (rest.startsWith(PASTE_START)) {
        const end = rest.indexOf(PASTE_END);
        if (end < 0) {
          this.partial = rest;
          break;
        }
        this.paste(rest.slice(PASTE_START.length, end));
        rest = rest.slice(end + PASTE_END.length);
        continue;
      }
      const [action, text, used] = this.next(rest);
      rest = rest.slice(used);
      this.act(action, text, effects);
    }
    return effects;
  }

  /* The first key of `data`: [action, text, how many code units]. */
  next(data) {
    const first = data[0];
    if (first === '\x1b') {
      const csi = /^\x1b(\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])/.exec(data);
      if (csi) return [SEQUENCES[csi[1]] ?? 'none', '', csi[0].length];
      if (data.length === 1) return ['escape', '', 1];
      const step = Array.from(data.slice(1, 3))[0];
      return [SEQUENCES[step] ?? 'none', '', 1 + step.length];
    }
    if (KEYS[first]) return [KEYS[first], '', 1];
    const run = /^[^\x00-\x1f\x7f]+/.exec(data);
    if (run) return ['insert', run[0], run[0].length];
    return ['none', '', 1];
  }

  act(action, text, effects) {
    if (action === 'escape') {
      this.meta = true;
      return;
    }
    if (this.meta) {
      this.meta = false;
      const [c, ...more] = Array.from(text);
      if (action === 'insert' && SEQUENCES[c]) {
        this.act(SEQUENCES[c], '', effects);
        if (more.length) this.act('insert', more.join(''), effects);
        return;
      }
      if (action === 'rubout') action = 'rubout-word';
    }
    if (this.search && this.searching(action, text)) return;
    const kill = action.startsWith('kill-') || action.endsWith('-word');
    if (!kill) this.killing = false;
    if (action !== 'last-argument') this.argument = null;
    this.perform(action, text, effects);
    if (kill) this.killing = true;
  }

  perform(action, text, effects) {
    switch (action) {
      case 'insert': this.insert(text); break;
      case 'left': this.at = Math.max(0, this.at - 1); break;
      case 'right': this.at = Math.min(this.chars.length, this.at + 1); break;
      case 'home': this.at = 0; break;
      case 'end': this.at = this.chars.length; break;
      case 'word-left': this.at = this.wordLeft(); break;
      case 'word-right': this.at = this.wordRight(); break;
      case 'rubout': if (this.at) this.remove(this.at - 1, this.at); break;
      case 'delete': this.remove(this.at, this.at + 1); break;
      case 'kill-end': this.cut(this.at, this.chars.length, false); break;
      case 'kill-start': this.cut(0, this.at, true); break;
      case 'kill-word': this.cut(this.spaceLeft(), this.at, true); break;
      case 'rubout-word': this.cut(this.wordLeft(), this.at, true); break;
      case 'delete-word': this.cut(this.at, this.wordRight(), false); break;
      case 'yank': this.insert(this.kill.join('')); break;
      case 'transpose': this.transpose(effects); break;
      case 'undo': this.undo(effects); break;
      case 'up': this.recall(-1, effects); break;
      case 'down': this.recall(1, effects); break;
      case 'last-argument': this.lastArgument(effects); break;
      case 'search': this.search = { query: '', place: this.history.length, saved: [this.text, this.at], failed: false }; break;
      case 'complete': effects.push({ type: 'complete' }); break;
      case 'clear': effects.push({ type: 'clear' }); break;
      case 'enter': this.enter(effects); break;
      case 'ctrl-d':
        if (this.chars.length) this.remove(this.at, this.at + 1);
        else effects.push({ type: 'key', key: 'ctrl-d', text: '' });
        break;
      case 'ctrl-c': case 'ctrl-z': case 'ctrl-\\': {
        const dropped = this.text;
        if (action !== 'ctrl-z') this.clear();
        effects.push({ type: 'key', key: action, text: action === 'ctrl-z' ? '' : dropped });
        break;
      }
      default: break;
    }
  }

  /* ---- editing ---- */

  mark() {
    this.undoStack.push([this.text, this.at]);
    if (this.undoStack.length > 200) this.undoStack.shift();
  }

  insert(text) {
    const put = Array.from(text).slice(0, Math.max(0, MAX_LINE - this.chars.length));
    if (!put.length) return;
    this.mark();
    this.chars.splice(this.at, 0, ...put);
    this.at += put.length;
  }

  /* Pasted text goes into the line and waits for Enter, as bash does; a last newline is dropped, others stay as line breaks. */
  paste(raw) {
    const text = raw.replace(/\r\n?/g, '\n').replace(/\n+$/, '').replace(/\t/g, ' ').replace(/[\x00-\x09\x0b-\x1f\x7f]/g, '');
    if (this.search) this.search = null;
    const put = Array.from(text);
    this.mark();
    this.chars.splice(this.at, 0, ...put);
    this.at += put.length;
  }

  remove(from, to) {
    if (from >= this.chars.length) return;
    this.mark();
    this.chars.splice(from, to - from);
    this.at = from;
  }

  cut(from, to, backwards) {
    const gone = this.chars.slice(from, to);
    if (!gone.length) return;
    this.mark();
    if (!this.killing) this.kill = gone;
    else this.kill = backwards ? [...gone, ...this.kill] : [...this.kill, ...gone];
    this.chars.splice(from, to - from);
    this.at = from;
  }

  wordLeft() {
    let i = this.at;
    while (i > 0 && !wordChar(this.chars[i - 1])) i -= 1;
    while (i > 0 && wordChar(this.chars[i - 1])) i -= 1;
    return i;
  }

  wordRight() {
    let i = this.at;
    while (i < this.chars.length && !wordChar(this.chars[i])) i += 1;
    while (i < this.chars.length && wordChar(this.chars[i])) i += 1;
    return i;
  }

  spaceLeft() {
    let i = this.at;
    while (i > 0 && /\s/.test(this.chars[i - 1])) i -= 1;
    while (i > 0 && !/\s/.test(this.chars[i - 1])) i -= 1;
    return i;
  }

  transpose(effects) {
    const n = this.chars.length;
    if (n < 2 || this.at === 0) {
      effects.push({ type: 'bell' });
      return;
    }
    this.mark();
    const i = this.at === n ? n - 1 : this.at;
    [this.chars[i - 1], this.chars[i]] = [this.chars[i], this.chars[i - 1]];
    this.at = i + 1;
  }

  undo(effects) {
    const last = this.undoStack.pop();
    if (last) this.set(...last);
    else effects.push({ type: 'bell' });
  }

  enter(effects) {
    const lines = this.text.split('\n');
    this.clear();
    effects.push({ type: 'submit', lines });
  }

  /* ---- history ---- */

  recall(by, effects) {
    const to = this.place + by;
    if (to < 0 || to > this.history.length) {
      effects.push({ type: 'bell' });
      return;
    }
    if (this.place === this.history.length) this.draft = this.text;
    this.place = to;
    this.set(to === this.history.length ? this.draft : this.history[to]);
    this.undoStack = [];
  }

  lastArgument(effects) {
    const from = (this.argument?.place ?? this.history.length) - 1;
    if (from < 0) {
      effects.push({ type: 'bell' });
      return;
    }
    const last = this.history[from].trim().split(/\s+/).at(-1) ?? '';
    if (this.argument) this.remove(this.argument.start, this.argument.end);
    const start = this.at;
    this.insert(last);
    this.argument = { place: from, start, end: this.at };
  }

  /* Ctrl-R. Returns whether the key was the search's; any other key ends the search and is then done as usual. */
  searching(action, text) {
    const found = this.search;
    if (action === 'insert') found.query += text;
    else if (action === 'rubout') found.query = Array.from(found.query).slice(0, -1).join('');
    else if (action === 'search') {
      this.find(found.place - 1);
      return true;
    } else if (action === 'abort' || action === 'ctrl-c') {
      this.set(...found.saved);
      this.search = null;
      return true;
    } else {
      this.search = null;
      if (!found.failed && found.place < this.history.length) this.place = found.place;
      return action === 'none' || action === 'escape';
    }
    this.find(this.history.length - 1);
    return true;
  }

  find(from) {
    const found = this.search;
    found.failed = false;
    if (!found.query) return;
    for (let i = Math.min(from, this.history.length - 1); i >= 0; i -= 1) {
      const index = this.history[i].indexOf(found.query);
      if (index >= 0) {
        found.place = i;
        this.set(this.history[i], Array.from(this.history[i].slice(0, index)).length);
        return;
      }
    }
    found.failed = true;
  }
}
