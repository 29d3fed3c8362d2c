/** Files of lines, written in pieces: a file can be larger than what a page may hold at once. */
/** Letters that are handed to the browser at a time. */
const PIECE = 4 * 2 ** 20;

/** A file of lines. `line` is asked for each in turn. */
export function linesBlob(count: number, line: (i: number) => string): Blob {
  const parts: Blob[] = [];
  let text = '';
  for (let i = 0; i < count; i++) {
    text += `${line(i)}\n`;
    if (text.length < PIECE) continue;
    parts.push(new Blob([text]));
    text = '';
  }
  return new Blob([...parts, text]);
}
