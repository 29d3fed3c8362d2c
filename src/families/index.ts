/** The model families. Adding one adds a file and a line in all.ts, here and in src/engine/models. */
import { refuse, show } from '../base/bad-model';
import * as all from './all';
import { CONFIG, RESTORE } from './config';
import type { Family, FamilyConfig, TensorSpec } from './family';
import { bareClass, headClass, headTensors, type StoredHead, storedHead } from './task-heads';

/** Each reads only configs of its own model_type. */
export const families: Family[] = (Object.values(all) as Family[]).sort((a, b) => (a.modelType < b.modelType ? -1 : 1));

export const supportedFamilies: string[] = families.map(({ modelType }) => modelType);

const otherType = () =>
  `Choose a model of one of these types: ${families.map(({ modelType }) => modelType).join(', ')}.`;

export const findFamily = (modelType: string): Family | undefined =>
  families.find((family) => family.modelType === modelType);

/** The family of a model_type. Throws `bad_model` if there is none. */
export const familyNamed = (modelType: string): Family => findFamily(modelType) ?? refuseType(modelType);

function refuseType(modelType: string): never {
  const reason = families.find(({ refused }) => Object.hasOwn(refused ?? {}, modelType))?.refused?.[modelType];
  const message = reason ?? `Models of the type ${show(modelType)} cannot be opened.`;
  refuse(`${CONFIG}, model_type`, message, otherType());
}

const allHeads = () => families.flatMap(({ heads }) => [heads.sequence(''), heads.tokens]);

/** Modules of any family's classification heads, by the names that PEFT's modules_to_save may have for them. */
export const headModules = (): Set<string> =>
  new Set(allHeads().flatMap(({ modules, layers }) => [...modules, ...layers.flatMap(({ stored }) => stored ?? [])]));

/** Whether a tensor is the weight [labels, d] of any family's classification head. */
export const isLabelWeight = (name: string): boolean =>
  allHeads().some(({ layers }) => `.${name}`.endsWith(`.${layers.at(-1)!.path}.weight`));

/** The family of a config.json, of which only the type, the class and the precision are read. Throws `bad_model`. */
export function familyOf(json: Record<string, unknown>): Family {
  const { model_type, architectures } = json;
  if (typeof model_type !== 'string') {
    refuse(`${CONFIG}, model_type`, 'config.json does not say what type of model this is.', RESTORE);
  }
  const family = familyNamed(model_type);
  if (architectures !== undefined && architectures !== null) {
    const classes = [
      ...family.architectures,
      bareClass(family),
      headClass(family, 'texts'),
      headClass(family, 'words'),
    ];
    if (!Array.isArray(architectures) || !architectures.some((name) => classes.includes(name))) {
      refuse(
        `${CONFIG}, architectures`,
        `The model is saved as ${show(architectures)}, not as ${family.architectures.join(' or ')}.`,
        otherType(),
      );
    }
  }
  if (json.quantization_config !== undefined && json.quantization_config !== null) {
    refuse(
      `${CONFIG}, quantization_config`,
      'The weights are stored quantised in a way that cannot be opened.',
      'Choose the model in its original precision (bfloat16, float16 or float32), or as a GGUF file.',
    );
  }
  return family;
}

/** A config.json's family and checked config. Throws `bad_model`. */
export function readFamilyConfig(json: Record<string, unknown>): {
  family: Family;
  config: FamilyConfig;
  /** The classification head that the checkpoint has in place of a language-modelling one; null without. */
  head: StoredHead | null;
} {
  const family = familyOf(json);
  return { family, config: family.readConfig(json), head: storedHead(family, json) };
}

/** The tensors of a checkpoint, with its head's. With a classification head, the language-modelling head may be missing. */
export function checkpointTensors(family: Family, config: FamilyConfig, head: StoredHead | null): TensorSpec[] {
  const specs = family.tensors(config);
  if (!head) return specs;
  return [
    ...specs.map((spec) => (family.lmHead.test(spec.name) ? { ...spec, optional: true } : spec)),
    ...headTensors(family, config, head),
  ];
}

/** A tensor that is another one. */
export interface Tie {
  name: string;
  of: string;
}

/** The tensors that config.json ties, whatever a file holds. */
export const tiesOf = (family: Family, config: FamilyConfig): Tie[] =>
  config.tie_word_embeddings
    ? family.tensors(config).flatMap(({ name, tiedTo }) => (tiedTo === undefined ? [] : [{ name, of: tiedTo }]))
    : [];

/** A tensor's name in transformers 5, which PEFT's files have. */
export const transformersName = ({ renamedModules = {} }: Pick<Family, 'renamedModules'>, tensor: string): string => {
  const dot = tensor.lastIndexOf('.');
  const renamed = renamedModules[tensor.slice(0, Math.max(0, dot))];
  return renamed === undefined ? tensor : renamed + tensor.slice(dot);
};

/** The reverse. */
export const checkpointName = ({ renamedModules = {} }: Pick<Family, 'renamedModules'>, tensor: string): string => {
  const dot = tensor.lastIndexOf('.');
  const path = tensor.slice(0, Math.max(0, dot));
  const old = Object.keys(renamedModules).find((name) => renamedModules[name] === path);
  return old === undefined ? tensor : old + tensor.slice(dot);
};
