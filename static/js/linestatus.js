/* What the bench says of its line to the server: a word beside the title, and a banner with the next try while the line is away. */

import { button, h } from './dom.js';
import { t } from './strings.js';

const FINAL = { login: 'bench.login', 'not-found': 'bench.notfound', 'too-many': 'bench.toomany', origin: 'bench.origin' };
const WORDS = { online: ['ok', 'bench.online'], connecting: ['wait', 'bench.connecting'] };

export class LineStatus {
  /** `mark` is told the state (`online`, `connecting`, `lost`, `refused`); `again` tries to connect now. */
  constructor(mark, again) {
    this.mark = mark;
    this.again = again;
    this.word = h('span', { class: 'bench-line' });
    this.banner = h('div', { class: 'banner bench-banner', role: 'status', hidden: true });
  }

  show(status) {
    const [shape, words] = WORDS[status] ?? ['bad', 'bench.offline'];
    this.word.className = `bench-line st ${shape}`;
    this.word.textContent = t(words);
    this.mark(status);
  }

  change({ status, reason, waitMs }) {
    clearInterval(this.countdown);
    this.show(status);
    this.banner.hidden = status in WORDS;
    if (status in WORDS) return;
    if (status === 'refused') {
      this.banner.replaceChildren(h('span', {}, t(FINAL[reason] ?? 'bench.notfound')));
      return;
    }
    const words = h('span', { 'aria-hidden': 'true' });
    const end = performance.now() + waitMs;
    const count = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      words.textContent = left > 0 ? t('bench.again', { n: left }) : t('bench.again.now');
    };
    count();
    this.countdown = setInterval(count, 1000);
    this.banner.replaceChildren(h('span', {}, t('bench.lost')), words, button(t('bench.try'), { class: 'btn', onclick: this.again }));
  }
}
