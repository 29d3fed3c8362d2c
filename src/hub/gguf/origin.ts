/** Where a GGUF file came from: its title, and the Hub's model that was converted. */
import type { GgufFile, GgufValue } from '../../formats/gguf';

export const textOf = ({ metadata }: Pick<GgufFile, 'metadata'>, key: string): string | null => {
  const value: GgufValue | undefined = metadata.get(key);
  return typeof value === 'string' && value.trim() !== '' ? value : null;
};

const withoutEnding = (name: string): string => name.slice(name.lastIndexOf('/') + 1).replace(/\.gguf$/i, '');

/** `SmolLM2-135M-Instruct.Q4_1.gguf` → "SmolLM2 135M Instruct": the quantisation is shown next to it. */
export const titleOf = (name: string): string =>
  withoutQuantization(withoutEnding(name)).replace(/[-_]+/g, ' ').trim() || name;

const withoutQuantization = (name: string): string => name.replace(/[-._](i?q\d\w*|bf16|f16|f32|fp16|fp32)$/i, '');

/**
 * The Hub's model that was converted, as ORG/NAME, if the file says so. `base_model` may also be what the model was tuned
 * *from*, so it counts only if it has the same name as the file.
 */
export function baseModel(file: Pick<GgufFile, 'metadata'>, name: string): string | null {
  const repository = (key: string) =>
    /^https?:\/\/(?:www\.)?huggingface\.co\/([\w.-]+\/[\w.-]+)\/?$/.exec(textOf(file, key) ?? '')?.[1] ?? null;
  const own = textOf(file, 'general.source.huggingface.repository') ?? repository('general.source.repo_url');
  if (own !== null && /^[\w.-]+\/[\w.-]+$/.test(own) && !/gguf/i.test(own)) return own;
  const base = repository('general.base_model.0.repo_url');
  if (base === null) return null;
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  const wanted = plain(base.slice(base.indexOf('/') + 1));
  const names = [withoutQuantization(withoutEnding(name)), textOf(file, 'general.name') ?? ''];
  return names.some((own) => plain(own) === wanted) ? base : null;
}
