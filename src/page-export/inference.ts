/** The model of an exported page: opened once, then asked. Everything happens in this worker; texts come in, texts go out. */
import { TabtuneError } from '../base/errors';
import { pageUrl } from '../base/page-url';
import { labelsWords, type TaskData } from '../base/task';
import { encodeAnswer, encodeForTask, encodePrompt } from '../data/encode-input';
import { type LabelScore, textLabels, wordLabels, wordsOf } from '../data/label-scores';
import { type OpenTokenizer, openTokenizer } from '../data/open-tokenizer';
import { probabilities, textScores } from '../engine/classification/classify';
import { ChatCache } from '../engine/generation/chat-cache';
import { generate } from '../engine/generation/generate';
import { inference } from '../engine/methods/method';
import { loadModel } from '../engine/models';
import { requireHead } from '../engine/models/heads';
import type { LanguageModel } from '../engine/models/model';
import { virtualLength } from '../engine/models/virtual-tokens';
import type { Hooks } from '../engine/types';
import { type EngineDevice, openDevice } from '../engine/webgpu/device';
import { ADAPTER_FOLDER, MODEL_FOLDER, type PageGeneration, type PageManifest } from '../exports/page/manifest';
import type { AdapterFiles } from '../formats/adapter-format';
import { checkModelFolder } from '../hub/check';
import { settleTies } from '../hub/ties';
import { openWeights } from '../hub/weights';
import { StreamText } from '../session/stream-text';
import { tokenizerFiles } from '../session/tokenizer-files';
import { openAdapter } from '../workers/engine/adapters';
import { checkpointHead } from '../workers/engine/stored-head';
import { PageFiles } from './page-files';

/** `fetching` counts bytes of files, `loading` bytes of weights on their way to the GPU. */
export interface OpenProgress {
  phase: 'fetching' | 'loading';
  done: number;
  total: number;
}

export interface OpenedPage {
  /** The labels of a classifier; null for a model that writes. */
  labels: string[] | null;
  problemType: TaskData['problemType'] | null;
  /** WebGPU runs on the processor. */
  software: boolean;
  /** The model's files stay in this browser. */
  kept: boolean;
}

export interface AskedQuestion {
  text: string;
  system: string;
  /** The conversation so far. */
  before: { text: string; expected: string }[];
}

export interface PageAnswer {
  text: string;
  ids: Int32Array;
  /** Turns of the conversation that no longer fitted into the context. */
  dropped: number;
  /** Whether the model came to an end by itself. */
  ended: boolean;
}

