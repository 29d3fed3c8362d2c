/**
 * Examples -> ids, by what is to be learned of them: answers (sft), every next token (pretraining), the label of a text or of
 * each word (classification), hidden tokens (masked_lm). Nothing is cut here, so that other limits need no second pass.
 */
import { TabtuneError } from '../base/errors';
import type { ObjectiveSection, ObjectiveType } from '../recipe/types';
import { checkIds, type Encoded, encodeRendered } from './encode';
import { encodeWords, firstOfWords } from './encode-words';
import { excerpt, ProblemList } from './problems';
import { type RenderOptions, renderExample } from './render';
import { exampleKey } from './to-examples';
import type { DatasetInput } from './tokenize';
import type { TextTokenizer } from './tokenizer';
import type { Example, ParsedDataset } from './types';

/** What of an example is text by itself, with neither question nor answer. */
function plainText(example: Example): string | null {
  if (example.kind === 'text' || example.kind === 'labelled') return example.text;
  return example.kind === 'tagged' ? example.tokens.join(' ') : null;
}

export interface EncodedExample {
  /** As the model reads it, for the screen. */
  rendered: string;
  encoded: Encoded;
}

/** One example for an objective. Throws bad_model, and bad_data where the example is of no use to it. */
export function encodeExample(
  example: Example,
  objective: ObjectiveSection,
  options: RenderOptions,
  tokenizer: TextTokenizer,
): EncodedExample {
  const { row } = example;
  switch (objective.type) {
    case 'sft': {
      const rendered = renderExample(example, options);
      return { rendered: rendered.text, encoded: encodeRendered(row, rendered, tokenizer) };
    }
    case 'pretraining': {
      const text = plainText(example);
      const rendered = renderExample(text === null ? example : { kind: 'text', row, text }, options);
      return { rendered: rendered.text, encoded: encodeRendered(row, { ...rendered, spans: 'all' }, tokenizer) };
    }
    case 'masked_lm': {
      const text = plainText(example) ?? renderExample(example, options).text;
      const encoded = encodeAround(row, text, tokenizer);
      const trained = new Uint8Array(encoded.ids.length).fill(1, encoded.before, encoded.ids.length - encoded.behind);
      return { rendered: text, encoded: { ...encoded, trained } };
    }
    case 'sequence_classification': {
      if (example.kind !== 'labelled') throw unfit(row, 'a label');
      const encoded = encodeAround(row, example.text, tokenizer);
      return { rendered: example.text, encoded };
    }
    case 'token_classification': {
      if (example.kind !== 'tagged') throw unfit(row, 'a tag for each word');
      const { ids, words } = encodeWords(example.tokens, tokenizer);
      const { before, behind } = tokenizer.around;
      const encoded: Encoded = {
        row,
        ids,
        trained: firstOfWords(words),
        words,
        before: before.length,
        behind: behind.length,
      };
      return { rendered: example.tokens.join(' '), encoded };
    }
  }
  objective satisfies never;
}

/** A text with the special tokens that the tokenizer puts around one, none of it learned. */
export function encodeAround(row: number, text: string, tokenizer: TextTokenizer): Encoded & Around {
  const { before, behind } = tokenizer.around;
  const ids = [...before, ...tokenizer.encode(text, false).ids, ...behind];
  checkIds(ids, tokenizer);
  const trained = new Uint8Array(ids.length);
  return { row, ids: Int32Array.from(ids), trained, before: before.length, behind: behind.length };
}

interface Around {
  before: number;
  behind: number;
}

function unfit(row: number, what: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message: `Row ${row} has no label to learn: this objective needs ${what}.`,
    where: `row ${row}`,
    action: 'Choose a dataset with labels, map the columns, or choose another objective.',
  });
}

const NEEDS: Partial<Record<ObjectiveType, { kind: Example['kind']; message: string; action: string }>> = {
  sequence_classification: {
    kind: 'labelled',
    message: 'Classifying texts needs a label for each of them, and this dataset has none.',
    action: 'Map the columns of the text and its label, or choose another objective.',
  },
  token_classification: {
    kind: 'tagged',
    message: 'Classifying words needs a tag for each of them, and this dataset has none.',
    action: 'Use rows of tokens and tags or a CoNLL file, or choose another objective.',
  },
};

/** All examples of a dataset. Throws bad_data when they are not of the kind that the objective needs. */
export function encodeAll(
  dataset: ParsedDataset,
  objective: ObjectiveSection,
  options: RenderOptions,
  tokenizer: TextTokenizer,
): DatasetInput {
  const need = NEEDS[objective.type];
  if (need && !dataset.examples.some((e) => e.kind === need.kind)) {
    throw new TabtuneError({
      code: 'bad_data',
      message: need.message,
      where: dataset.name,
      action: need.action,
      details: dataset.detected,
    });
  }
  const problems = new ProblemList();
  fileProblems(dataset.examples, objective, options, problems);
  const encoded: Encoded[] = [];
  const examples: Example[] = [];
  const special = tokenizer.specialContents();
  for (const example of dataset.examples) {
    // An empty list of labels is an answer to one objective only.
    if (objective.type === 'sft' && example.kind === 'labelled' && [example.labels].flat().length === 0) {
      problems.add({
        severity: 'error',
        code: 'empty_label',
        row: example.row,
        message: `Row ${example.row} has no label to answer with.`,
        action: 'It was left out. Give it a label, or choose classification with several labels.',
        dropped: true,
      });
      continue;
    }
    try {
      encoded.push(encodeExample(example, objective, options, tokenizer).encoded);
      examples.push(example);
    } catch (error) {
      // The template's refusal concerns this row; a broken tokenizer concerns them all.
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

function fileProblems(
  examples: readonly Example[],
  objective: ObjectiveSection,
  { template, eosToken }: RenderOptions,
  problems: ProblemList,
): void {
  const writes = objective.type === 'sft' || objective.type === 'pretraining';
  if (template === null && (writes || objective.type === 'masked_lm') && examples.some((e) => e.kind === 'messages')) {
    problems.add({
      severity: 'warning',
      code: 'no_chat_template',
      message: 'This model has no chat template: it was not made for conversations.',
      action: 'They are written as “User: …” and “Assistant: …”. An instruct model learns chats better.',
      dropped: false,
    });
  }
  if (writes && template === null && eosToken === null) {
    problems.add({
      severity: 'warning',
      code: 'no_eos',
      message: 'This model’s tokenizer has no end-of-text token.',
      action: 'The model cannot learn where to stop; its answers go on until they are cut.',
      dropped: false,
    });
  }
}
