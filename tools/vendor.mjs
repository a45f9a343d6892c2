/* Bundles third-party front-end code into static/vendor, which is committed: the site and its tests need no Node.

   Two changes are made to xterm.js so that it runs under a strict Content-Security-Policy; the build fails when the code
   that they change is no longer there:
   - <style> elements get the nonce of the element with id "csp-nonce" (style-src 'self' 'nonce-…');
   - inline colours are set through the CSSOM, because a style attribute is refused without 'unsafe-inline'. */

import { build } from 'esbuild';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.join(root, 'static', 'vendor');
const modules = path.join(root, 'node_modules');
const require = createRequire(import.meta.url);

const NONCE = "globalThis.document?.getElementById('csp-nonce')?.nonce||''";
const XTERM_CHANGES = [
  { find: /([\w$.]+)\.createElement\("style"\)/g, put: `(d=>{let s=d.createElement("style");s.nonce=${NONCE};return s})($1)`, atLeast: 3 },
  {
    find: /([\w$]+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{([\w$]+)\};`\)/g,
    put: '$1.style.cssText+=`${$2};`',
    atLeast: 1,
  },
];

/** An esbuild plugin that applies XTERM_CHANGES to the module of xterm.js. */
const strictCsp = {
  name: 'strict-csp',
  setup(builder) {
    builder.onLoad({ filter: /@xterm[\\/]xterm[\\/]lib[\\/]xterm\.mjs$/ }, async ({ path: file }) => {
      let contents = await readFile(file, 'utf8');
      for (const { find, put, atLeast } of XTERM_CHANGES) {
        const count = [...contents.matchAll(find)].length;
        if (count < atLeast) throw new Error(`${file}: ${find} matched ${count} times, expected at least ${atLeast}`);
        contents = contents.replace(find, put);
      }
      return { contents, loader: 'js' };
    });
  },
};

const ENTRY = `
export { Terminal } from '@xterm/xterm';
export { FitAddon } from '@xterm/addon-fit';
export { SearchAddon } from '@xterm/addon-search';
export { Unicode11Addon } from '@xterm/addon-unicode11';
export { WebLinksAddon } from '@xterm/addon-web-links';
`;

/* The editor of the bench, loaded when it is first opened. CodeMirror takes the nonce itself (EditorView.cspNonce). */
const EDITOR = `
export { Compartment, EditorState, Prec, StateEffect } from '@codemirror/state';
export {
  EditorView, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers,
  rectangularSelection, tooltips,
} from '@codemirror/view';
export { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
export { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
export { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
export { acceptCompletion, autocompletion, closeBrackets, completionKeymap, startCompletion } from '@codemirror/autocomplete';
export { diagnosticCount, lintGutter, lintKeymap, linter, nextDiagnostic } from '@codemirror/lint';
export { yaml } from '@codemirror/lang-yaml';
export { tags } from '@lezer/highlight';
export { Vim, vim } from '@replit/codemirror-vim';
export { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
`;
async function packageOf(name) {
  return JSON.parse(await readFile(path.join(modules, name, 'package.json'), 'utf8'));
}

/** Bundles what `contents` exports into one module of static/vendor; returns the packages whose code is in it. */
async function bundle(contents, name, plugins = []) {
  const { metafile } = await build({
    stdin: { contents, resolveDir: root, loader: 'js' },
    outfile: path.join(out, name),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins,
    logLevel: 'warning',
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs)).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return [...new Set(used.map(([file]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]).filter(Boolean))].sort();
}

async function main() {
  await mkdir(out, { recursive: true });
  const xterm = await bundle(ENTRY, 'xterm.js', [strictCsp]);
  const editor = await bundle(EDITOR, 'editor.js');
  await copyFile(require.resolve('@xterm/xterm/css/xterm.css'), path.join(out, 'xterm.css'));
  const htmx = await readFile(path.join(modules, 'htmx.org', 'dist', 'htmx.min.js'), 'utf8');
  await writeFile(path.join(out, 'htmx.js'), htmx.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n'));

  const files = { 'editor.js': editor, 'htmx.js': ['htmx.org'], 'xterm.css': ['@xterm/xterm'], 'xterm.js': xterm };
  const names = [...new Set(Object.values(files).flat())].sort();
  const packages = {};
  let licences = 'Licences of the code in this folder. Written by `make vendor`.\n';
  for (const name of names) {
    const { version, license } = await packageOf(name);
    packages[name] = { version, license };
    const text = await readFile(path.join(modules, name, 'LICENSE'), 'utf8');
    licences += `\n${'='.repeat(100)}\n${name} ${version} (${license})\n${'='.repeat(100)}\n\n${text.trim()}\n`;
  }
  await writeFile(path.join(out, 'versions.json'), `${JSON.stringify({ files, packages }, null, 2)}\n`);
  await writeFile(path.join(out, 'LICENCES.txt'), licences);
}

await main();
