/** Text of strangers in the parts of a model card: YAML, Markdown, a command line. */

/** A YAML double-quoted scalar; JSON strings are a subset of those. */
export const yaml = (text: string): string => JSON.stringify(text);

/** Escapes text for a line of Markdown, so that nothing in it becomes markup, a table cell or a new line. */
export function markdown(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').replace(/[\\`*_{}[\]<>()#+!|~&$]/g, '\\$&');
}

/** A Markdown code span around `text`, whatever backticks it contains. */
export function code(text: string): string {
  const plain = text.replace(/[\s\p{Cc}]+/gu, ' ');
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${plain} ${fence}` : `\`${plain}\``;
}

/** A word of a shell's command line. */
export const shellWord = (text: string): string =>
  /^[\w./@:+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
