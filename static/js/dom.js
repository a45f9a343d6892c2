/* Making elements without markup in strings: text is always text. */

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attrs, kids) {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on') && typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const kid of kids.flat(Infinity)) if (kid !== null && kid !== undefined && kid !== false) node.append(kid);
  return node;
}

/** An HTML element. Attributes that are null, undefined or false are left out; `onclick: fn` listens. */
export function h(name, attrs = {}, ...kids) {
  return fill(document.createElement(name), attrs, kids);
}

/** An SVG element. */
export function s(name, attrs = {}, ...kids) {
  return fill(document.createElementNS(SVG, name), attrs, kids);
}

const ICONS = {
  copy: 'M5 5h8v9H5zM3 11V2h7',
  run: 'M2 3l5 5-5 5M8 13h6',
  play: 'M4 3l9 5-9 5z',
  pause: 'M5 3v10M11 3v10',
  step: 'M3 3l6 5-6 5zM12 3v10',
  next: 'M2 3l5 5-5 5zM8 3l5 5-5 5',
  reset: 'M6 3L2 7l4 4M2 7h8a4 4 0 010 8',
  undo: 'M6 2L2 6l4 4M2 6h7a4.5 4.5 0 010 9H6',
  past: 'M8 2a6 6 0 11-6 6M2 3v5h5M8 5v3l2.5 2',
  edit: 'M3 13l1-4 7-7 3 3-7 7zM9 4l3 3',
  grow: 'M2 14h12M8 2v8M4 6l4-4 4 4',
};

/** A small line drawing beside a button's word. */
export function icon(name) {
  return s('svg', { class: 'i', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, s('path', { d: ICONS[name] }));
}

/** A button of the page's own kind. */
export function button(label, attrs = {}, ...kids) {
  const { class: cls = 'btn', ...rest } = attrs;
  return h('button', { type: 'button', class: cls, ...rest }, ...kids, label);
}

/** The word of a state with its mark, as in the stylesheet's `.st`. */
export function stateWord(kind, word) {
  return h('span', { class: `st ${kind}` }, word);
}

/** Calls `render(width)` when the element first has a width and whenever it changes. */
export function watchWidth(host, render) {
  let last = 0;
  const look = () => {
    const width = host.clientWidth;
    if (width && width !== last) {
      last = width;
      render(width);
    }
  };
  const observer = new ResizeObserver(() => requestAnimationFrame(look));
  observer.observe(host);
  return observer;
}

/** The CSRF token of the page, or "". */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? '';
}

/** What this browser remembers; a browser that refuses storage just forgets. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`slipway:${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(`slipway:${key}`);
      else localStorage.setItem(`slipway:${key}`, value);
      return true;
    } catch {
      return false;
    }
  },
};
