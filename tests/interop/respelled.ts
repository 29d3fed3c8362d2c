/** The files of a committed adapter under another spelling. */
import type { AdapterFiles } from '../../src/formats/adapter-format';
import { formatAdapterConfig } from '../../src/formats/peft';
import { parseSafetensorsHeader, safetensorsHeaderSize, writeSafetensors } from '../../src/formats/safetensors';
import { fixtureBytes, fixtureJson } from '../fixture-files';
import { OPENED, REFUSED, type Spelling } from './spellings';

const CONTEXT = { where: 'fixture', code: 'bad_adapter' as const };

export async function respelled(folder: string, { config, rename }: Pick<Spelling, 'config' | 'rename'>) {
  const bytes = await fixtureBytes(`${folder}/adapter_model.safetensors`);
  const size = safetensorsHeaderSize(bytes, bytes.length, CONTEXT);
  const { tensors } = parseSafetensorsHeader(bytes.subarray(0, size), bytes.length, CONTEXT);
  const weights = writeSafetensors(
    rename([...tensors.keys()]).map(({ key, from }) => {
      const { shape, start, end } = tensors.get(from)!;
      return { name: key, dtype: 'F32', shape, data: new Float32Array(bytes.slice(start, end).buffer) };
    }),
    { format: 'pt' },
  );
  const own = await fixtureJson<Record<string, unknown>>(`${folder}/adapter_config.json`);
  return { config: { ...own, ...config }, weights };
}

/** As the files of a folder. */
export async function respelledFiles(
  folder: string,
  spelling: Pick<Spelling, 'config' | 'rename'>,
): Promise<AdapterFiles> {
  const { config, weights } = await respelled(folder, spelling);
  return [
    { path: 'adapter_config.json', bytes: new TextEncoder().encode(formatAdapterConfig(config)) },
    { path: 'adapter_model.safetensors', bytes: weights },
  ];
}

export const asSaved: Spelling['rename'] = (keys) => keys.map((key) => ({ key, from: key }));

/** The models that the adapters were made for, in tests/fixtures. */
const BASES: Record<string, string> = {
  'tiny-random-gqa-tied': 'llama/gqa-tied',
  'tiny-random-mha-untied': 'llama/mha-untied',
};

/** Every spelling as a folder under `out`, for check_spellings.py. */
export async function writeSpellings(out: string) {
  const { mkdir, writeFile } = await import('node:fs/promises');
  const fixtures = new URL('../fixtures/', import.meta.url).pathname;
  const cases: { name: string; base: string; own: string; adapter: string; opens: boolean }[] = [];
  for (const spelling of [...OPENED, ...REFUSED]) {
    for (const fixture of spelling.fixtures) {
      const { base_model_name_or_path: base } = await fixtureJson<Record<string, string>>(
        `${fixture}/adapter_config.json`,
      );
      const model = BASES[base!];
      if (!model) continue;
      const adapter = `${out}/${cases.length}`;
      await mkdir(adapter, { recursive: true });
      for (const { path, bytes } of await respelledFiles(fixture, spelling))
        await writeFile(`${adapter}/${path}`, bytes);
      const opens = OPENED.includes(spelling);
      const name = `${opens ? 'opens' : 'refused'}: ${spelling.name} (${fixture})`;
      cases.push({ name, base: fixtures + model, own: fixtures + fixture, adapter, opens });
    }
  }
  return cases;
}
