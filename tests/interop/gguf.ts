/** GGUF files with something left out, to see what llama.cpp makes of them, and our tokens of texts. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TextTokenizer } from '../../src/data/tokenizer';
import { openGguf } from '../../src/formats/gguf';
import { type GgufEntry, layoutGguf } from '../../src/formats/gguf-write';

/** A file that is small enough to hold. */
async function opened(file: string) {
  const bytes = new Uint8Array(readFileSync(file));
  return { bytes, ...(await openGguf(async (start, end) => bytes.slice(start, end).buffer, bytes.length, file)) };
}

/** Writes the file once for each key of its metadata, into `folder`, without that key. */
export async function withoutKeys(file: string, folder: string): Promise<{ key: string; file: string }[]> {
  const { bytes, places, tensors } = await opened(file);
  const list = [...tensors].map(([name, { type, shape }]) => ({ name, type, shape }));
  return [...places.keys()].map((key, i) => {
    const metadata = new Map<string, GgufEntry>();
    for (const [other, { start, end }] of places) {
      if (other !== key) metadata.set(other, { type: 'raw', bytes: bytes.subarray(start, end) });
    }
    const layout = layoutGguf(metadata, list);
    const parts: Uint8Array[] = [layout.header];
    for (const { name, padding } of layout.tensors) {
      const { start, end } = tensors.get(name)!;
      parts.push(bytes.subarray(start, end), new Uint8Array(padding));
    }
    const out = path.join(folder, `without-${i}.gguf`);
    writeFileSync(out, Buffer.concat(parts));
    return { key, file: out };
  });
}

/** The ids of texts by the tokenizer in a model's folder, without special tokens around them. */
export function tokensOf(folder: string, texts: string[]): number[][] {
  const read = (file: string) => readFileSync(path.join(folder, file), 'utf8');
  const tokenizer = new TextTokenizer({
    tokenizerJson: read('tokenizer.json'),
    tokenizerConfig: read('tokenizer_config.json'),
    specialTokensMap: null,
    generationConfig: null,
  });
  return texts.map((text) => [...tokenizer.encode(text, false).ids]);
}
