/** What a person sees about a model before its weights are loaded. */
import type { CheckedModel } from './check';
import type { ModelFolder, ModelSummary } from './types';

/** From config and headers; reads README.md for the licence where the folder's source does not tell it. */
export async function summarizeModel({ folder, family, config, tensors }: CheckedModel): Promise<ModelSummary> {
  let parameters = 0;
  const byDtype = new Map<string, number>();
  const files = new Set<string>();
  const aside = new Set(family.tensors(config).flatMap(({ name, copy, spare }) => (copy || spare ? [name] : [])));
  for (const [name, { file, dtype, shape }] of tensors) {
    files.add(file);
    // A tied output that is stored all the same is the embedding once more; a pooler is not part of most passes.
    if (aside.has(name)) continue;
    const count = shape.reduce((product, n) => product * n, 1);
    parameters += count;
    byDtype.set(dtype, (byDtype.get(dtype) ?? 0) + count);
  }
  // Norms are often kept in float32 beside half-precision matrices; the format of most parameters is the model's.
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
  };
}

/** `file:SmolLM2-135M-Instruct` → "SmolLM2 135M Instruct". */
function titleOf(source: string): string {
  const name = source.slice(source.indexOf(':') + 1);
  return name.replace(/[-_]+/g, ' ').trim() || name;
}

/** `license:` of the model card's front matter, as the Hub writes it; "unknown" without. */
async function licenceOf(folder: ModelFolder): Promise<string> {
  if (!folder.has('README.md')) return 'unknown';
  const head = new TextDecoder().decode(await folder.bytes('README.md', 0, 16_384));
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(head)?.[1] ?? '';
  const value = /^license:[ \t]*["']?([\w.+-]{1,60})/m.exec(front)?.[1];
  return value ?? 'unknown';
}
