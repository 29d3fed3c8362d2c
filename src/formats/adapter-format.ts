/** A common interface for the formats that adapters are saved in (PEFT's, AdapterHub's): files to tensors and back. */
import { parseUntrusted } from '../base/json';
import { CONFIG_LIMIT } from '../base/limits';
import type { TaskData } from '../base/task';

/** A folder, as files in memory. */
export type AdapterFiles = { path: string; bytes: Uint8Array }[];

/** Row-major float32 by name. */
export type AdapterTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** What a format needs to know about an adapter's model. */
export interface AdapterModel {
  /** Hugging Face's model_type. */
  family: string;
  hiddenSize: number;
  layers: number;
  heads: { query: number; keyValue: number };
  /** kvHeads · headDim; null for encoders. */
  keyValueWidth: number | null;
  blockPaths: readonly string[];
  /** Every linear layer that an adapter may change. */
  linears: readonly { path: string; out: number; width: number }[];
  /** A block's attention and feed-forward network read the same input. */
  parallel: boolean;
  /** Prefix of a bare encoder's names in transformers' class with a head; empty if the model's names have it already. */
  headPrefix: string;
  /** transformers' class of the model with its current head. */
  modelClass: string;
  /** Modules of the classification head, as named in `modules_to_save`; empty without one. */
  headModules: readonly string[];
  /** Of the checkpoint; a tied one once. */
  tensorNames: readonly string[];
  /** Tensors that files hold and that take no part in computing. */
  idleTensors: readonly string[];
  /** Tensors that are another one. */
  ties: readonly { name: string; of: string }[];
}

/** What decides whether an adapter fits a model, and under which names. */
export type FittedModel = Pick<
  AdapterModel,
  'family' | 'blockPaths' | 'headPrefix' | 'linears' | 'tensorNames' | 'idleTensors' | 'ties'
>;

export interface ReadAdapter<S> {
  section: S;
  values: AdapterTensors;
  /** The head's task, as far as the files state it; null without a head. */
  task: TaskData | null;
  /** The model that it was made for, as its files name it; null if they do not. */
  base: string | null;
}

export interface AdapterToWrite<S> {
  section: S;
  model: AdapterModel;
  /** `base_model_name_or_path`, and the commit on the Hub. */
  base: { name: string; revision: string | null };
  /** Config fields that only the engine knows, such as the modules that a name matched; from the method's twin. */
  exported: Record<string, unknown>;
  /** By the model's names, including the head's. */
  tensors: AdapterTensors;
  /** Names of the head's tensors. */
  headTensors: ReadonlySet<string>;
  /** Paths of modules that are in `tensors` although the section does not name them (an output projection that is tied). */
  savedBeside: readonly string[];
  task: TaskData | null;
  /** PEFT's task_type, and the model class for objectives that PEFT does not name. */
  objective: { taskType: string | null; modelClass: string | null };
}

export interface AdapterFormat<S> {
  id: 'peft' | 'adapterhub';
  /** `library_name` of a model card. */
  library: string;
  /** Which programs load the folder, as a sentence. */
  readBy: string;
  /** Whether a folder holds an adapter of this method. */
  matches(files: AdapterFiles): boolean;
  /** Decodes and checks the folder. Throws bad_adapter. The caller checks whether it fits a model. */
  read(files: AdapterFiles, named: TaskData | null): ReadAdapter<S>;
  /** The adapter with its tensors renamed to this model's names. Throws bad_adapter if it changes what the model lacks. */
  fit(adapter: ReadAdapter<S>, model: FittedModel): ReadAdapter<S>;
  write(adapter: AdapterToWrite<S>): AdapterFiles;
  /** Python code for a base of this model_type (null: any): imports, and the lines that load the folder `path` (an expression) onto `model`. */
  python(family: string | null): { imports: string[]; load(path: string): string[] };
}

/** A file of the folder by name, in whatever directory. */
export const fileNamed = (files: AdapterFiles, name: string) =>
  files.find(({ path }) => path === name || path.endsWith(`/${name}`));

/** A JSON object among the files; empty if it is missing, too large or not an object, which the reader reports. */
export function jsonNamed(files: AdapterFiles, name: string): Record<string, unknown> {
  const file = fileNamed(files, name);
  if (!file || file.bytes.length > CONFIG_LIMIT) return {};
  try {
    const value: unknown = parseUntrusted(new TextDecoder().decode(file.bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

export const renamed = (tensors: AdapterTensors, name: (old: string) => string): AdapterTensors =>
  new Map([...tensors].map(([old, tensor]) => [name(old), tensor]));
