/** Mutated model folders: config.json of every family, index, safetensors, GGUF. */
import { readdirSync, readFileSync } from 'node:fs';
import { tokenizerJson } from '../../../src/formats/gguf-tokenizer';
import { openSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder } from '../../../src/hub/folder';
import { readPooling } from '../../../src/hub/pooling';
import { summarizeModel } from '../../../src/hub/summary';
import { changeBytes, changeJson } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';

type Folder = Record<string, Uint8Array>;

const fixtures = new URL('../../fixtures/', import.meta.url);
const bytesOf = (path: string) => new Uint8Array(readFileSync(new URL(path, fixtures)));
const utf8 = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const families = readdirSync(new URL('families/', fixtures), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

async function open(files: Folder) {
  const dropped = Object.entries(files).map(([path, bytes]) => ({
    path,
    file: new Blob([bytes as Uint8Array<ArrayBuffer>]),
  }));
  const folder = droppedModelFolder('file:fuzz', dropped);
  const checked = await checkModelFolder(folder);
  await summarizeModel(checked);
  await readPooling(folder);
  const { vocabulary } = checked.folder;
  if (vocabulary) tokenizerJson(vocabulary);
}

const folders = families.map(
  (family): Folder => ({
    'config.json': bytesOf(`families/${family}/config.json`),
    'model.safetensors': bytesOf(`families/${family}/model.safetensors`),
    'tokenizer.json': utf8({}),
  }),
);

const changing =
  (name: string, how: (bytes: Uint8Array, draw: Draw) => Uint8Array) =>
  (files: Folder, draw: Draw): Folder => ({ ...files, [name]: how(files[name]!, draw) });

fuzz({ name: 'config.json of every family', seeds: folders, change: changing('config.json', changeJson), run: open });

const sharded: Folder = {
  ...folders[families.indexOf('qwen2')]!,
  'model.safetensors.index.json': utf8({ metadata: {}, weight_map: { 'model.norm.weight': 'part-1.safetensors' } }),
};
sharded['part-1.safetensors'] = sharded['model.safetensors']!;
delete sharded['model.safetensors'];
fuzz({
  name: 'index files',
  seeds: [sharded],
  change: changing('model.safetensors.index.json', changeJson),
  run: open,
});

const sentence: Folder = {
  ...folders[families.indexOf('bert')]!,
  'modules.json': utf8([
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
  ]),
  '1_Pooling/config.json': utf8({ word_embedding_dimension: 32, pooling_mode_mean_tokens: true }),
  'sentence_bert_config.json': utf8({ max_seq_length: 128, do_lower_case: false }),
};
const small = ['modules.json', '1_Pooling/config.json', 'sentence_bert_config.json'];
fuzz({
  name: 'pooling of sentence embeddings',
  seeds: [sentence],
  change: (files, draw) => changing(draw.pick(small), changeJson)(files, draw),
  run: open,
});

const headerOf = (bytes: Uint8Array) => 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));

/** The header as JSON, with its new length; or the bytes. */
function changeSafetensors(bytes: Uint8Array, draw: Draw): Uint8Array {
  const end = headerOf(bytes);
  if (draw.chance(0.4)) return changeBytes(bytes, draw, end);
  const header = changeJson(bytes.subarray(8, end), draw);
  const whole = new Uint8Array(8 + header.length + bytes.length - end);
  new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
  whole.set(header, 8);
  whole.set(bytes.subarray(end), 8 + header.length);
  return whole;
}

fuzz({
  name: 'safetensors',
  seeds: ['formats/reference.safetensors', 'formats/peft-adapter/adapter_model.safetensors'].map(bytesOf),
  change: changeSafetensors,
  run: (bytes) =>
    openSafetensors(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, bytes.length, { where: 'x' }),
});
fuzz({
  name: 'safetensors of model folders',
  seeds: folders.slice(0, 4),
  change: changing('model.safetensors', changeSafetensors),
  run: open,
});

// The vocabularies of the others are too small for their tokenisers.
const ggufs = ['gemma2', 'gemma3_text', 'llama3-rope-bias', 'mistral', 'phi3-longrope', 'qwen3', 'smollm3'];
fuzz({
  name: 'GGUF',
  seeds: ggufs.map((name): Folder => ({ 'model.gguf': bytesOf(`gguf/${name}.gguf`) })),
  // Metadata and the table of tensors; the rest are weights.
  change: changing('model.gguf', (bytes, draw) => changeBytes(bytes, draw, 12_000)),
  run: open,
});
