/** How objectives that learn from answers to compare, or from prompts, prepare their data: tokens, masks and limits as TRL has them. */
import { promptOf } from './as-preference';
import { exampleAs } from './example-kinds';
import { checkIds, type Encoded, tokensIn } from './loss-mask';
import { writingWarnings } from './model-warnings';
import type { EncodedExample, ObjectiveData, TextOptions } from './objective-data';
import { RowRefused } from './row-refused';
import type { TextTokenizer } from './tokenizer';
import type { DataProblem, Example, JudgedExample, PairExample, TokenizedExample, Turns } from './types';

export interface AnswerOptions {
  /**
   * EOS is put behind every answer that does not end with it, after a chat template too, and BOS before every text, as TRL's CPO and
   * ORPO do. Otherwise a template ends its answers itself, and EOS is behind plain text only.
   */
  alwaysEos?: boolean;
}

export interface PairOptions extends AnswerOptions {
  /**
   * The text as a whole is judged, as by a reward model: no answer is told from its prompt, and a pair above the limit is left out,
   * because half a text would be judged. Otherwise the ends of long answers are cut off.
   */
  wholeTexts?: boolean;
}

/** Two answers to a prompt: DPO, ORPO, CPO, reward models. */
export function pairData({ alwaysEos = false, wholeTexts = false }: PairOptions = {}): ObjectiveData {
  return {
    needs: {
      kind: 'pair',
      message:
        'Learning from comparisons needs two answers to each prompt, of which one is better, and this dataset has none.',
      action: 'Map the columns “chosen” and “rejected”, or choose another objective.',
    },
    counts: wholeTexts ? 'rows' : 'shifted',
    longTexts: wholeTexts ? 'left_out' : 'truncated',
    warnings: writingWarnings,
    refuse: (example) => (example.kind === 'pair' ? null : unfit(example, 'two answers to compare')),
    encode(example, options, tokenizer) {
      const { prompt, chosen, rejected } = pairIn(example);
      return encodeAnswers(example.row, prompt, [chosen, rejected], options, tokenizer, { alwaysEos, wholeTexts });
    },
    label: ({ examples }) => ({
      task: null,
      problems: [],
      tokenize(encoded, i, { maxLength }) {
        if (wholeTexts && tokensIn(encoded) > maxLength) return pairTooLong(encoded, maxLength);
        const refused = promptTooLong(encoded, maxLength);
        return refused ?? [pairOf(encoded, examples[i]!, maxLength)];
      },
    }),
    splitKey: promptKey,
  };
}

const pairIn = (example: Example) => exampleAs(example, 'pair', 'two answers to compare');

function pairOf(encoded: Encoded, example: Example, maxLength: number): PairExample {
  const { row, ids, promptLength = 0, rejected } = encoded;
  const other = rejected!.promptLength;
  return {
    kind: 'pair',
    row,
    ids: ids.slice(0, maxLength),
    rejected: rejected!.ids.slice(0, maxLength),
    promptLength,
    ...(other !== promptLength && { rejectedPromptLength: other }),
    margin: example.kind === 'pair' ? (example.margin ?? 0) : 0,
    truncatedBy: Math.max(0, tokensIn(encoded) - maxLength),
  };
}

/** Answers that are good or bad: KTO. Of a pair, the better one is good and the other bad. */
export function judgedData(): ObjectiveData {
  return {
    needs: {
      kind: ['judged', 'pair'],
      message: 'Learning from judged answers needs answers that are marked as good or bad, and this dataset has none.',
      action: 'Map the columns “completion” and “label”, or choose another objective.',
    },
    counts: 'shifted',
    longTexts: 'truncated',
    warnings: (examples, options) => [...unpaired(examples), ...writingWarnings(examples, options)],
    refuse: ({ kind, row }) => (kind === 'judged' || kind === 'pair' ? null : unfit({ row }, 'a judged answer')),
    encode(example, options, tokenizer) {
      const { row } = example;
      if (example.kind === 'judged') {
        return encodeAnswers(row, example.prompt, [example.completion], options, tokenizer, {});
      }
      const { prompt, chosen, rejected } = pairIn(example);
      return encodeAnswers(row, prompt, [chosen, rejected], options, tokenizer, { apart: true });
    },
    label: ({ examples }) => ({
      task: null,
      problems: [],
      tokenize(encoded, i, { maxLength }) {
        const example = examples[i]!;
        const { row, ids, promptLength = 0, rejected } = encoded;
        const first = { row, ids, promptLength, good: example.kind === 'judged' ? example.good : true };
        const answers = [first, ...(rejected ? [{ row, ...rejected, good: false }] : [])];
        return promptTooLong(encoded, maxLength) ?? answers.map((answer) => judgedOf(answer, maxLength));
      },
    }),
    splitKey: promptKey,
    shownLabel: (example) =>
      example.kind !== 'judged' ? 'the first is good, the other bad' : example.good ? 'good' : 'bad',
    arrange: goodOnesFirst,
  };
}

