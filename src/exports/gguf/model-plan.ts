/**
 * Which tensors a GGUF file of a model has, and from where: llama.cpp's names for Hugging Face's tensors, with its order of rows, and
 * the small tables that it reads besides.
 */
import { refuse } from '../../base/bad-model';
import { readFamilyConfig } from '../../families';
import type { FamilyConfig } from '../../families/family';
import { ggufOf } from '../../families/gguf';
import type { GgufTensors } from '../../families/gguf/family';
import { ggufTensor } from '../../families/gguf/names';
import { headCounts, inverse } from '../../families/gguf/rows';
import type { GgufTensorPlan, MergedTensor } from '../export';
import type { GgufPairs } from './entries';
import { type GgufFileType, tensorType } from './types';

const INSTEAD = 'Export the model for transformers instead.';

export interface GgufPlan {
  architecture: string;
  /** The architecture's own keys. */
  pairs: GgufPairs;
  tensors: GgufTensorPlan[];
  /** Rows of the embedding, of which the tokenizer must have as many. */
  vocabulary: number;
  notes: string[];
}

/** `tensors` are those of the merged model. Throws `bad_model` for what llama.cpp's architecture does not have. */
export function planModel(
  json: Record<string, unknown>,
  tensors: readonly MergedTensor[],
  fileType: GgufFileType,
): GgufPlan {
  const { family, config } = readFamilyConfig(json);
  const gguf = ggufOf(family.modelType);
  if (!gguf) {
    return refuse('config.json, model_type', 'llama.cpp writes no text with such a model.', INSTEAD);
  }
  const { keys, tables, notes } = gguf.metadata(config, json);
  const output = tensors.find(({ name }) => family.lmHead.test(name));
  const untyped = [
    ...Object.entries(tables).map(([name, values]) => ({ name, shape: [values.length], from: { values } })),
    ...named(gguf.tensors, config, withOutput(gguf.tensors, tensors, output)),
  ];
  const layout = { layers: config.num_hidden_layers, tied: !untyped.some(({ name }) => name === 'output.weight') };
  return {
    architecture: gguf.architecture,
    pairs: Object.entries(keys).map(([key, field]) => [`${gguf.architecture}.${key}`, field]),
    tensors: untyped.map((tensor) => ({ ...tensor, type: tensorType(tensor, layout, fileType) })),
    vocabulary: tensors.find(({ name }) => name === embeddingOf(gguf.tensors))!.shape[0]!,
    notes,
  };
}

const embeddingOf = ({ outer }: GgufTensors): string => `${outer.token_embd}.weight`;

/** The tensors with an output projection where llama.cpp must have one: with tied ones, the embedding once more. */
function withOutput(
  names: GgufTensors,
  tensors: readonly MergedTensor[],
  output: MergedTensor | undefined,
): (MergedTensor & { from: string })[] {
  const all = tensors.map((tensor) => ({ ...tensor, from: tensor.name }));
  const { outputFrom, outer } = names;
  if (outputFrom === 'embedding' && output) {
    refuse(
      output.name,
      'llama.cpp takes the embedding of this family for its output projection, and here the two differ.',
      INSTEAD,
    );
  }
  if (outputFrom !== 'own' || output) return all;
  const { shape } = tensors.find(({ name }) => name === embeddingOf(names))!;
  return [...all, { name: `${outer.output}.weight`, shape, from: embeddingOf(names) }];
}

type Untyped = Omit<GgufTensorPlan, 'type'>;

function named(names: GgufTensors, config: FamilyConfig, tensors: (MergedTensor & { from: string })[]): Untyped[] {
  const counts = headCounts(config);
  return tensors.map(({ name, shape, from }) => {
    const to = ggufTensor(names, name);
    if (!to) return refuse(name, 'llama.cpp’s model has no such tensor.', INSTEAD);
    const stored = to.transposed ? shape.toReversed() : shape;
    const order = to.rows?.(stored[0]!, counts);
    if (order === null) {
      return refuse(
        name,
        `Its ${stored[0]} rows cannot be divided among the attention heads, so llama.cpp’s order of them is unknown.`,
        INSTEAD,
      );
    }
    return {
      name: to.name,
      shape: stored,
      from: {
        tensor: from,
        ...(order && { order: inverse(order) }),
        ...(to.transposed && { transposed: true as const }),
        ...(to.plusOne && { add: 1 }),
      },
    };
  });
}
