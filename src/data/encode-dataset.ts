/** All examples of a dataset -> ids. Rows that cannot be used are left out, with the reason among the problems. */
import { TabtuneError } from '../base/errors';
import type { Encoded } from './loss-mask';
import type { ObjectiveData, TextOptions, UsableExamples } from './objective-data';
import { excerpt, ProblemList } from './problems';
import { exampleKey } from './to-examples';
import type { TextTokenizer } from './tokenizer';
import type { DataProblem, Example, ParsedDataset } from './types';

export interface EncodedDataset extends UsableExamples {
  /** One for each of `examples`. */
  encoded: readonly Encoded[];
  problems: readonly DataProblem[];
}

/** Throws bad_data if no example is of the kind that the objective needs. */
export function encodeDataset(
  dataset: ParsedDataset,
  objective: ObjectiveData,
  options: TextOptions,
  tokenizer: TextTokenizer,
): EncodedDataset {
  const { needs } = objective;
  if (needs && !dataset.examples.some((e) => e.kind === needs.kind)) {
    throw new TabtuneError({
      code: 'bad_data',
      message: needs.message,
      where: dataset.name,
      action: needs.action,
      details: dataset.detected,
    });
  }
  const problems = new ProblemList();
  problems.addAll(objective.warnings?.(dataset.examples, options) ?? []);
  const encoded: Encoded[] = [];
  const examples: Example[] = [];
  const special = tokenizer.specialContents();
  for (const example of dataset.examples) {
    const refused = objective.refuse?.(example);
    if (refused) {
      problems.add(refused);
      continue;
    }
    try {
      encoded.push(objective.encode(example, options, tokenizer).encoded);
      examples.push(example);
    } catch (error) {
      // A chat template refuses this row only; a broken tokeniser affects all of them.
      if (!(error instanceof TabtuneError) || error.where !== 'chat template') throw error;
      problems.add({
        severity: 'error',
        code: 'template_refused',
        row: example.row,
        message: `Row ${example.row} does not fit the model’s chat template: ${excerpt(error.details ?? error.message, 160)}`,
        action: 'It was left out. Change the order or the roles of its messages, or choose another model.',
        dropped: true,
      });
      continue;
    }
    const key = exampleKey(example);
    const found = special.find((token) => token.length > 2 && key.includes(token));
    if (found !== undefined) {
      problems.add({
        severity: 'warning',
        code: 'special_token_in_text',
        row: example.row,
        message: `Row ${example.row} has the model’s special token “${found}” in its text.`,
        action: 'It is read as that token, not as letters. Remove it unless it is meant.',
        dropped: false,
      });
    }
  }
  const labelColumn = dataset.mapping.label ?? 'label';
  return { name: dataset.name, encoded, examples, labelColumn, problems: problems.list() };
}