function judgedOf(answer: Pick<JudgedExample, 'row' | 'ids' | 'promptLength' | 'good'>, limit: number): JudgedExample {
  const { ids, promptLength } = answer;
  // As much of it as fits behind the shortest prompt.
  const beyond = ids.slice(limit, promptLength + limit);
  return {
    kind: 'judged',
    ...answer,
    ids: ids.slice(0, limit),
    limit,
    ...(beyond.length > 0 && { beyond }),
    truncatedBy: Math.max(0, ids.length - limit),
  };
}

/** TRL unpairs so many rows at once. */
const UNPAIRED_AT_ONCE = 1000;

/**
 * As TRL orders the answers of pairs: the better ones of a thousand rows, then the others. Side by side, the two answers to a prompt
 * would be each other's mismatched one.
 */
function goodOnesFirst(pieces: readonly TokenizedExample[][]): TokenizedExample[] {
  const out: TokenizedExample[] = [];
  for (let start = 0; start < pieces.length; start += UNPAIRED_AT_ONCE) {
    const part = pieces.slice(start, start + UNPAIRED_AT_ONCE);
    for (const [first] of part) if (first) out.push(first);
    for (const [, ...others] of part) out.push(...others);
  }
  return out;
}

function unpaired(examples: readonly Example[]): DataProblem[] {
  const pairs = examples.reduce((sum, { kind }) => sum + (kind === 'pair' ? 1 : 0), 0);
  if (pairs === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'pairs_taken_apart',
      message: `${pairs === 1 ? 'A pair of answers is' : `${pairs.toLocaleString('en')} pairs of answers are`} learned as single answers: each better one is good, each other one bad.`,
      action: 'Choose an objective that compares answers to learn from the pairs as pairs.',
      dropped: false,
    },
  ];
}

export interface PromptOptions {
  /** The most tokens of an answer: a prompt must leave room for them in what the model can read. */
  answerTokens: number;
}

/** Prompts that the model answers itself: GRPO and its kin. The prompts of any examples with one will do. */
export function promptData({ answerTokens }: PromptOptions): ObjectiveData {
  return {
    needs: {
      kind: ['prompt', 'prompt_completion', 'messages', 'labelled', 'pair', 'judged'],
      message: 'Learning from rewards needs prompts, and this dataset has none.',
      action: 'Map the column “prompt”, or choose another objective.',
    },
    counts: 'rows',
    longTexts: 'left_out',
    warnings: (examples, options) => [...promptsOnly(examples), ...writingWarnings(examples, options)],
    refuse: (example) => (promptOf(example) ? null : unfit(example, 'a prompt')),
    encode(example, options, tokenizer) {
      const { prompt } = promptOf(example)!;
      const { prompt: rendered, addSpecialTokens, notes } = options.renderAnswers(prompt, [], options);
      const { ids } = tokenizer.encodeOnce(rendered, addSpecialTokens);
      checkIds(ids, tokenizer);
      const trained = new Uint8Array(ids.length);
      return { rendered, encoded: { row: example.row, ids: Int32Array.from(ids), trained }, notes };
    },
    label: ({ examples }) => ({
      task: null,
      problems: [],
      tokenize({ row, ids }, i, { maxLength, contextLength }) {
        if (ids.length === 0) return [];
        const room = contextLength - answerTokens;
        const most = Math.min(maxLength, room);
        if (ids.length > most) return noRoom(row, ids.length, most, maxLength <= room ? null : answerTokens);
        return [{ kind: 'prompt', row, ids: ids.slice(), truncatedBy: 0, ...promptOf(examples[i]!)! }];
      },
    }),
    splitKey: promptKey,
  };
}

function promptsOnly(examples: readonly Example[]): DataProblem[] {
  const others = examples.filter((example) => example.kind !== 'prompt' && promptOf(example));
  if (others.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'prompts_only',
      message: `${others.length === 1 ? 'One example has' : `${others.length.toLocaleString('en')} examples have`} an answer, which is not learned: the model answers the prompt itself.`,
      action: 'Rewards can compare with it: it is their column “answer” (“chosen” and “rejected” of a pair).',
      dropped: false,
    },
  ];
}

interface How extends AnswerOptions {
  wholeTexts?: boolean;
  /** Each answer begins where it differs from the prompt, whatever the other does. */
  apart?: boolean;
}

