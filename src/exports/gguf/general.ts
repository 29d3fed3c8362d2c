/** What a GGUF file says of itself under `general`, as llama.cpp's converters write it. */
import { objectiveOf } from '../../objectives';
import type { ExportSource } from '../export';
import { type GgufPairs, string, strings, uint32 } from './entries';

/** ggml's version of its quantised formats (GGML_QUANT_VERSION). */
const QUANTIZATION_VERSION = 2;

export interface GeneralFacts {
  type: 'model' | 'adapter';
  architecture: string;
  /** `general.file_type`: how most tensors are stored. */
  fileType: number;
}

export function generalPairs(
  { name, recipe, model }: Pick<ExportSource, 'name' | 'recipe' | 'model'>,
  { type, architecture, fileType }: GeneralFacts,
): GgufPairs {
  const tags = recipe ? [objectiveOf(recipe.objective).pipelineTag, recipe.objective.type, recipe.method.type] : [];
  return [
    ['general.architecture', string(architecture)],
    ['general.type', string(type)],
    ['general.name', string(name)],
    ...(model.licence === null ? [] : ([['general.license', string(model.licence)]] as GgufPairs)),
    ...basePairs(model.base.name),
    ['general.tags', strings([...new Set([...tags, 'tabtune'])])],
    ['general.file_type', uint32(fileType)],
    ['general.quantization_version', uint32(QUANTIZATION_VERSION)],
  ];
}

/** The model that was tuned: one of the Hub with its address, or a folder's name. */
function basePairs(base: string): GgufPairs {
  const key = (name: string) => `general.base_model.0.${name}`;
  const hub = /^([\w.-]+)\/([\w.-]+)$/.exec(base);
  return [
    ['general.base_model.count', uint32(1)],
    [key('name'), string(hub ? titleOf(hub[2]!) : base)],
    ...(hub
      ? ([
          [key('organization'), string(titleOf(hub[1]!))],
          [key('repo_url'), string(`https://huggingface.co/${base}`)],
        ] as GgufPairs)
      : []),
  ];
}

/** `smol-lm-v2` → `Smol Lm v2`, as the gguf package turns ids into titles. */
export const titleOf = (id: string): string =>
  id
    .trim()
    .replaceAll('-', ' ')
    .split(/\s+/)
    .map((word) => (word === word.toLowerCase() && !/^(v\d+(\.\d+)*$|\d)/.test(word) ? capitalised(word) : word))
    .join(' ');

/** Python's str.title: a capital wherever letters begin. */
const capitalised = (word: string) =>
  word.replace(/\p{L}+/gu, (letters) => letters[0]!.toUpperCase() + letters.slice(1));
