/**
 * Which programs read an export and how, for its model card. Only what scripts/interop tries is said: each of these
 * sentences is one of its checks.
 */
import { familyNamed } from '../families';
import { type MethodSection, methodOf } from '../methods';
import { type ObjectiveType, objectiveOf } from '../objectives';
import { code, shellWord } from './markdown';
import { fileName } from './names';

export interface AdapterFacts {
  method: MethodSection;
  objective: ObjectiveType;
  /** The base's model_type. */
  family: string;
  /** The base, by the name or folder that programs load it from. */
  base: string;
  /** The adapter's. */
  name: string;
}

/** What loads an adapter's own folder, and how the file differs from the recipe. */
export function adapterFolder({ method }: Pick<AdapterFacts, 'method'>): string {
  const { files, fileRemark } = methodOf(method);
  return [files?.readBy, fileRemark?.(method)].filter((line) => line).join(' ');
}

/** How other programs take an adapter, a line of Markdown each; empty where they know nothing of such adapters. */
export function adapterReaders(facts: AdapterFacts): string[] {
  if (!objectiveOf({ type: facts.objective }).writes) return [];
  return [...vllm(facts), ...llamaCpp(facts), ...mlx(facts)];
}

/** vLLM's --max-lora-rank, or why it refuses the adapter; null where it knows nothing of such adapters. */
function vllmRank({
  method,
  objective,
  family,
}: Omit<AdapterFacts, 'base' | 'name'>): { maxRank: number } | string | null {
  const found = methodOf(method).vllm?.(method);
  const ofFamily = familyNamed(family).vllm;
  if (found === undefined || ofFamily === undefined || !objectiveOf({ type: objective }).writes) return null;
  return ofFamily ?? found;
}

/** For the screen, as a sentence; empty where there is nothing to say. */
export function vllmHint(facts: Omit<AdapterFacts, 'base' | 'name'>): string {
  const found = vllmRank(facts);
  if (found === null) return '';
  return typeof found === 'string'
    ? `vLLM cannot use it: ${found}`
    : `vLLM takes it with \`--enable-lora --max-lora-rank ${found.maxRank}\`.`;
}

function vllm(facts: AdapterFacts): string[] {
  const found = vllmRank(facts);
  if (found === null) return [];
  if (typeof found === 'string') return [`**vLLM** cannot use it: ${found}`];
  const { base, name } = facts;
  const command = `vllm serve ${shellWord(base)} --enable-lora --max-lora-rank ${found.maxRank} --lora-modules ${shellWord(`${fileName(name)}=.`)}`;
  return [`**vLLM**’s own check takes it, with at least this rank: ${code(command)}`];
}

function llamaCpp({ method, family }: AdapterFacts): string[] {
  const why = methodOf(method).llamaCpp?.(method);
  const { llamaCpp: tools } = familyNamed(family);
  if (why === undefined || !tools) return [];
  if (why !== null) return [`**llama.cpp** cannot use it: ${why}`];
  const own =
    '**llama.cpp**, and what is built on it, takes it as a GGUF adapter, which Tabtune exports too: `llama-cli -m BASE.gguf --lora ADAPTER.gguf`.';
  const converter = tools.lora
    ? 'llama.cpp’s `convert_lora_to_gguf.py` converts it, given the base model’s folder.'
    : 'llama.cpp’s `convert_lora_to_gguf.py` turns the matrices of this family the wrong way round.';
  return [`${own} ${converter}`];
}

function mlx({ method, family, base }: AdapterFacts): string[] {
  const why = methodOf(method).mlx?.(method);
  const ofFamily = familyNamed(family).mlx;
  if (why === undefined || ofFamily === undefined) return [];
  const problem = ofFamily.refused ?? why;
  if (problem !== null) return [`**mlx-lm** cannot use it: ${problem}`];
  const command = `mlx_lm.generate --model ${shellWord(base)} --adapter-path ADAPTER`;
  return [`**mlx-lm** takes it as an MLX adapter, which Tabtune exports too: ${code(command)}`];
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

/** Of a model's folder, a line of Markdown each. */
export function modelReaders(facts: ModelFacts): string[] {
  const lines = ['**transformers** opens it.'];
  if (!facts.writes) return lines;
  const { vllm: served, mlx: run } = familyNamed(facts.family);
  return [
    ...lines,
    ...llamaCppOfModel(facts),
    ...(served === undefined ? [] : ['**vLLM** has models of this architecture: `vllm serve .`']),
    ...(run && !run.refused ? ['**mlx-lm** runs it: `mlx_lm.generate --model .`'] : []),
  ];
}

function llamaCppOfModel({ family, files, knownTokenizer, tokenizerClass }: ModelFacts): string[] {
  const { llamaCpp: tools } = familyNamed(family);
  if (!tools) return [];
  const own = '**llama.cpp**, and what is built on it, takes it as a GGUF file, which Tabtune exports too.';
  const tool = 'llama.cpp’s `convert_hf_to_gguf.py`';
  const { vocabulary } = tools;
  const needed = vocabulary && vocabulary.unless !== tokenizerClass ? vocabulary.file : null;
  if (needed && !files.includes(needed)) {
    return [
      `${own} ${tool} needs the base model’s \`${needed}\` beside it, which was not in the folder that was opened.`,
    ];
  }
  if (knownTokenizer === false) return [`${own} ${tool} does not know the tokeniser and refuses the folder.`];
  return [`${own} ${tool} turns it into a GGUF file if it knows the tokeniser, and says at once if it does not.`];
}
