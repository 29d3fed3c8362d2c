/**
 * An adapter as llama.cpp loads it (src/llama-adapter.cpp): A and B of each layer as PEFT has them, rows of B in the order in which
 * the base's GGUF file has its rows. There is one alpha, and each layer's B·A is scaled by alpha / rank.
 */
import { TabtuneError } from '../../base/errors';
import { patternValue } from '../../base/module-names';
import { checkpointName, readFamilyConfig } from '../../families';
import type { Family, FamilyConfig } from '../../families/family';
import { ggufOf } from '../../families/gguf';
import { ggufTensor } from '../../families/gguf/names';
import { headCounts, inverse } from '../../families/gguf/rows';
import type { AdapterFiles } from '../../formats/adapter-format';
import { ADAPTER_TYPE, PARTS, rowsInOrder } from '../../formats/gguf-adapter';
import { layoutGguf } from '../../formats/gguf-write';
import { readPeftAs, readPeftFolder } from '../../formats/peft';
import { loraKind, type PeftLoraConfig } from '../../formats/peft/lora';
import type { ExportSource, ExportWriter } from '../export';
import { ggufCard } from './card';
import { float32, string } from './entries';
import { generalPairs } from './general';
import { GGUF_FILE_TYPES } from './types';

/** The two adapters are the same numbers, but for scales folded into B. */
const TOLERANCE = { logits: 1e-3 };

interface Matrix {
  name: string;
  shape: number[];
  data: Float32Array;
}

export interface GgufAdapter {
  alpha: number;
  tensors: Matrix[];
  notes: string[];
}

const refuse = (message: string, action: string, where?: string): never => {
  throw new TabtuneError({ code: 'bad_adapter', message, where, action });
};
const MERGE = 'Export the merged model as GGUF instead.';

/** The matrices under llama.cpp's names. Throws `bad_adapter` for what it cannot load. */
export function ggufAdapterOf(files: AdapterFiles, family: Family, config: FamilyConfig): GgufAdapter {
  const gguf = ggufOf(family.modelType);
  if (!gguf) return refuse('llama.cpp has no such model.', 'Export the adapter in its own format.');
  const folder = readPeftFolder(files);
  if (folder.config.peft_type !== loraKind.type) {
    return refuse('llama.cpp’s adapters are LoRA only.', MERGE, 'adapter_config.json, peft_type');
  }
  const { config: lora, tensors } = readPeftAs<PeftLoraConfig>(folder, loraKind);
  if (lora.use_dora) return refuse('llama.cpp knows no DoRA.', MERGE, 'adapter_config.json, use_dora');
  if (lora.modules_to_save !== null && lora.modules_to_save.length > 0) {
    return refuse(
      `llama.cpp does not take modules that are trained in full (${lora.modules_to_save.join(', ')}).`,
      MERGE,
      'adapter_config.json, modules_to_save',
    );
  }
  // llama.cpp takes an alpha of 0 for a scale of 1.
  const alpha = lora.lora_alpha === 0 ? lora.r : lora.lora_alpha;
  const folded = new Set<string>();
  const written: Matrix[] = [];
  for (const [name, a] of tensors) {
    const path = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    if (path === undefined) {
      // Written with its A.
      if (name.endsWith('.lora_B.weight')) continue;
      return refuse('llama.cpp has no place for this tensor of the adapter.', MERGE, name);
    }
    const b = tensors.get(`${path}.lora_B.weight`)!;
    const to = ggufTensor(gguf.tensors, checkpointName(family, `${path}.weight`));
    if (!to || (to.name === 'output.weight' && config.tie_word_embeddings)) {
      return refuse(`llama.cpp’s model has no layer of its own for ${path}.`, MERGE, path);
    }
    const [out, rank] = b.shape as [number, number];
    const factor = (scaleOf(lora, path, rank) * rank) / alpha;
    if (factor !== 1) folded.add(path);
    const order = to.rows?.(out, headCounts(config));
    if (order === null) {
      return refuse(
        `The ${out} rows of ${path} cannot be divided among the model’s attention heads, so the order in which llama.cpp has them is unknown.`,
        'Export the adapter in its own format.',
        path,
      );
    }
    const ordered = order ? rowsInOrder(b.data, rank, inverse(order)) : b.data;
    written.push(
      { name: `${to.name}.${PARTS[0]}`, shape: a.shape, data: a.data },
      { name: `${to.name}.${PARTS[1]}`, shape: b.shape, data: factor === 1 ? ordered : ordered.map((v) => v * factor) },
    );
  }
  return { alpha, tensors: written.sort(byName), notes: folded.size > 0 ? [foldedNote(folded.size, lora)] : [] };
}

/** PEFT's scale of B·A. */
function scaleOf({ alpha_pattern, lora_alpha, use_rslora }: PeftLoraConfig, path: string, rank: number): number {
  const alpha = patternValue(alpha_pattern, path, lora_alpha);
  return alpha / (use_rslora ? Math.sqrt(rank) : rank);
}

const foldedNote = (count: number, { use_rslora }: PeftLoraConfig): string => {
  const what = use_rslora ? 'rsLoRA’s scale' : 'An alpha of its own';
  return `${what} is multiplied into B of ${count} ${count === 1 ? 'module' : 'modules'}, because llama.cpp has one alpha and scales by alpha / rank; the change of each weight is the same.`;
};

const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: Matrix, b: Matrix) => collator.compare(a.name, b.name);

/** The whole file. */
export function ggufAdapterFile(
  { alpha, tensors }: GgufAdapter,
  architecture: string,
  about: Pick<ExportSource, 'name' | 'recipe' | 'model'>,
): Uint8Array<ArrayBuffer>[] {
  const metadata = new Map([
    ...generalPairs(about, { type: 'adapter', architecture, fileType: GGUF_FILE_TYPES.f32.id }),
    ['adapter.type', string(ADAPTER_TYPE)] as const,
    ['adapter.lora.alpha', float32(alpha)] as const,
  ]);
  const list = tensors.map(({ name, shape }) => ({ name, type: 'F32' as const, shape }));
  const { header, tensors: places } = layoutGguf(metadata, list);
  const parts: Uint8Array<ArrayBuffer>[] = [header];
  for (const [i, { data }] of tensors.entries()) {
    parts.push(new Uint8Array(data.slice().buffer), new Uint8Array(places[i]!.padding));
  }
  return parts;
}

export const writeGgufAdapter: ExportWriter = async (source, job) => {
  const { family, config } = readFamilyConfig(source.model.config);
  const { files, notes } = await source.adapter();
  const adapter = ggufAdapterOf(files, family, config);
  const parts = ggufAdapterFile(adapter, ggufOf(family.modelType)!.architecture, source);
  const written = [{ path: `${source.fileName}.gguf`, blob: new Blob(parts) }];
  const proof = await source.proveAdapter(written, TOLERANCE, job);
  const all = [...notes, ...adapter.notes];
  const card = ggufCard(source, { type: 'adapter', file: written[0]!.path, stored: 'F32', notes: all, proof });
  return { files: written, notes: all, proof, card };
};
