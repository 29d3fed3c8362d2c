/** Summarises a model for people before its weights are loaded. */
import { tiesOf } from '../families';
import type { CheckedModel } from './check';
import type { ModelFolder, ModelSummary } from './types';

/** From config and headers. Reads the licence from README.md if the folder does not give it. */
export async function summarizeModel({
  folder,
  family,
  config,
  tensors,
  headApart,
}: CheckedModel): Promise<ModelSummary> {
  let parameters = 0;
  const byDtype = new Map<string, number>();
  const files = new Set<string>();
  const ties = tiesOf(family, config);
  const spare = family.tensors(config).filter((spec) => spec.spare);
  const aside = new Set([...ties, ...spare].map(({ name }) => name));
  for (const [name, { file, dtype, shape }] of tensors) {
    files.add(file);
    // A stored tied output only repeats the embedding, and most forward passes do not use a pooler.
    if (aside.has(name)) continue;
    const count = shape.reduce((product, n) => product * n, 1);
    parameters += count;
    byDtype.set(dtype, (byDtype.get(dtype) ?? 0) + count);
  }
  // Norms are often in float32 while the matrices are in half precision. The type of most parameters counts.
  const dtype = [...byDtype].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'F32';
  return {
    source: folder.source,
    title: folder.title ?? titleOf(folder.source),
    architecture: config.model_type,
    kind: family.kind,
    parameters,
    bytes: [...files].reduce((sum, file) => sum + (folder.size(file) ?? 0), 0),
    dtype: folder.quantization ?? dtype,
    vocabSize: config.vocab_size,
    contextLength: config.max_position_embeddings,
    hiddenSize: config.hidden_size,
    layers: config.num_hidden_layers,
    licence: folder.licence ?? (await licenceOf(folder)),
    ...(headApart && { headApart, notes: [HEAD_APART] }),
  };
}

const HEAD_APART =
  'config.json says that the output projection is the embedding, but the files hold two that differ. Both are used as stored, as transformers 5 does.';

/** `file:SmolLM2-135M-Instruct` → "SmolLM2 135M Instruct". */
function titleOf(source: string): string {
  const name = source.slice(source.indexOf(':') + 1);
  return name.replace(/[-_]+/g, ' ').trim() || name;
}

/** `license:` in the front matter of the model card, or "unknown". */
async function licenceOf(folder: ModelFolder): Promise<string> {
  if (!folder.has('README.md')) return 'unknown';
  const head = new TextDecoder().decode(await folder.bytes('README.md', 0, 16_384));
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(head)?.[1] ?? '';
  const value = /^license:[ \t]*["']?([\w.+-]{1,60})/m.exec(front)?.[1];
  return value ?? 'unknown';
}
