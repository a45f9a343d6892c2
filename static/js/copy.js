/* Copy and Run buttons of commands in the text. */

import { t } from './strings.js';

function commandOf(element) {
  return element.closest('[data-command]')?.dataset.command ?? '';
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* the clipboard is for secure contexts; a class server on plain http has this left */
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'vh';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** Copies what a `[data-copy]` button stands for. */
export async function copyFrom(element, say) {
  const text = element.dataset.copy || commandOf(element);
  say(t((await toClipboard(text)) ? 'copied' : 'copy.failed'));
}

/** Runs what a `[data-run]` button stands for. */
export function runFrom(element, bench) {
  const lines = commandOf(element).replace(/\n+$/, '').split('\n');
  return bench.run(element.closest('[data-host]')?.dataset.host, lines);
}
