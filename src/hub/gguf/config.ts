/** config.json from a GGUF file's metadata: llama.cpp's keys under Hugging Face's names. */
import { CONVERT_AGAIN, OTHER_MODEL, refuse } from '../../base/bad-model';
import { familyNamed } from '../../families';
import { ggufFamilies } from '../../families/gguf';
import type { GgufKeys, RopeTables } from '../../families/gguf/family';
import { type GgufFile, isStrings, stringAt } from '../../formats/gguf';
import { keysOf } from './keys';

/** Scales of related architectures that no family here computes; 0 and 1 mean none. */
const SCALES = ['logit_scale', 'residual_scale', 'embedding_scale', 'attention.scale', 'attention.clamp_kqv'];

const readable = () => Object.entries(ggufFamilies).map(([modelType, gguf]) => ({ modelType, gguf }));

/** Throws `bad_model` for an architecture that cannot be read, or if the metadata lacks what it needs. */
export function configOf(
  file: Pick<GgufFile, 'metadata' | 'tensors'>,
  tables: RopeTables,
  where: string,
): Record<string, unknown> {
  const { metadata, tensors } = file;
  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string') {
    refuse(`${where}, general.architecture`, 'The file does not say what kind of model it holds.', CONVERT_AGAIN);
  }
  const candidates = readable().filter(({ gguf }) => gguf.architecture === architecture);
  if (candidates.length === 0) {
    const known = new Set(readable().map(({ gguf }) => gguf.architecture));
    refuse(
      `${where}, general.architecture`,
      `GGUF files of the architecture “${architecture.slice(0, 40)}” cannot be opened.`,
      `Choose a model of one of these: ${[...known].join(', ')}.`,
    );
  }
  const keys = keysOf(file, architecture, where);
  checkArithmetic(keys);
  const table = tensors.get('token_embd.weight');
  if (!table) refuse(`${where}, tensor token_embd.weight`, 'The file has no embedding.', CONVERT_AGAIN);
  const id = (name: string) => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    const tokens = metadata.get('tokenizer.ggml.tokens');
    const known = typeof value === 'number' && isStrings(tokens) && stringAt(tokens, value) !== undefined;
    return known ? { [`${name === 'padding' ? 'pad' : name}_token_id`]: value } : {};
  };
  const { modelType, gguf } =
    candidates.find(({ gguf }) => gguf.when?.(keys)) ?? candidates.find(({ gguf }) => !gguf.when) ?? candidates[0]!;
  return {
    architectures: [familyNamed(modelType).architectures[0]],
    model_type: modelType,
    ...gguf.config(keys, tables),
    vocab_size: table.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    ...id('bos'),
    ...id('eos'),
    ...id('padding'),
  };
}

/** Settings that any architecture may have, and that no family computes. */
function checkArithmetic(keys: GgufKeys): void {
  if ((keys.number('expert_count') ?? 0) > 0) {
    refuse(keys.at('expert_count'), 'This is a mixture of experts, which cannot be computed.', OTHER_MODEL);
  }
  if (!keys.flag('attention.causal', true)) {
    refuse(
      keys.at('attention.causal'),
      'Its attention sees tokens that come later, which cannot be computed.',
      OTHER_MODEL,
    );
  }
  for (const name of SCALES) {
    const scale = keys.number(name) ?? 0;
    if (scale !== 0 && scale !== 1) {
      refuse(keys.at(name), `The model has a ${name} of ${scale}, which cannot be computed.`, OTHER_MODEL);
    }
  }
}
