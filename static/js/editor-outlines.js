/* What the world's API server says of kinds and fields, asked for once each (docs/protocol.md, "Outlines"). */

const AGAIN_MS = 4000;

export class Outlines {
  /** `changed` is called when an outline that `outlineOf` did not have has come. */
  constructor(connection, changed) {
    this.connection = connection;
    this.changed = changed;
    this.held = new Map();
  }

  /* One question; an answer that did not come is asked for again after a while. */
  ask(api, kind, about = '') {
    const key = `${api}\n${kind}\n${about}`;
    if (!this.held.has(key)) {
      const entry = { data: undefined };
      this.held.set(key, entry);
      entry.coming = this.connection.outline(api, kind, about).then((answer) => {
        if (answer?.data) entry.data = answer.data;
        else setTimeout(() => this.held.delete(key), AGAIN_MS);
        return entry.data ?? null;
      });
    }
    return this.held.get(key);
  }

  /** The outline of a kind now: null when there is none, undefined while nobody knows. */
  outlineOf(api, kind) {
    const entry = this.ask(api, kind);
    if (entry.data === undefined && !entry.told) {
      entry.told = true;
      entry.coming.then((data) => data && this.changed());
    }
    return entry.data === undefined ? undefined : entry.data.root ? entry.data : null;
  }

  /** The outline of a kind, when it has come; null when there is none. */
  async load(api, kind) {
    const data = await this.ask(api, kind).coming;
    return data?.root ? data : null;
  }

  /** What there is to say of a field: {type, text, enum, required}, or null. */
  async describe(api, kind, about) {
    return this.ask(api, kind, about).coming;
  }

  /** All [apiVersion, kind] that can be made. */
  async kinds() {
    return (await this.ask('', '').coming)?.kinds ?? [];
  }

  /** What is known may be out of date: a CustomResourceDefinition was applied. */
  forget() {
    this.held.clear();
  }
}
