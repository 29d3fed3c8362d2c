/** A model's files as what exports are made of, without an engine: its tensors are those of the files. */
import { readFileSync } from 'node:fs';
import type { ExportSource, GgufTensorPlan, MergedTensor, ModelLayout } from '../../../../src/exports/export';
import { ggufTokenizer } from '../../../../src/exports/gguf/tokenizer/section';
import { dequantize } from '../../../../src/formats/ggml';
import { layoutGguf } from '../../../../src/formats/gguf-write';
import { quantize } from '../../../../src/formats/quantize';
import { type CheckedModel, checkModelFolder } from '../../../../src/hub/check';
import { droppedModelFolder } from '../../../../src/hub/folder';
import { summarizeModel } from '../../../../src/hub/summary';
import { openWeights } from '../../../../src/hub/weights';
import { resolveRecipe } from '../../../../src/recipe/defaults';

export interface PlainModel {
  checked: CheckedModel;
  json: Record<string, unknown>;
  tensors: MergedTensor[];
  /** Row-major as Hugging Face stores them. */
  values(name: string): Promise<Float32Array>;
}

const FIXTURES = 'tests/fixtures';
const blob = (path: string) => new Blob([readFileSync(`${FIXTURES}/${path}`)]);

/** A folder of tests/fixtures, with other fields in its config.json and without some of its tensors. */
export async function plainModel(
  folder: string,
  changes: Record<string, unknown> = {},
  without: RegExp | null = null,
  more: { path: string; file: Blob }[] = [],
): Promise<PlainModel> {
  const checked = await checkModelFolder(
    droppedModelFolder('file:tiny', [
      { path: 'config.json', file: blob(`${folder}/config.json`) },
      { path: 'model.safetensors', file: blob(`${folder}/model.safetensors`) },
      ...(more.length > 0 ? more : [{ path: 'tokenizer.json', file: new Blob(['{}']) }]),
    ]),
  );
  const model = opened(checked);
  const tensors = model.tensors.filter(({ name }) => !without?.test(name));
  return { ...model, json: { ...model.json, ...changes }, tensors };
}

/** A GGUF file of tests/fixtures/gguf. */
export const plainGguf = async (bytes: Blob): Promise<PlainModel> =>
  opened(await checkModelFolder(droppedModelFolder('file:tiny.gguf', [{ path: 'tiny.gguf', file: bytes }])));

export const ggufBytes = (name: string) => blob(`gguf/${name}.gguf`);

function opened(checked: CheckedModel): PlainModel {
  const weights = openWeights(checked);
  const turned = (name: string) => weights.info(name)!.transposed === true;
  return {
    checked,
    json: checked.json,
    tensors: [...checked.tensors].map(([name, { shape }]) => ({
      name,
      shape: turned(name) ? shape.toReversed() : shape,
    })),
    async values(name) {
      const { dtype, shape } = weights.info(name)!;
      const values = dequantize(dtype, new Uint8Array(await weights.read(name)));
      return turned(name) ? transpose(values, shape[0]!, shape[1]!) : values;
    },
  };
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** The values that a plan asks for. */
export async function plannedValues({ from, shape }: GgufTensorPlan, model: PlainModel): Promise<Float32Array> {
  if ('values' in from) return from.values;
  const { tensor, order, transposed, add = 0 } = from;
  const values = await model.values(tensor);
  const [rows, columns] = [shape[0]!, shape.slice(1).reduce((product, n) => product * n, 1)];
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const source = order ? Math.floor(row / order.length) * order.length + order[row % order.length]! : row;
    for (let column = 0; column < columns; column++) {
      const at = transposed ? column * rows + source : source * columns + column;
      out[row * columns + column] = values[at]! + add;
    }
  }
  return out;
}

/** The file that the engine would write. */
export async function writtenGguf(layout: ModelLayout, model: PlainModel): Promise<Blob> {
  if (layout.format !== 'gguf') throw new Error('not a GGUF layout');
  const { header, tensors } = layoutGguf(layout.metadata, layout.tensors);
  const parts: Uint8Array<ArrayBuffer>[] = [header];
  for (const [i, plan] of layout.tensors.entries()) {
    parts.push(quantize(plan.type, await plannedValues(plan, model), plan.name), new Uint8Array(tensors[i]!.padding));
  }
  return new Blob(parts);
}

/** What a session gives to a writer; nothing is compared. */
export async function plainSource(model: PlainModel, changes: Partial<ExportSource> = {}): Promise<ExportSource> {
  const { checked, json } = model;
  const { folder } = checked;
  const recipe = resolveRecipe({ version: 1, name: 'Pirate chat' });
  const text = (name: string) => (folder.has(name) ? folder.text(name) : Promise.resolve(null));
  const proof = {
    unproven: null,
    carried: null,
    rounding: null,
    texts: 1,
    tokens: 1,
    maxLogitDifference: 0,
    largestLogit: 1,
    sameChoices: 1,
    perplexity: null,
  };
  const never = () => Promise.reject(new Error('not asked for'));
  return {
    exported: { method: recipe.method, objective: recipe.objective.type, family: checked.family.modelType },
    name: recipe.name,
    fileName: 'pirate-chat',
    hasAdapter: true,
    recipe,
    card: null,
    model: {
      info: await summarizeModel(checked),
      folder,
      config: json,
      base: { name: 'org/tiny-base', revision: null },
      licence: 'mit',
      padTokenId: null,
      endTokenIds: [],
      quantization: 'none',
    },
    promptStyle: async () => ({ plainChat: false, separator: '\n' }),
    tensors: async () => model.tensors,
    ggufTokenizer: async (rows) =>
      ggufTokenizer({
        tokenizerJson: await folder.text('tokenizer.json'),
        tokenizerConfig: await text('tokenizer_config.json'),
        specialTokensMap: null,
        chatTemplate: await text('chat_template.jinja'),
        generationConfig: await text('generation_config.json'),
        config: json,
        sentencePiece: null,
        rows,
        endTokenIds: changes.model?.endTokenIds ?? [],
      }),
    adapter: never,
    writeModel: async (layout) => ({ blob: await writtenGguf(layout, model), task: null, outputApart: false }),
    proveModel: async () => proof,
    proveAdapter: never,
    ...changes,
  };
}
