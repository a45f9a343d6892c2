/* A page of the instructor's desk that keeps itself up to date: a bell over a WebSocket says whose row changed, and the part is asked for
   again with that row only; the other rows stay as they are. Without the line all of it is asked for every half minute. What somebody
   holds (focus, an open detail, the scroll) is kept. */

const EVERY_MS = 30_000;
const AGAIN_MS = 5_000;

export class LivePart {
  constructor(element) {
    this.element = element;
    this.busy = false;
    this.again = false;
    this.changed = new Set();
    const seconds = Number(element.dataset.every);
    this.every = seconds > 0 ? seconds * 1000 : EVERY_MS;
    this.connect();
    this.timer = setInterval(() => this.refresh(), this.every);
  }

  connect() {
    const url = new URL(this.element.dataset.desk, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.addEventListener('message', ({ data }) => this.hear(data));
    socket.addEventListener('close', ({ code }) => {
      if (![4401, 4404, 4429].includes(code)) setTimeout(() => this.connect(), AGAIN_MS);
    });
  }

  hear(data) {
    try {
      for (const who of JSON.parse(data).who) this.changed.add(who);
    } catch {
      return;
    }
    this.refresh([...this.changed]);
  }

  /** Asks for the part, with `who` for these learners' rows only; never twice at once, and not while nobody looks or somebody fills in a field of it. */
  async refresh(who = []) {
    if (document.hidden || this.element.querySelector('input:focus, select:focus, details[open]')) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    let whole = false; // a row that is new on this page: everything is asked for
    try {
      const headers = { 'X-Part': this.element.dataset.part, ...(who.length ? { 'X-Changed': who.join(',') } : {}) };
      const answer = await fetch(location.href, { headers, credentials: 'same-origin' });
      if (answer.ok && this.show(await answer.text())) this.told(who);
      else whole = answer.ok;
    } catch {
      /* the next look will do */
    } finally {
      this.busy = false;
      if (this.again || whole) {
        this.again = false;
        this.refresh(whole ? [] : [...this.changed]);
      }
    }
  }

  told(who) {
    if (who.length) for (const one of who) this.changed.delete(one);
    else this.changed.clear();
  }

  show(text) {
    const focused = this.path(document.activeElement);
    const scrolls = [...this.element.querySelectorAll('.scroll')].map((one) => one.scrollLeft);
    const fresh = new DOMParser().parseFromString(text, 'text/html').body;
    const old = new Map([...this.element.querySelectorAll('tr[data-learner]')].map((row) => [row.dataset.learner, row]));
    for (const row of fresh.querySelectorAll('tr[data-kept]')) {
      const mine = old.get(row.dataset.learner);
      if (!mine) return false;
      row.replaceWith(document.importNode(mine, true));
    }
    this.element.replaceChildren(...fresh.childNodes);
    [...this.element.querySelectorAll('.scroll')].forEach((one, i) => { one.scrollLeft = scrolls[i] ?? 0; });
    if (focused) this.element.querySelector(focused)?.focus({ preventScroll: true });
    this.element.dispatchEvent(new CustomEvent('desk:part', { bubbles: true }));
    return true;
  }

  /* How to find a focused link again after the part was replaced. */
  path(node) {
    if (!node || !this.element.contains(node)) return '';
    const href = node.getAttribute('href');
    return href ? `a[href="${CSS.escape(href)}"]` : '';
  }
}
