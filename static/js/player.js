/* The display clock of one story: it plays towards the end when events come, can be paused, stepped and played again. Nothing else
   keeps time: the map and the time line are painted from `now`. With reduced motion nothing plays by itself. */

const still = matchMedia('(prefers-reduced-motion: reduce)');
const HURRY_AFTER = 6;
/* a little after the last event nothing is on its way any more */
const REST = 0.4;

/** Events: `paint` when `now` or the story changed, `mode` when playing stopped or began. */
export class Player extends EventTarget {
  constructor() {
    super();
    this.warped = null;
    this.now = 0;
    this.playing = false;
    this.root = null;
    this.held = false;
  }

  /** Where playing stops. */
  get end() {
    return this.warped ? this.warped.end + REST : 0;
  }

  /** A story, new or grown. */
  show(root, warped) {
    const fresh = root !== this.root;
    const wasAtEnd = !this.warped || this.now >= this.end - 1e-9;
    this.root = root;
    this.warped = warped;
    if (fresh) {
      this.now = 0;
      this.held = false;
    }
    if (still.matches) {
      if (fresh || wasAtEnd) this.now = this.end;
      this.paint();
    } else if ((fresh || wasAtEnd || this.playing) && !this.held) {
      this.play();
    } else {
      this.paint();
    }
  }

  play() {
    this.held = false;
    if (!this.warped) return;
    if (still.matches) {
      this.now = this.end;
      this.paint();
      return;
    }
    if (this.playing) return;
    this.playing = true;
    this.dispatchEvent(new Event('mode'));
    let before = performance.now();
    const frame = (at) => {
      if (!this.playing) return;
      const left = this.end - this.now;
      const speed = Math.max(1, left / HURRY_AFTER);
      this.now = Math.min(this.end, this.now + Math.min(0.1, (at - before) / 1000) * speed);
      before = at;
      this.paint();
      if (this.now >= this.end) this.stop();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    this.playing = false;
    this.dispatchEvent(new Event('mode'));
  }

  hold() {
    this.held = true;
    if (this.playing) this.stop();
  }

  again() {
    this.now = 0;
    if (still.matches) {
      this.hold();
      this.step();
    } else {
      this.play();
    }
  }

  /** To the next event; from the last one to the first. */
  step() {
    if (!this.warped?.events.length) return;
    this.hold();
    const times = [...new Set(this.warped.at.values())].sort((a, b) => a - b);
    this.now = times.find((time) => time > this.now + 1e-6) ?? times[0];
    this.paint();
  }

  seek(time) {
    this.hold();
    this.now = time;
    this.paint();
  }

  paint() {
    this.dispatchEvent(new Event('paint'));
  }
}
