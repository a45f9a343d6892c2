/* The words of the scripts, in the language of the page. */

import en from './i18n/en.js';
import ko from './i18n/ko.js';

const tables = { en, ko };

/** The page's language: "ko" or "en". */
export const lang = (document.documentElement.lang || 'en').toLowerCase().startsWith('ko') ? 'ko' : 'en';
const table = tables[lang];

/** The words for `key`, with `{name}` replaced by `values.name`. A missing key is a defect and shows itself. */
export function t(key, values = {}) {
  const words = table[key];
  if (words === undefined) throw new Error(`no words for ${key} in ${lang}`);
  const text = typeof words === 'function' ? words(values) : words;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** More words, of a part that is loaded later. */
export function extend(words) {
  Object.assign(table, words);
}

/** Whether there are words for `key`. */
export function has(key) {
  return key in table;
}

/** The words for a word of the simulator (a state, an actor) when the table has them, else the word itself. */
export function word(group, value) {
  return table[`${group}.${value}`] ?? value;
}
