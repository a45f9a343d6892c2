/* While a course is written (`manage.py loadcourse --watch`) its pages load themselves again and show what is wrong with its files. */

import { h } from './dom.js';
import { t } from './strings.js';

const EVERY = 700;

function show(problems) {
  let place = document.querySelector('.authoring');
  if (!place) {
    if (!problems.length) return;
    place = h('div', { class: 'banner is-error authoring', role: 'status' });
    document.querySelector('main').before(place);
  }
  place.hidden = !problems.length;
  place.replaceChildren(h('strong', {}, t('authoring.problems')), h('ul', {}, problems.map((problem) => h('li', {}, h('pre', {}, problem)))));
}

/** Asks until the page goes; `meta` holds the address, and the stamp with which this page was made. */
export function watch(meta) {
  const ask = async () => {
    try {
      const answer = document.hidden ? null : await fetch(meta.content, { headers: { Accept: 'application/json' } });
      if (answer?.status === 200) {
        const { stamp, problems } = await answer.json();
        if (stamp !== meta.dataset.stamp) {
          location.reload();
          return;
        }
        show(problems);
      }
    } catch {
      /* the site is away for a moment; the next question finds it */
    }
    setTimeout(ask, EVERY);
  };
  ask();
}
