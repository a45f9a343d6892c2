/* Choosing a file of a shell: suggestions under the path box, and what lies where the shell stands. */

import { button, h } from './dom.js';
import { t } from './strings.js';

const SUGGEST_MS = 150;
const SHOWN = 40;
const FEW = 16;
const OFTEN = '/etc/kubernetes/manifests/';

/* A word as completion quotes it for the shell, as the path that is meant. */
function plain(word) {
  return word.replaceAll(/\\(.)/g, '$1').replaceAll(/['"]/g, '');
}

export class Chooser {
  /** `path` is the path box; `hooks`: {complete(line) → Promise of {items}, open(path)}. */
  constructor(path, hooks) {
    this.path = path;
    this.hooks = hooks;
    this.list = h('datalist', { id: path.getAttribute('list') });
    this.element = h('div', { class: 'edit-start' });
    path.addEventListener('input', () => this.suggest());
  }

  async names(word) {
    const found = await this.hooks.complete(`cat ${word}`);
    return (found?.items ?? []).map((item) => plain(item.text));
  }

  suggest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const word = this.path.value;
      const names = await this.names(word);
      if (this.path.value === word) this.list.replaceChildren(...names.slice(0, SHOWN).map((value) => h('option', { value })));
    }, SUGGEST_MS);
  }

  /** Offers what lies in a directory ("": where the shell stands, which is `cwd`). */
  async show(word, cwd) {
    const names = await this.names(word);
    const offered = [...names.slice(0, FEW), ...(word || names.includes(OFTEN) ? [] : [OFTEN])];
    this.element.replaceChildren(h('p', {}, t('edit.begin', { cwd })),
      h('ul', { class: 'edit-files', 'aria-label': t('edit.files') }, offered.map((name) => h('li', {}, button(name, { class: 'btn is-command', onclick: () => this.pick(name) })))));
  }

  /* A file is opened; of a directory what lies in it is offered. */
  async pick(name) {
    if (!name.endsWith('/')) {
      this.hooks.open(name);
      return;
    }
    this.path.value = name;
    await this.show(name, name);
    this.element.querySelector('button')?.focus();
  }
}
