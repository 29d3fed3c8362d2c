/** Whether the answer is JSON, and what a schema asks for. */
import { parseUntrusted } from '../base/json';
import { afterThoughts } from './answer-text';
import { NO_COLUMNS, type RewardCommon, type RewardDescriptor, ZERO_TO_ONE } from './reward';

export interface JsonValid extends RewardCommon {
  type: 'json_valid';
  schema: string;
  fenced: boolean;
  partial: number;
}

const FENCE = /```[^\S\n]*(?:json)?[^\S\n]*\n(.*?)\n?```/is;

/** The JSON of an answer: what stands between the first fence and the next, or all of it. */
function jsonOf(completion: string, fenced: boolean): { value: unknown } | null {
  const answer = afterThoughts(completion);
  const text = (fenced && FENCE.exec(answer)?.[1]) || answer;
  try {
    return { value: parseUntrusted(text) };
  } catch {
    return null;
  }
}

export const jsonValid: RewardDescriptor<JsonValid> = {
  type: 'json_valid',
  label: 'Valid JSON',
  text: 'Gives 1 if the answer is JSON and matches a schema, if there is one, and 0 otherwise.',
  runs: 'worker',
  range: ZERO_TO_ONE,
  columns: NO_COLUMNS,
  fields: {
    schema: {
      kind: 'code',
      language: 'json',
      label: 'JSON schema',
      help: 'Draft 2020-12. Empty: any JSON will do.',
      default: '',
      source: 'ours',
    },
    fenced: {
      kind: 'bool',
      label: 'Look inside a fence',
      help: 'An answer may put its JSON between lines of ```.',
      default: true,
      source: 'ours',
    },
    partial: {
      kind: 'number',
      label: 'For JSON of another shape',
      help: 'What JSON is worth that does not match the schema.',
      default: 0,
      min: 0,
      max: 1,
      step: 0.1,
      source: 'ours',
    },
  },
  *problems({ schema }) {
    if (schema.trim() === '') return;
    try {
      const value = parseUntrusted(schema);
      if (typeof value !== 'boolean' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
        yield { key: 'schema', message: 'must be an object, as JSON schemas are.' };
      }
    } catch (cause) {
      yield { key: 'schema', message: `is not JSON (${cause instanceof Error ? cause.message : cause}).` };
    }
  },
  scorer: async ({ schema, fenced, partial }) => {
    if (schema.trim() === '') return ({ completion }) => (jsonOf(completion, fenced) ? 1 : 0);
    const { schemaCheck } = await import('./json-schema');
    const fits = schemaCheck(schema);
    return ({ completion }) => {
      const json = jsonOf(completion, fenced);
      if (!json) return 0;
      return fits(json.value) ? 1 : partial;
    };
  },
};
