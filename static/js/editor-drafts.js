/* A text that was not saved, kept in this tab until it is: one for each cluster. */

const keyOf = (cluster) => `slipway:draft:${cluster}`;

/** Keeps the text of a file {terminal, path, version}. */
export function keep(cluster, { terminal, path, version }, text) {
  try {
    sessionStorage.setItem(keyOf(cluster), JSON.stringify({ terminal, path, was: version, text }));
  } catch {
    return; // no storage: it lives as long as the page
  }
}

/** What is kept: {terminal, path, was, text}, or null. */
export function of(cluster) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(cluster)));
  } catch {
    return null;
  }
}

/** Nothing is kept any more. */
export function drop(cluster) {
  try {
    sessionStorage.removeItem(keyOf(cluster));
  } catch {
    return; // nothing was kept either
  }
}
