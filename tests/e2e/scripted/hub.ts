/** The Hub, downloads and storage of the scripted session. Downloads progress with time. */
import { TabtuneError } from '../../../src/base/errors';
import type { Download, HubChoice, HubHit, HubModel, PrecisionPlan, ShelfModel } from '../../../src/hub/descriptions';
import type { StorageItem } from '../../../src/session/api';
import type { HubApi } from '../../../src/session/hub-api';
import { verdictOf } from './memory';
import { scriptedPushes } from './pushes';
import { all, repositories } from './repositories';
import { sleep } from './sleep';

const official = 'https://huggingface.co';
const commit = '12fd25f77366fa6b3b4b768ec3050bf629380bac';

function plan(quantization: PrecisionPlan['quantization'], weightBytes: number, rest: number): PrecisionPlan {
  const totalBytes = weightBytes + rest;
  return { quantization, weightBytes, totalBytes, verdict: verdictOf(totalBytes) };
}

const plans = (parameters: number): PrecisionPlan[] => [
  plan('none', parameters * 2, 4e8 + parameters * 0.3),
  plan('q8', parameters * 1.06, 4e8 + parameters * 0.3),
  plan('nf4', parameters * 0.57, 4e8 + parameters * 0.3),
];

const sourceOf = (id: string, file?: string) => `hf:${id}@${commit}${file ? `/${file}` : ''}`;

export interface HubScript {
  /** How long a download takes. */
  downloadMs: number;
  /** An earlier visit left one unfinished. */
  unfinished: boolean;
  /** The first download fails at 60%. */
  failing: boolean;
  /** Each download stands at 30 % until it has been paused once. */
  holding: boolean;
}

export interface ScriptedHub extends HubApi {
  stored(): StorageItem[];
  delete(id: string): void;
  persisted(): boolean;
}

