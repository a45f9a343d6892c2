/* What an editor of Kubernetes YAML knows about a text: where the cursor stands in it, what may stand there, and what is wrong.

   Pure: texts and outlines (docs/protocol.md, "Outlines") in, plain objects out. Where the cursor stands is read from the indentation,
   because a line that is being written seldom parses; what is wrong is read from the parsed documents. */

import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from '../vendor/editor.js';
import { has, t } from './strings.js';

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#:"'{[&*!|>][^:#]*?)\s*:(?=\s|$)/;
const BLOCK = /[|>][+-]?\d*\s*$/;
const LEGACY_BOOLEAN = /^(yes|no|on|off)$/i;
const MANY = 200;

function unquote(key) {
  return /^["']/.test(key) ? key.slice(1, -1) : key;
}

/* A line as {indent of the first dash or word, at: column of what follows the dashes, dashed, key, value, from: column of the value}. */
function lineOf(text) {
  const [lead, space, dashes] = /^( *)((?:-(?: +|$))*)/.exec(text);
  const rest = text.slice(lead.length);
  const match = KEY.exec(rest);
  const value = match ? rest.slice(match[0].length) : rest;
  return {
    indent: space.length,
    at: lead.length,
    dashed: dashes.length > 0,
    blank: !rest.trim() || rest.startsWith('#'),
    key: match ? unquote(match[1]) : null,
    value: value.trim(),
    from: text.length - value.trimStart().length,
  };
}

/** Where a position lies: {path: keys from the root, key: the key of its line or null, at: column of the line's first word, from}; null in a block of text. */
export function placeAt(lines, number) {
  const here = lineOf(lines[number]);
  const path = [];
  let limit = here.dashed ? here.indent + 1 : here.at;
  let item = here.dashed ? -1 : here.at;
  for (let i = number - 1; i >= 0 && limit > 0; i -= 1) {
    if (/^(---|\.\.\.)(\s|$)/.test(lines[i])) break;
    const line = lineOf(lines[i]);
    if (line.blank) continue;
    if (line.at === item && line.dashed) {
      limit = line.indent + 1;
      item = -1;
    } else if (line.key !== null && line.at < limit) {
      if (BLOCK.test(line.value)) return null;
      path.unshift(line.key);
      limit = line.dashed ? line.indent + 1 : line.at;
      item = line.dashed ? -1 : line.at;
    }
  }
  return { path, ...here };
}

/** The document's own apiVersion and kind around a line, "" where it has none. */
export function kindAt(lines, number) {
  let first = number;
  while (first > 0 && !/^---(\s|$)/.test(lines[first])) first -= 1;
  const found = { apiVersion: '', kind: '' };
  for (let i = first; i < lines.length && (i === first || !/^---(\s|$)/.test(lines[i])); i += 1) {
    const match = /^(apiVersion|kind):\s*["']?([^\s"'#]+)/.exec(lines[i]);
    if (match) found[match[1]] ||= match[2];
  }
  return found;
}

/** The keys that stand beside a line, in the same map. */
export function siblings(lines, number) {
  const here = lineOf(lines[number]);
  const keys = new Set();
  const scan = (by) => {
    for (let i = number + by; i >= 0 && i < lines.length && !/^---(\s|$)/.test(lines[i]); i += by) {
      const line = lineOf(lines[i]);
      if (line.blank) continue;
      if (by > 0 && line.dashed && line.indent < here.at) return; // the next item
      if (line.at < here.at) return;
      if (line.at === here.at && line.key !== null) keys.add(line.key);
      if (by < 0 && line.dashed && line.at === here.at) return; // the item's first line
    }
  };
  if (!here.dashed) scan(-1);
  scan(1);
  return keys;
}

/* ---- schemas ---- */

/** A schema with its references followed. */
export function resolved(outline, schema) {
  let body = schema ?? {};
  for (let i = 0; i < 20; i += 1) {
    const ref = body.$ref ?? (body.allOf?.length === 1 ? body.allOf[0].$ref : undefined);
    if (!ref) break;
    body = outline.schemas[ref] ?? {};
  }
  return body;
}

/* The schema of a key, and the word by which its description is asked for: `*` for a key of one's own choice. */
function step(outline, schema, key) {
  let body = resolved(outline, schema);
  while (body.items) body = resolved(outline, body.items);
  if (body.properties && Object.hasOwn(body.properties, key)) return [body.properties[key], key];
  return body.additionalProperties && typeof body.additionalProperties === 'object' ? [body.additionalProperties, '*'] : [null, key];
}

/** {schema, about} of a path from the root of a kind; schema is null where nothing is known. */
export function schemaAt(outline, path) {
  let schema = { $ref: outline.root };
  const about = [];
  for (const key of path) {
    const [next, word] = step(outline, schema, key);
    if (!next) return { schema: null, about: '' };
    schema = next;
    about.push(word);
  }
  return { schema, about: about.join('.') };
}

/** The map that keys at this place belong to: its schema, lists passed through. */
export function mapAt(outline, path) {
  const { schema } = schemaAt(outline, path);
  if (!schema) return null;
  let body = resolved(outline, schema);
  while (body.items) body = resolved(outline, body.items);
  return body;
}

/** The types that a schema takes: `object`, `array`, `string`, `integer`, `number`, `boolean`; empty: any. */
export function typesOf(outline, schema) {
  const body = resolved(outline, schema);
  if (body['x-kubernetes-int-or-string']) return ['integer', 'string'];
  if (body.type) return [body.type];
  return [...new Set((body.oneOf ?? body.anyOf ?? []).flatMap((one) => typesOf(outline, one)))];
}

/* ---- what is wrong ---- */

function typeOf(node) {
  if (isMap(node)) return 'object';
  if (isSeq(node)) return 'array';
  const { value } = node;
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean' || (node.type === 'PLAIN' && LEGACY_BOOLEAN.test(String(value)))) return 'boolean';
  if (typeof value === 'number' || typeof value === 'bigint') return Number.isInteger(Number(value)) ? 'integer' : 'number';
  return 'string';
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/* The field that was probably meant. */
function near(word, names) {
  const low = word.toLowerCase();
  let best = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const far = distance(low, name.toLowerCase());
    if (far < least) [best, least] = [name, far];
  }
  return best;
}

class Checker {
  constructor(outline) {
    this.outline = outline;
    this.found = [];
  }

  say(range, message, severity = 'error', fix = null) {
    if (range && this.found.length < MANY) this.found.push({ from: range[0], to: Math.max(range[1], range[0] + 1), severity, message, fix });
  }

  /* `where` is the range to mark when something is missing. */
  node(node, schema, path, where) {
    if (!node || isAlias(node) || !schema) return;
    const body = resolved(this.outline, schema);
    const type = typeOf(node);
    const types = typesOf(this.outline, schema);
    const range = isScalar(node) ? node.range : where;
    if (type === 'null') return; // as if it were not there
    if (types.length && !types.includes(type) && !(type === 'integer' && types.includes('number'))) {
      const key = type !== 'object' && type !== 'array' && types.includes('string') ? 'check.quote' : 'check.type';
      this.say(range, t(key, { field: path || '.', wanted: types.map((one) => t(`check.a.${one}`)).join(t('check.or')), found: t(`check.a.${type}`), value: isScalar(node) ? String(node.source ?? node.value) : '' }));
      return;
    }
    if (body.enum && isScalar(node) && !body.enum.includes(node.value)) {
      this.say(range, t('check.enum', { field: path, values: body.enum.filter((one) => one !== '').join(', ') }));
    } else if (isMap(node)) this.map(node, body, path, where);
    else if (isSeq(node) && body.items) node.items.forEach((item, i) => this.node(item, body.items, `${path}[${i}]`, item?.range ? [item.range[0], item.range[0] + 1] : where));
    else if (type === 'integer' || type === 'number') this.bounds(node, body, path);
  }

  bounds(node, body, path) {
    const low = body.minimum !== undefined && Number(node.value) < body.minimum;
    const high = body.maximum !== undefined && Number(node.value) > body.maximum;
    if (low || high) this.say(node.range, t(low ? 'check.least' : 'check.most', { field: path, n: low ? body.minimum : body.maximum }));
  }

  map(node, body, path, where) {
    const { properties } = body;
    const rest = body.additionalProperties;
    const held = new Set();
    for (const pair of node.items) {
      if (!isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      held.add(name);
      const at = path ? `${path}.${name}` : name;
      if (name === '<<') return; // merged from elsewhere: what is missing here may stand there
      if (properties && Object.hasOwn(properties, name)) this.node(pair.value, properties[name], at, pair.key.range);
      else if (rest && typeof rest === 'object') this.node(pair.value, rest, at, pair.key.range);
      else if (properties && rest !== true && !body['x-kubernetes-preserve-unknown-fields'] && !body['x-kubernetes-embedded-resource']) {
        const meant = near(name, Object.keys(properties).filter((one) => !held.has(one)));
        this.say(pair.key.range, t(meant ? 'check.unknown.near' : 'check.unknown', { field: at, meant: meant ?? '' }), 'error', meant ? { range: pair.key.range, text: meant } : null);
      }
    }
    for (const name of body.required ?? []) if (!held.has(name)) this.say(where, t('check.required', { field: path ? `${path}.${name}` : name }));
  }
}

function syntax(problem) {
  const key = `yaml.${problem.code.toLowerCase().replaceAll('_', '-')}`;
  return has(key) ? t(key) : t('yaml.other', { message: problem.message });
}

/**
 * What is wrong with a text: [{from, to, severity, message, fix: {range, text} or null}]. `outlineOf(apiVersion, kind)` gives an outline, null when
 * there is no such kind, undefined while that is not known yet.
 */
export function problems(text, outlineOf) {
  const counter = new LineCounter();
  const out = [];
  for (const doc of parseAllDocuments(text, { lineCounter: counter, prettyErrors: false, stringKeys: false, logLevel: 'silent' })) {
    for (const one of doc.errors) out.push({ from: one.pos[0], to: Math.max(one.pos[1], one.pos[0] + 1), severity: 'error', message: t('yaml.line', { line: counter.linePos(one.pos[0]).line, message: syntax(one) }), fix: null });
    const root = doc.contents;
    if (!isMap(root)) continue;
    const api = root.get('apiVersion', true);
    const kind = root.get('kind', true);
    if (!isScalar(kind) || !isScalar(api)) continue;
    const outline = outlineOf(String(api.value), String(kind.value));
    if (outline === null && kind.range) out.push({ from: kind.range[0], to: kind.range[1], severity: 'info', message: t('check.nokind', { kind: kind.value, api: api.value }), fix: null });
    if (!outline || doc.errors.length) continue;
    const checker = new Checker(outline);
    checker.node(root, { $ref: outline.root }, '', kind.range);
    out.push(...checker.found);
  }
  return out.map((one) => ({ ...one, from: Math.min(one.from, text.length), to: Math.min(Math.max(one.to, one.from), text.length) }));
}
