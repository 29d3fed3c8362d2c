/** Whether the open model is up to what the data ask, and which model of the shelf would be. */
import { preferenceTexts } from '../../../data/preference-parts';
import type { Example, ParsedDataset, TokenizedDataset } from '../../../data/types';
import type { PrecisionPlan, ShelfModel } from '../../../hub/descriptions';
import { objectiveOf } from '../../../objectives';
import type { Recipe } from '../../../recipe/types';
import type { DeviceReport, Forecast, ModelInfo } from '../../../session/api';
import { isModelOf } from '../../../stores/hub';

/**
 * Below this, a model that writes has only learned to continue the simple texts that it was trained on. TinyStories (Eldan
 * and Li, 2023) has models of up to 33M parameters, which write fluent stories for children and nothing else; the smallest
 * open model that answers questions, SmolLM2, has 135M.
 */
export const TINY = 50e6;

/**
 * A tokenizer that knows the words of a text needs about 1.3 tokens for each of them (OpenAI's rule of thumb: 100 tokens
 * are 75 words). Twice as many mean that it spells.
 */
const SPELLS = 2.6;

/** As many examples tell how many tokens a word takes. */
const SAMPLE = 500;

export interface TooSmall {
  parameters: number;
  /** Tokens per word of the data, where the vocabulary does not know the words; otherwise null. */
  spells: number | null;
  /** Examples that are longer than the model can read. */
  cut: number;
  contextLength: number;
}

export interface Offer {
  card: ShelfModel;
  /** In four bits if that is possible: what QLoRA trains on, a quarter of the memory. */
  plan: PrecisionPlan | undefined;
  /** Seconds of training, judged by the pace of the open model; null as long as that is not measured. */
  trainSeconds: number | null;
  /** Seconds to download, by the speed that the browser reports; null where it reports none. */
  downloadSeconds: number | null;
}

export interface AdviceInputs {
  recipe: Recipe;
  model: Pick<ModelInfo, 'source' | 'kind' | 'parameters' | 'contextLength'> | null;
  dataset: Pick<ParsedDataset, 'examples'> | null;
  tokens: Pick<TokenizedDataset, 'stats'> | null;
  forecast: Pick<Forecast, 'seconds'> | null;
  device: Pick<DeviceReport, 'available' | 'software'> | null;
  shelf: ShelfModel[];
  online: boolean;
  /** Megabits a second, as browsers report it (NetworkInformation.downlink). */
  downlink: number | null;
}

const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

function textOf(example: Example): string {
  switch (example.kind) {
    case 'messages':
      return example.messages.map(({ content }) => content).join(' ');
    case 'prompt_completion':
      return `${example.prompt} ${example.completion}`;
    case 'tagged':
      return example.tokens.join(' ');
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceTexts(example).join(' ');
    default:
      return example.text;
  }
}

/** Tokens per word, over a sample of the examples; 0 without words, as in scripts that have no spaces between them. */
export function tokensPerWord(examples: readonly Example[], { tokens, examples: count }: TokenizedDataset['stats']) {
  const every = Math.max(1, Math.floor(examples.length / SAMPLE));
  const sample = examples.filter((_, i) => i % every === 0);
  const counted = sample.reduce((sum, example) => sum + words(textOf(example)), 0);
  const perExample = counted / Math.max(1, sample.length);
  // Fewer than two words an example are no text to judge by.
  return perExample < 2 || count === 0 ? 0 : tokens / count / perExample;
}

/** Null where the model is up to it: it is large enough, or what it learns is to sort. */
export function tooSmall({ recipe, model, dataset, tokens }: AdviceInputs): TooSmall | null {
  if (!model || !dataset || !tokens) return null;
  // What comes with the model was written for it.
  const own = recipe.dataset.source.startsWith('file:');
  if (!own || !isTiny(model) || !objectiveOf(recipe.objective).writes) return null;
  const { stats } = tokens;
  const perWord = tokensPerWord(dataset.examples, stats);
  return {
    parameters: model.parameters,
    spells: perWord > SPELLS ? perWord : null,
    cut: stats.longest > model.contextLength ? stats.truncated : 0,
    contextLength: model.contextLength,
  };
}

const isTiny = ({ kind, parameters }: NonNullable<AdviceInputs['model']>) => kind === 'decoder' && parameters < TINY;

/** Whether a larger model would help: what is taught is to write, on a tiny model, and this device or the data want more. */
export function wantsLarger(inputs: AdviceInputs): boolean {
  const { recipe, model, device } = inputs;
  if (!model || !device?.available || !isTiny(model) || !objectiveOf(recipe.objective).writes) return false;
  return !device.software || tooSmall(inputs) !== null;
}

/**
 * A model that is worth talking to, for a recipe that teaches to write on a tiny one: on a GPU always, on a software renderer only
 * if the data need it. The first card of the shelf that is free to download and not too big for this device.
 */
export function offerFor(inputs: AdviceInputs): Offer | null {
  const { model, forecast, shelf, online, downlink } = inputs;
  if (!model || !wantsLarger(inputs)) return null;
  for (const [i, card] of shelf.entries()) {
    if (card.gated || isModelOf(model.source, card.source) || (!online && !card.downloaded)) continue;
    const plan = card.precisions.find(({ quantization }) => quantization === 'nf4') ?? card.precisions[0];
    // Only what writes text has a plan; that of the first card may not be made yet.
    if (card.parameters < TINY || plan?.verdict === 'too_big' || (!plan && i > 0)) continue;
    const seconds = forecast?.seconds ?? null;
    return {
      card,
      plan,
      trainSeconds: seconds === null ? null : (seconds * card.parameters) / Math.max(1, model.parameters),
      downloadSeconds: card.downloaded || !downlink ? null : (card.bytes * 8) / (downlink * 1e6),
    };
  }
  return null;
}
