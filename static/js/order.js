/* Ordering questions: by drag, by arrows, by number; the number fields are the answer and work without this script. */

import { button, h } from './dom.js';
import { t } from './strings.js';

export class Order {
  constructor(list) {
    this.list = list;
    this.live = h('p', { class: 'vh', role: 'status' });
    list.after(this.live);
    for (const item of list.children) this.equip(item);
    list.addEventListener('change', (event) => this.typed(event));
    list.addEventListener('dragover', (event) => this.over(event));
    list.addEventListener('drop', (event) => event.preventDefault());
    list.closest('form')?.addEventListener('answers:restored', () => this.sortByNumber());
    this.sortByNumber();
  }

  label(item) {
    return (item.querySelector('[data-label]') ?? item).textContent.trim().replace(/\s+/g, ' ').slice(0, 80);
  }

  equip(item) {
    const what = this.label(item);
    const place = item.querySelector('.mv') ?? item.appendChild(h('span', { class: 'mv' }));
    place.replaceChildren(
      button('↑', { 'aria-label': t('order.up', { what }), onclick: (event) => this.move(item, -1, event.currentTarget) }),
      button('↓', { 'aria-label': t('order.down', { what }), onclick: (event) => this.move(item, 1, event.currentTarget) }));
    item.dataset.what = what;
    const grip = item.querySelector('.grip');
    grip?.addEventListener('pointerdown', () => { item.draggable = true; });
    item.addEventListener('dragstart', () => {
      this.dragged = item;
      item.classList.add('moving');
    });
    item.addEventListener('dragend', () => {
      item.draggable = false;
      item.classList.remove('moving');
      this.dragged = null;
      this.number(item);
    });
  }

  items() {
    return [...this.list.children];
  }

  sortByNumber() {
    const value = (item) => Number(item.querySelector('.pos')?.value) || 99;
    this.list.append(...this.items().sort((a, b) => value(a) - value(b)));
    this.items().forEach((item, i) => { item.querySelector('.pos').value = i + 1; });
  }

  move(item, by, from) {
    const all = this.items();
    const to = all.indexOf(item) + by;
    if (to < 0 || to >= all.length) return;
    if (by < 0) all[to].before(item);
    else all[to].after(item);
    from.focus();
    this.number(item);
  }

  typed(event) {
    const field = event.target.closest('.pos');
    if (!field || event.detail === 'order') return;
    const item = field.closest('li');
    const rest = this.items().filter((one) => one !== item);
    rest.splice(Math.max(0, Math.min(rest.length, Number(field.value) - 1)), 0, item);
    this.list.append(...rest);
    this.number(item, false);
    field.focus();
  }

  over(event) {
    if (!this.dragged) return;
    event.preventDefault();
    const target = event.target.closest('li');
    if (!target || target === this.dragged || target.parentNode !== this.list) return;
    const box = target.getBoundingClientRect();
    if (event.clientY > box.top + box.height / 2) target.after(this.dragged);
    else target.before(this.dragged);
  }

  /* Writes the numbers anew and tells the form. */
  number(item, tell = true) {
    const all = this.items();
    all.forEach((one, i) => { one.querySelector('.pos').value = i + 1; });
    this.live.textContent = t('order.moved', { what: item.dataset.what, n: all.indexOf(item) + 1, of: all.length });
    if (tell) this.list.dispatchEvent(new CustomEvent('change', { bubbles: true, detail: 'order' }));
  }
}
