/** Mutated adapter folders and archives. */
import { readdirSync, readFileSync } from 'node:fs';
import { createZip, readZip } from '../../../src/formats/zip';
import { decodeAdapter } from '../../../src/methods/read-adapter';
import { changeBytes, changeJson } from '../../fuzz/mutate';
import type { Draw } from '../../fuzz/random';
import { fuzz } from '../../fuzz/target';

type Files = { path: string; bytes: Uint8Array }[];

const fixtures = new URL('../../fixtures/', import.meta.url);
const bytesOf = (path: string) => new Uint8Array(readFileSync(new URL(path, fixtures)));
const folder = (path: string, names: string[]): Files =>
  names.map((name) => ({ path: name, bytes: bytesOf(`${path}/${name}`) }));
const inside = (path: string, wanted: RegExp): Files =>
  folder(
    path,
    readdirSync(new URL(`${path}/`, fixtures)).filter((name) => wanted.test(name)),
  );

const peft = /^adapter_(config\.json|model\.safetensors)$/;
const labels = {
  path: 'labels.json',
  bytes: new TextEncoder().encode('{"problem_type":"single_label_classification","id2label":{"0":"a","1":"b"}}'),
};

/** The config mostly, or the header of the weights. */
function change(files: Files, draw: Draw): Files {
  const at = draw.chance(0.7) ? files.findIndex(({ path }) => path.endsWith('.json')) : draw.below(files.length);
  return files.map((file, i) => {
    if (i !== at) return file;
    const bytes = file.path.endsWith('.json') ? changeJson(file.bytes, draw) : changeBytes(file.bytes, draw, 2000);
    return { ...file, bytes };
  });
}

const kinds = readdirSync(new URL('peft/formats/', fixtures));
const peftSeeds = [
  ...kinds.map((kind) => inside(`peft/formats/${kind}`, peft)).filter((files) => files.length === 2),
  folder('formats/peft-adapter', ['adapter_config.json', 'adapter_model.safetensors']),
  [...folder('formats/peft-adapter', ['adapter_config.json', 'adapter_model.safetensors']), labels],
];
fuzz({ name: 'PEFT adapters', seeds: peftSeeds, change, run: (files) => void decodeAdapter(files) });

const hubNames: Record<string, string> = { 'adapter.safetensors': 'adapter.safetensors' };
const adapterHub = ['bert-double', 'bert-classification', 'llama-single', 'gpt2-double'].map((name) =>
  inside(
    `bottleneck/${name}`,
    /^(adapter_config\.json|adapter\.safetensors|head_config\.json|model_head\.safetensors)$/,
  ).map(({ path, bytes }) => ({ path: hubNames[path] ?? path, bytes })),
);
fuzz({ name: 'AdapterHub adapters', seeds: adapterHub, change, run: (files) => void decodeAdapter(files) });

const mlx = ['lora', 'dora'].map((name) => folder(`mlx/${name}`, ['adapter_config.json', 'adapters.safetensors']));
fuzz({ name: 'mlx-lm adapters', seeds: mlx, change, run: (files) => void decodeAdapter(files) });

const archives: Uint8Array[] = await Promise.all(
  peftSeeds.slice(0, 2).map((files) => createZip([...files, { path: 'README.md', bytes: new Uint8Array(200) }])),
);
// An archive as other programs write it, deflated: made by Python's zipfile.
archives.push(bytesOf('formats/deflated.zip'));
fuzz({
  name: 'zip archives',
  seeds: archives,
  // Both ends of an archive say what is in it.
  change: (bytes, draw) =>
    draw.chance(0.5)
      ? changeBytes(bytes, draw, 200)
      : changeBytes(bytes.slice().reverse(), draw, 400).slice().reverse(),
  run: (bytes) => void readZip(bytes, { where: 'x.zip', code: 'bad_adapter' }),
});
