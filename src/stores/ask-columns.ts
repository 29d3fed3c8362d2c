/** One prompt for all columns: written, or sorted; and the base with examples of the training data before the prompt. */
import type {
  Answered,
  AskedColumn,
  ColumnAnswer,
  Comparison,
  DataSplit,
  FewShot,
  GenerationOptions,
  KeptPrompt,
  ModelId,
  Shot,
} from '../session/comparison-types';

/** A column as it is drawn: a model, or the base with examples in its prompt. */
export type Column = { model: ModelId; fewShot: boolean };

export interface AskOptions extends Omit<GenerationOptions, 'adapterStrength'> {
  strength: number;
  sorts: boolean;
  /** The columns score an answer, which is what the prompt expects. */
  judges: boolean;
  /** How many examples the base gets. */
  shots: number;
  split: DataSplit | null;
  onText?: (column: number, text: string) => void;
  onFewShot?: (given: FewShot) => void;
  signal: AbortSignal;
}

/** A label is a word or a few. */
const LABEL_TOKENS = 16;
/** With more labels than that, examples are as they come. */
const MOST_LABELS = 20;

/**
 * Examples for a prompt, from what was trained on: never the prompt itself. Where answers are few, as labels are, each of them
 * has its turn.
 */
export function shotsFor(split: DataSplit | null, count: number, prompt: string): Shot[] {
  const all = (split?.trained ?? []).flatMap(({ text, expected }) =>
    expected !== undefined && text !== prompt ? [{ text, expected }] : [],
  );
  const byAnswer = new Map<string, Shot[]>();
  for (const one of all) byAnswer.set(one.expected, [...(byAnswer.get(one.expected) ?? []), one]);
  if (byAnswer.size > MOST_LABELS) return all.slice(0, count);
  const turns = [...byAnswer.values()];
  const longest = Math.max(0, ...turns.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => turns.flatMap((own) => own[i] ?? []))
    .flat()
    .slice(0, count);
}

export async function askColumns(
  comparison: Comparison,
  columns: readonly Column[],
  prompt: KeptPrompt,
  { strength, sorts, judges, shots, split, onText = () => {}, onFewShot, signal, ...options }: AskOptions,
): Promise<Answered> {
  const asked = columns.map(({ model }): AskedColumn => ({ model, strength: model === 'base' ? 0 : strength }));
  const at = columns.findIndex(({ fewShot }) => fewShot);
  const generation = sorts ? { ...options, maxNewTokens: LABEL_TOKENS, temperature: 0 } : options;
  if (at >= 0) {
    const given = await comparison.fewShot(prompt, shotsFor(split, shots, prompt.text), generation.maxNewTokens);
    asked[at] = { ...asked[at]!, shots: given.shots };
    onFewShot?.(given);
  }
  if (!sorts) return comparison.answer(asked, prompt, generation, onText, signal);
  const heads = asked.filter((_, i) => i !== at);
  const { answers: labelled, inTurn } = await comparison.classify(
    heads,
    judges ? { prompt: prompt.text, answer: prompt.expected ?? '' } : prompt.text,
    signal,
  );
  const written = at < 0 ? null : await comparison.answer([asked[at]!], prompt, generation, () => {}, signal);
  const rest = [...labelled];
  // The base writes a label; what it writes after that line is no part of it.
  const labelOf = ({ text, ...one }: ColumnAnswer): ColumnAnswer => ({ ...one, text: text.trim().split('\n')[0]! });
  return { answers: columns.map((_, i) => (i === at ? labelOf(written!.answers[0]!) : rest.shift()!)), inTurn };
}
