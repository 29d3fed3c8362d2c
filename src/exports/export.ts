/**
 * What an export is: one file in `exports` for each destination, which says what it accepts and writes its files. It is given an
 * `ExportSource` by the session, and knows neither the engine nor the screen.
 */
import type { TaskData } from '../base/task';
import type { PromptStyle, WrittenChats } from '../data/prompt-style';
import type { ChatMessage } from '../data/types';
import type { AdapterFiles } from '../formats/adapter-format';
import type { GgmlType } from '../formats/ggml';
import type { GgufMetadata } from '../formats/gguf-write';
import type { ModelFolder, ModelSummary } from '../hub/types';
import type { MethodSection } from '../methods';
import type { ObjectiveType } from '../objectives';
import type { Recipe } from '../recipe/types';
import type { GgufTokenizer } from './gguf/tokenizer/section';
import type { ModelCardInput } from './model-card';
import type { PageOptions } from './page/options';
import type { Proof } from './proof';
import type { TrainingData } from './trainers/training-data';

export type { Proof } from './proof';

export type MergedDtype = 'F32' | 'BF16' | 'F16';

/** What is on the model, or what the recipe would train: enough to say which exports are possible. */
export interface Exported {
  method: MethodSection;
  objective: ObjectiveType;
  /** The base's model_type; null while no model is open. */
  family: string | null;
}

/** `writing` counts bytes; `checking` counts texts. */
export interface ExportProgress {
  phase: 'writing' | 'checking';
  done: number;
  total: number;
}

export interface ExportJob {
  onProgress(progress: ExportProgress): void;
  signal?: AbortSignal;
  /** A built-in base does not go along with its adapter. */
  withoutBase?: boolean;
  /** What is to be trained, for exports that need no training. */
  recipe?: Recipe;
  /** What a person said of a page of their own. */
  page?: Partial<PageOptions>;
}

export interface ExportedFile {
  /** Inside the export's folder, with slashes. */
  path: string;
  blob: Blob;
}

export interface ExportResult {
  files: ExportedFile[];
  /** What a person should know about the files, a sentence each: what was left out, folded, guessed or rounded. */
  notes: string[];
  /** Null for files that hold no weights. */
  proof: Proof | null;
  /** README.md for where the files are published; absent if one is among them. */
  card?: ExportedFile;
}

/** How far files may differ from the model in memory before they are refused. */
export interface Tolerance {
  /** As a share of the largest logit. */
  logits: number;
  /** Perplexity after, as a multiple of that before, for formats that round coarsely. */
  perplexity?: number;
}

/** One tensor of a GGUF file, and where its values come from. */
export interface GgufTensorPlan {
  /** In the file: `blk.0.attn_q.weight`. */
  name: string;
  type: GgmlType;
  /** Row-major as Hugging Face writes shapes, after `transposed`: [out, in]. The header lists it in reverse. */
  shape: number[];
  from:
    | {
        /** Of the merged model, by Hugging Face's name. */
        tensor: string;
        /** A permutation within each group of `order.length` rows: for each row of the file, its row in the model. */
        order?: Uint32Array;
        /** The model stores it [in, out] (Conv1D), the file [out, in]. */
        transposed?: true;
        /** Added to every value (Gemma's norms). */
        add?: number;
      }
    | { values: Float32Array };
}

/** How the engine writes all of the model's weights, merged with what was trained, into one file. */
export type ModelLayout =
  | { format: 'safetensors'; dtype: MergedDtype }
  | { format: 'gguf'; metadata: GgufMetadata; tensors: GgufTensorPlan[] };

/** A file with all of the model's weights. */
export interface WrittenModel {
  blob: Blob;
  /** What the head in the file is for; null where the file holds a language model. */
  task: TaskData | null;
  /** The file holds an output projection of its own, whatever the base's config.json says of ties. */
  outputApart: boolean;
}

/** A tensor of the merged model by Hugging Face's name. */
export interface MergedTensor {
  name: string;
  /** As Hugging Face stores it. */
  shape: number[];
}