export function createScriptedHub(script: HubScript): ScriptedHub {
  let settings = { endpoint: official, token: null as string | null };
  let persisted = false;
  let failing = script.failing;
  const here = new Map<string, { bytes: number; at: number }>();
  const downloads = new Map<string, Download>();
  const paused = new Set<string>();
  /** The latest call for each: one that was paused ends even if another goes on before it has noticed. */
  const calls = new Map<string, object>();
  const listeners = new Set<(downloads: Download[]) => void>();
  const tell = () => {
    for (const listener of listeners) listener([...downloads.values()].map((download) => ({ ...download })));
  };
  const pushes = scriptedPushes(official, script.downloadMs);
  const of = (source: string) => all.find(({ id }) => source.startsWith(`hf:${id}@`));

  function bytesOf(source: string): number {
    const repository = of(source)!;
    const file = source.split('/').at(-1);
    return repository.gguf?.find(([name]) => name === file)?.[1] ?? repository.parameters * 2 + 3_400_000;
  }

  function begin(source: string): Download {
    const download: Download = {
      source,
      title: of(source)?.id ?? source,
      state: 'waiting',
      file: source.endsWith('.gguf') ? source.split('/').at(-1)! : 'model.safetensors',
      loaded: 0,
      total: bytesOf(source),
      rate: null,
      secondsLeft: null,
      note: null,
      error: null,
      updatedAt: Date.now(),
    };
    downloads.set(source, download);
    return download;
  }
  if (script.unfinished) {
    const source = sourceOf(repositories[1]!.id);
    Object.assign(begin(source), { state: 'paused', loaded: bytesOf(source) * 0.3, updatedAt: Date.now() - 7_200_000 });
  }

  async function describeModel(name: string, signal?: AbortSignal): Promise<HubModel> {
    await sleep(300);
    signal?.throwIfAborted();
    const id = name.replace(/^hf:/, '').replace(`${official}/`, '').split('@')[0]!;
    const repository = all.find((one) => one.id.toLowerCase() === id.toLowerCase());
    if (!repository) {
      throw new TabtuneError({
        code: 'network',
        message: `The Hub has no model called ${id}.`,
        where: id,
        action: 'Look at the spelling. If the model is private, enter an access token first.',
        details: 'GET /api/models: 404 Repository not found',
      });
    }
    const { parameters, gated = false } = repository;
    const locked = gated && settings.token === null;
    const choice = (kind: HubChoice['kind'], file: string, dtype: string, bytes: number): HubChoice => {
      const source = sourceOf(repository.id, kind === 'gguf' ? file : undefined);
      return {
        source,
        kind,
        label: kind === 'gguf' ? file : 'safetensors',
        dtype,
        files:
          kind === 'gguf'
            ? [{ name: file, bytes }]
            : [
                { name: 'config.json', bytes: 861 },
                { name: 'model.safetensors', bytes: bytes - 3_400_000 },
                { name: 'tokenizer.json', bytes: 3_395_000 },
                { name: 'tokenizer_config.json', bytes: 4139 },
              ],
        bytes,
        downloaded: here.has(source),
        precisions: kind === 'gguf' ? [plan('none', bytes, 4e8 + parameters * 0.3)] : plans(parameters),
        problem: null,
      };
    };
    const blocked = locked || repository.problem !== undefined;
    return {
      id: repository.id,
      revision: 'main',
      commit,
      url: `${official}/${repository.id}/tree/${commit}`,
      licence: repository.licence,
      licenceUrl: `${official}/${repository.id}/blob/${commit}/LICENSE`,
      downloads: repository.downloads,
      gated,
      private: false,
      access: locked ? 'token' : 'granted',
      facts: locked
        ? null
        : {
            architecture: repository.architecture,
            kind: repository.architecture === 'bert' ? 'encoder' : 'decoder',
            parameters,
            contextLength: 8192,
            vocabSize: 49_152,
            hiddenSize: repository.hiddenSize,
            layers: repository.layers,
          },
      choices: blocked
        ? []
        : [
            choice('safetensors', '', 'BF16', parameters * 2 + 3_400_000),
            ...(repository.gguf ?? []).map(([file, bytes]) =>
              choice('gguf', file, file.includes('q8') ? 'Q8_0' : 'Q4_K_M', bytes),
            ),
          ],
      problem: repository.problem
        ? {
            code: 'bad_model',
            message: `Models of the architecture ${repository.architecture} cannot be opened.`,
            where: 'config.json, model_type',
            action:
              'These work: bert, distilbert, gemma2, gemma3_text, gpt2, gpt_neox, llama, mistral, phi3, qwen2, qwen3, roberta, smollm3.',
          }
        : null,
    };
  }

  async function run(source: string): Promise<void> {
    const download = downloads.get(source) ?? begin(source);
    const { total } = download;
    const call = {};
    calls.set(source, call);
    Object.assign(download, { state: 'downloading', error: null, rate: null, secondsLeft: null });
    const rate = (total / script.downloadMs) * 1000;
    for (;;) {
      tell();
      await sleep(100);
      const now = downloads.get(source);
      if (now?.state !== 'downloading' || calls.get(source) !== call) {
        throw new TabtuneError({ code: 'cancelled', message: 'The download was paused.' });
      }
      now.loaded = Math.min(script.holding && !paused.has(source) ? total * 0.3 : total, now.loaded + rate / 10);
      Object.assign(now, { rate, secondsLeft: (total - now.loaded) / rate, updatedAt: Date.now() });
      if (failing && now.loaded > total * 0.6) {
        failing = false;
        const error = new TabtuneError({
          code: 'network',
          message: 'The connection to the Hub was lost.',
          where: now.file,
          action: 'Check the connection, then press Retry: it goes on where it stopped.',
          details: 'TypeError: Failed to fetch',
        });
        Object.assign(now, { state: 'paused', error: error.toData(), rate: null, secondsLeft: null });
        tell();
        throw error;
      }
      if (now.loaded >= total) break;
    }
    for (let part = 0; part <= 4; part++) {
      Object.assign(download, { state: 'verifying', loaded: (total * part) / 4, rate: null, secondsLeft: null });
      tell();
      await sleep(script.downloadMs / 20);
    }
    here.set(source, { bytes: total, at: Date.now() });
    Object.assign(download, { state: 'done', loaded: total });
    tell();
  }

  return {
    hubSettings: () => ({ ...settings }),
    async setHubSettings(next) {
      if (!/^https?:\/\//.test(next.endpoint)) {
        throw new TabtuneError({
          code: 'network',
          message: `${next.endpoint} is not a valid Hub address.`,
          action: `Write it as ${official}.`,
        });
      }
      settings = { ...next };
    },
    async shelf(): Promise<ShelfModel[]> {
      return repositories.map(({ id, title, description, licence, parameters, gated = false }) => ({
        source: `hf:${id}`,
        id,
        title,
        description,
        licence,
        parameters,
        bytes: bytesOf(sourceOf(id)),
        gated,
        downloaded: here.has(sourceOf(id)),
        precisions: plans(parameters),
      }));
    },
    async searchHub(query): Promise<HubHit[]> {
      await sleep(query === 'slow' ? 60_000 : 300);
      if (query === 'offline') {
        throw new TabtuneError({
          code: 'network',
          message: 'The Hub cannot be reached.',
          action: 'Check the connection. Models that are here already open without it.',
          details: 'TypeError: Failed to fetch',
        });
      }
      const words = query.toLowerCase().split(/\s+/);
      return all
        .filter(({ id }) => query === 'all' || words.every((word) => id.toLowerCase().includes(word)))
        .map(({ id, downloads: count, licence, parameters, gated = false, problem = null }) => ({
          id,
          downloads: count,
          likes: Math.round(count / 400),
          licence,
          parameters,
          gated,
          private: false,
          problem,
        }));
    },
    describeModel,
    pushing: async () => pushes,
    watchDownloads(listener) {
      listeners.add(listener);
      tell();
      return () => listeners.delete(listener);
    },
    download: run,
    async pauseDownload(source) {
      paused.add(source);
      const download = downloads.get(source);
      if (download) Object.assign(download, { state: 'paused', rate: null, secondsLeft: null, updatedAt: Date.now() });
      tell();
    },
    async cancelDownload(source) {
      downloads.delete(source);
      tell();
    },
    async persist() {
      persisted = true;
      return true;
    },
    persisted: () => persisted,
    stored: () => [
      ...[...here].map(([source, { bytes, at }]) => ({
        id: source,
        kind: 'model' as const,
        name: `${of(source)!.id} @ ${commit.slice(0, 7)}`,
        bytes,
        createdAt: at,
        usedAt: at,
      })),
      ...[...downloads.values()]
        .filter(({ state }) => state !== 'done')
        .map(({ source, title, loaded, total, updatedAt }) => ({
          id: source,
          kind: 'model' as const,
          name: `${title} @ ${commit.slice(0, 7)}`,
          bytes: Math.round(loaded),
          total,
          createdAt: updatedAt,
          usedAt: null,
        })),
    ],
    delete(id) {
      here.delete(id);
      downloads.delete(id);
      tell();
    },
  };
}
