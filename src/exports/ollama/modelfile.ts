/** Ollama's Modelfile (ollama/ollama, docs/modelfile.mdx and parser/parser.go). */

export interface ModelfileFacts {
  /** Lines of comment at the top. */
  comments: readonly string[];
  /** A GGUF file beside the Modelfile (`./base.gguf`), or the name of a model. */
  from: string;
  /** A GGUF file beside it. */
  adapter: string | null;
  /** A program of Go's; null leaves it to Ollama. */
  template: string | null;
  /** A system prompt for conversations without one of their own. */
  system: string | null;
  /** Names and numbers of `PARAMETER`; `stop` may be repeated. */
  parameters: readonly (readonly [name: string, value: string | number])[];
  /** The licence's name or text. */
  licence: string | null;
}

export interface Modelfile {
  text: string;
  /** What it does not say, a sentence each. */
  notes: string[];
}

export function modelfile(facts: ModelfileFacts): Modelfile {
  const notes: string[] = [];
  const block = (name: string, value: string | null, what: string): string[] => {
    if (value === null) return [];
    const quoted = quote(value);
    if (quoted !== null) return [`${name} ${quoted}`];
    notes.push(`The Modelfile has no ${what}: it holds characters that a Modelfile has no way to write.`);
    return [];
  };
  const parameters = facts.parameters.flatMap(([name, value]) => {
    const written = typeof value === 'number' ? String(value) : quoteLine(value);
    if (written !== null) return [`PARAMETER ${name} ${written}`];
    notes.push(`The Modelfile leaves out one ${name}, which has characters that a Modelfile has no way to write.`);
    return [];
  });
  const lines = [
    ...facts.comments.map((line) => `# ${line.replace(/[\s\p{Cc}]+/gu, ' ')}`),
    `FROM ${facts.from}`,
    ...(facts.adapter === null ? [] : [`ADAPTER ${facts.adapter}`]),
    ...block('TEMPLATE', facts.template, 'template'),
    ...block('SYSTEM', facts.system, 'system prompt'),
    ...parameters,
    ...block('LICENSE', facts.licence, 'licence'),
  ];
  return { text: `${lines.join('\n')}\n`, notes };
}

/**
 * What Ollama's parser drops or cannot tell from the end: characters that Go does not print (strconv.IsPrint), and three quotation marks at
 * the end of a line.
 */
const LOST = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \t\n]|"""[ \t]*\n/u;

/** As a value of several lines, or null if it cannot be written. */
const quote = (text: string): string | null => (LOST.test(text) ? null : `"""${text}"""`);

const quoteLine = (text: string): string | null => (/["\n]/.test(text) || LOST.test(text) ? quote(text) : `"${text}"`);
