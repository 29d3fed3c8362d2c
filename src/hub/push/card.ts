/**
 * README.md as the Hub accepts it: it refuses a whole commit for one field of the card's front matter, such as a base model that is no
 * model of the Hub, or a licence that is not on its list.
 */
import { TabtuneError } from '../../base/errors';

/** What the Hub says against a card, a sentence each; null if it does not say. */
export type JudgeCard = (content: string) => Promise<string[] | null>;

interface Card {
  /** Of the front matter. */
  lines: string[];
  rest: string;
}

const MOST_CHANGES = 6;

function parse(text: string): Card | null {
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  return match ? { lines: match[1]!.split(/\r?\n/), rest: text.slice(match[0].length) } : null;
}

const write = ({ lines, rest }: Card): string => `---\n${lines.join('\n')}\n---\n${rest}`;

/** A field's own line and those that belong to it: a list or an indented block. */
function fieldAt(lines: readonly string[], name: string): [start: number, end: number] | null {
  const start = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (start < 0) return null;
  let end = start + 1;
  while (end < lines.length && /^(\s|-)/.test(lines[end]!)) end++;
  return [start, end];
}

function withField(lines: readonly string[], name: string, value: string[]): string[] {
  const found = fieldAt(lines, name);
  return found ? [...lines.slice(0, found[0]), ...value, ...lines.slice(found[1])] : [...lines];
}

function plainValue(lines: readonly string[], name: string): string | null {
  const found = fieldAt(lines, name);
  if (!found || found[1] !== found[0] + 1) return null;
  return lines[found[0]]!.slice(name.length + 1)
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
}

const withoutBase = (lines: readonly string[]): string[] =>
  withField(lines, 'base_model', []).filter(
    (line) => !/^- ["']?base_model:/.test(line) && !line.startsWith('base_model_relation:'),
  );

/** Changes a card until the Hub accepts it. Throws `access` if it cannot be made to. */
export async function fitCard(text: string, judge: JudgeCard): Promise<{ text: string; notes: string[] }> {
  const card = parse(text);
  if (!card) return { text, notes: [] };
  const notes: string[] = [];
  const base = plainValue(card.lines, 'base_model');
  // A folder or a built-in model: as a name it would be that of another model of the Hub, or of none.
  if (base !== null && !/^[\w.-]+\/[\w.-]+$/.test(base)) {
    card.lines = withoutBase(card.lines);
    notes.push(
      `The card names “${base}” in its text only: it is no model of the Hub that the field base_model could link to.`,
    );
  }
  const licence = plainValue(card.lines, 'license');
  if (licence !== null)
    card.lines = withField(card.lines, 'license', [`license: ${JSON.stringify(licence.toLowerCase())}`]);

  for (let changes = 0; ; changes++) {
    const errors = await judge(write(card));
    if (errors === null || errors.length === 0) return { text: write(card), notes };
    const field = /"([a-z_]+)[."[]/.exec(errors[0]!)?.[1];
    const fixed = changes < MOST_CHANGES && field !== undefined ? without(card.lines, field, notes) : null;
    if (!fixed) {
      throw new TabtuneError({
        code: 'access',
        message: 'The Hub does not accept the model card.',
        where: 'README.md',
        action: 'Save the export to your disk, correct the front matter of README.md, and send it with hf upload.',
        details: errors.join('\n'),
      });
    }
    card.lines = fixed;
  }
}

/** The card without what the Hub refuses in a field; null if the field is not there. */
function without(lines: readonly string[], field: string, notes: string[]): string[] | null {
  if (!fieldAt(lines, field)) return null;
  const value = plainValue(lines, field);
  if (field === 'license' && value !== null && value !== 'other') {
    notes.push(`The Hub’s list of licences has no “${value}”, so the card says “other” with that name.`);
    const name = value.replace(/[^\w.-]+/g, '-');
    return withField(lines, field, ['license: other', `license_name: ${JSON.stringify(name)}`]);
  }
  notes.push(
    `The Hub did not accept the card’s field ${field}${value === null ? '' : ` (“${value}”)`}, so it was left out.`,
  );
  return field === 'base_model' ? withoutBase(lines) : withField(lines, field, []);
}
