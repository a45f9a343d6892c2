/* The time that is left of an attempt, by the server's clock: it is asked again every half minute, for it may have been extended. */

import { t } from './strings.js';

const ASK_MS = 30_000;
const SAY_AT = [300, 60];

const two = (n) => String(n).padStart(2, '0');

function words(seconds) {
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  return h ? `${h}:${two(m)}:${two(seconds % 60)}` : `${m}:${two(seconds % 60)}`;
}

export class QuizClock {
  constructor(place) {
    this.place = place;
    this.url = place.dataset.timeUrl;
    this.set(Number(place.dataset.timeLeft));
    document.addEventListener('quiz:left', (event) => this.set(event.detail));
    setInterval(() => this.tick(), 1000);
    setInterval(() => this.ask(), ASK_MS);
    this.tick();
  }

  set(left) {
    this.end = Date.now() + left * 1000;
    this.over = false;
  }

  tick() {
    const left = Math.max(0, Math.round((this.end - Date.now()) / 1000));
    this.place.textContent = words(left);
    if (SAY_AT.includes(left)) this.say(t('time.left', { minutes: Math.round(left / 60) }));
    if (left === 0 && !this.over) {
      this.over = true;
      this.say(t('time.over'));
      this.ask();
    }
  }

  say(text) {
    const place = document.querySelector('[data-time-say]');
    if (place) place.textContent = text;
  }

  async ask() {
    try {
      const answer = await fetch(this.url, { credentials: 'same-origin' });
      if (!answer.ok) return;
      const { closed, left } = await answer.json();
      if (closed) location.reload();
      else if (left !== null) {
        this.set(left);
        if (left === 0) { this.over = true; setTimeout(() => this.ask(), 5000); }
      }
    } catch {
      // no connection: the clock runs on, the next question will be answered
    }
  }
}
