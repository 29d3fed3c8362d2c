/** The files of a committed adapter under another spelling. */
import type { AdapterFiles } from '../../src/formats/adapter-format';
import { formatAdapterConfig } from '../../src/formats/peft';
import { parseSafetensorsHeader, safetensorsHeaderSize, writeSafetensors } from '../../src/formats/safetensors';
import { fixtureBytes, fixtureJson } from '../fixture-files';
import type { Spelling } from './spellings';

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
