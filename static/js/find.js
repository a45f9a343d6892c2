/* The search in the header: `/` goes to it, Escape closes it, arrows move between its results. The form works without any of this. */

const WRITES = 'input, textarea, select, [contenteditable], .xterm, [data-terminal]';

function links(form) {
  return [...form.querySelectorAll('.find-live a')];
}

function move(form, step) {
  const all = [form.querySelector('[data-find]'), ...links(form)];
  const at = all.indexOf(document.activeElement);
  all[Math.min(all.length - 1, Math.max(0, at + step))]?.focus();
}

/** What a key does anywhere on the page; true when it was taken. */
export function findKey(event) {
  const field = document.querySelector('[data-find]');
  if (!field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (event.key === '/' && !event.target.closest?.(WRITES)) {
    field.focus();
    field.select();
    return true;
  }
  const form = event.target.closest?.('form.find');
  if (!form) return false;
  if (event.key === 'Escape') {
    form.classList.add('is-shut');
    field.focus();
    return true;
  }
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    move(form, event.key === 'ArrowDown' ? 1 : -1);
    return links(form).length > 0;
  }
  return false;
}

/** Typing opens the results that Escape closed. */
export function findTyped(event) {
  event.target.closest?.('form.find')?.classList.remove('is-shut');
}

/** Escape puts away the meaning of a word without moving the pointer or the focus. */
export function shutTip(event) {
  if (event.key !== 'Escape') return;
  for (const place of document.querySelectorAll('.term-at:is(:hover, :focus-within)')) {
    place.classList.add('is-shut');
    const again = () => place.classList.remove('is-shut');
    place.addEventListener('pointerleave', again, { once: true });
    place.addEventListener('focusout', again, { once: true });
  }
}