export interface InferenceApi {
  /** Bytes that `open` will fetch. */
  missing(manifest: PageManifest): Promise<number>;
  /** Throws what stands in the way: no WebGPU, a file that is missing. May be called again. */
  open(manifest: PageManifest, onProgress: (progress: OpenProgress) => void): Promise<OpenedPage>;
  /** `onText` gets the whole text so far. An abort ends the answer with what there is. */
  answer(
    asked: AskedQuestion,
    generation: PageGeneration,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<PageAnswer>;
  /** A text, or for a model that scores answers, the answer to a prompt. */
  classify(input: string | { prompt: string; answer: string }): Promise<LabelScore[]>;
}

interface Open {
  manifest: PageManifest;
  tokens: OpenTokenizer;
  model: LanguageModel;
  hooks: Hooks;
}

const filesOf = (manifest: PageManifest) => new PageFiles(manifest.files, new URL(pageUrl()));

export function createInference(): InferenceApi {
  let device: Promise<EngineDevice> | null = null;
  let current: Open | null = null;
  const chat = new ChatCache();

  const opened = (): Open => {
    if (current) return current;
    throw new TabtuneError({ code: 'internal', message: 'The model is not open yet.', action: 'Wait until it is.' });
  };

  /** Rejects as soon as the device fails, when a read may never resolve. */
  const onDevice = async <T>(work: () => Promise<T>): Promise<T> => {
    device ??= openDevice();
    device.catch(() => {
      device = null;
    });
    const { failed } = await device;
    return Promise.race([work(), failed]);
  };

  return {
    missing: (manifest) => filesOf(manifest).missing(),

    open: (manifest, onProgress) =>
      onDevice(async () => {
        chat.clear();
        const files = filesOf(manifest);
        const kept = await files.fetchAll((progress) => onProgress({ phase: 'fetching', ...progress }));
        const folder = files.folder(MODEL_FOLDER, manifest.model.base);
        const checked = await settleTies(await checkModelFolder(folder));
        const tokens = openTokenizer(await tokenizerFiles(checked.folder));
        let loaded = 0;
        const weights = openWeights(checked, (bytes) => {
          loaded += bytes;
          onProgress({ phase: 'loading', done: loaded, total: weights.bytes });
        });
        onProgress({ phase: 'loading', done: 0, total: weights.bytes });
        const { quantization } = manifest;
        const base = await loadModel(checked.json, weights, { quantization });
        const own = await checkpointHead(base, checked, weights, quantization);
        const trained = await adapterOf(files);
        const attached = trained.length > 0 ? await openAdapter(base, trained, own.head) : null;
        const model = attached?.model ?? own.model;
        current = { manifest, tokens, model, hooks: attached?.method.hooks(inference()) ?? {} };
        await files.forgetOthers();
        const head = manifest.form === 'chat' ? null : requireHead(model, 'classification');
        return {
          labels: head?.labels ?? null,
          problemType: head?.problemType ?? null,
          software: (await device!).software,
          kept,
        };
      }),

    answer: (asked, generation, onText, signal) =>
      onDevice(async () => {
        const { model, hooks, tokens } = opened();
        const { ids: prompt, dropped } = fitting(opened(), asked, generation.maxNewTokens);
        const stream = new StreamText(async (ids) => tokens.tokenizer.decode(ids, true), onText);
        const { stopTokenIds } = tokens;
        const options = { ...generation, stopTokenIds };
        const ids = await generate(model, hooks, prompt, options, (id) => stream.push(id), signal, chat);
        const text = await stream.finish(ids);
        const room = model.contextLength - virtualLength(hooks) - prompt.length;
        const ended = !signal?.aborted && ids.length < Math.min(generation.maxNewTokens, room);
        return { text, ids, dropped, ended };
      }),

    classify: (input) =>
      onDevice(async () => {
        const { model, hooks, tokens, manifest } = opened();
        const { contextLength } = model;
        const { labels, problemType } = requireHead(model, 'classification');
        const judge = async (ids: Int32Array) =>
          probabilities(problemType, labels.length, await textScores(model, hooks, ids));
        if (typeof input !== 'string') {
          return textLabels(labels, await judge(encodeAnswer(tokens, manifest.style, input, contextLength)));
        }
        if (!labelsWords({ problemType })) {
          return textLabels(labels, await judge(encodeForTask(tokens, input, contextLength).ids));
        }
        const words = wordsOf(input);
        const encoded = encodeForTask(tokens, words, contextLength);
        return wordLabels(words, encoded.words ?? new Int32Array(), labels, await judge(encoded.ids));
      }),
  };
}

async function adapterOf(files: PageFiles): Promise<AdapterFiles> {
  const folder = files.folder(ADAPTER_FOLDER, 'adapter');
  return Promise.all(folder.files.map(async (path) => ({ path, bytes: new Uint8Array(await folder.bytes(path)) })));
}

/** Share of the context that is kept free for the answer where a conversation is long. */
const ANSWER_SHARE = 1 / 4;

/** The prompt with as much of the conversation as leaves room for an answer. */
function fitting(
  { tokens, manifest, model, hooks }: Open,
  { text, system, before }: AskedQuestion,
  wanted: number,
): { ids: Int32Array; dropped: number } {
  const context = model.contextLength - virtualLength(hooks);
  const room = context - Math.min(wanted, Math.floor(context * ANSWER_SHARE));
  // A model that was trained on single prompts would take a conversation for something else.
  const talks = tokens.template !== null || manifest.style.plainChat;
  for (let dropped = talks ? 0 : before.length; ; dropped++) {
    const ids = encodePrompt(tokens, manifest.style, { text, system, before: before.slice(dropped) });
    if (ids.length <= room || dropped >= before.length) return { ids, dropped: talks ? dropped : 0 };
  }
}
