/**
 * Which programs read an export, one sentence each, for its model card. Only what scripts/interop tries is said: each of these
 * sentences is one of its checks.
 */
import { familyNamed } from '../families';
import { type MethodSection, methodOf } from '../methods';
import { type ObjectiveType, objectiveOf } from '../objectives';

export interface AdapterFacts {
  method: MethodSection;
  objective: ObjectiveType;
  /** The base's model_type. */
  family: string;
}

/** Of an adapter. */
export function adapterReaders(facts: AdapterFacts): string[] {
  const { files, fileRemark } = methodOf(facts.method);
  const remark = fileRemark?.(facts.method) ?? null;
  return [files?.readBy ?? '', ...(remark ? [remark] : []), ...llamaCppOfAdapter(facts)].filter((line) => line !== '');
}

function llamaCppOfAdapter({ method, objective, family }: AdapterFacts): string[] {
  const why = methodOf(method).llamaCpp?.(method);
  if (why === undefined || !objectiveOf({ type: objective }).writes) return [];
  const { llamaCpp } = familyNamed(family);
  if (!llamaCpp) return [];
  if (why !== null) return [`llama.cpp cannot use it: ${why}`];
  return [
    llamaCpp.lora
      ? 'llama.cpp’s `convert_lora_to_gguf.py` converts it, given the base model’s folder.'
      : 'llama.cpp’s `convert_lora_to_gguf.py` turns the matrices of this family the wrong way round; merge the adapter for it.',
  ];
}

export interface ModelFacts {
  /** Null for a model that was only converted. */
  objective: ObjectiveType | null;
  /** Whether the folder holds a language model. */
  writes: boolean;
  family: string;
  /** The folder's file names. */
  files: readonly string[];
  /** The tokenizer is one that llama.cpp has a name for; null if that is not known. */
  knownTokenizer: boolean | null;
  /** Its class, as tokenizer_config.json names it. */
  tokenizerClass: string | null;
}

/** Of a model's folder. */
export function modelReaders({ writes, family, files, knownTokenizer, tokenizerClass }: ModelFacts): string[] {
  const lines = ['It opens in transformers.'];
  const { llamaCpp } = familyNamed(family);
  if (!writes || !llamaCpp) return lines;
  const { vocabulary } = llamaCpp;
  const tool = 'llama.cpp’s `convert_hf_to_gguf.py`';
  const needed = vocabulary && vocabulary.unless !== tokenizerClass ? vocabulary.file : null;
  if (needed && !files.includes(needed)) {
    return [
      ...lines,
      `${tool} needs the base model’s \`${needed}\` beside it, which was not in the folder that was opened.`,
    ];
  }
  if (knownTokenizer === false) {
    return [...lines, `${tool} does not know the tokenizer, and refuses the folder.`];
  }
  return [...lines, `${tool} turns it into a GGUF file if it knows the tokenizer, which it says at once.`];
}
