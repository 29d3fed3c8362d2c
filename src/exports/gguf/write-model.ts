/** Writes the open model with its adapter merged in as one GGUF file. */
import { PLAIN_CHAT_TEMPLATE } from '../../base/plain-chat-template';
import type { GgufEntry } from '../../formats/gguf-write';
import { objectiveOf } from '../../objectives';
import type { ExportSource, ExportWriter, Tolerance } from '../export';
import { ggufCard } from './card';
import { float32, type GgufPairs, string } from './entries';
import { ggufFileName } from './file-name';
import { generalPairs } from './general';
import { keptGeneral, keptTokenizer } from './kept';
import { planModel } from './model-plan';
import { parseJson } from './tokenizer/json';
import type { GgufTokenizer } from './tokenizer/section';
import { GGUF_FILE_TYPES, type GgufFileType } from './types';

/** What rounding may do; several times what was seen on small models, which it harms the most. */
const ROUNDING: Record<GgufFileType, Tolerance> = {
  f32: { logits: 1e-3 },
  f16: { logits: 0.05, perplexity: 1.01 },
  bf16: { logits: 0.3, perplexity: 1.05 },
  q8_0: { logits: 0.3, perplexity: 1.05 },
  q4_k_m: { logits: 1, perplexity: 1.5 },
  q4_0: { logits: 1.5, perplexity: 2 },
};

export function ggufModelWriter(fileType: GgufFileType): ExportWriter {
  return async (source, job) => {
    const { model, exported } = source;
    const plan = planModel(model.config, await source.tensors(), fileType);
    const kept = await keptTokenizer(model.folder, exported.family, {
      rows: plan.vocabulary,
      endTokenIds: model.endTokenIds,
    });
    const tokenizer = kept ?? (await source.ggufTokenizer(plan.vocabulary));
    const template = await templateFor(source, tokenizer);
    const named = namedFor(source.name, tokenizer.swallowsSpace);
    const facts = { type: 'model', architecture: plan.architecture, fileType: GGUF_FILE_TYPES[fileType].id } as const;
    const metadata = new Map<string, GgufEntry>([
      ...generalPairs({ ...source, name: named.name }, facts),
      ...(model.folder.rawMetadata ? await keptGeneral(model.folder.rawMetadata) : await samplingPairs(source)),
      ...plan.pairs,
      ...tokenizer.pairs,
      ...template.pairs,
    ]);
    const { blob } = await source.writeModel({ format: 'gguf', metadata, tensors: plan.tensors }, job);
    const files = [{ path: ggufFileName(source.fileName, fileType), blob }];
    const proof = await source.proveModel(files, ROUNDING[fileType], job);
    const notes = [...plan.notes, ...tokenizer.notes, ...template.notes, ...named.notes];
    const stored = GGUF_FILE_TYPES[fileType].label;
    const card = ggufCard(source, { type: 'model', file: files[0]!.path, stored, notes, proof });
    return { files, notes, proof, card };
  };
}

/** llama.cpp knows tokens that take the white space behind them away by the model's name, so a name must say it, or must not. */
function namedFor(name: string, swallowsSpace: boolean): { name: string; notes: string[] } {
  const says = /phi-?3/i.test(name);
  if (says === swallowsSpace) return { name, notes: [] };
  return {
    name: swallowsSpace ? `${name} (Phi-3)` : name.replace(/phi-?3/gi, 'Phi 3'),
    notes: [
      `The name in the file ${swallowsSpace ? 'says Phi-3' : 'is written with “Phi 3”'}, because llama.cpp decides by it whether special tokens take away the space behind them.`,
    ],
  };
}

/** Chats of a model without a template were written with a plain one, which llama.cpp would not guess. */
async function templateFor(
  { recipe, promptStyle }: Pick<ExportSource, 'recipe' | 'promptStyle'>,
  { hasTemplate }: GgufTokenizer,
): Promise<{ pairs: GgufPairs; notes: string[] }> {
  if (hasTemplate || !recipe || objectiveOf(recipe.objective).learns !== 'answers') return { pairs: [], notes: [] };
  const style = await promptStyle();
  if (!style?.plainChat) {
    const why = style
      ? 'The model was trained on plain prompts, so the file has no chat template: give it the prompt as it is (`llama-completion`, or a chat program’s raw mode).'
      : 'The data of this run are gone, and with them how its prompts were written, so the file has no chat template.';
    return { pairs: [], notes: [why] };
  }
  return {
    pairs: [['tokenizer.chat_template', string(PLAIN_CHAT_TEMPLATE)]],
    notes: [
      'The base has no chat template. The file has the plain one that chats are written with here (“User: …”, “Assistant: …”).',
    ],
  };
}

/** How the model's makers would have it sampled, which llama.cpp takes for its defaults. */
async function samplingPairs({ model: { folder } }: Pick<ExportSource, 'model'>): Promise<GgufPairs> {
  const generation = folder.has('generation_config.json') ? parseJson(await folder.text('generation_config.json')) : {};
  const fields: [field: string, key: string, type: 'int32' | 'float32'][] = [
    ['top_k', 'top_k', 'int32'],
    ['top_p', 'top_p', 'float32'],
    ['min_p', 'min_p', 'float32'],
    ['temperature', 'temp', 'float32'],
    ['repetition_penalty', 'penalty_repeat', 'float32'],
  ];
  return fields.flatMap(([field, key, type]): GgufPairs => {
    const value = generation[field];
    if (typeof value !== 'number' || !Number.isFinite(value) || (type === 'int32' && !Number.isInteger(value)))
      return [];
    return [[`general.sampling.${key}`, type === 'int32' ? { type, value } : float32(value)]];
  });
}
