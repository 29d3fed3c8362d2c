/** The text of a config as an object. JSON is read as the YAML that it is, so that both tell the line of a mistake. */
import { LineCounter, parseAllDocuments, type Tags, YAMLError } from 'yaml';
import { TabtuneError } from '../../../base/errors';
import { deeperThan, MOST_DEPTH } from '../../../base/json';
import type { Config } from '../types';

/** Real configs stay below 20 kB; transformers' training arguments have 6. */
const MOST_LETTERS = 1_000_000;

/** Dates and bytes are not among a trainer's settings: what looks like one is a name. */
const NO_SETTINGS = ['timestamp', 'binary', 'omap', 'pairs', 'set'];

const withoutSpecials = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === 'string' || !NO_SETTINGS.some((name) => tag.tag.endsWith(`:${name}`)));

const bad = (message: string, where: string | undefined, action: string, cause?: unknown) =>
  TabtuneError.from(cause ?? new Error(message), { code: 'bad_recipe', message, where, action });

const REPAIR = 'Correct the file, or choose another.';

/** Throws bad_recipe with the line of what is wrong. */
export function parseConfig(text: string): Config {
  if (text.length > MOST_LETTERS) {
    throw bad('It has more than a million letters, and a config has a few thousand.', undefined, REPAIR);
  }
  if (deeperThan(text, MOST_DEPTH)) throw bad(`It is nested more than ${MOST_DEPTH} levels deep.`, undefined, REPAIR);
  const lines = new LineCounter();
  let value: unknown;
  try {
    // Trainers read YAML 1.1: `yes` is true there.
    const documents = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
      version: '1.1',
      lineCounter: lines,
      prettyErrors: false,
      customTags: withoutSpecials,
      logLevel: 'error',
    });
    if (!Array.isArray(documents) || documents.length === 0) {
      throw bad('It is empty.', undefined, 'Choose the config of a trainer.');
    }
    if (documents.length > 1) {
      const start = documents[1]!.range[0];
      throw bad(
        'It holds several documents, divided by ---, and a config is one.',
        `line ${lines.linePos(start).line}`,
        'Keep the one that is meant.',
      );
    }
    const [document] = documents;
    const [error] = document!.errors;
    if (error) throw error;
    value = document!.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    if (cause instanceof TabtuneError) throw cause;
    if (cause instanceof YAMLError) {
      const { line } = lines.linePos(cause.pos[0]);
      throw bad(
        `It is neither YAML nor JSON: ${cause.message.split('\n')[0]!.replace(/[.:]?$/, '.')}`,
        `line ${line}`,
        REPAIR,
        cause,
      );
    }
    // Aliases without end, or a stack that ran out.
    throw bad('It cannot be read: it refers to itself, or is nested too deeply.', undefined, REPAIR, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(
      'It is no list of settings with names and values.',
      undefined,
      'Choose the YAML or JSON file that the trainer was started with.',
    );
  }
  return value as Config;
}
