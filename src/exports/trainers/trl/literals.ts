/** JSON values as Python and YAML, and text wrapped into comments. */
import type { Json } from './part';

/** A Python expression. JSON's strings are Python's too. */
export function pythonLiteral(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** A YAML value on one line. YAML 1.1 takes 1e-7 for a string, and 1.0e-7 for a number. */
export function yamlValue(value: Json): string {
  if (typeof value === 'number') return JSON.stringify(value).replace(/^(-?\d+)e/, '$1.0e');
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${yamlValue(item)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

const WIDTH = 120;

/** Text as comment lines; `first` begins the first line and spaces the others. */
export function comment(text: string, first = ''): string[] {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = `# ${first}`;
  let empty = true;
  // Whatever a name contains, it stays in the comment.
  for (const word of text.split(/[\s\p{Cc}]+/u).filter((part) => part !== '')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `# ${indent}`;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}