/** What exports are made of. The session provides it; everything large is a promise or a Blob. */
export interface ExportSource {
  exported: Exported & { family: string };
  /** The run's or adapter's name, and the same as part of a file's name. */
  name: string;
  fileName: string;
  /** False for the base alone. */
  hasAdapter: boolean;
  /** Null if the adapter was opened from files. */
  recipe: Recipe | null;
  /** Null if the adapter was opened from files, or nothing is on the model. */
  card: ModelCardInput | null;
  model: {
    info: ModelSummary;
    folder: ModelFolder;
    /** config.json */
    config: Record<string, unknown>;
    /** `base_model_name_or_path`, and the commit on the Hub. */
    base: { name: string; revision: string | null };
    licence: string | null;
    /** The tokenizer's; null if it has none. */
    padTokenId: number | null;
    /** Tokens that end an answer; the one that the chat template writes behind an answer comes first. */
    endTokenIds: readonly number[];
    /** How the open model's weights are kept on the GPU. */
    quantization: Recipe['model']['quantization'];
  };
  /** How prompts are written where the model has no chat template; null if the data that say so are gone. */
  promptStyle(): Promise<PromptStyle | null>;
  /** How the model's conversations are written; left out for models that write no text. */
  chats?: {
    write(conversations: readonly (readonly ChatMessage[])[]): Promise<WrittenChats>;
    /** The system prompt that all of the run's examples have; null if there is none, or nobody knows. */
    system(): Promise<string | null>;
  };
  /** Name and shape of every tensor of the merged model, in the order of the checkpoint, an own output projection included. */
  tensors(): Promise<MergedTensor[]>;
  /**
   * The tokenizer section of a GGUF file from the model's own files, made in a worker; `rows` of the embedding, of which each token has one.
   * Throws `bad_model` for a tokenizer that llama.cpp does not have.
   */
  ggufTokenizer(rows: number): Promise<GgufTokenizer>;
  /** The adapter in the layout of its own ecosystem. Throws `bad_adapter` for methods that leave a model. */
  adapter(): Promise<{ files: AdapterFiles; notes: string[] }>;
  /** Weights of the model, written piece by piece to a file outside memory. */
  writeModel(layout: ModelLayout, job: ExportJob): Promise<WrittenModel>;
  /**
   * Opens files as a model of its own (a folder in Hugging Face's layout, or one GGUF file), and compares it with the one in memory. Throws
   * `bad_model` beyond the tolerance.
   */
  proveModel(files: ExportedFile[], tolerance: Tolerance, job: ExportJob): Promise<Proof>;
  /** The examples and the start of the run that the recipe describes, trained already or not. Left out where nothing can be trained. */
  training?(job: ExportJob): Promise<TrainingData>;
  /** Puts an adapter, as our reader decodes it from the files, onto the base beside the one in memory. */
  proveAdapter(files: ExportedFile[], tolerance: Tolerance, job: ExportJob): Promise<Proof>;
}

export type ExportWriter = (source: ExportSource, job: ExportJob) => Promise<ExportResult>;

/** Where an export is shown. */
export type ExportGroup = 'adapter' | 'model' | 'page' | 'trainer';

export interface Export<Id extends string = string> {
  /** What `--export` takes, and the folder that the headless runner writes. */
  id: Id;
  group: ExportGroup;
  /** Exports of one kind that differ in precision only are shown as one, with a choice. */
  variant?: { of: string; name: string; text: string };
  label(exported: Exported): string;
  /** The button's words where they are not "Export" and the label. */
  action?(exported: Exported): string;
  /** Whether the system prompt that all of the data's examples share goes along. */
  holdsSystemPrompt?(exported: Exported): boolean;
  /** False for what can be exported before anything is trained. */
  needsTraining?: false;
  /** Who reads it, as a short list of programs: `llama.cpp, LM Studio, KoboldCpp`. */
  forWhom: string;
  /** What the export contains; one or two sentences, with bold and code marked. */
  contents(exported: Exported): string;
  /** Null if this export is possible; otherwise one sentence saying why not and what to do. */
  refusal(exported: Exported): string | null;
  /** `pirate-chat-lora.zip`, `pirate-chat-Q8_0.gguf`; `name` is clean already. A single file is saved as it is. */
  fileName(name: string, exported: Exported): string;
  /** Its code comes when it is first needed. */
  writer(): Promise<ExportWriter>;
}
