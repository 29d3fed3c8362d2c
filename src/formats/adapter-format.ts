/** The folder formats that adapters are saved in (PEFT's, AdapterHub's) as one interface: files to tensors and back. */
import type { TaskData } from '../base/task';

/** A folder, as files in memory. */
export type AdapterFiles = { path: string; bytes: Uint8Array }[];

/** Row-major float32 by name. */
export type AdapterTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** What a format has to know of the model that an adapter belongs to. */
export interface AdapterModel {
  /** Hugging Face's model_type. */
  family: string;
  hiddenSize: number;
  layers: number;
  heads: { query: number; keyValue: number };
  /** kvHeads · headDim; null for encoders. */
  keyValueWidth: number | null;
  blockPaths: readonly string[];
  /** Attention and feed-forward of a block read the same input. */
  parallel: boolean;
  /** What transformers' class with a head puts before the names of a bare encoder; empty if the model has it already. */
  headPrefix: string;
  /** transformers' class of the model with its present head. */
  modelClass: string;
  /** Modules of the head for labels, as `modules_to_save` names them; empty without one. */
  headModules: readonly string[];
}

export interface ReadAdapter<S> {
  section: S;
  values: AdapterTensors;
  /** What the head is for, as far as the files say; null without a head. */
  task: TaskData | null;
}

export interface AdapterToWrite<S> {
  section: S;
  model: AdapterModel;
  /** `base_model_name_or_path`, and the commit on the Hub. */
  base: { name: string; revision: string | null };
  /** Fields that only the engine knows (which modules a name matched), from the method's twin. */
  exported: Record<string, unknown>;
  /** By the model's names, the head's among them. */
  tensors: AdapterTensors;
  /** Names of the head's tensors. */
  headTensors: ReadonlySet<string>;
  task: TaskData | null;
  /** PEFT's task_type, and the model class of objectives that PEFT has no name for. */
  objective: { taskType: string | null; modelClass: string | null };
}

export interface AdapterFormat<S> {
  id: 'peft' | 'adapterhub';
  /** `library_name` of a model card. */
  library: string;
  /** Whether a folder holds an adapter of this method. */
  matches(files: AdapterFiles): boolean;
  /** Decodes and checks the folder. Throws bad_adapter. Whether it fits a model is for the caller. */
  read(files: AdapterFiles, named: TaskData | null): ReadAdapter<S>;
  /** The adapter by the names of this model. */
  fit(adapter: ReadAdapter<S>, model: Pick<AdapterModel, 'blockPaths' | 'headPrefix'>): ReadAdapter<S>;
  write(adapter: AdapterToWrite<S>): AdapterFiles;
  /** Python: imports, and the lines that load the folder `path` (a Python expression) onto `model`. */
  python: { imports: string; load(path: string): string[] };
}

/** A file of the folder by its name, whatever directory encloses it. */
export const fileNamed = (files: AdapterFiles, name: string) =>
  files.find(({ path }) => path === name || path.endsWith(`/${name}`));

/** A JSON object among the files; empty if it is missing or damaged, which the reader reports. */
export function jsonNamed(files: AdapterFiles, name: string): Record<string, unknown> {
  const file = fileNamed(files, name);
  try {
    return file ? (JSON.parse(new TextDecoder().decode(file.bytes)) as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export const renamed = (tensors: AdapterTensors, name: (old: string) => string): AdapterTensors =>
  new Map([...tensors].map(([old, tensor]) => [name(old), tensor]));
