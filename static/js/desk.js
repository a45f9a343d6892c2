/* A page of the instructor's desk that keeps itself up to date: a bell over a WebSocket says that something changed, and the part is
   asked for again. Without the line it is asked for every half minute. What somebody holds (focus, an open detail, the scroll) is kept. */

const EVERY_MS = 30_000;
const AGAIN_MS = 5_000;

export class LivePart {
  constructor(element) {
    this.element = element;
    this.busy = false;
    this.again = false;
    const seconds = Number(element.dataset.every);
    this.every = seconds > 0 ? seconds * 1000 : EVERY_MS;
    this.connect();
    this.timer = setInterval(() => this.refresh(), this.every);
  }

  connect() {
    const url = new URL(this.element.dataset.desk, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.addEventListener('message', () => this.refresh());
    socket.addEventListener('close', ({ code }) => {
      if (code !== 4401 && code !== 4404) setTimeout(() => this.connect(), AGAIN_MS);
    });
  }

  /** Asks for the part; never twice at once, and not while nobody looks or somebody fills in a field of it. */
  async refresh() {
    if (document.hidden || this.element.querySelector('input:focus, select:focus, details[open]')) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      const answer = await fetch(location.href, { headers: { 'X-Part': this.element.dataset.part }, credentials: 'same-origin' });
      if (answer.ok) this.show(await answer.text());
    } catch {
      /* the next look will do */
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.refresh();
      }
    }
  }

  show(text) {
    const focused = this.path(document.activeElement);
    const scrolls = [...this.element.querySelectorAll('.scroll')].map((one) => one.scrollLeft);
    const fresh = new DOMParser().parseFromString(text, 'text/html').body;
    this.element.replaceChildren(...fresh.childNodes);
    [...this.element.querySelectorAll('.scroll')].forEach((one, i) => { one.scrollLeft = scrolls[i] ?? 0; });
    if (focused) this.element.querySelector(focused)?.focus({ preventScroll: true });
    this.element.dispatchEvent(new CustomEvent('desk:part', { bubbles: true }));
  }

  /* How to find a focused link again after the part was replaced. */
  path(node) {
    if (!node || !this.element.contains(node)) return '';
    const href = node.getAttribute('href');
    return href ? `a[href="${CSS.escape(href)}"]` : '';
  }
}
