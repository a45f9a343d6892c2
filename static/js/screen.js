/* Where text lies on a terminal of some width: pure. Used to draw the line being edited below the output, and to erase it again. */

/** How a character of a command line is shown: control characters as ^X. */
function shown(char) {
  const code = char.codePointAt(0);
  if (code < 0x20) return `^${String.fromCharCode(code + 64)}`;
  if (code === 0x7f) return '^?';
  return char;
}

/**
 * Lays out `parts` from column `startCol` (less than `cols`) of a terminal of `cols` columns.
 *
 * A part is {text, on, off, cursor}: `on` and `off` are colour sequences around it; `cursor` (an index in code points) says that the cursor
 * stands there. Returns {data, row, endRow, col}: the characters to write, and where the cursor belongs, in rows below the first.
 * "\n" in a text is a new row. A row that is exactly full is wrapped by a space and a backspace, as readline does, so that the
 * cursor's place is never in doubt.
 */
export function layOut(parts, cols, startCol, width) {
  let data = '';
  let row = 0;
  let col = startCol;
  let cursor = null;
  const wrap = () => {
    data += ' \b';
    row += 1;
    col = 0;
  };
  for (const part of parts) {
    data += part.on ?? '';
    const chars = Array.from(part.text);
    for (let i = 0; i <= chars.length; i += 1) {
      if (part.cursor === i) cursor = [row, col];
      if (i === chars.length) break;
      if (chars[i] === '\n') {
        data += '\r\n';
        row += 1;
        col = 0;
        continue;
      }
      for (const char of shown(chars[i])) {
        const w = width(char.codePointAt(0));
        if (col + w > cols) {
          if (part.cursor === i && cursor[0] === row && cursor[1] === col) cursor = [row + 1, 0];
          row += 1;
          col = 0;
        }
        data += char;
        col += w;
        if (col >= cols) {
          /* full: settle on the next row now, so that nothing depends on the terminal's pending wrap */
          wrap();
        }
      }
    }
    data += part.off ?? '';
  }
  const [toRow, toCol] = cursor ?? [row, col];
  return { data, row: toRow, endRow: row, col: toCol };
}

/** The sequence that takes the cursor from where `layOut` ended to where it belongs. */
export function placeCursor({ row, endRow, col }) {
  const up = endRow - row;
  return `${up ? `\x1b[${up}A` : ''}\r${col ? `\x1b[${col}C` : ''}`;
}

/** The sequence that erases what was laid out, from the cursor's place, and returns to `startCol`. */
export function eraseLaidOut({ row }, startCol) {
  return `${row ? `\x1b[${row}A` : ''}\r${startCol ? `\x1b[${startCol}C` : ''}\x1b[J`;
}

/** Words in columns, as a shell lists completions. */
export function inColumns(words, cols, width, limit = 12) {
  const measure = (w) => Array.from(w).reduce((sum, c) => sum + width(c.codePointAt(0)), 0);
  const widest = Math.min(cols, Math.max(...words.map(measure)) + 2);
  const perRow = Math.max(1, Math.floor(cols / widest));
  const rows = Math.ceil(words.length / perRow);
  const lines = [];
  for (let r = 0; r < Math.min(rows, limit); r += 1) {
    let line = '';
    for (let c = 0; c < perRow; c += 1) {
      const item = words[c * rows + r];
      if (item !== undefined) line += item + ' '.repeat(Math.max(0, widest - measure(item)));
    }
    lines.push(line.trimEnd());
  }
  return { lines, hidden: rows > limit ? words.length - lines.length * perRow : 0 };
}
