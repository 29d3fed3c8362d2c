/** What a model folder holds, in one hash: other weights, or another config or tokeniser, under the same name differ in it. */
import { sha256, sha256OfText } from '../base/digest';
import { CONFIG } from '../families/config';
import type { InputFingerprint } from '../storage/types';
import type { ModelFolder } from './types';

/** Besides the weights, what decides how a text becomes numbers. */
const SMALL = new Set([
  CONFIG,
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
]);
const WEIGHTS = /\.(safetensors|gguf)$/i;

/** Of a file whose hash is not known, this much at its front, where the header is, and of each of its samples. */
const FRONT = 2 ** 20;
const SAMPLE = 2 ** 12;
const SAMPLES = 256;

/** Reads no weights where the store knows their hashes, and samples of them elsewhere. */
export async function modelFingerprint(folder: ModelFolder): Promise<InputFingerprint> {
  // Everything else that a folder shows of a GGUF file is made from it.
  const wanted = (name: string) =>
    folder.tensors ? /\.gguf$/i.test(name) : SMALL.has(name) || WEIGHTS.test(name) || name.endsWith('.index.json');
  const lines: string[] = [];
  let bytes = 0;
  for (const name of folder.files.filter(wanted).sort()) {
    const size = folder.size(name) ?? 0;
    const hash = (await folder.hash?.(name)) ?? (await sampledHash(folder, name, size));
    lines.push(JSON.stringify([name, size, hash]));
    bytes += size;
  }
  return { sha256: await sha256OfText(lines.join('\n')), bytes };
}

async function sampledHash(folder: ModelFolder, name: string, size: number): Promise<string> {
  if (size <= FRONT + SAMPLE * SAMPLES) return sha256(await folder.bytes(name));
  const pieces = [await folder.bytes(name, 0, FRONT)];
  const stride = (size - FRONT - SAMPLE) / (SAMPLES - 1);
  for (let i = 0; i < SAMPLES; i++) {
    const start = Math.floor(FRONT + i * stride);
    pieces.push(await folder.bytes(name, start, start + SAMPLE));
  }
  return sha256(await new Blob(pieces).arrayBuffer());
}