/** Throws RowRefused for an answer without a token. */
function encodeAnswers(
  row: number,
  prompt: Turns,
  answers: readonly Turns[],
  options: TextOptions,
  tokenizer: TextTokenizer,
  { alwaysEos = false, wholeTexts = false, apart = alwaysEos }: How,
): EncodedExample {
  const { prompt: alone, wholes, addSpecialTokens, notes } = options.renderAnswers(prompt, answers, options);
  const encode = (text: string) => {
    const { ids } = tokenizer.encodeOnce(text, addSpecialTokens && !alwaysEos);
    checkIds(ids, tokenizer);
    return ids;
  };
  // The old code of CPO and ORPO compares letters first.
  const promptIds = encode(alwaysEos ? wholes.reduce(commonStart, alone) : alone);
  const sequences = wholes.map((text) => {
    const ids = encode(text);
    const promptLength = wholeTexts ? 0 : commonLength(promptIds, ids);
    return alwaysEos ? withEnds({ ids, promptLength }, tokenizer) : { ids, promptLength };
  });
  const least = Math.min(...sequences.map(({ promptLength }) => promptLength));
  const [first, second] = sequences.map(({ ids, promptLength }) => ({
    ids: Int32Array.from(ids),
    promptLength: apart ? promptLength : least,
  }));
  if ([first, second].some((sequence) => sequence && sequence.ids.length <= sequence.promptLength)) throw NO_ANSWER;
  const shorter = !wholeTexts && !alwaysEos && least < promptIds.length;
  const trained = new Uint8Array(first!.ids.length);
  if (!wholeTexts) trained.fill(1, first!.promptLength);
  return {
    rendered: wholes[0]!,
    ...(second && { rejected: wholes[1]! }),
    encoded: { row, ...first!, trained, ...(second && { rejected: second }) },
    notes: shorter ? [...notes, 'prompt_differs'] : notes,
  };
}

const NO_ANSWER = new RowRefused(
  'no_answer',
  'has an answer of which no token is left once it is formatted for this model',
  'Give it an answer.',
);

function withEnds({ ids, promptLength }: { ids: number[]; promptLength: number }, tokenizer: TextTokenizer) {
  const bos = tokenizer.idOf(tokenizer.special.bos_token);
  const eos = tokenizer.eosTokenId;
  const before = bos !== null && ids[0] !== bos ? [bos] : [];
  const behind = eos !== null && ids.at(-1) !== eos ? [eos] : [];
  return { ids: [...before, ...ids, ...behind], promptLength: promptLength + before.length };
}

function commonLength<T>(one: ArrayLike<T>, other: ArrayLike<T>): number {
  let n = 0;
  while (n < one.length && n < other.length && one[n] === other[n]) n++;
  return n;
}

const commonStart = (one: string, other: string) => one.slice(0, commonLength(one, other));

/** Examples with one prompt stay on one side of the split, so that no held-out prompt is trained on. */
const promptKey = (example: Example) => JSON.stringify(promptOf(example)?.prompt ?? null);

const unfit = ({ row }: Pick<Example, 'row'>, what: string): DataProblem => ({
  severity: 'error',
  code: 'wrong_shape',
  row,
  message: `Row ${row} does not have ${what}, which this objective learns from.`,
  action: 'It was left out. Give it what it lacks, or choose another objective.',
  dropped: true,
});

const leftOut = (row: number, code: string, message: string, action: string): DataProblem => ({
  severity: 'error',
  code,
  row,
  message: `Row ${row} ${message}`,
  action: `It was left out. ${action}`,
  dropped: true,
});

function promptTooLong({ row, promptLength = 0, rejected }: Encoded, maxLength: number): DataProblem | null {
  const tokens = Math.max(promptLength, rejected?.promptLength ?? 0);
  if (tokens < maxLength) return null;
  return leftOut(
    row,
    'prompt_too_long',
    `has a prompt of ${tokens} tokens, and the limit of ${maxLength} leaves no room for an answer.`,
    'Raise max_length or shorten the prompt.',
  );
}

const pairTooLong = (encoded: Encoded, maxLength: number): DataProblem =>
  leftOut(
    encoded.row,
    'pair_too_long',
    `has ${tokensIn(encoded)} tokens with the longer of its answers, more than the limit of ${maxLength}, and only whole texts can be judged.`,
    'Raise max_length or shorten it.',
  );

function noRoom(row: number, tokens: number, most: number, answer: number | null): DataProblem {
  const why = answer === null ? 'the limit' : `an answer of ${answer} leaves room for`;
  const message = `has a prompt of ${tokens} tokens, more than ${why} (${most}).`;
  return leftOut(
    row,
    'prompt_too_long',
    message,
    answer === null ? 'Raise max_length or shorten it.' : 'Shorten it, or let answers be shorter.',
  );
}
